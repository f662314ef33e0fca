"""Servers that are started at the same moment on a database where there is nothing yet."""

import asyncio
import contextlib
import os
import sqlite3
import time
from pathlib import Path

import asyncpg
import httpx2
import pytest

from tests.conftest import Process
from tests.warm import command

pytestmark = pytest.mark.processes

WHO = "{ viewer { user { id username } } workspaces { nodes { id name } } }"


@contextlib.asynccontextmanager
async def held(url, servers, waiting):
    """Hold what the first needs until so many wait for it: they have looked, and nobody has made an owner."""
    if url.startswith("sqlite"):
        holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield
        await until(lambda: all(has_opened(each, url) for each in servers))
        holder.close()
        return
    holder = await asyncpg.connect(url)
    await holder.execute("BEGIN; INSERT INTO topic (name, epoch, last) VALUES ('accounts', 'x', 0)")
    yield
    watcher = await asyncpg.connect(url)
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 25  # a server waits for 30 s
    while await watcher.fetchval(count) < waiting:
        assert time.monotonic() < deadline, servers[0].errors.read_text()
        await asyncio.sleep(0.02)
    await watcher.close()
    await holder.close()  # undoes it


def has_opened(server, url):
    """Whether a process has the file of a SQLite database open; then it has begun to look at it."""
    if not url.startswith("sqlite"):
        return True  # `held` sees who waits
    with contextlib.suppress(OSError):
        descriptors = Path(f"/proc/{server.process.pid}/fd").iterdir()
        return any(os.readlink(each) == url.removeprefix("sqlite:///") for each in descriptors)
    return False


async def until(true, within=60):
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_servers_that_start_at_once_let_in_the_same_owner(fresh):
    url = await fresh()
    servers = [Process(url, {}) for _ in range(3)]
    try:
        async with held(url, servers, waiting=3):
            for server in servers:
                server.start()
        await asyncio.gather(*(server.ready(60) for server in servers))
        async with httpx2.AsyncClient() as client:
            answers = [
                (await client.post(server.http, json={"query": WHO}, headers=server.headers)).json()
                for server in servers
            ]
    finally:
        for server in servers:
            server.kill()
    told = "".join(server.errors.read_text() for server in servers)
    for server in servers:
        server.errors.unlink()
    assert answers[0]["data"]["viewer"]["user"]["username"] == "owner"
    assert [node["name"] for node in answers[0]["data"]["workspaces"]["nodes"]] == ["Home"]
    assert answers[1:] == answers[:1] * 2
    assert "Traceback" not in told


async def test_an_owner_made_while_a_server_starts_is_the_only_one(fresh):
    url = await fresh()
    server = Process(url, {"HOST": "127.0.0.1"})
    try:
        async with held(url, [server], waiting=2):
            server.start()
            await until(lambda: has_opened(server, url))
            given = {**os.environ, "DATABASE_URL": url, "OWNER_PASSWORD": "long enough to be one"}
            made = asyncio.create_task(command("owner", "alice", env=given))
            await asyncio.sleep(0)
        made = await made
        await server.ready(60)
    finally:
        server.kill()
    assert made[0] == 0, made
    server.errors.unlink()
    query = 'SELECT username FROM "user"'
    if url.startswith("sqlite"):
        names = sqlite3.connect(url.removeprefix("sqlite:///")).execute(query).fetchall()
    else:
        connection = await asyncpg.connect(url)
        names = await connection.fetch(query)
        await connection.close()
    assert [name for (name,) in names] == ["alice"]
