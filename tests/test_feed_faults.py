"""The feed under fire, through real servers: nothing acknowledged is lost, nothing skipped, doubled, reordered."""

import asyncio

import pytest

from tests.faults.api import CROWD, Api
from tests.faults.crowd import Crowd, killing, restart

pytestmark = pytest.mark.slow("servers killed under writers and followers")

SERVERS = {"sqlite": 1, "postgresql": 2}  # a SQLite file has one server
MANY = 60  # changes that are acknowledged before the kill, and again after it


async def test_a_killed_server_loses_and_skips_nothing(serve, kind, figure):
    """50 writers on 5 boards, 20 readers that drop and resume, one server killed and started again."""
    first = await serve(**CROWD)
    others = [await serve(first.database_url, **CROWD) for _ in range(SERVERS[kind] - 1)]
    async with Api(first, *others) as api:
        crowd = Crowd(api, await api.boards(5))
        crowd.has_writers(50)
        crowd.has_readers(20, drops=0.5)
        async with crowd.at_work():
            await crowd.has_told(MANY)
            await restart(first)
            await crowd.has_told(2 * MANY)
        figure(events=crowd.events)
        assert crowd.told.retries, "the kill was felt"
        assert not crowd.told.unknown
        assert sum(reader.connections for reader in crowd.readers) > 2 * len(crowd.readers)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_three_minutes_of_kills_lose_and_skip_nothing(serve, kind, figure):
    """The same for three minutes: a server is killed, starts, lives two seconds or so, and is killed again."""
    first = await serve(**CROWD)
    servers = [first] + [await serve(first.database_url, **CROWD) for _ in range(SERVERS[kind] - 1)]
    async with Api(*servers) as api:
        crowd = Crowd(api, await api.boards(5))
        crowd.has_writers(10, patience=240)
        crowd.has_readers(20, drops=0.2)
        async with crowd.at_work(within=60):
            kills = await killing(servers, every=2, lasting=180)
        drops = sum(reader.connections for reader in crowd.readers)
        figure(events=crowd.events, kills=kills, retries=crowd.told.retries, connections=drops)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["postgresql"])
async def test_killed_postmasters_lose_and_skip_nothing(serve, own_postgres, figure):
    """PostgreSQL itself is killed six times under load."""
    server = await serve(own_postgres.url, **CROWD)
    async with Api(server) as api:
        crowd = Crowd(api, await api.boards(5))
        crowd.has_writers(20)
        crowd.has_readers(20, drops=0.5)
        async with crowd.at_work(within=60):
            for _ in range(6):
                await asyncio.sleep(3)
                own_postgres.kill()
                await own_postgres.start()
            await asyncio.sleep(3)
        figure(events=crowd.events, kills=6, retries=crowd.told.retries)
