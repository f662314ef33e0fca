"""What clients may say and hear about workers."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

import actions.worker
import resolvers.worker
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.run import CommandKind, RunKind
from models.worker import MAX_AT_ONCE, MAX_CAPABILITIES, MAX_WORKERS, AgentProgram, WorkerStatus
from resolvers import worker as workers
from resolvers.board import BOARD
from schema.actor import Actor, actor_of
from schema.board import Board
from schema.fields import mutation, node_type, query_field, relation_field, result_type, subscription
from schema.profile import Capability
from schema.refusal import Conflict, LeaseLost


def _owner(root: strawberry.Parent[Any]) -> Actor:
    return actor_of(*workers.owner_of(root))


@node_type("worker")
class Worker(Node):
    """A program that claims runs and works them."""

    workspace_id: Annotated[ID, "Whose it is."]
    name: Annotated[str, "Unique in the workspace."]
    program: Annotated[str, "Its name and version, as it says."]
    status: WorkerStatus = query_field(workers.status_of_worker)
    executors: Annotated[list[AgentProgram], "Which agent programs it has."]
    kinds: Annotated[list[RunKind], "Which kinds of runs it takes; none named: all."]
    capabilities: list[Capability] = query_field(
        workers.capabilities_of_worker, directives=[list_size(5, slicing=(), maximum=MAX_CAPABILITIES)]
    )
    max_concurrent: Annotated[int, "How many runs it holds at once."]
    held: int = query_field(workers.held_by_worker)
    metrics: Annotated[JSON | None, "What it last said of itself."]
    error: Annotated[str | None, "What is wrong with it, as it says."]
    heard_at: Annotated[datetime, "When it was last heard."]
    deregistered_at: Annotated[datetime | None, "When it left."]
    owner: Actor = strawberry.field(
        resolver=_owner, description="Who registered it, and alone speaks for it."
    )
    board: Board | None = relation_field(
        BOARD, "board_id", text="The only board it works on; null for every board."
    )
    version: Annotated[int, "Grows by one with every change of what it says it is."]
    created_at: Annotated[datetime, "When it was first registered."]


@result_type(resolvers.worker.Answered)
class AnsweredQuestion:
    """What a question was answered."""

    key: Annotated[str, "The asker's name for the question."]
    answer: Annotated[list[str], "The options that were chosen and what was said besides; empty: nothing."]


@result_type(resolvers.worker.Command)
class Command:
    """Something a worker is to do about a run it holds."""

    id: Annotated[ID, "For `acknowledgeCommand`."]
    run_id: Annotated[ID, "About which run."]
    attempt: Annotated[int, "For whoever holds this attempt, and for nobody after."]
    kind: Annotated[CommandKind, "What to do."]
    key: Annotated[str, "Of the questions that were answered; else the kind."]
    reason: Annotated[str | None, "Why, for STOP."]
    answers: list[AnsweredQuestion] = strawberry.field(
        description="What was answered, for ANSWER.", directives=[list_size(2, slicing=())]
    )
    created_at: Annotated[datetime, "When it was given."]
    acknowledged_at: Annotated[datetime | None, "When the worker said that it heard."]


@result_type(actions.worker.Extended)
class LeaseBeat:
    """What became of a lease that a heartbeat named."""

    run_id: Annotated[ID, "Of which run."]
    attempt: Annotated[int, "Which attempt."]
    until: Annotated[datetime | None, "Until when it holds; null: it is lost."]
    lost: Annotated[bool, "Whether the run is not the worker's any more: stop, and discard the work."]


@result_type(actions.worker.WorkerBeat)
class WorkerBeat:
    """The answer to a heartbeat."""

    worker: Annotated[Worker, "The worker."]
    leases: list[LeaseBeat] = strawberry.field(
        description="The leases it named, in the same order.",
        directives=[list_size(1, slicing=(), maximum=MAX_AT_ONCE)],
    )
    commands: list[Command] = query_field(workers.commands_of_beat, directives=[list_size(2, slicing=())])


@strawberry.type
class WorkerQuery:
    worker: Worker | None = query_field(workers.worker)
    workers: list[Worker] = query_field(workers.workers, directives=[list_size(MAX_WORKERS, slicing=())])


@strawberry.type
class WorkerMutation:
    register_worker = mutation(workers.register_worker, Worker, Conflict, requires=Access.WORKER)
    worker_heartbeat = mutation(workers.worker_heartbeat, WorkerBeat, Conflict, requires=Access.AUTHOR)
    deregister_worker = mutation(workers.deregister_worker, Worker, requires=Access.ADMIN)
    acknowledge_command = mutation(workers.acknowledge_command, Command, LeaseLost, requires=Access.PERSON)


@strawberry.type
class WorkerSubscription:
    worker_commands: AsyncGenerator[Command, None] = subscription(workers.worker_commands)
