"""Detect commits of other processes to the same SQLite file by polling the file's version."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kit.eventlog.pubsub.hub import Hub, Source, SourceState

POLL_INTERVAL_SECONDS = 0.25  # seconds between two calls
POLL_TIMEOUT_SECONDS = 3.0  # seconds a call may take

log = logging.getLogger("signalbox.pubsub")


class SqlitePoller(Source):
    """Wake every listener when `changed` returns a new number. The number does not identify the topic.

    Only one task calls `changed`. PRAGMA data_version, read on a dedicated connection, changes with every
    commit of every other connection, including those of this process.
    """

    def __init__(self, hub: Hub, changed: Callable[[], Awaitable[int]]) -> None:
        super().__init__(hub)
        self._changed = changed
        self._last: int | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, *, required: bool = True) -> None:
        self._last = await self._look()
        self.become(SourceState.DOUBTED)
        self.become(SourceState.PROVEN)
        self._task = asyncio.create_task(self._run(), name="wakes-peek")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.become(SourceState.DOWN)

    async def _look(self) -> int:
        async with asyncio.timeout(POLL_TIMEOUT_SECONDS):
            return await self._changed()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
            try:
                version = await self._look()
            except Exception as error:
                if self.state is not SourceState.DOWN:
                    log.warning("Cannot see the file's version, followers poll: %r", error)
                self._last = None  # versions of two connections do not compare
                self.become(SourceState.DOWN)
                continue
            if version != self._last:
                self._last = version
                self.hub.wake(None)
            self.become(SourceState.PROVEN)
