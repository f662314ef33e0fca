"""Connections that cost the server nothing but themselves: a real process, raw sockets."""

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.pace import leeway

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)

MB = 1 << 20
ASK = {"query": "{ __typename }"}
ANSWER = {"data": {"__typename": "Query"}}
MAX_GROWTH_BYTES = 24 * MB  # of the process, for whatever one connection sends
HEAD = b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)


OPENED: list[asyncio.StreamWriter] = []


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    """Close what a test has opened."""
    yield
    while OPENED:
        writer = OPENED.pop()
        writer.close()
        writer.transport.abort()


def peak(server: Any) -> int:
    """Bytes of memory that the server had at most."""
    [line] = [
        line
        for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    ]
    return int(line.split()[1]) * 1024


async def opened(server: Any, begun: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    OPENED.append(writer)
    writer.write(begun)
    return reader, writer


async def sent(server: Any, begun: bytes, part: bytes, most: int) -> bytes:
    """Begin a request and send `part` again and again, up to `most` bytes; return the answer."""
    reader, writer = await opened(server, begun)
    answer = asyncio.create_task(is_closed(reader, 60))
    with contextlib.suppress(OSError):
        for _ in range(most // len(part)):
            if answer.done():
                break
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)  # drain alone does not let the answer be read before the peer resets
    return await answer


async def is_closed(reader: asyncio.StreamReader, within: float = 30) -> bytes:
    """What comes until the server closes."""
    told = b""
    async with asyncio.timeout(within):
        with contextlib.suppress(OSError):
            while more := await reader.read(65536):
                told += more
    return told


async def answers(server: Any, within: float = 10) -> None:
    """A good client is answered."""
    async with httpx2.AsyncClient(timeout=within) as client:
        answer = await client.post(server.http, json=ASK)
    assert answer.json() == ANSWER


@contextlib.asynccontextmanager
async def many(
    server: Any, count: int, begun: bytes, host: str = "127.0.0.1"
) -> AsyncIterator[list[socket.socket]]:
    """So many connections, each with the beginning of a request, held open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 500)), hard))
    peers: list[socket.socket] = []
    try:
        for number in range(count):
            peer = socket.socket()
            peer.setblocking(False)
            peer.bind((host, 0))
            peers.append(peer)
            with contextlib.suppress(OSError):
                await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", server.port))
                peer.send(begun)
            if number % 50 == 0:
                await asyncio.sleep(0)
        yield peers
    finally:
        for peer in peers:
            peer.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files(server: Any) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


@pytest.mark.parametrize(
    ("begun", "part", "status"),
    [
        (b"GET /graphql?query=", b"x" * 65536, b"414"),
        (b"GET /", b"x", b"414"),
        (b"GET /graphql HTTP/1.1\r\n", b"a: b\r\n", b"431"),
        (b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\n", b"x-y: " + b"z" * 5000 + b"\r\n", b"431"),
        (HEAD + b"x: ", b"y" * 65536, b"431"),
        (HEAD, b"n" * 65536, b"431"),
        (b"", b"\r\n" * 4096, b"431"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1;", b"e" * 65536, b"431"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\nx: ", b"t" * 65536, b"431"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x: " + b"t" * 5000 + b"\r\n", b"431"),
    ],
    ids=["address", "address-drop-by-drop", "short-headers", "headers", "one-header", "header-name", "lines",
         "chunk-extension", "trailer", "trailers"],
)  # fmt: skip
async def test_what_has_no_end_is_refused_and_not_kept(serve, begun, part, status):
    server = await serve()
    await answers(server)
    before = peak(server)
    most = 64 * MB if len(part) > 1000 else MB
    began = time.monotonic()
    answer = await sent(server, begun, part, most)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert time.monotonic() - began < leeway(5)
    assert peak(server) - before < MAX_GROWTH_BYTES
    await answers(server)
    logged = server.errors.read_text()
    assert logged.count(f"refused, {status.decode()}") == 1, logged
    assert "Traceback" not in logged


async def test_headers_that_real_clients_send_are_taken(serve):
    """A token, cookies of a whole site, forty headers of proxies and a question in the address."""
    server = await serve()
    headers = {f"x-proxy-{n}": "v" * 100 for n in range(40)} | {"cookie": "c" * 16_000}
    async with httpx2.AsyncClient(timeout=10) as client:
        query = "{ __typename } #" + "x" * 15_000
        answer = await client.get(server.http, params={"query": query}, headers=headers)
    assert answer.json() == ANSWER


@pytest.mark.parametrize(
    ("begun", "told"),
    [
        (b"", b""),
        (b"\n", b"HTTP/1.1 408"),
        (HEAD, b"HTTP/1.1 408"),
        (HEAD + b"content-length: 100\r\n\r\n{", b"HTTP/1.1 408"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n", b"HTTP/1.1 408"),
        (UPGRADE, b"HTTP/1.1 101"),
    ],
    ids=["nothing", "a-line", "half-a-header", "half-a-body", "half-a-chunked-body", "a-socket"],
)
async def test_what_is_left_is_closed(serve, begun, told):
    server = await serve(HEADER_SECONDS="1", BODY_SECONDS="2")
    files = open_files(server)
    reader, _ = await opened(server, begun)
    began = time.monotonic()
    assert (await is_closed(reader)).startswith(told)
    # a socket is given 5 s to begin, and then 10 to agree that it is closed
    assert 0.5 < time.monotonic() - began < leeway(18 if begun == UPGRADE else 6)
    async with asyncio.timeout(30):
        while open_files(server) > files:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("stage", ["header", "body"])
async def test_a_request_drop_by_drop_is_closed(serve, stage):
    """Each byte is in time; the whole is not. Also for the second request of a connection."""
    server = await serve(HEADER_SECONDS="1", BODY_SECONDS="1")
    reader, writer = await opened(server, b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    assert b"200 OK" in await reader.readuntil(b"ok\n")
    writer.write(HEAD + (b"content-length: 100000\r\n\r\n" if stage == "body" else b"x: "))
    answer = asyncio.create_task(is_closed(reader))
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while not answer.done():
            writer.write(b"x")
            await asyncio.sleep(0.05)
    assert (await answer).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < leeway(6)


async def test_a_line_end_keeps_no_connection(serve):
    """After an answer there is a time for the next request; what is no request does not stop it."""
    server = await serve(HEADER_SECONDS="1")
    reader, writer = await opened(server, b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    await reader.readuntil(b"ok\n")
    writer.write(b"\r\n")
    began = time.monotonic()
    assert (await is_closed(reader)).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < leeway(6)


async def test_a_stream_outlives_every_deadline(serve):
    """And half of a next request, which came while it is answered, does not end it."""
    server = await serve(HEADER_SECONDS="0.5", BODY_SECONDS="0.5", FORWARDED_ALLOW_IPS="127.0.0.1")
    body = b'{"query": "subscription { userFeed { seq } }"}'
    given = HEAD + b"accept: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(body)
    reader, _ = await opened(server, given + body + b"GET /li")
    assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    with pytest.raises(TimeoutError):
        await is_closed(reader, within=3)


@pytest.mark.parametrize(
    "begun",
    [b"", HEAD, HEAD + b"content-length: 100\r\n\r\n{", b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"],
    ids=["empty", "half-a-header", "half-a-body", "answered"],
)
async def test_thousands_that_wait_keep_nobody_out(serve, begun):
    server = await serve(CONNECTIONS="1000", HEADER_SECONDS="60", BODY_SECONDS="60")
    await answers(server)
    before = server.rss
    async with many(server, 2000, begun):
        for _ in range(5):
            await answers(server)
        assert open_files(server) < 1000 + 200
        assert server.rss - before < 100 * MB
    assert "the most this process may have" in server.errors.read_text()


async def test_an_address_has_a_bound_of_its_own(serve):
    server = await serve(CONNECTIONS_PER_ADDRESS="50", FORWARDED_ALLOW_IPS="10.0.0.1", HEADER_SECONDS="60")
    files = open_files(server)
    async with many(server, 300, HEAD, host="127.0.0.9"):
        await answers(server)
        async with asyncio.timeout(30):
            while not 40 < open_files(server) - files < 70:
                await asyncio.sleep(0.05)
    assert server.errors.read_text().count("the most an address may have") == 1


async def test_who_works_is_not_closed_for_who_comes(serve):
    """When all are at work a new one is told to come again."""
    server = await serve(CONNECTIONS="20", CONNECTIONS_PER_ADDRESS="0")
    body = b'{"query": "subscription { userFeed { seq } }"}'
    credential = f"authorization: {server.headers['authorization']}\r\n".encode()
    given = HEAD + credential + b"accept: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(body)
    streams = [await opened(server, given + body) for _ in range(20)]
    for reader, _ in streams:
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    reader, _ = await opened(server)
    told = await is_closed(reader)
    assert told.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1" in told
    assert not any(reader.at_eof() for reader, _ in streams)
    for _, writer in streams:
        writer.close()
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(httpx2.HTTPError, ValueError):
                await answers(server)
                break
            await asyncio.sleep(0.05)


async def test_it_lives_with_few_files_and_says_when_they_end(serve):
    server = await serve(HEADER_SECONDS="60")
    await answers(server)
    async with httpx2.AsyncClient(timeout=10) as client:  # a connection from before
        await client.post(server.http, json=ASK)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (open_files(server) + 60, 4096))
        async with many(server, 200, HEAD):
            async with asyncio.timeout(30):
                while "no file descriptors are left" not in server.errors.read_text():
                    assert (await client.post(server.http, json=ASK)).json() == ANSWER
                    await asyncio.sleep(0.05)
            async with asyncio.timeout(30):
                while True:  # some of those that only wait were closed
                    with contextlib.suppress(httpx2.HTTPError):
                        await answers(server)
                        break


async def test_many_requests_at_once_on_one_connection_are_not_kept(serve):
    server = await serve()
    await answers(server)
    before = peak(server)
    answer = await sent(server, b"", b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" * 5000, 64 * MB)
    assert 1 <= answer.count(b"HTTP/1.1 200") < 1000
    assert peak(server) - before < MAX_GROWTH_BYTES
    few = await sent(
        server,
        b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" * 9,
        b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n",
        100,
    )
    assert few.count(b"HTTP/1.1 200") == 10
    await answers(server)


async def test_a_socket_whose_handshake_is_too_large_is_refused(serve):
    server = await serve()
    begun = UPGRADE[:-2] + b"cookie: " + b"c" * 10_000 + b"\r\n\r\n"
    reader, _ = await opened(server, begun)
    assert (await is_closed(reader)).startswith(b"HTTP/1.1 431")
    assert "Traceback" not in server.errors.read_text()


@pytest.mark.parametrize("flood", ["fragments", "pings"])
async def test_a_socket_keeps_nothing_without_end(serve, flood):
    """Empty fragments of one message; pings whose pongs are not read."""
    server = await serve(FORWARDED_ALLOW_IPS="127.0.0.1")
    reader, writer = await opened(server, UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    init = b'{"type": "connection_init"}'
    writer.write(bytes((0x81, 0x80 | len(init))) + bytes(4) + init)
    await reader.readuntil(b"connection_ack")
    before = peak(server)
    reader._transport.pause_reading()
    part = bytes((0x89, 0xFD)) + bytes(4) + b"p" * 125 if flood == "pings" else b"\x00\x80" + bytes(4)
    if flood == "fragments":
        writer.write(b"\x01\x80" + bytes(4))
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(20):
            for _ in range(64 * MB // (2000 * len(part))):
                writer.write(part * 2000)
                await writer.drain()
    assert peak(server) - before < MAX_GROWTH_BYTES
    writer.close()
    await answers(server)


async def test_an_address_that_names_a_host_says_it(serve):
    server = await serve()
    for line, status in (
        ("http://evil.example/livez", 421),
        ("HTTP://evil.example:80/livez", 421),
        ("https://user@evil.example/livez", 421),
        ("http://evil.example?x", 421),
        ("http:///livez", 400),
        (f"http://127.0.0.1:{server.port}/livez", 200),
        ("http://localhost/livez?a=http://evil.example/", 200),
    ):
        request = f"GET {line} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nconnection: close\r\n\r\n"
        reader, _ = await opened(server, request.encode())
        assert (await is_closed(reader)).startswith(b"HTTP/1.1 %d" % status), line
