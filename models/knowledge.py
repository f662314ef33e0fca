"""Knowledge on a card: what is required, what is known, what is assumed. Acceptance criteria are requirements."""

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Rank
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column
from models.review import Origin, ReviewState

MAX_KNOWLEDGE = 100  # items on a card
MAX_KNOWLEDGE_LENGTH = 5_000  # characters of a text, and of its evidence


class KnowledgeKind(DescribedEnum):
    """The kind of a knowledge item."""

    REQUIREMENT = "REQUIREMENT", "The result must have it."
    FACT = "FACT", "It is so, as its evidence shows."
    ASSUMPTION = "ASSUMPTION", "It is believed, without evidence."


class KnowledgeItem(Editable, Base):
    __tablename__ = "knowledge_item"
    __table_args__ = (
        UniqueConstraint("card_id", "rank"),
        Index("ix_knowledge_item_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("knowledge"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    kind: Mapped[KnowledgeKind] = mapped_column(enum_column(KnowledgeKind))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[ReviewState] = mapped_column(enum_column(ReviewState))
    origin: Mapped[Origin] = mapped_column(enum_column(Origin))
    evidence: Mapped[str | None] = mapped_column(Text)  # of a FACT only
    confidence: Mapped[float | None]  # 0 to 1
    run_id: Mapped[str | None] = mapped_column(Id)  # of the agent that found it; the run may be deleted
    rank: Mapped[str] = mapped_column(Rank)


def title_of(text: str) -> str:
    """Return the first line of a text, at most 200 characters: its name in events."""
    return text.split("\n", 1)[0][:200]
