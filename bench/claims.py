"""How fast work is claimed and finished, and whether depth slows it.

`python -m bench.claims [DATABASE_URL] [DEEP]`

Claims and completes, one job a transaction, with a thousand jobs waiting and with 200,000, of which most are
ones that this worker cannot have. Prints milliseconds, undisturbed ones, and the ratio.
"""

import asyncio
import statistics
import sys
import tempfile
import time

from sqlalchemy import delete, text

import models  # noqa: F401 - every table
from runtime import queue
from runtime.database import Base, Database
from runtime.queue import Attempt, Job, Wanted, Work

ROUNDS = 150
SHALLOW = 1_000


async def fill(database: Database, jobs: int) -> None:
    async with database.write() as tx:
        for table in (Attempt, Job):
            await tx.execute(delete(table))
    for start in range(0, jobs, 2_000):
        works = [
            Work(
                id=f"job{n:08}",
                kind="CODE",
                tenant="t",
                scope=f"s{n % 50}",
                priority=n % 5,
                capabilities=["gpu"] if n % 2 else [],
                delay=3_600 if n % 7 == 0 else 0,
            )
            for n in range(start, min(start + 2_000, jobs))
        ]
        async with database.write() as tx:
            await queue.enqueue(tx, *works)
    if not database.is_sqlite:
        async with database.write() as tx:
            await tx.execute(text("ANALYZE job"))


async def measure(database: Database) -> tuple[float, float]:
    claims, completes = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        async with database.write() as tx:
            [lease] = await queue.claim(tx, "w", Wanted(tenant="t", kinds=["CODE"]), key=f"{began}")
        claimed = time.perf_counter()
        async with database.write() as tx:
            await queue.complete(tx, lease)
        claims.append(claimed - began)
        completes.append(time.perf_counter() - claimed)
    return _typical(claims), _typical(completes)


def _typical(seconds: list[float]) -> float:
    """Milliseconds of the fastest tenth: what is left when nobody else uses the machine."""
    return statistics.quantiles(seconds, n=10)[0] * 1e3


async def main(url: str, deep: int) -> None:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.write() as tx:
        await queue.set_cap(tx, queue.worker_cap("w"), 4)
    found = {}
    for jobs in (SHALLOW, deep):
        await fill(database, jobs)
        await measure(database)  # plans and caches are warm afterwards
        found[jobs] = await measure(database)
        print(f"{jobs:>8} waiting: claim {found[jobs][0]:.2f} ms, complete {found[jobs][1]:.2f} ms")
    print(f"   ratio of claims: {found[deep][0] / found[SHALLOW][0]:.2f}")
    await database.close()


if __name__ == "__main__":
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        address = given[0] if given else f"sqlite:///{folder}/bench.sqlite3"
        asyncio.run(main(address, int(given[1]) if len(given) > 1 else 200_000))
