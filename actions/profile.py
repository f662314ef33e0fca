"""What can be done to a workspace's agent profiles. How many runs one works at once is kept by the queue."""

import json
from typing import Any

from sqlalchemy import delete, func, select

from actions import validation
from actions.changes import apply_changes
from actions.profile_choice import clear_profile
from auth.locking import lock_profile, lock_workspace
from kit.db.transaction import Transaction
from kit.queue import key_cap, set_cap
from models.actor import Actor
from models.events.profile import AgentProfileCreated, AgentProfileDeleted, AgentProfileUpdated, profile_facts
from models.refusal import Conflict, Invalid
from models.topic import board_topic, workspace_scope
from models.worker import MAX_OPTIONS, MAX_PROFILES, OPTION, PERSONA, AgentProfile, needs, skills_of

FOLDED = AgentProfile.name_folded.type.length
MAX_CONCURRENT = 1_000


async def create_agent_profile(
    tx: Transaction, actor: Actor, workspace_id: str, values: dict[str, Any]
) -> AgentProfile:
    """Make a profile. Its name is unique in the workspace, whatever its case. An admin's to make."""
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    clean = await _checked(tx, workspace.id, None, values)
    here = select(func.count()).select_from(AgentProfile).where(AgentProfile.workspace_id == workspace.id)
    if (await tx.scalar(here) or 0) >= MAX_PROFILES:
        raise Conflict(f"A workspace has at most {MAX_PROFILES} agent profiles")
    profile = AgentProfile(workspace_id=workspace.id, **clean)
    tx.add(profile)
    await tx.flush()  # generates profile.id
    await _keep_cap(tx, profile)
    tx.emit(workspace_scope(profile.workspace_id), AgentProfileCreated(**profile_facts(profile)))
    return profile


async def update_agent_profile(
    tx: Transaction, actor: Actor, id: str, changes: dict[str, Any], *, if_version: int | None = None
) -> AgentProfile:
    """Change a profile. Runs that were claimed go on as they were started."""
    profile = await lock_profile(tx, actor, id)
    profile.expect(if_version)
    clean = await _checked(tx, profile.workspace_id, profile.id, changes)
    profile.name_folded = clean.pop("name_folded", profile.name_folded)
    told = apply_changes(profile, clean)
    if told:
        for name in told.keys() & {"options", "capabilities"}:
            told[name] = [json.dumps(value, sort_keys=True) for value in told[name]]
        updated = AgentProfileUpdated(**profile_facts(profile), changes=told)
        tx.emit(workspace_scope(profile.workspace_id), updated)
    if "max_concurrent" in told:
        await _keep_cap(tx, profile)
    return profile


async def delete_agent_profile(
    tx: Transaction, actor: Actor, id: str, *, if_version: int | None = None
) -> AgentProfile:
    """Delete a profile. Cards and boards name it no more; its runs keep their executor and lose its limit."""
    profile = await lock_profile(tx, actor, id)
    profile.expect(if_version)
    await set_cap(tx, key_cap(profile.id), None, tenant=profile.workspace_id)
    boards = await clear_profile(tx, profile)
    await tx.execute(delete(AgentProfile).where(AgentProfile.id == profile.id))
    tx.expunge(profile)
    deleted = AgentProfileDeleted(**profile_facts(profile))
    tx.emit(workspace_scope(profile.workspace_id), deleted, also=map(board_topic, sorted(boards)))
    return profile


async def _keep_cap(tx: Transaction, profile: AgentProfile) -> None:
    await set_cap(tx, key_cap(profile.id), profile.max_concurrent, tenant=profile.workspace_id)


async def _checked(
    tx: Transaction, workspace_id: str, id: str | None, values: dict[str, Any]
) -> dict[str, Any]:
    """The fields of a profile, cleaned. The caller holds the workspace."""
    clean = dict(values)
    for name in clean.keys() & {"name", "role", "executor", "permission", "enabled"}:
        validation.required(name, clean[name])
    if clean.get("model") is not None:
        clean["model"] = validation.single_line("model", clean["model"], 100)
    if clean.get("persona") is not None:
        clean["persona"] = validation.multiline("persona", clean["persona"], PERSONA) or None
    if "options" in clean:
        clean["options"] = validation.pairs("options", clean["options"], MAX_OPTIONS, longest=OPTION)
    if "capabilities" in clean:
        clean["capabilities"] = needs(skills_of("capabilities", clean["capabilities"] or ()))
    if "max_concurrent" in clean:
        validation.in_range("maxConcurrent", clean["max_concurrent"], 1, MAX_CONCURRENT)
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], 80)
        clean["name_folded"] = validation.folded(clean["name"])
        if len(clean["name_folded"]) > FOLDED:  # folding may triple a letter
            raise Invalid(("name", "is too long once its case is folded"))
        same = AgentProfile.workspace_id == workspace_id, AgentProfile.name_folded == clean["name_folded"]
        taken = await tx.scalar(select(AgentProfile.id).where(*same))
        if taken not in (None, id):
            raise Conflict("Another agent profile of the workspace has that name", taken)
    return clean
