"""A worker gets work: exactly one gets each run, with everything its agent needs to know."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from actions.liveness import note_worker
from actions.move import move_as_system
from actions.run.change import card_of, emit_run_event, log_events, set_status
from actions.run.prompt import answered_of, prompt_of, slug
from actions.stage_facts import facts_of, reader
from auth.locking import lock_worker
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.queue import ClaimFilter, Lease
from models.account import User, public
from models.actor import Actor
from models.board import Board
from models.card import Card, Subtask
from models.events.run import RunClaimed, run_facts
from models.message import Message
from models.policy import BoardPolicy, board_policy_of
from models.question import Question, QuestionStatus
from models.refusal import Invalid
from models.run import CommandKind, PermissionLevel, Run, RunCommand, RunKind, RunLive, RunStatus
from models.stage import Reason, Stage, keeps_from_work
from models.worker import MAX_AT_ONCE, AgentProfile, AgentSession, Worker, program_of, reusable
from protocol.events import AttemptChanged, LifecyclePhase

MAX_COMMENTS = 5  # of people, the newest
GATED = 100  # runs that a claim may find kept by a gate before it gives up


@dataclass(frozen=True, kw_only=True)
class AgentToken:
    """What the credential of a run's agent says; good while this attempt is open, `seconds` at most."""

    run: str
    attempt: int
    card: str
    board: str
    workspace: str
    seconds: int


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """What a worker is given with a run. What is empty is the worker's to choose."""

    executor: str | None
    prompt: str
    whole_prompt: str  # what a conversation is begun with, when the one to go on with turns out to be lost
    model: str | None
    instructions: str
    session_id: str | None  # the program's own name for a conversation to go on with
    branch: str | None
    base_ref: str
    repository: str
    branch_template: str
    card: str
    slug: str
    permission: PermissionLevel
    supervised: bool
    options: dict[str, Any]
    silence_seconds: int
    attempt_seconds: int
    agent: AgentToken


@dataclass(frozen=True)
class ClaimedRuns:
    """A run with its lease. The token is told here only."""

    run: Run
    attempt: int
    token: str = field(repr=False)
    lease_until: datetime
    lease_seconds: int
    work: WorkOrder


async def claim_runs(
    tx: Transaction, actor: Actor, worker_id: str, most: int = 1, *, key: str | None = None
) -> list[ClaimedRuns]:
    """Claim up to `most` runs for a worker: CRITICAL first, then oldest. None is an answer.

    A claim that is repeated with its key is given the same runs and tokens, those that it still holds.
    """
    if not 1 <= most <= MAX_AT_ONCE:
        raise Invalid(("most", f"must be 1 to {MAX_AT_ONCE}, not {most}"))
    await note_worker(
        tx, worker_id, Worker.owner_id == actor.id
    )  # before it is held together with other claims
    worker = await lock_worker(tx, actor, worker_id)
    scopes = [board for board in (worker.board_id, actor.board_id) if board is not None]
    wanted = ClaimFilter(
        tenant=worker.workspace_id,
        kinds=worker.kinds or None,
        executors=worker.executors,
        capabilities=worker.capabilities,
        scopes=scopes[:1] or None,
    )
    if key is not None and (again := await _again(tx, worker, wanted, most, key)):
        return again
    got: list[ClaimedRuns] = []
    skipped: set[str] = set()
    while len(got) < most and len(skipped) < GATED:
        candidates = [one for one in await queue.peek(tx, wanted) if one.id not in skipped]
        if not candidates:
            break
        one = await _claim_on(tx, worker, wanted, str(candidates[0].scope), skipped, _key(key, len(got)))
        if one is None:
            skipped.add(candidates[0].id)
        else:
            got.append(one)
    return got


def _key(key: str | None, place: int) -> str | None:
    return None if key is None else f"{key}/{place}"


async def _again(
    tx: Transaction, worker: Worker, wanted: ClaimFilter, most: int, key: str
) -> list[ClaimedRuns]:
    got: list[ClaimedRuns] = []
    for place in range(most):
        leases = await queue.claim(tx, worker.id, wanted, most=0, key=_key(key, place))
        if not leases:
            break
        for lease in leases:
            run = await tx.get_one(Run, lease.id)
            board = await tx.get_one(Board, run.board_id)
            got.append(await _claimed(tx, board, run, await card_of(tx, run), worker, lease))
    return got


async def _claim_on(
    tx: Transaction, worker: Worker, wanted: ClaimFilter, scope: str, skipped: set[str], key: str | None
) -> ClaimedRuns | None:
    """Claim on one board, which is held first: its card is moved with the claim. None if nothing is to be had."""
    query = select(Board).where(Board.id == scope).with_for_update()
    board = await tx.scalar(query.execution_options(populate_existing=True))
    if board is None:
        return None
    here = replace(wanted, scopes=[scope])
    for candidate in await queue.peek(tx, here):
        if candidate.id in skipped:
            continue
        run = await tx.scalar(select(Run).where(Run.id == candidate.id).with_for_update())
        if run is None:
            skipped.add(candidate.id)
            continue
        card = await card_of(tx, run)
        if (gate := await _gate(tx, board, run, card)) is not None:
            await _keep(tx, run, gate)
            skipped.add(candidate.id)
            continue
        policy = board_policy_of(board.policy)
        leases = await queue.claim(tx, worker.id, here, key=key, lease=policy.lease_seconds)
        if not leases:
            return None
        [lease] = leases
        if lease.id != run.id:  # one that came meanwhile stands before it: not without its own gate
            run = await tx.get_one(Run, lease.id, with_for_update=True)
            card = await card_of(tx, run)
        return await _open(tx, board, run, card, worker, lease)
    return None


async def _gate(tx: Transaction, board: Board, run: Run, card: Card) -> Reason | None:
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    return keeps_from_work(facts, is_code=run.kind is RunKind.CODE)


async def _keep(tx: Transaction, run: Run, gate: Reason) -> None:
    """Let a run wait behind a gate, out of the workers' way. `reopen` brings it back."""
    if await queue.suspend_without_worker(tx, run.id, waits_for=gate.code) is not None:
        run.held_by = gate.code


async def _open(
    tx: Transaction, board: Board, run: Run, card: Card, worker: Worker, lease: Lease
) -> ClaimedRuns:
    set_status(run, RunStatus.CLAIMED)
    run.attempt, run.worker_id, run.held_by = lease.attempt, worker.id, None
    run.claimed_at = run.claimed_at or utcnow()
    run.reported_at = run.progress = None
    if run.snapshot is None:
        run.snapshot = await _snapshot(tx, board, run, card)
    await tx.execute(delete(RunLive).where(RunLive.run_id == run.id))
    if run.kind is RunKind.CODE:
        await move_as_system(tx, board, card, Stage.IN_PROGRESS, run_id=run.id)
    await log_events(
        tx,
        run,
        AttemptChanged(number=run.attempt, phase=LifecyclePhase.STARTED, text=f"Claimed by {worker.name}"),
    )
    claimed = RunClaimed(**run_facts(run), worker_id=worker.id, worker=worker.name)
    emit_run_event(tx, board, claimed)
    return await _claimed(tx, board, run, card, worker, lease)


async def _claimed(
    tx: Transaction, board: Board, run: Run, card: Card, worker: Worker, lease: Lease
) -> ClaimedRuns:
    policy = board_policy_of(board.policy)
    work = await _work(tx, board, run, worker)
    return ClaimedRuns(run, lease.attempt, lease.token, lease.until, policy.lease_seconds, work)


async def _snapshot(tx: Transaction, board: Board, run: Run, card: Card) -> dict[str, Any]:
    """Everything its agent is told, as it is now; what people change later reaches the next run."""
    steps = select(Subtask.title, Subtask.completed, Subtask.phase).where(Subtask.card_id == card.id)
    steps = steps.order_by(Subtask.phase_order, Subtask.rank, Subtask.id)
    said = (
        select(Message.id, Message.body, User.username, User.nickname)
        .outerjoin(User, User.id == Message.author_id)
        .where(Message.card_id == card.id, Message.deleted_at.is_(None))
    )
    asks = said.where(Message.id == run.message_id)
    asked = (await tx.execute(asks)).one_or_none() if run.message_id else None
    comments = (
        said.where(User.id.is_not(None), Message.id != (run.message_id or ""))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(MAX_COMMENTS)
    )
    profile = await tx.get(AgentProfile, run.profile_id) if run.profile_id else None
    policy = board_policy_of(board.policy)
    return {
        "board": {"id": board.id, "name": board.name, "key": board.key},
        "card": {
            "id": card.id,
            "name": f"{board.key}-{card.number}",
            "title": card.title,
            "description": card.description,
            "type": card.type,
            "priority": card.priority.name,
        },
        "subtasks": [row._asdict() for row in (await tx.execute(steps)).all()],
        "comments": [
            {"id": row.id, "author": public(row), "body": row.body}
            for row in reversed((await tx.execute(comments)).all())
        ],
        "message": {
            "id": asked.id,
            "author": public(asked) if asked.username else None,
            "body": asked.body,
        }
        if asked
        else None,
        "policy": _plain(policy),
        "profile": {
            "executor": profile.executor,
            "model": profile.model,
            "persona": profile.persona,
            "options": profile.options,
            "name": profile.name,
        }
        if profile
        else None,
    }


def _plain(policy: BoardPolicy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in BoardPolicy.__dataclass_fields__}


async def _work(tx: Transaction, board: Board, run: Run, worker: Worker) -> WorkOrder:
    assert run.snapshot is not None, "a run is claimed with its snapshot"
    snapshot = run.snapshot
    policy, profile, card = snapshot["policy"], snapshot["profile"] or {}, snapshot["card"]
    answers = await answers_of(tx, run)
    session = await _session(tx, run, worker)
    whole = [prompt_of(run.kind, snapshot, run.instruction), *([answered_of(answers)] if answers else [])]
    late = await _late(tx, run, answers) if session else []
    told = [profile.get("persona") or "", policy["instructions"]]
    return WorkOrder(
        executor=run.executor,
        prompt=answered_of(late) if late else "\n\n".join(whole),
        whole_prompt="\n\n".join(whole),
        model=profile.get("model"),
        instructions="\n\n".join(part for part in told if part),
        session_id=session,
        branch=run.branch,
        base_ref=run.base_ref or policy["base_branch"] or "HEAD",
        repository=policy["repository"],
        branch_template=policy["branch_template"],
        card=card["name"],
        slug=slug(card["title"]),
        permission=run.permission,
        supervised=run.permission is not PermissionLevel.AUTONOMOUS,
        options=profile.get("options") or {},
        silence_seconds=policy["silence_seconds"],
        attempt_seconds=policy["attempt_seconds"],
        agent=AgentToken(
            run=run.id,
            attempt=run.attempt,
            card=run.card_id,
            board=board.id,
            workspace=board.workspace_id,
            seconds=policy["whole_seconds"],
        ),
    )


async def answers_of(tx: Transaction, run: Run) -> list[Any]:
    """What its questions were answered, in the order they were asked."""
    closed = Question.run_id == run.id, Question.status.in_([QuestionStatus.ANSWERED, QuestionStatus.EXPIRED])
    columns = Question.text, Question.answer, Question.attempt, Question.group_key, Question.blocking
    rows = await tx.execute(
        select(*columns).where(*closed).order_by(Question.created_at, Question.place, Question.id)
    )
    return list(rows)


async def _late(tx: Transaction, run: Run, answers: Sequence[Any]) -> list[Any]:
    """The answers that the attempt before waited for to its end. They are all that its conversation wants to hear.

    None where it did not wait: it was told its answers then, and goes on from somewhere after them.
    """
    before = [one for one in answers if one.attempt == run.attempt - 1]
    if not any(one.blocking for one in before):
        return []
    mine = RunCommand.run_id == run.id, RunCommand.attempt == run.attempt - 1
    told = set(await tx.scalars(select(RunCommand.key).where(*mine, RunCommand.kind == CommandKind.ANSWER)))
    waited = any(one.blocking and one.group_key not in told for one in before)
    return before if waited else []


async def _session(tx: Transaction, run: Run, worker: Worker) -> str | None:
    """The conversation to go on with: only where it was held, by the program that holds it, and while it lives."""
    if run.session_id is None:
        return None
    session = await tx.get(AgentSession, run.session_id)
    if session is None or session.worker_id != worker.id or not reusable(session, utcnow()):
        return None
    return session.external_id if session.executor == program_of(run.executor, worker) else None
