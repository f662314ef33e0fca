"""People and machines that sign in: users, their sessions, API keys."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, utcnow
from kit.db.transaction import EventScope
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, Stamped, enum_column
from models.topic import user_scope

KEY_PREFIX = "sb_"  # the prefix of every API key
LINK_LIFETIME = timedelta(minutes=15)  # of a link that signs a person in
TOKEN_LIFETIME = timedelta(hours=1)  # of a token that is mailed
MAX_KEYS = 100  # of a workspace that are not revoked


class User(Editable, Base):
    """A person. Names and addresses are unique ignoring case: the columns `…_folded` are compared."""

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
    email_confirmed_at: Mapped[datetime | None]
    avatar_url: Mapped[str | None] = mapped_column(String(80))
    preferences: Mapped[dict[str, Any] | None]  # None: the defaults
    digest_at: Mapped[datetime | None] = mapped_column(
        index=True
    )  # time of the last digest; None: they are off
    is_local: Mapped[bool] = mapped_column(default=False)  # a first owner without a password
    is_active: Mapped[bool] = mapped_column(default=True)
    last_login_at: Mapped[datetime | None]

    @property
    def scope(self) -> EventScope:
        return user_scope(self.id)


class AuthSession(Stamped, Base):
    """One login of a person. Ending it ends all its tokens."""

    __tablename__ = "auth_session"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("session"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    user_agent: Mapped[str | None] = mapped_column(String(200))
    used_at: Mapped[datetime] = mapped_column(default=utcnow)  # time of its last refresh
    expires_at: Mapped[datetime]  # regardless of refreshes
    revoked_at: Mapped[datetime | None]


class RefreshToken(Base):
    """A token in the chain of a login's refresh tokens. Using a token twice ends the login."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index(None, "session_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("auth_session.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]  # an unused token is invalid after this time
    rotated_at: Mapped[datetime | None]
    successor: Mapped[str | None] = mapped_column(String(64))  # hash of the token that followed


class SignInLink(Base):
    """A link that signs a person in once. Only its hash is stored; the row is deleted when the link is used."""

    __tablename__ = "sign_in_link"
    __table_args__ = (Index(None, "user_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class TokenPurpose(DescribedEnum):
    """The purpose of a token that was mailed."""

    PASSWORD_RESET = "PASSWORD_RESET", "Sets a new password."
    ADDRESS = "ADDRESS", "Confirms the address."


class AccountToken(Base):
    """A token that was mailed to a person. Only its hash is stored; the row is deleted when the token is used."""

    __tablename__ = "account_token"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    purpose: Mapped[TokenPurpose] = mapped_column(enum_column(TokenPurpose))
    email_folded: Mapped[str] = mapped_column(String(508))  # the address that it was mailed to
    expires_at: Mapped[datetime]


class ApiKey(Stamped, Base):
    """A credential of a program. It is shown once and stored as its hash."""

    __tablename__ = "api_key"
    __table_args__ = (Index(None, "workspace_id"), Index(None, "board_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("key"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    board_id: Mapped[str | None] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16))  # identifies it to people
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
    SECOND_FACTOR = "SECOND_FACTOR", "The password is right; the account asks for a code, too."


class EndReason(DescribedEnum):
    """The reason why a login was ended."""

    LOGOUT = "LOGOUT", "The person signed out."
    PASSWORD_CHANGED = "PASSWORD_CHANGED", "The password was changed."
    REUSED = "REUSED", "A refresh token was used twice, so it may have been stolen."
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED", "The account was erased."
    REPLACED = "REPLACED", "The person had too many logins, and this one was the least recently used."


class IdempotencyKey(Base):
    """The response of an operation. A repeated request gets it again and changes nothing."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index(None, "expires_at"),)

    actor_id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    response: Mapped[str | None]  # encrypted: it may contain a secret
    expires_at: Mapped[datetime]


def public(user: Any) -> str:
    """Return the display name of a user."""
    return str(user.nickname or user.username)


def access_of(id: str) -> str:
    """Return the topic that is woken when the access of a session or a key may have ended."""
    return f"access:{id}"
