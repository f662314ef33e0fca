"""How runs are answered, and the adapters of what people and workers do to them."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from strawberry import ID, Parent
from strawberry.scalars import JSON

import actions.run.claim
import actions.run.control
import actions.run.finish
import actions.run.start
from actions.run.claim import ClaimedRuns
from actions.run.finish import RunResult
from actions.run.progress import shown
from actions.run.prompt import prompt_of, without
from actions.run.start import RunRequest
from auth.permissions import sees_card, sees_workspace
from kit import queue
from kit.db.database import utcnow
from kit.graphql.operation import current_operation
from kit.graphql.types import input_type
from kit.queue import Attempt, queue_topic
from models.batch import COUNTING
from models.board import Board
from models.policy import board_policy_of
from models.refusal import Invalid
from models.run import (
    ACTIVE,
    RUN_PASS,
    RUN_PREFIX,
    FailureCode,
    PermissionLevel,
    Run,
    RunKind,
    RunOutcome,
    RunStatus,
    WaitReason,
)
from models.worker import AgentProgram, Worker
from resolvers.board import BOARD
from resolvers.context import Info
from resolvers.follow import long_poll
from resolvers.lease import LeaseInput
from resolvers.loaders import Relation, viewer_independent
from resolvers.message import MESSAGE
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

MAX_WAIT_SECONDS = 25  # seconds a claim may wait for work; an operation has 30


def sees_run(actor: Any, run_id: Any) -> Any:
    return run_id.in_(select(Run.id).where(sees_card(actor, Run.board_id, Run.card_id)))


# Everything but what is large and seldom asked for.
_RUN = select(*(column for column in Run.__table__.c if column.name not in ("snapshot", "patch")))

RUN = Relation(_RUN, Run.id, lambda actor: sees_card(actor, Run.board_id, Run.card_id), alike=True)
ACTIVE_RUNS_OF_CARD = Relation(
    _RUN.where(Run.status.in_(ACTIVE)).order_by(Run.id),
    Run.card_id,
    lambda actor: sees_card(actor, Run.board_id, Run.card_id),
    many=True,
    alike=True,
)
_newer = aliased(Run)
LAST_RUN_OF_CARD = Relation(
    _RUN.where(Run.id == select(func.max(_newer.id)).where(_newer.card_id == Run.card_id).scalar_subquery()),
    Run.card_id,
    lambda actor: sees_card(actor, Run.board_id, Run.card_id),
    alike=True,
)
RUNS_OF_BATCH = Relation(
    _RUN.where(COUNTING).order_by(Run.place),
    Run.batch_id,
    lambda actor: sees_card(actor, Run.board_id, Run.card_id),
    many=True,
)
CHOSEN_RUN_OF_CARD = Relation(
    _RUN.where(Run.chosen_at.is_not(None)),
    Run.card_id,
    lambda actor: sees_card(actor, Run.board_id, Run.card_id),
)
PATCH_OF_RUN = Relation(select(Run.patch), Run.id, lambda actor: sees_card(actor, Run.board_id, Run.card_id))
TOLD_TO_RUN = Relation(
    select(Run.kind, Run.instruction, Run.snapshot),
    Run.id,
    lambda actor: sees_card(actor, Run.board_id, Run.card_id),
)
ATTEMPTS_OF_RUN = Relation(
    select(Attempt.__table__).order_by(Attempt.number),
    Attempt.job_id,
    lambda actor: sees_run(actor, Attempt.job_id),
    many=True,
)

RUNS = PaginatedQuery("runs", _RUN, None, lambda actor: sees_card(actor, Run.board_id, Run.card_id))
RUNS_OF_CARD = PaginatedQuery(
    "card.runs", _RUN, Run.card_id, lambda actor: sees_card(actor, Run.board_id, Run.card_id)
)
RUNS_OF_BOARD = PaginatedQuery(
    "board.runs", _RUN, Run.board_id, lambda actor: sees_card(actor, Run.board_id, Run.card_id)
)
_again = aliased(Run)
DEAD_RUNS = PaginatedQuery(
    "deadRuns",
    _RUN.join(Board, Board.id == Run.board_id).where(
        Run.status == RunStatus.FAILED, ~select(_again.id).where(_again.retry_of == Run.id).exists()
    ),
    Board.workspace_id,
    lambda actor: sees_card(actor, Run.board_id, Run.card_id),
)
NEWEST = Order("NEWEST", ((Run.id, True),))
LATEST_END = Order("ENDED", ((Run.finished_at, True), (Run.id, True)))


@input_type
class RunFilter:
    """Which runs. What is left out does not matter; what is said must all fit."""

    board_id: Annotated[ID | None, "On this board."] = None
    card_id: Annotated[ID | None, "On this card."] = None
    worker_id: Annotated[ID | None, "Whose last attempt this worker had."] = None
    status: Annotated[list[RunStatus] | None, "In one of these states."] = None
    kind: Annotated[list[RunKind] | None, "Of one of these kinds."] = None
    active: Annotated[bool | None, "Those that have not ended, or those that have."] = None
    wait_reason: Annotated[list[WaitReason] | None, "Waiting for one of these."] = None
    profile_id: Annotated[ID | None, "Whose agent this profile starts."] = None
    executor: Annotated[list[AgentProgram] | None, "Asked for from one of these agent programs."] = None


def _clauses(filter: RunFilter) -> list[Any]:
    found: list[Any] = []
    for column, value in (
        (Run.board_id, filter.board_id),
        (Run.card_id, filter.card_id),
        (Run.worker_id, filter.worker_id),
        (Run.profile_id, filter.profile_id),
    ):
        if value is not None:
            found.append(column == value)
    for column, values in (
        (Run.status, filter.status),
        (Run.kind, filter.kind),
        (Run.wait_reason, filter.wait_reason),
        (Run.executor, filter.executor),
    ):
        if values is not None:
            found.append(column.in_(values))
    if filter.active is not None:
        found.append(Run.status.in_(ACTIVE) if filter.active else Run.status.not_in(ACTIVE))
    return found


async def run(info: Info, id: Annotated[ID, "Which run."]) -> Any:
    """One run, or null where there is none that you may see."""
    return await info.context.load(RUN, id)


async def runs(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[RunFilter | None, "Only runs that fit."] = None,
) -> Page:
    """Runs of every board you may see, newest first."""
    return await _runs(info, RUNS, None, PageArgs(first, after, last, before), filter)


async def runs_of_card(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[RunFilter | None, "Only runs that fit."] = None,
) -> Page:
    """What agents did on it, newest first."""
    return await _runs(info, RUNS_OF_CARD, root.id, PageArgs(first, after, last, before), filter)


async def runs_of_board(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[RunFilter | None, "Only runs that fit."] = None,
) -> Page:
    """What agents did on its cards, newest first."""
    return await _runs(info, RUNS_OF_BOARD, root.id, PageArgs(first, after, last, before), filter)


async def dead_runs(
    info: Info,
    workspace_id: Annotated[ID, "In which workspace."],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """Runs that failed for good and were not tried again since, last first. `retryRun` takes them up."""
    return await load_page(
        info.context, DEAD_RUNS, LATEST_END, PageArgs(first, after, last, before), parent=workspace_id
    )


async def _runs(
    info: Info, listing: PaginatedQuery, parent: str | None, ask: PageArgs, filter: RunFilter | None
) -> Page:
    where = _clauses(filter or RunFilter())
    return await load_page(info.context, listing, NEWEST, ask, parent, where, repr(filter))


@viewer_independent
async def active_run(root: Parent[Any], info: Info) -> Any:
    """The run that agents are at on it, or that waits for one; the oldest of several."""
    active = await info.context.load(ACTIVE_RUNS_OF_CARD, root.id)
    return active[0] if active else None


async def siblings_of_run(root: Parent[Any], info: Info) -> Any:
    """The runs on its card that were started together with it, to be compared; it is not among them.

    Of one that was tried again, the newest.
    """
    if root.batch_id is None:
        return []
    together = await info.context.load(RUNS_OF_BATCH, root.batch_id)
    return [one for one in together if one.card_id == root.card_id and one.place != root.place]


async def is_stuck(root: Parent[Any], info: Info) -> bool:
    """Whether its agent has said nothing for longer than the board's policy finds normal."""
    if root.status != RunStatus.RUNNING:
        return False
    board = await info.context.load(BOARD, root.board_id)
    said = root.reported_at or root.started_at
    minutes = board_policy_of(board.policy).stuck_minutes if board else 10
    return said is not None and (utcnow() - said).total_seconds() > minutes * 60


def progress_of(root: Parent[Any]) -> Any:
    """How far it is, as its agent last told."""
    return shown(root.progress) or None


async def patch_of_run(root: Parent[Any], info: Info) -> str | None:
    """All that was changed, as one patch, its end cut off when it is very long."""
    row = await info.context.load(PATCH_OF_RUN, root.id)
    return row.patch if row else None


async def prompt_of_run(root: Parent[Any], info: Info) -> str | None:
    """What its agent is told: the card as it was at the first claim, and the instruction. Null before that.

    Messages that were deleted since are not shown, though its agent was told them.
    """
    row = await info.context.load(TOLD_TO_RUN, root.id)
    if row is None or not row.snapshot:
        return None
    told = [row.snapshot.get("message"), *row.snapshot["comments"]]
    ids = [one["id"] for one in told if one and "id" in one]
    messages = await asyncio.gather(*(info.context.load(MESSAGE, id) for id in ids))
    deleted = [one.id for one in messages if one is not None and one.deleted_at is not None]
    return prompt_of(row.kind, without(row.snapshot, deleted), row.instruction)


def in_result(name: str) -> Any:
    def resolve(root: Any) -> Any:
        return (root.result or {}).get(name) or []

    return resolve


def metrics_of_run(root: Parent[Any]) -> JSON | None:
    """Tokens, cost and what else its worker measured, in the worker's own words."""
    return (root.result or {}).get("metrics")


@input_type
class FileInput:
    """A file that was changed."""

    path: Annotated[str, "From the root of the repository, with slashes."]
    change: Annotated[str, "ADD, EDIT, MOVE or DELETE."] = "EDIT"
    additions: Annotated[int | None, "Lines that came."] = None
    deletions: Annotated[int | None, "Lines that went."] = None
    moved_from: Annotated[str | None, "What it was called before a MOVE."] = None


@input_type
class CommitInput:
    """A commit that was made."""

    sha: Annotated[str, "Its id."]
    title: Annotated[str, "The first line of its message."] = ""


@input_type
class RunResultInput:
    """What an attempt brought. Lists are cut where they are longer than what is kept, and that is noted."""

    summary: Annotated[str, "What was done, for people; required of a run that completes."] = ""
    outcome: Annotated[RunOutcome | None, "Whether it changed anything."] = None
    branch: Annotated[str | None, "The branch the work is on."] = None
    head_sha: Annotated[str | None, "Its newest commit."] = None
    session_id: Annotated[str | None, "The agent program's own name for the conversation."] = None
    exit_code: Annotated[int | None, "Of the agent program."] = None
    files: Annotated[list[FileInput] | None, "What was changed; the first 500 are kept."] = None
    commits: Annotated[list[CommitInput] | None, "Which commits; the first 100 are kept."] = None
    warnings: Annotated[list[str] | None, "What people should know; the first 50 are kept."] = None
    patch: Annotated[str | None, "All of it as one patch: at most 524,288 characters."] = None
    metrics: Annotated[JSON | None, "Tokens, cost, seconds: an object."] = None

    def told(self) -> RunResult:
        if self.metrics is not None and not isinstance(self.metrics, dict):
            raise Invalid(("result.metrics", "must be an object"))
        return RunResult(
            summary=self.summary,
            outcome=self.outcome,
            branch=self.branch,
            head_sha=self.head_sha,
            session_id=self.session_id,
            exit_code=self.exit_code,
            files=[_plain(file) for file in self.files or ()],
            commits=[_plain(commit) for commit in self.commits or ()],
            warnings=list(self.warnings or ()),
            patch=self.patch,
            metrics=self.metrics,
        )


def _plain(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


@dataclass(frozen=True)
class Runs:
    """Runs that were started together."""

    runs: list[Run]


@dataclass(frozen=True)
class Claims:
    """What a worker was given."""

    claims: list[ClaimedRuns]


async def start_run(
    info: Info,
    card_id: Annotated[ID, "On which card."],
    kind: Annotated[RunKind, "What is to be done."] = RunKind.CODE,
    instruction: Annotated[str | None, "What the agent is told besides the card; Markdown."] = None,
    profile_ids: Annotated[
        list[ID] | None,
        "Agent profiles: a sibling run for each, at most 5; if left out one run with the card's, or its board's.",
    ] = None,
    base_ref: Annotated[str | None, "The branch or commit to begin from; the board's if left out."] = None,
    message_id: Annotated[ID | None, "The message of the card that asks for it, not deleted."] = None,
    permission: Annotated[
        PermissionLevel | None,
        "How freely it may act; the profile's if left out, or if that is stricter and you are no admin.",
    ] = None,
    start_at: Annotated[datetime | None, "Not before this moment; at once if left out."] = None,
) -> Any:
    """Ask agents to work on a card. The run waits in the queue for a worker that can do it.

    CODE takes a card of BACKLOG or PLAN to TODO at once, where the law leads there, to IN_PROGRESS when it is
    claimed and to REVIEW when it succeeds; StageRefused says why a card cannot go there. A Conflict names the
    run of that kind that is active on the card already.
    """
    wish = RunRequest(
        kind=kind,
        instruction=instruction,
        base_ref=base_ref,
        message_id=message_id,
        permission=permission,
        start_at=start_at,
    )
    async with info.context.transaction() as tx:
        made = await actions.run.start.start_run(
            tx, info.context.actor, card_id, wish, profile_ids=list(profile_ids or ())
        )
        return Runs(made)


async def stop_run(
    info: Info,
    id: Annotated[ID, "Which run."],
    reason: Annotated[str | None, "Why, for whoever looks at it later."] = None,
) -> Any:
    """Stop a run, in any state that is not its end. Its branch and what was done are kept.

    Without a worker it is CANCELLED at once; else its worker is told, and confirms. Its card stays, or goes from
    IN_PROGRESS to REVIEW where it was the last at work and a sibling succeeded.
    """
    async with info.context.transaction() as tx:
        return await actions.run.control.stop_run(tx, info.context.actor, id, reason)


async def conclude_run(info: Info, id: Annotated[ID, "Which run."]) -> Any:
    """Ask its agent to wrap up. Of a run that WAITS for a DECISION, take what it brought: it succeeds."""
    async with info.context.transaction() as tx:
        return await actions.run.control.conclude_run(tx, info.context.actor, id)


async def resume_run(
    info: Info,
    id: Annotated[ID, "Which run."],
    instruction: Annotated[str | None, "What the agent is told now; as before if left out."] = None,
) -> Any:
    """Go on with a run that failed, was stopped, or WAITS for a DECISION: on its branch, in its session.

    Of a run that has ended, a new one goes on and is answered: `retryOf` names the old. A Conflict names its
    profile where that is switched off.
    """
    async with info.context.transaction() as tx:
        return await actions.run.control.resume_run(tx, info.context.actor, id, instruction=instruction)


async def retry_run(
    info: Info,
    id: Annotated[ID, "Which run. It has ended."],
    instruction: Annotated[str | None, "What the agent is told; as before if left out."] = None,
) -> Any:
    """Ask for the same again, from the beginning. Answers the new run; `retryOf` names the old.

    A Conflict names its profile where that is switched off; without one that was deleted it keeps its program.
    """
    async with info.context.transaction() as tx:
        return await actions.run.start.retry_run(tx, info.context.actor, id, instruction=instruction)


async def choose_run(info: Info, id: Annotated[ID, "Which run. It succeeded."]) -> Any:
    """Choose a run before the others on its card, which stay to be compared; choosing another one moves it.

    `rejectCard` goes on from it, unless another run was asked for since and succeeded.
    """
    async with info.context.transaction() as tx:
        return await actions.run.control.choose_run(tx, info.context.actor, id)


async def claim_runs(
    info: Info,
    worker_id: Annotated[ID, "The worker, as `registerWorker` answered."],
    most: Annotated[int, "How many at most: 1 to 100."] = 1,
    wait: Annotated[float, "Seconds to wait for work when there is none: 0 to 25."] = 0,
    key: Annotated[
        str | None, "Sent again with the same key, a claim gives the same runs and tokens, not others."
    ] = None,
) -> Any:
    """Claim runs: each goes to exactly one worker, CRITICAL first, then the oldest. An empty list is an answer.

    A claimed run is the worker's until `leaseUntil`; every heartbeat extends that. With `wait`, it is answered as
    soon as there is work: a waiting worker is woken, it need not ask again and again.
    """
    if not 0 <= wait <= MAX_WAIT_SECONDS:
        raise Invalid(("wait", f"must be 0 to {MAX_WAIT_SECONDS} seconds"))
    if key is not None and not (0 < len(key) <= 100 and key.isprintable()):
        raise Invalid(("key", "must have 1 to 100 printable characters"))
    context = info.context
    mine = select(Worker.workspace_id).where(
        Worker.id == worker_id, sees_workspace(context.actor, Worker.workspace_id)
    )
    rows = await context.read(mine)
    await context.refresh()

    async def attempt(is_first: bool) -> tuple[Claims, bool]:
        if current_operation().hung_up:  # the run would be held by nobody until its lease ran out
            return Claims([]), True
        async with context.transaction() as tx:
            claims = await actions.run.claim.claim_runs(tx, context.actor, worker_id, most, key=key)
        return Claims(claims), bool(claims)

    topic = queue_topic(rows[0].workspace_id) if rows else f"queue:{worker_id}"
    return await long_poll(context, topic, wait if context.tx is None else 0, attempt)


async def complete_run(
    info: Info,
    lease: Annotated[LeaseInput, "The lease it is held by."],
    result: Annotated[RunResultInput, "What it brought."],
) -> Any:
    """The work is done. A CODE run takes its card to REVIEW, when none of its siblings is still at work."""
    async with info.context.transaction() as tx:
        return await actions.run.finish.complete_run(tx, info.context.actor, lease.ticket(), result.told())


async def fail_run(
    info: Info,
    lease: Annotated[LeaseInput, "The lease it is held by."],
    code: Annotated[FailureCode, "What went wrong."],
    reason: Annotated[str, "What went wrong, for people: 1 to 10,000 characters."],
    retryable: Annotated[bool, "Whether trying again may help: then it is, later, a few times."] = False,
    result: Annotated[RunResultInput | None, "What was done until then; it is kept."] = None,
) -> Any:
    """The attempt failed. Where that may help it is tried again after 60, 180, 600 seconds; else the run FAILED."""
    async with info.context.transaction() as tx:
        return await actions.run.finish.fail_run(
            tx,
            info.context.actor,
            lease.ticket(),
            code,
            reason,
            retryable=retryable,
            result=result.told() if result else None,
        )


async def release_run(
    info: Info,
    lease: Annotated[LeaseInput, "The lease it is held by."],
    session_id: Annotated[str | None, "The conversation that whoever goes on may resume."] = None,
) -> Any:
    """Give a run back, as a worker does that has to leave. That is no failure; it keeps its place in the queue."""
    async with info.context.transaction() as tx:
        return await actions.run.finish.release_run(
            tx, info.context.actor, lease.ticket(), session_id=session_id
        )


async def confirm_stop(
    info: Info,
    lease: Annotated[LeaseInput, "The lease it is held by."],
    result: Annotated[RunResultInput | None, "What was done until then; it is kept."] = None,
) -> Any:
    """The worker has stopped, after a STOP command: the run is CANCELLED."""
    async with info.context.transaction() as tx:
        return await actions.run.finish.confirm_stop(
            tx, info.context.actor, lease.ticket(), result=result.told() if result else None
        )


async def agent_token(root: Parent[Any], info: Info) -> str:
    """What its agent signs in with, to use Signalbox's tools or this API: `Authorization: Bearer sbr_…`.

    It shows this run's card only, and is good while this attempt is open. Told here only.
    """
    says = asdict(root.agent)
    life = timedelta(seconds=says.pop("seconds"))
    return RUN_PREFIX + info.context.services.tokens.pass_for(RUN_PASS, life, **says)


async def queue_position(root: Parent[Any], info: Info) -> int | None:
    """Its place in its board's queue, from 1; null when it does not wait there. Past 1,000 it says 1,001."""
    if root.status != RunStatus.QUEUED:
        return None

    async def load(ids: list[str]) -> list[int | None]:
        found = await queue.positions(info.context.read, ids)
        return [found.get(id) for id in ids]

    place: int | None = await info.context.loaders.through("queue position", load).load(root.id)
    return place
