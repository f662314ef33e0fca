"""The database's clock, as every server process follows it.

A time that one process stores is compared by others, whose own clocks may be minutes off. So each process
synchronizes with the database's clock at start and every SYNC_INTERVAL_SECONDS. In between it counts with a
monotonic clock, so a step of the machine's clock has no effect.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

SYNC_INTERVAL_SECONDS = 10.0
RETRY_SECONDS = 1.0
MAX_OFFSET_SECONDS = 0.05  # ignored difference of the clocks, besides half a round trip

log = logging.getLogger("signalbox.clock")


def _monotonic() -> float:
    """Return the seconds of a clock that only goes forward, if possible also during suspend."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """The database's clock, as this process knows it; the machine's until the first `synchronize`."""

    def __init__(self) -> None:
        self._time, self._read_at = datetime.now(UTC), _monotonic()

    def now(self) -> datetime:
        return self._time + timedelta(seconds=_monotonic() - self._read_at)

    async def synchronize(self, read_time: Callable[[], Awaitable[datetime]]) -> None:
        """Adopt the database's time. A slow answer is less precise, so a larger offset is ignored."""
        started_at = _monotonic()
        answer = await read_time()
        duration = _monotonic() - started_at
        database_time = answer + timedelta(seconds=duration / 2)
        offset = (database_time - self.now()).total_seconds()
        if abs(offset) > MAX_OFFSET_SECONDS + duration / 2:
            log.info("the database's clock is %+.3f s from the one in use", offset)
            self._time, self._read_at = database_time, _monotonic()


CLOCK = Clock()  # a process has one database


async def synchronize_periodically(read_time: Callable[[], Awaitable[datetime]]) -> None:
    """Synchronize forever. A failure changes nothing, and is retried soon."""
    while True:
        is_done = await try_to_synchronize(read_time)
        await asyncio.sleep(SYNC_INTERVAL_SECONDS if is_done else RETRY_SECONDS)


async def try_to_synchronize(read_time: Callable[[], Awaitable[datetime]]) -> bool:
    """Synchronize once. Returns whether the database answered."""
    try:
        await CLOCK.synchronize(read_time)
    except Exception as error:
        log.warning("the database's clock was not read: %s", type(error).__name__)
        return False
    return True
