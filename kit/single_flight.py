"""One read of the database for many callers that need it at the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class SingleFlight:
    """Run `read` for concurrent callers. Each is served by a run that began after its call."""

    def __init__(self, read: Callable[[], Awaitable[None]]) -> None:
        self._read = read
        self._turn = asyncio.Lock()
        self._begun = 0  # runs begun so far
        self._ended = 0  # the number of the last run that was not cancelled
        self._read_at = float("-inf")  # when that run began

    async def __call__(self, *, age: float = 0) -> None:
        """Return once everything was read that was committed before this call, or `age` seconds before it."""
        if time.monotonic() < self._read_at + age:
            return
        begun_before = self._begun
        async with self._turn:
            # A run that began before this call may have missed its reason. One that another caller
            # began and finished since serves this caller as well.
            if self._ended <= begun_before:
                self._begun += 1
                number, began = self._begun, time.monotonic()
                await self._read()
                self._ended, self._read_at = number, began
