"""One clock for every server process: the database's.

A moment that one process stores is judged by others, whose own clocks may be minutes away. So each process learns
how far its clock is from the database's, when it starts and again every LEARN_SECONDS, and `utcnow` answers what
time it is there. In between it counts with a clock that nobody sets, so a step of the machine's changes nothing.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

LEARN_SECONDS = 10.0
RETRY_SECONDS = 1.0
MAX_APART_SECONDS = 0.05  # within which two clocks are the same: an answer of the database takes time as well

log = logging.getLogger("signalbox.clock")


def _counted() -> float:
    """Seconds by a clock that only goes forward, also while the machine sleeps where there is one."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """The database's clock, as this process knows it; its own until `learn` was told."""

    def __init__(self) -> None:
        self._at, self._counted = datetime.now(UTC), _counted()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=_counted() - self._counted)

    async def learn(self, ask: Callable[[], Awaitable[datetime]]) -> None:
        """Ask the database what time it is. An answer that took long says less and is believed less."""
        asked = _counted()
        answer = await ask()
        took = _counted() - asked
        there = answer + timedelta(seconds=took / 2)
        apart = (there - self.now()).total_seconds()
        if abs(apart) > MAX_APART_SECONDS + took / 2:
            log.info("the database's clock is %+.3f s from the one in use", apart)
            self._at, self._counted = there, _counted()


CLOCK = Clock()  # a process has one database


async def keep_learning(ask: Callable[[], Awaitable[datetime]]) -> None:
    """Learn again and again, for ever. A look that fails changes nothing, and is made again soon."""
    while True:
        seconds = LEARN_SECONDS if await try_to_learn(ask) else RETRY_SECONDS
        await asyncio.sleep(seconds)


async def try_to_learn(ask: Callable[[], Awaitable[datetime]]) -> bool:
    """Learn once. Answers whether the database answered."""
    try:
        await CLOCK.learn(ask)
    except Exception as error:
        log.warning("the database's clock was not read: %s", type(error).__name__)
        return False
    return True
