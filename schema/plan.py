"""Plans: the types, and the mutations that apply, propose and decide them."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

import actions.plan
import resolvers.plan
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.plan import MAX_ACTIONS, ChangeKind, PlanStatus
from models.plan import PlanBatch as PlanRow
from resolvers import plan as plans
from resolvers.board import BOARD
from resolvers.run import RUN
from schema.actor import Actor, actor_named
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import Conflict, PlanRejected, Stale

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


def _of_change(name: str, text: str) -> Any:
    def resolve(root: strawberry.Parent[Any]) -> Any:
        return root[name]

    return strawberry.field(resolver=resolve, description=text)


@strawberry.type(description="The effect of one action of a plan.")
class PlanChange:
    index: int = _of_change("index", "The place of its action in the plan, from 0.")
    action: str = _of_change("action", "The kind of its action: `createCard`.")
    change: ChangeKind = _of_change("change", "The effect.")
    changed_id: ID | None = _of_change(
        "id", "The id of what it changed; null for what a preview would create."
    )
    temp_id: str | None = _of_change("temp_id", "The temporary id of what it creates; null: none.")
    title: str = _of_change("title", "The title, path or text of what it changed, at most 200 characters.")


def _count(name: str, text: str) -> Any:
    def resolve(root: strawberry.Parent[Any]) -> int:
        return int(root[name])

    return strawberry.field(resolver=resolve, description=text)


@strawberry.type(description="Numbers of changes of a plan.")
class PlanSummary:
    created: int = _count("created", "Things created.")
    updated: int = _count("updated", "Things updated.")
    moved: int = _count("moved", "Things moved.")
    deleted: int = _count("deleted", "Things deleted.")


@result_type(resolvers.plan.PlanPreview)
class PlanPreview:
    """The changes that a plan would make now. Nothing was changed."""

    changes: list[PlanChange] = strawberry.field(
        description="One for each action, in order.",
        directives=[list_size(20, maximum=MAX_ACTIONS, slicing=())],
    )
    summary: PlanSummary = query_field(plans.summary_of_plan)


def _author(root: PlanRow) -> Actor | None:
    return actor_named(root.author_id)


def _decider(root: PlanRow) -> Actor | None:
    return actor_named(root.decided_by)


@node_type("plan")
class PlanBatch(Node):
    """A plan: ordered actions on a board that were applied together, were proposed, or were rejected."""

    board_id: Annotated[ID, "The board."]
    run_id: Annotated[ID | None, "The run whose agent proposed it; null: none."]
    message: Annotated[str, "Its purpose, Markdown; may be empty."]
    status: Annotated[PlanStatus, "Its status."]
    actions: Annotated[JSON, "Its actions as they were sent: a list of `PlanActionInput`."]
    changes: list[PlanChange] = strawberry.field(
        description="One for each action once it is ACCEPTED, in order; else empty.",
        directives=[list_size(20, maximum=MAX_ACTIONS, slicing=())],
    )
    summary: PlanSummary = query_field(plans.summary_of_plan)
    refused_index: Annotated[int | None, "The place of the refused action, from 0; null if none was refused."]
    reason_code: Annotated[str | None, "The code of that refusal; null if none was refused."]
    reason: Annotated[str | None, "For REJECTED: the reason, for people; else null."]
    author: Actor | None = strawberry.field(resolver=_author, description="The author; null if unknown.")
    decided_by: Actor | None = strawberry.field(
        resolver=_decider, description="The actor who accepted or rejected it; null while it is PROPOSED."
    )
    decided_at: Annotated[datetime | None, "Time of the decision; null while it is PROPOSED."]
    created_at: Annotated[datetime, "Time of creation."]
    version: Annotated[int, "Increases by one with each change."]
    board: BoardLater | None = relation_field(BOARD, "board_id", text="The board.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run whose agent proposed it; null: none.")


@strawberry.type
class PlanMutation:
    plan_batch = mutation(
        plans.plan_batch, PlanBatch, PlanPreview, PlanRejected, Stale, requires=Access.BOARD
    )
    propose_plan = mutation(plans.propose_plan, PlanBatch, requires=Access.AGENT)
    accept_plan = mutation(plans.accept_plan, PlanBatch, PlanRejected, Conflict, requires=Access.BOARD)
    reject_plan = mutation(actions.plan.reject_plan, PlanBatch, Conflict, requires=Access.BOARD)
