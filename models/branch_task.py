"""Tasks on the branch of a card that a worker does with git alone: merge it, rebase it, push it, create it.

A task is worked by INTEGRATE runs: a new one after people resolved its conflicts. The lock of a repository is a row
with an owner and an expiry; whoever holds it may move branches of that repository.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Json
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column

MAX_CONFLICTS = 100  # of one task
MAX_CONFLICT_CHARACTERS = 65_536  # of one version of a file
MAX_RESOLUTION_CHARACTERS = 262_144  # of one file
LOCK_SECONDS = 120


class BranchTaskKind(DescribedEnum):
    """The kind of a task on a branch."""

    MERGE = "MERGE", "Merge the card's branch into the base branch."
    SYNC = "SYNC", "Rebase the card's branch on the base branch."
    PUSH = "PUSH", "Push the card's branch to the remote repository."
    CREATE = "CREATE", "Create a branch for the card."


class MergeStrategy(DescribedEnum):
    """The way in which commits come to the base branch."""

    MERGE = "MERGE", "A merge commit."
    SQUASH = "SQUASH", "One commit with the whole change."
    REBASE = "REBASE", "The commits of the branch, one after the other, on top of the base branch."


class BranchTaskStatus(DescribedEnum):
    """The status of a task on a branch. The last three are final."""

    ACTIVE = "ACTIVE", "It waits for a worker, or a worker works on it."
    CONFLICTED = "CONFLICTED", "People must resolve its conflicts, or abort it. Nothing was changed."
    SUCCEEDED = "SUCCEEDED", "It succeeded."
    FAILED = "FAILED", "It failed, and changed nothing; see `fault` and `reason`."
    ABORTED = "ABORTED", "It was aborted or stopped, and changed nothing."


OPEN = (BranchTaskStatus.ACTIVE, BranchTaskStatus.CONFLICTED)


class BranchTaskFault(DescribedEnum):
    """The reason why a task on a branch was refused by its worker."""

    BASE_MOVED = "BASE_MOVED", "The base branch moved each time it was tried."
    HEAD_MOVED = "HEAD_MOVED", "The card's branch is not at the expected commit any more."
    CHECKOUT_DIRTY = "CHECKOUT_DIRTY", "A checkout of the base branch has changes that are not committed."
    NO_BRANCH = "NO_BRANCH", "The repository lacks the branch or the base branch."
    BRANCH_EXISTS = "BRANCH_EXISTS", "The branch to create exists."
    NOT_LINEAR = "NOT_LINEAR", "The branch has merge commits, which cannot be rebased."
    NO_REMOTE = "NO_REMOTE", "The repository has no remote to push to."
    PUSH_REJECTED = "PUSH_REJECTED", "The remote repository did not take the branch."
    TOO_MANY_CONFLICTS = "TOO_MANY_CONFLICTS", "It has more than 100 conflicts."


class MergeSide(DescribedEnum):
    """One of the two versions of a file in conflict."""

    OURS = "OURS", "The version of the base branch."
    THEIRS = "THEIRS", "The version of the card's branch."


_OPEN_SQL = "status IN ('ACTIVE', 'CONFLICTED')"


class BranchTask(Editable, Base):
    __tablename__ = "branch_task"
    __table_args__ = (
        Index("ix_branch_task_card_id", "card_id"),
        Index("ix_branch_task_board_id", "board_id"),
        Index("ix_branch_task_run_id", "run_id", unique=True),
        Index(
            "uq_branch_task_open_card",
            "card_id",
            unique=True,
            sqlite_where=text(_OPEN_SQL),
            postgresql_where=text(_OPEN_SQL),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("task"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))  # the newest
    worked_id: Mapped[str | None] = mapped_column(Id)  # the run whose work it is about
    kind: Mapped[BranchTaskKind] = mapped_column(enum_column(BranchTaskKind, "branch_task_kind"))
    strategy: Mapped[MergeStrategy | None] = mapped_column(enum_column(MergeStrategy))
    status: Mapped[BranchTaskStatus] = mapped_column(enum_column(BranchTaskStatus, "branch_task_status"))
    branch: Mapped[str] = mapped_column(String(300))
    base: Mapped[str] = mapped_column(String(300))  # empty: the branch that the repository has checked out
    head_sha: Mapped[str | None] = mapped_column(String(64))  # the expected tip of `branch`
    result_sha: Mapped[str | None] = mapped_column(String(64))
    fault: Mapped[BranchTaskFault | None] = mapped_column(enum_column(BranchTaskFault))
    reason: Mapped[str | None] = mapped_column(Text)
    conflicts: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    created_by: Mapped[str | None] = mapped_column(Id)


class RepositoryLock(Base):
    """The lock of a repository. Whoever holds it may move its branches until it expires."""

    __tablename__ = "repository_lock"

    workspace_id: Mapped[str] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    repository: Mapped[str] = mapped_column(String(500), primary_key=True)  # empty: the workers' own
    run_id: Mapped[str] = mapped_column(Id)
    attempt: Mapped[int]
    until: Mapped[datetime]
