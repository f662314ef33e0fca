"""How work gets into the queue: an INSERT in the transaction of whoever wants it done."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from kit.db.clock import read_database_clock
from kit.db.transaction import Transaction
from kit.queue.notifications import notify_transitions
from kit.queue.state_machine import Cause, Transition
from kit.queue.tables import Job, JobState

MAX_ATTEMPTS = 3  # failures that end a job
MAX_LOSSES = 5  # leases lost that end a job: one that kills its workers must not kill them all


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What is to be done, for whom, by what kind of worker, and how long it may take. Limits in seconds."""

    id: str
    kind: str
    tenant: str
    scope: str | None = None  # its cap is scope_cap(scope)
    priority: int = 0  # higher first
    executor: str | None = None  # None: any
    capabilities: Sequence[str] = ()  # all of them are needed
    keys: Sequence[str] = ()  # each has a cap, key_cap(key)
    delay: float = 0.0
    at: datetime | None = None  # or: not before this moment
    parked_for: str | None = None  # begin PARKED, waiting for this
    max_attempts: int = MAX_ATTEMPTS
    max_losses: int = MAX_LOSSES
    wait_limit: float | None = None  # in the queue, each time it gets there, counted from when it is due
    attempt_limit: float | None = None  # one attempt; a wait stops the clock
    silence_limit: float | None = None  # without a sign of progress; a wait stops the clock
    whole_limit: float | None = None  # from the first claim to the end, waits and retries included


def scope_cap(scope: str) -> str:
    return f"scope:{scope}"


def worker_cap(worker_id: str) -> str:
    return f"worker:{worker_id}"


def key_cap(key: str) -> str:
    return f"key:{key}"


async def enqueue(tx: Transaction, *works: NewJob) -> list[Transition]:
    """Put work into the queue. It exists if and only if `tx` commits."""
    if not works:
        return []
    at = await read_database_clock(tx)
    await tx.execute(insert(Job), [_row(work, at) for work in works])
    transitions = [
        Transition(
            id=work.id,
            kind=work.kind,
            tenant=work.tenant,
            scope=work.scope,
            cause=Cause.ENQUEUED,
            was=None,
            now=JobState.PARKED if work.parked_for else JobState.READY,
            held=False,
            attempt=0,
            at=at,
            available_at=_available(work, at),
        )
        for work in works
    ]
    notify_transitions(tx, *transitions)
    return transitions


def _available(work: NewJob, at: datetime) -> datetime:
    return work.at if work.at and work.at > at else at + timedelta(seconds=work.delay)


def _row(work: NewJob, at: datetime) -> dict[str, Any]:
    available = _available(work, at)
    caps = [scope_cap(work.scope)] if work.scope else []
    caps += sorted({key_cap(key) for key in work.keys})
    waits = work.wait_limit is not None and not work.parked_for
    return {
        "id": work.id,
        "kind": work.kind,
        "tenant": work.tenant,
        "scope": work.scope,
        "priority": work.priority,
        "executor": work.executor,
        "capabilities": sorted(set(work.capabilities)),
        "caps": caps,
        "lane": dispatch_lane(work.kind, work.scope, work.priority, work.executor, work.capabilities, caps),
        "state": JobState.PARKED if work.parked_for else JobState.READY,
        "enqueued_at": at,
        "available_at": available,
        "expires_at": available + timedelta(seconds=work.wait_limit or 0) if waits else None,
        "max_attempts": work.max_attempts,
        "max_losses": work.max_losses,
        "wait_limit": work.wait_limit,
        "attempt_limit": work.attempt_limit,
        "silence_limit": work.silence_limit,
        "whole_limit": work.whole_limit,
        "parked_at": at if work.parked_for else None,
        "parked_for": work.parked_for,
    }


def dispatch_lane(
    kind: str,
    scope: str | None,
    priority: int,
    executor: str | None,
    capabilities: Sequence[str],
    caps: Sequence[str],
) -> str:
    """The name of all that decides whether, and before which others, a job is claimed; except its age."""
    parts = [kind, scope, priority, executor, sorted(set(capabilities)), list(caps)]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
