"""Reads of a person's notifications."""

from typing import Annotated

from sqlalchemy import ColumnElement, func, select
from strawberry import ID

from actions.notice import sees_notification
from models.notice import Notification, NotificationType
from models.refusal import Invalid
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

NOTIFICATION = Relation[Notification | None](
    select(Notification.__table__), Notification.id, sees_notification
)
NOTIFICATIONS = PaginatedQuery("notifications", select(Notification.__table__), None, sees_notification)
NEWEST = Order("NEWEST", ((Notification.id, True),))


async def notifications(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    unread: Annotated[bool, "Only unread notifications."] = False,
    types: Annotated[list[NotificationType] | None, "Only notifications of these types."] = None,
    board_id: Annotated[ID | None, "Only notifications about this board or its cards."] = None,
) -> Page:
    """Your notifications, newest first. At most 1,000 are kept. Empty for a key."""
    where: list[ColumnElement[bool]] = [Notification.read_at.is_(None)] if unread else []
    if types is not None:
        if len(types) > len(NotificationType):
            raise Invalid(("types", f"must have at most {len(NotificationType)} types"))
        where.append(Notification.type.in_(types))
    if board_id is not None:
        where.append(Notification.board_id == board_id)
    page = PageArgs(first, after, last, before)
    return await load_page(
        info.context, NOTIFICATIONS, NEWEST, page, None, where, f"{unread} {types} {board_id}"
    )


async def unread_count(info: Info) -> int:
    """Number of your unread notifications."""
    query = select(func.count()).select_from(Notification)
    query = query.where(sees_notification(info.context.actor), Notification.read_at.is_(None))
    [row] = await info.context.read(query)
    return int(row[0])
