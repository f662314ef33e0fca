"""A work queue in the database: jobs, leases, attempts and limits.

Every function uses the caller's open transaction and commits nothing. Every change is returned as a `Transition`,
from which the caller writes its own events in the same transaction. The queue knows no noun: the id, kind, tenant
and scope of a job are the caller's.

Promise: each job is accepted as finished at most once. It may be worked more than once, because a silent worker
cannot be told from a dead one. The number of the attempt, which only increases, then tells the newer from the
older, and reports of the older are rejected. docs/queue.md draws the states.
"""

from kit.queue.caps import is_postgres, set_cap
from kit.queue.claims import (
    DEFAULT_LEASE_SECONDS,
    Candidate,
    ClaimFilter,
    Lease,
    Ticket,
    claim,
    hash_token,
    peek,
)
from kit.queue.control import (
    cancel,
    complete_suspended,
    discard,
    fail_job,
    prioritise,
    rerun,
    resume,
    suspend_with_worker,
    suspend_without_worker,
    withdraw,
)
from kit.queue.enqueue import MAX_ATTEMPTS, MAX_LOSSES, NewJob, enqueue, key_cap, scope_cap, worker_cap
from kit.queue.errors import JobLeaseLost, NoSuchJob, NotAsked, NotDead, QueueRefusal
from kit.queue.inspection import (
    CapReached,
    DueLater,
    HasEnded,
    LeaseHeld,
    Queued,
    QueueStatistics,
    Reason,
    Suspended,
    dead,
    full_caps,
    held_by,
    positions,
    reading,
    reasons_not_running,
    statistics,
)
from kit.queue.leases import (
    LeaseExtension,
    complete,
    confirm_cancelled,
    fail,
    heartbeat,
    heartbeats,
    lock_leased_job,
    release,
    suspend,
)
from kit.queue.notifications import queue_topic, worker_topic
from kit.queue.state_machine import BACKOFF_SECONDS, JITTER_RATIO, Cause, ReasonCode, Transition
from kit.queue.sweeps import Swept, notify_due, overdue, sweep
from kit.queue.tables import Attempt, AttemptOutcome, Cap, Job, JobState, Slot

__all__ = [
    "BACKOFF_SECONDS",
    "DEFAULT_LEASE_SECONDS",
    "JITTER_RATIO",
    "MAX_ATTEMPTS",
    "MAX_LOSSES",
    "Attempt",
    "AttemptOutcome",
    "Candidate",
    "Cap",
    "CapReached",
    "Cause",
    "ClaimFilter",
    "DueLater",
    "HasEnded",
    "Job",
    "JobLeaseLost",
    "JobState",
    "Lease",
    "LeaseExtension",
    "LeaseHeld",
    "NewJob",
    "NoSuchJob",
    "NotAsked",
    "NotDead",
    "QueueRefusal",
    "QueueStatistics",
    "Queued",
    "Reason",
    "ReasonCode",
    "Slot",
    "Suspended",
    "Swept",
    "Ticket",
    "Transition",
    "cancel",
    "claim",
    "complete",
    "complete_suspended",
    "confirm_cancelled",
    "dead",
    "discard",
    "enqueue",
    "fail",
    "fail_job",
    "full_caps",
    "hash_token",
    "heartbeat",
    "heartbeats",
    "held_by",
    "is_postgres",
    "key_cap",
    "lock_leased_job",
    "notify_due",
    "overdue",
    "peek",
    "positions",
    "prioritise",
    "queue_topic",
    "reading",
    "reasons_not_running",
    "release",
    "rerun",
    "resume",
    "scope_cap",
    "set_cap",
    "statistics",
    "suspend",
    "suspend_with_worker",
    "suspend_without_worker",
    "sweep",
    "withdraw",
    "worker_cap",
    "worker_topic",
]
