"""Many subscribers in one process, which count frames and decode none: a client library costs more than a server.

Each speaks just enough of RFC 6455 and graphql-transport-ws to subscribe.
"""

import asyncio
import base64
import json
import os
import time
from typing import Any

UPGRADE = (
    "GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    "sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
TEXT, PING = 0x81, 0x89


class Subscriber(asyncio.Protocol):
    """One socket with one subscription."""

    def __init__(self, crowd: "Crowd", port: int, subscribe: Any) -> None:
        self._crowd, self._port, self._subscribe = crowd, port, subscribe
        self._buffer = b""
        self._is_open = False
        self.count = (
            -1
        )  # events so far; the first text is the acknowledgement, the first event says: it is heard
        self.base = 0
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(UPGRADE.format(port=self._port, key=key).encode())

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the server closed the socket"))

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        if not self._is_open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            assert b" 101 " in head[:16], head
            self._is_open = True
            self._send(self._crowd.hello)
        at = 0
        while (end := self._end(data, at)) is not None:
            self._take(data[at], data, at, end)
            at = end
        self._buffer = data[at:]

    @staticmethod
    def _end(data: bytes, at: int) -> int | None:
        """Where the frame that begins at `at` ends; None while it is not all here."""
        if len(data) < at + 2:
            return None
        length, start = data[at + 1], at + 2
        if length > 125:
            start += 2 if length == 126 else 8
            if len(data) < start:
                return None
            length = int.from_bytes(data[at + 2 : start])
        return start + length if len(data) >= start + length else None

    def _take(self, kind: int, data: bytes, at: int, end: int) -> None:
        if kind == PING:
            self._transport.write(b"\x8a" + bytes((0x80 | (end - at - 2),)) + bytes(4) + data[at + 2 : end])
        elif kind == TEXT and self.count < 0:
            self.count = 0
            self._send(self._subscribe)
        elif kind == TEXT and b'"next"' in data[at : at + 120]:
            self.count += 1
            if self.count == 1:
                self.ready.set_result(None)
            self._crowd.heard(self.count - self.base)
        else:
            self._crowd.fail(data[at:end])

    def _send(self, message: Any) -> None:
        data = json.dumps(message).encode()
        size = len(data)
        head = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2)
        self._transport.write(b"\x81" + head + bytes(4) + data)


class Crowd:
    """Subscribers of one thing."""

    def __init__(self, authorization: str = "") -> None:
        self.hello = {"type": "connection_init"} | (
            {"payload": {"authorization": authorization}} if authorization else {}
        )
        self.everyone: list[Subscriber] = []
        self.total = 0
        self.sent: list[float] = []  # when each event was asked for, by its number
        self.waits: list[float] = []
        self._enough = asyncio.Event()
        self._wanted = 0
        self._failed: bytes | None = None

    async def subscribe(
        self, port: int, count: int, query: str, variables: Any, *, at_once: int = 50
    ) -> None:
        loop = asyncio.get_running_loop()
        for start in range(0, count, at_once):
            ids = range(start, min(start + at_once, count))
            made = await asyncio.gather(
                *(
                    loop.create_connection(
                        lambda n=n: Subscriber(self, port, _subscribe(n, query, variables)), "127.0.0.1", port
                    )
                    for n in ids
                )
            )
            self.everyone += [subscriber for _, subscriber in made]
            await asyncio.gather(*(subscriber.ready for _, subscriber in made))

    def heard(self, number: int) -> None:
        self.total += 1
        if 0 < number <= len(self.sent):
            self.waits.append(time.perf_counter() - self.sent[number - 1])
        if self.total >= self._wanted:
            self._enough.set()

    def fail(self, heard: bytes) -> None:
        """Something else than an event came: whoever waits is told."""
        self._failed = heard
        self._enough.set()
        for subscriber in self.everyone:
            if not subscriber.ready.done():
                subscriber.ready.set_exception(ConnectionError(repr(heard)))

    async def until(self, total: int, within: float = 60) -> None:
        """Wait until so many events were heard by all together."""
        self._wanted = total
        self._enough.clear()
        if self.total < total:
            async with asyncio.timeout(within):
                await self._enough.wait()
        assert self._failed is None, self._failed

    def begin(self) -> None:
        """Count from here."""
        self.total, self.sent, self.waits = 0, [], []
        for subscriber in self.everyone:
            subscriber.base = subscriber.count

    def close(self) -> None:
        for subscriber in self.everyone:
            subscriber.close()


def _subscribe(number: int, query: str, variables: Any) -> Any:
    # Clients name their operations by UUIDs: all of one length, no two the same.
    return {
        "id": f"{number:036d}",
        "type": "subscribe",
        "payload": {"query": query, "variables": variables},
    }
