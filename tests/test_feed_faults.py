"""The feed under fire, through real servers: nothing acknowledged is lost, nothing skipped, doubled, reordered."""

import asyncio

from tests.faults.api import CROWD, Api
from tests.faults.crowd import Crowd, restart

SERVERS = {"sqlite": 1, "postgresql": 2}  # a SQLite file has one server


async def test_a_killed_server_loses_and_skips_nothing(serve, kind, figure):
    """50 writers on 5 boards, 20 readers that drop and resume, one server killed and started again."""
    first = await serve(**CROWD)
    others = [await serve(first.database_url, **CROWD) for _ in range(SERVERS[kind] - 1)]
    async with Api(first, *others) as api:
        crowd = Crowd(api, await api.boards(5))
        crowd.has_writers(50)
        crowd.has_readers(20, drops=1)
        async with crowd.at_work():
            await asyncio.sleep(2)
            await restart(first)
            await asyncio.sleep(2)
        figure(events=crowd.events)
        assert crowd.told.retries, "the kill was felt"
        assert not crowd.told.unknown
        assert len(crowd.told.acknowledged) > 50
        assert sum(reader.connections for reader in crowd.readers) > 2 * len(crowd.readers)
