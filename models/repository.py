"""Repositories at code hosts that a workspace has connected."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.ids import maker
from models.columns import Editable

MAX_REPOSITORIES = 200  # of a workspace, with those that are disconnected
MAX_KEY_LENGTH = 300
MAX_BRANCH_LENGTH = 300


class Repository(Editable, Base):
    """A repository. One that is disconnected keeps its history, and is connected again by its URL."""

    __tablename__ = "repository"
    __table_args__ = (
        UniqueConstraint("workspace_id", "key"),
        Index("ix_repository_external_id", "external_id"),
        Index("ix_repository_connection_id", "connection_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("repository"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    connection_id: Mapped[str | None] = mapped_column(ForeignKey("connection.id", ondelete="SET NULL"))
    url: Mapped[str] = mapped_column(String(500))
    host: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str] = mapped_column(String(200))  # owner/name
    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH))  # host/owner/name in lower case
    external_id: Mapped[str | None] = mapped_column(String(40))  # the host's; a new name keeps it
    default_branch: Mapped[str | None] = mapped_column(String(MAX_BRANCH_LENGTH))
    selected_branch: Mapped[str | None] = mapped_column(String(MAX_BRANCH_LENGTH))
    latest_commit: Mapped[str | None] = mapped_column(String(64))  # of the selected or default branch
    webhook_secret: Mapped[str | None] = mapped_column(Text)  # sealed
    synced_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(500))  # of the last synchronization
    disconnected_at: Mapped[datetime | None]

    @property
    def base_branch(self) -> str | None:
        """The branch that work starts from, as far as it is known."""
        return self.selected_branch or self.default_branch
