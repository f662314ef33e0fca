"""The feed: what happened, numbered per topic, and kept.

`Feed.begin` is the only door for writes. What `record` was told is numbered and stored as the last thing
before COMMIT, so an event exists exactly when its change does, its number follows commit order, and the
numbers of a topic have no gaps. A reader resumes from any number and is given everything after it, once,
or is told that it cannot be: `CursorExpired`, `CursorUnknown`. Losing a wake costs a poll, never an event.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Executable, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import Database, Unavailable, utcnow
from runtime.event import EVENTS, NUMBER, Log, Topic
from runtime.ids import ALPHABET
from runtime.settings import Settings
from runtime.tail import Tails, is_gone, page_of
from runtime.wakes import Wakes
from runtime.wakes.hub import Listener

ROWS = 1_000  # events of one statement: the database gives up on one that takes too long
PATIENCE = 30.0  # seconds a follower waits for a database that is gone
T = TypeVar("T")
START = "0"  # the cursor before the first event
RENEWED = 10_000  # topics in one statement, which PostgreSQL ends after some seconds


class CursorUnknown(Exception):
    """A cursor that this topic never gave: malformed, of another topic, or ahead of it."""

    code = "CURSOR_UNKNOWN"

    def __init__(self, cursor: str) -> None:
        super().__init__("This feed never gave that cursor; read the board again and follow from its cursor")
        self.cursor = cursor[:100]


class CursorExpired(Exception):
    """Events after the cursor are no longer kept, or the feed was restored from a backup."""

    code = "CURSOR_EXPIRED"

    def __init__(self, cursor: str, oldest: str) -> None:
        super().__init__(
            "Events after that cursor are no longer kept; read the board again and follow from its cursor"
        )
        self.cursor, self.oldest = cursor[:100], oldest


class Cursor(NamedTuple):
    """A place in a topic: after event `seq` of `epoch`."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        epoch, dot, seq = text.partition(".")
        # isascii: int() also takes other scripts' digits, and a number has one way to be written here.
        if not (dot and epoch and seq.isascii() and seq.isdigit() and len(seq) < 19) or str(int(seq)) != seq:
            raise CursorUnknown(text)
        return cls(epoch, int(seq))


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that waits for its number."""

    topic: str
    kind: str
    at: datetime
    tenant: str | None
    subject: str | None
    batch: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class By:
    """Who a transaction acts for; every event of it says so."""

    kind: str
    id: str | None = None
    request_id: str | None = None


def record(
    tx: AsyncSession,
    topics: Sequence[str],
    kind: str,
    *,
    tenant: str | None,
    subject: str | None,
    batch: str | None = None,
    data: dict[str, Any],
) -> None:
    """Say that something happened. It is stored if and only if `tx` commits.

    The first topic is its home; the others get copies, which histories leave out.
    """
    at = utcnow()
    waiting: list[Happened] = tx.info.setdefault("happened", [])
    for topic in topics:
        home = topic == topics[0]
        waiting.append(
            Happened(topic, kind, at, tenant if home else None, subject if home else None, batch, data)
        )


async def number(tx: AsyncSession) -> set[str]:
    """Give what was recorded its numbers and store it. Locks its topics until COMMIT.

    Returns the names of the topics that grew.
    """
    await tx.flush()
    waiting: list[Happened] = tx.info.pop("happened", [])
    if not waiting:
        return set()
    by: By = tx.info["by"]
    topics: dict[str, list[Happened]] = {}
    for happened in waiting:
        topics.setdefault(happened.topic, []).append(happened)
    numbered: list[tuple[int, Happened]] = []
    for topic, mine in sorted(topics.items()):  # one lock order, so no deadlock
        last = await _last(tx, topic, len(mine))
        numbered += enumerate(mine, last - len(mine) + 1)
    for start in range(0, len(numbered), ROWS):
        rows = [
            {
                "topic": happened.topic,
                "seq": seq,
                "kind": happened.kind,
                "at": happened.at,
                "actor_kind": by.kind,
                "actor_id": by.id,
                "tenant": happened.tenant,
                "subject": happened.subject,
                "request_id": by.request_id,
                "batch": happened.batch,
                "data": happened.data,
            }
            for seq, happened in numbered[start : start + ROWS]
        ]
        await tx.execute(insert(EVENTS.table), rows)
    return set(topics)


async def append(tx: AsyncSession, topic: str, count: int, store: Executable, values: dict[str, Any]) -> int:
    """Number so many rows of a log and store them, at once. Returns the number of the topic's newest row.

    `store` puts them behind the number `before`. No rows are none, and the topic's followers are woken all the
    same. Numbers must be told before the transaction ends, so they are not left to `number`, which locks topics
    in order. That cannot deadlock if every writer of `topic` locks the row that it is about before, and that row
    before any other topic.
    """
    last = await _last(tx, topic, count)
    if count:
        await tx.execute(store, {**values, "topic": topic, "before": last - count})
    grew(tx, topic)
    return last


def grew(tx: AsyncSession, topic: str) -> None:
    """Wake whoever follows `topic` once `tx` has committed: it was numbered and stored."""
    tx.info.setdefault("grew", set()).add(topic)


async def open_topics(tx: AsyncSession, log: Log, rows: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Begin topics of a log that nobody knows yet, each with its first rows: two statements for any number."""
    topics = [{"name": name, "epoch": new_epoch(), "last": len(mine)} for name, mine in rows.items()]
    numbered = [
        {"topic": name, "seq": seq, **row} for name, mine in rows.items() for seq, row in enumerate(mine, 1)
    ]
    await tx.execute(insert(Topic), topics)
    await tx.execute(insert(log.table), numbered)
    tx.info.setdefault("grew", set()).update(rows)


async def _last(tx: AsyncSession, topic: str, n: int) -> int:
    """Take `n` numbers of a topic and lock it until COMMIT. Returns the last of them."""
    return int(await tx.scalar(NUMBER, {"topic": topic, "epoch": new_epoch(), "n": n}))


def new_epoch() -> str:
    """A topic's epoch is random, so a cursor of another topic is recognised as such."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


async def renew_epochs(tx: AsyncSession) -> int:
    """Give every topic another epoch, so that no cursor from before is taken. Returns how many there are."""
    count, last = 0, ""
    epoch = func.substr(Topic.epoch, 1, 8) + new_epoch()  # its own half tells it from other topics, as before
    while names := (
        await tx.scalars(select(Topic.name).where(Topic.name > last).order_by(Topic.name).limit(RENEWED))
    ).all():
        some = Topic.name > last, Topic.name <= names[-1]
        await tx.execute(update(Topic).where(*some).values(epoch=epoch))
        count, last = count + len(names), names[-1]
    return count


class Page(list[Any]):
    """Events in order, perhaps none. Whoever waits may do with what others saw `age` seconds before.

    `cursor` is the place behind them, and `is_last` says that nothing follows there yet.
    """

    def __init__(self, events: Iterable[Any], age: float, cursor: Cursor, is_last: bool) -> None:
        super().__init__(events)
        self.age, self.cursor, self.is_last = age, cursor, is_last


class Feed:
    def __init__(self, database: Database, wakes: Wakes) -> None:
        self.database, self.wakes = database, wakes
        self._tails = Tails(database)

    @asynccontextmanager
    async def begin(self, by: By) -> AsyncIterator[AsyncSession]:
        """Open one transaction for `by`: commit on success, roll back on any error, then wake followers."""
        async with self.database.write() as tx:
            tx.info["by"] = by
            yield tx
            tx.info.setdefault("grew", set()).update(await number(tx))
        self.wakes.send(tx.info["grew"] | tx.info.get("wake", set()))

    async def follow(
        self,
        topic: str,
        after: str | None,
        *,
        also: Iterable[str] = (),
        page: int | None = None,
        log: Log = EVENTS,
        listening: Callable[[Listener], None] | None = None,
    ) -> AsyncGenerator[Page, None]:
        """Yield every event of `topic` after the cursor `after`, in order, without end, in pages.

        `after` is a cursor, "0" for the start, None for now. A page is empty when the follower was only
        woken, by one of `also` or by its poll: the moment to look whether it may go on. No connection is
        held while waiting or while a page is worked on. A database that is gone for a while is waited for.
        `listening` is given the flag, to raise it or to add to what raises it.
        Errors: CursorUnknown, CursorExpired; the latter also in the middle, when a reader so far behind
        that its events were pruned would otherwise skip them. Unavailable, see `patiently`.
        """
        page = page or log.page
        with self.wakes.listen(topic, *also) as grew:
            if listening is not None:
                listening(grew)
            epoch, at, last = await patiently(partial(self._place, topic, after))
            with self._tails.of(log, topic, epoch, last) as tail:
                age = 0.0
                while True:
                    grew.clear()  # before looking, so a commit during the look is not slept through
                    await patiently(partial(tail.look, age=age))
                    if tail.epoch != epoch and epoch:
                        raise CursorExpired(str(Cursor(epoch, at)), str(Cursor(tail.epoch, 0)))
                    if tail.has(at):
                        events = tail.after(at, page)
                    else:
                        events = await patiently(partial(self._page, log, topic, epoch, at, page))
                    if events:
                        epoch, at = events[-1].epoch, events[-1].seq
                    yield Page(events, 0 if events else age, Cursor(epoch, at), len(events) < page)
                    age = 0.0
                    if len(events) < page and not await grew.wait(poll := self.wakes.poll):
                        age = poll / 2  # unasked, a look that another follower had is as good

    async def _place(self, topic: str, after: str | None) -> tuple[str, int, int]:
        """The topic's epoch, where to begin, and its newest number."""
        query = select(Topic.epoch, Topic.last, Topic.lowest).where(Topic.name == topic)
        rows = await self.database.read(query)
        epoch, last, lowest = tuple(rows[0]) if rows else ("", 0, 1)
        if after is None:
            return epoch, last, last
        cursor = Cursor(epoch, 0) if after == START else Cursor.parse(after)
        if cursor.epoch != epoch or cursor.seq < lowest - 1:
            raise CursorExpired(after, str(Cursor(epoch, lowest - 1)))
        if cursor.seq > last:
            raise CursorUnknown(after)
        return epoch, cursor.seq, last

    async def _page(self, log: Log, topic: str, epoch: str, after: int, most: int) -> Sequence[Any]:
        """Events after a number, from the log, for a follower that is far behind."""
        rows = await self.database.read(page_of(topic, after, most, log))
        if not rows:
            return []
        first = rows[0]
        if (epoch and first.epoch != epoch) or first.last < after or is_gone(first, after):
            raise CursorExpired(str(Cursor(epoch, after)), str(Cursor(first.epoch, first.lowest - 1)))
        return [row for row in rows if row.seq is not None]

    async def prune(self, topic: str, keep: int, log: Log = EVENTS) -> int:
        """Forget all but the newest `keep` events of a topic. Returns how many were forgotten."""
        rows = await self.database.read(select(Topic.last).where(Topic.name == topic))
        return await self.forget(topic, rows[0].last - keep, log) if rows else 0

    async def forget(self, topic: str, upto: int, log: Log = EVENTS) -> int:
        """Forget the events of a topic up to a number. Returns how many there were."""
        async with self.database.write() as tx:
            await tx.scalar(select(Topic.last).where(Topic.name == topic).with_for_update())
            table = log.table
            gone = await tx.execute(delete(table).where(table.c.topic == topic, table.c.seq <= upto))
            await tx.execute(
                update(Topic).where(Topic.name == topic, Topic.lowest <= upto).values(lowest=upto + 1)
            )
            return int(gone.rowcount)  # type: ignore[attr-defined]


def make_feed(settings: Settings) -> Feed:
    """The database with its feed and wakes, not started yet."""
    database = Database(settings.database_url)
    bus = settings.bus_url or ("memory://" if database.is_sqlite else settings.database_url)
    wakes = Wakes(
        bus,
        changed=database.data_version if database.is_sqlite else None,
        deaf=bus.startswith("memory:") and not database.is_sqlite,
    )
    return Feed(database, wakes)


def wake(tx: AsyncSession, name: str) -> None:
    """Wake whoever listens to `name` once `tx` has committed, without an event."""
    tx.info.setdefault("wake", set()).add(name)


async def patiently(look: Callable[[], Awaitable[T]]) -> T:
    """Look again and again until the database answers. Unavailable after PATIENCE seconds without it."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        try:
            return await look()
        except Unavailable:
            if loop.time() > until:
                raise
            await asyncio.sleep(random.uniform(0.2, 0.6))  # noqa: S311 - only jitter, so that not all look at once
