"""What happens to the agent profiles of a workspace."""

import strawberry
from strawberry import ID

from models.event import EventKind as Kind
from resolvers.profile import PROFILE
from schema.actor import Change, changes
from schema.events.base import BoardEvent, event, found
from schema.events.workspace import AboutWorkspace
from schema.fields import payload_field
from schema.profile import AgentProfile


@strawberry.interface(description="Something that happened to an agent profile.")
class AboutAgentProfile(AboutWorkspace):
    profile_id: ID = payload_field("profile_id", "Which profile.")
    name: str = payload_field("name", "What it was called then.")
    profile: AgentProfile | None = found(
        PROFILE, "profile_id", "The profile as it is now; null once it is deleted."
    )


@event(Kind.AGENT_PROFILE_CREATED)
class AgentProfileCreated(AboutAgentProfile):
    """An agent profile was made."""


@event(Kind.AGENT_PROFILE_UPDATED)
class AgentProfileUpdated(AboutAgentProfile):
    """An agent profile was changed."""

    changes: list[Change] = changes()


@event(Kind.AGENT_PROFILE_DELETED)
class AgentProfileDeleted(AboutAgentProfile, BoardEvent):
    """An agent profile was deleted. Boards whose cards named it hear of it too: those cards name none now."""
