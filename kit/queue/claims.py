"""How a worker gets work: exactly one gets each job, the most urgent and oldest that it may have.

Jobs that differ only in their age share a lane. A claim looks at the first job of each lane, by one seek in
an index for each lane, and never at the rest; so it takes as long with 200,000 jobs waiting as with a
thousand, also when all of those in front are ones this worker cannot have.
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

from kit.db.clock import POSTGRES, SQLITE, database_now
from kit.db.database import Json, UtcDateTime
from kit.db.raw_statement import RawStatement
from kit.db.transaction import Transaction
from kit.queue import caps
from kit.queue.enqueue import worker_cap
from kit.queue.state_machine import Cause, Transition
from kit.queue.tables import Attempt, Job, JobState

DEFAULT_LEASE_SECONDS = 30.0  # seconds a worker may be silent; it beats three times as often
MAX_CANDIDATES = 8  # candidates at a look: how many other claims may be ahead of this one
MAX_TRIES = 3  # looks, if all of them went to others meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFilter:
    """What a worker can do. None is no restriction."""

    tenant: str
    kinds: Sequence[str] | None = None
    executors: Sequence[str] | None = None
    capabilities: Sequence[str] = ()
    scopes: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a worker shows with everything it says about a job: the job, the fence, the secret."""

    id: str
    attempt: int
    token: str


@dataclass(frozen=True, slots=True)
class Lease(Ticket):
    """A job that was claimed. The token is told here only; the database has its hash."""

    kind: str
    tenant: str
    scope: str | None
    executor: str | None
    worker_id: str
    until: datetime
    failures: int
    losses: int
    transition: Transition | None  # None if this claim was answered before: its event is written


class Candidate(NamedTuple):
    """A job that could be claimed now, first of its lane."""

    id: str
    lane: str
    scope: str | None
    caps: list[str]


class ClaimedRow(NamedTuple):
    """What a claim answers of a job."""

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
    wanted: ClaimFilter,
    *,
    most: int = 1,
    key: str | None = None,
    lease: float = DEFAULT_LEASE_SECONDS,
) -> list[Lease]:
    """Claim up to `most` jobs for a worker: highest priority first, then oldest.

    Key:    a claim repeated with the same key, because its answer was lost, gets the same leases with the
            same tokens, those that are still held. Use another key for the next claim.
    Units:  `lease` in seconds, on the database's clock.
    Fewer:  on PostgreSQL, rows that other claims lock are skipped, so that "nothing" may be said although
            such a claim is rolled back a moment later.
    """
    got: list[Lease] = []
    is_all = caps.is_postgres(tx) and await _claim_at_once(tx, worker_id, wanted, most, key, lease, got)
    if not got and key is not None and (again := await _again(tx, worker_id, key)) is not None:
        return again
    while (
        not is_all
        and len(got) < most
        and (one := await _claim_one(tx, worker_id, wanted, key, len(got), lease))
    ):
        got.append(one)
    return got


async def peek(tx: Transaction, wanted: ClaimFilter, most: int = MAX_CANDIDATES) -> list[Candidate]:
    """What a claim would take first, one of each lane, without locking anything.

    For callers that lock rows of their own before the queue's: look, lock what belongs to `scope`, then
    claim within that scope.
    """
    rows = await tx.execute(*_look(wanted, most, is_postgres=caps.is_postgres(tx)))
    return [Candidate(*row[:4]) for row in rows]


async def _claim_at_once(
    tx: Transaction,
    worker_id: str,
    wanted: ClaimFilter,
    most: int,
    key: str | None,
    lease: float,
    got: list[Lease],
) -> bool:
    """Claim as PostgreSQL can: two statements for all that is to be had of the first lane.

    Returns whether there is no more. If not, something may be there that `got` does not have: a place or a lane
    is another's just now, or the key is known. That is for others to find out.
    """
    while len(got) < most:
        reach, looked = _reaching(wanted, worker_cap(worker_id))
        heads = await reach.rows(tx, looked)
        if not heads:
            return True
        start = len(got)
        nonces = [secrets.token_hex(16) for _ in range(most - start)]
        tokens = [_token(key or secrets.token_hex(16), nonce) for nonce in nonces]
        rival = heads[1] if len(heads) > 1 and heads[1]["priority"] == heads[0]["priority"] else None
        asked = {
            "tenant": wanted.tenant,
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
        jobs = [ClaimedRow(*row) for row in await _claiming(CLAIM).rows(tx, asked)]
        if not jobs:
            return False
        for job in jobs:
            until = job.at + timedelta(seconds=lease)
            change = _claimed(job, worker_id, job.at)
            got.append(_lease(job, job.attempt, tokens[job.place - 1], worker_id, until, change))
    return True


async def _claim_one(
    tx: Transaction, worker_id: str, wanted: ClaimFilter, key: str | None, place: int, lease: float
) -> Lease | None:
    mine = worker_cap(worker_id)
    for _ in range(MAX_TRIES):
        candidates = await peek(tx, wanted)
        for candidate in candidates:
            at, places, full = await caps.reserve(tx, [mine, *candidate.caps])
            if mine in full:
                return None
            if places is not None and (job := await _take(tx, wanted.tenant, candidate.lane)):
                await caps.occupy(tx, places, job.id)
                return await _open(tx, job, worker_id, at, key, place, lease)
        if not candidates:
            return None
    return None


async def _take(tx: Transaction, tenant: str, lane: str) -> Row[Any] | None:
    """Lease the first job of a lane that nobody else is taking."""
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
            # The whole is timed from the first claim; NULL without such a limit.
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


async def _again(tx: Transaction, worker_id: str, key: str) -> list[Lease] | None:
    """The leases that this key got before, if it got any."""
    query = (
        select(
            Job.__table__,
            Attempt.number,
            Attempt.lease_nonce,
            Attempt.lease_until,
            Attempt.ended_at.label("over"),
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
        if row.over is None
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
    """The worker's key and our nonce make the token: it can be told again, but not from the database alone."""
    digest = hashlib.sha256(f"{nonce}:{key}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _claim_hash(worker_id: str, key: str) -> str:
    return hashlib.sha256(f"{worker_id}:{key}".encode()).hexdigest()


def _after(at: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else at + timedelta(seconds=seconds)


def _is_ready() -> Any:
    """A literal, not a parameter: only so is the partial index used."""
    return Job.state == literal_column("'READY'")


COLUMNS = "id, lane, scope, caps, kind, executor, capabilities, priority, available_at"
HEAD = """SELECT {columns} FROM job {by} WHERE state = 'READY' AND tenant = :tenant {beyond}
          ORDER BY lane, available_at, id LIMIT 1"""

# From each lane to the next: a loose index scan. The databases agree on everything but how to join to a LIMIT.
NEXT = {
    True: "SELECT next.* FROM head CROSS JOIN LATERAL ({head}) AS next",
    False: "SELECT {qualified} FROM head JOIN job AS next ON next.id = ({head})",
}
# SQLite, once it has counted a table with one tenant, would rather sort all of it.
BY = {True: "", False: "INDEXED BY ix_job_lane"}
EACH = {True: "jsonb_array_elements_text", False: "json_each"}
LOOKING = """
WITH RECURSIVE head({columns}) AS (
    SELECT * FROM ({first}) AS first
    UNION ALL
    {next}
)
SELECT id, lane, scope, caps, priority, available_at FROM head
WHERE available_at <= {now} {restrictions}
AND NOT EXISTS (SELECT 1 FROM {each}(head.capabilities) AS needed WHERE needed.value NOT IN :capabilities)
AND NOT EXISTS (
    SELECT 1 FROM {each}(head.caps) AS counted JOIN cap ON cap.name = counted.value
    WHERE NOT EXISTS (
        SELECT 1 FROM slot WHERE slot.cap = cap.name AND slot.job_id IS NULL AND NOT slot.surplus
    )
)
ORDER BY priority DESC, available_at, id LIMIT :most
"""


# Locks the caps of the first job against changes, in a statement before the one that looks at their places.
REACHING = """
WITH found AS MATERIALIZED (SELECT row_number() OVER () AS rank, looked.* FROM ({looking}) AS looked)
SELECT id, lane, caps, priority, available_at, CASE WHEN rank = 1 THEN (
    SELECT count(pg_advisory_xact_lock_shared(hashtextextended(name, 0))) FROM (
        SELECT jsonb_array_elements_text(caps) AS name UNION SELECT :mine ORDER BY name
    ) AS names
) END AS locked FROM found ORDER BY rank
"""

# Claims the first jobs of a lane, as many as each cap has places for. What others lock is skipped.
CLAIM = f"""
WITH place AS MATERIALIZED (
    SELECT cap.name, free.n, row_number() OVER (PARTITION BY cap.name ORDER BY free.n) AS k
    FROM cap LEFT JOIN LATERAL (
        SELECT n FROM slot WHERE slot.cap = cap.name AND slot.job_id IS NULL AND NOT slot.surplus
        ORDER BY n LIMIT :most FOR UPDATE SKIP LOCKED
    ) AS free ON true
    WHERE cap.name = ANY (:caps)
), room AS MATERIALIZED (
    SELECT LEAST(:most, min(places)) AS n FROM (SELECT count(n) AS places FROM place GROUP BY name) AS each
), first AS MATERIALIZED (
    SELECT id, available_at FROM job
    WHERE state = 'READY' AND tenant = :tenant AND lane = :lane AND available_at <= {POSTGRES}
        AND (:before IS NULL OR (available_at, id) < (:before, :before_id))
        AND NOT EXISTS (SELECT FROM attempt WHERE claim_hash = :claim AND :start = 0)
    ORDER BY available_at, id LIMIT (SELECT n FROM room) FOR UPDATE SKIP LOCKED
), chosen AS (
    SELECT id, row_number() OVER (ORDER BY available_at, id) AS k FROM first
), taken AS (
    UPDATE job SET state = 'LEASED', held = true, attempt = attempt + 1, expires_at = NULL,
        deadline_at = COALESCE(deadline_at, {POSTGRES} + make_interval(secs => whole_limit))
    FROM chosen WHERE job.id = chosen.id
    RETURNING job.*, chosen.k AS place
), occupied AS (
    UPDATE slot SET job_id = taken.id FROM place, taken
    WHERE slot.cap = place.name AND slot.n = place.n AND place.k = taken.place
), opened AS (
    INSERT INTO attempt (job_id, number, worker_id, lease_token_hash, lease_nonce, claim_hash, claim_place,
        lease_until, heartbeat_at, silence_limit, silent_by, limit_by, started_at)
    SELECT id, attempt, :worker, (:hashes)[place], (:nonces)[place], :claim,
        CASE WHEN :claim IS NOT NULL THEN :start + place - 1 END, {POSTGRES} + make_interval(secs => :lease),
        {POSTGRES}, silence_limit, {POSTGRES} + make_interval(secs => silence_limit),
        {POSTGRES} + make_interval(secs => attempt_limit), {POSTGRES}
    FROM taken
)
SELECT id, kind, tenant, scope, executor, failures, losses, attempt, available_at, place, {POSTGRES} AS at
FROM taken ORDER BY place
"""  # noqa: S608 - our own text
CLAIM_TYPES = {
    **dict.fromkeys(("tenant", "lane", "before_id", "worker", "claim", "mine"), "varchar"),
    **dict.fromkeys(("caps", "nonces", "hashes"), "varchar[]"),
    **dict.fromkeys(("capabilities", "kind", "scope", "executor"), "varchar[]"),
    **dict.fromkeys(("most", "start"), "integer"),
    "lease": "float",
    "before": "timestamptz",
}


@lru_cache(maxsize=8)
def _claiming(statement: str) -> RawStatement:
    return RawStatement(statement, CLAIM_TYPES)


def _reaching(wanted: ClaimFilter, mine: str) -> tuple[RawStatement, dict[str, Any]]:
    restrictions, asked = _asked(wanted)
    query = _reached(restrictions, LOOKING, HEAD, REACHING)
    return query, {**asked, "tenant": wanted.tenant, "most": MAX_CANDIDATES, "mine": mine}


@lru_cache(maxsize=64)
def _reached(restrictions: str, looking: str, head: str, around: str) -> RawStatement:
    statement = around.format(looking=_looked(restrictions, True, looking, head))
    statement = re.sub(r"NOT IN (:\w+)", r"<> ALL (\1)", statement)  # the driver knows arrays, not lists
    return RawStatement(re.sub(r"\bIN (:\w+)", r"= ANY (\1)", statement), CLAIM_TYPES)


def _look(wanted: ClaimFilter, most: int, *, is_postgres: bool) -> tuple[TextClause, dict[str, Any]]:
    restrictions, asked = _asked(wanted)
    query = _looking(restrictions, tuple(asked), is_postgres, LOOKING, HEAD)
    return query, {**asked, "tenant": wanted.tenant, "most": most}


def _asked(wanted: ClaimFilter) -> tuple[str, dict[str, Any]]:
    asked: dict[str, Any] = {"capabilities": list(wanted.capabilities)}
    restrictions = ""
    for column, values in (("kind", wanted.kinds), ("scope", wanted.scopes)):
        if values is not None:
            restrictions += f" AND {column} IN :{column}"
            asked[column] = list(values)
    if wanted.executors is not None:
        restrictions += " AND (executor IS NULL OR executor IN :executor)"
        asked["executor"] = list(wanted.executors)
    return restrictions, asked


@lru_cache(maxsize=64)
def _looking(
    restrictions: str, lists: tuple[str, ...], is_postgres: bool, looking: str, head: str
) -> TextClause:
    """The statement of a look; made once for each of the few that are asked."""
    query = text(_looked(restrictions, is_postgres, looking, head))
    query = query.bindparams(*(bindparam(name, type_=String(), expanding=True) for name in lists))
    return query.columns(caps=Json, available_at=UtcDateTime())  # type: ignore[return-value]


def _looked(restrictions: str, is_postgres: bool, looking: str, head: str) -> str:
    by = BY[is_postgres]
    beyond = head.format(columns=COLUMNS if is_postgres else "id", by=by, beyond="AND lane > head.lane")
    qualified = ", ".join(f"next.{column}" for column in COLUMNS.split(", "))
    return looking.format(
        columns=COLUMNS,
        first=head.format(columns=COLUMNS, by=by, beyond=""),
        next=NEXT[is_postgres].format(head=beyond, qualified=qualified),
        now=POSTGRES if is_postgres else SQLITE,
        restrictions=restrictions,
        each=EACH[is_postgres],
    )
