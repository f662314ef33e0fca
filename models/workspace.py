"""Workspaces, their members, and the labels that their boards share."""

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.db.transaction import EventScope
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, Stamped, enum_column
from models.topic import workspace_scope

MAX_LABELS = 200  # in a workspace
MAX_MEMBERS = 1_000


class Role(DescribedEnum):
    """The role of a member in a workspace."""

    ADMIN = "ADMIN", "May do everything, including managing members, archiving and deleting."
    MEMBER = "MEMBER", "May change boards."
    VIEWER = "VIEWER", "May only read."


class Workspace(Editable, Base):
    __tablename__ = "workspace"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("workspace"))
    name: Mapped[str] = mapped_column(String(100))
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))

    @property
    def scope(self) -> EventScope:
        return workspace_scope(self.id)


class Membership(Stamped, Base):
    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("workspace_id", "user_id"),
        Index("ix_membership_user_id", "user_id"),  # every read of a person starts here
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("membership"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(enum_column(Role))


class Label(Editable, Base):
    __tablename__ = "label"
    __table_args__ = (UniqueConstraint("workspace_id", "name_folded"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("label"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))
    name_folded: Mapped[str] = mapped_column(String(100))
    colour: Mapped[str] = mapped_column(String(7))
