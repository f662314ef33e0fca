"""Draining: announce a shutdown to the streams and sockets that are still open."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Draining:
    """Whether the server is ending. Readiness is `not draining.announced`.

    Between `announce` and `begin` everything is served as before, so that a balancer can look elsewhere first.
    `begin` may be called from a signal handler or another thread once `attach` told it the loop.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._ends: dict[object, Callable[[], None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.announced = self.begun = False

    @property
    def open_streams(self) -> int:
        """Number of sockets and streams that are open."""
        return len(self._ends)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def announce(self) -> None:
        self.announced = True

    def begin(self) -> None:
        self.announced = self.begun = True
        if self._loop is None:
            self._tell()
        else:  # an event set from outside does not wake a loop that sleeps
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._event.set()
        ends, self._ends = list(self._ends.values()), {}
        for end in ends:
            end()

    async def wait(self) -> None:
        """Wait until the server begins to end."""
        await self._event.wait()

    @contextmanager
    def telling(self, end: Callable[[], None]) -> Iterator[None]:
        """Call `end` when the server begins to end, if this lasts until then. Costs no task."""
        if self._event.is_set():
            end()
        key = object()
        self._ends[key] = end
        try:
            yield
        finally:
            self._ends.pop(key, None)
