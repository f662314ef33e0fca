"""The queue, written a second time without a database: what it must do, to compare with what it does.

Moments are the database's, moved by what the test let pass, so nothing here reads a clock.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kit.queue import BACKOFF_SECONDS, JITTER_RATIO, Cause, JobState, Lease, NewJob, Transition
from kit.queue.enqueue import key_cap, scope_cap, worker_cap

LEASE = 30.0


def after(at: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else at + timedelta(seconds=seconds)


@dataclass
class Hold:
    worker: str
    lease: Lease
    until: datetime
    limit_by: datetime | None
    silent_by: datetime | None


@dataclass
class Task:
    work: NewJob
    state: JobState
    due: datetime
    expires: datetime | None = None
    deadline: datetime | None = None
    parked_at: datetime | None = None
    hold: Hold | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    priority: int = 0
    cancel: bool = False

    @property
    def order(self) -> tuple[int, datetime, str]:
        return (-self.priority, self.due, self.work.id)

    @property
    def is_over(self) -> bool:
        return self.state in (JobState.DONE, JobState.DEAD, JobState.CANCELLED)

    def caps(self, worker: str) -> set[str]:
        scope = {scope_cap(self.work.scope)} if self.work.scope else set()
        return scope | {key_cap(key) for key in self.work.keys} | {worker_cap(worker)}

    def end(self, state: JobState) -> None:
        self.state, self.hold, self.expires, self.parked_at = state, None, None, None

    def ready(self, at: datetime, due: datetime | None = None) -> None:
        self.state, self.hold, self.parked_at = JobState.READY, None, None
        self.due = due or self.due
        self.expires = after(max(at, self.due), self.work.wait_limit)


@dataclass
class Model:
    tasks: dict[str, Task] = field(default_factory=dict)
    caps: dict[str, int] = field(default_factory=dict)
    issued: set[tuple[str, int]] = field(default_factory=set)
    accepted: list[str] = field(default_factory=list)  # jobs whose completion was accepted

    def holders(self, cap: str) -> list[str]:
        return [id for id, task in self.tasks.items() if task.hold and cap in task.caps(task.hold.worker)]

    def is_full(self, cap: str) -> bool:
        return cap in self.caps and len(self.holders(cap)) >= self.caps[cap]

    def next(self, worker: str, tenant: str, scopes: list[str] | None, at: datetime) -> Task | None:
        """The job that this claim must get."""
        fitting = [
            task
            for task in self.tasks.values()
            if task.state is JobState.READY
            and task.due <= at
            and task.work.tenant == tenant
            and (scopes is None or task.work.scope in scopes)
            and not any(self.is_full(cap) for cap in task.caps(worker))
        ]
        return min(fitting, key=lambda task: task.order, default=None)

    def claimed(self, task: Task, lease: Lease, at: datetime, until: datetime) -> None:
        assert (task.work.id, lease.attempt) not in self.issued, "a fence was issued twice"
        assert lease.attempt > task.attempt, "the fence did not rise"
        self.issued.add((task.work.id, lease.attempt))
        work = task.work
        task.state, task.expires, task.attempt = JobState.LEASED, None, lease.attempt
        task.deadline = task.deadline or after(at, work.whole_limit)
        limits = after(at, work.attempt_limit), after(at, work.silence_limit)
        task.hold = Hold(lease.worker_id, lease, until, *limits)

    def holds(self, lease: Lease) -> Task | None:
        """The job a lease still holds."""
        task = self.tasks[lease.id]
        return task if task.hold and task.hold.lease == lease else None

    def failed(self, task: Task, told: Transition, at: datetime, due: datetime, *, retryable: bool) -> None:
        task.failures += 1
        if task.cancel:
            task.end(JobState.CANCELLED)
        elif retryable and task.failures < task.work.max_attempts:
            base = BACKOFF_SECONDS[min(task.failures, len(BACKOFF_SECONDS)) - 1]
            wait = (due - at).total_seconds()
            assert base * (1 - JITTER_RATIO) <= wait <= base * (1 + JITTER_RATIO), (
                "the back-off is as promised"
            )
            task.ready(at, due)
        else:
            task.end(JobState.DEAD)

    def gone(self, task: Task, at: datetime, *, lost: bool) -> None:
        """Its worker is gone or gave it back."""
        task.hold = None
        if task.cancel:
            task.end(JobState.CANCELLED)
        elif task.state is JobState.LEASED:
            task.losses += lost
            if task.losses >= task.work.max_losses:
                task.end(JobState.DEAD)
            else:
                task.ready(at)

    def due_to_be_swept(self, task: Task, at: datetime) -> Cause | None:
        hold = task.hold
        if task.is_over:
            return None
        if task.deadline and task.deadline <= at:
            return Cause.EXPIRED
        if hold and hold.until <= at:
            return Cause.LOST
        if (
            hold
            and task.state is JobState.LEASED
            and any(by and by <= at for by in (hold.limit_by, hold.silent_by))
        ):
            return Cause.FAILED
        if task.state is JobState.READY and task.expires and task.expires <= at:
            return Cause.EXPIRED
        return None

    def swept(self, task: Task, told: Transition, at: datetime, due: datetime) -> None:
        if told.cause is Cause.LOST:
            self.gone(task, at, lost=True)
        elif told.cause is Cause.FAILED:
            self.failed(task, told, at, due, retryable=True)
        else:
            task.end(JobState.CANCELLED if task.cancel else JobState.DEAD)

    def moments(self) -> list[datetime]:
        """Every moment at which something would change by itself."""
        found: list[datetime | None] = []
        for task in self.tasks.values():
            found += [task.due, task.expires, task.deadline]
            if task.hold:
                found += [task.hold.until, task.hold.limit_by, task.hold.silent_by]
        return [moment for moment in found if moment]
