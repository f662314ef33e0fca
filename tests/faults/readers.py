"""Readers of a board's feed: over sockets and over SSE, dropping and resuming as networks make them.

A reader checks what every client can check by itself: each number is the one before plus one. It resumes
from the last cursor it was given, on whichever server answers.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import websockets
from websockets.asyncio.client import connect

from tests.client import flat
from tests.faults.api import Api, Logged, is_retryable

FEED = """subscription($board: ID!, $after: String) {
  boardFeed(boardId: $board, after: $after) { seq cursor at requestId event { kind: __typename } } }"""

LOST = (OSError, TimeoutError, httpx2.TransportError, websockets.WebSocketException)


class Ended(Exception):
    """The feed ended with errors. `code` is the first one's."""

    def __init__(self, errors: Any) -> None:
        super().__init__(json.dumps(errors))
        self.errors, self.code = errors, errors[0]["extensions"]["code"]


def _data(payload: Any) -> Any:
    if payload.get("errors"):
        raise Ended(payload["errors"])
    return flat(payload["data"])


async def hear_ws(server: Any, query: str, variables: Any, **options: Any) -> AsyncGenerator[Any, None]:
    """What a subscription says over graphql-transport-ws. Left early, the socket is torn, not closed."""
    settings: Any = {"ping_interval": None, "open_timeout": 10, "close_timeout": 1, **options}
    async with connect(server.ws, subprotocols=["graphql-transport-ws"], **settings) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "connection_init", "payload": server.headers}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": query, "variables": variables}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        try:
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "complete":
                    return
                if message["type"] == "error":
                    raise Ended(message["payload"])
                yield _data(message["payload"])
        finally:
            socket.transport.abort()


async def hear_sse(
    http: httpx2.AsyncClient, server: Any, query: str, variables: Any
) -> AsyncGenerator[Any, None]:
    """What a subscription says over SSE."""
    body = {"query": query, "variables": variables}
    patience = httpx2.Timeout(10, read=60)
    headers = {"accept": "text/event-stream", **server.headers}
    async with http.stream("POST", server.http, json=body, headers=headers, timeout=patience) as response:
        if not response.headers["content-type"].startswith("text/event-stream"):
            raise Ended(json.loads(await response.aread())["errors"])
        kind = ""
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: ") and kind == "next":
                yield _data(json.loads(line[6:]))
            elif kind == "complete":
                return


class Reader:
    """One subscriber. `heard` is all it was told, once and in order, or `run` fails."""

    def __init__(
        self, api: Api, board: str, transport: str, *, after: str | None = "0", drops: float = 0
    ) -> None:
        self.api, self.board, self.transport = api, board, transport
        self.cursor, self.drops = after, drops  # how often a second it drops by itself, about
        self.heard: list[Logged] = []
        self.connections = 0
        self.latencies: list[float] = []  # seconds from the change to here, of events heard live
        self.resumes: list[float] = []  # seconds from a loss that was not its own to the next event

    @property
    def last(self) -> int:
        return self.heard[-1].seq if self.heard else 0

    def _stream(self) -> AsyncGenerator[Any, None]:
        process = random.choice(self.api.processes)
        variables = {"board": self.board, "after": self.cursor}
        if self.transport == "ws":
            return hear_ws(process, FEED, variables)
        return hear_sse(self.api.http, process, FEED, variables)

    async def run(self) -> None:
        """Follow for ever; cancel it."""
        lost: float | None = None
        while True:
            self.connections += 1
            try:
                async with contextlib.aclosing(self._stream()) as events:
                    async for event in self._until_dropped(events):
                        self._take(event["boardFeed"])
                        if lost is not None:
                            self.resumes.append(time.monotonic() - lost)
                            lost = None
            except Ended as ended:
                if not all(map(is_retryable, ended.errors)):
                    raise
            except TimeoutError:
                continue  # dropped by itself
            except LOST:
                pass
            lost = lost or time.monotonic()
            await asyncio.sleep(
                random.uniform(0.05, 0.3)
            )  # as clients do, so that they do not come back in step

    async def _until_dropped(self, events: AsyncGenerator[Any, None]) -> AsyncIterator[Any]:
        stays = random.expovariate(self.drops) if self.drops else None
        deadline = stays and asyncio.get_running_loop().time() + stays
        while True:
            async with asyncio.timeout_at(deadline):
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    return
            yield event

    def _take(self, event: Any) -> None:
        logged = Logged(event["seq"], event["kind"], event["requestId"])
        expected = self.last + 1 if self.heard or self.cursor == "0" else logged.seq
        assert logged.seq == expected, f"{self.transport}: heard {logged.seq}, not {expected}"
        self.heard.append(logged)
        self.cursor = event["cursor"]
        self.latencies.append((datetime.now(UTC) - datetime.fromisoformat(event["at"])).total_seconds())


@contextlib.asynccontextmanager
async def following(readers: list[Reader]) -> AsyncIterator[None]:
    """The readers run; the first that fails, fails the test."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(reader.run()) for reader in readers]
        yield
        for task in tasks:
            task.cancel()


async def caught_up(readers: list[Reader], last: dict[str, int], *, within: float = 30) -> None:
    """Wait until every reader has heard the last event of its board."""
    async with asyncio.timeout(within):
        while any(reader.last < last[reader.board] for reader in readers):
            await asyncio.sleep(0.02)
