"""Reads of the queue: why a job is not running, its position, statistics. They lock nothing.

`read` is any function that executes a query: `Snapshot.read`, or `reading(tx)`.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, Row, and_, case, func, literal_column, select, tuple_, union_all
from sqlalchemy.orm import aliased

from kit.db.clock import database_now
from kit.db.transaction import Transaction
from kit.queue.tables import Attempt, Cap, Job, JobState, Slot

MAX_POSITION = 1_000  # jobs counted in front of a job
SECONDS_PER_DAY = 86_400.0

Read = Callable[[Executable], Awaitable[Sequence[Row[Any]]]]


def reading(tx: Transaction) -> Read:
    """Return a `read` function of a transaction."""

    async def read(query: Executable) -> Sequence[Row[Any]]:
        return (await tx.execute(query)).all()

    return read


@dataclass(frozen=True, slots=True)
class DueLater:
    """The job is delayed, or failed and is retried later."""

    at: datetime
    failures: int
    code: str | None


@dataclass(frozen=True, slots=True)
class CapReached:
    """A cap has no free slot. Its holders may belong to any tenant."""

    cap: str
    most: int
    held_by: tuple[str, ...]  # ids of jobs


@dataclass(frozen=True, slots=True)
class LeaseHeld:
    """A worker holds the job: it is running, as far as is known."""

    worker_id: str
    until: datetime
    attempt: int
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class Suspended:
    """The job is parked until it is resumed."""

    waits_for: str | None
    since: datetime | None
    worker_id: str | None  # the worker that waits with it


@dataclass(frozen=True, slots=True)
class HasEnded:
    state: JobState
    code: str | None


@dataclass(frozen=True, slots=True)
class Queued:
    """The job waits for its turn, or for a worker that can do it."""

    position: int | None  # in its scope


Reason = DueLater | CapReached | LeaseHeld | Suspended | HasEnded | Queued


async def reasons_not_running(read: Read, ids: Sequence[str]) -> dict[str, list[Reason]]:
    """Return the reasons why jobs are not running, in four statements for any number of jobs."""
    query = (
        select(Job.__table__, database_now().label("now"), Attempt.worker_id, Attempt.lease_until)
        .outerjoin(Attempt, and_(Attempt.job_id == Job.id, Attempt.ended_at.is_(None)))
        .where(Job.id.in_(ids))
    )
    jobs = await read(query)
    ready = [job for job in jobs if job.state == JobState.READY]
    free = [job for job in jobs if job.state == JobState.READY or _is_parked_alone(job)]
    full = await full_caps(read, sorted({cap for job in free for cap in job.caps}))
    places = await positions(read, [job.id for job in ready])
    return {job.id: _reasons(job, full, places.get(job.id)) for job in jobs}


def _reasons(job: Row[Any], full: dict[str, CapReached], position: int | None) -> list[Reason]:
    if job.state == JobState.READY or _is_parked_alone(job):
        reasons: list[Reason] = [full[cap] for cap in job.caps if cap in full]
        if job.available_at > job.now:
            reasons.insert(0, DueLater(job.available_at, job.failures, job.code))
        if job.state == JobState.PARKED:
            return [Suspended(job.parked_for, job.parked_at, job.worker_id), *reasons]
        return reasons or [Queued(position)]
    if job.state == JobState.LEASED:
        return [LeaseHeld(job.worker_id, job.lease_until, job.attempt, job.cancel_requested_at is not None)]
    if job.state == JobState.PARKED:
        return [Suspended(job.parked_for, job.parked_at, job.worker_id)]
    return [HasEnded(job.state, job.code)]


def _is_parked_alone(job: Row[Any]) -> bool:
    """Whether a job is parked without a worker: its other reasons count too."""
    return bool(job.state == JobState.PARKED and job.worker_id is None)


async def full_caps(read: Read, names: Sequence[str]) -> dict[str, CapReached]:
    """Return those of the named caps that have no free slot, and the holders of their slots."""
    if not names:
        return {}
    query = (
        select(Cap.name, Cap.most, Slot.job_id, Slot.surplus)
        .outerjoin(Slot, Slot.cap == Cap.name)
        .where(Cap.name.in_(names))
        .order_by(Cap.name, Slot.n)
    )
    holders: dict[str, list[str]] = defaultdict(list)
    most: dict[str, int] = {}
    free: set[str] = set()
    for row in await read(query):
        most[row.name] = row.most
        if row.job_id is not None:
            holders[row.name].append(row.job_id)
        elif row.surplus is False:
            free.add(row.name)
    return {name: CapReached(name, most[name], tuple(holders[name])) for name in most if name not in free}


async def positions(read: Read, ids: Sequence[str]) -> dict[str, int]:
    """Return the position of each job in the queue of its scope, from 1 to MAX_POSITION + 1.

    Jobs without a scope have no position and are left out.
    """
    if not ids:
        return {}
    other = aliased(Job)
    same = select(other.id).where(
        other.state == literal_column("'READY'"), other.tenant == Job.tenant, other.scope == Job.scope
    )
    age = tuple_(other.available_at, other.id) < tuple_(Job.available_at, Job.id)
    # Two ranges of one index, so that no job behind it is read.
    before = (same.where(other.priority > Job.priority), same.where(other.priority == Job.priority, age))
    ahead = union_all(*(query.correlate(Job) for query in before)).limit(MAX_POSITION).subquery()
    count = select(func.count()).select_from(ahead).correlate(Job).scalar_subquery()
    query = select(Job.id, count.label("ahead")).where(
        Job.id.in_(ids), Job.state == JobState.READY, Job.scope.is_not(None)
    )
    return {row.id: row.ahead + 1 for row in await read(query)}


@dataclass(slots=True)
class QueueStatistics:
    """Number of jobs of one scope and priority, by state."""

    scope: str | None
    priority: int
    queued: int = 0  # claimable now
    delayed: int = 0  # not due yet
    active: int = 0  # being worked
    waiting: int = 0  # parked
    dead: int = 0  # in the last 24 hours
    oldest_at: datetime | None = field(default=None)  # when the oldest queued job became due


async def statistics(
    read: Read, tenant: str, *, scopes: Sequence[str] | None = None
) -> list[QueueStatistics]:
    """Return the statistics of each scope and priority, in three statements. Ended jobs are not read."""
    is_due = and_(Job.state == JobState.READY, Job.available_at <= database_now())
    ready = Job.state == literal_column("'READY'")
    active = Job.state.in_([literal_column("'LEASED'"), literal_column("'PARKED'")])
    columns = [Job.scope, Job.priority, Job.state, is_due.label("due"), func.count().label("count")]
    oldest = func.min(case((is_due, Job.available_at))).label("oldest")
    recent = and_(Job.state == literal_column("'DEAD'"), Job.ended_at > database_now(-SECONDS_PER_DAY))
    by_key: dict[tuple[str | None, int], QueueStatistics] = {}
    for where in (ready, active, recent):
        query = select(*columns, oldest).where(where, Job.tenant == tenant).group_by(*columns[:3], is_due)
        if scopes is not None:
            query = query.where(Job.scope.in_(scopes))
        for row in await read(query):
            numbers = by_key.setdefault((row.scope, row.priority), QueueStatistics(row.scope, row.priority))
            _count(numbers, row)
    return sorted(by_key.values(), key=lambda one: (one.scope or "", -one.priority))


def _count(numbers: QueueStatistics, row: Row[Any]) -> None:
    count = row._mapping["count"]  # not row.count, which is a method of tuples
    if row.state == JobState.READY and row.due:
        numbers.queued += count
        numbers.oldest_at = row.oldest
    elif row.state == JobState.READY:
        numbers.delayed += count
    elif row.state == JobState.LEASED:
        numbers.active += count
    elif row.state == JobState.PARKED:
        numbers.waiting += count
    else:
        numbers.dead += count


async def dead(
    read: Read, tenant: str, *, most: int = 50, before: datetime | None = None
) -> Sequence[Row[Any]]:
    """Return dead jobs, newest first."""
    query = select(Job.__table__).where(Job.tenant == tenant, Job.state == literal_column("'DEAD'"))
    if before is not None:
        query = query.where(Job.ended_at < before)
    return await read(query.order_by(Job.ended_at.desc(), Job.id.desc()).limit(most))


async def held_by(read: Read, worker_id: str) -> Sequence[Row[Any]]:
    """Return the open attempts of a worker, with the kind, scope and state of their jobs."""
    query = (
        select(Attempt.__table__, Job.kind, Job.scope, Job.state)
        .join(Job, Job.id == Attempt.job_id)
        .where(Attempt.worker_id == worker_id, Attempt.ended_at.is_(None))
        .order_by(Attempt.started_at, Attempt.job_id)
    )
    return await read(query)
