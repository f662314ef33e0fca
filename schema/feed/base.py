"""What every event says, the interface of each feed, and how the type of one kind of event is made."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import models.actor
import models.event
from models.actor import ActorKind
from models.event import EventKind
from models.event import EventKind as Kind
from resolvers.loaders import Link
from runtime.feed import Cursor
from runtime.transport.describe import describe, said
from runtime.transport.sizes import list_size


@said
class Actor:
    """Who did it."""

    kind: Annotated[ActorKind, "What it is."]
    id: Annotated[ID | None, "Which user or key; null for the system."]


def _seq(root: Any) -> int:
    return int(root.seq)


def _cursor(root: Any) -> str:
    return str(Cursor(root.epoch, root.seq))


def actor_of(root: Any) -> Actor:
    return Actor(kind=models.actor.ActorKind(root.actor_kind), id=root.actor_id)


def kind_of(root: Any) -> Kind:
    return Kind(root.kind)


@strawberry.interface(description="Something that happened. Every item of every feed is one.")
class FeedEvent:
    seq: int = strawberry.field(
        resolver=_seq, description="Its number on this feed: the one before plus one."
    )
    cursor: str = strawberry.field(
        resolver=_cursor, description="Pass it as `after` to go on behind this event."
    )
    at: datetime = strawberry.field(description="When it was done.")
    kind: EventKind = strawberry.field(resolver=kind_of, description="What happened.")
    actor: Actor = strawberry.field(resolver=actor_of, description="Who did it.")
    request_id: str | None = strawberry.field(
        description="The request that did it, as in its answer's headers."
    )
    batch: ID | None = strawberry.field(description="Shared by the events of one bulk change.")


@strawberry.interface(description="Something that happened on a board.")
class BoardEvent(FeedEvent):
    pass


@strawberry.interface(description="Something that happened in a workspace.")
class WorkspaceEvent(FeedEvent):
    pass


@strawberry.interface(description="Something that concerns a person.")
class UserEvent(FeedEvent):
    pass


def found(link: Link, key: str, text: str) -> Any:
    """A field of an event: the row its data names under `key`, as it is now; null once it is gone."""

    async def resolve(root: Any, info: strawberry.Info) -> Any:
        id = root.data.get(key)
        return None if id is None else await info.context.load(link, id)

    return strawberry.field(resolver=resolve, description=text)


@said
class Change:
    """One field that was changed."""

    field: Annotated[str, "Its name, as the schema spells it."]
    before: Annotated[str | None, "What it was, as text."]
    after: Annotated[str | None, "What it is, as text."]


def _changes(root: Any) -> list[Change]:
    return [
        Change(field=_camel(name), before=_text(before), after=_text(after))
        for name, (before, after) in root.data.get("changes", {}).items()
    ]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _text(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def changes() -> Any:
    text = "What was changed, field by field."
    return strawberry.field(resolver=_changes, description=text, directives=[list_size(3, slicing=())])


EVENTS: list[type] = []


def event(kind: Kind) -> Any:
    """Make the type of one kind of event: its values are rows of the log."""

    def wrap(cls: Any) -> Any:
        cls.is_type_of = classmethod(lambda cls, value, info: getattr(value, "kind", None) == kind)
        describe(cls)
        made = strawberry.type(cls, description=cls.__doc__)
        EVENTS.append(made)
        return made

    return wrap
