"""Many workers at once, and workers that die or freeze: real processes, real kills, both databases."""

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from kit import queue
from kit.db.database import Database, Unavailable
from kit.queue import Attempt, AttemptOutcome, ClaimFilter, Job, JobState, Lease, NewJob, Slot
from tests.queue.worker import main
from tests.warm import Warm

pytestmark = pytest.mark.slow("crowds of workers that die")

SCOPES = ["a", "b", "c", "d"]
CAP = 3
WORKERS = 20


@contextlib.asynccontextmanager
async def filled(url: str, jobs: int) -> AsyncIterator[Database]:
    """A database with so many jobs and its limits, closed in the end."""
    database = Database(url, pool=WORKERS + 2)
    try:
        await _fill(database, jobs)
        yield database
    finally:
        await database.close()


async def _fill(database: Database, jobs: int) -> None:
    for scope in SCOPES:
        async with database.write() as tx:
            await queue.set_cap(tx, queue.scope_cap(scope), CAP)
    works = [
        NewJob(
            id=f"job{n:05}", kind="CODE", tenant="t", scope=SCOPES[n % 4], priority=n % 3, max_losses=1_000
        )
        for n in range(jobs)
    ]
    for start in range(0, jobs, 500):
        async with database.write() as tx:
            await queue.enqueue(tx, *works[start : start + 500])


class Watch:
    """Looks at the limits all the time, in snapshots of the database: each is one instant."""

    def __init__(self, database: Database) -> None:
        self.database, self.worst, self.looks = database, 0, 0

    async def look(self) -> None:
        query = select(func.count()).where(Job.held).group_by(Job.scope)
        counts = [row[0] for row in await self.database.read(query)]
        self.worst, self.looks = max(self.worst, *counts, 0), self.looks + 1

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator["Watch"]:
        async def always() -> None:
            while True:
                await self.look()
                await asyncio.sleep(0.03)

        task = asyncio.create_task(always())
        yield self
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def left(database: Database) -> int:
    query = select(func.count()).where(Job.state.in_([JobState.READY, JobState.LEASED]))
    return int((await database.read(query))[0][0])


async def assert_all_was_done_once(database: Database, jobs: int) -> None:
    states = await database.read(select(Job.state, func.count()).group_by(Job.state))
    assert [tuple(row) for row in states] == [(JobState.DONE, jobs)], "nothing is lost"
    accepted = select(Attempt.job_id).where(Attempt.outcome == AttemptOutcome.SUCCEEDED)
    assert len({row[0] for row in await database.read(accepted)}) == jobs
    assert len(await database.read(accepted)) == jobs, "nothing is accepted twice"
    slots = await database.read(select(Slot.cap, Slot.job_id))
    assert Counter(slot.cap for slot in slots) == {queue.scope_cap(scope): CAP for scope in SCOPES}
    assert all(slot.job_id is None for slot in slots), "no place is left taken"


async def workers_at_once(database: Database, jobs: int) -> None:
    worked: Counter[str] = Counter()

    async def worker(name: str) -> None:
        while await left(database):
            async with database.write() as tx:
                leases = await queue.claim(tx, name, ClaimFilter(tenant="t"), most=2)
            for lease in leases:
                worked[lease.id] += 1
                await finish(lease)
            await asyncio.sleep(0 if leases else 0.2)

    async def finish(lease: Lease) -> None:
        async with database.write() as tx:
            await queue.complete(tx, lease)

    async with Watch(database).watching() as watch:
        await asyncio.gather(*(worker(f"w{n}") for n in range(WORKERS)))
    assert set(worked.values()) == {1}, "each is worked exactly once"
    assert 1 <= watch.worst <= CAP, "the limits are used, and kept"
    await assert_all_was_done_once(database, jobs)


async def test_many_workers_do_each_job_once_within_the_limits(fresh: Callable[[], Any]) -> None:
    async with filled(await fresh(), 100) as database:
        await workers_at_once(database, 100)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_twenty_workers_do_three_thousand_jobs_once_within_the_limits(fresh: Callable[[], Any]) -> None:
    async with filled(await fresh(), 3_000) as database:
        await workers_at_once(database, 3_000)


class Crew:
    """Worker processes that are killed and frozen, and replaced."""

    def __init__(self, url: str, size: int, lease: float, ledger: Path) -> None:
        self.url, self.lease, self.ledger = url, lease, ledger
        self.started = self.kills = self.stops = 0
        self.frozen: list[tuple[float, Warm]] = []
        self.running = [self.start() for _ in range(size)]

    def start(self) -> Warm:
        self.started += 1
        name = f"w{self.started}"
        return Warm(self.url, name, str(self.lease), str(self.ledger), main=main)

    def fault(self) -> None:
        """Kill one as the kernel would, or freeze one until its lease is long gone."""
        victim = random.choice(self.running)
        if random.random() < 0.6:
            victim.kill()
            victim.wait()
            self.running[self.running.index(victim)] = self.start()
            self.kills += 1
        elif not any(victim is one for _, one in self.frozen):
            victim.send_signal(signal.SIGSTOP)
            self.frozen.append((time.monotonic() + self.lease * 1.5, victim))
            self.stops += 1

    def thaw(self) -> None:
        for until, one in list(self.frozen):
            if time.monotonic() > until:
                one.send_signal(signal.SIGCONT)
                self.frozen.remove((until, one))

    def end(self) -> None:
        for one in self.running:
            one.kill()
            one.wait()


async def crew_under_fire(url: str, ledger: Path, jobs: int, every: float, faults: int) -> Crew:
    """Faults go on until there were that many; then the crew may finish."""
    ledger.touch()
    async with filled(url, jobs) as database:
        crew = Crew(url, 4, 1.0, ledger)
        try:
            async with Watch(database).watching() as watch:
                await _fire(database, crew, every, faults)
        finally:
            crew.end()
        assert watch.worst <= CAP, "the limits are kept"
        await assert_all_was_done_once(database, jobs)
    return crew


async def _fire(database: Database, crew: Crew, every: float, faults: int) -> None:
    deadline, due = time.monotonic() + 600, time.monotonic() + 0.5
    while await left(database):
        assert time.monotonic() < deadline, "the crew does not get on"
        if crew.kills + crew.stops < faults and time.monotonic() > due:
            crew.fault()
            due = time.monotonic() + every
        crew.thaw()
        with contextlib.suppress(Unavailable):  # one that is frozen may hold the lock of all writers
            async with database.write() as tx:
                await queue.sweep(tx)
        await asyncio.sleep(0.05)
    deadline = time.monotonic() + 5
    while crew.frozen and time.monotonic() < deadline:  # let the zombies speak
        crew.thaw()
        await asyncio.sleep(0.1)


def assert_ledger(ledger: Path) -> Counter[str]:
    lines = [line.split() for line in ledger.read_text().splitlines()]
    claimed = Counter((id, attempt) for what, id, attempt in lines if what == "claimed")
    assert set(claimed.values()) == {1}, "a fence was given twice"
    done = Counter(id for what, id, _ in lines if what == "done")
    assert set(done.values()) <= {1}, "two workers were told that they finished"
    return Counter(what for what, *_ in lines)


async def test_workers_that_die_lose_nothing(fresh: Callable[[], Any], tmp_path: Path) -> None:
    crew = await crew_under_fire(await fresh(), tmp_path / "ledger", 150, 0.3, 8)
    assert_ledger(tmp_path / "ledger")
    print(f"kill -9 {crew.kills}, SIGSTOP {crew.stops}")
    assert crew.kills + crew.stops > 0


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_two_thousand_jobs_under_a_hundred_faults(fresh: Callable[[], Any], tmp_path: Path) -> None:
    crew = await crew_under_fire(await fresh(), tmp_path / "ledger", 2_000, 0.25, 120)
    said = assert_ledger(tmp_path / "ledger")
    print(f"kill -9 {crew.kills}, SIGSTOP {crew.stops}, {dict(said)}")


async def test_a_zombie_is_refused(fresh: Callable[[], Any], tmp_path: Path) -> None:
    """A worker is frozen with a lease in its hand; its late report is refused, and changes nothing."""
    url, ledger = await fresh(), tmp_path / "ledger"
    ledger.touch()
    async with filled(url, 1) as database:
        worker = Warm(url, "w", "0.5", str(ledger), "5", main=main)
        try:
            await _said(ledger, "claimed job00000 1")
            worker.send_signal(signal.SIGSTOP)
            lease = await _taken_over(database)
            worker.send_signal(signal.SIGCONT)
            await _said(ledger, "refused job00000 1")
        finally:
            worker.kill()
            worker.wait()
        async with database.write() as tx:
            await queue.complete(tx, lease)
        outcomes = await database.read(select(Attempt.outcome).order_by(Attempt.number))
    assert [row[0] for row in outcomes] == [AttemptOutcome.LOST, AttemptOutcome.SUCCEEDED]


async def _said(ledger: Path, line: str) -> None:
    deadline = time.monotonic() + 60
    while line not in ledger.read_text():
        assert time.monotonic() < deadline, f"nobody said {line!r}"
        await asyncio.sleep(0.01)


async def _taken_over(database: Database) -> Lease:
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, "the lease does not expire"
        async with database.write() as tx:
            await queue.sweep(tx)
            if leases := await queue.claim(tx, "other", ClaimFilter(tenant="t")):
                return leases[0]
        await asyncio.sleep(0.05)
