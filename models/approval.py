"""Approvals: a person's consent to a step, given for one commit. New commits make it stale."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column

MAX_NOTE_LENGTH = 10_000  # characters
MAX_SUBJECT_LENGTH = 200
MAX_PENDING_APPROVALS = 20  # of one card


class ApprovalKind(DescribedEnum):
    """The step that an approval allows."""

    CREATE_PR = "CREATE_PR", "Open a pull request with the card's work."
    MERGE = "MERGE", "Merge the card's work, or call the card done."
    PLAN = "PLAN", "Begin to work by the card's plan."
    TOOL = "TOOL", "Use a tool, or do another step that the subject names."


class ApprovalStatus(DescribedEnum):
    """The status of an approval. All but PENDING are final."""

    PENDING = "PENDING", "It waits for a decision."
    APPROVED = "APPROVED", "It was approved."
    REJECTED = "REJECTED", "It was rejected."
    CANCELLED = "CANCELLED", "It was withdrawn, or new commits replaced the commit that it was asked for."


class Approver(DescribedEnum):
    """The callers whose approval counts, from least strict to strictest."""

    MEMBER = "MEMBER", "Members of the workspace, and API keys that may write."
    PERSON = "PERSON", "Members of the workspace, in person."
    ADMIN = "ADMIN", "Admins of the workspace, in person."


def is_enough(given: Approver | None, required: Approver) -> bool:
    order = list(Approver)
    return given is not None and order.index(given) >= order.index(required)


_PENDING: dict[str, Any] = {
    "sqlite_where": text("status = 'PENDING'"),
    "postgresql_where": text("status = 'PENDING'"),
}


class Approval(Editable, Base):
    __tablename__ = "approval"
    __table_args__ = (
        Index("uq_approval_pending", "card_id", "kind", "subject", unique=True, **_PENDING),
        Index("ix_approval_card_id", "card_id"),
        Index("ix_approval_run_id", "run_id"),
        Index("ix_approval_inbox", "board_id", "id", **_PENDING),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("approval"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="SET NULL"))
    kind: Mapped[ApprovalKind] = mapped_column(enum_column(ApprovalKind))
    status: Mapped[ApprovalStatus] = mapped_column(
        enum_column(ApprovalStatus), default=ApprovalStatus.PENDING
    )
    head: Mapped[str] = mapped_column(String(64), default="")  # commit; for PLAN the run that planned
    subject: Mapped[str] = mapped_column(String(MAX_SUBJECT_LENGTH), default="")
    request_note: Mapped[str] = mapped_column(Text, default="")
    requested_by: Mapped[str | None] = mapped_column(Id)  # a user or a key; None: the system
    decided_by: Mapped[str | None] = mapped_column(Id)
    decided_as: Mapped[Approver | None] = mapped_column(enum_column(Approver))
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(Text)
