"""Liveness asks nobody; readiness asks the database and says when the server is ending."""

import asyncio
import signal
import time

import httpx2
import pytest

from kit.graphql.http.draining import Draining
from kit.settings import load
from server import make_app
from tests.conftest import KEY


async def get(app, path):
    transport = httpx2.ASGITransport(app, client=("127.0.0.1", 5555))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return await client.get(path)


async def test_it_is_alive_without_a_database_and_not_ready():
    app = make_app(
        load(database_url="postgresql://nobody@127.0.0.1:1/nothing", secret_key=KEY, _env_file=None)
    )
    assert (await get(app, "/livez")).status_code == 200
    assert (await get(app, "/readyz")).status_code == 503


async def test_it_is_ready_until_it_drains(fresh):
    draining = Draining()
    app = make_app(load(database_url=await fresh(), secret_key=KEY, _env_file=None), draining)
    async with app.router.lifespan_context(app):
        assert (await get(app, "/readyz")).status_code == 200
        draining.begin()
        assert (await get(app, "/readyz")).status_code == 503
        assert (await get(app, "/livez")).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_it_serves_on_while_it_says_that_it_drains(serve):
    """So that a load balancer, which looks now and then, sends nobody to a closed port."""
    server = await serve(DRAIN_WAIT_SECONDS="3")
    base = server.http.removesuffix("/graphql")
    async with httpx2.AsyncClient(timeout=10) as client:
        assert (await client.get(f"{base}/readyz")).status_code == 200
        server.signal(signal.SIGTERM)
        began = time.monotonic()
        async with asyncio.timeout(10):
            while (told := await client.get(f"{base}/readyz")).status_code == 200:
                await asyncio.sleep(0.02)
        assert (told.status_code, told.text) == (503, "draining\n")
    while time.monotonic() - began < 2:
        async with httpx2.AsyncClient(timeout=10) as client:  # a new connection each time
            answer = await client.post(server.http, json={"query": "{ __typename }"})
            assert answer.json() == {"data": {"__typename": "Query"}}
            assert (await client.get(f"{base}/livez")).status_code == 200
        await asyncio.sleep(0.2)
    async with asyncio.timeout(30):
        while server.process.poll() is None:
            await asyncio.sleep(0.05)
    assert time.monotonic() - began > 2.9


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_who_is_in_a_hurry_waits_for_nothing(serve):
    """Ctrl+C, and a second SIGTERM."""
    for signals in ([signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]):
        server = await serve(DRAIN_WAIT_SECONDS="600")
        for each in signals:
            server.signal(each)
            await asyncio.sleep(0.2)
        async with asyncio.timeout(30):
            while server.process.poll() is None:
                await asyncio.sleep(0.05)
