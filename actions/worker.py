"""What workers say of themselves: that they are there, that they live, that they leave.

Locks: the worker, then the boards of what it holds, then the runs, then (through the queue) the jobs. A claim
holds the worker too, so nothing is added while a worker leaves.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from actions import validation
from actions.changes import apply_changes
from actions.liveness import holds_lease, is_alive
from actions.run.change import apply, runs_of
from actions.run.finish import leased
from auth.locking import lock_leaving_worker, lock_worker, lock_worker_for_claim
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.queue import Attempt, Ticket, worker_cap, worker_topic
from models.actor import Actor
from models.board import Board
from models.events.worker import WorkerDeregistered, WorkerEvent, WorkerRegistered
from models.policy import board_policy_of
from models.refusal import Conflict, Invalid, NotFound
from models.run import Run, RunCommand, RunKind
from models.topic import workspace_scope
from models.worker import (
    MAX_AT_ONCE,
    MAX_WORKERS,
    METRICS,
    AgentProgram,
    Skill,
    Worker,
    is_offline,
    reaches,
    skills_of,
)


@dataclass(frozen=True, kw_only=True)
class NewWorker:
    """What a worker says it is."""

    name: str
    program: str = ""
    executors: Sequence[AgentProgram]
    kinds: Sequence[RunKind] = ()
    capabilities: Sequence[tuple[str, Skill]] = ()
    max_concurrent: int = 1
    metrics: Any = None  # an object, or None

    def checked(self) -> dict[str, Any]:
        """Its columns, cleaned. Raises Invalid."""
        skills = skills_of("capabilities", self.capabilities)
        validation.in_range("maxConcurrent", self.max_concurrent, 1, MAX_AT_ONCE)
        executors = validation.distinct(
            "executors", validation.at_most("executors", list(self.executors), len(AgentProgram))
        )
        kinds = validation.at_most("kinds", list(self.kinds), len(RunKind), least=0)
        return {
            "name": validation.single_line("name", self.name, 100),
            "program": validation.single_line("program", self.program, 100, least=0),
            "executors": [str(one) for one in executors],
            "kinds": [str(one) for one in validation.distinct("kinds", kinds)],
            "capabilities": reaches(skills),
            "skills": {name: str(level) for name, level in skills.items()},
            "max_concurrent": self.max_concurrent,
        }


async def register_worker(tx: Transaction, actor: Actor, workspace_id: str | None, new: NewWorker) -> Worker:
    """Be a worker of a workspace, under a name. Saying it again changes only what is said differently.

    A name that another holds is a Conflict, unless that one is gone: silent, and without a lease that still holds.
    Then what it held is given back first.
    """
    workspace = await lock_worker_for_claim(tx, actor, workspace_id)
    values, metrics = new.checked(), _metrics(new.metrics)
    named = select(Worker).where(Worker.workspace_id == workspace.id, Worker.name == values["name"])
    worker = await tx.scalar(named.with_for_update())
    now = utcnow()
    mine = {**values, "owner_id": actor.id, "board_id": actor.board_id, "deregistered_at": None}
    if worker is None:
        await _room(tx, workspace.id)
        worker = Worker(workspace_id=workspace.id, heard_at=now, metrics=metrics, **mine)
        tx.add(worker)
        await tx.flush()  # generates worker.id
        is_told = True
    else:
        is_gone = worker.deregistered_at is not None or (
            is_offline(worker.heard_at, now) and not await holds_lease(tx, worker.id)
        )
        if worker.owner_id != actor.id and not is_gone:
            raise Conflict("Another worker of the workspace has that name and is at work", worker.id)
        if worker.owner_id != actor.id:
            await _give_back(tx, worker)
        if worker.deregistered_at is not None:
            await _room(tx, workspace.id)
        is_told = bool(apply_changes(worker, mine))
        worker.heard_at, worker.error = now, None
        worker.metrics = metrics if metrics is not None else worker.metrics
    await queue.set_cap(tx, worker_cap(worker.id), worker.max_concurrent, tenant=workspace.id)
    if is_told:
        _emit(tx, worker, WorkerRegistered)
    return worker


def _metrics(given: Any) -> dict[str, Any] | None:
    return None if given is None else validation.json_document("metrics", given, METRICS)


async def _room(tx: Transaction, workspace_id: str) -> None:
    """Raise Conflict when the workspace has as many workers as it may. The longest gone make room first."""
    there = Worker.workspace_id == workspace_id, Worker.deregistered_at.is_(None)
    if (await tx.scalar(select(func.count()).select_from(Worker).where(*there)) or 0) < MAX_WORKERS:
        return
    query = select(Worker).where(*there, ~is_alive()).order_by(Worker.heard_at).limit(1)
    longest = await tx.scalar(query.with_for_update(skip_locked=True))
    if longest is None:
        raise Conflict(f"A workspace has at most {MAX_WORKERS} workers; deregister one")
    await _leave(tx, longest)


async def deregister_worker(tx: Transaction, actor: Actor, id: str) -> Worker:
    """Leave: what the worker holds is given back, and counts as no failure. Its history stays.

    Only who registered it may, and an admin. Leaving twice changes nothing.
    """
    worker = await lock_leaving_worker(tx, actor, id)
    if worker.deregistered_at is None:
        await _leave(tx, worker)
    return worker


async def _leave(tx: Transaction, worker: Worker) -> None:
    await _give_back(tx, worker)
    apply_changes(worker, {"deregistered_at": utcnow()})
    tx.notify(worker_topic(worker.id))
    _emit(tx, worker, WorkerDeregistered)


async def _give_back(tx: Transaction, worker: Worker) -> None:
    """Take everything back that a worker holds. The caller holds the worker."""
    held = await queue.held_by(queue.reading(tx), worker.id)
    boards = select(Board).where(Board.id.in_({row.scope for row in held})).order_by(Board.id)
    mine = {board.id: board for board in await tx.scalars(boards.with_for_update())} if held else {}
    await runs_of(tx, [row.job_id for row in held])
    told: dict[str | None, list[queue.Transition]] = defaultdict(list)
    for transition in await queue.withdraw(tx, worker.id):
        told[transition.scope].append(transition)
    for id, board in mine.items():
        await apply(tx, board, told[id])


def _emit(tx: Transaction, worker: Worker, event: type[WorkerEvent]) -> None:
    scope = workspace_scope(worker.workspace_id)
    tx.emit(scope, event(workspace_id=worker.workspace_id, worker_id=worker.id, name=worker.name))


@dataclass(frozen=True)
class Held:
    """A lease that a heartbeat names, and whether the work went forward."""

    ticket: Ticket
    active: bool = False


@dataclass(frozen=True)
class Extended:
    """What became of a lease: until when it holds, or that it is lost."""

    run_id: str
    attempt: int
    until: Any = None

    @property
    def lost(self) -> bool:
        return self.until is None


@dataclass(frozen=True)
class WorkerBeat:
    """The answer to a heartbeat."""

    worker: Worker
    leases: list[Extended]
    commands: Sequence[Any] = field(default_factory=list)


async def heartbeat(
    tx: Transaction,
    actor: Actor,
    id: str,
    leases: Sequence[Held],
    *,
    metrics: Any = None,
    error: str | None = None,
) -> WorkerBeat:
    """Say that a worker lives, and still holds these leases. Answers which are lost, and what it is to do.

    However many leases there are, it is a fixed number of statements, but for boards whose leases differ in
    length.
    """
    if len(leases) > MAX_AT_ONCE:
        raise Invalid(("leases", f"names at most {MAX_AT_ONCE}, not {len(leases)}"))
    worker = await lock_worker(tx, actor, id, to_change=True)
    worker.heard_at = utcnow()
    worker.error = validation.single_line("error", error, 500) if error is not None else None
    if metrics is not None:
        worker.metrics = _metrics(metrics)
    await tx.flush()
    until = await _extend(tx, worker, leases)
    extended = [
        Extended(held.ticket.id, held.ticket.attempt, until.get((held.ticket.id, held.ticket.attempt)))
        for held in leases
    ]
    return WorkerBeat(worker, extended, (await tx.execute(commands_for(worker.id))).all())


async def _extend(tx: Transaction, worker: Worker, leases: Sequence[Held]) -> dict[tuple[str, int], Any]:
    """Extend leases, each by what its board says: until when, by run and attempt. What is lost is left out."""
    if not leases:
        return {}
    ids = [held.ticket.id for held in leases]
    query = select(Run.id, Board.policy).join(Board, Board.id == Run.board_id)
    mine = Run.id.in_(ids), Board.workspace_id == worker.workspace_id
    seconds = {
        row.id: board_policy_of(row.policy).lease_seconds for row in await tx.execute(query.where(*mine))
    }
    groups: dict[tuple[bool, int], list[Ticket]] = defaultdict(list)
    for held in leases:
        if held.ticket.id in seconds:
            groups[held.active, seconds[held.ticket.id]].append(held.ticket)
    until: dict[tuple[str, int], Any] = {}
    for (active, lease), tickets in sorted(groups.items(), key=lambda group: group[0]):
        for beat in await queue.heartbeats(tx, tickets, active=active, lease=lease):
            until[beat.id, beat.attempt] = beat.until
    return until


def commands_for(worker_id: str) -> Any:
    """What a worker is to do about the attempts it holds and has not acknowledged, in order."""
    mine = Attempt.worker_id == worker_id, Attempt.ended_at.is_(None)
    return (
        select(RunCommand.__table__)
        .join(Attempt, (Attempt.job_id == RunCommand.run_id) & (Attempt.number == RunCommand.attempt))
        .where(*mine, RunCommand.acknowledged_at.is_(None))
        .order_by(RunCommand.created_at, RunCommand.id)
    )


async def acknowledge_command(tx: Transaction, actor: Actor, ticket: Ticket, id: str) -> RunCommand:
    """A worker has heard a command; it is told no more. Acknowledging twice changes nothing.

    Raises LeaseLost for a lease that is not held, NotFound for a command of another attempt.
    """
    async with leased(tx, actor, ticket):
        await queue.lock_leased_job(tx, ticket)
        mine = RunCommand.run_id == ticket.id, RunCommand.attempt == ticket.attempt
        command = await tx.scalar(select(RunCommand).where(RunCommand.id == id, *mine).with_for_update())
        if command is None:
            raise NotFound(id)
        command.acknowledged_at = command.acknowledged_at or utcnow()
        return command
