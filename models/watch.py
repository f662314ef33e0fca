"""Boards and cards that a person watches, or wants to hear nothing of."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.eventlog.tables import Number
from kit.ids import maker
from models.columns import Stamped, enum_column

MAX_WATCHES = 500  # of one person


class WatchLevel(DescribedEnum):
    """The notifications that a person wants of a board or a card."""

    WATCHING = "WATCHING", "Those of its people, and also about its moves and messages."
    MUTED = "MUTED", "None."


class Watch(Stamped, Base):
    __tablename__ = "watch"
    __table_args__ = (
        Index("ix_watch_user_id", "user_id", "subject_id", unique=True),
        Index("ix_watch_subject_id", "subject_id"),
        Index("ix_watch_board_id", "board_id"),
        Index("ix_watch_card_id", "card_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("watch"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    subject_id: Mapped[str] = mapped_column(Id)  # of the card, or of the board
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str | None] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    level: Mapped[WatchLevel] = mapped_column(enum_column(WatchLevel))


class WatchCursor(Base):
    """How far the watchers of a board have been notified of its events."""

    __tablename__ = "watch_cursor"

    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(100), unique=True)
    seq: Mapped[int] = mapped_column(Number)
