"""Workers: they register, send heartbeats, acknowledge commands and leave.

Locks are taken in this order: the worker, the boards of the runs it holds, the runs, and (by the queue) the jobs. A
claim locks the worker too, so a worker that leaves gets no further run.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import Row, Select, func, select

from actions import validation
from actions.capability import Capability
from actions.changes import apply_changes
from actions.lease import Lease
from actions.liveness import holds_lease, is_alive
from actions.run.change import apply_transitions, lock_runs
from actions.run.finish import leased
from auth.locking import lock_leaving_worker, lock_worker, lock_worker_for_claim
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import JSON, Id
from kit.graphql.types import input_type
from kit.queue import Attempt, Ticket, worker_cap, worker_topic
from models.actor import Actor
from models.board import Board
from models.events.worker import WorkerDeregistered, WorkerEvent, WorkerRegistered
from models.policy import board_policy_of
from models.refusal import Conflict, Invalid, NotFound
from models.repository import MAX_KEY_LENGTH, MAX_REPOSITORIES
from models.run import Run, RunCommand, RunKind
from models.topic import workspace_scope
from models.worker import (
    MAX_AT_ONCE,
    MAX_WORKERS,
    METRICS,
    AgentProgram,
    Worker,
    is_offline,
    reaches,
    skills_of,
)

MAX_NAME_LENGTH = 100  # characters
MAX_ERROR_LENGTH = 500  # characters
MAX_MACHINE_LENGTH = 64  # characters


async def register_worker(
    tx: Transaction,
    actor: Actor,
    *,
    name: Annotated[str, "1 to 100 characters, unique in the workspace."],
    executors: Annotated[list[AgentProgram], "Agent programs it can run; at least one."],
    workspace_id: Annotated[Id | None, "The workspace. Default: that of the API key."] = None,
    program: Annotated[str, "Name and version of the worker, at most 100 characters."] = "",
    kinds: Annotated[list[RunKind] | None, "Kinds of runs it takes. Default: all."] = None,
    capabilities: Annotated[list[Capability] | None, "Its capabilities, at most 50."] = None,
    repositories: Annotated[
        list[str] | None,
        "Repositories it has or may clone, as host/owner/name, at most 200: it is given no run of a board with"
        " another repository. Default: any.",
    ] = None,
    max_concurrent: Annotated[int, "Number of runs it holds at once, 1 to 100."] = 1,
    metrics: Annotated[JSON | None, "Metrics of the worker, an object of at most 8,192 bytes."] = None,
    machine: Annotated[
        str | None, "Opaque id, at most 64 characters. Workers with one id resume each other's conversations."
    ] = None,
) -> Worker:
    """Register a worker under a name. Registering it again changes the fields that differ.

    A name is free again once its worker is silent and holds no lease; the runs of that worker are given back first.
    A key of one board registers a worker of that board. Raises Conflict if the name is taken, or if the workspace
    has 200 workers.
    """
    workspace = await lock_worker_for_claim(tx, actor, workspace_id)
    values = {
        **_validate_executors_and_kinds(executors, kinds or []),
        **_validate_capabilities(capabilities or []),
        "name": validation.single_line("name", name, MAX_NAME_LENGTH),
        "program": validation.single_line("program", program, MAX_NAME_LENGTH, least=0),
        "repositories": _validate_repositories(repositories),
        "max_concurrent": validation.in_range("maxConcurrent", max_concurrent, 1, MAX_AT_ONCE),
        "machine": validation.single_line("machine", machine, MAX_MACHINE_LENGTH) if machine else None,
        "owner_id": actor.id,
        "board_id": actor.board_id,
        "deregistered_at": None,
    }
    reported = _validate_metrics(metrics)
    is_named = Worker.workspace_id == workspace.id, Worker.name == values["name"]
    worker = await tx.scalar(select(Worker).where(*is_named).with_for_update())
    if worker is None:
        await _make_room(tx, workspace.id)
        worker = Worker(workspace_id=workspace.id, heard_at=utcnow(), metrics=reported, **values)
        tx.add(worker)
        await tx.flush()  # generates worker.id
        is_changed = True
    else:
        await _take_over(tx, actor, worker)
        is_changed = bool(apply_changes(worker, values))
        worker.heard_at, worker.error = utcnow(), None
        worker.metrics = reported if reported is not None else worker.metrics
    await queue.set_cap(tx, worker_cap(worker.id), worker.max_concurrent, tenant=workspace.id)
    if is_changed:
        _emit(tx, worker, WorkerRegistered)
    return worker


def _validate_executors_and_kinds(executors: list[AgentProgram], kinds: list[RunKind]) -> dict[str, Any]:
    validation.distinct("executors", validation.at_most("executors", executors, len(AgentProgram)))
    validation.distinct("kinds", validation.at_most("kinds", kinds, len(RunKind), least=0))
    return {"executors": [str(one) for one in executors], "kinds": [str(one) for one in kinds]}


def _validate_capabilities(capabilities: list[Capability]) -> dict[str, Any]:
    skills = skills_of("capabilities", capabilities)
    return {
        "capabilities": reaches(skills),
        "skills": {name: str(level) for name, level in skills.items()},
    }


def _validate_repositories(names: list[str] | None) -> list[str] | None:
    if names is None:
        return None
    validation.at_most("repositories", names, MAX_REPOSITORIES, least=0)
    return sorted(
        {
            validation.single_line(f"repositories.{place}", name, MAX_KEY_LENGTH).lower()
            for place, name in enumerate(names)
        }
    )


async def _take_over(tx: Transaction, actor: Actor, worker: Worker) -> None:
    """Let the actor register a known worker. Raises Conflict if it is another's and still alive."""
    is_gone = worker.deregistered_at is not None or (
        is_offline(worker.heard_at, utcnow()) and not await holds_lease(tx, worker.id)
    )
    if worker.owner_id != actor.id and not is_gone:
        raise Conflict("Another worker of the workspace has that name and is at work", worker.id)
    if worker.owner_id != actor.id:
        await _give_back(tx, worker)
    if worker.deregistered_at is not None:
        await _make_room(tx, worker.workspace_id)


def _validate_metrics(metrics: JSON | None) -> dict[str, Any] | None:
    return None if metrics is None else validation.json_document("metrics", metrics, METRICS)


async def _make_room(tx: Transaction, workspace_id: str) -> None:
    """Remove the worker that is silent for the longest time if the workspace is full.

    Raises Conflict if all of its workers are alive.
    """
    is_present = Worker.workspace_id == workspace_id, Worker.deregistered_at.is_(None)
    if (await tx.scalar(select(func.count()).select_from(Worker).where(*is_present)) or 0) < MAX_WORKERS:
        return
    query = select(Worker).where(*is_present, ~is_alive()).order_by(Worker.heard_at).limit(1)
    longest = await tx.scalar(query.with_for_update(skip_locked=True))
    if longest is None:
        raise Conflict(f"A workspace has at most {MAX_WORKERS} workers; deregister one")
    await _leave(tx, longest)


async def deregister_worker(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The worker; for its owner and for admins."]
) -> Worker:
    """Deregister a worker. The runs that it holds return to the queue, which counts as no failure.

    Its history stays. Deregistering it twice changes nothing.
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
    """Return every run that a worker holds to the queue. The caller holds the worker."""
    held = await queue.held_by(queue.reading(tx), worker.id)
    query = select(Board).where(Board.id.in_({row.scope for row in held})).order_by(Board.id)
    boards = list(await tx.scalars(query.with_for_update())) if held else []
    await lock_runs(tx, [row.job_id for row in held])
    by_board: dict[str | None, list[queue.Transition]] = defaultdict(list)
    for transition in await queue.withdraw(tx, worker.id):
        by_board[transition.scope].append(transition)
    for board in boards:
        await apply_transitions(tx, board, by_board[board.id])


def _emit(tx: Transaction, worker: Worker, event: type[WorkerEvent]) -> None:
    scope = workspace_scope(worker.workspace_id)
    tx.emit(scope, event(workspace_id=worker.workspace_id, worker_id=worker.id, name=worker.name))


@input_type
class HeldInput:
    """A lease that a worker holds."""

    lease: Annotated[Lease, "The lease."]
    active: Annotated[
        bool,
        "Whether its agent showed activity since the last heartbeat, such as a running tool. Reports count by "
        "themselves; without either the run fails after the board's silence limit.",
    ] = False


@dataclass(frozen=True)
class Extended:
    """The state of a lease after a heartbeat."""

    run_id: str
    attempt: int
    until: datetime | None = None  # None: the lease is lost

    @property
    def lost(self) -> bool:
        return self.until is None


@dataclass(frozen=True)
class WorkerBeat:
    """The answer to a heartbeat."""

    worker: Worker
    leases: list[Extended]
    commands: Sequence[Row[Any]]  # of RunCommand


async def worker_heartbeat(
    tx: Transaction,
    actor: Actor,
    *,
    worker_id: Annotated[Id, "The worker; only its owner may call this."],
    leases: Annotated[list[HeldInput] | None, "Every lease it holds, at most 100."] = None,
    metrics: Annotated[JSON | None, "Metrics of the worker, an object of at most 8,192 bytes."] = None,
    error: Annotated[str | None, "A fault of the worker, 1 to 500 characters. Default: none."] = None,
) -> WorkerBeat:
    """Report that a worker is alive: every 15 seconds, and three times in its shortest lease.

    Extends the leases that it names. Returns the state of each, and the unacknowledged commands of the worker.
    """
    # The number of statements is fixed for any number of leases, but for boards whose leases differ in length.
    leases = leases or []
    if len(leases) > MAX_AT_ONCE:
        raise Invalid(("leases", f"names at most {MAX_AT_ONCE}, not {len(leases)}"))
    worker = await lock_worker(tx, actor, worker_id, to_change=True)
    worker.heard_at = utcnow()
    worker.error = validation.single_line("error", error, MAX_ERROR_LENGTH) if error is not None else None
    if metrics is not None:
        worker.metrics = _validate_metrics(metrics)
    await tx.flush()
    until = await _extend(tx, worker, leases)
    extended = [
        Extended(held.lease.id, held.lease.attempt, until.get((held.lease.id, held.lease.attempt)))
        for held in leases
    ]
    return WorkerBeat(worker, extended, (await tx.execute(commands_for(worker.id))).all())


async def _extend(
    tx: Transaction, worker: Worker, leases: Sequence[HeldInput]
) -> dict[tuple[str, int], datetime]:
    """Extend leases by the length that each board sets. Returns the ends by run and attempt, without lost ones."""
    if not leases:
        return {}
    ids = [held.lease.id for held in leases]
    query = select(Run.id, Board.policy).join(Board, Board.id == Run.board_id)
    are_named = Run.id.in_(ids), Board.workspace_id == worker.workspace_id
    seconds = {
        row.id: board_policy_of(row.policy).lease_seconds for row in await tx.execute(query.where(*are_named))
    }
    groups: dict[tuple[bool, int], list[Ticket]] = defaultdict(list)
    for held in leases:
        if held.lease.id in seconds:
            groups[held.active, seconds[held.lease.id]].append(held.lease)
    until: dict[tuple[str, int], datetime] = {}
    for (active, lease), tickets in sorted(groups.items(), key=lambda group: group[0]):
        for beat in await queue.heartbeats(tx, tickets, active=active, lease=lease):
            until[beat.id, beat.attempt] = beat.until
    return until


def commands_for(worker_id: str) -> Select[Any]:
    """Select the commands for the attempts that a worker holds which it has not acknowledged, in order."""
    is_held = Attempt.worker_id == worker_id, Attempt.ended_at.is_(None)
    return (
        select(RunCommand.__table__)
        .join(Attempt, (Attempt.job_id == RunCommand.run_id) & (Attempt.number == RunCommand.attempt))
        .where(*is_held, RunCommand.acknowledged_at.is_(None))
        .order_by(RunCommand.created_at, RunCommand.id)
    )


async def acknowledge_command(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the command's run."],
    command_id: Annotated[Id, "The command."],
) -> RunCommand:
    """Acknowledge a command: it is not sent again. Acknowledging it twice changes nothing.

    Raises LeaseLost if the lease is not held, NotFound for a command of another attempt.
    """
    async with leased(tx, actor, lease):
        await queue.lock_leased_job(tx, lease)
        is_named = (
            RunCommand.id == command_id,
            RunCommand.run_id == lease.id,
            RunCommand.attempt == lease.attempt,
        )
        command = await tx.scalar(select(RunCommand).where(*is_named).with_for_update())
        if command is None:
            raise NotFound(command_id)
        command.acknowledged_at = command.acknowledged_at or utcnow()
        return command
