"""Schedules of cards: a board gets a card at times that a cron line names."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.ids import maker
from models.columns import Editable, enum_column
from models.stage import Stage

MAX_SCHEDULES = 50  # of a board
MAX_CRON_LENGTH = 100
MIN_INTERVAL_SECONDS = 600  # between two cards of a schedule
UPCOMING = 3  # times that are shown


class CardSchedule(Editable, Base):
    __tablename__ = "card_schedule"
    __table_args__ = (Index(None, "board_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("schedule"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(255))  # of the cards
    description: Mapped[str] = mapped_column(Text, default="")
    stage: Mapped[Stage] = mapped_column(enum_column(Stage, "stage"))
    starts_run: Mapped[bool] = mapped_column(default=False)
    cron: Mapped[str] = mapped_column(String(MAX_CRON_LENGTH))
    time_zone: Mapped[str] = mapped_column(String(64))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime | None]  # None while it is switched off
    last_at: Mapped[datetime | None]  # of its last card
    failure: Mapped[str | None] = mapped_column(String(500))  # the reason why the last time made no card
    created_by: Mapped[str] = mapped_column(Id)  # a user, who makes the cards
