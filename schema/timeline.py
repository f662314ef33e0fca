"""A card's history: changes and messages as one list."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import strawberry
from strawberry import ID

from kit.graphql.limits.list_size import list_size
from models.events import EVENT_TYPES, card, knowledge, planned_file, type_name_of
from models.events.base import BaseEvent
from resolvers.message import MESSAGE
from schema.actor import Actor, Change, actor_of_event, change_of
from schema.fields import relation_field
from schema.message import Message


@strawberry.interface(description="One entry of a card's timeline.")
class TimelineEntry:
    at: datetime = strawberry.field(description="The time of the change or message.")
    actor: Actor = strawberry.field(resolver=actor_of_event, description="The author.")


Payload = dict[str, Any]
Pairs = list[tuple[str, Any, Any]]

# The changed fields of events whose payload has no `changes`: name, before, after.
CHANGES: dict[type[BaseEvent], Callable[[Payload], Pairs]] = {
    card.CardCreated: lambda d: [("title", None, d["title"]), ("stage", None, d["stage"])],
    card.CardMoved: lambda d: [
        ("stage", d["from_stage"], d["to_stage"]),
        ("column_id", d["from_column_id"], d["to_column_id"]),
    ],
    card.CardArchived: lambda d: [("archived", False, True)],
    card.CardUnarchived: lambda d: [("archived", True, False)],
    card.LabelAdded: lambda d: [("label_id", None, d["label_id"])],
    card.LabelRemoved: lambda d: [("label_id", d["label_id"], None)],
    card.AssigneeAdded: lambda d: [("assignee_id", None, d["user_id"])],
    card.AssigneeRemoved: lambda d: [("assignee_id", d["user_id"], None)],
    card.CardLinked: lambda d: [(d["link_kind"].lower(), None, d["target_id"])],
    card.CardUnlinked: lambda d: [(d["link_kind"].lower(), d["target_id"], None)],
    card.CardApproved: lambda d: [("approved", False, True)],
    card.CardApprovalWithdrawn: lambda d: [("approved", True, False)],
    knowledge.KnowledgeAdded: lambda d: [("knowledge_id", None, d["knowledge_id"])],
    knowledge.KnowledgeDeleted: lambda d: [("knowledge_id", d["knowledge_id"], None)],
    planned_file.PlannedFileAdded: lambda d: [("planned_file_id", None, d["planned_file_id"])],
    planned_file.PlannedFileDeleted: lambda d: [("planned_file_id", d["planned_file_id"], None)],
    card.SubtaskCreated: lambda d: [("subtask_id", None, d["subtask_id"])],
    card.SubtaskDeleted: lambda d: [("subtask_id", d["subtask_id"], None)],
}


def _type(root: Any) -> str:
    return type_name_of(root.kind)


def _changes(root: Any) -> list[Change]:
    read_changes = CHANGES.get(EVENT_TYPES[root.kind])
    if read_changes is None:
        pairs: Pairs = [(name, *pair) for name, pair in root.data.get("changes", {}).items()]
    else:
        pairs = read_changes(root.data)
    return [change_of(name, before, after) for name, before, after in pairs if before != after]


def _about(root: Any) -> str | None:
    of_card = root.kind.startswith(("CARD", "ASSIGNEE"))
    return None if of_card else root.data.get("title", root.data.get("name"))


@strawberry.type(description="A change to a card.")
class TimelineChange(TimelineEntry):
    type: str = strawberry.field(resolver=_type, description="The name of the event's type: `CardMoved`.")
    about: str | None = strawberry.field(
        resolver=_about,
        description="The title of the subtask, the name of the label, the first line of the knowledge item, or the"
        " path of the planned file; null for a change of the card itself.",
    )
    correlation_id: ID | None = strawberry.field(
        description="Shared by the events of one bulk change; else null."
    )
    changes: list[Change] = strawberry.field(
        resolver=_changes,
        description="Changed fields with their values before and after.",
        directives=[list_size(3, slicing=())],
    )

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return getattr(value, "message_id", None) == ""


@strawberry.type(description="A message on a card.")
class TimelineMessage(TimelineEntry):
    message: Message | None = relation_field(MESSAGE, "message_id", text="The message.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return bool(getattr(value, "message_id", None))


ENTRIES = [TimelineChange, TimelineMessage]
