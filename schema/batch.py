"""Batches of runs: their type and mutations."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import actions.batch
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
    """Number of runs of a batch in each status."""

    queued: Annotated[int, "Runs that wait for a worker."]
    claimed: Annotated[int, "Runs that a worker holds and whose agent has not reported yet."]
    running: Annotated[int, "Runs whose agent is at work."]
    waiting: Annotated[int, "Runs that wait for people or for other things."]
    succeeded: Annotated[int, "Runs that succeeded."]
    failed: Annotated[int, "Runs that failed for good."]
    cancelled: Annotated[int, "Runs that were stopped."]


@node_type("batch")
class RunBatch(Node):
    """Runs that were started together: one on each of several cards, or siblings on one card, for comparison."""

    board_id: Annotated[ID, "The board."]
    kind: Annotated[RunKind, "The kind of work."]
    instruction: Annotated[str | None, "Instruction for each agent besides its card; null if there is none."]
    size: Annotated[int, "Number of runs that were started."]
    created_at: Annotated[datetime, "Time of their start."]
    ended_at: Annotated[
        datetime | None,
        "Time when the last of them ended, also if its card was deleted; null while a run is active.",
    ]
    status: BatchStatus = query_field(batches.status_of_batch)
    counts: BatchCounts = query_field(batches.counts_of_batch)
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    created_by: User | None = relation_field(
        USER, "created_by", text="The person who started them; null for API keys."
    )
    runs: list[Run] = relation_field(
        RUNS_OF_BATCH,
        text="Its runs in the order they were requested, at most 50: of a run and its retries, the newest.",
        size=10,
    )


@strawberry.type
class BatchQuery:
    batch: RunBatch | None = query_field(batches.batch)


@strawberry.type
class BatchMutation:
    start_batch = mutation(actions.batch.start_batch, RunBatch, StageRefused, Conflict, requires=Access.BOARD)
    stop_batch = mutation(actions.batch.stop_batch, RunBatch, Conflict, requires=Access.BOARD)
    retry_batch = mutation(actions.batch.retry_batch, RunBatch, StageRefused, Conflict, requires=Access.BOARD)
