"""The event log: events are numbered for each topic, stored, and followed.

`EventLog.transaction` opens every transaction that emits events. They are numbered and stored as the last step
before COMMIT: an event exists exactly if its change does, numbers follow commit order, and the numbers of a topic
have no gaps. A reader resumes after any number and gets every later event once, or `CursorExpired` or
`CursorUnknown`. A lost message costs a poll, never an event.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Executable, delete, func, insert, select, update

from kit.db.database import Database, Unavailable
from kit.db.transaction import Author, PendingEvent, Transaction
from kit.eventlog.pubsub import PubSub
from kit.eventlog.pubsub.hub import Listener
from kit.eventlog.tables import EVENTS, NUMBER, Log, Topic
from kit.eventlog.topic_cache import TopicCaches, is_gone, page_of
from kit.ids import ALPHABET
from kit.settings import Settings

MAX_ROWS_PER_STATEMENT = 1_000  # a longer INSERT might reach the statement timeout
RETRY_SECONDS = 30.0  # a follower waits so long for a database that is down
T = TypeVar("T")
START = "0"  # the cursor before the first event
MAX_TOPICS_PER_STATEMENT = 10_000  # a longer UPDATE might reach the statement timeout


class CursorUnknown(Exception):
    """The cursor is malformed, of another topic, or ahead of the topic."""

    code = "CURSOR_UNKNOWN"

    def __init__(self, cursor: str) -> None:
        super().__init__("This feed never gave that cursor; read the board again and follow from its cursor")
        self.cursor = cursor[:100]


class CursorExpired(Exception):
    """Events after the cursor were pruned, or the database was restored from a backup."""

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


async def assign_sequence_numbers(tx: Transaction) -> None:
    """Number and store the emitted events. Locks their topics until COMMIT, which notifies them."""
    await tx.flush()
    waiting, tx.pending_events = tx.pending_events, []
    if not waiting:
        return
    author = tx.author
    assert author is not None, "events of a transaction have an author"
    topics: dict[str, list[PendingEvent]] = {}
    for happened in waiting:
        topics.setdefault(happened.topic, []).append(happened)
    numbered: list[tuple[int, PendingEvent]] = []
    for topic, mine in sorted(topics.items()):  # one lock order, so no deadlock
        last = await _last(tx, topic, len(mine))
        numbered += enumerate(mine, last - len(mine) + 1)
    for start in range(0, len(numbered), MAX_ROWS_PER_STATEMENT):
        rows = [
            {
                "topic": happened.topic,
                "seq": seq,
                "kind": happened.kind,
                "at": happened.at,
                "actor_kind": author.kind,
                "actor_id": author.id,
                "tenant": happened.tenant,
                "subject": happened.subject,
                "request_id": author.request_id,
                "batch": happened.correlation_id,
                "data": happened.data,
            }
            for seq, happened in numbered[start : start + MAX_ROWS_PER_STATEMENT]
        ]
        await tx.execute(insert(EVENTS.table), rows)
    tx.topics_to_notify.update(topics)


async def append_rows(
    tx: Transaction, topic: str, count: int, store: Executable, values: dict[str, Any]
) -> int:
    """Number `count` rows of a log and store them at once. Returns the number of the topic's newest row.

    `store` inserts them after the number `before`. With a count of 0 the topic is only notified. The numbers are
    returned within the transaction, so they cannot wait for `assign_sequence_numbers`, which locks topics in order.
    This cannot deadlock if every writer of `topic` first locks the row that the topic is about, and locks that row
    before any other topic.
    """
    last = await _last(tx, topic, count)
    if count:
        await tx.execute(store, {**values, "topic": topic, "before": last - count})
    tx.notify(topic)
    return last


async def open_topics(tx: Transaction, log: Log, rows: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Create new topics of a log, each with its first rows: two statements for any number of them."""
    topics = [{"name": name, "epoch": new_epoch(), "last": len(mine)} for name, mine in rows.items()]
    numbered = [
        {"topic": name, "seq": seq, **row} for name, mine in rows.items() for seq, row in enumerate(mine, 1)
    ]
    await tx.execute(insert(Topic), topics)
    await tx.execute(insert(log.table), numbered)
    tx.topics_to_notify.update(rows)


async def _last(tx: Transaction, topic: str, n: int) -> int:
    """Take `n` numbers of a topic, which is locked until COMMIT. Returns the last of them."""
    return int(await tx.scalar(NUMBER, {"topic": topic, "epoch": new_epoch(), "n": n}))


def new_epoch() -> str:
    """Return a random epoch for a topic: it tells the cursors of one topic from those of another."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


async def renew_epochs(tx: Transaction) -> int:
    """Give every topic a new epoch, which invalidates all cursors. Returns the number of topics."""
    count, last = 0, ""
    epoch = func.substr(Topic.epoch, 1, 8) + new_epoch()  # its own half tells it from other topics, as before
    while names := (
        await tx.scalars(
            select(Topic.name).where(Topic.name > last).order_by(Topic.name).limit(MAX_TOPICS_PER_STATEMENT)
        )
    ).all():
        some = Topic.name > last, Topic.name <= names[-1]
        await tx.execute(update(Topic).where(*some).values(epoch=epoch))
        count, last = count + len(names), names[-1]
    return count


class EventPage(list[Any]):
    """Events in order, perhaps none.

    age:     seconds; a check by another follower that is not older is good enough.
    cursor:  the place after the events.
    is_last: whether nothing follows yet.
    """

    def __init__(self, events: Iterable[Any], age: float, cursor: Cursor, is_last: bool) -> None:
        super().__init__(events)
        self.age, self.cursor, self.is_last = age, cursor, is_last


class EventLog:
    def __init__(self, database: Database, pubsub: PubSub) -> None:
        self.database, self.pubsub = database, pubsub
        self._tails = TopicCaches(database)

    @asynccontextmanager
    async def transaction(self, author: Author) -> AsyncIterator[Transaction]:
        """Open one transaction for `author`: commit on success, roll back on any error, then wake followers."""
        async with self.database.write() as tx:
            tx.author = author
            yield tx
            await assign_sequence_numbers(tx)
        self.pubsub.send(tx.topics_to_notify)

    async def follow(
        self,
        topic: str,
        after: str | None,
        *,
        also: Iterable[str] = (),
        page: int | None = None,
        log: Log = EVENTS,
        listening: Callable[[Listener], None] | None = None,
    ) -> AsyncGenerator[EventPage, None]:
        """Yield every event of `topic` after the cursor `after`, in order and in pages, without end.

        `after` is a cursor, "0" for the start, None for now. A page is empty if the follower was only woken, by a
        topic of `also` or by its poll: the moment to check its access again. No connection is held while waiting
        or while a page is processed. `listening` gets the listener, to wake it or to add topics.

        Raises CursorUnknown, and CursorExpired, also later, if a reader is so far behind that its events were
        pruned. Raises Unavailable after RETRY_SECONDS without a database.
        """
        page = page or log.page
        with self.pubsub.listen(topic, *also) as grew:
            if listening is not None:
                listening(grew)
            epoch, at, last = await retry_while_unavailable(partial(self._place, topic, after))
            with self._tails.of(log, topic, epoch, last) as tail:
                age = 0.0
                while True:
                    grew.clear()  # before the read, so that a commit during it is not missed
                    await retry_while_unavailable(partial(tail.look, age=age))
                    if tail.epoch != epoch and epoch:
                        raise CursorExpired(str(Cursor(epoch, at)), str(Cursor(tail.epoch, 0)))
                    if tail.has(at):
                        events = tail.after(at, page)
                    else:
                        events = await retry_while_unavailable(
                            partial(self._page, log, topic, epoch, at, page)
                        )
                    if events:
                        epoch, at = events[-1].epoch, events[-1].seq
                    yield EventPage(events, 0 if events else age, Cursor(epoch, at), len(events) < page)
                    age = 0.0
                    if len(events) < page and not await grew.wait(poll := self.pubsub.poll):
                        age = poll / 2  # nothing woke it: a recent read by another follower will do

    async def _place(self, topic: str, after: str | None) -> tuple[str, int, int]:
        """Return the topic's epoch, the number to begin after, and its newest number."""
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
        """Read events after a number from the log, for a follower that is behind the cache."""
        rows = await self.database.read(page_of(topic, after, most, log))
        if not rows:
            return []
        first = rows[0]
        if (epoch and first.epoch != epoch) or first.last < after or is_gone(first, after):
            raise CursorExpired(str(Cursor(epoch, after)), str(Cursor(first.epoch, first.lowest - 1)))
        return [row for row in rows if row.seq is not None]

    async def prune(self, topic: str, keep: int, log: Log = EVENTS) -> int:
        """Delete all but the newest `keep` events of a topic. Returns the number of deleted events."""
        rows = await self.database.read(select(Topic.last).where(Topic.name == topic))
        return await self.forget(topic, rows[0].last - keep, log) if rows else 0

    async def forget(self, topic: str, upto: int, log: Log = EVENTS) -> int:
        """Delete the events of a topic up to a number. Returns the number of deleted events."""
        async with self.database.write() as tx:
            await tx.scalar(select(Topic.last).where(Topic.name == topic).with_for_update())
            table = log.table
            gone = await tx.execute(delete(table).where(table.c.topic == topic, table.c.seq <= upto))
            await tx.execute(
                update(Topic).where(Topic.name == topic, Topic.lowest <= upto).values(lowest=upto + 1)
            )
            return int(gone.rowcount)  # type: ignore[attr-defined]


def make_event_log(settings: Settings) -> EventLog:
    """Make the event log of a database with its pub/sub; neither is started yet."""
    database = Database(settings.database_url, pool=settings.database_pool)
    bus = settings.bus_url or ("memory://" if database.is_sqlite else settings.database_url)
    pubsub = PubSub(
        bus,
        changed=database.data_version if database.is_sqlite else None,
        deaf=bus.startswith("memory:") and not database.is_sqlite,
    )
    return EventLog(database, pubsub)


async def retry_while_unavailable(look: Callable[[], Awaitable[T]]) -> T:
    """Retry `look` until the database answers. Raises Unavailable after RETRY_SECONDS without it."""
    loop = asyncio.get_running_loop()
    until = loop.time() + RETRY_SECONDS
    while True:
        try:
            return await look()
        except Unavailable:
            if loop.time() > until:
                raise
            await asyncio.sleep(random.uniform(0.2, 0.6))  # noqa: S311 - only jitter, so that not all look at once
