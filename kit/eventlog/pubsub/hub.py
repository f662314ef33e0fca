"""The listeners of this process, by topic.

Promise. Notifications coalesce. A listener is one flag, so a thousand notifications to a busy listener
take no more memory than one.
"""

import asyncio
import enum
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256

MAX_TOPIC_LENGTH = 500  # characters of a topic's name that travel as they are


def short(name: str) -> str:
    """Return the topic's name, or its SHA-256 digest if the name exceeds MAX_TOPIC_LENGTH."""
    if len(name) <= MAX_TOPIC_LENGTH:
        return name
    return "sha256:" + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


class Flag:
    """A flag. `wake` sets it, and only `clear` resets it."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def clear(self) -> None:
        """Reset the flag. Call this before reading the log, never after."""
        self._woken.clear()

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - False, no error
        """Wait until the flag is set. Return False if it is not set within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                return await self._woken.wait()
        except TimeoutError:
            return self._woken.is_set()  # both may happen in one turn of the loop


class Listener(Flag):
    """The flag of one subscriber, set by every notification for its topics."""

    def __init__(self, hub: "Hub") -> None:
        super().__init__()
        self._hub, self.keys = hub, set[str]()

    def add(self, name: str) -> None:
        """Subscribe to a topic. No later notification is missed."""
        self._hub.join(short(name), self)

    def drop(self, name: str) -> None:
        """Unsubscribe from a topic."""
        self._hub.leave(short(name), self)


class CallbackListener(Listener):
    """A listener that calls `callback` for every notification, for subscribers without a task."""

    def __init__(self, hub: "Hub", callback: Callable[[], None]) -> None:
        self._hub, self.keys = hub, set[str]()
        self.wake = callback  # type: ignore[method-assign]


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

    def call(self, name: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` for every notification of a topic. Return the function that unsubscribes."""
        caller, key = CallbackListener(self, callback), short(name)
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
        """Wake the listeners of these keys, or every listener if `keys` is None."""
        if keys is None:
            for listener in list(self._everyone):
                listener.wake()
            return
        for key in keys:
            for listener in list(self._by_name.get(key, ())):
                listener.wake()


class SourceState(enum.IntEnum):
    """The reliability of a source of notifications."""

    DOWN = 0
    DOUBTED = 1  # connected, but no recent message
    PROVEN = 2


class Source:
    """A source of notifications from other processes. It wakes the hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.state = SourceState.DOWN

    def become(self, state: SourceState) -> None:
        """Change the state. A change to DOWN or DOUBTED wakes every listener once.

        After a change for the worse, listeners must poll more often than they planned. After a change
        from DOWN to DOUBTED, a source that has just connected may have missed notifications.
        """
        if state is self.state:
            return
        self.state = state
        if state is not SourceState.PROVEN:
            self.hub.wake(None)

    async def start(self, *, required: bool = True) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError
