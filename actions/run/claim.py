"""Claims of runs: each run goes to exactly one worker, together with its work order.

A claim locks the worker, then for each run the board, the run and the job. On a board it first finds a run that no
gate holds back, then lets the queue lease it, then starts the attempt; the work orders come last.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import delete, or_, select

from actions.liveness import note_worker
from actions.move import move_as_system
from actions.run.change import card_of, emit_run_event, log_events, set_status
from actions.run.work_order import WorkOrder, freeze_snapshot, work_order_of
from actions.stage_facts import facts_of, reader
from auth.locking import lock_worker
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.metrics import count_claim
from kit.queue import Candidate, ClaimFilter, Lease
from models.actor import Actor
from models.board import Board
from models.card import Card
from models.events.run import RunClaimed, run_facts
from models.policy import board_policy_of
from models.refusal import Invalid
from models.repository import Repository
from models.run import Run, RunKind, RunLive, RunStatus
from models.stage import Reason, Stage, keeps_from_work
from models.worker import MAX_AT_ONCE, Worker
from protocol.events import AttemptChanged, LifecyclePhase

NO_BOARD = ""  # of a worker that has the repository of none
MAX_GATED_RUNS = 100  # runs held back by a gate after which a claim gives up


@dataclass(frozen=True)
class ClaimedRun:
    """A run with its lease and its work order. The token is returned here only."""

    run: Run
    attempt: int
    token: str = field(repr=False)
    lease_until: datetime
    lease_seconds: int
    work: WorkOrder


async def claim_runs(
    tx: Transaction, actor: Actor, worker_id: str, most: int = 1, *, key: str | None = None
) -> list[ClaimedRun]:
    """Claim up to `most` runs for a worker: CRITICAL first, then the oldest.

    A claim repeated with its key returns the same runs and tokens, those that are still held.
    """
    if not 1 <= most <= MAX_AT_ONCE:
        raise Invalid(("most", f"must be 1 to {MAX_AT_ONCE}, not {most}"))
    # Before the worker's row is locked, which concurrent claims share.
    await note_worker(tx, worker_id, Worker.owner_id == actor.id)
    worker = await lock_worker(tx, actor, worker_id)
    filter = await _filter_for(tx, worker, actor)
    if key is not None and (claims := await _repeat_claim(tx, worker, filter, most, key)):
        return claims
    claims, skipped = [], set[str]()
    while len(claims) < most and len(skipped) < MAX_GATED_RUNS:
        candidates = await _candidates(tx, filter, skipped)
        if not candidates:
            break
        scope, place_key = str(candidates[0].scope), _place_key(key, len(claims))
        claim = await _claim_on_board(tx, worker, replace(filter, scopes=[scope]), scope, skipped, place_key)
        if claim is None:
            skipped.add(candidates[0].id)
        else:
            claims.append(claim)
    return claims


async def _filter_for(tx: Transaction, worker: Worker, actor: Actor) -> ClaimFilter:
    scopes = [board_id for board_id in (worker.board_id, actor.board_id) if board_id is not None][:1]
    if worker.repositories is not None:
        scopes = await _boards_with_repositories(tx, worker, scopes)
    return ClaimFilter(
        tenant=worker.workspace_id,
        kinds=worker.kinds or None,
        executors=worker.executors,
        capabilities=worker.capabilities,
        scopes=scopes or (None if worker.repositories is None else [NO_BOARD]),
    )


async def _boards_with_repositories(tx: Transaction, worker: Worker, scopes: list[str]) -> list[str]:
    """Return the boards whose repository the worker has; a board without one is anybody's."""
    query = select(Board.id).outerjoin(Repository, Repository.id == Board.repository_id)
    query = query.where(Board.workspace_id == worker.workspace_id)
    has = or_(Board.repository_id.is_(None), Repository.key.in_(worker.repositories or ()))
    if scopes:
        query = query.where(Board.id.in_(scopes))
    return list(await tx.scalars(query.where(has)))


async def _candidates(tx: Transaction, filter: ClaimFilter, skipped: set[str]) -> list[Candidate]:
    return [candidate for candidate in await queue.peek(tx, filter) if candidate.id not in skipped]


def _place_key(key: str | None, place: int) -> str | None:
    """Return the queue's key for the run at a place of the claim."""
    return None if key is None else f"{key}/{place}"


async def _repeat_claim(
    tx: Transaction, worker: Worker, filter: ClaimFilter, most: int, key: str
) -> list[ClaimedRun]:
    """Return what an earlier claim with the key returned; empty if there was none."""
    claims: list[ClaimedRun] = []
    for place in range(most):
        leases = await queue.claim(tx, worker.id, filter, most=0, key=_place_key(key, place))
        if not leases:
            break
        for lease in leases:
            run = await tx.get_one(Run, lease.id)
            board = await tx.get_one(Board, run.board_id)
            claims.append(await _claimed_run(tx, board, run, worker, lease))
    return claims


async def _claim_on_board(
    tx: Transaction, worker: Worker, filter: ClaimFilter, board_id: str, skipped: set[str], key: str | None
) -> ClaimedRun | None:
    """Claim one run of a board. Returns None if there is none; adds to `skipped` the runs a gate holds back."""
    board = await _lock_board(tx, board_id)
    if board is None:
        return None
    allowed = await _first_allowed(tx, board, filter, skipped)
    if allowed is None:
        return None
    run, card = allowed
    seconds = board_policy_of(board.policy).lease_seconds
    leases = await queue.claim(tx, worker.id, filter, key=key, lease=seconds)
    if not leases:
        return None
    [lease] = leases
    if lease.transition and lease.transition.at and lease.transition.available_at:
        count_claim((lease.transition.at - lease.transition.available_at).total_seconds())
    if (
        lease.id != run.id
    ):  # a run that was queued in the meantime precedes this one; it has passed its own gate
        run = await tx.get_one(Run, lease.id, with_for_update=True)
        card = await card_of(tx, run)
    await _start_attempt(tx, board, run, card, worker, lease)
    return await _claimed_run(tx, board, run, worker, lease)


async def _lock_board(tx: Transaction, board_id: str) -> Board | None:
    query = select(Board).where(Board.id == board_id).with_for_update()
    return await tx.scalar(query.execution_options(populate_existing=True))


async def _first_allowed(
    tx: Transaction, board: Board, filter: ClaimFilter, skipped: set[str]
) -> tuple[Run, Card] | None:
    """Lock the first candidate that no gate holds back. Those before it are suspended until `reopen`."""
    for candidate in await _candidates(tx, filter, skipped):
        run = await tx.scalar(select(Run).where(Run.id == candidate.id).with_for_update())
        if run is not None:
            card = await card_of(tx, run)
            gate = await _gate_of(tx, board, run, card)
            if gate is None:
                return run, card
            if await queue.suspend_without_worker(tx, run.id, waits_for=gate.code) is not None:
                run.held_by = gate.code
        skipped.add(candidate.id)
    return None


async def _gate_of(tx: Transaction, board: Board, run: Run, card: Card) -> Reason | None:
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    return keeps_from_work(facts, is_code=run.kind is RunKind.CODE)


async def _start_attempt(
    tx: Transaction, board: Board, run: Run, card: Card, worker: Worker, lease: Lease
) -> None:
    """Mark a leased run as CLAIMED, move its card, and record both."""
    set_status(run, RunStatus.CLAIMED)
    run.attempt, run.worker_id, run.held_by = lease.attempt, worker.id, None
    run.claimed_at = run.claimed_at or utcnow()
    run.reported_at = run.progress = None
    if run.snapshot is None:
        run.snapshot = await freeze_snapshot(tx, board, run, card)
    await tx.execute(delete(RunLive).where(RunLive.run_id == run.id))
    if run.kind is RunKind.CODE:
        await move_as_system(tx, board, card, Stage.IN_PROGRESS, run_id=run.id)
    text = f"Claimed by {worker.name}"
    await log_events(tx, run, AttemptChanged(number=run.attempt, phase=LifecyclePhase.STARTED, text=text))
    emit_run_event(tx, board, RunClaimed(**run_facts(run), worker_id=worker.id, worker=worker.name))


async def _claimed_run(tx: Transaction, board: Board, run: Run, worker: Worker, lease: Lease) -> ClaimedRun:
    seconds = board_policy_of(board.policy).lease_seconds
    work = await work_order_of(tx, board, run, worker)
    return ClaimedRun(run, lease.attempt, lease.token, lease.until, seconds, work)
