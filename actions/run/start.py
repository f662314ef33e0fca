"""Work is asked for: by a person, by the board's rule, or again after an end; queued in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.choice import profiles_of, usable
from actions.law import facts_of, reader
from actions.reach import reach_card, reach_run
from actions.run.change import say, tell
from models import words
from models.actor import Actor
from models.board import Board
from models.card import Card
from models.event import EventKind
from models.message import Message
from models.policy import Policy, policy_of
from models.refusal import Conflict, NotFound
from models.run import (
    ACTIVE,
    INSTRUCTION,
    MOST_ACTIVE,
    MOST_PROFILES,
    TERMINAL,
    PermissionLevel,
    Run,
    RunKind,
    RunStatus,
)
from models.stage import (
    Facts,
    MoveGate,
    Mover,
    Reason,
    Stage,
    StageRefused,
    keeps_from_work,
    lawful,
    reasons_against,
)
from models.worker import AgentProfile
from runtime import queue
from runtime.database import utcnow
from runtime.ids import new_id
from runtime.queue import Work
from runtime.vocabulary import State, Status


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked of an agent."""

    kind: RunKind = RunKind.CODE
    instruction: str | None = None
    base_ref: str | None = None
    message_id: str | None = None
    permission: PermissionLevel | None = None
    profile: AgentProfile | None = None
    branch: str | None = None
    start_at: datetime | None = None  # not before
    retry_of: str | None = None
    retries: int = 0
    session_id: str | None = None


async def start_run(
    tx: AsyncSession,
    actor: Actor,
    card_id: str,
    wish: Wish,
    *,
    profile_ids: Sequence[str] = (),
) -> list[Run]:
    """Ask for work on a card: one run, with the card's profile or its board's, or a sibling for each one named.

    Raises Conflict while a run of that kind is active on the card, and StageRefused where the law has no way
    for the card to be worked where it stands.
    """
    board, card = await reach_card(tx, actor, card_id)
    words.distinct("profileIds", words.at_most("profileIds", list(profile_ids), MOST_PROFILES, least=0))
    wish = _checked(wish)
    if wish.message_id is not None:
        mine = Message.id == wish.message_id, Message.card_id == card.id
        if await tx.scalar(select(Message.id).where(*mine)) is None:
            raise NotFound(wish.message_id)
    profiles = await _profiles(tx, board, card, profile_ids)
    wishes = [replace(wish, profile=profile) for profile in profiles] or [wish]
    return await begin(tx, actor, board, card, wishes)


def _checked(wish: Wish) -> Wish:
    instruction, base = wish.instruction, wish.base_ref
    if instruction is not None:
        instruction = words.prose("instruction", instruction, INSTRUCTION) or None
    if base is not None:
        base = words.line("baseRef", base, 200)
    return replace(wish, instruction=instruction, base_ref=base)


async def _profiles(tx: AsyncSession, board: Board, card: Card, ids: Sequence[str]) -> list[AgentProfile]:
    if not ids:
        return [usable(profile) for profile in (await profiles_of(tx, board, [card])).values()]
    query = select(AgentProfile).where(
        AgentProfile.id.in_(ids), AgentProfile.workspace_id == board.workspace_id
    )
    found = {profile.id: profile for profile in await tx.scalars(query)}
    for id in ids:
        if id not in found:
            raise NotFound(id)
    return [usable(found[id]) for id in ids]


async def begin(
    tx: AsyncSession, actor: Actor | None, board: Board, card: Card, wishes: Sequence[Wish]
) -> list[Run]:
    """Queue runs on a card together. The caller holds the board. Raises Conflict, StageRefused."""
    kind = wishes[0].kind
    active = Run.card_id == card.id, Run.status.in_(ACTIVE)
    same = await tx.scalar(select(Run.id).where(*active, Run.kind == kind).limit(1))
    if same is not None:
        raise Conflict(f"A {kind} run is active on the card already; stop it first", same)
    if (await tx.scalar(select(func.count()).select_from(Run).where(*active)) or 0) >= MOST_ACTIVE:
        raise Conflict(f"A card has at most {MOST_ACTIVE} active runs")
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    judge_start(facts, kind)
    batch = new_id("batch") if len(wishes) > 1 else None
    return await enqueue(tx, actor, board, [(card, facts, wish) for wish in wishes], batch=batch)


def judge_start(facts: Facts, kind: RunKind) -> None:
    """Raise StageRefused where agents may not work the card: the archive, and the law for what moves it."""
    to = {RunKind.CODE: Stage.IN_PROGRESS, RunKind.PLAN: Stage.PLAN}.get(kind, facts.at)
    way = to in lawful(facts.at, facts.law, Mover.SYSTEM) if kind is RunKind.CODE else to is facts.at
    against = reasons_against(facts, to, by=Mover.SYSTEM)
    reasons = [
        reason
        for reason in against
        if reason.code in (MoveGate.BOARD_ARCHIVED, MoveGate.CARD_ARCHIVED)
        or (reason.code is MoveGate.LAW and not way)
    ]
    if not way and not reasons:
        reasons = [Reason(MoveGate.LAW, f"A {kind} run works cards in {to}, this one stands in {facts.at}")]
    if reasons:
        allowed = [stage for stage in Stage if not reasons_against(facts, stage, by=Mover.SYSTEM)]
        raise StageRefused(facts.at, to, allowed, reasons, facts.card_id)


async def enqueue(
    tx: AsyncSession,
    actor: Actor | None,
    board: Board,
    asked: Sequence[tuple[Card, Facts, Wish]],
    *,
    batch: str | None = None,
) -> list[Run]:
    """Queue runs of one board, in a fixed number of statements. What a gate keeps waits for it."""
    policy, now = policy_of(board.policy), utcnow()
    runs, works = [], []
    for card, facts, wish in asked:
        gate = keeps_from_work(facts, is_code=wish.kind is RunKind.CODE)
        profile = wish.profile
        run = Run(
            id=new_id("run"),
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
            executor=profile.executor.value if profile else None,
            instruction=wish.instruction,
            message_id=wish.message_id,
            retry_of=wish.retry_of,
            retries=wish.retries,
            batch=batch,
            base_ref=wish.base_ref,
            branch=wish.branch,
            session_id=wish.session_id,
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
    for run in runs:
        await say(tx, run, Status(state=State.QUEUED, reason=run.held_by or ""))
        tell(tx, board, run, EventKind.RUN_QUEUED, held_by=run.held_by)
    return runs


def _work(board: Board, run: Run, policy: Policy, profile: AgentProfile | None, gate: str | None) -> Work:
    return Work(
        id=run.id,
        kind=run.kind,
        tenant=board.workspace_id,
        scope=board.id,
        priority=int(run.priority),
        executor=run.executor,
        capabilities=profile.capabilities if profile else (),
        keys=[profile.id] if profile else (),  # also without a limit: it may be given one while this waits
        parked_for=gate,
        max_attempts=policy.max_attempts,
        wait_limit=policy.queue_seconds,
        attempt_limit=policy.attempt_seconds,
        silence_limit=policy.silence_seconds,
        whole_limit=policy.whole_seconds,
    )


async def retry_run(
    tx: AsyncSession, actor: Actor, id: str, *, instruction: str | None = None, resume: bool = False
) -> Run:
    """Ask again for what a run that ended did not bring; `resume`: on its branch, and in its session if that lives.

    Answers the new run, which names the old one. A run that waits for a decision goes on itself.
    """
    board, run = await reach_run(tx, actor, id)
    if run.status not in TERMINAL:
        raise Conflict(f"The run is {run.status}; only one that has ended is tried again", run.id)
    if resume and run.status is RunStatus.SUCCEEDED:
        raise Conflict("The run succeeded; start another one", run.id)
    card = await tx.get(Card, run.card_id)
    assert card is not None, "a run lives no longer than its card"
    profile = await tx.get(AgentProfile, run.profile_id) if run.profile_id else None
    wish = Wish(
        kind=run.kind,
        instruction=instruction if instruction is not None else run.instruction,
        base_ref=run.base_ref,
        message_id=run.message_id,
        permission=run.permission,
        profile=profile,
        branch=run.branch if resume else None,
        session_id=run.session_id if resume else None,
        retry_of=run.id,
        retries=run.retries + 1,
    )
    return (await begin(tx, actor, board, card, [_checked(wish)]))[0]
