"""Who listens to what in this process.

PubSub coalesce: a listener is one flag, so a thousand wakes to a follower that is busy, or that a
slow client holds up, take no more memory than one.
"""

import asyncio
import enum
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256

MAX_TOPIC_LENGTH = 500  # characters of a topic's name that travel as they are


def short(name: str) -> str:
    """The name a topic goes by among wakes: its own, or a digest where that is too long to send."""
    if len(name) <= MAX_TOPIC_LENGTH:
        return name
    return "sha256:" + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


class Flag:
    """Raised by every wake, lowered only by `clear`."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def clear(self) -> None:
        """Forget the wakes so far. Call it before looking at the log, never after."""
        self._woken.clear()

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - False, no error
        """Wait until woken since the last `clear`: True, or False after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                return await self._woken.wait()
        except TimeoutError:
            return self._woken.is_set()  # both may happen in one turn of the loop


class Listener(Flag):
    """One follower's flag, raised by every wake of its topics."""

    def __init__(self, hub: "Hub") -> None:
        super().__init__()
        self._hub, self.keys = hub, set[str]()

    def add(self, name: str) -> None:
        """Listen to one more topic: no wake after this is missed."""
        self._hub.join(short(name), self)

    def drop(self, name: str) -> None:
        """Listen to it no more."""
        self._hub.leave(short(name), self)


class CallbackListener(Listener):
    """Calls `told` at every wake instead of raising a flag: for what is not waited for by a task."""

    def __init__(self, hub: "Hub", told: Callable[[], None]) -> None:
        self._hub, self.keys = hub, set[str]()
        self.wake = told  # type: ignore[method-assign]


class Hub:
    """The listeners of one process, by topic."""

    def __init__(self) -> None:
        self._everyone: set[Listener] = set()
        self._by_name: dict[str, set[Listener]] = {}

    @contextmanager
    def listen(self, names: Iterable[str]) -> Iterator[Listener]:
        listener = Listener(self)
        self._everyone.add(listener)
        for name in names:
            listener.add(name)
        try:
            yield listener
        finally:
            self._everyone.discard(listener)
            for key in list(listener.keys):
                self.leave(key, listener)

    def call(self, name: str, told: Callable[[], None]) -> Callable[[], None]:
        """Call `told` at every wake of a name, until what this returns is called."""
        caller, key = CallbackListener(self, told), short(name)
        self._everyone.add(caller)
        self.join(key, caller)

        def stop() -> None:
            self._everyone.discard(caller)
            self.leave(key, caller)

        return stop

    def join(self, key: str, listener: Listener) -> None:
        listener.keys.add(key)
        self._by_name.setdefault(key, set()).add(listener)

    def leave(self, key: str, listener: Listener) -> None:
        if key not in listener.keys:
            return
        listener.keys.discard(key)
        listeners = self._by_name[key]
        listeners.discard(listener)
        if not listeners:
            del self._by_name[key]

    def wake(self, keys: Iterable[str] | None) -> None:
        """Wake the listeners of these short names; of None: every listener there is."""
        if keys is None:
            for listener in list(self._everyone):
                listener.wake()
            return
        for key in keys:
            for listener in list(self._by_name.get(key, ())):
                listener.wake()


class SourceState(enum.IntEnum):
    """How far an ear is to be trusted to bring wakes."""

    DOWN = 0
    DOUBTED = 1  # connected, but not heard from, or not lately
    PROVEN = 2


class Source:
    """Something that hears of other processes' news and wakes the hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.state = SourceState.DOWN

    def become(self, state: SourceState) -> None:
        """Change state. Every step but to PROVEN wakes everyone, once.

        Stepping down, because followers sleep for as long as the better state allowed and should
        now look more often; stepping up to DOUBTED, because an ear that has just been connected
        cannot know what it missed.
        """
        if state is self.state:
            return
        self.state = state
        if state is not SourceState.PROVEN:
            self.hub.wake(None)

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError
