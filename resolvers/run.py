"""Reads of runs, and the claim of a worker, which may wait for work."""

import asyncio
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased
from strawberry import ID, Parent
from strawberry.scalars import JSON

import actions.run.claim
from actions.run.claim import ClaimedRun
from actions.run.progress import shown
from actions.run.prompt import PromptPart, parts_of, prompt_of, without
from actions.run.work_order import WorkOrder
from auth.permissions import sees_card, sees_workspace
from kit import queue
from kit.db.database import utcnow
from kit.graphql.operation import current_operation
from kit.graphql.types import input_type
from kit.queue import Attempt, queue_topic
from models.actor import Actor
from models.batch import COUNTING
from models.board import Board
from models.card import Card
from models.planned_file import PlannedChanges, compare_with_plan
from models.policy import board_policy_of
from models.refusal import Invalid
from models.run import ACTIVE, RUN_PASS, RUN_PREFIX, Run, RunKind, RunStatus, WaitReason
from models.worker import AgentProgram, Worker
from resolvers.board import BOARD
from resolvers.context import Info
from resolvers.diff import DIFF_OF_RUN, FILES_OF_DIFF
from resolvers.follow import long_poll
from resolvers.loaders import Relation, viewer_independent
from resolvers.message import MESSAGE
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

MAX_WAIT_SECONDS = 25  # longest wait of a claim; an operation may take 30 s
MAX_KEY_LENGTH = 100  # characters
DEFAULT_STUCK_MINUTES = 10  # of a run whose board is gone


def _sees_card_of_run(actor: Actor) -> ColumnElement[bool]:
    return sees_card(actor, Run.board_id, Run.card_id)


def sees_run(actor: Actor, run_id: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return run_id.in_(select(Run.id).where(_sees_card_of_run(actor)))


# Without the columns that are large and seldom read.
_RUN = select(*(column for column in Run.__table__.c if column.name not in ("snapshot", "patch")))

RUN = Relation(_RUN, Run.id, _sees_card_of_run, viewer_independent=True)
ACTIVE_RUNS_OF_CARD = Relation(
    _RUN.where(Run.status.in_(ACTIVE)).order_by(Run.id),
    Run.card_id,
    _sees_card_of_run,
    many=True,
    viewer_independent=True,
)
_newer = aliased(Run)
LAST_RUN_OF_CARD = Relation(
    _RUN.where(Run.id == select(func.max(_newer.id)).where(_newer.card_id == Run.card_id).scalar_subquery()),
    Run.card_id,
    _sees_card_of_run,
    viewer_independent=True,
)
RUNS_OF_BATCH = Relation(
    _RUN.where(COUNTING).order_by(Run.place),
    Run.batch_id,
    _sees_card_of_run,
    many=True,
)
CHOSEN_RUN_OF_CARD = Relation(
    _RUN.where(Run.chosen_at.is_not(None)),
    Run.card_id,
    _sees_card_of_run,
)
PATCH_OF_RUN = Relation(select(Run.patch), Run.id, _sees_card_of_run)
PROMPT_OF_RUN = Relation(
    select(Run.kind, Run.instruction, Run.snapshot),
    Run.id,
    _sees_card_of_run,
)
ATTEMPTS_OF_RUN = Relation(
    select(Attempt.__table__).order_by(Attempt.number),
    Attempt.job_id,
    lambda actor: sees_run(actor, Attempt.job_id),
    many=True,
)

RUNS = PaginatedQuery("runs", _RUN, None, _sees_card_of_run)
RUNS_OF_CARD = PaginatedQuery("card.runs", _RUN, Run.card_id, _sees_card_of_run)
RUNS_OF_BOARD = PaginatedQuery("board.runs", _RUN, Run.board_id, _sees_card_of_run)
_again = aliased(Run)
DEAD_RUNS = PaginatedQuery(
    "deadRuns",
    _RUN.join(Board, Board.id == Run.board_id).where(
        Run.status == RunStatus.FAILED, ~select(_again.id).where(_again.retry_of == Run.id).exists()
    ),
    Board.workspace_id,
    _sees_card_of_run,
)
NEWEST = Order("NEWEST", ((Run.id, True),))
LATEST_END = Order("ENDED", ((Run.finished_at, True), (Run.id, True)))


@input_type
class RunFilter:
    """Conditions on runs. All that are given must hold."""

    board_id: Annotated[ID | None, "Only runs on this board."] = None
    card_id: Annotated[ID | None, "Only runs on this card."] = None
    worker_id: Annotated[ID | None, "Only runs whose newest attempt is this worker's."] = None
    status: Annotated[list[RunStatus] | None, "Only runs with one of these statuses."] = None
    kind: Annotated[list[RunKind] | None, "Only runs of one of these kinds."] = None
    active: Annotated[bool | None, "True: only runs that have not ended; false: only those that have."] = None
    wait_reason: Annotated[list[WaitReason] | None, "Only runs that wait for one of these reasons."] = None
    profile_id: Annotated[ID | None, "Only runs with this agent profile."] = None
    executor: Annotated[list[AgentProgram] | None, "Only runs that require one of these agent programs."] = (
        None
    )


def _clauses(filter: RunFilter) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    for column, value in (
        (Run.board_id, filter.board_id),
        (Run.card_id, filter.card_id),
        (Run.worker_id, filter.worker_id),
        (Run.profile_id, filter.profile_id),
    ):
        if value is not None:
            clauses.append(column == value)
    if filter.status is not None:
        clauses.append(Run.status.in_(filter.status))
    if filter.kind is not None:
        clauses.append(Run.kind.in_(filter.kind))
    if filter.wait_reason is not None:
        clauses.append(Run.wait_reason.in_(filter.wait_reason))
    if filter.executor is not None:
        clauses.append(Run.executor.in_(filter.executor))
    if filter.active is not None:
        clauses.append(Run.status.in_(ACTIVE) if filter.active else Run.status.not_in(ACTIVE))
    return clauses


async def run(info: Info, id: Annotated[ID, "The run."]) -> Run | None:
    """A run; null if you may not see it."""
    row: Run | None = await info.context.load(RUN, id)
    return row


async def runs(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[RunFilter | None, "Only runs that match."] = None,
) -> Page:
    """The runs of every board you may see, newest first."""
    return await _load_runs(info, RUNS, None, PageArgs(first, after, last, before), filter)


async def runs_of_card(
    root: Parent[Card],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[RunFilter | None, "Only runs that match."] = None,
) -> Page:
    """The runs on it, newest first."""
    return await _load_runs(info, RUNS_OF_CARD, root.id, PageArgs(first, after, last, before), filter)


async def runs_of_board(
    root: Parent[Board],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[RunFilter | None, "Only runs that match."] = None,
) -> Page:
    """The runs on its cards, newest first."""
    return await _load_runs(info, RUNS_OF_BOARD, root.id, PageArgs(first, after, last, before), filter)


async def dead_runs(
    info: Info,
    workspace_id: Annotated[ID, "The workspace."],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """Runs that failed for good and were not started again, the last to fail first. See `retryRun`."""
    return await load_page(
        info.context, DEAD_RUNS, LATEST_END, PageArgs(first, after, last, before), parent=workspace_id
    )


async def _load_runs(
    info: Info, query: PaginatedQuery, parent: str | None, page: PageArgs, filter: RunFilter | None
) -> Page:
    where = _clauses(filter or RunFilter())
    return await load_page(info.context, query, NEWEST, page, parent, where, repr(filter))


@viewer_independent
async def active_run(root: Parent[Card], info: Info) -> Run | None:
    """Its run that is queued or at work; the oldest of several."""
    active = await info.context.load(ACTIVE_RUNS_OF_CARD, root.id)
    return active[0] if active else None


async def siblings_of_run(root: Parent[Run], info: Info) -> list[Run]:
    """The other runs on its card that were started together with it, for comparison.

    Of a run and its retries, the newest.
    """
    if root.batch_id is None:
        return []
    batch = await info.context.load(RUNS_OF_BATCH, root.batch_id)
    return [run for run in batch if run.card_id == root.card_id and run.place != root.place]


async def is_stuck(root: Parent[Run], info: Info) -> bool:
    """Whether its agent has been silent for longer than `stuckMinutes` of the board's policy."""
    if root.status != RunStatus.RUNNING:
        return False
    board = await info.context.load(BOARD, root.board_id)
    last_activity = root.reported_at or root.started_at
    minutes = board_policy_of(board.policy).stuck_minutes if board else DEFAULT_STUCK_MINUTES
    return last_activity is not None and (utcnow() - last_activity).total_seconds() > minutes * 60


def progress_of(root: Parent[Run]) -> dict[str, Any] | None:
    """Its progress, as its agent last reported."""
    return shown(root.progress) or None


async def patch_of_run(root: Parent[Run], info: Info) -> str | None:
    """The whole change as a patch of at most 524,288 characters."""
    row = await info.context.load(PATCH_OF_RUN, root.id)
    return row.patch if row else None


async def prompt_of_run(root: Parent[Run], info: Info) -> str | None:
    """The prompt of its agent: the card as it was at the first claim, and the instruction. Null until then.

    Messages that were deleted since are left out, although the agent has read them.
    """
    row = await info.context.load(PROMPT_OF_RUN, root.id)
    if row is None or not row.snapshot:
        return None
    return prompt_of(row.kind, await _shown_snapshot(info, row.snapshot), row.instruction)


async def _shown_snapshot(info: Info, snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return a snapshot without the messages that were deleted since."""
    frozen = [snapshot.get("message"), *snapshot["comments"]]
    ids = [message["id"] for message in frozen if message and "id" in message]
    messages = await asyncio.gather(*(info.context.load(MESSAGE, id) for id in ids))
    return without(snapshot, [m.id for m in messages if m is not None and m.deleted_at is not None])


def warnings_of_run(root: Parent[Run]) -> list[str]:
    """Warnings for people, at most 50."""
    return (root.result or {}).get("warnings") or []


def metrics_of_run(root: Parent[Run]) -> JSON | None:
    """Tokens, cost and other metrics, in the worker's own terms."""
    return (root.result or {}).get("metrics")


@dataclass(frozen=True)
class Claims:
    """The runs that a worker claimed."""

    claims: list[ClaimedRun]


async def claim_runs(
    info: Info,
    worker_id: Annotated[ID, "The worker, as returned by `registerWorker`."],
    most: Annotated[int, "Maximum number of runs, 1 to 100."] = 1,
    wait: Annotated[float, "Seconds to wait for work if there is none, 0 to 25."] = 0,
    key: Annotated[
        str | None, "Idempotency key: a claim repeated with its key returns the same runs and tokens."
    ] = None,
) -> Claims:
    """Claim runs for a worker: CRITICAL first, then the oldest. Each run goes to exactly one worker.

    Returns an empty list if there is no work. A run belongs to the worker until `leaseUntil`, which every heartbeat
    extends. With `wait`, returns as soon as there is work, so a worker need not poll.
    """
    if not 0 <= wait <= MAX_WAIT_SECONDS:
        raise Invalid(("wait", f"must be 0 to {MAX_WAIT_SECONDS} seconds"))
    if key is not None and not (0 < len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        raise Invalid(("key", f"must have 1 to {MAX_KEY_LENGTH} printable characters"))
    context = info.context
    is_named = Worker.id == worker_id, sees_workspace(context.actor, Worker.workspace_id)
    rows = await context.read(select(Worker.workspace_id).where(*is_named))
    await context.refresh()

    async def attempt(is_first: bool) -> tuple[Claims, bool]:
        if current_operation().hung_up:  # else nobody would hold the runs until their leases expire
            return Claims([]), True
        async with context.transaction() as tx:
            claims = await actions.run.claim.claim_runs(tx, context.actor, worker_id, most, key=key)
        return Claims(claims), bool(claims)

    topic = queue_topic(rows[0].workspace_id) if rows else f"queue:{worker_id}"
    return await long_poll(context, topic, wait if context.tx is None else 0, attempt)


@dataclass(frozen=True)
class WorkVariable:
    name: str
    value: str = field(repr=False)


def variables_of_work(root: Parent[WorkOrder], info: Info) -> list[WorkVariable]:
    """Variables for the environment of the agent. Secret ones are decrypted, and returned here only."""
    secrets = info.context.services.secrets
    return [
        WorkVariable(name, secrets.open(one["sealed"], root.agent.board) if "sealed" in one else one["value"])
        for name, one in sorted(root.variables.items())
    ]


async def prompt_parts_of_run(root: Parent[Run], info: Info) -> list[PromptPart]:
    """The parts of its prompt in order, with their sizes; empty until its first claim."""
    row = await info.context.load(PROMPT_OF_RUN, root.id)
    if row is None or not row.snapshot:
        return []
    return parts_of(row.kind, await _shown_snapshot(info, row.snapshot), row.instruction)


async def agent_token(root: Parent[WorkOrder], info: Info) -> str:
    """Credential of the agent for the tools and the API of Signalbox: `Authorization: Bearer sbr_…`.

    It grants access to the card of this run only, and expires with this attempt. Returned here only.
    """
    claims = asdict(root.agent)
    lifetime = timedelta(seconds=claims.pop("seconds"))
    return RUN_PREFIX + info.context.services.tokens.issue_pass(RUN_PASS, lifetime, **claims)


async def queue_position(root: Parent[Run], info: Info) -> int | None:
    """Its position in the queue of its board, from 1; null if it is not queued. Beyond 1,000 it is 1,001."""
    if root.status != RunStatus.QUEUED:
        return None

    async def load(ids: list[str]) -> list[int | None]:
        positions = await queue.positions(info.context.read, ids)
        return [positions.get(id) for id in ids]

    position: int | None = await info.context.loaders.through("queue position", load).load(root.id)
    return position


async def planned_changes_of_run(root: Parent[Run], info: Info) -> PlannedChanges | None:
    """The files that its card planned at its first claim, compared with those that it changed so far.

    Null before the first claim and before its first diff or result.
    """
    row = await info.context.load(PROMPT_OF_RUN, root.id)
    planned = (row.snapshot or {}).get("planned_files") if row is not None else None
    if planned is None:
        return None
    files, is_complete = (root.result or {}).get("files"), True
    if files is None:
        diff = await info.context.load(DIFF_OF_RUN, root.id)
        if diff is None:
            return None
        rows = await info.context.load(FILES_OF_DIFF, diff.id)
        files = [{"path": file.path, "moved_from": file.moved_from} for file in rows]
        is_complete = len(rows) >= diff.file_count
    paths = [path for file in files for path in (file["path"], file["moved_from"]) if path]
    compared = compare_with_plan([file["path"] for file in planned], paths)
    return replace(compared, is_complete=is_complete)
