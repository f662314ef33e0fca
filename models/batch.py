"""Batches: runs that were started together, one on each of several cards or as siblings on one.

The status of a batch is not stored: it is derived from its runs. Each run has a place in its batch. A retry takes
the place of the run that it repeats, and only the newest run of a place counts.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, case, func, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from kit.db.database import Base, Id, utcnow
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import enum_column
from models.run import Run, RunKind, RunStatus

MAX_CARDS = 50  # cards of one batch


class BatchStatus(DescribedEnum):
    """The status of a batch of runs."""

    ACTIVE = "ACTIVE", "At least one of its runs has not ended."
    SUCCEEDED = "SUCCEEDED", "All of its runs succeeded."
    FAILED = "FAILED", "All have ended, and not all of them succeeded."
    CANCELLED = "CANCELLED", "All of its runs were stopped, or deleted with their cards."


class RunBatch(Base):
    __tablename__ = "run_batch"
    __table_args__ = (Index("ix_run_batch_board_id", "board_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("batch"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    kind: Mapped[RunKind] = mapped_column(enum_column(RunKind))
    instruction: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int]  # places
    created_by: Mapped[str | None] = mapped_column(Id)  # a user or a key
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]  # time of its last run's end; None while a run is active


_newer = aliased(Run)
COUNTING = ~(
    select(_newer.id)
    .where(_newer.batch_id == Run.batch_id, _newer.place == Run.place, _newer.id > Run.id)
    .exists()
)  # the run is the newest in its place

COUNTS = [func.sum(case((Run.status == status, 1), else_=0)).label(status.lower()) for status in RunStatus]


@dataclass(frozen=True)
class Counts:
    """The number of runs of a batch in each status."""

    queued: int = 0
    claimed: int = 0
    running: int = 0
    waiting: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def status(self) -> BatchStatus:
        """The status of the batch. A batch without runs, whose cards were all deleted, is CANCELLED."""
        if self.queued or self.claimed or self.running or self.waiting:
            return BatchStatus.ACTIVE
        if self.failed or (self.succeeded and self.cancelled):
            return BatchStatus.FAILED
        return BatchStatus.SUCCEEDED if self.succeeded else BatchStatus.CANCELLED


def counts_of(row: Any) -> Counts:
    """Return the counts of a row of `COUNTS`; all are 0 if no run is left."""
    return Counts(**{field.name: getattr(row, field.name, None) or 0 for field in fields(Counts)})
