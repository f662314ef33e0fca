"""Replay of the log of a run: the items of its feed in order, at any speed, without an agent."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated

from strawberry import ID

from actions.run_log import RUN_LOG
from kit.eventlog.event_log import START, Cursor, retry_while_unavailable
from kit.eventlog.pubsub import Listener
from kit.graphql.broadcast.broadcast import Delivery, FeedPosition
from models.refusal import Invalid, NotFound
from models.run import TERMINAL
from models.topic import run_topic, user_topic
from resolvers.context import Info
from resolvers.run_log import RunLogEnd, RunSnapshot, ended_of, read_fresh_snapshot

MIN_SPEED, MAX_SPEED = 0.1, 1_000.0
MAX_PAUSE_SECONDS = 10.0  # between two items, however long the run waited
MAX_CATCH_UP_SECONDS = 1.0  # delay of a slow reader or server that is made up
ACCESS_CHECK_SECONDS = 2.0  # interval of checks that the viewer may see the run


class Pace:
    """The schedule of a replay: items as far apart as they were, divided by the speed."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._at: datetime | None = None
        self._due = 0.0

    def due(self, at: datetime, now: float) -> float:
        """Return when the item of time `at` is due, on the clock whose time is `now`."""
        if self._at is None:
            self._at, self._due = at, now
            return now
        gap = max((at - self._at).total_seconds() / self.speed, 0.0)
        self._at = at
        # From the due time of the previous item, not its delivery, or every delivery would lengthen the pause.
        self._due = max(self._due + min(gap, MAX_PAUSE_SECONDS), now - MAX_CATCH_UP_SECONDS)
        return self._due


class ReplayViewer:
    """The viewer of a replay: waits until an item is due, and checks access at intervals."""

    def __init__(
        self, read: Callable[[], Awaitable[RunSnapshot | None]], woken: Listener, speed: float
    ) -> None:
        self._read, self._woken, self._pace = read, woken, Pace(speed)
        self._next_check = 0.0  # of access, on the clock of the loop
        self.snapshot: RunSnapshot | None = None  # of the last check

    async def check_access(self) -> bool:
        """Whether the viewer may see the run."""
        self._woken.clear()
        self.snapshot = await self._read()
        self._next_check = asyncio.get_running_loop().time() + ACCESS_CHECK_SECONDS
        return self.snapshot is not None

    async def wait_for(self, at: datetime) -> bool:
        """Wait until the item of time `at` is due. Returns False once access is lost."""
        loop = asyncio.get_running_loop()
        due = self._pace.due(at, loop.time())
        while True:
            left = min(due, self._next_check) - loop.time()
            woken = left > 0 and await self._woken.wait(left)
            if (woken or loop.time() >= self._next_check) and not await self.check_access():
                return False
            if loop.time() >= due:
                return True


async def replay_run(
    info: Info,
    run_id: Annotated[ID, "The run."],
    speed: Annotated[float, "Speed factor, 0.1 to 1,000."] = 1.0,
    after: Annotated[str | None, 'Only lines after this cursor; "0" is the beginning. Default: "0".'] = None,
) -> AsyncGenerator[Delivery | RunLogEnd, None]:
    """Replay the log of a run: the lines of `runFeed` in the same order, as far apart as they were stored.

    No pause is longer than 10 seconds. Chunks are not stored, so they are not replayed. The last item is
    `RunEnded`; a run that has not ended is replayed up to now, then followed. Raises INVALID, NOT_FOUND.
    """
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise Invalid(("speed", f"must be {MIN_SPEED} to {MAX_SPEED:g}, not {speed}"))
    context = info.context
    read = partial(
        retry_while_unavailable, partial(read_fresh_snapshot, context, run_id, with_open_text=False)
    )
    after = after or START
    seq = 0 if after == START else Cursor.parse(after).seq
    feed, me = context.services.event_log, user_topic(context.actor.id)
    with feed.pubsub.listen(me) as woken:
        viewer = ReplayViewer(read, woken, speed)
        if not await viewer.check_access():
            raise NotFound(run_id)
        async with aclosing(feed.follow(run_topic(run_id), after, also=[me], log=RUN_LOG)) as pages:
            async for lines in pages:
                if not await viewer.check_access():
                    return
                for line in lines:
                    if not await viewer.wait_for(line.at):
                        return
                    yield Delivery(FeedPosition(Cursor(line.epoch, line.seq)), line)
                    seq = line.seq
                if viewer.snapshot and viewer.snapshot.run.status in TERMINAL and seq >= viewer.snapshot.last:
                    yield ended_of(viewer.snapshot, seq)
                    return
