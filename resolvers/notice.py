"""How a person's notifications are answered, and the adapters of what the person does with them."""

from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import and_, func, select
from strawberry import ID

import actions.notice
from actions.notice import lock_own_notifications
from models.notice import Notification
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

NOTIFICATION = Relation(
    select(Notification.__table__), Notification.id, lambda actor: and_(*lock_own_notifications(actor))
)
NOTIFICATIONS = PaginatedQuery(
    "notifications", select(Notification.__table__), None, lambda actor: and_(*lock_own_notifications(actor))
)
NEWEST = Order("NEWEST", ((Notification.id, True),))


async def notifications(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    unread: Annotated[bool, "Only what was not read yet."] = False,
) -> Page:
    """What you should look at, the newest first. Empty for a key. At most 1,000 are kept."""
    where = [Notification.read_at.is_(None)] if unread else []
    ask = PageArgs(first, after, last, before)
    return await load_page(info.context, NOTIFICATIONS, NEWEST, ask, None, where, str(unread))


async def unread_count(info: Info) -> int:
    """How many notifications you have not read."""
    mine = *lock_own_notifications(info.context.actor), Notification.read_at.is_(None)
    [row] = await info.context.read(select(func.count()).select_from(Notification).where(*mine))
    return int(row[0])


@dataclass(frozen=True)
class MarkedRead:
    """Notifications that were marked as read."""

    notifications: list[Notification]


@dataclass(frozen=True)
class MarkedAllRead:
    """That everything was marked as read."""

    count: int


async def mark_notifications_read(
    info: Info, ids: Annotated[list[ID], "1 to 100 of your notifications."]
) -> Any:
    """Note that you have read these: all of them or none. Doing it twice changes nothing."""
    async with info.context.transaction() as tx:
        return MarkedRead(await actions.notice.mark_read(tx, info.context.actor, list(ids)))


async def mark_all_notifications_read(
    info: Info,
    workspace_id: Annotated[ID | None, "Only what is of this workspace; everything if left out."] = None,
) -> Any:
    """Note that you have read everything."""
    async with info.context.transaction() as tx:
        return MarkedAllRead(await actions.notice.mark_all_read(tx, info.context.actor, workspace_id))


async def delete_notification(info: Info, id: Annotated[ID, "Which notification of yours."]) -> Any:
    """Let go of a notification. Answers it as it was."""
    async with info.context.transaction() as tx:
        return await actions.notice.delete_notification(tx, info.context.actor, id)
