"""Snapshots of the changes of runs: one for each attempt, replaced while the agent works, final once it has ended.

The hunks of a file are stored once on a board, by their hash. Snapshots of the newest attempts of a card are kept.
"""

import hashlib

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column
from protocol.events import FileChange

MAX_DIFF_FILES = 250  # listed of one snapshot
MAX_FILE_PATCH_BYTES = 65_536  # of the hunks of one file, as UTF-8
MAX_DIFF_BYTES = 524_288  # of the hunks of one snapshot
MAX_SNAPSHOTS = 20  # kept of one card
MAX_DIFF_PATH_LENGTH = 4_096  # characters


class CutReason(DescribedEnum):
    """The reason why hunks are left out."""

    BINARY = "BINARY", "The file is binary."
    FILE_TOO_LARGE = "FILE_TOO_LARGE", "The hunks of the file have more than 65,536 bytes."
    DIFF_TOO_LARGE = "DIFF_TOO_LARGE", "The hunks of all files have more than 524,288 bytes."
    TOO_MANY_FILES = "TOO_MANY_FILES", "More than 250 files were changed; the others are not listed."


class DiffSnapshot(Editable, Base):
    __tablename__ = "diff_snapshot"
    __table_args__ = (
        UniqueConstraint("run_id", "attempt"),
        Index("ix_diff_snapshot_card_id", "card_id"),
        Index("ix_diff_snapshot_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("diff"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    base_sha: Mapped[str] = mapped_column(String(64))
    head_sha: Mapped[str] = mapped_column(String(64))  # a commit if it is final, else a tree
    is_final: Mapped[bool] = mapped_column(default=False)
    file_count: Mapped[int]  # also of those that are not listed
    additions: Mapped[int] = mapped_column(Integer)
    deletions: Mapped[int] = mapped_column(Integer)
    cut_reason: Mapped[CutReason | None] = mapped_column(enum_column(CutReason))


class DiffFile(Base):
    """A changed file of a snapshot. Its hunks are the content with its hash."""

    __tablename__ = "diff_file"
    __table_args__ = (Index("ix_diff_file_hash", "board_id", "hash"),)

    snapshot_id: Mapped[str] = mapped_column(
        ForeignKey("diff_snapshot.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    board_id: Mapped[str] = mapped_column(Id)
    path: Mapped[str] = mapped_column(Text)
    change: Mapped[str] = mapped_column(String(10))  # a FileChange
    additions: Mapped[int | None]
    deletions: Mapped[int | None]
    moved_from: Mapped[str | None] = mapped_column(Text)
    hash: Mapped[str | None] = mapped_column(String(64))  # None: the hunks are left out
    cut_reason: Mapped[CutReason | None] = mapped_column(enum_column(CutReason, "filecutreason"))


class DiffContent(Base):
    """The hunks of a file, stored once on a board."""

    __tablename__ = "diff_content"

    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    hunks: Mapped[str] = mapped_column(Text)


def hash_of_hunks(hunks: str) -> str:
    return hashlib.sha256(hunks.encode()).hexdigest()


CHANGES = FileChange.__members__
