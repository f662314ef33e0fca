"""Statistics of the queue, and the feed of their changes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

from sqlalchemy import and_, case, func, select
from strawberry import ID, Parent

from auth.permissions import sees_worker
from kit.db.database import utcnow
from kit.queue import Attempt, Job, JobState, QueueStatistics, queue_topic, statistics
from models.card import Priority
from models.refusal import NotFound
from models.worker import Worker, WorkerStatus, status_of
from resolvers.context import Context, Info
from resolvers.follow import watch
from resolvers.workspace import WORKSPACE

MIN_INTERVAL_SECONDS = 1.0  # between two items of a feed


@dataclass(frozen=True)
class BoardQueue:
    """Number of runs of one board, by state."""

    board_id: str
    priorities: list[QueueStatistics]

    def _sum(self, name: str) -> int:
        return sum(getattr(priority, name) for priority in self.priorities)

    @property
    def queued(self) -> int:
        return self._sum("queued")

    @property
    def delayed(self) -> int:
        return self._sum("delayed")

    @property
    def active(self) -> int:
        return self._sum("active")

    @property
    def waiting(self) -> int:
        return self._sum("waiting")

    @property
    def dead(self) -> int:
        return self._sum("dead")

    @property
    def oldest_at(self) -> datetime | None:
        return min((each.oldest_at for each in self.priorities if each.oldest_at), default=None)


@dataclass(frozen=True)
class WorkerCount:
    """Number of workers with a status."""

    status: WorkerStatus
    count: int


@dataclass(frozen=True)
class QueueState:
    """The state of a workspace's queue."""

    workspace_id: str
    boards: list[BoardQueue]
    workers: list[WorkerCount]


def priority_of(root: Parent[QueueStatistics]) -> Priority:
    """The priority."""
    return Priority(root.priority)


async def queue(info: Info, workspace_id: Annotated[ID, "The workspace."]) -> QueueState | None:
    """The state of a workspace's queue; null if you may not see the workspace."""
    return await _state(info.context, workspace_id)


async def queue_feed(
    info: Info, workspace_id: Annotated[ID, "The workspace."]
) -> AsyncGenerator[QueueState, None]:
    """The state of a workspace's queue: at once, and whenever a run may have become claimable.

    At most one item a second. Other changes follow within seconds. Ends when you lose access. Raises NOT_FOUND.
    """
    context = info.context
    last: QueueState | None = None
    read = partial(_state, context, workspace_id)
    states = watch(context, queue_topic(workspace_id), read, min_interval_seconds=MIN_INTERVAL_SECONDS)
    async with aclosing(states):
        async for state, is_notified in states:
            if is_notified or state != last:
                yield state
            last = state
    if last is None:
        raise NotFound(workspace_id)


async def _state(context: Context, workspace_id: str) -> QueueState | None:
    if await context.load(WORKSPACE, workspace_id) is None:
        return None
    board_id = context.actor.board_id
    numbers = await statistics(context.read, workspace_id, scopes=None if board_id is None else [board_id])
    by_board: dict[str, list[QueueStatistics]] = {}
    for priority in numbers:
        if priority.scope is not None:
            by_board.setdefault(priority.scope, []).append(priority)
    boards = [BoardQueue(id, priorities) for id, priorities in sorted(by_board.items())]
    return QueueState(workspace_id, boards, await _workers(context, workspace_id))


async def _workers(context: Context, workspace_id: str) -> list[WorkerCount]:
    """Count the workers with each status, in one statement."""
    waiting = func.sum(case((Job.state == JobState.PARKED, 1), else_=0))
    query = (
        select(
            Worker.id,
            Worker.heard_at,
            Worker.error,
            Worker.deregistered_at,
            func.count(Attempt.job_id).label("held"),
            waiting.label("waiting"),
            func.max(Attempt.heartbeat_at).label("spoke_at"),
        )
        .outerjoin(Attempt, and_(Attempt.worker_id == Worker.id, Attempt.ended_at.is_(None)))
        .outerjoin(Job, Job.id == Attempt.job_id)
        .where(sees_worker(context.actor), Worker.workspace_id == workspace_id)
        .where(Worker.deregistered_at.is_(None))
        .group_by(Worker.id)
    )
    counts = dict.fromkeys(WorkerStatus, 0)
    now = utcnow()
    for row in await context.read(query):
        counts[status_of(row, row.held, row.waiting, now, row.spoke_at)] += 1
    return [WorkerCount(status, count) for status, count in counts.items()]
