"""Pull requests at code hosts, the cards they are about, and the deliveries of webhooks."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Json, utcnow
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, Stamped, enum_column
from models.stage import Stage

MAX_PULL_REQUESTS = 20  # of a card
MAX_PULL_TITLE_LENGTH = 256
MAX_PULL_BODY_LENGTH = 65_536
UNDO_SECONDS = 30  # for which a move by automation can be undone
POLL_SECONDS = 60  # between two looks at an open pull request
MAX_POLL_SECONDS = 3_600  # of a host that keeps failing


class PullRequestState(DescribedEnum):
    """The state of a pull request."""

    PENDING = "PENDING", "The host is asked to open it, or to say what it is; see `error`."
    DRAFT = "DRAFT", "It is open as a draft."
    OPEN = "OPEN", "It is open."
    MERGED = "MERGED", "It was merged."
    CLOSED = "CLOSED", "It was closed without a merge."


class PullRequestOrigin(DescribedEnum):
    """The way in which a pull request came to its cards."""

    GIVEN = "GIVEN", "It was opened with the text that somebody gave."
    GENERATED = "GENERATED", "It was opened with a text made of the card and its run's summary."
    LINKED = "LINKED", "Somebody named it by its URL or number."
    DISCOVERED = "DISCOVERED", "It was found by its branch."


class CiStatus(DescribedEnum):
    """The results of CI together: a failure outweighs what is pending, which outweighs success."""

    FAILURE = "FAILURE", "A check failed."
    PENDING = "PENDING", "No check failed, and one has not ended."
    SUCCESS = "SUCCESS", "Every check succeeded or was skipped."


class PullRequestText(DescribedEnum):
    """The text of a pull request that is generated."""

    BOTH = "BOTH", "The title and the body."
    TITLE = "TITLE", "The title."
    BODY = "BODY", "The body."


LIVE = (PullRequestState.DRAFT, PullRequestState.OPEN)


class PullRequest(Editable, Base):
    __tablename__ = "pull_request"
    __table_args__ = (
        UniqueConstraint("repository_id", "number"),
        Index(
            "uq_pull_request_pending",
            "repository_id",
            "head_branch",
            unique=True,
            sqlite_where=text("state = 'PENDING' AND number IS NULL"),
            postgresql_where=text("state = 'PENDING' AND number IS NULL"),
        ),
        Index("ix_pull_request_head_branch", "repository_id", "head_branch"),
        Index("ix_pull_request_workspace_id", "workspace_id", "id"),
        Index("ix_pull_request_poll_at", "poll_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("pull"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    repository_id: Mapped[str] = mapped_column(ForeignKey("repository.id", ondelete="CASCADE"))
    origin: Mapped[PullRequestOrigin] = mapped_column(enum_column(PullRequestOrigin))
    state: Mapped[PullRequestState] = mapped_column(
        enum_column(PullRequestState), default=PullRequestState.PENDING
    )
    number: Mapped[int | None]  # None until the host has opened it
    external_id: Mapped[str | None] = mapped_column(String(40))
    url: Mapped[str | None] = mapped_column(String(500))
    title: Mapped[str] = mapped_column(String(MAX_PULL_TITLE_LENGTH), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    draft: Mapped[bool] = mapped_column(default=False)  # how it is to be opened
    head_branch: Mapped[str] = mapped_column(String(300), default="")
    base_branch: Mapped[str] = mapped_column(String(300), default="")
    head_sha: Mapped[str | None] = mapped_column(String(64))
    mergeable: Mapped[bool | None]
    approvals: Mapped[int] = mapped_column(default=0)
    commits: Mapped[int | None]
    ci: Mapped[CiStatus | None] = mapped_column(enum_column(CiStatus))
    run_id: Mapped[str | None] = mapped_column(Id)  # whose work it is
    error: Mapped[str | None] = mapped_column(String(500))  # of the last call of the host
    host_updated_at: Mapped[datetime | None]  # the host's own time of its last change
    etag: Mapped[str | None] = mapped_column(String(200))
    synced_at: Mapped[datetime | None]
    poll_at: Mapped[datetime | None]  # when the host is asked again; None: never
    failures: Mapped[int] = mapped_column(default=0)  # of polls, in a row
    branch_deleted_at: Mapped[datetime | None]
    created_by: Mapped[str | None] = mapped_column(Id)


class CardPullRequest(Stamped, Base):
    """A pull request about a card, and what automation has done for it."""

    __tablename__ = "card_pull_request"
    __table_args__ = (
        Index("ix_card_pull_request_pull_request_id", "pull_request_id"),
        Index("ix_card_pull_request_board_id", "board_id"),
    )

    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"), primary_key=True)
    pull_request_id: Mapped[str] = mapped_column(
        ForeignKey("pull_request.id", ondelete="CASCADE"), primary_key=True
    )
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    done: Mapped[list[str]] = mapped_column(
        Json, default=list
    )  # the occasions on which it was moved, or kept
    moved_at: Mapped[datetime | None]
    moved_from: Mapped[str | None] = mapped_column(Id)  # the column that it left
    moved_to: Mapped[str | None] = mapped_column(Id)


class WebhookDelivery(Base):
    """A delivery of a webhook. The host's id of it makes a repetition known."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("repository_id", "delivery_id"),
        Index("ix_webhook_delivery_received_at", "received_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("delivery"))
    repository_id: Mapped[str] = mapped_column(ForeignKey("repository.id", ondelete="CASCADE"))
    delivery_id: Mapped[str] = mapped_column(String(100))
    event: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any] | None]  # what is needed of it; None once it was applied
    received_at: Mapped[datetime] = mapped_column(default=utcnow)
    applied_at: Mapped[datetime | None]


def rolled_up(statuses: list[str]) -> CiStatus | None:
    """Return the results of CI together; None if there is none."""
    if not statuses:
        return None
    if {"FAILURE", "ERROR"} & set(statuses):
        return CiStatus.FAILURE
    return CiStatus.PENDING if "PENDING" in statuses else CiStatus.SUCCESS


# The stages through which automation takes a card, in this order.
PATH = (Stage.TODO, Stage.IN_PROGRESS, Stage.REVIEW, Stage.DONE)
