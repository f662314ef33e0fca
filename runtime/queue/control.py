"""What everybody else does to a job, whether or not a worker has it."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.queue import caps, law
from runtime.queue.clock import moment, now
from runtime.queue.law import Transition
from runtime.queue.refusal import NoSuchJob, NotDead
from runtime.queue.tables import Attempt, Job, State
from runtime.queue.wakes import rouse
from runtime.queue.work import lane


async def unpark(tx: AsyncSession, id: str) -> Transition | None:
    """What it waited for is there. None if it does not wait."""
    job, attempt, at = await reach(tx, id)
    if job.state is not State.PARKED:
        return None
    return _told(tx, law.unparked(job, attempt, at))


async def shelve(tx: AsyncSession, id: str, *, waits_for: str) -> Transition | None:
    """Let a job wait without a worker: one in the queue, or one whose worker waits, which then has lost it.

    None if it is being worked or has ended.
    """
    job, attempt, at = await reach(tx, id)
    if job.state not in (State.READY, State.PARKED):
        return None
    transition = law.parked(job, attempt, at, waits_for, keep=False)
    freed = attempt is not None and await caps.free(tx, [id])
    return _told(tx, transition, freed=freed)


async def accept(tx: AsyncSession, id: str) -> Transition | None:
    """A job that waits without a worker is done as it is. None if it does not."""
    job, attempt, at = await reach(tx, id)
    if job.state is not State.PARKED or attempt is not None:
        return None
    return _told(tx, law.accepted(job, at))


async def cancel(tx: AsyncSession, id: str) -> Transition | None:
    """Never run it again: at once if nobody has it, else as soon as its worker hears and confirms.

    None if it has ended or was asked to before.
    """
    job, attempt, at = await reach(tx, id)
    if job.ended_at or job.cancel_requested_at:
        return None
    return _told(tx, law.cancel(job, attempt, at))


async def hold(tx: AsyncSession, id: str, attempt: int, *, waits_for: str) -> Transition | None:
    """Let a job wait with its worker, as `park` does for a worker that shows its ticket.

    None if that attempt does not hold it.
    """
    job, held, at = await reach(tx, id)
    if held is None or held.number != attempt:
        return None
    return _told(tx, law.parked(job, held, at, waits_for, keep=True))


async def give_up(tx: AsyncSession, id: str, *, code: str, reason: str | None = None) -> Transition | None:
    """End a job as failed, also one that a worker has. None if it has ended."""
    return await _ended(tx, id, lambda job, attempt, at: law.given_up(job, attempt, at, code, reason))


async def drop(tx: AsyncSession, id: str) -> Transition | None:
    """End a job at once, also one that a worker has, because what it was about is gone. None if it has ended."""
    return await _ended(tx, id, law.dropped)


async def _ended(tx: AsyncSession, id: str, end: Callable[..., Transition]) -> Transition | None:
    job, attempt, at = await reach(tx, id)
    if job.ended_at:
        return None
    transition = end(job, attempt, at)
    freed = attempt is not None and await caps.free(tx, [id])
    return _told(tx, transition, freed=freed)


async def rerun(tx: AsyncSession, id: str) -> Transition:
    """Run a dead job again. Errors: NotDead."""
    job, _, at = await reach(tx, id)
    if job.state is not State.DEAD:
        raise NotDead(f"{id} is {job.state}, not dead")
    return _told(tx, law.rerun(job, at))


async def prioritise(tx: AsyncSession, id: str, priority: int) -> None:
    """Change its place in the queue, now or when it gets there."""
    job, _, _ = await reach(tx, id)
    job.priority = priority
    job.lane = lane(job.kind, job.scope, priority, job.executor, job.capabilities, job.caps)


async def withdraw(tx: AsyncSession, worker_id: str) -> list[Transition]:
    """Take everything back from a worker that leaves. Nothing is counted as a failure."""
    mine = select(Attempt.job_id).where(Attempt.worker_id == worker_id, Attempt.ended_at.is_(None))
    query = select(Job).where(Job.id.in_(mine)).order_by(Job.id).with_for_update()
    jobs = (await tx.scalars(query, execution_options={"populate_existing": True})).all()
    attempts = await open_attempts(tx, [job.id for job in jobs])
    at = await moment(tx)
    transitions = [
        law.released(job, attempt, at)
        for job in jobs
        if (attempt := attempts.get(job.id)) and attempt.worker_id == worker_id
    ]
    freed = await caps.free(tx, [one.id for one in transitions])
    rouse(tx, *transitions, freed=freed)
    return transitions


async def reach(tx: AsyncSession, id: str) -> tuple[Job, Attempt | None, datetime]:
    """Lock a job, and its open attempt if a worker has it. Errors: NoSuchJob."""
    query = select(Job, now()).where(Job.id == id).with_for_update()
    row = (await tx.execute(query, execution_options={"populate_existing": True})).one_or_none()
    if row is None:
        raise NoSuchJob(id)
    attempts = await open_attempts(tx, [id]) if row[0].held else {}
    return row[0], attempts.get(id), row[1]


async def open_attempts(tx: AsyncSession, ids: list[str], *, skip_locked: bool = False) -> dict[str, Attempt]:
    """Lock the open attempts of jobs that are locked."""
    query = (
        select(Attempt)
        .where(Attempt.job_id.in_(ids), Attempt.ended_at.is_(None))
        .order_by(Attempt.job_id)
        .with_for_update(skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )
    return {attempt.job_id: attempt for attempt in await tx.scalars(query)}


def _told(tx: AsyncSession, transition: Transition, *, freed: bool = False) -> Transition:
    rouse(tx, transition, freed=freed)
    return transition
