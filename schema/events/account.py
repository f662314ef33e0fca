"""What happens to a person's account, and to the keys of a workspace."""

import strawberry
from strawberry import ID

from models.account import EndReason
from models.event import EventKind as Kind
from schema.actor import Change, changes
from schema.events.base import UserEvent, WorkspaceEvent, event
from schema.fields import payload_field


@event(Kind.USER_REGISTERED)
class UserRegistered(UserEvent):
    """You registered."""

    username: str = payload_field("username", "As whom.")


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

    session_id: ID = payload_field("session_id", "Which login, for `logout`.")
    user_agent: str | None = payload_field("user_agent", "What the client called itself.")


@event(Kind.SESSIONS_REVOKED)
class SessionsRevoked(UserEvent):
    """Logins of yours were ended."""

    session_ids: list[ID] = payload_field("session_ids", "Which.")
    reason: EndReason = payload_field("reason", "Why.")


@strawberry.interface(description="Something that happened to an API key.")
class AboutKey(WorkspaceEvent):
    key_id: ID = payload_field("key_id", "Which key.")
    name: str = payload_field("name", "What it is for.")
    prefix: str = payload_field("prefix", "How it begins.")


@event(Kind.API_KEY_CREATED)
class ApiKeyCreated(AboutKey):
    """A key was made."""


@event(Kind.API_KEY_REVOKED)
class ApiKeyRevoked(AboutKey):
    """A key was revoked."""
