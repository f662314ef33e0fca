"""Clients for tests: they speak HTTP and graphql-transport-ws to the application, in process or over a socket."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class AsgiSocket:
    """One WebSocket to an ASGI application in this process."""

    def __init__(self, app: Any, path: str = "/graphql", headers: dict[str, str] | None = None) -> None:
        self._app, self._in, self._out = app, asyncio.Queue[Any](), asyncio.Queue[Any]()
        given = {"host": "127.0.0.1:8000", **(headers or {})}
        self._scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "ws",
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
            "client": ("127.0.0.1", 5555),
            "server": ("127.0.0.1", 8000),
            "subprotocols": ["graphql-transport-ws"],
            "state": {},
            "extensions": {},
        }

    async def __aenter__(self) -> "AsgiSocket":
        self._in.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._app(self._scope, self._in.get, self._out.put))
        first = await asyncio.wait_for(self._out.get(), 30)
        if first["type"] != "websocket.accept":
            raise Closed(first.get("code", 1006), first.get("reason", ""))
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1000})
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self._task, 30)

    def send(self, message: Any) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        self._in.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self, timeout: float = 30) -> Any:
        """The next message. Raises Closed."""
        message = await asyncio.wait_for(self._out.get(), timeout)
        if message["type"] == "websocket.close":
            raise Closed(message.get("code", 1000), message.get("reason") or "")
        return json.loads(message["text"])

    async def init(self, authorization: str | None = None) -> None:
        payload = {"authorization": authorization} if authorization else None
        self.send({"type": "connection_init", "payload": payload})
        assert (await self.receive())["type"] == "connection_ack"


class Refused(Exception):
    """An operation that was answered with errors."""

    def __init__(self, errors: Any) -> None:
        super().__init__(json.dumps(errors))
        self.errors = errors

    @property
    def code(self) -> str:
        return str(self.errors[0]["extensions"]["code"])


FEED = re.compile(r"\b(?:board|workspace|user|question)Feed\b")


def is_started_anew(query: str, variables: dict[str, Any]) -> bool:
    """Whether the first item of a subscription is FeedStarted: that of a feed without `after`."""
    has_after = 'after: "' in query or ("after: $after" in query and variables.get("after") is not None)
    return FEED.search(query) is not None and not has_after


def flat(data: Any) -> Any:
    """The items of an answer with the fields of their events beside their own."""
    return {
        name: {**{key: one for key, one in item.items() if key != "event"}, **item["event"]}
        if isinstance(item, dict) and isinstance(item.get("event"), dict)
        else item
        for name, item in data.items()
    }


class Hear:
    """One subscription: call it for its next item, or for None once it has ended. Or loop over them all.

    Items are flat, and `FeedStarted` is left out.
    """

    def __init__(self, socket: AsgiSocket, id: str, *, is_new: bool = False) -> None:
        self._socket, self._id, self._is_new = socket, id, is_new

    async def __call__(self, timeout: float = 30) -> Any:
        if self._is_new and await self.started(timeout) is None:
            return None
        return await self._next(timeout)

    async def started(self, timeout: float = 30) -> Any:
        """The item of `FeedStarted`, of a feed without `after`."""
        self._is_new = False
        return await self._next(timeout)

    async def _next(self, timeout: float) -> Any:
        message = await self._socket.receive(timeout)
        if message["type"] == "complete":
            return None
        if message["type"] == "error":
            raise Refused(message["payload"])
        assert message["type"] == "next", message
        if message["payload"].get("errors"):
            raise Refused(message["payload"]["errors"])
        return flat(message["payload"]["data"])

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (event := await self()) is not None:
            yield event


@contextlib.asynccontextmanager
async def follow(app: Any, query: str, authorization: str | None, **variables: Any) -> AsyncIterator[Hear]:
    async with AsgiSocket(app) as socket:
        await socket.init(authorization)
        payload = {"query": query, "variables": variables}
        socket.send({"id": "1", "type": "subscribe", "payload": payload})
        yield Hear(socket, "1", is_new=is_started_anew(query, variables))
