"""Groups of cards: the story map of a board, a tree of two levels.

A group without a parent is a workflow; its children are activities. A card is in at most one group of either level.
"""

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Rank
from kit.ids import maker
from models.columns import Editable

MAX_GROUPS = 200  # on a board, of both levels
MAX_GROUP_TITLE_LENGTH = 100  # characters
MAX_GROUP_DESCRIPTION_LENGTH = 10_000


class Group(Editable, Base):
    __tablename__ = "card_group"
    __table_args__ = (
        UniqueConstraint("board_id", "parent_id", "rank"),
        Index("ix_card_group_parent_id", "parent_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("group"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("card_group.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(MAX_GROUP_TITLE_LENGTH))
    description: Mapped[str] = mapped_column(Text, default="")
    colour: Mapped[str] = mapped_column(String(7))
    rank: Mapped[str] = mapped_column(Rank)
