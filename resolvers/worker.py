"""Reads of workers, and the subscription to their commands."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from sqlalchemy import case, func, select, true
from strawberry import ID, Parent

from actions.worker import commands_for
from auth.permissions import sees_worker
from kit.db.database import utcnow
from kit.ids import prefix_of
from kit.queue import Attempt, Job, JobState, worker_topic
from models.actor import ActorKind
from models.refusal import Forbidden, NotFound
from models.run import MessageMode, RunCommand
from models.worker import Worker, WorkerStatus, status_of
from resolvers.context import Context, Info
from resolvers.follow import watch
from resolvers.loaders import Relation
from resolvers.profile import CapabilityRow, capability_rows

WORKER = Relation(select(Worker.__table__), Worker.id, sees_worker)
WORKERS_OF_WORKSPACE = Relation(
    select(Worker.__table__).where(Worker.deregistered_at.is_(None)).order_by(Worker.name, Worker.id),
    Worker.workspace_id,
    sees_worker,
    many=True,
)
# Visible for every worker that was read.
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


async def worker(info: Info, id: Annotated[ID, "The worker."]) -> Worker | None:
    """A worker, also a deregistered one; null if you may not see it."""
    row: Worker | None = await info.context.load(WORKER, id)
    return row


async def workers(info: Info, workspace_id: Annotated[ID, "The workspace."]) -> list[Worker]:
    """The registered workers of a workspace, by name. At most 200."""
    rows: list[Worker] = await info.context.load(WORKERS_OF_WORKSPACE, workspace_id)
    return rows


async def status_of_worker(root: Parent[Worker], info: Info) -> WorkerStatus:
    """Its status. OFFLINE after 45 seconds without a heartbeat, claim or report, or once deregistered."""
    row = await info.context.load(HELD_BY_WORKER, root.id)
    held, waiting, spoke_at = (row.held, row.waiting, row.spoke_at) if row else (0, 0, None)
    return status_of(root, held, waiting, utcnow(), spoke_at)


async def held_by_worker(root: Parent[Worker], info: Info) -> int:
    """Number of runs that it holds, including those that wait."""
    row = await info.context.load(HELD_BY_WORKER, root.id)
    count: int = row.held if row else 0
    return count


async def capabilities_of_worker(root: Parent[Worker]) -> list[CapabilityRow]:
    """Its capabilities."""
    return capability_rows(root.skills)


def owner_of(root: Worker) -> tuple[ActorKind, str]:
    """The kind and id of its owner: a person or an API key."""
    return (ActorKind.USER if prefix_of(root.owner_id) == "user" else ActorKind.WORKER), root.owner_id


@dataclass(frozen=True)
class AnsweredQuestion:
    """The answer to a question: the agent's key of the question, and the texts."""

    key: str
    answer: list[str]


def reason_of_command(root: Parent[RunCommand]) -> str | None:
    """The reason, for STOP."""
    reason: str | None = root.data.get("reason")
    return reason


def body_of_command(root: Parent[RunCommand]) -> str | None:
    """The message, for MESSAGE."""
    body: str | None = root.data.get("body")
    return body


def mode_of_command(root: Parent[RunCommand]) -> MessageMode | None:
    """The time of delivery, for MESSAGE."""
    mode = root.data.get("mode")
    return MessageMode(mode) if mode else None


def answers_of_command(root: Parent[RunCommand]) -> list[AnsweredQuestion]:
    """The answers, for ANSWER."""
    return [AnsweredQuestion(one["key"], one["answer"] or []) for one in root.data.get("answers", ())]


async def worker_commands(
    info: Info, worker_id: Annotated[ID, "The worker; only its owner may subscribe."]
) -> AsyncGenerator[RunCommand, None]:
    """Commands for the runs that a worker holds: each once, in order, as soon as it is sent.

    Starts with the commands that were not acknowledged. Ends once the worker is deregistered or has another owner.
    Raises NOT_FOUND, FORBIDDEN.
    """
    context = info.context
    if not await _is_own(context, worker_id):
        raise NotFound(worker_id)
    sent: set[str] = set()
    pages = watch(context, worker_topic(worker_id), partial(_unacknowledged, context, worker_id))
    async with aclosing(pages):
        async for rows, _ in pages:
            unsent = [row for row in rows if row.id not in sent]
            sent = {row.id for row in rows}
            for row in unsent:
                yield row


async def _is_own(context: Context, worker_id: str) -> bool:
    """Whether a worker of the actor is still registered. Raises NotFound, Forbidden."""
    row: Worker | None = await context.load(WORKER, worker_id)
    if row is None:
        raise NotFound(worker_id)
    if row.owner_id != context.actor.id:
        raise Forbidden("Only the owner of a worker receives its commands")
    return row.deregistered_at is None


async def _unacknowledged(context: Context, worker_id: str) -> Sequence[RunCommand] | None:
    """The unacknowledged commands of a worker; None once it is not the actor's any more."""
    try:
        if not await _is_own(context, worker_id):
            return None
    except (NotFound, Forbidden):
        return None
    return await context.read(commands_for(worker_id))
