"""Procrastinate, claiming and finishing: `procrastinate_peer.py HOST DATABASE AT_ONCE BATCH SECONDS`.

For a Python that has it. Through its own manager, as its worker does it. It has no batches.
"""

import asyncio
import json
import sys
import time

import procrastinate
from procrastinate.jobs import Status

ENQUEUED = 1_000  # at once, while the clock stands


async def main(host: str, database: str, at_once: int, seconds: float) -> None:
    info = f"host={host} dbname={database} user=postgres"
    connector = procrastinate.PsycopgConnector(conninfo=info, min_size=at_once, max_size=at_once + 1)
    app = procrastinate.App(connector=connector)

    @app.task(name="work")
    async def work(n: int) -> None: ...

    async with app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        manager, done = app.job_manager, 0
        worker = await manager.register_worker()

        async def claim(end: float) -> None:
            nonlocal done
            while time.perf_counter() < end and (job := await manager.fetch_job(None, worker)) is not None:
                await manager.finish_job(job, Status.SUCCEEDED, delete_job=False)
                done += 1

        worked = 0.0
        while worked < seconds:
            await work.batch_defer_async(*({"n": n} for n in range(ENQUEUED)))
            await claim(time.perf_counter() + (0.5 if not worked else 0))  # warm
            done, began = (0, time.perf_counter()) if not worked else (done, time.perf_counter())
            await asyncio.gather(*(claim(began + seconds - worked) for _ in range(at_once)))
            worked += time.perf_counter() - began
    print(json.dumps({"jobs": done, "seconds": worked}))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[5])))
