"""Groups of cards: the types of the story map and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.group
import resolvers.group
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from resolvers import card as cards
from resolvers import group as groups
from resolvers.board import BOARD
from resolvers.group import ACTIVITIES_OF_GROUP, GROUP, WORKFLOWS_OF_BOARD
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.page import Connection
from schema.refusal import Conflict, Stale

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


@node_type("group")
class Group(Node):
    """A group of cards in the story map of a board: a workflow, or an activity of one."""

    board_id: Annotated[ID, "The board."]
    parent_id: Annotated[ID | None, "The workflow it is an activity of; null if it is a workflow."]
    title: Annotated[str, "1 to 100 characters."]
    description: Annotated[str, "Markdown; may be empty."]
    colour: Annotated[str, "#RRGGBB."]
    rank: Annotated[
        str, "A fractional index: orders the groups of its parent, compared byte by byte, smallest first."
    ]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of the last change."]
    board: BoardLater | None = relation_field(BOARD, "board_id", text="The board.")
    parent: Annotated["Group | None", "The workflow it is an activity of."] = relation_field(
        GROUP, "parent_id", text="The workflow it is an activity of."
    )
    activities: list["Group"] = relation_field(
        ACTIVITIES_OF_GROUP, text="Its activities, in order; an activity has none.", size=5
    )
    card_count: int = query_field(groups.card_count_of_group)
    cards: Connection[CardLater] = query_field(
        cards.cards_of_group, directives=[list_size(50, maximum=500, within="StoryMap")]
    )


@result_type(resolvers.group.StoryMap)
class StoryMap:
    """The story map of a board: its groups as a tree. A fixed number of statements reads the whole of it."""

    workflows: list[Group] = relation_field(
        WORKFLOWS_OF_BOARD,
        "board_id",
        text="The workflows, in order. A board has at most 200 groups.",
        size=10,
    )
    ungrouped: Connection[CardLater] = query_field(
        cards.ungrouped_cards, directives=[list_size(50, maximum=500)]
    )


@result_type(actions.group.DeletedGroup)
class DeletedGroup:
    """A group that was deleted."""

    group: Annotated[Group, "The group as it was."]
    card_count: Annotated[int, "Number of cards that were in it or in its activities."]


@strawberry.type
class GroupMutation:
    create_group = mutation(actions.group.create_group, Group, Conflict, requires=Access.BOARD)
    update_group = mutation(actions.group.update_group, Group, Stale, requires=Access.BOARD)
    move_group = mutation(actions.group.move_group, Group, Stale, Conflict, requires=Access.BOARD)
    delete_group = mutation(actions.group.delete_group, DeletedGroup, Stale, Conflict, requires=Access.BOARD)
