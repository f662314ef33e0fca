"""Changes of a job by anyone but its worker, whether or not a worker holds it."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from kit.db.clock import database_now, read_database_clock
from kit.db.transaction import Transaction
from kit.queue import caps, state_machine
from kit.queue.enqueue import dispatch_lane
from kit.queue.errors import NoSuchJob, NotDead
from kit.queue.notifications import notify_transitions
from kit.queue.state_machine import Transition
from kit.queue.tables import Attempt, Job, JobState


async def resume(tx: Transaction, id: str) -> Transition | None:
    """Resume a parked job. Returns None if it is not parked."""
    job, attempt, at = await lock_job(tx, id)
    if job.state is not JobState.PARKED:
        return None
    return _notify(tx, state_machine.resumed(job, attempt, at))


async def suspend_without_worker(tx: Transaction, id: str, *, waits_for: str) -> Transition | None:
    """Park a job without a worker: a queued one, or a parked one, whose worker then loses its lease.

    Returns None if the job is being worked or has ended.
    """
    job, attempt, at = await lock_job(tx, id)
    if job.state not in (JobState.READY, JobState.PARKED):
        return None
    transition = state_machine.suspended(job, attempt, at, waits_for, keep=False)
    freed = attempt is not None and await caps.free(tx, [id])
    return _notify(tx, transition, freed=freed)


async def complete_suspended(tx: Transaction, id: str) -> Transition | None:
    """Complete a job that is parked without a worker, as it is. Returns None for any other."""
    job, attempt, at = await lock_job(tx, id)
    if job.state is not JobState.PARKED or attempt is not None:
        return None
    return _notify(tx, state_machine.accepted(job, at))


async def cancel(tx: Transaction, id: str) -> Transition | None:
    """Cancel a job: at once if no worker holds it, else once its worker confirms.

    Returns None if the job has ended or its cancellation was requested before.
    """
    job, attempt, at = await lock_job(tx, id)
    if job.ended_at or job.cancel_requested_at:
        return None
    return _notify(tx, state_machine.cancel(job, attempt, at))


async def suspend_with_worker(tx: Transaction, id: str, attempt: int, *, waits_for: str) -> Transition | None:
    """Park a job with its worker, as `suspend` does for a ticket. Returns None if that attempt does not hold it."""
    job, held, at = await lock_job(tx, id)
    if held is None or held.number != attempt:
        return None
    return _notify(tx, state_machine.suspended(job, held, at, waits_for, keep=True))


async def fail_job(tx: Transaction, id: str, *, code: str, reason: str | None = None) -> Transition | None:
    """Fail a job, also one that a worker holds. Returns None if it has ended."""
    return await _end_job(
        tx, id, lambda job, attempt, at: state_machine.failed_by_server(job, attempt, at, code, reason)
    )


async def discard(tx: Transaction, id: str) -> Transition | None:
    """Cancel a job at once, also one that a worker holds. Returns None if it has ended."""
    return await _end_job(tx, id, state_machine.discarded)


async def _end_job(tx: Transaction, id: str, end: Callable[..., Transition]) -> Transition | None:
    job, attempt, at = await lock_job(tx, id)
    if job.ended_at:
        return None
    transition = end(job, attempt, at)
    freed = attempt is not None and await caps.free(tx, [id])
    return _notify(tx, transition, freed=freed)


async def rerun(tx: Transaction, id: str) -> Transition:
    """Queue a dead job again. Raises NotDead."""
    job, _, at = await lock_job(tx, id)
    if job.state is not JobState.DEAD:
        raise NotDead(f"{id} is {job.state}, not dead")
    return _notify(tx, state_machine.rerun(job, at))


async def prioritise(tx: Transaction, id: str, priority: int) -> None:
    """Change the priority of a job, which orders the queue."""
    job, _, _ = await lock_job(tx, id)
    job.priority = priority
    job.lane = dispatch_lane(job.kind, job.scope, priority, job.executor, job.capabilities, job.caps)


async def withdraw(tx: Transaction, worker_id: str) -> list[Transition]:
    """Return every job of a worker to the queue. This counts as no failure."""
    held = select(Attempt.job_id).where(Attempt.worker_id == worker_id, Attempt.ended_at.is_(None))
    query = select(Job).where(Job.id.in_(held)).order_by(Job.id).with_for_update()
    jobs = (await tx.scalars(query, execution_options={"populate_existing": True})).all()
    attempts = await open_attempts(tx, [job.id for job in jobs])
    at = await read_database_clock(tx)
    transitions = [
        state_machine.released(job, attempt, at)
        for job in jobs
        if (attempt := attempts.get(job.id)) and attempt.worker_id == worker_id
    ]
    freed = await caps.free(tx, [one.id for one in transitions])
    notify_transitions(tx, *transitions, freed=freed)
    return transitions


async def lock_job(tx: Transaction, id: str) -> tuple[Job, Attempt | None, datetime]:
    """Lock a job, and its open attempt if there is one. Returns them and the database's time. Raises NoSuchJob."""
    query = select(Job, database_now()).where(Job.id == id).with_for_update()
    row = (await tx.execute(query, execution_options={"populate_existing": True})).one_or_none()
    if row is None:
        raise NoSuchJob(id)
    attempts = await open_attempts(tx, [id]) if row[0].held else {}
    return row[0], attempts.get(id), row[1]


async def open_attempts(tx: Transaction, ids: list[str], *, skip_locked: bool = False) -> dict[str, Attempt]:
    """Lock the open attempts of locked jobs. Returns them by job."""
    query = (
        select(Attempt)
        .where(Attempt.job_id.in_(ids), Attempt.ended_at.is_(None))
        .order_by(Attempt.job_id)
        .with_for_update(skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )
    return {attempt.job_id: attempt for attempt in await tx.scalars(query)}


def _notify(tx: Transaction, transition: Transition, *, freed: bool = False) -> Transition:
    notify_transitions(tx, transition, freed=freed)
    return transition
