"""Publish/subscribe over Redis or Valkey: PUBLISH and SUBSCRIBE."""

import asyncio
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import redis.asyncio
from broadcaster import Event
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from kit.eventlog.pubsub.backend import Backend

COMMAND_TIMEOUT_SECONDS = 3.0  # seconds a command may take


class RedisBackend(Backend):
    quotable: ClassVar = (RedisError,)
    _client: redis.asyncio.Redis | None = None

    async def connect(self) -> None:
        self._client = redis.asyncio.Redis.from_url(
            plain(self.url),
            protocol=2,  # pub/sub and nothing else on the line
            decode_responses=False,  # strangers' messages need not be text
            retry=Retry(NoBackoff(), 0),
            socket_timeout=COMMAND_TIMEOUT_SECONDS,
            socket_connect_timeout=COMMAND_TIMEOUT_SECONDS,
        )
        self._subscription = self._client.pubsub()
        self._is_lost = False
        try:
            await self._subscription.subscribe(self.channel)
            await self._subscription.get_message(timeout=None)  # the server's confirmation
        except BaseException:
            await self.disconnect()
            raise

    async def disconnect(self) -> None:
        if self._client is not None:
            with suppress(RedisError, OSError):  # a TimeoutError is an OSError
                async with asyncio.timeout(1):
                    await self._subscription.aclose()  # type: ignore[no-untyped-call]
                    await self._client.aclose()

    async def publish(self, channel: str, message: Any) -> None:
        assert self._client is not None, "connect() comes first"
        await self._client.publish(channel, message)

    async def next_published(self) -> Event:
        if self._is_lost:
            await asyncio.Event().wait()  # `lost` is returned once; then wait for disconnect()
        try:
            message = await self._subscription.get_message(timeout=None)
        except Exception:
            message = None
        if message is not None and message["type"] == "message":
            return Event(self.channel, message["data"].decode(errors="replace"))
        # Whatever `retry` says, redis-py connects and subscribes anew by itself now and then. What
        # was published meanwhile is gone, so a second confirmation is a loss as well.
        self._is_lost = True
        return self.lost


def plain(url: str) -> str:
    """Convert a Valkey URL to a Redis URL. Other URLs are returned unchanged."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme=parts.scheme.replace("valkey", "redis")))
