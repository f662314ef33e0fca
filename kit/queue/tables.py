"""The four tables of the queue: what is to be done, how it was tried, what is limited, and who counts."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Enum, Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum

CapName = String(120).with_variant(String(120, collation="C"), "postgresql")
Hash = String(64).with_variant(String(64, collation="C"), "postgresql")


class JobState(enum.StrEnum):
    """Where a job stands. The last three are the end, except that a dead one can be run again."""

    READY = "READY"  # may be claimed, once it is due
    LEASED = "LEASED"  # a worker has it
    PARKED = "PARKED"  # waits for something; its worker waits with it (held) or has left
    DONE = "DONE"
    DEAD = "DEAD"  # attempts used up, a failure no retry can mend, or a time limit
    CANCELLED = "CANCELLED"


class AttemptOutcome(DescribedEnum):
    """The outcome of an attempt."""

    SUCCEEDED = "SUCCEEDED", "Done."
    FAILED = "FAILED", "It failed."
    CANCELLED = "CANCELLED", "It was stopped."
    LOST = "LOST", "Its lease ran out: its worker was not heard."
    RELEASED = "RELEASED", "Its worker gave it back."


def _named(kind: type[enum.StrEnum], name: str) -> Enum:
    return Enum(kind, native_enum=False, create_constraint=True, length=10, name=name)


def _only(condition: str) -> dict[str, Any]:
    """A partial index: it grows with the work that waits, never with the work that is done."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


READY = "state = 'READY'"
SCOPED = "scope IS NOT NULL AND state = 'READY'"
ACTIVE = "state IN ('LEASED', 'PARKED')"
LIVE = "state IN ('READY', 'LEASED', 'PARKED')"


class Job(Base):
    """A piece of work. Its id is the caller's, so that it can be the id of what is worked."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("NOT held OR state IN ('LEASED', 'PARKED')", name="held_is_active"),
        Index("ix_job_lane", "tenant", "lane", "available_at", "id", **_only(READY)),  # claim
        # Only with a scope: before PostgreSQL has counted jobs, it would sort by this what the lane has sorted.
        Index("ix_job_place", "tenant", "scope", "priority", "available_at", "id", **_only(SCOPED)),
        Index("ix_job_due", "available_at", **_only(READY)),  # what became due while nobody looked
        Index("ix_job_expires", "expires_at", **_only(f"expires_at IS NOT NULL AND {READY}")),
        Index("ix_job_deadline", "deadline_at", **_only(f"deadline_at IS NOT NULL AND {LIVE}")),
        Index("ix_job_active", "tenant", "scope", **_only(ACTIVE)),
        Index("ix_job_dead", "tenant", "ended_at", **_only("state = 'DEAD'")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    tenant: Mapped[str] = mapped_column(Id)
    scope: Mapped[str | None] = mapped_column(Id)  # what it belongs to inside the tenant
    priority: Mapped[int] = mapped_column(default=0)  # higher first
    executor: Mapped[str | None] = mapped_column(String(40))  # None: any worker's
    capabilities: Mapped[list[str]]  # a worker must have all of them
    caps: Mapped[list[str]]  # names of the limits it counts against, beside its worker's
    lane: Mapped[str] = mapped_column(Hash)  # jobs of one lane differ only in their age; see claims.py

    state: Mapped[JobState] = mapped_column(_named(JobState, "state"), default=JobState.READY)
    held: Mapped[bool] = mapped_column(default=False)  # an attempt is open: there is a lease, slots are taken
    enqueued_at: Mapped[datetime]
    available_at: Mapped[datetime]  # not before; and its place among equals
    expires_at: Mapped[datetime | None]  # while it is READY: no longer than this
    deadline_at: Mapped[datetime | None]  # since it was first claimed: no longer than this
    ended_at: Mapped[datetime | None]

    attempt: Mapped[int] = mapped_column(default=0)  # number of the newest attempt: the fence, only rises
    failures: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int]
    losses: Mapped[int] = mapped_column(default=0)  # leases that ran out; apart, they are not its failure
    max_losses: Mapped[int]

    wait_limit: Mapped[float | None] = mapped_column(Float)  # seconds, as all limits
    attempt_limit: Mapped[float | None] = mapped_column(Float)
    silence_limit: Mapped[float | None] = mapped_column(Float)
    whole_limit: Mapped[float | None] = mapped_column(Float)

    parked_at: Mapped[datetime | None]
    parked_for: Mapped[str | None] = mapped_column(String(40))
    cancel_requested_at: Mapped[datetime | None]
    code: Mapped[str | None] = mapped_column(String(40))  # of the last failure or loss
    reason: Mapped[str | None] = mapped_column(Text)


class Attempt(Base):
    """One lease of a job, from its claim to its end. Open while `ended_at` is NULL, at most one a job."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("uq_attempt_open", "job_id", unique=True, **_only("ended_at IS NULL")),
        Index("ix_attempt_worker", "worker_id", **_only("ended_at IS NULL")),
        Index("uq_attempt_claim", "claim_hash", "claim_place", unique=True),
        {"postgresql_with": {"fillfactor": "70"}},  # a heartbeat rewrites the row in its page, no index
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    worker_id: Mapped[str] = mapped_column(Id)
    lease_token_hash: Mapped[str] = mapped_column(Hash)
    lease_nonce: Mapped[str] = mapped_column(String(32))  # with the claim key it gives the token again
    claim_hash: Mapped[str | None] = mapped_column(Hash)
    claim_place: Mapped[int | None]  # one claim may have got several
    lease_until: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    silence_limit: Mapped[float | None] = mapped_column(Float)
    silent_by: Mapped[datetime | None]  # when it has been silent for too long
    limit_by: Mapped[datetime | None]  # when it has taken too long
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[AttemptOutcome | None] = mapped_column(_named(AttemptOutcome, "outcome"))
    exit_code: Mapped[int | None]
    metrics: Mapped[dict[str, Any] | None]
    code: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(Text)


class Cap(Base):
    """A limit by name: how many jobs that name it may be held at once. No row: no limit."""

    __tablename__ = "cap"

    name: Mapped[str] = mapped_column(CapName, primary_key=True)
    most: Mapped[int]


class Slot(Base):
    """One place under a cap. Places are rows because rows can be locked: a count would be a race."""

    __tablename__ = "slot"
    __table_args__ = (Index("ix_slot_job", "job_id", **_only("job_id IS NOT NULL")),)

    cap: Mapped[str] = mapped_column(CapName, primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[str | None] = mapped_column(Id)  # None: free
    surplus: Mapped[bool] = mapped_column(default=False)  # above a lowered cap: goes when it is freed
