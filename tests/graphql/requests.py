"""Speaks ASGI to an application: one request, one socket, no server and no network."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

JSON = {"content-type": "application/json"}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.json["errors"]]


def scope(kind: str, method: str, path: str, query: str, headers: Any) -> dict[str, Any]:
    pairs = headers.items() if isinstance(headers, dict) else headers
    raw = [(k.lower().encode(), v.encode("latin-1")) for k, v in pairs]
    if not any(k == b"host" for k, _ in raw):
        raw.append((b"host", b"testserver"))
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode() if isinstance(query, str) else query,
        "headers": raw,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "subprotocols": ["graphql-transport-ws"],
        "extensions": {"websocket.http.response": {}},
    }


async def http(
    app: Any,
    method: str = "POST",
    body: bytes | list[bytes] = b"",
    headers: Any = JSON,
    query: str | bytes = "",
    gone_after: float | None = None,
) -> Answer:
    """Send one request and return its answer. `gone_after`: hang up after so many seconds."""
    chunks = [body] if isinstance(body, bytes) else list(body)
    sent: list[Any] = []
    done = asyncio.Event()

    async def receive() -> Any:
        if chunks:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}
        try:
            async with asyncio.timeout(gone_after):
                await done.wait()
        except TimeoutError:
            pass
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await app(scope("http", method, "/graphql", query, headers), receive, send)
    finally:
        done.set()
    if not sent:
        return Answer(0, {}, b"")
    told = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return Answer(sent[0]["status"], told, b"".join(m.get("body", b"") for m in sent[1:]))


async def ask(app: Any, query: Any, headers: Any = None, **more: Any) -> Answer:
    body = json.dumps({"query": query, **more}).encode()
    return await http(app, body=body, headers={**JSON, **(headers or {})})


class Socket:
    """One socket, from the client's side. `closed` is (code, reason) once it is."""

    def __init__(self) -> None:
        self.to_app: asyncio.Queue[Any] = asyncio.Queue()
        self.from_app: asyncio.Queue[Any] = asyncio.Queue()
        self.closed: tuple[int, str] | None = None
        self.deaf = False  # whether a close is left unanswered

    def send(self, message: Any) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        self.to_app.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, data: bytes) -> None:
        self.to_app.put_nowait({"type": "websocket.receive", "bytes": data})

    async def hear(self, seconds: float = 5) -> Any:
        """Return the next message, or None when the socket was closed."""
        if self.closed and self.from_app.empty():
            return None
        async with asyncio.timeout(seconds):
            return await self.from_app.get()

    async def ready(self, **params: Any) -> "Socket":
        self.send({"type": "connection_init", "payload": params})
        assert await self.hear() == {"type": "connection_ack"}
        return self

    async def end(self, seconds: float = 5) -> tuple[int, str]:
        """Wait until the application closes, and return the code and the reason."""
        while await self.hear(seconds) is not None:
            pass
        assert self.closed is not None
        return self.closed


@asynccontextmanager
async def socket(app: Any, headers: Any = None) -> AsyncIterator[Socket]:
    peer = Socket()

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            assert "text" in message, "Clients read text"
            peer.from_app.put_nowait(json.loads(message["text"]))
        elif message["type"] in ("websocket.close", "websocket.http.response.start"):
            peer.closed = message.get("code", message.get("status")), message.get("reason", "")
            assert len(peer.closed[1].encode()) <= 123, "A close frame holds no more"
            peer.from_app.put_nowait(None)
            if not peer.deaf:
                peer.to_app.put_nowait({"type": "websocket.disconnect", "code": peer.closed[0]})

    peer.to_app.put_nowait({"type": "websocket.connect"})
    asgi = scope("websocket", "GET", "/graphql", "", headers or {})
    task = asyncio.create_task(app(asgi, peer.to_app.get, send))
    try:
        yield peer
    finally:
        peer.to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(10):
            await task  # an exception here is what a server would close 1006 for
