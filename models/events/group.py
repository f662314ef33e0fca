"""Events of groups."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import BoardEvent, Changes
from models.group import Group

PARENT = "The workflow it is in; null if it is a workflow itself."


class GroupEvent(BoardEvent):
    """A change to a group of the story map."""

    subject_field = "group_id"
    subject_name = (Group, "title")

    group_id: Annotated[Id, "The group."]


class GroupCreated(GroupEvent):
    """A group was created."""

    title: Annotated[str, "Its title at that time."]
    parent_id: Annotated[Id | None, PARENT]
    rank: Annotated[str | None, "Its rank among the groups of its parent."]


class GroupUpdated(GroupEvent):
    """A group's fields were changed."""

    changes: Changes


class GroupMoved(GroupEvent):
    """A group was moved with everything in it."""

    parent_id: Annotated[Id | None, PARENT]
    rank: Annotated[str | None, "Its rank among the groups of its parent."]
    changes: Changes


class GroupDeleted(GroupEvent):
    """A group was deleted with its activities. Its cards were moved or left without a group."""

    title: Annotated[str, "Its title."]
    moved_to: Annotated[Id | None, "The group that its cards were moved to; null: they are in none."]
    activity_ids: Annotated[list[Id], "The activities that were deleted with it."]
    card_ids: Annotated[list[Id], "The cards that were in them."]
