"""The queue of a workspace: its types, query and subscription."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import kit.queue
import resolvers.queue
from kit.graphql.limits.list_size import list_size
from models.card import Priority
from models.worker import WorkerStatus
from resolvers import queue as queues
from resolvers.board import BOARD
from schema.board import Board
from schema.fields import query_field, relation_field, result_type, subscription


@result_type(kit.queue.QueueStatistics)
class PriorityQueue:
    """Number of runs of one board and priority, by state."""

    priority: Priority = query_field(queues.priority_of)
    queued: Annotated[int, "Claimable runs."]
    delayed: Annotated[int, "Runs that start later."]
    active: Annotated[int, "Runs at work."]
    waiting: Annotated[int, "Runs that wait for something, with a worker or without."]
    dead: Annotated[int, "Runs that failed for good in the last 24 hours."]
    oldest_at: Annotated[datetime | None, "Time when the oldest claimable run became claimable; null: none."]


@result_type(resolvers.queue.BoardQueue)
class BoardQueue:
    """Number of runs of one board, by state, over all priorities."""

    board_id: Annotated[ID, "The board."]
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    queued: Annotated[int, "Claimable runs."]
    delayed: Annotated[int, "Runs that start later."]
    active: Annotated[int, "Runs at work."]
    waiting: Annotated[int, "Runs that wait for something, with a worker or without."]
    dead: Annotated[int, "Runs that failed for good in the last 24 hours."]
    oldest_at: Annotated[datetime | None, "Time when the oldest claimable run became claimable; null: none."]
    priorities: list[PriorityQueue] = strawberry.field(
        description="The same numbers by priority, the most urgent first.",
        directives=[list_size(5, slicing=())],
    )


@result_type(resolvers.queue.WorkerCount)
class WorkerCount:
    """Number of workers with a status."""

    status: Annotated[WorkerStatus, "The status."]
    count: Annotated[int, "The number."]


@result_type(resolvers.queue.QueueState)
class QueueState:
    """The state of a workspace's queue."""

    workspace_id: Annotated[ID, "The workspace."]
    boards: list[BoardQueue] = strawberry.field(
        description="Boards with runs in the queue.", directives=[list_size(10, slicing=())]
    )
    workers: list[WorkerCount] = strawberry.field(
        description="Number of registered workers with each status.",
        directives=[list_size(5, slicing=())],
    )


@strawberry.type
class QueueQuery:
    queue: QueueState | None = query_field(queues.queue)


@strawberry.type
class QueueSubscription:
    queue_feed: AsyncGenerator[QueueState, None] = subscription(queues.queue_feed)
