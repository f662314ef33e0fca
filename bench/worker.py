"""Our turn in the comparison of queues."""

import asyncio
import json
import os
import time

import uvloop

from kit import queue
from kit.db.database import Base, Database
from kit.queue import ClaimFilter, NewJob

ENQUEUED = 2_000  # jobs at once, while the clock stands
WANTED = ClaimFilter(tenant="t", kinds=["CODE"])


async def work(url: str, at_once: int, batch: int, seconds: float) -> None:
    """Our own turn."""
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.write() as tx:
        await queue.set_cap(tx, queue.worker_cap("w"), 100)
    done = asked = 0

    async def claim(end: float) -> None:
        nonlocal done, asked
        while time.perf_counter() < end:
            key = f"{os.getpid()} {(asked := asked + 1)}"
            async with database.write() as tx:
                leases = await queue.claim(tx, "w", WANTED, most=batch, key=key)
            if not leases:
                return
            async with database.write() as tx:
                for lease in sorted(leases, key=lambda lease: lease.id):  # one lock order
                    await queue.complete(tx, lease)
            done += len(leases)

    worked = 0.0
    while worked < seconds:
        await enqueue(database, ENQUEUED)
        if not worked:
            await claim(time.perf_counter() + min(0.5, seconds))  # warm
            done = 0
        began = time.perf_counter()
        await asyncio.gather(*(claim(began + seconds - worked) for _ in range(at_once)))
        worked += time.perf_counter() - began
    await database.close()
    print(json.dumps({"jobs": done, "seconds": worked}))


async def enqueue(database: Database, jobs: int) -> None:
    prefix = f"job{time.time_ns()}"
    works = [NewJob(id=f"{prefix}{n:05}", kind="CODE", tenant="t", scope="s") for n in range(jobs)]
    async with database.write() as tx:
        await queue.enqueue(tx, *works)


def main(host: str, name: str, at_once: str, batch: str, seconds: str) -> None:
    url = f"postgresql://postgres@/{name}?host={host}"
    uvloop.run(work(url, int(at_once), int(batch), float(seconds)))
