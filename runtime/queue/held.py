"""What a worker says about a job it holds. Each is accepted exactly while its lease is: LeaseLost otherwise.

A lease that ran out but was not swept yet is still held: nobody else has the job.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, TextClause, bindparam, select, text, tuple_, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import UtcDateTime
from runtime.queue import caps, law
from runtime.queue.claims import LEASE, Ticket, hashed
from runtime.queue.clock import POSTGRES, SQLITE, now
from runtime.queue.law import Transition
from runtime.queue.refusal import LeaseLost, NotAsked
from runtime.queue.tables import Attempt, Job, State
from runtime.queue.wakes import rouse
from runtime.straight import Straight

POSTGRESQL: Any = postgresql.dialect()  # type: ignore[no-untyped-call]


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
    return await _settle(tx, job, attempt, law.completed(job, attempt, at))


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
    return await _settle(tx, job, attempt, law.failed(job, attempt, at, code, reason, retryable=retryable))


async def release(tx: AsyncSession, ticket: Ticket) -> Transition:
    """Give the attempt back, as a worker does that is told to stop. No failure is counted."""
    job, attempt, at = await reach(tx, ticket)
    return await _settle(tx, job, attempt, law.released(job, attempt, at))


async def stopped(tx: AsyncSession, ticket: Ticket) -> Transition:
    """Confirm a cancel. Errors: NotAsked, if nobody asked for one."""
    job, attempt, at = await reach(tx, ticket)
    if not job.cancel_requested_at:
        raise NotAsked(f"Nobody asked to cancel {job.id}")
    return await _settle(tx, job, attempt, law.stopped(job, attempt, at))


async def park(tx: AsyncSession, ticket: Ticket, *, waits_for: str, keep: bool = True) -> Transition:
    """Wait for something: with the worker, its lease and its slots (`keep`), or without."""
    job, attempt, at = await reach(tx, ticket)
    return await _settle(tx, job, attempt, law.parked(job, attempt, at, waits_for, keep=keep))


async def reach(tx: AsyncSession, ticket: Ticket) -> tuple[Job, Attempt, datetime]:
    """Lock what a ticket holds, and its places. The only way to a held job for a worker.

    What is answered are copies: `_settle` writes them.
    Errors: LeaseLost.
    """
    asked = {"id": ticket.id, "number": ticket.attempt, "hash": hashed(ticket.token)}
    if caps.is_postgres(tx):
        rows: Sequence[Any] = await _straight(LOCKED.format(reach=REACH)).rows(tx, asked)
    else:
        rows = (await tx.execute(_reaching(REACH), asked)).all()
    if not rows:
        raise LeaseLost(ticket.id, ticket.attempt)
    at, *values = rows[0]
    job, attempt = Job(), Attempt()
    for one, columns in ((job, JOB), (attempt, ATTEMPT)):
        one.__dict__.update(zip(columns, values[: len(columns)], strict=True))
        del values[: len(columns)]
    job.state = State(job.state)
    return job, attempt, at


async def _settle(tx: AsyncSession, job: Job, attempt: Attempt, transition: Transition) -> Transition:
    """Write what the law made of a job and its attempt, and free its places when it is not held any more."""
    asked = {f"job_{name}": getattr(job, name) for name in JOB_CHANGES}
    asked |= {f"attempt_{name}": getattr(attempt, name) for name in ATTEMPT_CHANGES}
    asked |= {"id": job.id, "number": attempt.number}
    if caps.is_postgres(tx):
        asked["attempt_metrics"] = None if attempt.metrics is None else json.dumps(attempt.metrics)
        places = await _straight(SETTLE).rows(tx, asked | {"held": transition.held})
        freed = await caps.freed(tx, places, are_alone=not any(place["has_heir"] for place in places))
    else:
        for write in (WRITE_JOB, WRITE_ATTEMPT):
            await tx.execute(_settling(write), asked)
        freed = not transition.held and await caps.free(tx, [transition.id])
    rouse(tx, transition, freed=freed)
    return transition


# What is not read here: neither the law nor anybody who reaches a job asks for it.
UNREAD = {"capabilities", "caps", "metrics"}
JOB = {column.key: column.type for column in Job.__table__.c if column.key not in UNREAD}
ATTEMPT = {column.key: column.type for column in Attempt.__table__.c if column.key not in UNREAD}
# What the law changes of a job and of its attempt.
JOB_CHANGES: tuple[str, ...] = (
    "state",
    "held",
    "available_at",
    "expires_at",
    "ended_at",
    "failures",
    "losses",
)
JOB_CHANGES += ("parked_at", "parked_for", "code", "reason")
ATTEMPT_CHANGES = ("ended_at", "outcome", "exit_code", "metrics", "code", "reason", "limit_by", "silent_by")
REACH = """
    FROM job JOIN attempt ON attempt.job_id = job.id
    WHERE job.id = :id AND attempt.number = :number AND attempt.lease_token_hash = :hash
        AND attempt.ended_at IS NULL
"""
COLUMNS = ", ".join(
    [
        *(f"job.{name} AS job_{name}" for name in JOB),
        *(f"attempt.{name} AS attempt_{name}" for name in ATTEMPT),
    ]
)
UNLOCKED = f"SELECT {SQLITE} AS at, {COLUMNS} {{reach}}"
# The places are locked after the job, as everywhere, and before the statement that frees them looks at others.
LOCKED = f"""
WITH held AS MATERIALIZED (SELECT {POSTGRES} AS at, {COLUMNS} {{reach}} FOR UPDATE OF job, attempt),
place AS MATERIALIZED (SELECT n FROM slot JOIN held ON slot.job_id = held.job_id FOR UPDATE OF slot)
SELECT held.* FROM held WHERE (SELECT count(*) FROM place) >= 0
"""  # noqa: S608 - our own text


def _write(table: str, names: Sequence[str], mine: str) -> str:
    return f"UPDATE {table} SET {', '.join(f'{name} = :{table}_{name}' for name in names)} WHERE {mine}"  # noqa: S608


WRITE_JOB = _write("job", JOB_CHANGES, "id = :id")
WRITE_ATTEMPT = _write("attempt", ATTEMPT_CHANGES, "job_id = :id AND number = :number")
SETTLE = f"""
WITH written AS ({WRITE_JOB}), told AS ({WRITE_ATTEMPT}), freed AS (
    UPDATE slot SET job_id = NULL WHERE job_id = :id AND NOT :held RETURNING cap, n, surplus
)
SELECT cap, n, surplus, EXISTS (
    SELECT FROM slot AS heir WHERE heir.cap = freed.cap AND heir.surplus AND heir.job_id IS NOT NULL
) AS has_heir FROM freed
"""  # noqa: S608 - our own text
TYPES: dict[str, Any] = {
    **{f"job_{name}": JOB[name] for name in JOB_CHANGES},
    **{f"attempt_{name}": ATTEMPT.get(name, JSON(none_as_null=True)) for name in ATTEMPT_CHANGES},
}


def _typed(kind: Any) -> str:
    """What PostgreSQL calls a type."""
    return str(kind.dialect_impl(POSTGRESQL).compile(POSTGRESQL))


NAMES = {name: _typed(kind) for name, kind in TYPES.items()} | {"attempt_metrics": "jsonb"}
NAMES |= {"id": "varchar", "number": "integer", "hash": "varchar", "held": "boolean"}


@lru_cache(maxsize=8)
def _straight(statement: str) -> Straight:
    return Straight(statement, NAMES)


@lru_cache(maxsize=8)
def _reaching(reach: str) -> Any:
    types = {f"job_{name}": kind for name, kind in JOB.items()}
    types |= {f"attempt_{name}": kind for name, kind in ATTEMPT.items()}
    return text(UNLOCKED.format(reach=reach)).columns(at=UtcDateTime(), **types)


@lru_cache(maxsize=8)
def _settling(statement: str) -> TextClause:
    named = set(re.findall(r":(\w+)", statement)) & TYPES.keys()
    return text(statement).bindparams(*(bindparam(name, type_=TYPES[name]) for name in named))
