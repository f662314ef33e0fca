"""Ways to number the events of a topic: ours, and two that look right and are not.

Writers number and commit at the same time, some late, some not at all; a reader asks for what follows the last
number it saw, with the very statement that servers send. A numbering that lets a lower number commit after a
higher one makes the reader skip it.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import insert, select, text

from kit.db.database import Database, utcnow
from kit.db.transaction import Author
from kit.eventlog.event_log import EventLog, assign_sequence_numbers
from kit.eventlog.pubsub import PubSub
from kit.eventlog.tables import NUMBER, Event, Topic
from kit.eventlog.topic_cache import page_of

TOPIC = "board:numbered"
LATE = 0.003  # seconds between numbering and COMMIT, at most


class Undone(Exception):
    """A change that is rolled back after it was numbered."""


async def counter(database: Database) -> None:
    """Ours: the topic's own counter, under its lock, in the change's transaction."""
    async with EventLog(database, PubSub()).transaction(Author("SYSTEM")) as tx:
        tx.append_event([TOPIC], "CHANGED", None, None, {})
        await assign_sequence_numbers(tx)
        await dawdle()


async def identity(database: Database) -> None:
    """A mutant: a sequence, as an identity column takes it, before COMMIT and without a lock."""
    async with database.write() as tx:
        seq = await tx.scalar(text("SELECT nextval('scratch')"))
        await tx.execute(insert(Event), row(TOPIC, seq))
        await dawdle()


async def ahead(database: Database) -> None:
    """A mutant: our counter, but in a transaction of its own before the change."""
    async with database.write() as tx:
        seq = await tx.scalar(NUMBER, {"topic": TOPIC, "epoch": "mutant", "n": 1})
    async with database.write() as tx:
        await tx.execute(insert(Event), row(TOPIC, seq))
        await dawdle()


MUTANTS = [identity, ahead]


def row(topic: str, seq: int) -> dict[str, Any]:
    return {"topic": topic, "seq": seq, "kind": "CHANGED", "at": utcnow(), "actor_kind": "SYSTEM", "data": {}}


async def dawdle() -> None:
    await asyncio.sleep(random.uniform(0, LATE))
    if random.random() < 0.05:
        raise Undone


async def skipped(
    url: str, scheme: Callable[[Database], Awaitable[None]], *, writers: int, seconds: float
) -> tuple[int, int]:
    """Let `writers` number for so many seconds, or until something was skipped. How many were, of how many."""
    database, reading = Database(url, pool=writers), Database(url)
    heard: set[int] = set()
    try:
        async with database.write() as tx:
            await tx.execute(insert(Topic), {"name": TOPIC, "epoch": "scratch", "last": 0})
            if not database.is_sqlite:
                await tx.execute(text("CREATE SEQUENCE IF NOT EXISTS scratch"))
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(writers):
                group.create_task(_write(database, scheme, stop))
            await _read(reading, heard, until=time.monotonic() + seconds)
            stop.set()
        await _read(reading, heard, until=0)
        return await _missed(reading, heard)
    finally:
        await database.close()
        await reading.close()


async def _write(
    database: Database, scheme: Callable[[Database], Awaitable[None]], stop: asyncio.Event
) -> None:
    while not stop.is_set():
        with contextlib.suppress(Undone):
            await scheme(database)


async def _read(database: Database, heard: set[int], *, until: float) -> None:
    """Follow; end at `until` with nothing left to read, or soon after something was skipped."""
    at, looked = max(heard, default=0), time.monotonic()
    while True:
        rows = [row for row in await database.read(page_of(TOPIC, at, 100)) if row.seq is not None]
        heard.update(row.seq for row in rows)
        at = rows[-1].seq if rows else at
        if not rows and time.monotonic() > until:
            return
        if time.monotonic() > looked + 1:
            looked = time.monotonic()
            if (await _missed(database, heard, below=at))[0]:
                return
        await asyncio.sleep(0.001)


async def _missed(database: Database, heard: set[int], below: int | None = None) -> tuple[int, int]:
    query = select(Event.seq).where(Event.topic == TOPIC)
    kept = {
        row.seq for row in await database.read(query if below is None else query.where(Event.seq < below))
    }
    return len(kept - heard), len(kept)
