"""Plans: ordered changes to a board, applied together or not at all, which stay readable with their authors."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Json
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column
from models.refusal import Invalid, Issue, Refusal

MAX_ACTIONS = 100  # of one plan
MAX_PLAN_MESSAGE_LENGTH = 5_000  # characters
MAX_TEMPORARY_ID_LENGTH = 50


class PlanStatus(DescribedEnum):
    """The status of a plan."""

    PROPOSED = "PROPOSED", "An agent proposed it; a person decides."
    ACCEPTED = "ACCEPTED", "All of its actions were applied."
    REJECTED = "REJECTED", "None of its actions was applied."


class ChangeKind(DescribedEnum):
    """The effect of an action of a plan."""

    CREATED = "CREATED", "Something new."
    UPDATED = "UPDATED", "Its fields were changed."
    MOVED = "MOVED", "It has another place."
    DELETED = "DELETED", "It is gone."


class PlanBatch(Editable, Base):
    __tablename__ = "plan_batch"
    __table_args__ = (Index("ix_plan_batch_board_id", "board_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("plan"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str | None] = mapped_column(Id)  # of the run that proposed it
    run_id: Mapped[str | None] = mapped_column(Id)
    author_id: Mapped[str | None] = mapped_column(Id)  # a user, a key or a run
    message: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[PlanStatus] = mapped_column(enum_column(PlanStatus))
    actions: Mapped[list[Any]] = mapped_column(Json)  # as they were sent
    changes: Mapped[list[Any]] = mapped_column(
        Json, default=list
    )  # index, action, change, id, temp_id, title
    refused_index: Mapped[int | None]  # of the action that was refused
    reason_code: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None]


class PlanRejected(Refusal):
    """An action of a plan was refused, so none was applied. `index` is None if the plan itself was refused."""

    code = "PLAN_REJECTED"

    def __init__(self, index: int, action: str, refusal: Refusal) -> None:
        super().__init__(f"Action {index} ({action}) was refused: {refusal.message}")
        self.index, self.action = index, action
        self.reason_code, self.reason_message = refusal.code, refusal.message
        self.issues: Sequence[Issue] = refusal.issues if isinstance(refusal, Invalid) else ()
        self.plan_id: str | None = None  # of the stored plan
