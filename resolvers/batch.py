"""How batches of runs are answered, and the adapters of what people do to them."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID, Parent

import actions.batch
from actions.run.start import RunRequest
from auth.permissions import sees_batch, sees_card
from models.batch import COUNTING, COUNTS, BatchStatus, RunBatch, counts_of
from models.run import PermissionLevel, Run, RunKind
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

BATCH = Relation(select(RunBatch.__table__), RunBatch.id, lambda actor: sees_batch(actor, RunBatch.board_id))
COUNTS_OF_BATCH = Relation(
    select(*COUNTS).where(COUNTING),
    Run.batch_id,
    lambda actor: sees_card(actor, Run.board_id, Run.card_id),
    group=True,
)
BATCHES_OF_BOARD = PaginatedQuery(
    "board.batches",
    select(RunBatch.__table__),
    RunBatch.board_id,
    lambda actor: sees_batch(actor, RunBatch.board_id),
)
NEWEST = Order("NEWEST", ((RunBatch.id, True),))


async def batch(info: Info, id: Annotated[ID, "Which batch."]) -> Any:
    """One batch of runs, or null where there is none that you may see."""
    return await info.context.load(BATCH, id)


async def batches_of_board(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """Runs on it that were started together, the newest batch first."""
    return await load_page(
        info.context, BATCHES_OF_BOARD, NEWEST, PageArgs(first, after, last, before), parent=root.id
    )


@batched(COUNTS_OF_BATCH, "id")
def counts_of_batch(root: Any, row: Any) -> Any:
    """How many of its runs are in each state. Of one that was tried again, the newest is counted.

    Runs whose cards were deleted are gone and not counted.
    """
    return counts_of(row)


@batched(COUNTS_OF_BATCH, "id")
def status_of_batch(root: Any, row: Any) -> BatchStatus:
    """Where it stands, from where its runs stand: a run that fails leaves the others alone.

    Runs whose cards were deleted are gone and not counted, so it may differ from the one in `BatchEnded`.
    """
    return counts_of(row).status


async def start_batch(
    info: Info,
    card_ids: Annotated[list[ID], "On which cards: 1 to 50 of one board."],
    kind: Annotated[RunKind, "What is to be done."] = RunKind.CODE,
    instruction: Annotated[str | None, "What each agent is told besides its card; Markdown."] = None,
    profile_id: Annotated[
        ID | None, "The agent profile of each; its card's or its board's if left out."
    ] = None,
    base_ref: Annotated[str | None, "The branch or commit to begin from; the board's if left out."] = None,
    permission: Annotated[
        PermissionLevel | None,
        "How freely they may act; the profile's if left out, or if that is stricter and you are no admin.",
    ] = None,
    start_at: Annotated[datetime | None, "Not before this moment; at once if left out."] = None,
) -> Any:
    """Ask for a run on each of several cards, each with a branch and a workspace of its own: all, or none.

    A StageRefused or Conflict names the first card that stands against it. A run that fails leaves the others
    alone; what becomes of all of them is the batch's `status`, and the event `BatchEnded` has it.
    """
    wish = RunRequest(
        kind=kind, instruction=instruction, base_ref=base_ref, permission=permission, start_at=start_at
    )
    async with info.context.transaction() as tx:
        return await actions.batch.start_batch(tx, info.context.actor, card_ids, wish, profile_id=profile_id)


async def stop_batch(
    info: Info,
    id: Annotated[ID, "Which batch."],
    reason: Annotated[str | None, "Why, for whoever looks at it later."] = None,
) -> Any:
    """Stop every run of a batch that has not ended, as `stopRun` does. What has ended stays as it is."""
    async with info.context.transaction() as tx:
        return await actions.batch.stop_batch(tx, info.context.actor, id, reason)


async def retry_batch(info: Info, id: Annotated[ID, "Which batch."]) -> Any:
    """Ask again for each run of a batch that failed or was stopped, from the beginning: all of them, or none.

    The new runs take the places of the old, which their `retryOf` names, and the batch is ACTIVE again. A Conflict
    names a profile of theirs that is switched off.
    """
    async with info.context.transaction() as tx:
        return await actions.batch.retry_batch(tx, info.context.actor, id)
