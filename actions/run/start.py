"""Requests of runs: by a person, by the board's rule, or as a retry. They are enqueued in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from sqlalchemy import case, func, select, update

from actions import git, validation
from actions.move import DestinationInput, check_move, move_allowed
from actions.profile_choice import profiles_of, require_enabled
from actions.run.branch import task_of_run
from actions.run.change import emit_run_event, reopen
from actions.run_log import RUN_LOG, line_of
from actions.stage_facts import facts_of, reader
from auth.locking import lock_card, lock_run
from auth.permissions import role_in
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.eventlog.event_log import open_topics
from kit.graphql.arguments import Id
from kit.ids import new_id
from kit.queue import NewJob
from models.actor import Actor
from models.batch import RunBatch
from models.board import Board, BoardColumn
from models.card import Card
from models.events.run import RunQueued, run_facts
from models.message import Message
from models.policy import BoardPolicy, board_policy_of, check_seconds_of
from models.refusal import Conflict, Invalid, NotFound
from models.run import (
    ACTIVE,
    MAX_ACTIVE,
    MAX_INSTRUCTION_LENGTH,
    MAX_PROFILES,
    TERMINAL,
    PermissionLevel,
    Run,
    RunKind,
    RunStatus,
    stricter,
)
from models.stage import (
    Facts,
    MoveGate,
    Mover,
    Reason,
    Stage,
    StageRefused,
    is_lawful,
    keeps_from_work,
    reasons_against,
)
from models.topic import run_topic
from models.worker import AgentProfile
from models.workspace import Role
from protocol.events import AgentStatus, StatusChanged

MAX_START_YEAR = 9_000  # deadlines are computed from it, and end with the year 9999


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """A request for a run."""

    kind: RunKind = RunKind.CODE
    instruction: str | None = None
    base_ref: str | None = None
    message_id: str | None = None
    permission: PermissionLevel | None = None  # a stricter profile prevails, except for admins
    profile: AgentProfile | None = None
    executor: str | None = None  # without a profile
    branch: str | None = None
    start_at: datetime | None = None  # earliest start
    retry_of: str | None = None
    retries: int = 0
    session_id: str | None = None
    workspace_ref: str | None = None  # the run whose folder it goes on with
    batch_id: str | None = None
    place: int | None = None  # in the batch


@dataclass(frozen=True)
class StartedRuns:
    """Runs that were started together."""

    runs: list[Run]


async def start_run(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card."],
    kind: Annotated[RunKind, "The kind of work."] = RunKind.CODE,
    instruction: Annotated[str | None, "Instruction for the agent besides the card; Markdown."] = None,
    profile_ids: Annotated[
        list[Id] | None,
        "At most 5 agent profiles: a sibling run for each. Default: one run with the profile of the card or board.",
    ] = None,
    base_ref: Annotated[str | None, "Branch or commit to start from. Default: the board's."] = None,
    message_id: Annotated[Id | None, "The message of the card that requests the run."] = None,
    permission: Annotated[
        PermissionLevel | None,
        "Freedom of the agent. Default: the profile's. A stricter profile prevails unless you are an admin.",
    ] = None,
    start_at: Annotated[datetime | None, "Earliest start. Default: now."] = None,
) -> StartedRuns:
    """Start agents on a card. The run waits in the queue for a worker that can do it.

    CODE moves a card from BACKLOG or PLAN to TODO at once, to IN_PROGRESS when the run is claimed, and to REVIEW
    when it succeeds. Raises StageRefused if the card may not go there, and Conflict while a run of that kind is
    active on the card.
    """
    board, card = await lock_card(tx, actor, card_id)
    ids = validation.at_most("profileIds", profile_ids or [], MAX_PROFILES, least=0)
    validation.distinct("profileIds", ids)
    request = validate_request(
        RunRequest(
            kind=kind,
            instruction=instruction,
            base_ref=base_ref,
            message_id=message_id,
            permission=permission,
            start_at=start_at,
        )
    )
    if message_id is not None:
        is_shown = Message.id == message_id, Message.card_id == card.id, Message.deleted_at.is_(None)
        if await tx.scalar(select(Message.id).where(*is_shown)) is None:
            raise NotFound(message_id)
    profiles = await _profiles(tx, board, card, ids)
    requests = [(card, replace(request, profile=profile)) for profile in profiles] or [(card, request)]
    await _make_ready(tx, board, card, kind)
    if len(requests) > 1:
        _, runs = await start_together(tx, actor, board, requests)
    else:
        runs = await enqueue_runs(tx, actor, board, requests)
    return StartedRuns(runs)


async def _make_ready(tx: Transaction, board: Board, card: Card, kind: RunKind) -> None:
    """Move a card to TODO if a CODE run could not move it to IN_PROGRESS from its stage.

    The board's dispatch rule is not applied. Raises Conflict, StageRefused.
    """
    at = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    if kind is not RunKind.CODE or at is None or Stage.IN_PROGRESS in is_lawful(at, board.law, Mover.SYSTEM):
        return
    if Stage.TODO not in is_lawful(at, board.law):
        return  # the start itself is refused
    await _check_active_runs(tx, board, [card], kind)
    to_do = DestinationInput(stage=Stage.TODO)
    await move_allowed(tx, board, [card], await check_move(tx, board, [card], to_do))
    await reopen(tx, board)


def validate_request(wish: RunRequest) -> RunRequest:
    """Return a request with its texts cleaned. Raises Invalid."""
    instruction, base = wish.instruction, wish.base_ref
    if instruction is not None:
        instruction = validation.multiline("instruction", instruction, MAX_INSTRUCTION_LENGTH) or None
    if base is not None:
        base = git.validate_ref("baseRef", base)
    if wish.start_at is not None and wish.start_at.year > MAX_START_YEAR:
        raise Invalid(("startAt", f"must not be after the year {MAX_START_YEAR}"))
    return replace(wish, instruction=instruction, base_ref=base)


async def _profiles(tx: Transaction, board: Board, card: Card, ids: Sequence[str]) -> list[AgentProfile]:
    if not ids:
        return [require_enabled(profile) for profile in (await profiles_of(tx, board, [card])).values()]
    return await named_profiles(tx, board, ids)


async def named_profiles(tx: Transaction, board: Board, ids: Sequence[str]) -> list[AgentProfile]:
    """Load profiles for runs on a board, in the order of `ids`. Raises NotFound, Conflict."""
    query = select(AgentProfile).where(
        AgentProfile.id.in_(ids), AgentProfile.workspace_id == board.workspace_id
    )
    by_id = {profile.id: profile for profile in await tx.scalars(query)}
    for id in ids:
        if id not in by_id:
            raise NotFound(id)
    return [require_enabled(by_id[id]) for id in ids]


async def start_together(
    tx: Transaction, actor: Actor, board: Board, asked: Sequence[tuple[Card, RunRequest]]
) -> tuple[RunBatch, list[Run]]:
    """Enqueue runs as a batch. The caller holds the board. Raises Conflict, StageRefused."""
    wish = asked[0][1]
    batch = RunBatch(
        id=new_id("batch"),
        board_id=board.id,
        kind=wish.kind,
        instruction=wish.instruction,
        size=len(asked),
        created_by=actor.id,
    )
    placed = [
        (card, replace(wish, batch_id=batch.id, place=place)) for place, (card, wish) in enumerate(asked, 1)
    ]
    runs = await enqueue_runs(tx, actor, board, placed)
    tx.add(batch)
    return batch, runs


async def enqueue_runs(
    tx: Transaction, actor: Actor | None, board: Board, asked: Sequence[tuple[Card, RunRequest]]
) -> list[Run]:
    """Enqueue runs of one kind on cards of a board: all, or none. The caller holds the board.

    The number of statements is fixed. Raises Conflict and StageRefused, which name the first card that cannot be
    started.
    """
    kind = asked[0][1].kind
    cards = list({card.id: card for card, _ in asked}.values())
    await _check_active_runs(tx, board, cards, kind)
    facts = {one.card_id: one for one in await facts_of(reader(tx), {board.id: board}, cards)}
    for card in cards:
        check_start(facts[card.id], kind)
    wishes = await _limit_permissions(tx, actor, board, [wish for _, wish in asked])
    placed = [(card, facts[card.id], wish) for (card, _), wish in zip(asked, wishes, strict=True)]
    return await enqueue_allowed_runs(tx, actor, board, placed)


async def _limit_permissions(
    tx: Transaction, actor: Actor | None, board: Board, wishes: Sequence[RunRequest]
) -> Sequence[RunRequest]:
    """Limit requests to the permissions of their profiles, unless an admin makes them."""
    held = [
        replace(wish, permission=stricter(wish.permission, wish.profile.permission))
        if wish.permission and wish.profile
        else wish
        for wish in wishes
    ]
    if held == wishes or actor is None:
        return held
    role = await tx.scalar(select(role_in(actor, board.workspace_id)))
    return wishes if role == Role.ADMIN else held


async def _check_active_runs(tx: Transaction, board: Board, cards: Sequence[Card], kind: RunKind) -> None:
    """Raise Conflict if a run of that kind is active on a card, or too many runs of any kind."""
    same = func.min(case((Run.kind == kind, Run.id))).label("same")
    query = select(Run.card_id, func.count().label("count"), same).group_by(Run.card_id)
    query = query.where(Run.card_id.in_([card.id for card in cards]), Run.status.in_(ACTIVE))
    active = {row.card_id: row for row in await tx.execute(query)}
    for card in cards:
        found, name = active.get(card.id), f"{board.key}-{card.number}"
        if found is not None and found.same is not None:
            raise Conflict(f"A {kind} run is active on {name} already; stop it first", found.same)
        if found is not None and found.count >= MAX_ACTIVE:
            raise Conflict(f"{name} has {found.count} active runs; at most {MAX_ACTIVE} are allowed", card.id)


def check_start(facts: Facts, kind: RunKind) -> None:
    """Raise StageRefused if agents may not work on the card: it is archived, or the law forbids its move."""
    to = {RunKind.CODE: Stage.IN_PROGRESS, RunKind.PLAN: Stage.PLAN}.get(kind, facts.at)
    way = to in is_lawful(facts.at, facts.law, Mover.SYSTEM) if kind is RunKind.CODE else to is facts.at
    against = reasons_against(facts, to, by=Mover.SYSTEM)
    reasons = [
        reason
        for reason in against
        if reason.code in (MoveGate.BOARD_ARCHIVED, MoveGate.CARD_ARCHIVED, MoveGate.NOT_READY)
        or (reason.code is MoveGate.LAW and not way)
    ]
    if not way and not reasons:
        reasons = [Reason(MoveGate.LAW, f"A {kind} run works cards in {to}, this one stands in {facts.at}")]
    if reasons:
        allowed = [stage for stage in Stage if not reasons_against(facts, stage, by=Mover.SYSTEM)]
        raise StageRefused(facts.at, to, allowed, reasons, facts.card_id)


async def enqueue_allowed_runs(
    tx: Transaction,
    actor: Actor | None,
    board: Board,
    asked: Sequence[tuple[Card, Facts, RunRequest]],
) -> list[Run]:
    """Enqueue runs that were checked, in a fixed number of statements. A run behind a gate waits for it."""
    policy, now = board_policy_of(board.policy), utcnow()
    runs, works = [], []
    for card, facts, wish in asked:
        gate = keeps_from_work(facts, is_code=wish.kind is RunKind.CODE)
        profile = wish.profile
        id = new_id("run")
        run = Run(
            id=id,
            board_id=board.id,
            card_id=card.id,
            kind=wish.kind,
            status=RunStatus.QUEUED,
            held_by=gate.code if gate else None,
            priority=card.priority,
            permission=wish.permission
            or (profile.permission if profile else None)
            or PermissionLevel.AUTONOMOUS,
            profile_id=profile.id if profile else None,
            executor=profile.executor.value if profile else wish.executor,
            instruction=wish.instruction,
            message_id=wish.message_id,
            retry_of=wish.retry_of,
            retries=wish.retries,
            batch_id=wish.batch_id,
            place=wish.place,
            base_ref=wish.base_ref,
            branch=wish.branch,
            session_id=wish.session_id,
            workspace_ref=wish.workspace_ref or id,
            attempt=0,
            created_by=actor.id if actor else None,
            queued_at=now,
            version=1,
        )
        runs.append(run)
        work = _work(board, run, policy, profile, gate.code if gate else None)
        works.append(replace(work, at=wish.start_at))
    tx.add_all(runs)
    await tx.flush()
    await queue.enqueue(tx, *works)
    rows = {
        run.id: line_of(StatusChanged(state=AgentStatus.QUEUED, reason=run.held_by or "")).row for run in runs
    }
    lines = {run_topic(id): [{**row, "attempt": 0, "at": now}] for id, row in rows.items()}
    await open_topics(tx, RUN_LOG, lines)
    for run in runs:
        queued = RunQueued(**run_facts(run), held_by=MoveGate(run.held_by) if run.held_by else None)
        emit_run_event(tx, board, queued, correlation_id=run.batch_id)
    return runs


def _work(
    board: Board, run: Run, policy: BoardPolicy, profile: AgentProfile | None, gate: str | None
) -> NewJob:
    return NewJob(
        id=run.id,
        kind=run.kind,
        tenant=board.workspace_id,
        scope=board.id,
        priority=int(run.priority),
        executor=run.executor,
        capabilities=profile.capabilities if profile else (),
        keys=[profile.id] if profile else (),  # also without a limit: it may get one while this waits
        parked_for=gate,
        max_attempts=policy.max_attempts,
        wait_limit=policy.queue_seconds,
        attempt_limit=policy.attempt_seconds + check_seconds_of(run.kind, policy),
        silence_limit=policy.silence_seconds,
        whole_limit=policy.whole_seconds,
    )


async def retry_run(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The run. It has ended."],
    instruction: Annotated[str | None, "Instruction for the agent. Default: as in the run."] = None,
) -> Run:
    """Start a run again, from the beginning. Returns the new run, whose `retryOf` names the old one.

    If the profile was deleted, the new run keeps its program. Raises StageRefused, and Conflict if the run has not
    ended or its profile is switched off.
    """
    board, run = await lock_run(tx, actor, id)
    return await restart_run(tx, actor, board, run, instruction=instruction)


async def restart_run(
    tx: Transaction,
    actor: Actor,
    board: Board,
    run: Run,
    *,
    instruction: str | None = None,
    resume: bool = False,
) -> Run:
    """Queue a run that continues an ended one; with `resume`, on its branch and in its session if that lives.

    The caller holds the board and the run. Raises StageRefused, and Conflict if the run has not ended or its
    profile is switched off.
    """
    if run.status not in TERMINAL:
        raise Conflict(f"The run is {run.status}; only one that has ended can be started again", run.id)
    if resume and run.status is RunStatus.SUCCEEDED:
        raise Conflict("The run succeeded; start another one", run.id)
    if await task_of_run(tx, run) is not None:
        raise Conflict("The run worked on a task of the branch; start the task again", run.id)
    card = await tx.get(Card, run.card_id)
    assert card is not None, "a run lives no longer than its card"
    profile = await tx.get(AgentProfile, run.profile_id) if run.profile_id else None
    request = retry_request(run, profile, instruction=instruction, resume=resume)
    if run.batch_id is not None:
        await tx.execute(update(RunBatch).where(RunBatch.id == run.batch_id).values(ended_at=None))
    [new] = await enqueue_runs(tx, actor, board, [(card, validate_request(request))])
    return new


def retry_request(
    run: Run, profile: AgentProfile | None, *, instruction: str | None = None, resume: bool = False
) -> RunRequest:
    """Return the request that retries a run, at its place in its batch if it has one.

    If its profile was deleted, the retry keeps its program. Raises Conflict if the profile is switched off.
    """
    return RunRequest(
        kind=run.kind,
        instruction=instruction if instruction is not None else run.instruction,
        base_ref=run.base_ref,
        message_id=run.message_id,
        permission=run.permission,
        profile=require_enabled(profile) if profile else None,
        executor=run.executor,
        branch=run.branch if resume else None,
        session_id=run.session_id if resume else None,
        workspace_ref=(run.workspace_ref or run.id) if resume else None,
        retry_of=run.id,
        retries=run.retries + 1,
        batch_id=run.batch_id,
        place=run.place,
    )
