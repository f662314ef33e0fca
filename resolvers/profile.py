"""Reads of agent profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import select
from strawberry import ID, Parent

from auth.permissions import sees_workspace
from models.worker import AgentProfile, Skill, needed
from resolvers.context import Info
from resolvers.loaders import Relation

PROFILE = Relation[AgentProfile | None](
    select(AgentProfile.__table__),
    AgentProfile.id,
    lambda actor: sees_workspace(actor, AgentProfile.workspace_id),
)
PROFILES_OF_WORKSPACE = Relation[Sequence[AgentProfile]](
    select(AgentProfile.__table__).order_by(AgentProfile.name_folded),
    AgentProfile.workspace_id,
    lambda actor: sees_workspace(actor, AgentProfile.workspace_id),
    many=True,
)


@dataclass(frozen=True)
class CapabilityRow:
    """A capability and its level."""

    name: str
    level: Skill


def capability_rows(skills: Mapping[str, str]) -> list[CapabilityRow]:
    """List capabilities by name."""
    return [CapabilityRow(name, Skill(level)) for name, level in sorted(skills.items())]


async def agent_profiles(info: Info, workspace_id: Annotated[ID, "The workspace."]) -> Sequence[AgentProfile]:
    """The agent profiles of a workspace, by name. At most 100."""
    return await info.context.load(PROFILES_OF_WORKSPACE, workspace_id)


async def capabilities_of_profile(root: Parent[AgentProfile]) -> list[CapabilityRow]:
    """Capabilities that a worker needs for its runs, each at this level or a higher one."""
    return capability_rows(needed(root.capabilities))
