"""What is in the queue, in numbers, and the word that there may be work."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from sqlalchemy import and_, case, func, select
from strawberry import ID

from auth.permissions import sees_worker
from kit.db.database import utcnow
from kit.queue import Attempt, Job, JobState, QueueStatistics, queue_topic, statistics
from models.card import Priority
from models.refusal import NotFound
from models.worker import Worker, WorkerStatus, status_of
from resolvers.context import Context, Info
from resolvers.follow import watch
from resolvers.workspace import WORKSPACE

MIN_INTERVAL_SECONDS = 1.0  # seconds at least between two states that a feed tells


@dataclass(frozen=True)
class BoardQueue:
    """What is in the queue of one board."""

    board_id: str
    priorities: list[Any]

    def _sum(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.priorities)

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
        return min((one.oldest_at for one in self.priorities if one.oldest_at), default=None)


@dataclass(frozen=True)
class WorkerCount:
    """How many workers are in a state."""

    status: WorkerStatus
    count: int


@dataclass(frozen=True)
class QueueState:
    """The queue of a workspace as it is now."""

    workspace_id: str
    boards: list[BoardQueue]
    workers: list[WorkerCount]


def priority_of(root: Any) -> Priority:
    """How urgent."""
    return Priority(root.priority)


async def queue(info: Info, workspace_id: Annotated[ID, "Of which workspace."]) -> Any:
    """What waits, what is worked and what was given up, in numbers; null for a workspace you may not see."""
    return await _state(info.context, workspace_id)


async def queue_feed(
    info: Info, workspace_id: Annotated[ID, "Of which workspace."]
) -> AsyncGenerator[Any, None]:
    """The queue of a workspace: at once, and again when something may be claimed that could not be before.

    At most once a second. What else changes is told within some seconds. Ends when you may no longer see it.
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
    for one in numbers:
        if one.scope is not None:
            by_board.setdefault(one.scope, []).append(one)
    boards = [BoardQueue(id, found) for id, found in sorted(by_board.items())]
    return QueueState(workspace_id, boards, await _workers(context, workspace_id))


async def _workers(context: Context, workspace_id: str) -> list[WorkerCount]:
    """How many workers are in each state. One statement."""
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
