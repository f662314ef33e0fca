"""The one object the rest of the program knows of wakes."""

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
    """PubSub within this process, and through a bus to the others.

    `url` names the bus: memory:// (this process only), postgresql:// (also postgresql+asyncpg://),
    redis://, rediss:// or valkey://. Any other raises ValueError. `channel` separates installations
    that share a Redis. `changed` is for SQLite: a number that differs after another process has
    written to the file; it is asked four times a second, and when it differs everyone is woken. `deaf`
    says that other processes may write and nothing will tell: only looking does.

    Belongs to the event loop that started it; not to be called from other threads.
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

    async def start(self) -> None:
        """Be connected and subscribed. Raises ConnectionError if the bus cannot be reached now.

        A bus lost later is rebuilt for ever, and nobody is told but the log. Starting twice is
        starting once.
        """
        async with self._starting:
            if self._is_started:
                return
            try:
                for ear in self._ears:
                    await ear.start()
            except BaseException:
                await self._stop()
                raise
            self._is_started = True

    async def stop(self) -> None:
        """Send what is still to be sent, if that is quick, and disconnect. May be started again."""
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
        """Say that these topics grew. Call it after COMMIT: it neither blocks nor fails.

        Listeners of this process are woken before it returns, other processes within about 20 ms.
        """
        keys = {short(name) for name in ([names] if isinstance(names, str) else names)}
        self._hub.wake(keys)
        if self._bus is not None:
            self._bus.send(keys)

    @contextmanager
    def listen(self, *names: str) -> Iterator[Listener]:
        """Listen to these topics. No wake after this returned is missed until the block ends."""
        with self._hub.listen(names) as listener:
            yield listener

    def call(self, name: str, told: Callable[[], None]) -> Callable[[], None]:
        """Call `told` at every wake of a topic, until what this returns is called. Costs no task."""
        return self._hub.call(name, told)

    @property
    def healthy(self) -> bool:
        """Whether wakes of other processes are known to arrive; alone there are none."""
        return self._state is SourceState.PROVEN and not self._is_deaf

    @property
    def poll(self) -> float:
        """Seconds a follower should wait before it looks unasked. Read it anew for every wait."""
        if self._state is SourceState.DOWN:
            return random.uniform(*POLL_DISCONNECTED_SECONDS)  # noqa: S311 - only jitter
        if self._is_deaf:
            return random.uniform(*POLL_ALONE_SECONDS)  # noqa: S311 - only jitter
        return POLL_SECONDS if self.healthy else POLL_DOUBTED_SECONDS

    @property
    def _state(self) -> SourceState:
        return min((ear.state for ear in self._ears), default=SourceState.PROVEN)


def backend_for(url: str) -> type[Backend] | None:
    """The kind of bus an address names; None for memory. Drivers are imported when used."""
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
