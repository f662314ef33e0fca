"""What clients may say about agent profiles."""

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
    """Something that can be done, and how well."""

    name: Annotated[str, "What."]
    level: Annotated[Skill, "How well."]


@node_type("profile")
class AgentProfile(Node):
    """How an agent is started: which program, which model, what it is told it is."""

    workspace_id: Annotated[ID, "Whose it is."]
    name: Annotated[str, "Unique in the workspace, whatever its case."]
    role: Annotated[AgentRole, "What it is for."]
    executor: Annotated[AgentProgram, "Which agent program works its runs."]
    model: Annotated[str | None, "Which model; null: the program's own."]
    persona: Annotated[str | None, "Told to the agent before everything else."]
    options: Annotated[JSON, "Of the program: text to text."]
    permission: Annotated[PermissionLevel, "What its agents may do without asking."]
    capabilities: list[Capability] = query_field(
        profiles.capabilities_of_profile, directives=[list_size(3, slicing=())]
    )
    max_concurrent: Annotated[int | None, "How many runs are worked at once on all boards; null is no limit."]
    enabled: Annotated[bool, "Whether new runs may be started with it."]
    version: Annotated[int, "Grows by one with every change."]
    created_at: Annotated[datetime, "When it was made."]
    updated_at: Annotated[datetime, "When it was last changed."]


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
