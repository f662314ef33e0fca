"""Notifications of a person. The newest MAX_KEPT are kept until the person deletes them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Stamped, enum_column

MAX_KEPT = 1_000  # notifications of one person; older ones are deleted


class NotificationType(DescribedEnum):
    """The subject of a notification."""

    CARD_MOVED = "CARD_MOVED", "A card was moved."
    RUN_SUCCEEDED = "RUN_SUCCEEDED", "A run succeeded."
    RUN_FAILED = "RUN_FAILED", "A run failed."
    QUESTION_ASKED = "QUESTION_ASKED", "An agent or a person asked a question."
    REVIEW_REQUESTED = "REVIEW_REQUESTED", "A card waits for a review."
    ASSIGNED = "ASSIGNED", "A card was assigned to you."
    MENTIONED = "MENTIONED", "You were mentioned."
    WARNING = "WARNING", "A problem needs attention."


class Notification(Stamped, Base):
    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_user_id", "user_id", "id"),
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
    read_at: Mapped[datetime | None]
