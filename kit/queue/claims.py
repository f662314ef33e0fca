"""Claims of jobs: each job goes to exactly one worker, the most urgent first, then the oldest.

Jobs that differ only in their age share a lane. A claim reads the first job of each lane, with one index seek a
lane, and never the rest. It therefore takes as long with 200,000 waiting jobs as with a thousand, also if the
worker may not have any of the jobs in front.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    String,
    TextClause,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from kit.db.clock import database_now
from kit.db.database import Json, UtcDateTime
from kit.db.raw_statement import RawStatement
from kit.db.transaction import Transaction
from kit.queue import caps
from kit.queue.enqueue import worker_cap
from kit.queue.sql import load_sql
from kit.queue.state_machine import Cause, Transition
from kit.queue.tables import Attempt, Job, JobState

DEFAULT_LEASE_SECONDS = 30.0  # longest silence of a worker, which sends three heartbeats in that time
MAX_CANDIDATES = 8  # lanes read at once: the number of concurrent claims that may precede this one
MAX_TRIES = 3  # reads, if other claims took all candidates

CLAIM = load_sql("claim.postgresql")
CANDIDATES_POSTGRESQL = load_sql("candidates.postgresql")
CANDIDATES_SQLITE = load_sql("candidates.sqlite")
LOCK_CAPS = load_sql("lock_caps.postgresql")
CLAIM_TYPES = {
    **dict.fromkeys(("tenant", "lane", "before_id", "worker", "claim", "mine"), "varchar"),
    **dict.fromkeys(("caps", "nonces", "hashes"), "varchar[]"),
    **dict.fromkeys(("capabilities", "kind", "scope", "executor"), "varchar[]"),
    **dict.fromkeys(("most", "start"), "integer"),
    "lease": "float",
    "before": "timestamptz",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFilter:
    """The jobs that a worker accepts. None is no restriction."""

    tenant: str
    kinds: Sequence[str] | None = None
    executors: Sequence[str] | None = None
    capabilities: Sequence[str] = ()
    scopes: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """Proof of a lease: the job, the fencing token and the secret."""

    id: str
    attempt: int
    token: str


@dataclass(frozen=True, slots=True)
class Lease(Ticket):
    """A claimed job. Its token is returned here only; the database stores the hash."""

    kind: str
    tenant: str
    scope: str | None
    executor: str | None
    worker_id: str
    until: datetime
    failures: int
    losses: int
    transition: Transition | None  # None for a repeated claim, whose event exists


class Candidate(NamedTuple):
    """A job that could be claimed now, the first of its lane."""

    id: str
    lane: str
    scope: str | None
    caps: list[str]


class ClaimedRow(NamedTuple):
    """The columns that a claim returns of a job."""

    id: str
    kind: str
    tenant: str
    scope: str | None
    executor: str | None
    failures: int
    losses: int
    attempt: int
    available_at: datetime
    place: int
    at: datetime


async def claim(
    tx: Transaction,
    worker_id: str,
    filter: ClaimFilter,
    *,
    most: int = 1,
    key: str | None = None,
    lease: float = DEFAULT_LEASE_SECONDS,
) -> list[Lease]:
    """Claim up to `most` jobs for a worker: highest priority first, then oldest. Each is leased `lease` seconds.

    A claim repeated with its key, because its answer was lost, returns the same leases and tokens, those that are
    still held. On PostgreSQL, rows that other claims lock are skipped: the result may be empty although such a
    claim is rolled back a moment later. Source: FOR UPDATE SKIP LOCKED, as in procrastinate.
    """
    leases: list[Lease] = []
    is_exhausted = False
    if caps.is_postgres(tx):
        is_exhausted = await _claim_from_lanes(tx, worker_id, filter, most, key, lease, leases)
    if not leases and key is not None and (repeated := await _repeat(tx, worker_id, key)) is not None:
        return repeated
    while not is_exhausted and len(leases) < most:
        claimed = await _claim_one(tx, worker_id, filter, key, len(leases), lease)
        if claimed is None:
            break
        leases.append(claimed)
    return leases


async def peek(tx: Transaction, filter: ClaimFilter, most: int = MAX_CANDIDATES) -> list[Candidate]:
    """Return the jobs that a claim would take first, one of each lane, without a lock.

    For callers that lock rows of their own before the queue's: peek, lock what belongs to `scope`, then claim
    within that scope.
    """
    rows = await tx.execute(*_select_candidates(filter, most, is_postgres=caps.is_postgres(tx)))
    return [Candidate(*row[:4]) for row in rows]


async def _claim_from_lanes(
    tx: Transaction,
    worker_id: str,
    filter: ClaimFilter,
    most: int,
    key: str | None,
    lease: float,
    leases: list[Lease],
) -> bool:
    """Claim on PostgreSQL: two statements take as many jobs of the first lane as possible. Adds to `leases`.

    Returns whether there is nothing left. If not, there may be jobs that `leases` lacks: another claim holds a
    slot or a lane, or the key is known.
    """
    while len(leases) < most:
        statement, values = _lock_caps(filter, worker_cap(worker_id))
        heads = await statement.rows(tx, values)
        if not heads:
            return True
        start = len(leases)
        nonces = [secrets.token_hex(16) for _ in range(most - start)]
        tokens = [_token(key or secrets.token_hex(16), nonce) for nonce in nonces]
        rival = heads[1] if len(heads) > 1 and heads[1]["priority"] == heads[0]["priority"] else None
        values = {
            "tenant": filter.tenant,
            "lane": heads[0]["lane"],
            "caps": [worker_cap(worker_id), *heads[0]["caps"]],
            "most": most - start,
            "before": rival["available_at"] if rival else None,
            "before_id": rival["id"] if rival else None,
            "worker": worker_id,
            "claim": None if key is None else _claim_hash(worker_id, key),
            "start": start,
            "lease": lease,
            "nonces": nonces,
            "hashes": [hash_token(token) for token in tokens],
        }
        jobs = [ClaimedRow(*row) for row in await _raw(CLAIM).rows(tx, values)]
        if not jobs:
            return False
        for job in jobs:
            until = job.at + timedelta(seconds=lease)
            transition = _claimed(job, worker_id, job.at)
            leases.append(_lease(job, job.attempt, tokens[job.place - 1], worker_id, until, transition))
    return True


async def _claim_one(
    tx: Transaction, worker_id: str, filter: ClaimFilter, key: str | None, place: int, lease: float
) -> Lease | None:
    own_cap = worker_cap(worker_id)
    for _ in range(MAX_TRIES):
        candidates = await peek(tx, filter)
        for candidate in candidates:
            at, places, full = await caps.reserve(tx, [own_cap, *candidate.caps])
            if own_cap in full:
                return None
            if places is not None and (job := await _take(tx, filter.tenant, candidate.lane)):
                await caps.occupy(tx, places, job.id)
                return await _open(tx, job, worker_id, at, key, place, lease)
        if not candidates:
            return None
    return None


async def _take(tx: Transaction, tenant: str, lane: str) -> Row[Any] | None:
    """Lease the first job of a lane that no other claim holds."""
    first = (
        select(Job.id)
        .where(_is_ready(), Job.tenant == tenant, Job.lane == lane, Job.available_at <= database_now())
        .order_by(Job.available_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = Job.__table__
    leased = (
        update(job)  # type: ignore[arg-type]
        .where(job.c.id == first.scalar_subquery())
        .values(
            state=JobState.LEASED,
            held=True,
            attempt=job.c.attempt + 1,
            expires_at=None,
            # Set by the first claim; NULL without such a limit.
            deadline_at=func.coalesce(job.c.deadline_at, database_now(job.c.whole_limit)),
        )
        .returning(*job.c)
    )
    return (await tx.execute(leased)).one_or_none()


async def _open(
    tx: Transaction, job: Row[Any], worker_id: str, at: datetime, key: str | None, place: int, lease: float
) -> Lease:
    nonce = secrets.token_hex(16)
    token = _token(key or secrets.token_hex(16), nonce)
    until = at + timedelta(seconds=lease)
    attempt = {
        "job_id": job.id,
        "number": job.attempt,
        "worker_id": worker_id,
        "lease_token_hash": hash_token(token),
        "lease_nonce": nonce,
        "claim_hash": _claim_hash(worker_id, key) if key is not None else None,
        "claim_place": place if key is not None else None,
        "lease_until": until,
        "heartbeat_at": at,
        "silence_limit": job.silence_limit,
        "silent_by": _after(at, job.silence_limit),
        "limit_by": _after(at, job.attempt_limit),
        "started_at": at,
    }
    await tx.execute(insert(Attempt.__table__).values(attempt))  # type: ignore[arg-type]
    return _lease(job, job.attempt, token, worker_id, until, _claimed(job, worker_id, at))


def _claimed(job: Any, worker_id: str, at: datetime) -> Transition:
    return Transition(
        id=job.id,
        kind=job.kind,
        tenant=job.tenant,
        scope=job.scope,
        cause=Cause.CLAIMED,
        was=JobState.READY,
        now=JobState.LEASED,
        held=True,
        attempt=job.attempt,
        worker_id=worker_id,
        at=at,
        available_at=job.available_at,
    )


async def _repeat(tx: Transaction, worker_id: str, key: str) -> list[Lease] | None:
    """Return the leases of the first claim with this key; None if there was none."""
    query = (
        select(
            Job.__table__,
            Attempt.number,
            Attempt.lease_nonce,
            Attempt.lease_until,
            Attempt.ended_at.label("attempt_ended_at"),
        )
        .join(Attempt, Attempt.job_id == Job.id)
        .where(Attempt.claim_hash == _claim_hash(worker_id, key))
        .order_by(Attempt.claim_place)
    )
    rows = (await tx.execute(query)).all()
    if not rows:
        return None
    return [
        _lease(row, row.number, _token(key, row.lease_nonce), worker_id, row.lease_until, None)
        for row in rows
        if row.attempt_ended_at is None
    ]


def _lease(
    job: Any, number: int, token: str, worker_id: str, until: datetime, transition: Transition | None
) -> Lease:
    return Lease(
        id=job.id,
        attempt=number,
        token=token,
        kind=job.kind,
        tenant=job.tenant,
        scope=job.scope,
        executor=job.executor,
        worker_id=worker_id,
        until=until,
        failures=job.failures,
        losses=job.losses,
        transition=transition,
    )


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _token(key: str, nonce: str) -> str:
    """Derive a token from the worker's key and our nonce: repeatable, but not from the database alone."""
    digest = hashlib.sha256(f"{nonce}:{key}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _claim_hash(worker_id: str, key: str) -> str:
    return hashlib.sha256(f"{worker_id}:{key}".encode()).hexdigest()


def _after(at: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else at + timedelta(seconds=seconds)


def _is_ready() -> ColumnElement[bool]:
    """Compare with a literal: a parameter would keep the database from its partial index."""
    return Job.state == literal_column("'READY'")


@lru_cache(maxsize=8)
def _raw(statement: str) -> RawStatement:
    return RawStatement(statement, CLAIM_TYPES)


def _lock_caps(filter: ClaimFilter, own_cap: str) -> tuple[RawStatement, dict[str, Any]]:
    restrictions, values = _restrictions(filter)
    query = _lock_caps_statement(restrictions, LOCK_CAPS, CANDIDATES_POSTGRESQL)
    return query, {**values, "tenant": filter.tenant, "most": MAX_CANDIDATES, "mine": own_cap}


@lru_cache(maxsize=64)
def _lock_caps_statement(restrictions: str, statement: str, candidates: str) -> RawStatement:
    statement = statement.format(candidates=candidates.format(restrictions=restrictions))
    statement = re.sub(r"NOT IN (:\w+)", r"<> ALL (\1)", statement)  # the driver takes arrays, not lists
    return RawStatement(re.sub(r"\bIN (:\w+)", r"= ANY (\1)", statement), CLAIM_TYPES)


def _select_candidates(
    filter: ClaimFilter, most: int, *, is_postgres: bool
) -> tuple[TextClause, dict[str, Any]]:
    restrictions, values = _restrictions(filter)
    statement = CANDIDATES_POSTGRESQL if is_postgres else CANDIDATES_SQLITE
    query = _candidates_query(restrictions, tuple(values), statement)
    return query, {**values, "tenant": filter.tenant, "most": most}


@lru_cache(maxsize=64)
def _candidates_query(restrictions: str, lists: tuple[str, ...], statement: str) -> TextClause:
    query = text(statement.format(restrictions=restrictions))
    query = query.bindparams(*(bindparam(name, type_=String(), expanding=True) for name in lists))
    return query.columns(caps=Json, available_at=UtcDateTime())  # type: ignore[return-value]


def _restrictions(filter: ClaimFilter) -> tuple[str, dict[str, Any]]:
    """Return the conditions of a filter as SQL, and their lists by parameter."""
    values: dict[str, Any] = {"capabilities": list(filter.capabilities)}
    restrictions = ""
    for column, wanted in (("kind", filter.kinds), ("scope", filter.scopes)):
        if wanted is not None:
            restrictions += f" AND {column} IN :{column}"
            values[column] = list(wanted)
    if filter.executors is not None:
        restrictions += " AND (executor IS NULL OR executor IN :executor)"
        values["executor"] = list(filter.executors)
    return restrictions, values
