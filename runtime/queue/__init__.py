"""The work queue: what is to be done, who does it, exactly one at a time, and what becomes of it.

The database is the queue. Every function takes the caller's open transaction and commits nothing; every
change is returned as a `Transition`, from which the caller writes its own events in the same transaction.
The queue knows no noun: a job has an id, a kind, a tenant and a scope, and all of them are the caller's.

What is promised: each job is accepted as finished at most once. It may be worked more than once, because a
worker that falls silent cannot be told apart from one that died; then the attempt's number, which only
rises, tells the newer from the older, and whatever the older one says is refused. docs/queue.md draws it.
"""

from runtime.queue.caps import is_postgres, set_cap
from runtime.queue.claims import LEASE, Candidate, Lease, Ticket, Wanted, claim, hashed, look
from runtime.queue.control import (
    accept,
    cancel,
    drop,
    give_up,
    hold,
    prioritise,
    rerun,
    shelve,
    unpark,
    withdraw,
)
from runtime.queue.held import (
    Beat,
    complete,
    fail,
    heartbeat,
    heartbeats,
    park,
    reach,
    release,
    stopped,
)
from runtime.queue.law import BACKOFF, JITTER, Cause, Code, Transition
from runtime.queue.refusal import LeaseLost, NoSuchJob, NotAsked, NotDead, QueueRefusal
from runtime.queue.sweeps import Swept, overdue, rouse_due, sweep
from runtime.queue.tables import Attempt, Cap, Job, Outcome, Slot, State
from runtime.queue.wakes import queue_wake, worker_wake
from runtime.queue.why import (
    CapReached,
    DueLater,
    Ended,
    LeaseHeld,
    Numbers,
    Queued,
    Reason,
    Waits,
    dead,
    full_caps,
    held_by,
    positions,
    reading,
    statistics,
    why_not,
)
from runtime.queue.work import (
    MAX_ATTEMPTS,
    MAX_LOSSES,
    Work,
    enqueue,
    key_cap,
    scope_cap,
    worker_cap,
)

__all__ = [
    "BACKOFF",
    "JITTER",
    "LEASE",
    "MAX_ATTEMPTS",
    "MAX_LOSSES",
    "Attempt",
    "Beat",
    "Candidate",
    "Cap",
    "CapReached",
    "Cause",
    "Code",
    "DueLater",
    "Ended",
    "Job",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "NoSuchJob",
    "NotAsked",
    "NotDead",
    "Numbers",
    "Outcome",
    "QueueRefusal",
    "Queued",
    "Reason",
    "Slot",
    "State",
    "Swept",
    "Ticket",
    "Transition",
    "Waits",
    "Wanted",
    "Work",
    "accept",
    "cancel",
    "claim",
    "complete",
    "dead",
    "drop",
    "enqueue",
    "fail",
    "full_caps",
    "give_up",
    "hashed",
    "heartbeat",
    "heartbeats",
    "held_by",
    "hold",
    "is_postgres",
    "key_cap",
    "look",
    "overdue",
    "park",
    "positions",
    "prioritise",
    "queue_wake",
    "reach",
    "reading",
    "release",
    "rerun",
    "rouse_due",
    "scope_cap",
    "set_cap",
    "shelve",
    "statistics",
    "stopped",
    "sweep",
    "unpark",
    "why_not",
    "withdraw",
    "worker_cap",
    "worker_wake",
]
