"""The daily purge: invitations that nobody accepted, mails, tokens and deleted cards that are too old."""

import asyncio
import logging
import random
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from kit.db.database import Database, Unavailable, utcnow
from models.account import AccountToken
from models.bin import BinEntry
from models.invitation import PURGE_AFTER, Invitation
from models.mail import MAIL_DAYS, Mail

log = logging.getLogger("signalbox.purge")

FIRST_DELAY_SECONDS = 2.0
PURGE_INTERVAL_SECONDS = 86_400.0
MAX_ROWS_PER_TRANSACTION = 1_000
BIN_DAYS = 30.0


async def purge_periodically(database: Database, bin_days: float) -> None:
    """Purge soon after the start and then daily, for ever. Any number of processes may purge at once."""
    wait = FIRST_DELAY_SECONDS
    while True:
        await asyncio.sleep(wait * random.uniform(0.9, 1.1))  # noqa: S311 - so that processes alternate
        wait = PURGE_INTERVAL_SECONDS
        try:
            await purge(database, bin_days)
        except Unavailable as error:
            log.warning("the purge waits for the database: %s", error)
        except Exception:
            log.exception("not purged")


async def purge(database: Database, bin_days: float = BIN_DAYS) -> int:
    """Delete what is too old; cards in a bin after `bin_days`. Returns the number of rows."""
    now = utcnow()
    nobody_accepted = Invitation.accepted_at.is_(None), Invitation.expires_at < now - PURGE_AFTER
    count = await _delete(database, Invitation, *nobody_accepted)
    count += await _delete(database, Mail, Mail.created_at < now - timedelta(days=MAIL_DAYS))
    count += await _delete(database, AccountToken, AccountToken.expires_at < now)
    count += await _delete(database, BinEntry, BinEntry.created_at < now - timedelta(days=bin_days))
    if count:
        log.info("%s old invitations, mails, tokens and deleted cards were deleted", count)
    return count


async def _delete(database: Database, table: Any, *where: Any) -> int:
    [key] = table.__table__.primary_key
    some = select(key).where(*where).limit(MAX_ROWS_PER_TRANSACTION)
    total = 0
    while True:
        async with database.write() as tx:
            count = int((await tx.execute(delete(table).where(key.in_(some)))).rowcount)  # type: ignore[attr-defined]
        total += count
        if count < MAX_ROWS_PER_TRANSACTION:
            return total
