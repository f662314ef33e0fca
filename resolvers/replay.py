"""A run's log, played as a recording: the items of its feed in their order, at any speed, without an agent."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from strawberry import ID

from actions.run_log import RUN_LOG
from kit.eventlog.event_log import START, Cursor, retry_while_unavailable
from kit.eventlog.pubsub import Listener
from kit.graphql.broadcast.broadcast import Delivery, FeedPosition
from models.refusal import Invalid, NotFound
from models.run import TERMINAL
from models.topic import run_topic, user_topic
from resolvers.context import Info
from resolvers.run_log import RunSnapshot, ended_of, fresh_rows

SLOWEST, FASTEST = 0.1, 1_000.0
MAX_PAUSE_SECONDS = 10.0  # seconds between two items, so that a night's wait does not hang whoever watches
MAX_CATCH_UP_SECONDS = 1.0  # seconds that are caught up when the reader, or the server, was slow
ACCESS_CHECK_SECONDS = (
    2.0  # seconds, while it waits or plays, until it is looked again whether the reader may see the run
)


class Pace:
    """When the items of a recording are due: as far apart as they were, divided by the speed."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._at: datetime | None = None
        self._due = 0.0

    def due(self, at: datetime, now: float) -> float:
        """When the next item is to be told, that was told at `at`, on the clock that says `now`."""
        if self._at is None:
            self._at, self._due = at, now
            return now
        gap = max((at - self._at).total_seconds() / self.speed, 0.0)
        self._at = at
        # Told by the clock and not by the item before, or every pause would be as much longer as it took to tell.
        self._due = max(self._due + min(gap, MAX_PAUSE_SECONDS), now - MAX_CATCH_UP_SECONDS)
        return self._due


class ReplayViewer:
    """Whoever watches: waits until an item is due, and looks again and again whether it may be told."""

    def __init__(
        self, look: Callable[[], Awaitable[RunSnapshot | None]], woken: Listener, speed: float
    ) -> None:
        self._look, self._woken, self._pace = look, woken, Pace(speed)
        self._again = 0.0  # when it is looked again
        self.standing: RunSnapshot | None = None  # of the run, at the last look

    async def sees(self) -> bool:
        """Whether the run is there to be seen."""
        self._woken.clear()
        self.standing = await self._look()
        self._again = asyncio.get_running_loop().time() + ACCESS_CHECK_SECONDS
        return self.standing is not None

    async def waits(self, at: datetime) -> bool:
        """Wait until what was said at `at` is due: False once the run may not be seen any more."""
        loop = asyncio.get_running_loop()
        due = self._pace.due(at, loop.time())
        while True:
            left = min(due, self._again) - loop.time()
            woken = left > 0 and await self._woken.wait(left)
            if (woken or loop.time() >= self._again) and not await self.sees():
                return False
            if loop.time() >= due:
                return True


async def replay_run(
    info: Info,
    run_id: Annotated[ID, "Which run."],
    speed: Annotated[float, "How many times as fast as it was: 0.1 to 1,000."] = 1.0,
    after: Annotated[
        str | None, 'Only what follows this cursor; "0", or nothing said, is the beginning.'
    ] = None,
) -> AsyncGenerator[Any, None]:
    """A run's log as a recording: the lines of `runFeed` in the same order, as far apart as they were said.

    No pause is longer than 10 seconds, however long the run waited. Text that was only being said is not kept,
    and so not played. The last item is `RunEnded`; a run that still goes on is played up to now and then followed.
    """
    if not SLOWEST <= speed <= FASTEST:
        raise Invalid(("speed", f"must be {SLOWEST} to {FASTEST:g}, not {speed}"))
    context = info.context
    look = partial(retry_while_unavailable, partial(fresh_rows, context, run_id, saying=False))
    after = after or START
    seq = 0 if after == START else Cursor.parse(after).seq
    feed, me = context.services.event_log, user_topic(context.actor.id)
    with feed.pubsub.listen(me) as woken:
        viewer = ReplayViewer(look, woken, speed)
        if not await viewer.sees():
            raise NotFound(run_id)
        async with aclosing(feed.follow(run_topic(run_id), after, also=[me], log=RUN_LOG)) as pages:
            async for lines in pages:
                if not await viewer.sees():
                    return
                for line in lines:
                    if not await viewer.waits(line.at):
                        return
                    yield Delivery(FeedPosition(Cursor(line.epoch, line.seq)), line)
                    seq = line.seq
                if viewer.standing and viewer.standing.run.status in TERMINAL and seq >= viewer.standing.last:
                    yield ended_of(viewer.standing, seq)
                    return
