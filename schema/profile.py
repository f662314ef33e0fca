"""Agent profiles: the types, their query and mutations."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

import actions.profile
import resolvers.profile
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.run import PermissionLevel
from models.worker import MAX_PROFILES, AgentProgram, AgentRole, Skill
from resolvers import profile as profiles
from schema.fields import mutation, node_type, query_field, result_type
from schema.refusal import Conflict, Stale


@result_type(resolvers.profile.CapabilityRow)
class Capability:
    """A capability and its level."""

    name: Annotated[str, "Its name, in lower case."]
    level: Annotated[Skill, "Its level."]


@node_type("profile")
class AgentProfile(Node):
    """The configuration of an agent: its program, model, persona and permission."""

    workspace_id: Annotated[ID, "The workspace."]
    name: Annotated[str, "Unique in the workspace ignoring case."]
    role: Annotated[AgentRole, "Its role."]
    executor: Annotated[AgentProgram, "The agent program of its runs."]
    model: Annotated[str | None, "The model; null: the program's default."]
    persona: Annotated[str | None, "Text that starts the agent's prompt; null if there is none."]
    options: Annotated[JSON, "Options of the program, texts by name."]
    permission: Annotated[PermissionLevel, "Permission level of its runs."]
    capabilities: list[Capability] = query_field(
        profiles.capabilities_of_profile, directives=[list_size(3, slicing=())]
    )
    max_concurrent: Annotated[int | None, "Maximum number of concurrent runs on all boards; null: no limit."]
    enabled: Annotated[bool, "Whether new runs may use it."]
    version: Annotated[int, "Increases by one with every change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of the last change."]


@strawberry.type
class ProfileQuery:
    agent_profiles: list[AgentProfile] = query_field(
        profiles.agent_profiles, directives=[list_size(MAX_PROFILES, slicing=())]
    )


@strawberry.type
class ProfileMutation:
    create_agent_profile = mutation(
        actions.profile.create_agent_profile, AgentProfile, Conflict, requires=Access.ADMIN
    )
    update_agent_profile = mutation(
        actions.profile.update_agent_profile, AgentProfile, Stale, Conflict, requires=Access.ADMIN
    )
    delete_agent_profile = mutation(
        actions.profile.delete_agent_profile, AgentProfile, Stale, requires=Access.ADMIN
    )
