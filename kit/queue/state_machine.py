"""The law of the queue: what each happening makes of a job and its attempt.

Nothing here awaits. The rows were locked by the caller and `at` is the database's clock. Every function
changes them and returns the one `Transition` that tells so. docs/queue.md draws the states.
"""

import enum
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.queue.tables import Attempt, AttemptOutcome, Job, JobState

BACKOFF_SECONDS = (60.0, 180.0, 600.0)  # seconds before the second, third, fourth … attempt
JITTER_RATIO = 0.2  # of it, more or less: jobs that failed together do not come back together


class Code(enum.StrEnum):
    """Why the queue itself ended an attempt or a job."""

    LEASE_EXPIRED = "LEASE_EXPIRED"
    TIMEOUT = "TIMEOUT"
    SILENT = "SILENT"
    EXPIRED = "EXPIRED"


class Cause(enum.StrEnum):
    """What happened to a job."""

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
    """One change of one job: what the caller needs to write its own event, in the same transaction."""

    id: str
    kind: str
    tenant: str
    scope: str | None
    cause: Cause
    was: JobState | None
    now: JobState
    held: bool  # whether a worker has it after the change
    attempt: int
    worker_id: str | None = None
    code: str | None = None
    reason: str | None = None
    at: datetime | None = None
    available_at: datetime | None = None


def delay(failures: int) -> float:
    """Seconds to wait after that many failures."""
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
    """What it brought before it was parked without a worker is taken."""
    was = job.state
    job.code = job.reason = None
    _end(job, JobState.DONE, at)
    return applied(job, Cause.COMPLETED, was, at, None)


def failed(
    job: Job, attempt: Attempt, at: datetime, code: str, reason: str | None, *, retryable: bool
) -> Transition:
    """READY after a back-off, or DEAD. A job that was asked to stop does not come back."""
    was = job.state
    _close(job, attempt, AttemptOutcome.FAILED, at, code, reason)
    job.failures += 1
    if job.cancel_requested_at:
        _end(job, JobState.CANCELLED, at)
    elif retryable and job.failures < job.max_attempts:
        _ready(job, at, at + timedelta(seconds=delay(job.failures)))
    else:
        _end(job, JobState.DEAD, at)
    return applied(job, Cause.FAILED, was, at, attempt)


def lost(job: Job, attempt: Attempt, at: datetime) -> Transition:
    """The lease ran out. That is no failure of the work: no back-off, and an own, separate, count.

    A job that waits goes on waiting without its worker, and that counts nothing.
    """
    was = job.state
    _close(job, attempt, AttemptOutcome.LOST, at, Code.LEASE_EXPIRED, None)
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
    """The worker gives it back. Nothing counts, and the job keeps its place in the queue."""
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
    """Wait, with the worker (`keep`: its lease and slots stay) or without it."""
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
    """Go on: with the worker that waited, whose clocks stood still meanwhile, or READY for any."""
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
    """At once if nobody has it; otherwise it is asked for, and told with the next heartbeat."""
    was = job.state
    if job.held:
        job.cancel_requested_at = at
        return applied(job, Cause.CANCEL_REQUESTED, was, at, attempt)
    _end(job, JobState.CANCELLED, at)
    return applied(job, Cause.CANCELLED, was, at, None)


def stopped(job: Job, attempt: Attempt, at: datetime) -> Transition:
    """The worker confirms that it stopped."""
    was = job.state
    _close(job, attempt, AttemptOutcome.CANCELLED, at)
    _end(job, JobState.CANCELLED, at)
    return applied(job, Cause.CANCELLED, was, at, attempt)


def rerun(job: Job, at: datetime) -> Transition:
    """A dead job starts anew, with all its attempts. Its fence goes on rising."""
    was = job.state
    job.failures = job.losses = 0
    job.code = job.reason = job.ended_at = job.deadline_at = None
    _ready(job, at, at)
    return applied(job, Cause.RERUN, was, at, None)


def failed_by_server(
    job: Job, attempt: Attempt | None, at: datetime, code: str, reason: str | None
) -> Transition:
    """The server ends it, whoever has it."""
    was = job.state
    if attempt:
        _close(job, attempt, AttemptOutcome.FAILED, at, code, reason)
    job.code, job.reason = code, reason
    _end(job, JobState.CANCELLED if job.cancel_requested_at else JobState.DEAD, at)
    return applied(job, Cause.FAILED, was, at, attempt)


def discarded(job: Job, attempt: Attempt | None, at: datetime) -> Transition:
    """What it was about is gone: it ends at once, and whoever has it finds its lease lost."""
    was = job.state
    if attempt:
        _close(job, attempt, AttemptOutcome.CANCELLED, at)
    _end(job, JobState.CANCELLED, at)
    return applied(job, Cause.CANCELLED, was, at, attempt)


def overdue(job: Job, attempt: Attempt | None, at: datetime) -> Transition | None:
    """Apply the first limit that has passed: of the whole, of the lease, of the attempt, of the wait."""
    if _passed(job.deadline_at, at):
        return _overran(job, attempt, at)
    if attempt and attempt.lease_until <= at:
        return lost(job, attempt, at)
    if attempt and job.state is JobState.LEASED:  # the clocks of a job that waits stand still
        for by, code in ((attempt.limit_by, Code.TIMEOUT), (attempt.silent_by, Code.SILENT)):
            if _passed(by, at):
                return failed(job, attempt, at, code, None, retryable=True)
    if job.state is JobState.READY and _passed(job.expires_at, at):
        job.code, job.reason = Code.EXPIRED, None
        _end(job, JobState.DEAD, at)
        return applied(job, Cause.EXPIRED, JobState.READY, at, None)
    return None


def _overran(job: Job, attempt: Attempt | None, at: datetime) -> Transition:
    was = job.state
    if attempt:
        _close(job, attempt, AttemptOutcome.FAILED, at, Code.TIMEOUT, None)
    job.code, job.reason = Code.TIMEOUT, None
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
    """Back into the queue. Without `available` it keeps its place among its equals."""
    job.state = JobState.READY
    job.available_at = available or job.available_at
    if job.wait_limit is not None:
        job.expires_at = max(at, job.available_at) + timedelta(seconds=job.wait_limit)


def _end(job: Job, state: JobState, at: datetime) -> None:
    job.state, job.ended_at = state, at
    job.expires_at = job.parked_at = job.parked_for = None
