"""People and machines that sign in: users, their sessions, API keys."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import Editable, Stamped
from runtime.database import Base, Id
from runtime.ids import maker


class User(Editable, Base):
    """A person. Names and addresses are unique whatever their case: `…_folded` is what is compared."""

    __tablename__ = "user"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("user"))
    username: Mapped[str] = mapped_column(String(40))
    username_folded: Mapped[str] = mapped_column(String(80), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    email_folded: Mapped[str | None] = mapped_column(String(508), unique=True)
    nickname: Mapped[str | None] = mapped_column(String(80))
    first_name: Mapped[str | None] = mapped_column(String(80))
    last_name: Mapped[str | None] = mapped_column(String(80))
    password_hash: Mapped[str | None] = mapped_column(String(200))  # None: the local owner, who needs none
    is_active: Mapped[bool] = mapped_column(default=True)
    last_login_at: Mapped[datetime | None]


class AuthSession(Stamped, Base):
    """One refresh token. The tokens that grew from one login share a family: reusing an old one ends it."""

    __tablename__ = "auth_session"
    __table_args__ = (Index(None, "family_id"), Index(None, "user_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("session"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    family_id: Mapped[str] = mapped_column(Id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]  # idle: a token not used by then is dead
    family_expires_at: Mapped[datetime]  # absolute: however often it was rotated
    rotated_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str | None] = mapped_column(String(200))


class ApiKey(Stamped, Base):
    """A machine's credential. Shown once, kept as its hash."""

    __tablename__ = "api_key"
    __table_args__ = (Index(None, "workspace_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("key"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    board_id: Mapped[str | None] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16))  # what people recognise it by
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuthReason(enum.StrEnum):
    MISSING = "MISSING"
    EXPIRED = "EXPIRED"
    INVALID = "INVALID"
    REVOKED = "REVOKED"


class IdempotencyKey(Base):
    """What an operation answered, so that the same request again is answered the same and done once."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index(None, "expires_at"),)

    actor_id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    response: Mapped[str | None]  # sealed: an answer may hold a secret
    expires_at: Mapped[datetime]


def public(user: Any) -> str:
    """The name others see."""
    return str(user.nickname or user.username)
