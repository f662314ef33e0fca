"""What the server measures at each scrape of /metrics: the queue of all workspaces, in three statements."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, func, literal_column, select

from kit.db.clock import database_now
from kit.db.database import Database, utcnow
from kit.metrics import Sample
from kit.queue import Attempt, Job, JobState
from models.job import SERVER
from models.worker import Worker

SECONDS_PER_DAY = 86_400.0
JOBS = "signalbox_jobs", "Open jobs by queue and state; dead ones of the last 24 hours."
OLDEST = "signalbox_oldest_wait_seconds", "Age of the oldest claimable job, by queue."
WORKERS = "signalbox_workers", "Registered workers."
HELD = "signalbox_leases", "Jobs that workers hold."


async def read_samples(database: Database) -> list[Sample]:
    """Return the samples of one scrape."""
    queue = case((Job.tenant == SERVER, "server"), else_="runs").label("queue")
    due = Job.available_at <= database_now()
    columns = queue, Job.state, due.label("due"), func.count().label("jobs"), func.min(Job.available_at)
    live = Job.state.in_([literal_column(f"'{state}'") for state in ("READY", "LEASED", "PARKED")])
    dead = Job.state == literal_column("'DEAD'"), Job.ended_at > database_now(-SECONDS_PER_DAY)
    open_jobs = await database.read(select(*columns).where(live).group_by(queue, Job.state, due))
    dead_jobs = await database.read(select(queue, func.count().label("jobs")).where(*dead).group_by(queue))
    held = select(func.count()).select_from(Attempt).where(Attempt.ended_at.is_(None)).scalar_subquery()
    workers = select(func.count()).select_from(Worker).where(Worker.deregistered_at.is_(None))
    [[worker_count, held_count]] = await database.read(select(workers.scalar_subquery(), held))
    samples = _job_samples(open_jobs)
    samples += [(*JOBS, {"queue": row.queue, "state": "dead"}, row.jobs) for row in dead_jobs]
    return [*samples, (*WORKERS, {}, worker_count), (*HELD, {}, held_count)]


def _job_samples(rows: Sequence[Any]) -> list[Sample]:
    samples: list[Sample] = []
    now = utcnow()
    for row in rows:
        state = {JobState.READY: "queued" if row.due else "delayed", JobState.LEASED: "active"}
        samples.append((*JOBS, {"queue": row.queue, "state": state.get(row.state, "waiting")}, row.jobs))
        if row.state == JobState.READY and row.due:
            samples.append((*OLDEST, {"queue": row.queue}, max((now - row[4]).total_seconds(), 0.0)))
    return samples
