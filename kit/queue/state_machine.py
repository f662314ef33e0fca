"""The state machine of the queue: the effect of each event on a job and its attempt.

No function awaits. The caller has locked the rows, and `at` is the database's time. Every function changes the rows
and returns the `Transition`. docs/queue.md draws the states.
"""

import enum
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.queue.tables import Attempt, AttemptOutcome, Job, JobState

BACKOFF_SECONDS = (60.0, 180.0, 600.0)  # before the second, third, fourth … attempt
JITTER_RATIO = 0.2  # of the delay, added or subtracted: jobs that failed together are not retried together


class ReasonCode(enum.StrEnum):
    """Limit because of which the queue ended an attempt or a job."""

    LEASE_EXPIRED = "LEASE_EXPIRED"
    TIMEOUT = "TIMEOUT"
    SILENT = "SILENT"
    EXPIRED = "EXPIRED"


class Cause(enum.StrEnum):
    """Event that changed a job."""

    ENQUEUED = "ENQUEUED"
    CLAIMED = "CLAIMED"
    PARKED = "PARKED"
    UNPARKED = "UNPARKED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    LOST = "LOST"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    CANCELLED = "CANCELLED"
    RERUN = "RERUN"


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one job, with all that a caller needs for an event of its own."""

    id: str
    kind: str
    tenant: str
    scope: str | None
    cause: Cause
    was: JobState | None
    now: JobState
    held: bool  # whether a worker holds it after the change
    attempt: int
    worker_id: str | None = None
    code: str | None = None
    reason: str | None = None
    at: datetime | None = None
    available_at: datetime | None = None


def delay(failures: int) -> float:
    """Seconds to wait after a number of failures."""
    base = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
    return base * random.uniform(1 - JITTER_RATIO, 1 + JITTER_RATIO)  # noqa: S311 - not a secret


def applied(
    job: Job, cause: Cause, was: JobState | None, at: datetime, attempt: Attempt | None
) -> Transition:
    return Transition(
        id=job.id,
        kind=job.kind,
        tenant=job.tenant,
        scope=job.scope,
        cause=cause,
        was=was,
        now=job.state,
        held=job.held,
        attempt=job.attempt,
        worker_id=attempt.worker_id if attempt else None,
        code=job.code,
        reason=job.reason,
        at=at,
        available_at=job.available_at,
    )


def completed(job: Job, attempt: Attempt, at: datetime) -> Transition:
    was = job.state
    _close(job, attempt, AttemptOutcome.SUCCEEDED, at)
    job.code = job.reason = None
    _end(job, JobState.DONE, at)
    return applied(job, Cause.COMPLETED, was, at, attempt)


def accepted(job: Job, at: datetime) -> Transition:
    """Complete a job that is parked without a worker."""
    was = job.state
    job.code = job.reason = None
    _end(job, JobState.DONE, at)
    return applied(job, Cause.COMPLETED, was, at, None)


def failed(
    job: Job,
    attempt: Attempt,
    at: datetime,
    code: str,
    reason: str | None,
    *,
    retryable: bool,
    retry_in: float | None = None,
) -> Transition:
    """Make a job READY after a delay, or DEAD. A job whose cancellation was requested is CANCELLED.

    `retry_in` replaces the delay, in seconds.
    """
    was = job.state
    _close(job, attempt, AttemptOutcome.FAILED, at, code, reason)
    job.failures += 1
    if job.cancel_requested_at:
        _end(job, JobState.CANCELLED, at)
    elif retryable and job.failures < job.max_attempts:
        seconds = delay(job.failures) if retry_in is None else retry_in
        _ready(job, at, at + timedelta(seconds=seconds))
    else:
        _end(job, JobState.DEAD, at)
    return applied(job, Cause.FAILED, was, at, attempt)


def lost(job: Job, attempt: Attempt, at: datetime) -> Transition:
    """End an attempt whose lease expired. This is no failure: no delay, and a count of its own.

    A parked job stays parked without its worker, and nothing is counted.
    """
    was = job.state
    _close(job, attempt, AttemptOutcome.LOST, at, ReasonCode.LEASE_EXPIRED, None)
    if job.cancel_requested_at:
        _end(job, JobState.CANCELLED, at)
    elif was is JobState.LEASED:
        job.losses += 1
        if job.losses < job.max_losses:
            _ready(job, at)
        else:
            _end(job, JobState.DEAD, at)
    return applied(job, Cause.LOST, was, at, attempt)


def released(job: Job, attempt: Attempt, at: datetime) -> Transition:
    """End an attempt that its worker gives back. Nothing is counted; the job keeps its position in the queue."""
    was = job.state
    _close(job, attempt, AttemptOutcome.RELEASED, at)
    if job.cancel_requested_at:
        _end(job, JobState.CANCELLED, at)
    elif was is JobState.LEASED:
        _ready(job, at)
    return applied(job, Cause.RELEASED, was, at, attempt)


def suspended(
    job: Job, attempt: Attempt | None, at: datetime, reason: str | None, *, keep: bool
) -> Transition:
    """Park a job, with its worker (`keep`: lease and slots stay) or without."""
    was = job.state
    if job.state is not JobState.PARKED:
        job.parked_at = at
    job.state, job.parked_for, job.expires_at = JobState.PARKED, reason, None
    if attempt and not keep:
        _close(job, attempt, AttemptOutcome.RELEASED, at)
        if job.cancel_requested_at:
            _end(job, JobState.CANCELLED, at)
    return applied(job, Cause.PARKED, was, at, attempt)


def resumed(job: Job, attempt: Attempt | None, at: datetime) -> Transition:
    """Resume a job: with its worker, whose limits are extended by the time parked, or READY for any."""
    was = job.state
    waited = at - (job.parked_at or at)
    job.parked_at = job.parked_for = None
    if attempt:
        job.state = JobState.LEASED
        if attempt.limit_by:
            attempt.limit_by += waited
        if attempt.silence_limit is not None:
            attempt.silent_by = at + timedelta(seconds=attempt.silence_limit)
    else:
        _ready(job, at)
    return applied(job, Cause.UNPARKED, was, at, attempt)


def cancel(job: Job, attempt: Attempt | None, at: datetime) -> Transition:
    """Cancel a job at once if no worker holds it; else request it, which the next heartbeat returns."""
    was = job.state
    if job.held:
        job.cancel_requested_at = at
        return applied(job, Cause.CANCEL_REQUESTED, was, at, attempt)
    _end(job, JobState.CANCELLED, at)
    return applied(job, Cause.CANCELLED, was, at, None)


def stopped(job: Job, attempt: Attempt, at: datetime) -> Transition:
    """End an attempt whose worker confirms the cancellation."""
    was = job.state
    _close(job, attempt, AttemptOutcome.CANCELLED, at)
    _end(job, JobState.CANCELLED, at)
    return applied(job, Cause.CANCELLED, was, at, attempt)


def rerun(job: Job, at: datetime) -> Transition:
    """Make a dead job READY with all its attempts. Its fencing token keeps increasing."""
    was = job.state
    job.failures = job.losses = 0
    job.code = job.reason = job.ended_at = job.deadline_at = None
    _ready(job, at, at)
    return applied(job, Cause.RERUN, was, at, None)


def failed_by_server(
    job: Job, attempt: Attempt | None, at: datetime, code: str, reason: str | None
) -> Transition:
    """Fail a job on behalf of the server, also one that a worker holds."""
    was = job.state
    if attempt:
        _close(job, attempt, AttemptOutcome.FAILED, at, code, reason)
    job.code, job.reason = code, reason
    _end(job, JobState.CANCELLED if job.cancel_requested_at else JobState.DEAD, at)
    return applied(job, Cause.FAILED, was, at, attempt)


def discarded(job: Job, attempt: Attempt | None, at: datetime) -> Transition:
    """Cancel a job at once; a worker that holds it loses its lease."""
    was = job.state
    if attempt:
        _close(job, attempt, AttemptOutcome.CANCELLED, at)
    _end(job, JobState.CANCELLED, at)
    return applied(job, Cause.CANCELLED, was, at, attempt)


def overdue(job: Job, attempt: Attempt | None, at: datetime) -> Transition | None:
    """Apply the first expired limit: of the total time, the lease, the attempt, the time in the queue."""
    if _passed(job.deadline_at, at):
        return _overran(job, attempt, at)
    if attempt and attempt.lease_until <= at:
        return lost(job, attempt, at)
    if attempt and job.state is JobState.LEASED:  # the limits of a parked job are suspended
        for by, code in ((attempt.limit_by, ReasonCode.TIMEOUT), (attempt.silent_by, ReasonCode.SILENT)):
            if _passed(by, at):
                return failed(job, attempt, at, code, None, retryable=True)
    if job.state is JobState.READY and _passed(job.expires_at, at):
        job.code, job.reason = ReasonCode.EXPIRED, None
        _end(job, JobState.DEAD, at)
        return applied(job, Cause.EXPIRED, JobState.READY, at, None)
    return None


def _overran(job: Job, attempt: Attempt | None, at: datetime) -> Transition:
    was = job.state
    if attempt:
        _close(job, attempt, AttemptOutcome.FAILED, at, ReasonCode.TIMEOUT, None)
    job.code, job.reason = ReasonCode.TIMEOUT, None
    _end(job, JobState.CANCELLED if job.cancel_requested_at else JobState.DEAD, at)
    return applied(job, Cause.EXPIRED, was, at, attempt)


def _passed(by: datetime | None, at: datetime) -> bool:
    return by is not None and by <= at


def _close(
    job: Job,
    attempt: Attempt,
    outcome: AttemptOutcome,
    at: datetime,
    code: str | None = None,
    reason: str | None = None,
) -> None:
    attempt.ended_at, attempt.outcome = at, outcome
    attempt.code, attempt.reason = code, reason
    if code:
        job.code, job.reason = code, reason
    job.held = False


def _ready(job: Job, at: datetime, available: datetime | None = None) -> None:
    """Make a job READY. Without `available` it keeps its position among its equals."""
    job.state = JobState.READY
    job.available_at = available or job.available_at
    if job.wait_limit is not None:
        job.expires_at = max(at, job.available_at) + timedelta(seconds=job.wait_limit)


def _end(job: Job, state: JobState, at: datetime) -> None:
    job.state, job.ended_at = state, at
    job.expires_at = job.parked_at = job.parked_for = None
