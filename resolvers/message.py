"""Reads of messages."""

from sqlalchemy import func, select
from strawberry import Parent

from auth.permissions import sees_card
from models.card import Card
from models.message import Message
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page
from resolvers.workspace import CountRow

MESSAGE = Relation(
    select(Message.__table__),
    Message.id,
    lambda actor: sees_card(actor, Message.board_id, Message.card_id),
    viewer_independent=True,
)
MESSAGE_COUNT = Relation(
    select(func.count().label("count")).where(Message.deleted_at.is_(None)),
    Message.card_id,
    lambda actor: sees_card(actor, Message.board_id, Message.card_id),
    group=True,
    viewer_independent=True,
)
MESSAGES_OF_CARD = PaginatedQuery(
    "card.messages",
    select(Message.__table__),
    Message.card_id,
    lambda actor: sees_card(actor, Message.board_id, Message.card_id),
)


OLDEST = Order("OLDEST", ((Message.created_at, False), (Message.id, False)))


async def messages_of_card(
    root: Parent[Card],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """Its messages, oldest first; `last` reads from the newest. Deleted messages keep their place."""
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, MESSAGES_OF_CARD, OLDEST, page, root.id)


@batched(MESSAGE_COUNT, "id")
def message_count(root: Card, row: CountRow | None) -> int:
    """The number of its messages without deleted ones."""
    return row.count if row else 0
