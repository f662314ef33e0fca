"""Repeats requests until the server can be reached."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar

from worker.api import ServerUnreachable

RETRY_DELAYS_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)  # before each repetition; the last one for all further ones
T = TypeVar("T")


async def retry_until_reached(
    send: Callable[[], Awaitable[T]], is_given_up: Callable[[], bool] = lambda: False
) -> T:
    """Repeat a request until the server answers it.

    Raises ServerUnreachable once `is_given_up` holds.
    """
    for attempt in itertools.count():
        try:
            return await send()
        except ServerUnreachable as error:
            if is_given_up():
                raise
            delay = RETRY_DELAYS_SECONDS[min(attempt, len(RETRY_DELAYS_SECONDS) - 1)]
            await asyncio.sleep(max(error.after, delay))
    raise AssertionError("endless")
