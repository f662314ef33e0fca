"""Retention: rows of the logs that are too old are deleted, a few at a time.

Any number of processes may prune at once, because each step locks its topic. A reader whose cursor is older than
the kept rows gets CURSOR_EXPIRED.
"""

import asyncio
import logging
import random
from datetime import datetime, timedelta
from itertools import chain, repeat

from sqlalchemy import and_, delete, func, select, tuple_

from kit.completion import complete
from kit.db.database import Unavailable, utcnow
from kit.eventlog.event_log import EventLog
from kit.eventlog.tables import Beside, Log, Topic

FIRST_DELAY_SECONDS = 1.0  # before the first round, so that pruning does not delay the start
PRUNE_INTERVAL_SECONDS = 3600.0
MAX_TOPICS_PER_STEP = 200
MAX_ROWS_PER_TRANSACTION = 1_000  # others write between two transactions
PAUSE_SECONDS = 0.05  # between two transactions

log = logging.getLogger("signalbox.retention")


async def prune_periodically(event_log: EventLog, days: dict[Log, float]) -> None:
    """Prune each log to its number of days, now and then every hour, for ever. 0 days keep everything.

    A failure is logged, and the next round tries again. On cancellation the current step is completed first:
    cutting it off would cost its connection.
    """
    for wait in chain([FIRST_DELAY_SECONDS], repeat(PRUNE_INTERVAL_SECONDS)):
        await asyncio.sleep(wait * random.uniform(0.9, 1.1))  # noqa: S311 - so that not all look at once
        for table, kept in days.items():
            if not kept:
                continue
            moment = utcnow() - timedelta(days=kept)
            try:
                count = await delete_before(event_log, table, moment)
                count += await delete_dependent(event_log, table.beside, moment) if table.beside else 0
            except Unavailable as error:
                log.warning("pruning waits for the database: %s", error)
            except Exception:
                log.exception("not pruned: %s", table.table.name)
            else:
                if count:
                    log.info(
                        "%s rows of %s, or beside it, are older than %g days and gone",
                        count,
                        table.table.name,
                        kept,
                    )


async def delete_before(event_log: EventLog, log: Log, moment: datetime) -> int:
    """Delete the rows of every topic that are older than a moment. Returns their number."""
    table, count = log.table, 0
    oldest = and_(table.c.topic == Topic.name, table.c.seq == Topic.lowest)
    query = select(Topic.name, Topic.lowest).join(table, oldest).where(table.c.at < moment)
    while topics := await complete(
        event_log.database.read(query.order_by(Topic.name).limit(MAX_TOPICS_PER_STEP))
    ):
        for name, lowest in (tuple(row) for row in topics):
            count += await complete(_slice(event_log, log, name, lowest, moment))
            await asyncio.sleep(PAUSE_SECONDS)
    return count


async def delete_dependent(event_log: EventLog, beside: Beside, moment: datetime) -> int:
    """Delete the rows of every owner that ended before a moment. Returns their number."""
    owner, count, last = beside.owner, 0, ""
    query = select(owner).where(beside.ended(moment)).distinct().order_by(owner).limit(MAX_TOPICS_PER_STEP)
    while owners := await complete(event_log.database.read(query.where(owner > last))):
        for (last,) in owners:
            while gone := await complete(_some(event_log, beside, last)):
                count += gone
                await asyncio.sleep(PAUSE_SECONDS)
    return count


async def _some(event_log: EventLog, beside: Beside, owner: str) -> int:
    table = beside.owner.class_.__table__
    key = list(table.primary_key)
    some = select(*key).where(beside.owner == owner).limit(MAX_ROWS_PER_TRANSACTION)
    async with event_log.database.write() as tx:
        gone = await tx.execute(delete(table).where(tuple_(*key).in_(some)))
        return int(gone.rowcount)  # type: ignore[attr-defined]


async def _slice(event_log: EventLog, log: Log, topic: str, lowest: int, moment: datetime) -> int:
    table = log.table
    mine = table.c.topic == topic, table.c.seq < lowest + MAX_ROWS_PER_TRANSACTION, table.c.at < moment
    rows = await event_log.database.read(select(func.max(table.c.seq)).where(*mine))
    return await event_log.forget(topic, rows[0][0] or lowest, log)
