"""The fault harnesses, and the mutants that they must catch: a test that cannot fail proves nothing."""

import asyncio
import sys

import pytest

from tests.conftest import ROOT
from tests.faults.api import log_of
from tests.faults.appender import BATCH, TOPIC
from tests.faults.numbering import MUTANTS, counter, skipped


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


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_what_is_acknowledged_survives_two_hundred_kills(fresh, tmp_path, figure):
    acknowledged, kept = await appended(await fresh(), tmp_path, 200)
    figure(events=kept)
    assert 0 < acknowledged <= kept
