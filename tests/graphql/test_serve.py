"""A real server: how it ends, and whom it cuts off."""

import asyncio
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from kit.graphql.http.serve import AddressTaken, bind, cut_stalled
from tests.graphql.serving import Server, serving
from tests.pace import leeway

pytestmark = pytest.mark.processes

FOLLOW = "subscription { count(to: 1000000, every: 0.05) }"
MANY = 50


async def follow_events(client: httpx2.AsyncClient, url: str) -> str:
    """Read a stream of events until it ends, and return its text."""
    async with client.stream(
        "POST", url, json={"query": FOLLOW}, headers={"accept": "text/event-stream"}
    ) as response:
        return "".join([chunk async for chunk in response.aiter_text()])


async def follow_socket(url: str, opened: asyncio.Semaphore) -> tuple[int, int]:
    """Follow on a socket until it ends; return the close code and how many items came."""
    items = 0
    async with connect(url.replace("http", "ws"), subprotocols=["graphql-transport-ws"]) as peer:  # type: ignore[list-item]
        await begin(peer)
        try:
            async for text in peer:
                items += json.loads(text)["type"] == "next"
                if items == 1:
                    opened.release()
        except ConnectionClosed:
            pass
        return peer.close_code or 0, items


async def begin(peer: ClientConnection) -> None:
    await peer.send(json.dumps({"type": "connection_init"}))
    assert json.loads(await peer.recv()) == {"type": "connection_ack"}
    request = {"type": "subscribe", "id": "1", "payload": {"query": FOLLOW}}
    await peer.send(json.dumps(request))


async def alive(client: httpx2.AsyncClient, server: Server) -> int:
    return int((await client.get(f"{server.url}/readyz")).json()["alive"])


async def test_a_server_told_to_stop_ends_every_stream() -> None:
    limits = httpx2.Limits(max_connections=200)
    async with serving() as server, httpx2.AsyncClient(limits=limits, timeout=30) as client:
        url, opened = f"{server.url}/graphql", asyncio.Semaphore(0)
        events = [asyncio.create_task(follow_events(client, url)) for _ in range(MANY)]
        sockets = [asyncio.create_task(follow_socket(url, opened)) for _ in range(MANY)]
        async with asyncio.timeout(60):
            while await alive(client, server) < 2 * MANY:
                await asyncio.sleep(0.05)
        began = time.monotonic()
        await server.stop(seconds=10)
        took = time.monotonic() - began
        texts = await asyncio.gather(*events)
        ends = await asyncio.gather(*sockets)
    assert took < leeway(5), f"{took:.1f} s"
    assert all(text.endswith("event: complete\ndata: \n\n") for text in texts)
    assert {code for code, _ in ends} == {1012}
    assert all(items > 0 for _, items in ends)
    assert not [line for line in server.log if "Traceback" in line or "exceeded" in line]


async def test_a_stop_waits_for_a_mutation() -> None:
    async with serving() as server, httpx2.AsyncClient(timeout=30) as client:
        body = {"query": "mutation { slowTouch(seconds: 1) }"}
        asked = asyncio.create_task(client.post(f"{server.url}/graphql", json=body))
        await asyncio.sleep(0.3)
        await server.stop(seconds=10)
        assert (await asked).json() == {"data": {"slowTouch": "touched"}}


async def test_a_token_expires_on_a_real_socket() -> None:
    async with serving() as server:
        url = f"{server.url}/graphql".replace("http", "ws")
        async with connect(url, subprotocols=["graphql-transport-ws"]) as peer:  # type: ignore[list-item]
            init = {"type": "connection_init", "payload": {"authorization": "for 1"}}
            await peer.send(json.dumps(init))
            began = time.monotonic()
            assert json.loads(await peer.recv()) == {"type": "connection_ack"}
            async with asyncio.timeout(30):
                with pytest.raises(ConnectionClosed):
                    await peer.recv()
            assert 0.5 < time.monotonic() - began < leeway(3)
            assert (peer.close_code, peer.close_reason) == (4403, "Token expired")


async def test_what_a_client_leaves_is_ended() -> None:
    async with serving() as server, httpx2.AsyncClient(timeout=30) as client:
        url = f"{server.url}/graphql"
        tasks = [asyncio.create_task(follow_events(client, url)) for _ in range(5)]
        tasks_ws: list[Any] = [
            asyncio.create_task(follow_socket(url, asyncio.Semaphore(0))) for _ in range(5)
        ]
        async with asyncio.timeout(60):
            while await alive(client, server) < 10:
                await asyncio.sleep(0.05)
        for task in tasks + tasks_ws:
            task.cancel()
        await asyncio.gather(*tasks, *tasks_ws, return_exceptions=True)
        async with asyncio.timeout(60):
            while await alive(client, server):
                await asyncio.sleep(0.05)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
def test_an_accepted_connection_inherits_the_limit_on_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cut_stalled(listener, seconds=7)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7000


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_who_stops_reading_is_cut_off() -> None:
    """A hundred sockets that never read: none is followed after the kernel's limit."""
    async with serving() as server, httpx2.AsyncClient(timeout=30) as client:
        parts = urlsplit(server.url)
        query = "subscription { text(size: 20000) }"
        stalled = [await stall(parts.hostname, parts.port, query) for _ in range(100)]
        assert await alive(client, server) > 0
        async with asyncio.timeout(60):
            while await alive(client, server):
                await asyncio.sleep(1)
        for peer in stalled:
            peer.close()


async def stall(host: Any, port: Any, query: str) -> socket.socket:
    """Open a stream of events with a small window and never read it."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect((host, port))
    body = json.dumps({"query": query}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    peer.sendall(head.encode() + body)
    await asyncio.sleep(0)
    return peer


def test_who_comes_before_it_serves_is_refused() -> None:
    """Let in, a client would wait for the whole start, while another server could answer it at once."""
    with bind("127.0.0.1", 0) as early:
        for listening in (False, True):
            if listening:
                early.listen()
            with socket.socket() as client:
                assert (client.connect_ex(early.getsockname()) == 0) is listening
    with bind("127.0.0.1", 0, listening=True) as alone, pytest.raises(AddressTaken):
        bind("127.0.0.1", alone.getsockname()[1])
