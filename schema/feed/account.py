"""What happens to a person's account, and to the keys of a workspace."""

import strawberry
from strawberry import ID

from models.account import EndReason
from models.event import EventKind as Kind
from schema.actor import Change, changes
from schema.feed.base import UserEvent, WorkspaceEvent, event
from schema.view import told


@event(Kind.USER_REGISTERED)
class UserRegistered(UserEvent):
    """You registered."""

    username: str = told("username", "As whom.")


@event(Kind.USER_UPDATED)
class UserUpdated(UserEvent):
    """You changed your account."""

    changes: list[Change] = changes()


@event(Kind.PASSWORD_CHANGED)
class PasswordChanged(UserEvent):
    """Your password was changed."""


@event(Kind.SESSION_STARTED)
class SessionStarted(UserEvent):
    """You signed in."""

    session_id: ID = told("session_id", "Which login, for `logout`.")
    user_agent: str | None = told("user_agent", "What the client called itself.")


@event(Kind.SESSIONS_REVOKED)
class SessionsRevoked(UserEvent):
    """Logins of yours were ended."""

    session_ids: list[ID] = told("session_ids", "Which.")
    reason: EndReason = told("reason", "Why.")


@strawberry.interface(description="Something that happened to an API key.")
class AboutKey(WorkspaceEvent):
    key_id: ID = told("key_id", "Which key.")
    name: str = told("name", "What it is for.")
    prefix: str = told("prefix", "How it begins.")


@event(Kind.API_KEY_CREATED)
class ApiKeyCreated(AboutKey):
    """A key was made."""


@event(Kind.API_KEY_REVOKED)
class ApiKeyRevoked(AboutKey):
    """A key was revoked."""
