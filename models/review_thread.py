"""Reviews: threads on lines of a run's diff, their comments, and the findings of agents that review."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, Stamped, enum_column
from models.interdiff import parse_hunks

MAX_COMMENT_LENGTH = 10_000  # characters
MAX_OPEN_THREADS = 200  # of one card
MAX_COMMENTS = 100  # of one thread
MAX_REVIEW_COMMENTS = 50  # of one submitted review
MAX_FINDINGS = 50  # reported at once
MAX_RUN_FINDINGS = 200  # of one run
MAX_FINDING_TITLE_LENGTH = 200
MAX_LINE_LENGTH = 1_000  # characters of a line that are compared


class DiffSide(DescribedEnum):
    """The side of a diff."""

    OLD = "OLD", "The file before the change."
    NEW = "NEW", "The file after the change."


class ReviewVerdict(DescribedEnum):
    """The verdict of a person's review."""

    APPROVE = "APPROVE", "The work may be merged: it approves the step MERGE."
    REQUEST_CHANGES = "REQUEST_CHANGES", "The work goes back with the comments."
    COMMENT = "COMMENT", "Comments only."


class Severity(DescribedEnum):
    """The severity of a finding, from least to most severe."""

    INFO = "INFO", "A remark."
    LOW = "LOW", "It may stay."
    MEDIUM = "MEDIUM", "It should be mended."
    HIGH = "HIGH", "It must be mended."
    CRITICAL = "CRITICAL", "It does harm."


class FindingCategory(DescribedEnum):
    """The subject of a finding."""

    SECURITY = "SECURITY", "Security."
    BUG = "BUG", "A fault."
    PERFORMANCE = "PERFORMANCE", "Speed or memory."
    MAINTAINABILITY = "MAINTAINABILITY", "Code that is hard to change."
    BEST_PRACTICE = "BEST_PRACTICE", "A custom of the field."
    STYLE = "STYLE", "Form."
    DOCUMENTATION = "DOCUMENTATION", "Documents and comments."
    TEST = "TEST", "Tests."


class ReviewThread(Editable, Base):
    __tablename__ = "review_thread"
    __table_args__ = (
        Index("ix_review_thread_card_id", "card_id"),
        Index("ix_review_thread_run_id", "run_id"),
        Index("ix_review_thread_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("thread"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))  # whose diff has the line
    first_run_id: Mapped[str] = mapped_column(Id)  # whose diff had it when the thread was opened
    finding_id: Mapped[str | None] = mapped_column(Id)
    path: Mapped[str] = mapped_column(Text)
    side: Mapped[DiffSide] = mapped_column(enum_column(DiffSide))
    line: Mapped[int | None]  # from 1; None: the whole file
    line_text: Mapped[str] = mapped_column(Text, default="")
    outdated: Mapped[bool] = mapped_column(default=False)
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(Id)
    created_by: Mapped[str | None] = mapped_column(Id)  # a user, a key or a run


class ReviewComment(Stamped, Base):
    """A comment of a thread; the first one opened it."""

    __tablename__ = "review_comment"
    __table_args__ = (Index("ix_review_comment_thread_id", "thread_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("remark"))
    thread_id: Mapped[str] = mapped_column(ForeignKey("review_thread.id", ondelete="CASCADE"))
    author_id: Mapped[str | None] = mapped_column(Id)  # a user, a key or a run
    body: Mapped[str] = mapped_column(Text)


class ReviewFinding(Editable, Base):
    """A finding of a REVIEW run about the work of another run of the card."""

    __tablename__ = "review_finding"
    __table_args__ = (
        Index("ix_review_finding_run_id", "run_id"),
        Index("ix_review_finding_target_run_id", "target_run_id"),
        Index("ix_review_finding_fix_run_id", "fix_run_id"),
        Index("ix_review_finding_board_id", "board_id"),
        Index("ix_review_finding_card_id", "card_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("finding"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    target_run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text)
    line_start: Mapped[int | None]
    line_end: Mapped[int | None]
    severity: Mapped[Severity] = mapped_column(enum_column(Severity))
    category: Mapped[FindingCategory] = mapped_column(enum_column(FindingCategory))
    title: Mapped[str] = mapped_column(String(MAX_FINDING_TITLE_LENGTH))
    description: Mapped[str] = mapped_column(Text, default="")
    suggestion: Mapped[str | None] = mapped_column(Text)
    snippet: Mapped[str | None] = mapped_column(Text)
    fix_run_id: Mapped[str | None] = mapped_column(Id)  # the run that was asked to mend it
    resolved_by_run_id: Mapped[str | None] = mapped_column(Id)


def lines_of(hunks: str, side: DiffSide) -> dict[int, str]:
    """Return the lines that hunks show of one side of a file, by number from 1."""
    lines: dict[int, str] = {}
    shift = 0  # of the new side against the old one
    for hunk in parse_hunks(hunks):
        start, shown = (hunk.start, hunk.old) if side is DiffSide.OLD else (hunk.start + shift, hunk.new)
        lines |= {start + place: text[:MAX_LINE_LENGTH] for place, text in enumerate(shown, 1)}
        shift += len(hunk.new) - len(hunk.old)
    return lines


def nearest_line(lines: dict[int, str], text: str, near: int) -> int | None:
    """Return the number of the line with this text that is nearest to a number; None if there is none."""
    return min(
        (number for number, line in lines.items() if line == text), key=lambda n: abs(n - near), default=None
    )
