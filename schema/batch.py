"""What clients may say and hear about batches of runs."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

from auth.permissions import Access
from kit.graphql.types import Node, object_type
from models.batch import BatchStatus
from models.run import RunKind
from resolvers import batch as batches
from resolvers.board import BOARD
from resolvers.run import RUNS_OF_BATCH
from resolvers.workspace import USER
from schema.account import User
from schema.board import Board
from schema.fields import mutation, node_type, query_field, relation_field
from schema.refusal import Conflict, StageRefused
from schema.run import Run


@object_type
class BatchCounts:
    """How many runs of a batch are in each state."""

    queued: Annotated[int, "That wait for a worker."]
    claimed: Annotated[int, "That a worker has, and whose agent has not said anything yet."]
    running: Annotated[int, "Whose agent is at work."]
    waiting: Annotated[int, "That wait for people or for other things."]
    succeeded: Annotated[int, "That are done."]
    failed: Annotated[int, "That failed for good."]
    cancelled: Annotated[int, "That were stopped."]


@node_type("batch")
class RunBatch(Node):
    """Runs that were started together: one on each of several cards, or siblings on one card, to be compared."""

    board_id: Annotated[ID, "On which board."]
    kind: Annotated[RunKind, "What is to be done."]
    instruction: Annotated[str | None, "What each agent is told besides its card."]
    size: Annotated[int, "How many runs were started."]
    created_at: Annotated[datetime, "When they were."]
    ended_at: Annotated[
        datetime | None, "When the last of them ended, deleted or not; null while one is active."
    ]
    status: BatchStatus = query_field(batches.status_of_batch)
    counts: BatchCounts = query_field(batches.counts_of_batch)
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    created_by: User | None = relation_field(USER, "created_by", text="Who asked for them; null for keys.")
    runs: list[Run] = relation_field(
        RUNS_OF_BATCH,
        text="Its runs, in the order they were asked for, at most 50: of one that was tried again, the newest.",
        size=10,
    )


@strawberry.type
class BatchQuery:
    batch: RunBatch | None = query_field(batches.batch)


@strawberry.type
class BatchMutation:
    start_batch = mutation(batches.start_batch, RunBatch, StageRefused, Conflict, requires=Access.BOARD)
    stop_batch = mutation(batches.stop_batch, RunBatch, Conflict, requires=Access.BOARD)
    retry_batch = mutation(batches.retry_batch, RunBatch, StageRefused, Conflict, requires=Access.BOARD)
