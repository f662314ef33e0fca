"""Sweeps: they apply the time limits of jobs. Any number of processes may sweep concurrently."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Select, and_, func, literal_column, or_, select, union_all

from kit.db.clock import database_now, read_database_clock
from kit.db.database import UtcDateTime
from kit.db.transaction import Transaction
from kit.queue import caps, state_machine
from kit.queue.control import open_attempts
from kit.queue.notifications import notify_transitions, queue_topic
from kit.queue.state_machine import Transition
from kit.queue.tables import Attempt, Job, JobState

SWEEP_BATCH_SIZE = 100  # jobs in one sweep; if there were as many, the next sweep follows at once


@dataclass(frozen=True, slots=True)
class Swept:
    transitions: list[Transition]
    at: datetime
    next_at: datetime | None  # next expiry of a limit, or start of a delayed job, as far as known
    more: bool  # further jobs are overdue now


async def sweep(
    tx: Transaction, *, since: datetime | None = None, only: Sequence[str] | None = None
) -> Swept:
    """Apply expired limits: of leases, attempts, silence, time in the queue and total time.

    Notifies the workers whose delayed jobs became due after `since`, the `at` of the previous sweep. `only`
    restricts the sweep to jobs whose own rows the caller has locked; see `overdue`.
    """
    ids = list(only) if only is not None else [id for id, _ in await overdue(tx)]
    at = await read_database_clock(tx)
    transitions = await _apply(tx, ids, at) if ids else []
    if only is None:
        await _wake_due(tx, since, at)
    next_at = await tx.scalar(
        select(func.min(literal_column("at", UtcDateTime()))).select_from(_next(at).subquery())
    )
    return Swept(transitions, at, next_at, more=only is None and len(ids) == SWEEP_BATCH_SIZE)


async def notify_due(tx: Transaction, since: datetime | None) -> None:
    """Notify the workers whose delayed jobs became due after `since`. For callers that sweep with `only`."""
    await _wake_due(tx, since, await read_database_clock(tx))


async def overdue(tx: Transaction, most: int = SWEEP_BATCH_SIZE) -> list[tuple[str, str | None]]:
    """Return the ids and scopes of jobs that a sweep would change. Locks nothing."""
    ready = Job.state == literal_column("'READY'")
    live = Job.state.in_([literal_column(f"'{state}'") for state in ("READY", "LEASED", "PARKED")])
    # Subqueries of the attempt instead of a join: the few open attempts are read, never all jobs.
    of_attempt = select(Job.scope).where(Job.id == Attempt.job_id)
    is_working = of_attempt.where(Job.state == JobState.LEASED).exists()
    is_slow = or_(Attempt.limit_by <= database_now(), Attempt.silent_by <= database_now())
    columns = select(Job.id, Job.scope)
    queries: list[Select[Any, Any]] = [
        select(Attempt.job_id.label("id"), of_attempt.scalar_subquery().label("scope")).where(
            Attempt.ended_at.is_(None), or_(Attempt.lease_until <= database_now(), and_(is_slow, is_working))
        ),
        columns.where(ready, Job.expires_at.is_not(None), Job.expires_at <= database_now()),
        columns.where(live, Job.deadline_at.is_not(None), Job.deadline_at <= database_now()),
    ]
    rows = await tx.execute(union_all(*queries).limit(most))
    return list({row.id: (row.id, row.scope) for row in rows}.values())


async def _apply(tx: Transaction, ids: list[str], at: datetime) -> list[Transition]:
    """Lock jobs and apply their limits. Jobs that another sweep or their worker has locked are left to it."""
    query = select(Job).where(Job.id.in_(ids)).order_by(Job.id).with_for_update(skip_locked=True)
    jobs = (await tx.scalars(query, execution_options={"populate_existing": True})).all()
    attempts = await open_attempts(tx, [job.id for job in jobs], skip_locked=True)
    transitions = [
        transition
        for job in jobs
        if job.held == (job.id in attempts)  # else its worker is sending a heartbeat right now
        and (transition := state_machine.overdue(job, attempts.get(job.id), at))
    ]
    freed = await caps.free(tx, [one.id for one in transitions if not one.held])
    notify_transitions(tx, *transitions, freed=freed)
    return transitions


async def _wake_due(tx: Transaction, since: datetime | None, at: datetime) -> None:
    """Notify of delayed jobs only: others have notified when they were enqueued."""
    query = (
        select(Job.tenant)
        .distinct()
        .where(
            Job.state == literal_column("'READY'"),
            Job.available_at <= at,
            Job.available_at > Job.enqueued_at,
        )
    )
    if since is not None:
        query = query.where(Job.available_at > since)
    for tenant in await tx.scalars(query):
        tx.notify(queue_topic(tenant))


def _next(at: datetime) -> CompoundSelect[Any]:
    ready = Job.state == literal_column("'READY'")
    live = Job.state.in_([literal_column(f"'{state}'") for state in ("READY", "LEASED", "PARKED")])
    is_open = Attempt.ended_at.is_(None)
    times = [
        select(func.min(Job.available_at).label("at")).where(ready, Job.available_at > at),
        select(func.min(Job.expires_at)).where(ready, Job.expires_at.is_not(None)),
        select(func.min(Job.deadline_at)).where(live, Job.deadline_at.is_not(None)),
        select(func.min(Attempt.lease_until)).where(is_open),
        select(func.min(Attempt.limit_by)).where(is_open),
        select(func.min(Attempt.silent_by)).where(is_open),
    ]
    return union_all(*times)
