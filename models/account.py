"""People and machines that sign in: users, their sessions, API keys."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, utcnow
from kit.db.transaction import EventScope
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, Stamped
from models.topic import user_scope

KEY_PREFIX = "sb_"  # how every API key begins
LINK_LIFETIME = timedelta(minutes=15)  # of a link that signs a person in
MAX_KEYS = 100  # of a workspace that are not revoked


class User(Editable, Base):
    """A person. Names and addresses are unique whatever their case: `…_folded` is what is compared."""

    __tablename__ = "user"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("user"))
    username: Mapped[str] = mapped_column(String(40))
    username_folded: Mapped[str] = mapped_column(String(120), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    email_folded: Mapped[str | None] = mapped_column(String(508), unique=True)
    nickname: Mapped[str | None] = mapped_column(String(80))
    first_name: Mapped[str | None] = mapped_column(String(80))
    last_name: Mapped[str | None] = mapped_column(String(80))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_local: Mapped[bool] = mapped_column(default=False)  # the first owner, until there is a password
    is_active: Mapped[bool] = mapped_column(default=True)
    last_login_at: Mapped[datetime | None]

    @property
    def scope(self) -> EventScope:
        return user_scope(self.id)


class AuthSession(Stamped, Base):
    """One login of a person. Ending it ends every token that came of it."""

    __tablename__ = "auth_session"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("session"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    user_agent: Mapped[str | None] = mapped_column(String(200))
    used_at: Mapped[datetime] = mapped_column(default=utcnow)  # when it was last refreshed
    expires_at: Mapped[datetime]  # absolute: however often it is refreshed
    revoked_at: Mapped[datetime | None]


class RefreshToken(Base):
    """One link in the chain of a login's refresh tokens. Using one twice ends the login."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index(None, "session_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("auth_session.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]  # idle: a token not used by then is dead
    rotated_at: Mapped[datetime | None]
    successor: Mapped[str | None] = mapped_column(String(64))  # hash of the token that followed


class SignInLink(Base):
    """A link that signs a person in once. Its token is in the link alone; the row goes when it is used."""

    __tablename__ = "sign_in_link"
    __table_args__ = (Index(None, "user_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class ApiKey(Stamped, Base):
    """A machine's credential. Shown once, kept as its hash."""

    __tablename__ = "api_key"
    __table_args__ = (Index(None, "workspace_id"), Index(None, "board_id"))

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


class AuthReason(DescribedEnum):
    """The reason why a caller is not authenticated."""

    MISSING = "MISSING", "No credential was sent."
    EXPIRED = "EXPIRED", "The credential has expired: refresh it, or sign in again."
    INVALID = "INVALID", "The credential is unknown."
    REVOKED = "REVOKED", "The credential was revoked: signed out, replaced, or its account was closed."


class EndReason(DescribedEnum):
    """The reason why a login was ended."""

    LOGOUT = "LOGOUT", "The person signed out."
    PASSWORD_CHANGED = "PASSWORD_CHANGED", "The password was changed."
    REUSED = "REUSED", "A refresh token was used twice, so it may have been stolen."
    REPLACED = "REPLACED", "The person had too many logins, and this one was the least recently used."


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


def access_of(id: str) -> str:
    """What is woken when the access of a session or a key may have ended."""
    return f"access:{id}"
