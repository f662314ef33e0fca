"""What clients may say and hear about subtasks."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

from auth.permissions import Access
from kit.graphql.types import Node, object_type
from resolvers import subtask as subtasks
from resolvers.card import CARD
from schema.actor import Actor, actor_named
from schema.fields import mutation, node_type, relation_field
from schema.refusal import Conflict, Stale

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


def _ticker(root: Any) -> Actor | None:
    return actor_named(root.completed_by)


@node_type("subtask")
class Subtask(Node):
    """A step of a card's work."""

    card_id: Annotated[ID, "Of which card."]
    title: Annotated[str, "1 to 255 characters."]
    completed: Annotated[bool, "Whether it is done."]
    completed_at: Annotated[datetime | None, "When it was ticked."]
    completed_by: Actor | None = strawberry.field(resolver=_ticker, description="Who ticked it.")
    phase: Annotated[str | None, "The phase it belongs to."]
    phase_order: Annotated[int, "The phase's number: phases follow one another by it. 0 without a phase."]
    rank: Annotated[str, "Its place in the phase: the smaller stands first, compared byte by byte."]
    version: Annotated[int, "Grows by one with every change."]
    created_at: Annotated[datetime, "When it was made."]
    updated_at: Annotated[datetime, "When it was last changed."]
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")


@object_type
class SubtaskCount:
    """How far a card's subtasks are."""

    done: Annotated[int, "How many are done."]
    total: Annotated[int, "How many there are."]


@strawberry.type
class SubtaskMutation:
    add_subtask = mutation(subtasks.add_subtask, Subtask, Conflict, requires=Access.BOARD)
    update_subtask = mutation(subtasks.update_subtask, Subtask, Stale, requires=Access.BOARD)
    move_subtask = mutation(subtasks.move_subtask, Subtask, requires=Access.BOARD)
    delete_subtask = mutation(subtasks.delete_subtask, Subtask, Stale, requires=Access.BOARD)
