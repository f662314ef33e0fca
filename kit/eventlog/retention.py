"""What is kept of the logs, and for how long: older rows are forgotten, a little at a time.

Any number of processes may do this at once: each step locks its topic, and what is gone is gone once. A reader
whose cursor is below what is kept is told CURSOR_EXPIRED.
"""

import asyncio
import logging
import random
from collections.abc import Coroutine
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, TypeVar

from sqlalchemy import and_, delete, func, select, tuple_

from kit.db.database import Unavailable, utcnow
from kit.eventlog.event_log import EventLog
from kit.eventlog.tables import Beside, Log, Topic

FIRST_DELAY_SECONDS = 1.0  # seconds before the first round: whoever waits for the start is served first
PRUNE_INTERVAL_SECONDS = 3600.0  # seconds between two rounds
TOPICS = 200  # looked at in one step
MAX_ROWS_PER_TRANSACTION = 1_000  # forgotten in one transaction: others write between two
PAUSE_SECONDS = 0.05  # seconds between two transactions

T = TypeVar("T")
log = logging.getLogger("signalbox.retention")


async def prune_periodically(event_log: EventLog, days: dict[Log, float]) -> None:
    """Forget what is older than so many days, soon and then every hour, for ever. 0 days keep all.

    What fails is logged, and tried again in the next round. A step that has begun is ended before we are: half of
    it would cost its connection.
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
    """Forget the rows of every topic from before a moment. Returns how many there were."""
    table, count = log.table, 0
    oldest = and_(table.c.topic == Topic.name, table.c.seq == Topic.lowest)
    query = select(Topic.name, Topic.lowest).join(table, oldest).where(table.c.at < moment)
    while topics := await _ended(event_log.database.read(query.order_by(Topic.name).limit(TOPICS))):
        for name, lowest in (tuple(row) for row in topics):
            count += await _ended(_slice(event_log, log, name, lowest, moment))
            await asyncio.sleep(PAUSE_SECONDS)
    return count


async def delete_dependent(event_log: EventLog, beside: Beside, moment: datetime) -> int:
    """Forget the rows of every owner that ended before a moment. Returns how many there were."""
    owner, count, last = beside.owner, 0, ""
    query = select(owner).where(beside.ended(moment)).distinct().order_by(owner).limit(TOPICS)
    while owners := await _ended(event_log.database.read(query.where(owner > last))):
        for (last,) in owners:
            while gone := await _ended(_some(event_log, beside, last)):
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


async def _ended(step: Coroutine[Any, Any, T]) -> T:
    """Do a step to its end, also when nobody waits for it any more."""
    doing = asyncio.create_task(step)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.gather(doing, return_exceptions=True)
        raise
