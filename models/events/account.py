"""Events of a person's account, and of the API keys of a workspace."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.account import EndReason
from models.events.base import Changes, UserEvent, WorkspaceEvent
from models.identity import SignInProvider


class UserRegistered(UserEvent):
    """You registered."""

    username: Annotated[str, "Your username."]


class UserUpdated(UserEvent):
    """You changed your account."""

    changes: Changes


class PasswordChanged(UserEvent):
    """Your password was changed."""

    account_id: Annotated[Id, "Your user id."]


class SecondFactorAdded(UserEvent):
    """You turned a second factor on."""

    account_id: Annotated[Id, "Your user id."]


class SecondFactorRemoved(UserEvent):
    """Your second factor was removed."""

    account_id: Annotated[Id, "Your user id."]


class AddressConfirmed(UserEvent):
    """Your e-mail address was confirmed."""

    account_id: Annotated[Id, "Your user id."]


class IdentityEvent(UserEvent):
    """A change to your identities at other servers."""

    provider: Annotated[SignInProvider, "The provider."]
    name: Annotated[str, "Your name there."]


class IdentityLinked(IdentityEvent):
    """You linked an identity."""


class IdentityUnlinked(IdentityEvent):
    """You unlinked an identity."""


class SessionStarted(UserEvent):
    """You signed in."""

    session_id: Annotated[Id, "The session, for `logout`."]
    user_agent: Annotated[str | None, "The client's User-Agent."]


class SessionsRevoked(UserEvent):
    """Sessions of yours were ended."""

    session_ids: Annotated[list[Id], "The sessions."]
    reason: Annotated[EndReason, "The reason."]


class ApiKeyEvent(WorkspaceEvent):
    """A change to an API key."""

    subject_field = "key_id"

    workspace_id: str
    key_id: Annotated[Id, "The key."]
    name: Annotated[str, "Its name."]
    prefix: Annotated[str, "The beginning of the key."]


class ApiKeyCreated(ApiKeyEvent):
    """An API key was created."""


class ApiKeyRevoked(ApiKeyEvent):
    """An API key was revoked."""
