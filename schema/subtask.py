"""Subtasks of cards: the type and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.subtask
from auth.permissions import Access
from kit.graphql.types import Node, object_type
from models.card import Subtask as SubtaskRow
from resolvers.card import CARD
from schema.actor import Actor, actor_named
from schema.fields import mutation, node_type, relation_field
from schema.refusal import Conflict, Stale

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


def _completer(root: SubtaskRow) -> Actor | None:
    return actor_named(root.completed_by)


@node_type("subtask")
class Subtask(Node):
    """A step of a card's work."""

    card_id: Annotated[ID, "The card."]
    title: Annotated[str, "1 to 255 characters."]
    completed: Annotated[bool, "True if it is done."]
    completed_at: Annotated[datetime | None, "Time of completion; null while it is open."]
    completed_by: Actor | None = strawberry.field(
        resolver=_completer, description="The actor who completed it."
    )
    phase: Annotated[str | None, "The name of its phase; null: none."]
    phase_order: Annotated[int, "The number of its phase, by which phases are ordered; 0 without a phase."]
    rank: Annotated[str, "A fractional index: orders its phase, compared byte by byte, smallest first."]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of the last change."]
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")


@object_type
class SubtaskCount:
    """The number of a card's subtasks."""

    done: Annotated[int, "Subtasks that are done."]
    total: Annotated[int, "All subtasks."]


@strawberry.type
class SubtaskMutation:
    add_subtask = mutation(actions.subtask.add_subtask, Subtask, Conflict, requires=Access.BOARD)
    update_subtask = mutation(actions.subtask.update_subtask, Subtask, Stale, requires=Access.BOARD)
    move_subtask = mutation(actions.subtask.move_subtask, Subtask, requires=Access.BOARD)
    delete_subtask = mutation(actions.subtask.delete_subtask, Subtask, Stale, requires=Access.BOARD)
