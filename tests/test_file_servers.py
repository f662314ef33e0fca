"""Files through real servers: the memory of uploads, connections that lie or break, servers that are killed."""

import asyncio
import contextlib
import json
import os
import random
import resource
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import bindparam, text

from kit.db.database import Database, UtcDateTime, utcnow
from tests.faults.api import Api

MB = 1 << 20
GB = 1 << 30
CHUNK = os.urandom(64 * 1024)
FILES = "query($id: ID!) { card(id: $id) { files { id name size } } }"
CARD = "mutation($input: CreateCardInput!) { createCard(input: $input) { ... on Card { id } } }"
ROOMY = {"WORKSPACE_FILE_BYTES": str(100 * GB), "CARD_FILES": "1000"}


class Client:
    """A client that says of its upload what it likes, and sends as much of it as it likes."""

    def __init__(self, server, card):
        self.server, self.card = server, card

    @contextlib.asynccontextmanager
    async def begin(self, announced):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        head = f"POST /files?cardId={self.card}&name=a.bin HTTP/1.1\r\nhost: 127.0.0.1:{self.server.port}\r\n"
        head += (
            f"authorization: {self.server.headers['authorization']}\r\ncontent-length: {announced}\r\n\r\n"
        )
        writer.write(head.encode())
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def upload(self, size):
        """A whole upload, sent as fast as it is taken: the id of the file."""
        async with self.begin(size) as (reader, writer):
            for _ in range(size // len(CHUNK)):
                writer.write(CHUNK)
                await writer.drain()
            writer.write(CHUNK[: size % len(CHUNK)])
            return await answer_of(reader)


async def answer_of(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    [length] = [line.split(":")[1] for line in head.splitlines() if line.startswith("content-length")]
    body = await reader.readexactly(int(length))
    return int(head.split()[1]), body


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


async def until(check, seconds=30):
    async with asyncio.timeout(seconds):
        while not (await check() if asyncio.iscoroutinefunction(check) else check()):
            await asyncio.sleep(0.05)


async def count(url, table):
    database = Database(url)
    try:
        [row] = await database.read(text(f"SELECT count(*) FROM {table}"))
        return row[0]
    finally:
        await database.close()


async def age(url):
    """Make all uploads two days old."""
    database = Database(url)
    try:
        async with database.write() as tx:
            then = bindparam("then", utcnow() - timedelta(days=2), type_=UtcDateTime())
            await tx.execute(text("UPDATE stored_object SET created_at = :then").bindparams(then))
    finally:
        await database.close()


async def card_of(server):
    async with Api(server) as api:
        [board] = await api.boards(1)
        return (await api.ask(CARD, input={"boardId": board, "title": "Files"}))["id"]


@pytest.mark.slow("hundreds of megabytes")
@pytest.mark.parametrize(
    ("uploads", "size"), [(40, 5 * MB), pytest.param(100, 50 * MB, marks=pytest.mark.long)]
)
async def test_uploads_at_once_take_little_memory(serve, tmp_path, uploads, size, figure):
    server = await serve(FILES_URL=str(tmp_path), **ROOMY)
    client = Client(server, await card_of(server))
    await client.upload(MB)
    before = most = server.rss
    sending = asyncio.gather(*(client.upload(size) for _ in range(uploads)))
    while not sending.done():
        most = max(most, server.rss)
        await asyncio.wait({sending}, timeout=0.05)
    assert {status for status, _ in await sending} == {201}
    figure(uploads=uploads, size=f"{size // MB} MB", growth=f"{(most - before) / MB:.0f} MB")
    assert most - before < 50 * MB
    assert sorted(path.stat().st_size for path in files_in(tmp_path)) == [MB, *[size] * uploads]


@pytest.mark.slow("hundreds of megabytes")
async def test_downloads_at_once_take_little_memory(serve, tmp_path, figure):
    server = await serve(FILES_URL=str(tmp_path), **ROOMY)
    client = Client(server, await card_of(server))
    _, body = await client.upload(20 * MB)
    url = f"http://127.0.0.1:{server.port}{json.loads(body)['url']}"

    async def download(http):
        async with http.stream("GET", url, headers=server.headers) as answer:
            return sum([len(part) async for part in answer.aiter_bytes()])

    async with httpx2.AsyncClient(timeout=120, limits=httpx2.Limits(max_connections=None)) as http:
        await download(http)
        before = most = server.rss
        reading = asyncio.gather(*(download(http) for _ in range(20)))
        while not reading.done():
            most = max(most, server.rss)
            await asyncio.wait({reading}, timeout=0.05)
        assert set(await reading) == {20 * MB}
    figure(downloads=20, growth=f"{(most - before) / MB:.0f} MB")
    assert most - before < 50 * MB


async def test_ten_gigabytes_announced_and_a_thousand_bytes_sent(serve, tmp_path):
    server = await serve(FILES_URL=str(tmp_path))
    client = Client(server, await card_of(server))
    async with client.begin(10 * GB) as (reader, writer):
        writer.write(b"x" * 1_000)
        status, body = await answer_of(reader)
        assert (status, json.loads(body)["code"]) == (413, "INVALID")
        assert await reader.read() == b"", "the connection ends"
    assert (files_in(tmp_path), await count(server.database_url, "stored_object")) == ([], 0)


@pytest.mark.parametrize("ends", ["silence", "hang up"])
async def test_an_upload_that_stops_leaves_nothing(serve, tmp_path, ends):
    server = await serve(FILES_URL=str(tmp_path), FILE_BYTES=str(20 * GB), BODY_SECONDS="1", **ROOMY)
    client = Client(server, await card_of(server))
    async with client.begin(10 * GB) as (reader, writer):
        writer.write(CHUNK[:1_000])
        await until(lambda: len(files_in(tmp_path)) == 1)
        if ends == "silence":
            assert (await answer_of(reader))[0] == 408
            assert await reader.read() == b"", "the connection ends"

    async def is_empty():
        return not files_in(tmp_path) and await count(server.database_url, "stored_object") == 0

    await until(is_empty)
    async with Api(server) as api:
        assert (await api.ask(FILES, id=client.card))["files"] == []


async def test_an_upload_may_take_longer_than_other_bodies(serve, tmp_path):
    server = await serve(FILES_URL=str(tmp_path), BODY_SECONDS="1", **ROOMY)
    client = Client(server, await card_of(server))
    began = asyncio.get_running_loop().time()
    async with client.begin(12 * len(CHUNK)) as (reader, writer):
        for _ in range(12):
            writer.write(CHUNK)
            await asyncio.sleep(0.25)  # the pace of a slow line
        assert (await answer_of(reader))[0] == 201
    assert asyncio.get_running_loop().time() - began > 2.5


@pytest.mark.slow("kills of a server")
@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.long)])
async def test_killed_servers_lose_no_file_and_leak_none(serve, fresh, tmp_path, kills, figure):
    url, answered, card = await fresh(), {}, None
    for _ in range(kills):
        server = await serve(url, FILES_URL=str(tmp_path), **ROOMY)
        card = card or await card_of(server)
        client = Client(server, card)

        async def send(client=client):
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    size = random.randrange(1, 400_000)
                    status, body = await client.upload(size)
                    if status == 201:
                        answered[json.loads(body)["id"]] = size

        sending = asyncio.gather(*(send() for _ in range(4)))
        await asyncio.wait({sending}, timeout=random.uniform(0.3, 0.8))
        server.kill()
        await sending
    await age(url)
    server = await serve(url, FILES_URL=str(tmp_path), **ROOMY)
    async with Api(server) as api:
        files = {one["id"]: one["size"] for one in (await api.ask(FILES, id=card))["files"]}
    assert answered.items() <= files.items(), "every file that was answered for"

    async def is_tidy():
        return len(files_in(tmp_path)) == await count(url, "stored_object") == len(files)

    await until(is_tidy)
    async with httpx2.AsyncClient(timeout=30, headers=server.headers) as http:
        for id, size in files.items():
            assert len((await http.get(f"http://127.0.0.1:{server.port}/files/{id}")).content) == size
    figure(kills=kills, answered=len(answered), files=len(files))


async def test_a_disk_that_takes_no_more(serve, tmp_path):
    """A write that the system refuses ends the upload with its reason; what was written of it goes."""
    server = await serve(FILES_URL=str(tmp_path), **ROOMY)
    client = Client(server, await card_of(server))
    status, body = await client.upload(MB)
    assert status == 201
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (10 * MB, 10 * MB))
    async with client.begin(20 * MB) as (reader, writer):
        for _ in range(20 * MB // len(CHUNK)):  # a client that reads only once it has sent everything
            writer.write(CHUNK)
            await writer.drain()
        refused, reason = await answer_of(reader)
    assert (refused, json.loads(reason)["code"]) == (503, "UNAVAILABLE")
    assert [path.stat().st_size for path in files_in(tmp_path)] == [MB]
    assert await count(server.database_url, "stored_object") == 1
    async with httpx2.AsyncClient(timeout=30, headers=server.headers) as http:
        url = f"http://127.0.0.1:{server.port}{json.loads(body)['url']}"
        assert len((await http.get(url)).content) == MB


async def test_a_refusal_reaches_a_client_that_sends_everything_first(serve, tmp_path):
    server = await serve(FILES_URL=str(tmp_path))
    status, body = await Client(server, "card_none").upload(50 * MB)
    assert (status, json.loads(body)["code"]) == (404, "NOT_FOUND")
    assert files_in(tmp_path) == []
