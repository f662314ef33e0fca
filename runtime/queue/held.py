"""What a worker says about a job it holds. Each is accepted exactly while its lease is: LeaseLost otherwise.

A lease that ran out but was not swept yet is still held: nobody else has the job.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.queue import caps, law
from runtime.queue.claims import LEASE, Ticket, hashed
from runtime.queue.clock import now
from runtime.queue.law import Transition
from runtime.queue.refusal import LeaseLost, NotAsked
from runtime.queue.tables import Attempt, Job, State
from runtime.queue.wakes import rouse


@dataclass(frozen=True, slots=True)
class Beat:
    """The answer to a heartbeat: until when the job is held, and what the worker has to do."""

    id: str
    attempt: int
    until: datetime
    cancel: bool  # stop, then confirm with `stopped`
    parked: bool  # still waiting


async def heartbeats(
    tx: AsyncSession, tickets: Sequence[Ticket], *, active: bool = False, lease: float = LEASE
) -> list[Beat]:
    """Extend leases, in one statement. A ticket that is not answered is lost.

    `active` says that the work went forward, which resets its silence; to be alive does not.
    """
    job = select(Job.state, Job.cancel_requested_at).where(Job.id == Attempt.job_id)
    mine = [(ticket.id, ticket.attempt, hashed(ticket.token)) for ticket in tickets]
    beat = (
        update(Attempt)
        .where(tuple_(Attempt.job_id, Attempt.number, Attempt.lease_token_hash).in_(mine))
        .where(Attempt.ended_at.is_(None))
        .values(lease_until=now(lease), heartbeat_at=now())
        .returning(
            Attempt.job_id,
            Attempt.number,
            Attempt.lease_until,
            job.with_only_columns(Job.state).scalar_subquery().label("state"),
            job.with_only_columns(Job.cancel_requested_at).scalar_subquery().label("cancel"),
        )
    )
    if active:
        beat = beat.values(silent_by=now(Attempt.silence_limit))
    rows = await tx.execute(beat, execution_options={"synchronize_session": False})
    return [
        Beat(row.job_id, row.number, row.lease_until, row.cancel is not None, row.state == State.PARKED)
        for row in rows
    ]


async def heartbeat(tx: AsyncSession, ticket: Ticket, *, active: bool = False, lease: float = LEASE) -> Beat:
    """Extend one lease."""
    beats = await heartbeats(tx, [ticket], active=active, lease=lease)
    if not beats:
        raise LeaseLost(ticket.id, ticket.attempt)
    return beats[0]


async def complete(
    tx: AsyncSession, ticket: Ticket, *, exit_code: int | None = None, metrics: dict[str, Any] | None = None
) -> Transition:
    """The work is done. Also a job that was asked to stop may still be finished."""
    job, attempt, at = await reach(tx, ticket)
    attempt.exit_code, attempt.metrics = exit_code, metrics
    return await _settle(tx, law.completed(job, attempt, at))


async def fail(
    tx: AsyncSession,
    ticket: Ticket,
    *,
    code: str,
    reason: str | None = None,
    retryable: bool = False,
    exit_code: int | None = None,
    metrics: dict[str, Any] | None = None,
) -> Transition:
    """The attempt failed. If a retry may help and attempts are left it is tried again, later; else it is DEAD."""
    job, attempt, at = await reach(tx, ticket)
    attempt.exit_code, attempt.metrics = exit_code, metrics
    return await _settle(tx, law.failed(job, attempt, at, code, reason, retryable=retryable))


async def release(tx: AsyncSession, ticket: Ticket) -> Transition:
    """Give the attempt back, as a worker does that is told to stop. No failure is counted."""
    return await _settle(tx, law.released(*await reach(tx, ticket)))


async def stopped(tx: AsyncSession, ticket: Ticket) -> Transition:
    """Confirm a cancel. Errors: NotAsked, if nobody asked for one."""
    job, attempt, at = await reach(tx, ticket)
    if not job.cancel_requested_at:
        raise NotAsked(f"Nobody asked to cancel {job.id}")
    return await _settle(tx, law.stopped(job, attempt, at))


async def park(tx: AsyncSession, ticket: Ticket, *, waits_for: str, keep: bool = True) -> Transition:
    """Wait for something: with the worker, its lease and its slots (`keep`), or without."""
    job, attempt, at = await reach(tx, ticket)
    return await _settle(tx, law.parked(job, attempt, at, waits_for, keep=keep))


async def reach(tx: AsyncSession, ticket: Ticket) -> tuple[Job, Attempt, datetime]:
    """Lock what a ticket holds. The only way to a held job for a worker.

    Errors: LeaseLost.
    """
    query = (
        select(Job, Attempt, now())
        .join(Attempt, Attempt.job_id == Job.id)
        .where(
            Job.id == ticket.id,
            Attempt.number == ticket.attempt,
            Attempt.lease_token_hash == hashed(ticket.token),
            Attempt.ended_at.is_(None),
        )
        .with_for_update(of=[Job, Attempt])
        .execution_options(populate_existing=True)
    )
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        raise LeaseLost(ticket.id, ticket.attempt)
    return row[0], row[1], row[2]


async def _settle(tx: AsyncSession, transition: Transition) -> Transition:
    freed = not transition.held and await caps.free(tx, [transition.id])
    rouse(tx, transition, freed=freed)
    return transition
