"""How workers are answered, what they are told, and the adapters of what they say."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from sqlalchemy import case, func, select, true
from strawberry import ID, Parent
from strawberry.scalars import JSON

import actions.worker
from actions.worker import Held, NewWorker, WorkerBeat, commands_for
from auth.permissions import sees_worker
from kit.db.database import utcnow
from kit.graphql.types import input_type
from kit.ids import prefix_of
from kit.queue import Attempt, Job, JobState, worker_topic
from models.actor import ActorKind
from models.refusal import Forbidden, NotFound
from models.run import CommandKind, RunKind
from models.worker import AgentProgram, Worker, WorkerStatus, status_of
from resolvers.context import Context, Info
from resolvers.follow import watch
from resolvers.lease import LeaseInput
from resolvers.loaders import Relation
from resolvers.profile import CapabilityInput, capability_rows, pairs_of

WORKER = Relation(select(Worker.__table__), Worker.id, sees_worker)
WORKERS_OF_WORKSPACE = Relation(
    select(Worker.__table__).where(Worker.deregistered_at.is_(None)).order_by(Worker.name, Worker.id),
    Worker.workspace_id,
    sees_worker,
    many=True,
)
# Counted for a worker that was seen.
HELD_BY_WORKER = Relation(
    select(
        func.count().label("held"),
        func.sum(case((Job.state == JobState.PARKED, 1), else_=0)).label("waiting"),
        func.max(Attempt.heartbeat_at).label("spoke_at"),
    )
    .join(Job, Job.id == Attempt.job_id)
    .where(Attempt.ended_at.is_(None)),
    Attempt.worker_id,
    lambda actor: true(),
    group=True,
)


async def worker(info: Info, id: Annotated[ID, "Which worker."]) -> Any:
    """One worker, also one that has left, or null where there is none that you may see."""
    return await info.context.load(WORKER, id)


async def workers(info: Info, workspace_id: Annotated[ID, "Of which workspace."]) -> Any:
    """The workers of a workspace that have not left, by name. At most 200."""
    return await info.context.load(WORKERS_OF_WORKSPACE, workspace_id)


async def status_of_worker(root: Parent[Any], info: Info) -> WorkerStatus:
    """What it does now. OFFLINE once it was not heard for 45 seconds, or has left; claims and reports are heard."""
    row = await info.context.load(HELD_BY_WORKER, root.id)
    held, waiting, spoke_at = (row.held, row.waiting, row.spoke_at) if row else (0, 0, None)
    return status_of(root, held, waiting, utcnow(), spoke_at)


async def held_by_worker(root: Parent[Any], info: Info) -> int:
    """How many runs it holds now, those that wait included."""
    row = await info.context.load(HELD_BY_WORKER, root.id)
    return row.held if row else 0


async def capabilities_of_worker(root: Parent[Any]) -> Any:
    """What it says it can do, and how well."""
    return capability_rows(root.skills)


def owner_of(root: Any) -> tuple[ActorKind, str]:
    """Who registered it: a person or a key."""
    return (ActorKind.USER if prefix_of(root.owner_id) == "user" else ActorKind.WORKER), root.owner_id


async def register_worker(
    info: Info,
    name: Annotated[str, "1 to 100 characters; unique in the workspace."],
    executors: Annotated[list[AgentProgram], "Which agent programs it has; at least one."],
    workspace_id: Annotated[ID | None, "Of which workspace; a key's own if left out."] = None,
    program: Annotated[str, "Its name and version: at most 100 characters."] = "",
    kinds: Annotated[list[RunKind] | None, "Which kinds of runs it takes; all if left out."] = None,
    capabilities: Annotated[list[CapabilityInput] | None, "What it can do, and how well: at most 50."] = None,
    max_concurrent: Annotated[int, "How many runs it holds at once: 1 to 100."] = 1,
    metrics: Annotated[
        JSON | None, "What it says of itself: at most 8,192 bytes. Only the last is kept."
    ] = None,
) -> Any:
    """Be a worker, under a name. Registering again with the same key changes what is said differently.

    A name that another key's worker has is a Conflict while that worker is heard, or holds a run whose lease has
    not run out. A key of one board makes a worker of that board.
    """
    new = NewWorker(
        name=name,
        program=program,
        executors=executors,
        kinds=kinds or (),
        capabilities=pairs_of(capabilities),
        max_concurrent=max_concurrent,
        metrics=metrics,
    )
    async with info.context.transaction() as tx:
        return await actions.worker.register_worker(tx, info.context.actor, workspace_id, new)


async def deregister_worker(info: Info, id: Annotated[ID, "Which worker."]) -> Any:
    """Leave: runs that the worker holds go back into the queue, and that counts as no failure.

    Only who registered it may, and admins. Its history stays.
    """
    async with info.context.transaction() as tx:
        return await actions.worker.deregister_worker(tx, info.context.actor, id)


@input_type
class HeldInput:
    """A lease that a worker still holds."""

    lease: Annotated[LeaseInput, "Which."]
    active: Annotated[
        bool,
        "Whether its agent showed a sign of life since the last heartbeat, such as a tool that runs. Reports "
        "count by themselves; without either the run fails after the board's silence limit.",
    ] = False


async def worker_heartbeat(
    info: Info,
    worker_id: Annotated[ID, "Which worker; only who registered it may."],
    leases: Annotated[list[HeldInput] | None, "Every lease it holds: at most 100."] = None,
    metrics: Annotated[
        JSON | None, "What it says of itself: at most 8,192 bytes. Only the last is kept."
    ] = None,
    error: Annotated[
        str | None, "What is wrong with it, 1 to 500 characters; left out where nothing is."
    ] = None,
) -> Any:
    """Say that a worker lives, every 15 seconds, or three times in the length of its shortest lease.

    The leases it names are extended; answered is which of them are lost, and what it is to do.
    """
    held = [Held(one.lease.ticket(), one.active) for one in leases or ()]
    async with info.context.transaction() as tx:
        return await actions.worker.heartbeat(
            tx, info.context.actor, worker_id, held, metrics=metrics, error=error
        )


async def acknowledge_command(
    info: Info,
    lease: Annotated[LeaseInput, "The lease of the run it is about."],
    command_id: Annotated[ID, "Which command."],
) -> Any:
    """Say that a command was heard; it is told no more. Doing it twice changes nothing."""
    async with info.context.transaction() as tx:
        return command_of(
            await actions.worker.acknowledge_command(tx, info.context.actor, lease.ticket(), command_id)
        )


@dataclass(frozen=True)
class Answered:
    """What a question was answered: the asker's name for it, and the texts."""

    key: str
    answer: list[str]


@dataclass(frozen=True)
class Command:
    """Something a worker is to do about a run it holds."""

    id: str
    run_id: str
    attempt: int
    kind: CommandKind
    key: str
    reason: str | None
    answers: list[Answered]
    created_at: datetime
    acknowledged_at: datetime | None


def command_of(row: Any) -> Command:
    data = row.data
    answers = [Answered(one["key"], one["answer"] or []) for one in data.get("answers", ())]
    names = ("id", "run_id", "attempt", "kind", "key", "created_at", "acknowledged_at")
    said = {name: getattr(row, name) for name in names}
    return Command(**said, reason=data.get("reason"), answers=answers)


def commands_of_beat(root: Parent[WorkerBeat]) -> Any:
    """What it is to do, oldest first, until it says with `acknowledgeCommand` that it heard."""
    return [command_of(row) for row in root.commands]


async def worker_commands(
    info: Info, worker_id: Annotated[ID, "Which worker; only who registered it may."]
) -> AsyncGenerator[Any, None]:
    """What a worker is to do about the runs it holds: each command once, in order, as soon as it is given.

    Begins with what was not acknowledged yet. Ends when the worker has left or another took its name.
    """
    context = info.context
    if await _own(context, worker_id) is None:
        raise NotFound(worker_id)
    sent: set[str] = set()
    pages = watch(context, worker_topic(worker_id), partial(_commands, context, worker_id))
    async with aclosing(pages):
        async for rows, _ in pages:
            unsent = [row for row in rows if row.id not in sent]
            sent = {row.id for row in rows}
            for row in unsent:
                yield command_of(row)


async def _own(context: Context, worker_id: str) -> Any:
    """A worker that the actor speaks for; None for one that has left. Raises NotFound and Forbidden."""
    row = await context.load(WORKER, worker_id)
    if row is None:
        raise NotFound(worker_id)
    if row.owner_id != context.actor.id:
        raise Forbidden("Only the one who registered a worker hears its commands")
    return row if row.deregistered_at is None else None


async def _commands(context: Context, worker_id: str) -> Any:
    """The commands that wait for a worker; None once it is not the actor's any more."""
    try:
        if await _own(context, worker_id) is None:
            return None
    except (NotFound, Forbidden):
        return None
    return await context.read(commands_for(worker_id))
