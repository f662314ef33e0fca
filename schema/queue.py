"""What clients may say and hear about the queue of a workspace."""

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
    """What is in the queue of one board and priority."""

    priority: Priority = strawberry.field(resolver=queues.priority_of, description="How urgent.")
    queued: Annotated[int, "Runs that may be claimed now."]
    delayed: Annotated[int, "Runs that are not due yet."]
    active: Annotated[int, "Runs that workers are at."]
    waiting: Annotated[int, "Runs that wait for something, with a worker or without."]
    dead: Annotated[int, "Runs that were given up in the last 24 hours."]
    oldest_at: Annotated[datetime | None, "Since when the oldest that may be claimed could be."]


@result_type(resolvers.queue.BoardQueue)
class BoardQueue:
    """What is in the queue of one board, all priorities together."""

    board_id: Annotated[ID, "Of which board."]
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    queued: Annotated[int, "Runs that may be claimed now."]
    delayed: Annotated[int, "Runs that are not due yet."]
    active: Annotated[int, "Runs that workers are at."]
    waiting: Annotated[int, "Runs that wait for something, with a worker or without."]
    dead: Annotated[int, "Runs that were given up in the last 24 hours."]
    oldest_at: Annotated[datetime | None, "Since when the oldest that may be claimed could be."]
    priorities: list[PriorityQueue] = strawberry.field(
        description="The same by priority, the most urgent first.", directives=[list_size(5, slicing=())]
    )


@result_type(resolvers.queue.WorkerCount)
class WorkerCount:
    """How many workers are in a state."""

    status: Annotated[WorkerStatus, "Which state."]
    count: Annotated[int, "How many."]


@result_type(resolvers.queue.QueueState)
class QueueState:
    """The queue of a workspace as it is now."""

    workspace_id: Annotated[ID, "Of which workspace."]
    boards: list[BoardQueue] = strawberry.field(
        description="The boards that have anything in the queue.", directives=[list_size(10, slicing=())]
    )
    workers: list[WorkerCount] = strawberry.field(
        description="How many workers are in each state; those that have left are not counted.",
        directives=[list_size(5, slicing=())],
    )


@strawberry.type
class QueueQuery:
    queue: QueueState | None = query_field(queues.queue)


@strawberry.type
class QueueSubscription:
    queue_feed: AsyncGenerator[QueueState, None] = subscription(queues.queue_feed)
