"""Reads under more load than there are connections for: what nobody waits for any more is not begun."""

import asyncio
import contextlib

import pytest
from sqlalchemy import text

import kit.db.database
from kit.db.database import Database, Unavailable

SLOW = {  # about a second
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000)"
    " SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(1)",
}


@contextlib.asynccontextmanager
async def one_reader(url, monkeypatch, *, patience):
    """A database with one connection for reading, and what is asked on it."""
    monkeypatch.setattr(kit.db.database, "MAX_SQLITE_READERS", 1)
    monkeypatch.setattr(kit.db.database, "READ_TIMEOUT_SECONDS", patience)
    database, asked = Database(url, pool=1), []
    database.readers.listeners.append(asked.append)
    try:
        yield database, asked
    finally:
        await database.close()


async def settled(database):
    async with asyncio.timeout(30):
        while database.readers.busy:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["told", "cancelled"])
async def test_reads_that_were_given_up_before_they_had_a_connection_are_not_made(
    fresh, kind, monkeypatch, how
):
    patience = 0.2 if how == "told" else 30
    async with one_reader(await fresh(), monkeypatch, patience=patience) as (database, asked):
        reads = [asyncio.create_task(database.read(text(SLOW[kind])))]
        await asyncio.sleep(0.05)
        reads += [asyncio.create_task(database.read(text(f"SELECT {n}"))) for n in range(30)]
        if how == "cancelled":
            await asyncio.sleep(0.05)
            for one in reads:
                one.cancel()
        told = await asyncio.gather(*reads, return_exceptions=True)
        assert {type(one) for one in told} == {Unavailable if how == "told" else asyncio.CancelledError}
        assert database.readers.busy == 1, "the one that was begun is finished in the background"
        await settled(database)
        assert asked == [SLOW[kind]]
        assert [tuple(row) for row in await database.read(text("SELECT 31"))] == [(31,)]
        assert database.readers.busy == 0


async def test_in_one_moment_too(fresh, kind, monkeypatch):
    """Reads of one snapshot take turns; one that was given up in its turn leaves the others their connection."""
    async with one_reader(await fresh(), monkeypatch, patience=30) as (database, asked):
        snapshot = database.snapshot()
        first = asyncio.create_task(snapshot.read(text(SLOW[kind])))
        await asyncio.sleep(0.05)
        given_up = asyncio.create_task(snapshot.read(text("SELECT 1")))
        third = asyncio.create_task(snapshot.read(text("SELECT 2")))
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.gather(first, third)
        assert asked == [SLOW[kind], "SELECT 2"]
        await snapshot.close()
        assert database.readers.busy == 0
