"""Notifications of a person. The newest MAX_KEPT are kept until the person deletes them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Stamped, enum_column

MAX_CAUSE_LENGTH = 200
MAX_KEPT = 1_000  # notifications of one person; older ones are deleted


class NotificationType(DescribedEnum):
    """The subject of a notification."""

    CARD_MOVED = "CARD_MOVED", "A card was moved."
    RUN_SUCCEEDED = "RUN_SUCCEEDED", "A run succeeded."
    RUN_FAILED = "RUN_FAILED", "A run failed."
    QUESTION_ASKED = "QUESTION_ASKED", "An agent or a person asked a question."
    REVIEW_REQUESTED = "REVIEW_REQUESTED", "A card waits for a review."
    APPROVAL_REQUESTED = "APPROVAL_REQUESTED", "A step waits for an approval."
    READY_TO_MERGE = "READY_TO_MERGE", "The work on a card may be merged."
    ASSIGNED = "ASSIGNED", "A card was assigned to you."
    MENTIONED = "MENTIONED", "You were mentioned, or a message was posted on a card that you watch."
    INVITED = "INVITED", "You were invited to a workspace."
    STALE_PR = "STALE_PR", "Nothing happened on a pull request for many days."
    WARNING = "WARNING", "A problem needs attention."


class Notification(Stamped, Base):
    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_user_id", "user_id", "id"),
        Index("ix_notification_cause", "user_id", "cause", unique=True),
        Index(
            "ix_notification_unread",
            "user_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("notice"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    type: Mapped[NotificationType] = mapped_column(enum_column(NotificationType))
    title: Mapped[str] = mapped_column(String(255))
    body: Mapped[str] = mapped_column(Text, default="")
    board_id: Mapped[str | None] = mapped_column(Id)
    card_id: Mapped[str | None] = mapped_column(Id)
    run_id: Mapped[str | None] = mapped_column(Id)
    question_id: Mapped[str | None] = mapped_column(Id)
    cause: Mapped[str | None] = mapped_column(String(MAX_CAUSE_LENGTH))  # of one cause a person has one
    mailed_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
