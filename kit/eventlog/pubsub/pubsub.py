"""The public interface of publish/subscribe. Other packages use only `PubSub` and its listeners."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from kit.eventlog.pubsub.backend import Backend
from kit.eventlog.pubsub.bus import Bus
from kit.eventlog.pubsub.hub import Hub, Listener, Source, SourceState, short
from kit.eventlog.pubsub.sqlite_poller import SqlitePoller

CHANNEL = "signalbox_wake"
POLL_SECONDS = 5.0  # seconds a follower sleeps before it looks unasked
POLL_DOUBTED_SECONDS = 1.0
POLL_ALONE_SECONDS = (
    0.5,
    0.9,
)  # with nothing that tells of other processes; an event is a second late, seldom more
POLL_DISCONNECTED_SECONDS = (0.25, 0.5)  # anywhere between, so that followers do not look in step


class PubSub:
    """Publish/subscribe within this process, and over a bus between processes.

    url:     the bus: memory:// (this process only), postgresql://, postgresql+asyncpg://, redis://,
             rediss://, valkey:// or valkeys://.
    changed: for SQLite. Returns a number that differs after another process has written to the file.
             It is called four times a second, and a new number wakes every listener.
    channel: separates installations that share a Redis server.
    deaf:    other processes may write without a notification, so subscribers must poll.

    Raises ValueError for any other scheme. An instance belongs to the event loop that started it, and must
    not be called from another thread.
    """

    def __init__(
        self,
        url: str = "memory://",
        *,
        changed: Callable[[], Awaitable[int]] | None = None,
        channel: str = CHANNEL,
        deaf: bool = False,
    ) -> None:
        self._hub, self._is_deaf = Hub(), deaf
        plug = backend_for(url)
        # In memory the hub is the whole bus: broadcaster's would only bring us our own wakes back.
        self._bus = Bus(self._hub, lambda: plug(url, channel)) if plug else None
        peek = SqlitePoller(self._hub, changed) if changed else None
        self._ears: list[Source] = [ear for ear in (self._bus, peek) if ear]
        self._starting = asyncio.Lock()
        self._is_started = False

    @property
    def is_proven(self) -> bool:
        """Whether notifications of other processes are known to arrive."""
        return all(ear.state is SourceState.PROVEN for ear in self._ears)

    async def start(self, *, required: bool = True) -> None:
        """Connect and subscribe. A second call has no effect.

        A connection lost later is logged and rebuilt, without a limit on the attempts. Raises
        ConnectionError if the bus cannot be reached, unless it is not `required`.
        """
        async with self._starting:
            if self._is_started:
                return
            try:
                for ear in self._ears:
                    await ear.start(required=required)
            except BaseException:
                await self._stop()
                raise
            self._is_started = True

    async def stop(self) -> None:
        """Send the pending topics for up to FLUSH_TIMEOUT_SECONDS, then disconnect. `start` may follow."""
        async with self._starting:
            await self._stop()

    async def _stop(self) -> None:
        self._is_started = False
        for ear in self._ears:
            await ear.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def send(self, names: Iterable[str]) -> None:
        """Notify the listeners of these topics. Call this after COMMIT. It neither blocks nor fails.

        Listeners of this process are woken before it returns, those of other processes within about 20 ms.
        """
        keys = {short(name) for name in ([names] if isinstance(names, str) else names)}
        self._hub.wake(keys)
        if self._bus is not None:
            self._bus.send(keys)

    @contextmanager
    def listen(self, *names: str) -> Iterator[Listener]:
        """Subscribe to these topics until the block ends. No notification within the block is missed."""
        with self._hub.listen(names) as listener:
            yield listener

    def call(self, name: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` for every notification of a topic, without a task.

        Return the function that unsubscribes."""
        return self._hub.call(name, callback)

    @property
    def healthy(self) -> bool:
        """Whether notifications of other processes are known to arrive. True if there are no others."""
        return self._state is SourceState.PROVEN and not self._is_deaf

    @property
    def poll(self) -> float:
        """The polling interval in seconds. It changes, so read it before every wait."""
        if self._state is SourceState.DOWN:
            return random.uniform(*POLL_DISCONNECTED_SECONDS)  # noqa: S311 - only jitter
        if self._is_deaf:
            return random.uniform(*POLL_ALONE_SECONDS)  # noqa: S311 - only jitter
        return POLL_SECONDS if self.healthy else POLL_DOUBTED_SECONDS

    @property
    def _state(self) -> SourceState:
        return min((ear.state for ear in self._ears), default=SourceState.PROVEN)


def backend_for(url: str) -> type[Backend] | None:
    """Return the backend for a URL, or None for memory. Drivers are imported on first use.

    Raises ValueError for an unknown scheme."""
    match urlsplit(url).scheme:
        case "memory":
            return None
        case "postgresql" | "postgresql+asyncpg":
            from kit.eventlog.pubsub.postgres import PostgresBackend

            return PostgresBackend
        case "redis" | "rediss" | "valkey" | "valkeys":
            from kit.eventlog.pubsub.redis import RedisBackend

            return RedisBackend
        case scheme:
            raise ValueError(
                f"No wake bus is called {scheme!r}: use memory, postgresql, redis, rediss or valkey"
            )
