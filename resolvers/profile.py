"""How agent profiles are answered, and the adapters of their changes."""

from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID, Maybe, Parent
from strawberry.scalars import JSON

import actions.profile
from actions.capability import CapabilityInput
from auth.permissions import sees_workspace
from kit.graphql.arguments import IfVersion, provided_fields
from models.run import PermissionLevel
from models.worker import AgentProfile, AgentProgram, AgentRole, Skill, needed
from resolvers.context import Info
from resolvers.loaders import Relation

PROFILE = Relation(
    select(AgentProfile.__table__),
    AgentProfile.id,
    lambda actor: sees_workspace(actor, AgentProfile.workspace_id),
)
PROFILES_OF_WORKSPACE = Relation(
    select(AgentProfile.__table__).order_by(AgentProfile.name_folded),
    AgentProfile.workspace_id,
    lambda actor: sees_workspace(actor, AgentProfile.workspace_id),
    many=True,
)


@dataclass(frozen=True)
class CapabilityRow:
    """Something that can be done, and how well."""

    name: str
    level: Skill


def capability_rows(skills: dict[str, Any]) -> list[CapabilityRow]:
    return [CapabilityRow(name, Skill(level)) for name, level in sorted(skills.items())]


async def agent_profiles(info: Info, workspace_id: Annotated[ID, "Of which workspace."]) -> Any:
    """The agent profiles of a workspace, by name. At most 100."""
    return await info.context.load(PROFILES_OF_WORKSPACE, workspace_id)


async def capabilities_of_profile(root: Parent[Any]) -> Any:
    """What a worker must be able to do, at least so well, to be given its runs."""
    return capability_rows(needed(root.capabilities))


async def create_agent_profile(
    info: Info,
    workspace_id: Annotated[ID, "In which workspace."],
    name: Annotated[str, "1 to 80 characters; unique in the workspace, whatever its case."],
    executor: Annotated[AgentProgram, "Which agent program works its runs."],
    role: Annotated[AgentRole, "What it is for."] = AgentRole.CODER,
    model: Annotated[
        str | None, "Which model, as the program calls it; the program's own if left out."
    ] = None,
    persona: Annotated[
        str | None, "Told to the agent before everything else: at most 20,000 characters."
    ] = None,
    options: Annotated[
        JSON | None, "Of the program: text to text, at most 50, each 2,000 characters. Not for secrets."
    ] = None,
    permission: Annotated[
        PermissionLevel, "What its agents may do without asking; only admins start a run that may do more."
    ] = PermissionLevel.AUTONOMOUS,
    capabilities: Annotated[
        list[CapabilityInput] | None, "What a worker must be able to do to be given its runs: at most 50."
    ] = None,
    max_concurrent: Annotated[
        int | None, "Runs worked at once on all boards: 1 to 1,000; no limit if left out."
    ] = None,
    enabled: Annotated[bool, "Whether new runs may be started with it."] = True,
) -> Any:
    """Make an agent profile. A workspace has at most 100. Admins only."""
    values = {
        "name": name,
        "executor": executor,
        "role": role,
        "model": model,
        "persona": persona,
        "options": options,
        "permission": permission,
        "capabilities": capabilities or [],
        "max_concurrent": max_concurrent,
        "enabled": enabled,
    }
    async with info.context.transaction() as tx:
        return await actions.profile.create_agent_profile(tx, info.context.actor, workspace_id, values)


async def update_agent_profile(
    info: Info,
    id: Annotated[ID, "Which profile."],
    name: Annotated[Maybe[str], "1 to 80 characters; unique in the workspace, whatever its case."],
    executor: Annotated[Maybe[AgentProgram], "Which agent program works its runs."],
    role: Annotated[Maybe[AgentRole], "What it is for."],
    model: Annotated[Maybe[str | None], "Which model; null: the program's own."],
    persona: Annotated[Maybe[str | None], "Told to the agent before everything else; null clears it."],
    options: Annotated[Maybe[JSON | None], "Of the program: text to text; all of them. Null clears them."],
    permission: Annotated[
        Maybe[PermissionLevel],
        "What its agents may do without asking; only admins start a run that may do more.",
    ],
    capabilities: Annotated[
        Maybe[list[CapabilityInput] | None], "What a worker must be able to do: all of it. Null clears it."
    ],
    max_concurrent: Annotated[Maybe[int | None], "Runs worked at once on all boards; null lifts the limit."],
    enabled: Annotated[Maybe[bool], "Whether new runs may be started with it."],
    if_version: IfVersion = None,
) -> Any:
    """Change an agent profile. What is left out stays, null clears. Admins only.

    A run that was claimed goes on as it was started; a limit holds from the next claim on.
    """
    changes = provided_fields(
        name=name,
        executor=executor,
        role=role,
        model=model,
        persona=persona,
        options=options,
        permission=permission,
        capabilities=capabilities,
        max_concurrent=max_concurrent,
        enabled=enabled,
    )
    if "capabilities" in changes:
        changes["capabilities"] = changes["capabilities"] or []
    async with info.context.transaction() as tx:
        return await actions.profile.update_agent_profile(
            tx, info.context.actor, id, changes, if_version=if_version
        )


async def delete_agent_profile(
    info: Info, id: Annotated[ID, "Which profile."], if_version: IfVersion = None
) -> Any:
    """Delete an agent profile. Its runs that are not finished keep their program. Admins only.

    Cards and boards that name it name none then. Answers the profile as it was.
    """
    async with info.context.transaction() as tx:
        return await actions.profile.delete_agent_profile(tx, info.context.actor, id, if_version=if_version)
