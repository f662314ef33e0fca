"""The four tables of the queue: jobs, attempts, caps and slots."""

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
    """State of a job. The last three are final, except that a dead job can be enqueued again."""

    READY = "READY"  # claimable once it is due
    LEASED = "LEASED"  # a worker has it
    PARKED = "PARKED"  # waits for something; its worker waits with it (held) or does not
    DONE = "DONE"
    DEAD = "DEAD"  # out of attempts, a permanent failure, or a time limit
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
    """Make an index partial: it grows with open jobs, not with ended ones."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


READY = "state = 'READY'"
SCOPED = "scope IS NOT NULL AND state = 'READY'"
ACTIVE = "state IN ('LEASED', 'PARKED')"
LIVE = "state IN ('READY', 'LEASED', 'PARKED')"


class Job(Base):
    """A piece of work. Its id is chosen by the caller."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("NOT held OR state IN ('LEASED', 'PARKED')", name="held_is_active"),
        Index("ix_job_lane", "tenant", "lane", "available_at", "id", **_only(READY)),  # claim
        # Only with a scope: PostgreSQL without statistics would prefer it to the lane's index, and sort.
        Index("ix_job_place", "tenant", "scope", "priority", "available_at", "id", **_only(SCOPED)),
        Index("ix_job_due", "available_at", **_only(READY)),  # for delayed jobs that became due
        Index("ix_job_expires", "expires_at", **_only(f"expires_at IS NOT NULL AND {READY}")),
        Index("ix_job_deadline", "deadline_at", **_only(f"deadline_at IS NOT NULL AND {LIVE}")),
        Index("ix_job_active", "tenant", "scope", **_only(ACTIVE)),
        Index("ix_job_dead", "tenant", "ended_at", **_only("state = 'DEAD'")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    tenant: Mapped[str] = mapped_column(Id)
    scope: Mapped[str | None] = mapped_column(Id)  # a part of the tenant
    priority: Mapped[int] = mapped_column(default=0)  # higher first
    executor: Mapped[str | None] = mapped_column(String(40))  # None: any
    capabilities: Mapped[list[str]]  # a worker must have all of them
    caps: Mapped[list[str]]  # names of its limits, besides its worker's
    lane: Mapped[str] = mapped_column(Hash)  # jobs of a lane differ only in age; see claims.py

    state: Mapped[JobState] = mapped_column(_named(JobState, "state"), default=JobState.READY)
    held: Mapped[bool] = mapped_column(default=False)  # an attempt is open: it has a lease and slots
    enqueued_at: Mapped[datetime]
    available_at: Mapped[datetime]  # earliest claim, and its position among equals
    expires_at: Mapped[datetime | None]  # end of its time in the queue
    deadline_at: Mapped[datetime | None]  # end of its total time, set by the first claim
    ended_at: Mapped[datetime | None]

    attempt: Mapped[int] = mapped_column(default=0)  # number of the newest: the fencing token, only increases
    failures: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int]
    losses: Mapped[int] = mapped_column(default=0)  # expired leases, which are no failures
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
    """One lease of a job, from its claim to its end. Open while `ended_at` is NULL; a job has at most one open."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("uq_attempt_open", "job_id", unique=True, **_only("ended_at IS NULL")),
        Index("ix_attempt_worker", "worker_id", **_only("ended_at IS NULL")),
        Index("uq_attempt_claim", "claim_hash", "claim_place", unique=True),
        {"postgresql_with": {"fillfactor": "70"}},  # a heartbeat updates the row within its page (HOT)
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    worker_id: Mapped[str] = mapped_column(Id)
    lease_token_hash: Mapped[str] = mapped_column(Hash)
    lease_nonce: Mapped[str] = mapped_column(String(32))  # with the claim key, it yields the token again
    claim_hash: Mapped[str | None] = mapped_column(Hash)
    claim_place: Mapped[int | None]  # position in the claim, which may have several
    lease_until: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    silence_limit: Mapped[float | None] = mapped_column(Float)
    silent_by: Mapped[datetime | None]  # end of the permitted silence
    limit_by: Mapped[datetime | None]  # end of the attempt's time
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[AttemptOutcome | None] = mapped_column(_named(AttemptOutcome, "outcome"))
    exit_code: Mapped[int | None]
    metrics: Mapped[dict[str, Any] | None]
    code: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(Text)


class Cap(Base):
    """A limit by name on the jobs that are held at once. Without a row there is no limit."""

    __tablename__ = "cap"

    name: Mapped[str] = mapped_column(CapName, primary_key=True)
    most: Mapped[int]


class Slot(Base):
    """A slot of a cap. Slots are rows because rows can be locked: a count would be a race."""

    __tablename__ = "slot"
    __table_args__ = (Index("ix_slot_job", "job_id", **_only("job_id IS NOT NULL")),)

    cap: Mapped[str] = mapped_column(CapName, primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[str | None] = mapped_column(Id)  # None: free
    surplus: Mapped[bool] = mapped_column(default=False)  # above a lowered cap: deleted when it is freed
