"""The bin of a board: deleted cards, outside of every list of cards, as the rows that they were."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from models.columns import Stamped, enum_column
from models.stage import Stage


class BinEntry(Stamped, Base):
    """A deleted card. It is made when the card is deleted and ends when the card is restored."""

    __tablename__ = "bin_entry"
    __table_args__ = (
        Index("ix_bin_entry_board_id", "board_id", "created_at"),
        Index("ix_bin_entry_created_at", "created_at"),
    )

    card_id: Mapped[str] = mapped_column(Id, primary_key=True)
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(255))
    stage: Mapped[Stage] = mapped_column(enum_column(Stage, "stage"))
    deleted_by: Mapped[str | None] = mapped_column(Id)
    rows: Mapped[dict[str, Any]]  # by table, the columns of each as JSON


class BinObject(Base):
    """The bytes of a file of a deleted card: they are kept as long as the entry."""

    __tablename__ = "bin_object"
    __table_args__ = (Index("ix_bin_object_object_key", "object_key"),)

    card_id: Mapped[str] = mapped_column(
        ForeignKey("bin_entry.card_id", ondelete="CASCADE"), primary_key=True
    )
    object_key: Mapped[str] = mapped_column(ForeignKey("stored_object.key"), primary_key=True)
