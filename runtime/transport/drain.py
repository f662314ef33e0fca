"""The server is told to stop, and says so to everybody who still listens."""

import asyncio


class Draining:
    """Whether the server is ending. Readiness is `not draining.begun`.

    `begin` may be called from a signal handler or another thread once `attach` told it the loop.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.begun = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def begin(self) -> None:
        self.begun = True
        if self._loop is None:
            self._event.set()
        else:  # an event set from outside does not wake a loop that sleeps
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self) -> None:
        """Wait until the server begins to end."""
        await self._event.wait()
