"""What every bus looks like to broadcaster, which we keep as the socket that buses plug into.

Its own back ends lose messages for ever when a connection is lost, and say nothing, so ours obey
three rules. `connect` returns once the server has confirmed the subscription (inside `subscribe`,
broadcaster would hide an error behind a KeyError). A lost connection is told as an event, `lost`,
and `next_published` never raises (broadcaster would keep that to itself). `disconnect` cannot hang.
"""

from typing import Any, ClassVar

from broadcaster import BroadcastBackend, Event


class Backend(BroadcastBackend):
    """A connection to a bus, used once: a lost one is thrown away and another made."""

    quotable: ClassVar[tuple[type[Exception], ...]] = ()  # errors whose text holds no password

    def __init__(self, url: str, channel: str) -> None:
        self.url, self.channel = url, channel
        self.lost = Event(channel, "")  # known by identity, which nobody can send

    async def subscribe(self, group: str) -> None:
        assert group == self.channel, "a plug has one channel, subscribed to by connect()"

    async def unsubscribe(self, group: str) -> None:
        pass

    def tell(self, error: BaseException) -> str:
        """Say what went wrong, in words that cannot hold the address and its password."""
        name = type(error).__name__
        if isinstance(error, (*self.quotable, OSError)) and str(error):
            return f"{name}: {error}"
        return name

    # The rest is what each bus does its own way.
    async def connect(self) -> None:
        raise NotImplementedError

    async def disconnect(self) -> None:
        raise NotImplementedError

    async def publish(self, channel: str, message: Any) -> None:
        raise NotImplementedError

    async def next_published(self) -> Event:
        raise NotImplementedError
