"""How messages are answered, and the adapters of their changes."""

from typing import Annotated, Any

from sqlalchemy import func, select
from strawberry import ID, Parent

import actions.message
from auth.permissions import sees_card
from kit.graphql.arguments import IfVersion
from models.message import Message
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

MESSAGE = Relation(
    select(Message.__table__),
    Message.id,
    lambda actor: sees_card(actor, Message.board_id, Message.card_id),
    alike=True,
)
MESSAGE_COUNT = Relation(
    select(func.count().label("count")).where(Message.deleted_at.is_(None)),
    Message.card_id,
    lambda actor: sees_card(actor, Message.board_id, Message.card_id),
    group=True,
    alike=True,
)
MESSAGES_OF_CARD = PaginatedQuery(
    "card.messages",
    select(Message.__table__),
    Message.card_id,
    lambda actor: sees_card(actor, Message.board_id, Message.card_id),
)
OLDEST = Order("OLDEST", ((Message.created_at, False), (Message.id, False)))


async def messages_of_card(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """What was said on it, oldest first; `last` reads from the newest. Deleted ones keep their place."""
    ask = PageArgs(first, after, last, before)
    return await load_page(info.context, MESSAGES_OF_CARD, OLDEST, ask, root.id)


@batched(MESSAGE_COUNT, "id")
def message_count(root: Any, row: Any) -> int:
    """How many messages it has, deleted ones not counted."""
    return row.count if row else 0


async def post_message(
    info: Info,
    card_id: Annotated[ID, "On which card."],
    body: Annotated[str, "Markdown: 1 to 10,000 characters."],
) -> Any:
    """Say something on a card."""
    async with info.context.transaction() as tx:
        return await actions.message.post_message(tx, info.context.actor, card_id, body)


async def edit_message(
    info: Info,
    id: Annotated[ID, "Which message, of your own."],
    body: Annotated[str, "Markdown: 1 to 10,000 characters."],
    if_version: IfVersion = None,
) -> Any:
    """Change what you said. It shows when it was edited."""
    async with info.context.transaction() as tx:
        return await actions.message.edit_message(tx, info.context.actor, id, body, if_version=if_version)


async def delete_message(
    info: Info,
    id: Annotated[ID, "Which message: your own, or anybody's if you are an admin."],
    if_version: IfVersion = None,
) -> Any:
    """Take back what was said: the text is gone, the place stays. Answers the message without its text.

    Agents that were told it before go on with it; `run.prompt` does not show it any more. Sent back with it
    (`rejectCard`), a run keeps it as its `instruction`, and who was named in it has the notification.
    """
    async with info.context.transaction() as tx:
        return await actions.message.delete_message(tx, info.context.actor, id, if_version=if_version)
