"""A database that dies, restarts or freezes: a clear answer meanwhile, nothing lost, nothing to repair after."""

import asyncio
import contextlib
import shutil
import subprocess
import time

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kit.db.database import Unavailable
from tests.faults.api import CROWD, Api, Unanswered
from tests.faults.crowd import Crowd
from tests.pace import leeway

BOARDS = "{ boards { nodes { id } } }"

pytestmark = [
    pytest.mark.parametrize("kind", ["postgresql"]),
    pytest.mark.slow("a PostgreSQL that is killed and frozen"),
]


async def test_a_restarted_database_fails_nothing_once_it_is_up(serve, own_postgres, figure):
    """The postmaster is killed under load and started again: subscribers stay, no request fails after that."""
    server = await serve(own_postgres.url, **CROWD)
    async with Api(server) as api:
        crowd = Crowd(api, await api.boards(2))
        crowd.has_writers(8, pause=0.1)
        crowd.has_readers(8)
        async with crowd.at_work():
            await crowd.settled()
            await asyncio.sleep(1)
            own_postgres.kill()
            with pytest.raises(Unanswered, match="does not answer"):
                await api.ask(BOARDS)
            await own_postgres.start()
            for _ in range(30):
                await api.ask(BOARDS)
            await asyncio.sleep(0.5)
        figure(events=crowd.events, retries=crowd.told.retries)
        assert crowd.told.retries, "the kill was felt"
        assert [reader.connections for reader in crowd.readers] == [1] * 8, "the subscribers stayed"
    told = server.errors.read_text()
    assert "unexpected error" not in told
    assert 1 <= told.count("access not checked") <= 3 < 8, "told once, not for each subscriber"


async def test_a_frozen_database_is_told_soon_and_forgotten_at_once(serve, own_postgres, figure):
    """All of PostgreSQL stops for ten seconds, as behind a dead network."""
    server = await serve(own_postgres.url, **CROWD)
    async with Api(server) as api:
        crowd = Crowd(api, await api.boards(1))
        crowd.has_readers(4)
        crowd.has_writers(2, pause=0.1)
        async with crowd.at_work():
            await crowd.settled()
            await asyncio.sleep(1)
            own_postgres.freeze()
            frozen = time.monotonic()
            try:
                took = await asyncio.gather(*(refused(api) for _ in range(15)))
                assert await api.http.get(server.http.replace("graphql", "livez"))
                await asyncio.sleep(max(0, frozen + 10 - time.monotonic()))
            finally:
                own_postgres.thaw()
            recovered = await answered(api)
        figure(failed_within=f"{max(took):.1f} s", recovered_within=f"{recovered:.2f} s", events=crowd.events)
        assert max(took) < leeway(6 + 1)
        assert recovered < leeway(1 + 1)
        assert [reader.connections for reader in crowd.readers] == [1] * 4, "the subscribers stayed"


async def refused(api: Api) -> float:
    began = time.monotonic()
    with pytest.raises(Unanswered, match="does not answer"):
        await api.ask(BOARDS)
    return time.monotonic() - began


async def answered(api: Api) -> float:
    """Seconds until requests are answered again."""
    began = time.monotonic()
    while True:
        try:
            await api.ask(BOARDS)
        except Unanswered:
            continue
        return time.monotonic() - began


async def test_whoever_asks_after_a_connection_was_lost_may_try_again_too(run, kind):
    """Two fields of one change ask on one connection: one is told of the loss, the other of its transaction."""

    async def asked_twice(app):
        async with app.begin() as tx:
            mine = await tx.scalar(text("SELECT pg_backend_pid()"))
            async with app.begin() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
            with contextlib.suppress(DBAPIError):
                await tx.execute(text("SELECT 1"))
            await tx.execute(text("SELECT 1"))

    async with run() as app:
        with pytest.raises(Unavailable):
            await asked_twice(app)


async def test_a_server_that_became_a_standby_is_told_and_left_for_the_promoted_one(serve, own_postgres):
    """A fail-over: the same address takes no writes for a while, then takes them again."""
    server = await serve(own_postgres.url, **CROWD)
    async with Api(server) as api:
        [board] = await api.boards(1)
        own_postgres.stop()
        (own_postgres.data / "standby.signal").touch()
        if own_postgres.user:
            shutil.chown(own_postgres.data / "standby.signal", "pgserver")
        await own_postgres.start()
        ready = server.http.replace("/graphql", "/readyz")
        async with httpx2.AsyncClient() as client:

            async def created(title):
                query = "mutation($input: CreateCardInput!) { createCard(input: $input) { __typename } }"
                body = {"query": query, "variables": {"input": {"boardId": board, "title": title}}}
                return await client.post(server.http, json=body, headers=server.headers)

            for _ in range(5):
                answer = await created("Refused")
                [error] = answer.json()["errors"]
                assert (error["extensions"]["code"], error["extensions"]["retryable"]) == (
                    "UNAVAILABLE",
                    True,
                )
                assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
            assert (await client.get(ready)).status_code == 503
            assert await api.ask(BOARDS), "it may still be read"
            subprocess.run(
                [own_postgres.bin / "pg_ctl", "promote", "-D", own_postgres.data],
                check=True,
                capture_output=True,
                cwd="/",
                **own_postgres.user,
            )
            assert (await created("Taken")).json()["data"]["createCard"]["__typename"] == "Card"
            assert (await client.get(ready)).status_code == 200
    assert "unexpected error" not in server.errors.read_text()
