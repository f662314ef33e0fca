"""Changes to agent profiles. A profile's limit on concurrent runs is stored as a cap of the queue."""

import json
from typing import Annotated, Any, TypedDict, Unpack

from sqlalchemy import delete, func, select

from actions import validation
from actions.capability import Capability
from actions.changes import apply_changes
from actions.profile_choice import clear_profile
from auth.locking import lock_profile, lock_workspace
from kit.db.transaction import Transaction
from kit.graphql.arguments import JSON, Id, IfVersion, Maybe, provided_fields
from kit.queue import key_cap, set_cap
from models.actor import Actor
from models.events.profile import AgentProfileCreated, AgentProfileDeleted, AgentProfileUpdated, profile_facts
from models.refusal import Conflict, Invalid
from models.run import PermissionLevel
from models.topic import board_topic, workspace_scope
from models.worker import (
    MAX_OPTION_LENGTH,
    MAX_OPTIONS,
    MAX_PERSONA_LENGTH,
    MAX_PROFILES,
    AgentProfile,
    AgentProgram,
    AgentRole,
    needs,
    skills_of,
)

MAX_FOLDED_LENGTH = AgentProfile.name_folded.type.length
MAX_CONCURRENT = 1_000


async def create_agent_profile(
    tx: Transaction,
    actor: Actor,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    name: Annotated[str, "1 to 80 characters, unique in the workspace ignoring case."],
    executor: Annotated[AgentProgram, "The agent program of its runs."],
    role: Annotated[AgentRole, "Its role."] = AgentRole.CODER,
    model: Annotated[
        str | None, "The model, by the program's name for it; default: the program's default."
    ] = None,
    persona: Annotated[str | None, "Text that starts the agent's prompt, at most 20,000 characters."] = None,
    options: Annotated[
        JSON | None,
        "Options of the program: at most 50 texts of at most 2,000 characters, by name. Not for secrets.",
    ] = None,
    permission: Annotated[
        PermissionLevel, "Permission level of its runs; only admins may start a run with a higher one."
    ] = PermissionLevel.AUTONOMOUS,
    capabilities: Annotated[
        list[Capability] | None, "Capabilities that a worker needs for its runs, at most 50."
    ] = None,
    max_concurrent: Annotated[
        int | None, "Maximum number of concurrent runs on all boards, 1 to 1,000; default: no limit."
    ] = None,
    enabled: Annotated[bool, "Whether new runs may use it."] = True,
) -> AgentProfile:
    """Create an agent profile. A workspace has at most 100.

    Raises Conflict if another profile of the workspace has that name.
    """
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    values = {
        "name": name,
        "executor": executor,
        "role": role,
        "model": model,
        "persona": persona,
        "options": options,
        "permission": permission,
        "capabilities": capabilities,
        "max_concurrent": max_concurrent,
        "enabled": enabled,
    }
    clean = await _validate(tx, workspace.id, None, values)
    profiles = select(func.count()).where(AgentProfile.workspace_id == workspace.id)
    if (await tx.scalar(profiles) or 0) >= MAX_PROFILES:
        raise Conflict(f"A workspace has at most {MAX_PROFILES} agent profiles")
    profile = AgentProfile(workspace_id=workspace.id, **clean)
    tx.add(profile)
    await tx.flush()  # generates profile.id
    await _update_queue_cap(tx, profile)
    tx.emit(workspace_scope(profile.workspace_id), AgentProfileCreated(**profile_facts(profile)))
    return profile


class ProfileChanges(TypedDict, total=False):
    """The fields of a profile that a client may change."""

    name: Annotated[Maybe[str], "1 to 80 characters, unique in the workspace ignoring case."]
    executor: Annotated[Maybe[AgentProgram], "The agent program of its runs."]
    role: Annotated[Maybe[AgentRole], "Its role."]
    model: Annotated[Maybe[str | None], "The model; null restores the program's default."]
    persona: Annotated[Maybe[str | None], "Text that starts the agent's prompt; null clears it."]
    options: Annotated[Maybe[JSON | None], "All options of the program, texts by name; null clears them."]
    permission: Annotated[
        Maybe[PermissionLevel], "Permission level of its runs; only admins may start a run with a higher one."
    ]
    capabilities: Annotated[
        Maybe[list[Capability] | None], "All capabilities that a worker needs for its runs; null clears them."
    ]
    max_concurrent: Annotated[
        Maybe[int | None], "Maximum number of concurrent runs on all boards; null removes the limit."
    ]
    enabled: Annotated[Maybe[bool], "Whether new runs may use it."]


async def update_agent_profile(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The agent profile."],
    if_version: IfVersion = None,
    **fields: Unpack[ProfileChanges],
) -> AgentProfile:
    """Change an agent profile. Omitted fields stay; null clears.

    Runs that are claimed keep the profile they were started with; a limit applies from the next claim.
    Raises Stale, or Conflict if another profile of the workspace has that name.
    """
    profile = await lock_profile(tx, actor, id)
    profile.expect(if_version)
    clean = await _validate(tx, profile.workspace_id, profile.id, provided_fields(**fields))
    profile.name_folded = clean.pop("name_folded", profile.name_folded)
    changed = apply_changes(profile, clean)
    if changed:
        for name in changed.keys() & {"options", "capabilities"}:
            changed[name] = [json.dumps(value, sort_keys=True) for value in changed[name]]
        updated = AgentProfileUpdated(**profile_facts(profile), changes=changed)
        tx.emit(workspace_scope(profile.workspace_id), updated)
    if "max_concurrent" in changed:
        await _update_queue_cap(tx, profile)
    return profile


async def delete_agent_profile(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The agent profile."], if_version: IfVersion = None
) -> AgentProfile:
    """Delete an agent profile and remove it from its cards and boards. Returns the profile as it was.

    Its unfinished runs keep their program and lose its limit. Raises Stale.
    """
    profile = await lock_profile(tx, actor, id)
    profile.expect(if_version)
    await set_cap(tx, key_cap(profile.id), None, tenant=profile.workspace_id)
    boards = await clear_profile(tx, profile)
    await tx.execute(delete(AgentProfile).where(AgentProfile.id == profile.id))
    tx.expunge(profile)
    deleted = AgentProfileDeleted(**profile_facts(profile))
    tx.emit(workspace_scope(profile.workspace_id), deleted, also=map(board_topic, sorted(boards)))
    return profile


async def _update_queue_cap(tx: Transaction, profile: AgentProfile) -> None:
    await set_cap(tx, key_cap(profile.id), profile.max_concurrent, tenant=profile.workspace_id)


async def _validate(
    tx: Transaction, workspace_id: str, id: str | None, values: dict[str, Any]
) -> dict[str, Any]:
    """Return the fields of a profile as they are stored. The caller holds the workspace's lock.

    Raises Invalid, or Conflict if another profile has the name.
    """
    clean = dict(values)
    for name in clean.keys() & {"name", "role", "executor", "permission", "enabled"}:
        validation.required(name, clean[name])
    if clean.get("model") is not None:
        clean["model"] = validation.single_line("model", clean["model"], 100)
    if clean.get("persona") is not None:
        clean["persona"] = validation.multiline("persona", clean["persona"], MAX_PERSONA_LENGTH) or None
    if "options" in clean:
        clean["options"] = validation.pairs(
            "options", clean["options"], MAX_OPTIONS, longest=MAX_OPTION_LENGTH
        )
    if "capabilities" in clean:
        clean["capabilities"] = needs(skills_of("capabilities", clean["capabilities"] or ()))
    if "max_concurrent" in clean:
        validation.in_range("maxConcurrent", clean["max_concurrent"], 1, MAX_CONCURRENT)
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], 80)
        clean["name_folded"] = validation.folded(clean["name"])
        if len(clean["name_folded"]) > MAX_FOLDED_LENGTH:  # folding may triple a letter
            raise Invalid(("name", "is too long after case folding"))
        query = select(AgentProfile.id).where(AgentProfile.workspace_id == workspace_id)
        existing = await tx.scalar(query.where(AgentProfile.name_folded == clean["name_folded"]))
        if existing not in (None, id):
            raise Conflict("Another agent profile of the workspace has that name", existing)
    return clean
