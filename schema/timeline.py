"""What clients hear of a card's history: changes and messages, as one list."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import strawberry
from strawberry import ID

from kit.graphql.limits.list_size import list_size
from models.event import EventKind
from models.event import EventKind as Kind
from resolvers.message import MESSAGE
from schema.actor import Actor, Change, actor_of_event, change_of
from schema.fields import relation_field
from schema.message import Message


@strawberry.interface(description="One entry of a card's timeline.")
class TimelineEntry:
    at: datetime = strawberry.field(description="When it was done or said.")
    actor: Actor = strawberry.field(resolver=actor_of_event, description="Who did or said it.")


Told = dict[str, Any]
Pairs = list[tuple[str, Any, Any]]

# What an event changed, where its data does not say so field by field: name, before, after.
CHANGES: dict[Kind, Callable[[Told], Pairs]] = {
    Kind.CARD_CREATED: lambda d: [("title", None, d["title"]), ("stage", None, d["stage"])],
    Kind.CARD_MOVED: lambda d: [
        ("stage", d["from_stage"], d["to_stage"]),
        ("column_id", d["from_column_id"], d["to_column_id"]),
    ],
    Kind.CARD_ARCHIVED: lambda d: [("archived", False, True)],
    Kind.CARD_UNARCHIVED: lambda d: [("archived", True, False)],
    Kind.LABEL_ADDED: lambda d: [("label_id", None, d["label_id"])],
    Kind.LABEL_REMOVED: lambda d: [("label_id", d["label_id"], None)],
    Kind.ASSIGNEE_ADDED: lambda d: [("assignee_id", None, d["user_id"])],
    Kind.ASSIGNEE_REMOVED: lambda d: [("assignee_id", d["user_id"], None)],
    Kind.CARD_LINKED: lambda d: [(d["link_kind"].lower(), None, d["target_id"])],
    Kind.CARD_UNLINKED: lambda d: [(d["link_kind"].lower(), d["target_id"], None)],
    Kind.SUBTASK_CREATED: lambda d: [("subtask_id", None, d["subtask_id"])],
    Kind.SUBTASK_DELETED: lambda d: [("subtask_id", d["subtask_id"], None)],
}


def _kind(root: Any) -> Kind:
    return Kind(root.kind)


def _changes(root: Any) -> list[Change]:
    told = CHANGES.get(root.kind)
    if told is None:
        pairs: Pairs = [(name, *pair) for name, pair in root.data.get("changes", {}).items()]
    else:
        pairs = told(root.data)
    return [change_of(name, before, after) for name, before, after in pairs if before != after]


def _about(root: Any) -> str | None:
    of_card = root.kind.startswith(("CARD", "ASSIGNEE"))
    return None if of_card else root.data.get("title", root.data.get("name"))


@strawberry.type(description="Something that was changed on a card.")
class TimelineChange(TimelineEntry):
    kind: EventKind = strawberry.field(resolver=_kind, description="What happened.")
    about: str | None = strawberry.field(
        resolver=_about, description="The title of the subtask or the name of the label it is about."
    )
    batch: ID | None = strawberry.field(description="Shared by the events of one bulk change.")
    changes: list[Change] = strawberry.field(
        resolver=_changes,
        description="What was changed, field by field, before and after.",
        directives=[list_size(3, slicing=())],
    )

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return getattr(value, "message_id", None) == ""


@strawberry.type(description="Something that was said on a card.")
class TimelineMessage(TimelineEntry):
    message: Message | None = relation_field(MESSAGE, "message_id", text="What was said.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return bool(getattr(value, "message_id", None))


ENTRIES = [TimelineChange, TimelineMessage]
