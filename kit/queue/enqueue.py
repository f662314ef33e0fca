"""Enqueueing: an INSERT in the transaction that requests the job."""

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

MAX_ATTEMPTS = 3  # failures after which a job is DEAD
MAX_LOSSES = 5  # lost leases after which a job is DEAD, so that one that kills its workers does not kill all


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to enqueue. Limits are in seconds."""

    id: str
    kind: str
    tenant: str
    scope: str | None = None  # its cap is scope_cap(scope)
    priority: int = 0  # higher first
    executor: str | None = None  # None: any
    capabilities: Sequence[str] = ()  # a worker must have all of them
    keys: Sequence[str] = ()  # each has a cap, key_cap(key)
    delay: float = 0.0
    at: datetime | None = None  # or: not before this time
    parked_for: str | None = None  # start PARKED, for this reason
    max_attempts: int = MAX_ATTEMPTS
    max_losses: int = MAX_LOSSES
    wait_limit: float | None = None  # in the queue, each time, from when it is due
    attempt_limit: float | None = None  # of one attempt, without the time parked
    silence_limit: float | None = None  # without progress, without the time parked
    whole_limit: float | None = None  # from the first claim to the end, all included


def scope_cap(scope: str) -> str:
    return f"scope:{scope}"


def worker_cap(worker_id: str) -> str:
    return f"worker:{worker_id}"


def key_cap(key: str) -> str:
    return f"key:{key}"


async def enqueue(tx: Transaction, *jobs: NewJob) -> list[Transition]:
    """Enqueue jobs. They exist if and only if `tx` commits."""
    if not jobs:
        return []
    at = await read_database_clock(tx)
    await tx.execute(insert(Job), [_row(job, at) for job in jobs])
    transitions = [
        Transition(
            id=job.id,
            kind=job.kind,
            tenant=job.tenant,
            scope=job.scope,
            cause=Cause.ENQUEUED,
            was=None,
            now=JobState.PARKED if job.parked_for else JobState.READY,
            held=False,
            attempt=0,
            at=at,
            available_at=_available(job, at),
        )
        for job in jobs
    ]
    notify_transitions(tx, *transitions)
    return transitions


def _available(job: NewJob, at: datetime) -> datetime:
    return job.at if job.at and job.at > at else at + timedelta(seconds=job.delay)


def _row(job: NewJob, at: datetime) -> dict[str, Any]:
    available = _available(job, at)
    caps = [scope_cap(job.scope)] if job.scope else []
    caps += sorted({key_cap(key) for key in job.keys})
    waits = job.wait_limit is not None and not job.parked_for
    return {
        "id": job.id,
        "kind": job.kind,
        "tenant": job.tenant,
        "scope": job.scope,
        "priority": job.priority,
        "executor": job.executor,
        "capabilities": sorted(set(job.capabilities)),
        "caps": caps,
        "lane": dispatch_lane(job.kind, job.scope, job.priority, job.executor, job.capabilities, caps),
        "state": JobState.PARKED if job.parked_for else JobState.READY,
        "enqueued_at": at,
        "available_at": available,
        "expires_at": available + timedelta(seconds=job.wait_limit or 0) if waits else None,
        "max_attempts": job.max_attempts,
        "max_losses": job.max_losses,
        "wait_limit": job.wait_limit,
        "attempt_limit": job.attempt_limit,
        "silence_limit": job.silence_limit,
        "whole_limit": job.whole_limit,
        "parked_at": at if job.parked_for else None,
        "parked_for": job.parked_for,
    }


def dispatch_lane(
    kind: str,
    scope: str | None,
    priority: int,
    executor: str | None,
    capabilities: Sequence[str],
    caps: Sequence[str],
) -> str:
    """Return a hash of all properties of a job that decide when it is claimed, except its age."""
    parts = [kind, scope, priority, executor, sorted(set(capabilities)), list(caps)]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
