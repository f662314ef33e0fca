"""The fault harnesses, and the mutants that they must catch: a test that cannot fail proves nothing."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator

import pytest

from tests.conftest import KEY, ROOT, Process
from tests.faults.api import CROWD, Api, log_of
from tests.faults.appender import BATCH, TOPIC
from tests.faults.crowd import Crowd
from tests.faults.mutant import MUTANTS as MUTANT_SERVERS
from tests.faults.mutant import main as lie
from tests.faults.numbering import MUTANTS, counter, skipped
from tests.warm import Warm

pytestmark = pytest.mark.slow("mutants are caught by crowds")


async def test_no_number_commits_late(fresh, figure):
    """12 writers that are late, or undone: nothing is skipped."""
    lost, of = await skipped(await fresh(), counter, writers=12, seconds=4)
    figure(events=of)
    assert lost == 0
    assert of > 20


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_number_taken_without_the_lock_is_caught(fresh, mutant, figure):
    """An identity column, or a number taken beforehand, skips events: the harness sees it within 10 s."""
    async with asyncio.timeout(60):
        lost, of = await skipped(await fresh(), mutant, writers=12, seconds=10)
    figure(skipped=f"{lost} of {of}")
    assert lost > 0


async def appended(url: str, folder, kills: int, *mutant: str) -> tuple[int, int]:
    """How many events were acknowledged and how many are in the log, which is dense, after so many kills."""
    file = folder / "acknowledged"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.appender", url, str(file), str(kills), *mutant, cwd=ROOT
    )
    assert await process.wait() == 0
    return len(file.read_bytes()) * BATCH, len(await log_of(url, TOPIC))


async def test_what_is_acknowledged_survives_kill_9(fresh, tmp_path, figure):
    acknowledged, kept = await appended(await fresh(), tmp_path, 15)
    figure(events=kept)
    assert 0 < acknowledged <= kept
    assert kept % BATCH == 0, "a batch is kept whole or not at all"


async def test_an_acknowledgement_before_commit_is_caught(fresh, tmp_path):
    acknowledged, kept = await appended(await fresh(), tmp_path, 10, "early")
    assert acknowledged > kept


@pytest.mark.parametrize("kind", ["postgresql"])  # a sequence of SQLite's goes back with its transaction
async def test_numbers_of_an_identity_column_are_caught(fresh, tmp_path):
    """A killed writer's numbers are gone: the log has holes, where ours has none."""
    with pytest.raises(AssertionError, match="the numbers of a topic are dense"):
        await appended(await fresh(), tmp_path, 10, "identity")


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_what_is_acknowledged_survives_two_hundred_kills(fresh, tmp_path, figure):
    acknowledged, kept = await appended(await fresh(), tmp_path, 200)
    figure(events=kept)
    assert 0 < acknowledged <= kept


@contextlib.asynccontextmanager
async def lying(url: str, mutant: str) -> AsyncIterator[Process]:
    """A real server that tells something else than what is kept."""
    server = Process(url, CROWD)
    settings = {**os.environ, **CROWD, "DATABASE_URL": url, "PORT": str(server.port), "SECRET_KEY": KEY}
    server.process = Warm(mutant, main=lie, env=settings, stderr=server.errors)
    try:
        await server.ready(60)
        yield server
    finally:
        server.kill()
        server.errors.unlink()


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("mutant", MUTANT_SERVERS)
async def test_a_server_that_tells_something_else_is_caught(fresh, mutant):
    """The harness through the server: an event left out, told twice, or another under its number."""
    caught = ""
    async with lying(await fresh(), mutant) as server, Api(server) as api:
        crowd = Crowd(api, await api.boards(1))
        crowd.has_readers(4)
        crowd.has_writers(2, pause=0.05)
        try:
            async with crowd.at_work(within=10):
                async with asyncio.timeout(60):
                    while len(crowd.told.acknowledged) < 15:
                        await asyncio.sleep(0.05)
        except* (AssertionError, TimeoutError) as errors:
            caught = repr(errors.exceptions)
    assert bool(caught) is (mutant != "none"), caught
    assert crowd.events > 15 or caught
