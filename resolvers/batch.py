"""Reads of batches of runs."""

from typing import Annotated, Any

from sqlalchemy import Row, select
from strawberry import ID, Parent

from auth.permissions import sees_batch, sees_card
from models.batch import COUNTING, COUNTS, BatchStatus, Counts, RunBatch, counts_of
from models.board import Board
from models.run import Run
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


async def batch(info: Info, id: Annotated[ID, "The batch."]) -> RunBatch | None:
    """A batch of runs; null if you may not see it."""
    row: RunBatch | None = await info.context.load(BATCH, id)
    return row


async def batches_of_board(
    root: Parent[Board],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """Its batches of runs, newest first."""
    return await load_page(
        info.context, BATCHES_OF_BOARD, NEWEST, PageArgs(first, after, last, before), parent=root.id
    )


@batched(COUNTS_OF_BATCH, "id")
def counts_of_batch(root: RunBatch, row: Row[Any]) -> Counts:
    """Number of its runs in each status. Of a run and its retries, the newest counts.

    Runs of deleted cards do not count.
    """
    return counts_of(row)


@batched(COUNTS_OF_BATCH, "id")
def status_of_batch(root: RunBatch, row: Row[Any]) -> BatchStatus:
    """Its status, derived from its runs: a run that fails leaves the others alone.

    Runs of deleted cards do not count, so it may differ from the status in `BatchEnded`.
    """
    return counts_of(row).status
