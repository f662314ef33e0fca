"""Cards with their subtasks, links, labels and assignees.

Every row of a board has its board's id, so that one clause of a query restricts it to the visible rows.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Rank
from kit.described_enum import DescribedEnum, DescribedIntEnum
from kit.ids import maker
from models.columns import Editable, Ordered, Stamped, enum_column

MAX_SUBTASKS = 100  # on a card
MAX_LABELS = 20
MAX_ASSIGNEES = 20
MAX_LINKS = 50  # on a card, in either direction
MAX_CHILDREN = 100  # of one card
MAX_AT_ONCE = 100  # cards in one bulk change
MAX_REVISIONS = 50  # shown of a card's history


class Priority(DescribedIntEnum):
    """The urgency of a card or a run."""

    NONE = 0, "No priority; sorts last."
    LOW = 1, "Can wait."
    MEDIUM = 2, "As usual."
    HIGH = 3, "Soon."
    CRITICAL = 4, "Before everything else."


class CardType(DescribedEnum):
    """The type of work of a card."""

    FEATURE = "FEATURE", "Something new."
    BUG = "BUG", "Something broken."
    REFACTOR = "REFACTOR", "The same behavior, built better."
    TEST = "TEST", "Tests."
    DOCS = "DOCS", "Documentation."
    REVIEW = "REVIEW", "A review of other work."
    CHORE = "CHORE", "Any other task."


class CardSize(DescribedEnum):
    """The estimated size of a card."""

    SMALL = "SMALL", "Hours."
    MEDIUM = "MEDIUM", "A day or two."
    LARGE = "LARGE", "More than two days."


class LinkKind(DescribedEnum):
    """The kind of a link between two cards."""

    BLOCKS = "BLOCKS", "The other card waits until this card is done."
    RELATED = "RELATED", "The cards are related."
    DUPLICATE = "DUPLICATE", "The card duplicates the other."


class CardOrder(DescribedEnum):
    """The order of a list of cards."""

    BOARD = "BOARD", "Column by column, from the top."
    CREATED = "CREATED", "Oldest first."
    UPDATED = "UPDATED", "Last updated first."
    PRIORITY = "PRIORITY", "CRITICAL first."
    DUE = "DUE", "Earliest due date first; cards without one last."


class Card(Editable, Base):
    __tablename__ = "card"
    __table_args__ = (
        UniqueConstraint("board_id", "number"),
        UniqueConstraint("column_id", "rank"),  # a strict order: the database holds it
        Index("ix_card_board_id_archived_at", "board_id", "archived_at"),
        Index("ix_card_parent_id", "parent_id"),
        Index("ix_card_group_id", "group_id"),
        Index("ix_card_sprint_id", "sprint_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("card"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    column_id: Mapped[str] = mapped_column(ForeignKey("board_column.id"))
    rank: Mapped[str] = mapped_column(Rank)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    type: Mapped[CardType] = mapped_column(enum_column(CardType), default=CardType.FEATURE)
    priority: Mapped[Priority] = mapped_column(Ordered(Priority), default=Priority.MEDIUM)
    size: Mapped[CardSize | None] = mapped_column(enum_column(CardSize, "size"))
    story_points: Mapped[int | None]
    due_on: Mapped[date | None]
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("card.id", ondelete="SET NULL"))
    group_id: Mapped[str | None] = mapped_column(Id)  # deleting the group clears it
    sprint_id: Mapped[str | None] = mapped_column(Id)  # deleting the sprint clears it
    agent_profile_id: Mapped[str | None] = mapped_column(Id)  # its agents'; there as long as it is named
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(Id)  # a user or a key
    archived_at: Mapped[datetime | None]
    created_by: Mapped[str | None] = mapped_column(Id)  # a user or a key


# The fields that people edit.
EDITABLE_FIELDS = (
    "title",
    "description",
    "type",
    "priority",
    "size",
    "story_points",
    "due_on",
    "parent_id",
    "group_id",
)
# The fields that a revision stores. All but the sprint are restored.
IMAGE_FIELDS = (*EDITABLE_FIELDS, "column_id", "sprint_id")


def image(card: Card) -> dict[str, Any]:
    """Return the present fields of a card as JSON."""
    values = {name: getattr(card, name) for name in IMAGE_FIELDS}
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in values.items()}


class Subtask(Editable, Base):
    __tablename__ = "subtask"
    __table_args__ = (
        Index("ix_subtask_card_id", "card_id"),
        Index("ix_subtask_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("subtask"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(255))
    completed: Mapped[bool] = mapped_column(default=False)
    completed_at: Mapped[datetime | None]
    completed_by: Mapped[str | None] = mapped_column(Id)
    phase: Mapped[str | None] = mapped_column(String(80))
    phase_order: Mapped[int] = mapped_column(default=0)
    rank: Mapped[str] = mapped_column(Rank)


class CardLabel(Stamped, Base):
    __tablename__ = "card_label"
    __table_args__ = (
        Index("ix_card_label_label_id", "label_id"),
        Index("ix_card_label_board_id", "board_id"),
    )

    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"), primary_key=True)
    label_id: Mapped[str] = mapped_column(ForeignKey("label.id", ondelete="CASCADE"), primary_key=True)
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))


class CardAssignee(Stamped, Base):
    __tablename__ = "card_assignee"
    __table_args__ = (
        Index("ix_card_assignee_user_id", "user_id"),
        Index("ix_card_assignee_board_id", "board_id"),
    )

    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))


class CardLink(Stamped, Base):
    """`card` blocks, is related to, or duplicates `target`. Both are on one board."""

    __tablename__ = "card_link"
    __table_args__ = (
        UniqueConstraint("card_id", "target_id"),
        CheckConstraint("card_id <> target_id", name="no_self"),
        Index("ix_card_link_target_id", "target_id"),
        Index("ix_card_link_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("link"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    target_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    kind: Mapped[LinkKind] = mapped_column(enum_column(LinkKind))
