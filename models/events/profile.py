"""Events of the agent profiles of a workspace."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.events.base import BoardEvent, Changes
from models.events.workspace import WorkspaceScopedEvent
from models.worker import AgentProfile


class AgentProfileEvent(WorkspaceScopedEvent):
    """A change to an agent profile."""

    subject_field = "profile_id"

    profile_id: Annotated[Id, "The profile."]
    name: Annotated[str, "Its name at that time."]


class ProfileFacts(TypedDict):
    workspace_id: str
    profile_id: str
    name: str


def profile_facts(profile: AgentProfile) -> ProfileFacts:
    """Return the fields that all events of a profile share."""
    return {"workspace_id": profile.workspace_id, "profile_id": profile.id, "name": profile.name}


class AgentProfileCreated(AgentProfileEvent):
    """An agent profile was created."""


class AgentProfileUpdated(AgentProfileEvent):
    """An agent profile was changed."""

    changes: Changes


class AgentProfileDeleted(AgentProfileEvent, BoardEvent):
    """An agent profile was deleted, and is no longer the profile of any card.

    The feeds of boards whose cards named it have it too.
    """
