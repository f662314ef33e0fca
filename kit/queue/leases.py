"""Reports of a worker about a job it holds. All are accepted only while the lease is held; else JobLeaseLost.

An expired lease is held until a sweep ends it: until then no other worker has the job.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, TextClause, bindparam, select, text, tuple_, update
from sqlalchemy.dialects import postgresql

from kit.db.clock import database_now
from kit.db.database import UtcDateTime
from kit.db.raw_statement import RawStatement
from kit.db.transaction import Transaction
from kit.queue import caps, state_machine
from kit.queue.claims import DEFAULT_LEASE_SECONDS, Ticket, hash_token
from kit.queue.errors import JobLeaseLost, NotAsked
from kit.queue.notifications import notify_transitions
from kit.queue.sql import load_sql
from kit.queue.state_machine import Transition
from kit.queue.tables import Attempt, Job, JobState

POSTGRESQL: Any = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class LeaseExtension:
    """The result of a heartbeat: the end of the lease, and the orders for the worker."""

    id: str
    attempt: int
    until: datetime
    cancel: bool  # stop, then confirm with `confirm_cancelled`
    parked: bool  # still waiting


async def heartbeats(
    tx: Transaction, tickets: Sequence[Ticket], *, active: bool = False, lease: float = DEFAULT_LEASE_SECONDS
) -> list[LeaseExtension]:
    """Extend leases by `lease` seconds, in one statement. Leases that are absent from the result are lost.

    `active` means that the work advanced, which ends its silence; the heartbeat alone does not.
    """
    job = select(Job.state, Job.cancel_requested_at).where(Job.id == Attempt.job_id)
    held = [(ticket.id, ticket.attempt, hash_token(ticket.token)) for ticket in tickets]
    beat = (
        update(Attempt)
        .where(tuple_(Attempt.job_id, Attempt.number, Attempt.lease_token_hash).in_(held))
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
    """Extend one lease. Raises JobLeaseLost."""
    beats = await heartbeats(tx, [ticket], active=active, lease=lease)
    if not beats:
        raise JobLeaseLost(ticket.id, ticket.attempt)
    return beats[0]


async def complete(
    tx: Transaction, ticket: Ticket, *, exit_code: int | None = None, metrics: dict[str, Any] | None = None
) -> Transition:
    """Complete a job, also one whose cancellation was requested. Raises JobLeaseLost."""
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
    retry_in: float | None = None,
    exit_code: int | None = None,
    metrics: dict[str, Any] | None = None,
) -> Transition:
    """Fail an attempt. The job is READY again after a delay if it is retryable and has attempts left, else DEAD.

    `retry_in` replaces the queue's delay, in seconds.
    Raises JobLeaseLost.
    """
    job, attempt, at = await lock_leased_job(tx, ticket)
    attempt.exit_code, attempt.metrics = exit_code, metrics
    transition = state_machine.failed(job, attempt, at, code, reason, retryable=retryable, retry_in=retry_in)
    return await _settle(tx, job, attempt, transition)


async def release(tx: Transaction, ticket: Ticket) -> Transition:
    """Give an attempt back. This counts as no failure. Raises JobLeaseLost."""
    job, attempt, at = await lock_leased_job(tx, ticket)
    return await _settle(tx, job, attempt, state_machine.released(job, attempt, at))


async def confirm_cancelled(tx: Transaction, ticket: Ticket) -> Transition:
    """Confirm a cancellation. Raises JobLeaseLost, NotAsked if none was requested."""
    job, attempt, at = await lock_leased_job(tx, ticket)
    if not job.cancel_requested_at:
        raise NotAsked(f"Nobody asked to cancel {job.id}")
    return await _settle(tx, job, attempt, state_machine.stopped(job, attempt, at))


async def suspend(tx: Transaction, ticket: Ticket, *, waits_for: str, keep: bool = True) -> Transition:
    """Park a job: with its worker, lease and slots (`keep`), or without. Raises JobLeaseLost."""
    job, attempt, at = await lock_leased_job(tx, ticket)
    return await _settle(tx, job, attempt, state_machine.suspended(job, attempt, at, waits_for, keep=keep))


async def lock_leased_job(tx: Transaction, ticket: Ticket) -> tuple[Job, Attempt, datetime]:
    """Lock the job, the attempt and the slots of a ticket. Every report of a worker begins here.

    Returns copies, which `_settle` stores, and the database's time. Raises JobLeaseLost.
    """
    values: dict[str, Any] = {"id": ticket.id, "number": ticket.attempt, "hash": hash_token(ticket.token)}
    if caps.is_postgres(tx):
        rows: Sequence[Any] = await _lock_postgresql(LOCK_POSTGRESQL).rows(tx, values)
    else:
        rows = (await tx.execute(_lock_sqlite(LOCK_SQLITE), values)).all()
    if not rows:
        raise JobLeaseLost(ticket.id, ticket.attempt)
    at, *cells = rows[0]
    job, attempt = Job(), Attempt()
    job.__dict__.update(zip(JOB_COLUMNS, cells[: len(JOB_COLUMNS)], strict=True))
    attempt.__dict__.update(zip(ATTEMPT_COLUMNS, cells[len(JOB_COLUMNS) :], strict=True))
    job.state = JobState(job.state)
    return job, attempt, at


async def _settle(tx: Transaction, job: Job, attempt: Attempt, transition: Transition) -> Transition:
    """Store a job and its attempt after a transition, and free its slots if it is no longer held."""
    values: dict[str, Any] = {f"job_{name}": getattr(job, name) for name in JOB_CHANGES}
    values |= {f"attempt_{name}": getattr(attempt, name) for name in ATTEMPT_CHANGES}
    values |= {"id": job.id, "number": attempt.number}
    if caps.is_postgres(tx):
        values["attempt_metrics"] = None if attempt.metrics is None else json.dumps(attempt.metrics)
        places = await _settle_postgresql(SETTLE).rows(tx, values | {"held": transition.held})
        freed = await caps.freed(tx, places, are_alone=not any(place["has_heir"] for place in places))
    else:
        for query in SETTLE_SQLITE:
            await tx.execute(query, values)
        freed = not transition.held and await caps.free(tx, [transition.id])
    notify_transitions(tx, transition, freed=freed)
    return transition


UNREAD = {"capabilities", "caps", "metrics"}  # columns that neither the state machine nor its callers read
JOB_COLUMNS = {column.key: column.type for column in Job.__table__.c if column.key not in UNREAD}
ATTEMPT_COLUMNS = {column.key: column.type for column in Attempt.__table__.c if column.key not in UNREAD}
# The columns that a transition changes.
JOB_CHANGES: tuple[str, ...] = (
    *("state", "held", "available_at", "expires_at", "ended_at", "failures", "losses"),
    *("parked_at", "parked_for", "code", "reason"),
)
ATTEMPT_CHANGES = ("ended_at", "outcome", "exit_code", "metrics", "code", "reason", "limit_by", "silent_by")
LOCK_POSTGRESQL = load_sql("lock_leased.postgresql")
LOCK_SQLITE = load_sql("lock_leased.sqlite")
SETTLE = load_sql("settle.postgresql")
COLUMNS = ", ".join(
    [
        *(f"job.{name} AS job_{name}" for name in JOB_COLUMNS),
        *(f"attempt.{name} AS attempt_{name}" for name in ATTEMPT_COLUMNS),
    ]
)
TYPES: dict[str, Any] = {
    **{f"job_{name}": JOB_COLUMNS[name] for name in JOB_CHANGES},
    **{f"attempt_{name}": ATTEMPT_COLUMNS.get(name, JSON(none_as_null=True)) for name in ATTEMPT_CHANGES},
}


def _postgres_type(type_: Any) -> str:
    return str(type_.dialect_impl(POSTGRESQL).compile(POSTGRESQL))


POSTGRES_TYPES = {name: _postgres_type(type_) for name, type_ in TYPES.items()}
POSTGRES_TYPES |= {"attempt_metrics": "jsonb", "id": "varchar", "number": "integer"}
POSTGRES_TYPES |= {"hash": "varchar", "held": "boolean"}


@lru_cache(maxsize=8)
def _lock_postgresql(statement: str) -> RawStatement:
    return RawStatement(statement.format(columns=COLUMNS), POSTGRES_TYPES)


@lru_cache(maxsize=8)
def _lock_sqlite(statement: str) -> Any:
    types = {f"job_{name}": type_ for name, type_ in JOB_COLUMNS.items()}
    types |= {f"attempt_{name}": type_ for name, type_ in ATTEMPT_COLUMNS.items()}
    return text(statement.format(columns=COLUMNS)).columns(at=UtcDateTime(), **types)


def _assignments(table: str, names: Sequence[str]) -> str:
    return ", ".join(f"{name} = :{table}_{name}" for name in names)


@lru_cache(maxsize=8)
def _settle_postgresql(statement: str) -> RawStatement:
    job, attempt = _assignments("job", JOB_CHANGES), _assignments("attempt", ATTEMPT_CHANGES)
    return RawStatement(statement.format(job=job, attempt=attempt), POSTGRES_TYPES)


def _update(table: str, names: Sequence[str], where: str) -> TextClause:
    query = text(f"UPDATE {table} SET {_assignments(table, names)} WHERE {where}")  # noqa: S608 - our own names
    columns = [f"{table}_{name}" for name in names]
    return query.bindparams(*(bindparam(name, type_=TYPES[name]) for name in columns))


SETTLE_SQLITE = (
    _update("job", JOB_CHANGES, "id = :id"),
    _update("attempt", ATTEMPT_CHANGES, "job_id = :id AND number = :number"),
)
