"""Memory of boards: what runs learned, and what agents of later runs are told once people approve it."""

import hashlib

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.ids import maker
from kit.search import fold
from models.columns import Editable, enum_column
from models.review import ReviewState

MAX_MEMORIES = 200  # on a board
MAX_MEMORY_LENGTH = 8_000  # characters


class Memory(Editable, Base):
    __tablename__ = "memory"
    __table_args__ = (UniqueConstraint("board_id", "content_hash"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("memory"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[ReviewState] = mapped_column(enum_column(ReviewState))


def content_hash_of(text: str) -> str:
    """Return the hash of a text without case, accents, width and differences of white space."""
    return hashlib.sha256(" ".join(fold(text).split()).encode()).hexdigest()
