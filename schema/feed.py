"""What clients hear: one object type for each kind of event, under the interface of each feed that tells it."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import models.actor
import models.event
from models.actor import ActorKind
from models.event import EventKind
from models.event import EventKind as Kind
from models.stage import Stage
from resolvers import feed
from resolvers.board import BOARD, COLUMN
from resolvers.card import CARD
from resolvers.loaders import Link
from runtime.feed import Cursor
from runtime.transport.describe import describe, said
from runtime.transport.sizes import list_size
from schema.board import Board, Column
from schema.card import Card
from schema.view import hear, told


@said
class Actor:
    """Who did it."""

    kind: Annotated[ActorKind, "What it is."]
    id: Annotated[ID | None, "Which user or key; null for the system."]


def _seq(root: Any) -> int:
    return int(root.seq)


def _cursor(root: Any) -> str:
    return str(Cursor(root.epoch, root.seq))


def _actor(root: Any) -> Actor:
    return Actor(kind=models.actor.ActorKind(root.actor_kind), id=root.actor_id)


def _kind(root: Any) -> Kind:
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
    kind: EventKind = strawberry.field(resolver=_kind, description="What happened.")
    actor: Actor = strawberry.field(resolver=_actor, description="Who did it.")
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


@strawberry.interface(description="Something that happened to a board itself.")
class AboutBoard(BoardEvent, WorkspaceEvent):
    board_id: ID = told("board_id", "Which board.")
    board: Board | None = found(BOARD, "board_id", "The board as it is now.")


@strawberry.interface(description="Something that happened to a column.")
class AboutColumn(BoardEvent):
    column_id: ID = told("column_id", "Which column.")
    column: Column | None = found(COLUMN, "column_id", "The column as it is now.")


@strawberry.interface(description="Something that happened to a card or on it.")
class AboutCard(BoardEvent):
    card_id: ID = told("card_id", "Which card.")
    card: Card | None = found(CARD, "card_id", "The card as it is now; null once it is deleted.")


@event(Kind.BOARD_CREATED)
class BoardCreated(AboutBoard):
    """A board was made."""


@event(Kind.BOARD_UPDATED)
class BoardUpdated(AboutBoard):
    """A board was changed."""

    changes: list[Change] = changes()


@event(Kind.BOARD_MOVED)
class BoardMoved(AboutBoard):
    """A board stands elsewhere among its workspace's."""


@event(Kind.BOARD_ARCHIVED)
class BoardArchived(AboutBoard):
    """A board was archived."""


@event(Kind.BOARD_UNARCHIVED)
class BoardUnarchived(AboutBoard):
    """A board was brought back."""


@event(Kind.BOARD_DELETED)
class BoardDeleted(AboutBoard):
    """A board was deleted with everything on it. The last event of its feed."""


@event(Kind.COLUMN_CREATED)
class ColumnCreated(AboutColumn):
    """A column was added."""


@event(Kind.COLUMN_UPDATED)
class ColumnUpdated(AboutColumn):
    """A column was changed."""

    changes: list[Change] = changes()


@event(Kind.COLUMN_MOVED)
class ColumnMoved(AboutColumn):
    """A column stands elsewhere."""


@event(Kind.COLUMN_DELETED)
class ColumnDeleted(AboutColumn):
    """A column was deleted, and its cards moved or deleted with it."""

    moved_to: ID | None = told("moved_to", "The column its cards went to; null if they were deleted.")
    card_ids: list[ID] = told("card_ids", "The cards that stood in it.")


@event(Kind.CARD_CREATED)
class CardCreated(AboutCard):
    """A card was made."""


@event(Kind.CARD_UPDATED)
class CardUpdated(AboutCard):
    """A card was changed."""

    changes: list[Change] = changes()


@event(Kind.CARD_MOVED)
class CardMoved(AboutCard):
    """A card was moved."""

    from_column_id: ID = told("from_column_id", "The column it left.")
    from_stage: Stage = told("from_stage", "The stage it left.")
    to_column_id: ID = told("to_column_id", "The column it stands in.")
    to_stage: Stage = told("to_stage", "The stage it stands in.")


@event(Kind.CARD_ARCHIVED)
class CardArchived(AboutCard):
    """A card was archived."""


@event(Kind.CARD_UNARCHIVED)
class CardUnarchived(AboutCard):
    """A card was brought back."""


@event(Kind.CARD_DELETED)
class CardDeleted(AboutCard):
    """A card was deleted."""

    title: str = told("title", "What it was called.")


@strawberry.type
class FeedSubscription:
    board_feed: AsyncGenerator[BoardEvent, None] = hear(feed.board_feed)
    workspace_feed: AsyncGenerator[WorkspaceEvent, None] = hear(feed.workspace_feed)
    user_feed: AsyncGenerator[UserEvent, None] = hear(feed.user_feed)
