"""The feed's memory: readers that do not read, and readers that only wait, cost the server next to nothing."""

import asyncio
import contextlib
import json
import socket
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.faults.api import CREATE_CARDS, CROWD, Api
from tests.faults.readers import FEED

pytestmark = pytest.mark.slow("crowds of readers that do not read")

MB = 1024 * 1024
FAT = """subscription($board: ID!) { boardFeed(boardId: $board, after: "0") { event { ... on CardEvent {
  a: card { description } b: card { description } c: card { description } d: card { description } } } } }"""


def stalled(port: int, board: str) -> socket.socket:
    """A reader over SSE that asks for everything and then reads nothing."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", port))
    body = json.dumps({"query": FAT, "variables": {"board": board}})
    head = f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
    head += f"accept: text/event-stream\r\ncontent-length: {len(body)}\r\n\r\n"
    reader.sendall((head + body).encode())
    return reader


def connections(port: int) -> int:
    """Connections that the server still holds."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] == "01" for line in lines)


@pytest.mark.parametrize(
    ("readers", "seconds"),
    [(20, 8), pytest.param(100, 60, marks=[pytest.mark.long, pytest.mark.timeout(300)])],
)
async def test_readers_that_do_not_read_hold_nothing_up(serve, readers, seconds, figure):
    """Each asks for 6 MB and takes none of it: the server's memory stays, and others are served meanwhile."""
    server = await serve(**CROWD)
    async with Api(server) as api:
        [board] = await api.boards(1)
        cards = [{"title": "Fat", "description": "x" * 5_000}] * 100
        for _ in range(3):
            await api.ask(CREATE_CARDS, input={"boardId": board, "cards": cards})
        before = server.rss
        with contextlib.ExitStack() as stack:
            for _ in range(readers):
                stack.enter_context(contextlib.closing(stalled(server.port, board)))
            most = before
            for _ in range(seconds * 2):
                await asyncio.sleep(0.5)
                most = max(most, server.rss)
            await api.ask("{ boards { nodes { id } } }")
            if seconds > 30:
                assert connections(server.port) < 5, "the kernel cut off those who took nothing"
        figure(readers=readers, growth=f"{(most - before) / MB:.0f} MB")
        assert most - before < 50 * MB


@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.long)])
async def test_readers_that_wait_are_cheap(serve, count, figure):
    server = await serve(**CROWD)
    async with Api(server) as api, contextlib.AsyncExitStack() as stack:
        [board] = await api.boards(1)

        async def subscribe():
            settings = {"ping_interval": None, "compression": None, "open_timeout": 30}
            socket = await connect(server.ws, subprotocols=["graphql-transport-ws"], **settings)
            await socket.send(json.dumps({"type": "connection_init", "payload": server.headers}))
            await socket.recv()
            payload = {"query": FEED, "variables": {"board": board, "after": "0"}}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            await asyncio.wait_for(socket.recv(), 30)  # the board's first event
            stack.push_async_callback(socket.close)

        for _ in range(10):
            await subscribe()
        before = server.rss
        for _ in range(count // 10):
            await asyncio.gather(*(subscribe() for _ in range(10)))
        each = (server.rss - before) / count / 1024
        figure(readers=count, each=f"{each:.0f} kB")
        assert each < 200  # the goal is 100, of which a small count shows the pools as well
