"""What every event says, the interface of each feed, and how the type of one kind of event is made."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import ID

from kit.eventlog.event_log import Cursor
from kit.graphql.types import apply_descriptions
from models.event import EventKind
from models.event import EventKind as Kind
from resolvers.loaders import Relation
from schema.actor import Actor, actor_of_event


def _seq(root: Any) -> int:
    return int(root.seq)


def _cursor(root: Any) -> str:
    return str(Cursor(root.epoch, root.seq))


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
    actor: Actor = strawberry.field(resolver=actor_of_event, description="Who did it.")
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


def found(link: Relation, key: str, text: str) -> Any:
    """A field of an event: the row its data names under `key`, as it is now; null once it is gone."""

    async def resolve(root: Any, info: strawberry.Info) -> Any:
        id = root.data.get(key)
        return None if id is None else await info.context.load(link, id)

    return strawberry.field(resolver=resolve, description=text, metadata={"alike": link.alike})


EVENTS: list[type] = []


def event(kind: Kind) -> Any:
    """Make the type of one kind of event: its values are rows of the log."""

    def wrap(cls: Any) -> Any:
        cls.is_type_of = classmethod(lambda cls, value, info: getattr(value, "kind", None) == kind)
        apply_descriptions(cls)
        made = strawberry.type(cls, description=cls.__doc__)
        EVENTS.append(made)
        return made

    return wrap
