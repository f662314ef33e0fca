"""A look at the database that many wait for, made once for all of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class SingleFlight:
    """Many may ask at any moment for `look` to be made; each is served by one that began after it asked."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._turn = asyncio.Lock()
        self._begun = 0  # looks begun so far
        self._ended = 0  # the last of them that was not cut short
        self._looked = float("-inf")  # when that one began

    async def __call__(self, *, age: float = 0) -> None:
        """See what was committed before this was called, or `age` seconds before."""
        if time.monotonic() < self._looked + age:
            return
        asked = self._begun
        async with self._turn:
            # A look that had begun before we asked may have been too early for what woke us; one that
            # another has begun and ended since is as good as our own.
            if self._ended <= asked:
                self._begun += 1
                mine, began = self._begun, time.monotonic()
                await self._look()
                self._ended, self._looked = mine, began
