"""Workers: their type, commands, mutations and subscription."""

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
from models.run import CommandKind, MessageMode, RunKind
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
    """A program that claims runs and executes them."""

    workspace_id: Annotated[ID, "The workspace it belongs to."]
    name: Annotated[str, "1 to 100 characters, unique in the workspace."]
    program: Annotated[str, "Name and version of the program, as reported."]
    status: WorkerStatus = query_field(workers.status_of_worker)
    executors: Annotated[list[AgentProgram], "Agent programs it can run."]
    kinds: Annotated[list[RunKind], "Kinds of runs it executes; empty: all."]
    capabilities: list[Capability] = query_field(
        workers.capabilities_of_worker, directives=[list_size(5, slicing=(), maximum=MAX_CAPABILITIES)]
    )
    repositories: Annotated[list[str] | None, "Repositories it has or may clone; null: any."]
    max_concurrent: Annotated[int, "Maximum number of runs it holds at once."]
    held: int = query_field(workers.held_by_worker)
    metrics: Annotated[JSON | None, "The metrics it last reported; null if none."]
    error: Annotated[str | None, "The fault it last reported; null if none."]
    heard_at: Annotated[datetime, "Time of its last heartbeat."]
    deregistered_at: Annotated[datetime | None, "Time when it was deregistered; null if it is registered."]
    owner: Actor = strawberry.field(
        resolver=_owner,
        description="The person or API key that registered it. Only the owner may act for it.",
    )
    board: Board | None = relation_field(
        BOARD, "board_id", text="The only board it works on; null: every board."
    )
    version: Annotated[int, "Increases by one with every change of its registration."]
    created_at: Annotated[datetime, "Time of its first registration."]


@result_type(resolvers.worker.AnsweredQuestion)
class AnsweredQuestion:
    """The answer to a question."""

    key: Annotated[str, "The key that the agent gave the question."]
    answer: Annotated[list[str], "The chosen options and other text; empty if nobody answered."]


def _command_id(root: Any) -> ID:
    return ID(root.id)


@strawberry.type(description="An instruction to a worker about a run it holds.")
class Command:
    command_id: ID = strawberry.field(resolver=_command_id, description="The id, for `acknowledgeCommand`.")
    run_id: ID = strawberry.field(description="The run.")
    attempt: int = strawberry.field(description="The attempt; later attempts ignore the command.")
    kind: CommandKind = strawberry.field(description="The action to take.")
    key: str = strawberry.field(
        description="For ANSWER, the key of the answered questions; for MESSAGE, the message; else the kind."
    )
    reason: str | None = query_field(workers.reason_of_command)
    body: str | None = query_field(workers.body_of_command)
    mode: MessageMode | None = query_field(workers.mode_of_command)
    answers: list[AnsweredQuestion] = query_field(
        workers.answers_of_command, directives=[list_size(2, slicing=())]
    )
    created_at: datetime = strawberry.field(description="Time when it was sent.")
    acknowledged_at: datetime | None = strawberry.field(
        description="Time when the worker acknowledged it; null until then."
    )

    @classmethod
    def is_type_of(cls, value: Any, info: strawberry.Info) -> bool:
        return str(getattr(value, "id", "")).startswith("command_")


@result_type(actions.worker.Extended)
class LeaseBeat:
    """The state of a lease after a heartbeat."""

    run_id: Annotated[ID, "The run."]
    attempt: Annotated[int, "The attempt."]
    until: Annotated[datetime | None, "End of the lease; null if it is lost."]
    lost: Annotated[bool, "Whether the lease is lost: stop, and discard the work."]


@result_type(actions.worker.WorkerBeat)
class WorkerBeat:
    """The response to a heartbeat."""

    worker: Annotated[Worker, "The worker."]
    leases: list[LeaseBeat] = strawberry.field(
        description="The leases of the request, in the same order.",
        directives=[list_size(1, slicing=(), maximum=MAX_AT_ONCE)],
    )
    commands: list[Command] = strawberry.field(
        description="Unacknowledged commands, oldest first. See `acknowledgeCommand`.",
        directives=[list_size(2, slicing=())],
    )


@strawberry.type
class WorkerQuery:
    worker: Worker | None = query_field(workers.worker)
    workers: list[Worker] = query_field(workers.workers, directives=[list_size(MAX_WORKERS, slicing=())])


@strawberry.type
class WorkerMutation:
    register_worker = mutation(actions.worker.register_worker, Worker, Conflict, requires=Access.WORKER)
    worker_heartbeat = mutation(actions.worker.worker_heartbeat, WorkerBeat, Conflict, requires=Access.AUTHOR)
    deregister_worker = mutation(actions.worker.deregister_worker, Worker, requires=Access.ADMIN)
    acknowledge_command = mutation(
        actions.worker.acknowledge_command, Command, LeaseLost, requires=Access.PERSON
    )


@strawberry.type
class WorkerSubscription:
    worker_commands: AsyncGenerator[Command, None] = subscription(workers.worker_commands)
