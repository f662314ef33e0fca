"""Sprints of boards, and the law of their status."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column
from models.refusal import Conflict

MAX_SPRINTS = 500  # of a board
MAX_SPRINT_CARDS = 500
MAX_SPRINT_DAYS = 366
MAX_SPRINT_NAME_LENGTH = 100  # characters
MAX_SPRINT_GOAL_LENGTH = 2_000
MAX_CAPACITY_POINTS = 10_000
DEFAULT_CAPACITY_POINTS = 40
DEFAULT_POINTS_PER_PERSON = 10
MAX_OVERLAPS = 10  # sprints that a warning names
VELOCITY_SPRINTS = 6
FORECAST_SPRINTS = 3


class SprintStatus(DescribedEnum):
    """The status of a sprint."""

    PLANNED = "PLANNED", "It has not begun."
    ACTIVE = "ACTIVE", "It was started."
    COMPLETED = "COMPLETED", "It was completed: it cannot be changed, and its figures are final."
    CANCELLED = "CANCELLED", "It was cancelled, and its cards have left it."


class CapacityState(DescribedEnum):
    """The use of a capacity."""

    UNDER = "UNDER", "Less than 80 % is used."
    NEAR = "NEAR", "80 % or more is used."
    FULL = "FULL", "100 % or more is used."


class Sprint(Editable, Base):
    __tablename__ = "sprint"
    __table_args__ = (Index("ix_sprint_board_id", "board_id", "starts_on"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("sprint"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(MAX_SPRINT_NAME_LENGTH))
    goal: Mapped[str] = mapped_column(Text, default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    time_zone: Mapped[str] = mapped_column(String(64))
    capacity_points: Mapped[int]
    status: Mapped[SprintStatus] = mapped_column(enum_column(SprintStatus), default=SprintStatus.PLANNED)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    committed_points: Mapped[int | None]  # these two are known once it is completed
    completed_points: Mapped[int | None]
    final: Mapped[dict[str, Any] | None]  # the burndown at its completion


_NEXT = {
    SprintStatus.PLANNED: {SprintStatus.ACTIVE, SprintStatus.CANCELLED},
    SprintStatus.ACTIVE: {SprintStatus.COMPLETED, SprintStatus.CANCELLED},
}


def check_transition(sprint: Sprint, to: SprintStatus) -> None:
    """Raise Conflict unless a sprint may change its status to `to`."""
    if to not in _NEXT.get(sprint.status, ()):
        raise Conflict(f"A sprint that is {sprint.status} does not become {to}", sprint.id)


def check_open(sprint: Sprint) -> None:
    """Raise Conflict if a sprint is completed or cancelled: then nothing of it changes."""
    if sprint.status not in _NEXT:
        raise Conflict(f"The sprint is {sprint.status} and cannot be changed", sprint.id)


def capacity_state(used: int, capacity: int) -> CapacityState:
    """Return how much of a capacity is used."""
    if used * 100 < capacity * 80 or used == 0:
        return CapacityState.UNDER
    return CapacityState.NEAR if used < capacity else CapacityState.FULL
