"""Checks: results of tests, linters and CI for a commit. The gates of merges and of DONE ask for them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column

MAX_OUTPUT_BYTES = 65_536  # of a check's output, as UTF-8
MAX_CHECK_NAME_LENGTH = 100  # characters
MAX_CHECKS = 100  # recorded at once, and shown of a commit
MAX_COMMITS_CHECKED = 20  # newest commits of a card whose checks are kept


class CheckKind(DescribedEnum):
    """The kind of a check."""

    LINT = "LINT", "Style and static analysis."
    UNIT = "UNIT", "Unit tests."
    INTEGRATION = "INTEGRATION", "Tests of several parts together."
    E2E = "E2E", "Tests of the whole system."
    SECURITY = "SECURITY", "A search for weaknesses."
    DEPENDENCY = "DEPENDENCY", "A check of the dependencies."
    POLICY = "POLICY", "A check of the team's own rules."
    CI = "CI", "A result of the code host's continuous integration."


class CheckStatus(DescribedEnum):
    """The status of a check. Only PASSED opens a gate."""

    PENDING = "PENDING", "It has not ended."
    PASSED = "PASSED", "It passed."
    FAILED = "FAILED", "It failed."
    ERROR = "ERROR", "It could not be run, or did not end in time."
    SKIPPED = "SKIPPED", "It was not run."


class Check(Editable, Base):
    """The newest result of one check of one commit of a card."""

    __tablename__ = "check_result"  # `check` is a word of SQL
    __table_args__ = (
        Index("uq_check_result_commit", "card_id", "sha", "kind", "name", unique=True),
        Index("ix_check_result_run_id", "run_id"),
        Index("ix_check_result_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("check"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="SET NULL"))
    sha: Mapped[str] = mapped_column(String(64))
    kind: Mapped[CheckKind] = mapped_column(enum_column(CheckKind))
    name: Mapped[str] = mapped_column(String(MAX_CHECK_NAME_LENGTH))
    status: Mapped[CheckStatus] = mapped_column(enum_column(CheckStatus))
    exit_code: Mapped[int | None]
    output: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str | None] = mapped_column(String(2_000))
    external_id: Mapped[str | None] = mapped_column(String(200))  # the code host's own id
    seconds: Mapped[float | None]  # its duration
    finished_at: Mapped[datetime | None]


def fitted_output(text: str) -> str:
    """Return the head and the tail of an output that together have at most MAX_OUTPUT_BYTES."""
    data = text.encode(errors="replace")
    if len(data) <= MAX_OUTPUT_BYTES:
        return data.decode()
    half = MAX_OUTPUT_BYTES // 2 - 100
    left_out = len(data) - 2 * half
    head, tail = data[:half].decode(errors="ignore"), data[-half:].decode(errors="ignore")
    return f"{head}\n[… {left_out:,} bytes are left out …]\n{tail}"
