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

from kit.db.clock import POSTGRES, SQLITE, database_now
from kit.db.database import UtcDateTime
from kit.db.raw_statement import RawStatement
from kit.db.transaction import Transaction
from kit.queue import caps, state_machine
from kit.queue.claims import DEFAULT_LEASE_SECONDS, Ticket, hash_token
from kit.queue.errors import JobLeaseLost, NotAsked
from kit.queue.notifications import notify_transitions
from kit.queue.state_machine import Transition
from kit.queue.tables import Attempt, Job, JobState

POSTGRESQL: Any = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class LeaseExtension:
    """The answer to a heartbeat: until when the job is held, and what the worker has to do."""

    id: str
    attempt: int
    until: datetime
    cancel: bool  # stop, then confirm with `stopped`
    parked: bool  # still waiting


async def heartbeats(
    tx: Transaction, tickets: Sequence[Ticket], *, active: bool = False, lease: float = DEFAULT_LEASE_SECONDS
) -> list[LeaseExtension]:
    """Extend leases, in one statement. A ticket that is not answered is lost.

    `active` says that the work went forward, which resets its silence; to be alive does not.
    """
    job = select(Job.state, Job.cancel_requested_at).where(Job.id == Attempt.job_id)
    mine = [(ticket.id, ticket.attempt, hash_token(ticket.token)) for ticket in tickets]
    beat = (
        update(Attempt)
        .where(tuple_(Attempt.job_id, Attempt.number, Attempt.lease_token_hash).in_(mine))
        .where(Attempt.ended_at.is_(None))
        .values(lease_until=database_now(lease), heartbeat_at=database_now())
        .returning(
            Attempt.job_id,
            Attempt.number,
            Attempt.lease_until,
            job.with_only_columns(Job.state).scalar_subquery().label("state"),
            job.with_only_columns(Job.cancel_requested_at).scalar_subquery().label("cancel"),
        )
    )
    if active:
        beat = beat.values(silent_by=database_now(Attempt.silence_limit))
    rows = await tx.execute(beat, execution_options={"synchronize_session": False})
    return [
        LeaseExtension(
            row.job_id, row.number, row.lease_until, row.cancel is not None, row.state == JobState.PARKED
        )
        for row in rows
    ]


async def heartbeat(
    tx: Transaction, ticket: Ticket, *, active: bool = False, lease: float = DEFAULT_LEASE_SECONDS
) -> LeaseExtension:
    """Extend one lease."""
    beats = await heartbeats(tx, [ticket], active=active, lease=lease)
    if not beats:
        raise JobLeaseLost(ticket.id, ticket.attempt)
    return beats[0]


async def complete(
    tx: Transaction, ticket: Ticket, *, exit_code: int | None = None, metrics: dict[str, Any] | None = None
) -> Transition:
    """The work is done. Also a job that was asked to stop may still be finished."""
    job, attempt, at = await lock_leased_job(tx, ticket)
    attempt.exit_code, attempt.metrics = exit_code, metrics
    return await _settle(tx, job, attempt, state_machine.completed(job, attempt, at))


async def fail(
    tx: Transaction,
    ticket: Ticket,
    *,
    code: str,
    reason: str | None = None,
    retryable: bool = False,
    exit_code: int | None = None,
    metrics: dict[str, Any] | None = None,
) -> Transition:
    """The attempt failed. If a retry may help and attempts are left it is tried again, later; else it is DEAD."""
    job, attempt, at = await lock_leased_job(tx, ticket)
    attempt.exit_code, attempt.metrics = exit_code, metrics
    return await _settle(
        tx, job, attempt, state_machine.failed(job, attempt, at, code, reason, retryable=retryable)
    )


async def release(tx: Transaction, ticket: Ticket) -> Transition:
    """Give the attempt back, as a worker does that is told to stop. No failure is counted."""
    job, attempt, at = await lock_leased_job(tx, ticket)
    return await _settle(tx, job, attempt, state_machine.released(job, attempt, at))


async def confirm_cancelled(tx: Transaction, ticket: Ticket) -> Transition:
    """Confirm a cancel. Errors: NotAsked, if nobody asked for one."""
    job, attempt, at = await lock_leased_job(tx, ticket)
    if not job.cancel_requested_at:
        raise NotAsked(f"Nobody asked to cancel {job.id}")
    return await _settle(tx, job, attempt, state_machine.stopped(job, attempt, at))


async def suspend(tx: Transaction, ticket: Ticket, *, waits_for: str, keep: bool = True) -> Transition:
    """Wait for something: with the worker, its lease and its slots (`keep`), or without."""
    job, attempt, at = await lock_leased_job(tx, ticket)
    return await _settle(tx, job, attempt, state_machine.suspended(job, attempt, at, waits_for, keep=keep))


async def lock_leased_job(tx: Transaction, ticket: Ticket) -> tuple[Job, Attempt, datetime]:
    """Lock what a ticket holds, and its places. The only way to a held job for a worker.

    What is answered are copies: `_settle` writes them.
    Errors: LeaseLost.
    """
    asked = {"id": ticket.id, "number": ticket.attempt, "hash": hash_token(ticket.token)}
    if caps.is_postgres(tx):
        rows: Sequence[Any] = await _straight(LOCKED.format(reach=REACH)).rows(tx, asked)
    else:
        rows = (await tx.execute(_reaching(REACH), asked)).all()
    if not rows:
        raise JobLeaseLost(ticket.id, ticket.attempt)
    at, *values = rows[0]
    job, attempt = Job(), Attempt()
    for one, columns in ((job, JOB_COLUMNS), (attempt, ATTEMPT_COLUMNS)):
        one.__dict__.update(zip(columns, values[: len(columns)], strict=True))
        del values[: len(columns)]
    job.state = JobState(job.state)
    return job, attempt, at


async def _settle(tx: Transaction, job: Job, attempt: Attempt, transition: Transition) -> Transition:
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
    notify_transitions(tx, transition, freed=freed)
    return transition


# What is not read here: neither the law nor anybody who reaches a job asks for it.
UNREAD = {"capabilities", "caps", "metrics"}
JOB_COLUMNS = {column.key: column.type for column in Job.__table__.c if column.key not in UNREAD}
ATTEMPT_COLUMNS = {column.key: column.type for column in Attempt.__table__.c if column.key not in UNREAD}
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
        *(f"job.{name} AS job_{name}" for name in JOB_COLUMNS),
        *(f"attempt.{name} AS attempt_{name}" for name in ATTEMPT_COLUMNS),
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
    **{f"job_{name}": JOB_COLUMNS[name] for name in JOB_CHANGES},
    **{f"attempt_{name}": ATTEMPT_COLUMNS.get(name, JSON(none_as_null=True)) for name in ATTEMPT_CHANGES},
}


def _typed(kind: Any) -> str:
    """What PostgreSQL calls a type."""
    return str(kind.dialect_impl(POSTGRESQL).compile(POSTGRESQL))


NAMES = {name: _typed(kind) for name, kind in TYPES.items()} | {"attempt_metrics": "jsonb"}
NAMES |= {"id": "varchar", "number": "integer", "hash": "varchar", "held": "boolean"}


@lru_cache(maxsize=8)
def _straight(statement: str) -> RawStatement:
    return RawStatement(statement, NAMES)


@lru_cache(maxsize=8)
def _reaching(reach: str) -> Any:
    types = {f"job_{name}": kind for name, kind in JOB_COLUMNS.items()}
    types |= {f"attempt_{name}": kind for name, kind in ATTEMPT_COLUMNS.items()}
    return text(UNLOCKED.format(reach=reach)).columns(at=UtcDateTime(), **types)


@lru_cache(maxsize=8)
def _settling(statement: str) -> TextClause:
    named = set(re.findall(r":(\w+)", statement)) & TYPES.keys()
    return text(statement).bindparams(*(bindparam(name, type_=TYPES[name]) for name in named))
