"""A card's timeline: its changes and its messages as one list, newest first.

The database reads both as one list, so a page is one statement however old the card is. An entry has the id of its
message only; the messages of a page are loaded together.
"""

from typing import Annotated, Any

from sqlalchemy import literal, null, select, union_all
from strawberry import Parent

from auth.permissions import sees_card
from kit.eventlog.tables import Event
from models.card import Card
from models.events.card import MessageDeleted, MessageEdited, MessagePosted
from models.events.run import RunProgressed
from models.message import Message
from resolvers.context import Info
from resolvers.pagination import After, Order, Page, PageArgs, PaginatedQuery, load_page

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 20, 50
HIDDEN_KINDS = [cls.kind for cls in (MessagePosted, MessageEdited, MessageDeleted, RunProgressed)]

# `seq` is 0 for a message and `message_id` empty for a change, so that the order is total.
_ENTRIES = union_all(
    select(
        Event.subject.label("card_id"),
        Event.at.label("at"),
        Event.seq.label("seq"),
        literal("").label("message_id"),
        Event.kind.label("kind"),
        Event.actor_kind.label("actor_kind"),
        Event.actor_id.label("actor_id"),
        Event.correlation_id.label("correlation_id"),
        Event.data.label("data"),
    ).where(Event.kind.not_in(HIDDEN_KINDS)),
    select(
        Message.card_id,
        Message.created_at,
        literal(0),
        Message.id,
        literal(""),
        Message.author_kind,
        Message.author_id,
        null(),
        null(),
    ),
).subquery("entry")
_COLUMNS = ("at", "seq", "message_id", "kind", "actor_kind", "actor_id", "correlation_id", "data")
TIMELINE = PaginatedQuery(
    "card.timeline",
    select(*(_ENTRIES.c[name] for name in _COLUMNS)),
    _ENTRIES.c.card_id,
    lambda actor: _ENTRIES.c.card_id.in_(select(Card.id).where(sees_card(actor, Card.board_id, Card.id))),
)
NEWEST = Order("NEWEST", ((_ENTRIES.c.at, True), (_ENTRIES.c.seq, True), (_ENTRIES.c.message_id, True)))


async def timeline_of_card(
    root: Parent[Any],
    info: Info,
    first: Annotated[int | None, "Page size, from the newest entry: 1 to 50; default 20."] = None,
    after: After = None,
) -> Page:
    """Its changes and messages, newest first."""
    size = DEFAULT_PAGE_SIZE if first is None else first
    return await load_page(info.context, TIMELINE, NEWEST, PageArgs(size, after, most=MAX_PAGE_SIZE), root.id)
