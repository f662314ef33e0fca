"""The newest events of a topic, read once for all its followers in this process.

A wake makes every follower look; together they make one read. Only a follower that is further behind than
what is kept here reads the log by itself, at its own pace. What is kept has a bound, whoever lags.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Select, and_, select

from kit.db.database import Database
from kit.eventlog.tables import EVENTS, Log, Topic
from kit.single_flight import SingleFlight


def page_of(topic: str, after: int, most: int, log: Log = EVENTS) -> Select[Any]:
    """Events after a number; where there are none, one row without `seq`. Each says how the topic stands."""
    table = log.table
    newer = and_(table.c.topic == Topic.name, table.c.seq > after)
    query = select(*(log.columns or table.c), Topic.epoch, Topic.lowest, Topic.last).outerjoin_from(
        Topic, table, newer
    )
    return query.where(Topic.name == topic).order_by(table.c.seq).limit(most)


def is_gone(first: Any, after: int) -> bool:
    """Whether what follows number `after` is not kept any more; `first` is the first row of its page."""
    return bool(first.lowest > after + 1 or (first.seq or after + 1) != after + 1)


class TopicCache:
    """One topic's newest events: `events` ends with number `last`."""

    def __init__(self, database: Database, log: Log, topic: str, epoch: str, last: int) -> None:
        self.database, self.log = database, log
        self.topic, self.epoch, self.last = topic, epoch, last
        self.events: deque[Any] = deque(maxlen=log.ring)
        self.followers = 0
        self.look = SingleFlight(self._catch_up)

    async def _catch_up(self) -> None:
        while await self._read() == self.log.page:
            pass

    async def _read(self) -> int:
        rows = await self.database.read(page_of(self.topic, self.last, self.log.page, self.log))
        if not rows:
            return 0
        first = rows[0]
        events = [row for row in rows if row.seq is not None]
        if first.epoch != self.epoch or first.last < self.last or is_gone(first, self.last):
            # Restored, or pruned beyond us: what is kept here is not the newest any more.
            self.events.clear()
            self.epoch, self.last = first.epoch, first.last
            return 0
        self.events.extend(events)
        self.last = events[-1].seq if events else self.last
        return len(events)

    def has(self, after: int) -> bool:
        """Whether all that follows number `after` is here."""
        return after == self.last or bool(self.events and self.events[0].seq <= after + 1 <= self.last)

    def after(self, after: int, most: int) -> Sequence[Any]:
        """At most so many events after number `after`; ask `has` first."""
        start = after + 1 - self.events[0].seq if self.events else 0
        return list(islice(self.events, start, start + most))


class TopicCaches:
    """The tails of the topics that are followed in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tails: dict[tuple[Log, str], TopicCache] = {}

    @contextmanager
    def of(self, log: Log, topic: str, epoch: str, last: int) -> Iterator[TopicCache]:
        """The tail of a topic; kept while somebody follows it. It begins at `last` if it is new."""
        tail = self._tails.get((log, topic))
        if tail is None:
            tail = self._tails[log, topic] = TopicCache(self._database, log, topic, epoch, last)
        tail.followers += 1
        try:
            yield tail
        finally:
            tail.followers -= 1
            if not tail.followers:
                del self._tails[log, topic]
