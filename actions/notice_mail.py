"""Notifications by mail: some at once, the unread ones as a digest. Only confirmed addresses get any."""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, select, update

from actions.job import HANDLERS
from actions.mail import enqueue_mail
from actions.notice import NOTICE_MAIL
from auth.services import Services
from kit.completion import complete
from kit.db.database import Unavailable, utcnow
from kit.db.transaction import Author, Transaction
from models.account import User, public
from models.actor import ActorKind
from models.notice import Notification
from models.preferences import DigestPeriod, preferences_of
from models.workspace import Membership

log = logging.getLogger("signalbox.notice")

INTERVAL_SECONDS = 300.0
HOUR = 8  # of the person's day, from which a digest is mailed
MAX_LINES = 50  # of one mail
MAX_PEOPLE_PER_ROUND = 200
TEMPLATE = "notifications"


async def mail_notices(services: Services, payload: dict[str, Any]) -> None:
    """Mail notifications to their owners, unless they were read meanwhile. The mails are written once."""
    if not services.settings.sends_mail:
        return
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        query = select(Notification).where(
            Notification.id.in_(payload["ids"]),
            Notification.read_at.is_(None),
            Notification.mailed_at.is_(None),
        )
        rows = (await tx.scalars(query.order_by(Notification.id).with_for_update())).all()
        by_user: dict[str, list[Notification]] = {}
        for row in rows:
            by_user.setdefault(row.user_id, []).append(row)
            row.mailed_at = utcnow()
        people = await tx.scalars(select(User).where(User.id.in_(by_user)))
        for user in people:
            own = by_user[user.id]
            await _mail(tx, services, user, own[0].title, own, len(own))


async def mail_digests_periodically(services: Services) -> None:
    """Mail the digests that are due, for ever. Any number of processes may do so at once."""
    while True:
        await asyncio.sleep(INTERVAL_SECONDS * random.uniform(0.7, 1.3))  # noqa: S311 - so that processes alternate
        try:
            await complete(mail_digests(services))
        except Unavailable:
            log.warning("no digest mailed: the database does not answer")
        except Exception:
            log.exception("no digest mailed")


async def mail_digests(services: Services) -> int:
    """Mail the digests that are due. Returns their number."""
    if not services.settings.sends_mail:
        return 0
    now, count, last = utcnow(), 0, ""
    while True:
        waits = User.digest_at <= now - timedelta(hours=20), User.id > last, User.is_active
        query = select(User.id, User.preferences, User.digest_at).where(*waits)
        rows = await services.database.read(query.order_by(User.id).limit(MAX_PEOPLE_PER_ROUND))
        for row in rows:
            if is_digest_due(row.preferences, row.digest_at, now):
                count += await _mail_digest(services, row.id, row.digest_at)
        if len(rows) < MAX_PEOPLE_PER_ROUND:
            return count
        last = rows[-1].id


def is_digest_due(stored: dict[str, Any] | None, last: datetime, now: datetime) -> bool:
    """Whether a person with these preferences gets a digest now, after one at `last`."""
    preferences = preferences_of(stored)
    local = now.astimezone(ZoneInfo(preferences.time_zone))
    if preferences.digest is DigestPeriod.OFF or local.hour < HOUR:
        return False
    if last.astimezone(local.tzinfo).date() >= local.date():
        return False
    return preferences.digest is DigestPeriod.DAILY or local.weekday() == 0


async def _mail_digest(services: Services, user_id: str, last: datetime) -> bool:
    """Mail a person's unread notifications that are newer than the last digest. Returns whether there were any."""
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        claimed = update(User).where(User.id == user_id, User.digest_at == last)
        if await tx.scalar(claimed.values(digest_at=utcnow()).returning(User.id)) is None:
            return False  # another process mails it
        is_member = exists().where(
            and_(Membership.user_id == user_id, Membership.workspace_id == Notification.workspace_id)
        )
        unread = (
            Notification.user_id == user_id,
            Notification.read_at.is_(None),
            Notification.mailed_at.is_(None),
            Notification.created_at > last,
            is_member,
        )
        count = await tx.scalar(select(func.count()).select_from(Notification).where(*unread)) or 0
        newest = select(Notification).where(*unread).order_by(Notification.id.desc()).limit(MAX_LINES)
        rows = (await tx.scalars(newest)).all()
        if rows:
            user = await tx.get_one(User, user_id)
            subject = f"{count} unread notification{'s' if count > 1 else ''}"
            await _mail(tx, services, user, subject, rows, count)
        return bool(rows)


async def _mail(
    tx: Transaction, services: Services, user: User, subject: str, rows: Sequence[Notification], count: int
) -> None:
    if user.email is None or user.email_confirmed_at is None or not user.is_active:
        return
    lines = [f"- {row.title}" for row in rows[:MAX_LINES]]
    if count > len(lines):
        lines.append(f"- and {count - len(lines)} more")
    values = {
        "username": public(user),
        "subject": subject,
        "lines": "\n".join(lines),
        "link": services.settings.page_url,
    }
    await enqueue_mail(tx, services, recipient=user.email, template=TEMPLATE, values=values, user_id=user.id)


HANDLERS[NOTICE_MAIL] = mail_notices
