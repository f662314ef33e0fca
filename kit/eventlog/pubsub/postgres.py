"""Publish/subscribe over PostgreSQL: LISTEN and NOTIFY on one connection per process."""

import asyncio
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
from broadcaster import Event

from kit.eventlog.pubsub.backend import Backend

APPLICATION_NAME = "signalbox-wakes"  # as pg_stat_activity shows the connection


class PostgresBackend(Backend):
    quotable: ClassVar = (asyncpg.PostgresError,)
    _connection: asyncpg.Connection | None = None

    async def connect(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._connection = await asyncpg.connect(
            plain(self.url), server_settings={"application_name": APPLICATION_NAME}
        )
        try:
            self._connection.add_termination_listener(self._on_end)
            await self._connection.add_listener(self.channel, self._on_notify)
        except BaseException:
            await self.disconnect()
            raise

    async def disconnect(self) -> None:
        # Not close(): it waits for the server, which may be the one that has stopped answering.
        if self._connection is not None:
            self._connection.terminate()

    async def publish(self, channel: str, message: Any) -> None:
        assert self._connection is not None, "connect() comes first"
        await self._connection.execute("SELECT pg_notify($1, $2)", channel, message)

    async def next_published(self) -> Event:
        return await self._events.get()

    def _on_notify(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._events.put_nowait(Event(channel, str(payload)))

    def _on_end(self, _connection: object) -> None:
        self._events.put_nowait(self.lost)


def plain(url: str) -> str:
    """Convert a SQLAlchemy URL to a libpq URL."""
    parts = urlsplit(url)
    query = [("sslmode" if k == "ssl" else k, v) for k, v in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(scheme="postgresql", query=urlencode(query)))
