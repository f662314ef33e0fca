"""The base class of the back ends that connect broadcaster to a message bus.

Why. The back ends that broadcaster ships lose messages silently after a lost connection.

Promise. `connect` returns once the server has confirmed the subscription (in `subscribe`, broadcaster
would hide an error behind a KeyError). `next_published` never raises, because broadcaster would hide
the exception. It returns the event `lost` when the connection is lost. `disconnect` cannot hang.
"""

from typing import Any, ClassVar

from broadcaster import BroadcastBackend, Event


class Backend(BroadcastBackend):
    """One connection to a bus. It is never reused: a lost connection is replaced by a new backend."""

    quotable: ClassVar[tuple[type[Exception], ...]] = ()  # errors whose text holds no password

    def __init__(self, url: str, channel: str) -> None:
        self.url, self.channel = url, channel
        self.lost = Event(channel, "")  # known by identity, which nobody can send

    async def subscribe(self, group: str) -> None:
        assert group == self.channel, "a plug has one channel, subscribed to by connect()"

    async def unsubscribe(self, group: str) -> None:
        pass

    def tell(self, error: BaseException) -> str:
        """Describe `error` without the URL, which may contain a password."""
        name = type(error).__name__
        if isinstance(error, (*self.quotable, OSError)) and str(error):
            return f"{name}: {error}"
        return name

    # Each bus implements the methods below.
    async def connect(self) -> None:
        raise NotImplementedError

    async def disconnect(self) -> None:
        raise NotImplementedError

    async def publish(self, channel: str, message: Any) -> None:
        raise NotImplementedError

    async def next_published(self) -> Event:
        raise NotImplementedError
