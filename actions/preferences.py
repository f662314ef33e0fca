"""Changes to a person's preferences."""

from dataclasses import replace
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from sqlalchemy import select

from actions import validation
from actions.account import lock_own_user
from actions.changes import apply_changes
from auth.permissions import sees_workspace
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from models.account import User
from models.actor import Actor
from models.events.account import UserUpdated
from models.notice import NotificationType
from models.preferences import CodingMode, DigestPeriod, preferences_of, stored_form
from models.refusal import Invalid, NotFound
from models.worker import AgentProfile

MAX_BRANCH_LENGTH = 200


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_time_zone(path: str, name: str) -> str:
    """Return the name of an IANA time zone. Raises Invalid."""
    if name not in _time_zones():
        raise Invalid((path, "is no IANA time zone; one is Europe/Paris"))
    return name


async def update_preferences(
    tx: Transaction,
    actor: Actor,
    *,
    time_zone: Annotated[Maybe[str], "IANA name of your time zone, such as Europe/Paris."] = None,
    base_branch: Annotated[Maybe[str | None], "Branch that runs begin from; null clears it."] = None,
    branch_prefix: Annotated[Maybe[str | None], "Prefix of new branches; null clears it."] = None,
    agent_profile_id: Annotated[Maybe[Id | None], "Agent profile for new runs; null clears it."] = None,
    coding_mode: Annotated[Maybe[CodingMode | None], "How agents work; null clears it."] = None,
    muted_notifications: Annotated[
        Maybe[list[NotificationType]], "The types of notification that you do not want."
    ] = None,
    mailed_notifications: Annotated[
        Maybe[list[NotificationType]], "The types of notification that you also get by mail, at once."
    ] = None,
    digest: Annotated[Maybe[DigestPeriod], "How often your unread notifications are mailed to you."] = None,
    if_version: IfVersion = None,
) -> User:
    """Change your preferences. Omitted fields stay. Raises Stale, or NotFound for a profile that you do not see."""
    changes = provided_fields(
        time_zone=time_zone,
        base_branch=base_branch,
        branch_prefix=branch_prefix,
        agent_profile_id=agent_profile_id,
        coding_mode=coding_mode,
        muted_notifications=muted_notifications,
        mailed_notifications=mailed_notifications,
        digest=digest,
    )
    user = await lock_own_user(tx, actor)
    user.expect(if_version)
    clean = _validate(changes)
    if clean.get("agent_profile_id") is not None:
        await _require_profile(tx, actor, clean["agent_profile_id"])
    preferences = replace(preferences_of(user.preferences), **clean)
    if (preferences.digest is DigestPeriod.OFF) is not (user.digest_at is None):
        user.digest_at = None if preferences.digest is DigestPeriod.OFF else utcnow()
    changed = apply_changes(user, {"preferences": stored_form(preferences) or None})
    if changed:
        tx.emit(user, UserUpdated(changes=changed))
        await tx.flush()  # the caller reads it
    return user


def _validate(changes: dict[str, Any]) -> dict[str, Any]:
    clean = dict(changes)
    if "time_zone" in clean:
        clean["time_zone"] = check_time_zone("timeZone", clean["time_zone"])
    for name, path in (("base_branch", "baseBranch"), ("branch_prefix", "branchPrefix")):
        if clean.get(name) is not None:
            clean[name] = validation.single_line(path, clean[name], MAX_BRANCH_LENGTH)
    for name, path in (
        ("muted_notifications", "mutedNotifications"),
        ("mailed_notifications", "mailedNotifications"),
    ):
        if name in clean:
            types = validation.at_most(path, clean[name], len(NotificationType), least=0)
            clean[name] = sorted(validation.distinct(path, types))
    return clean


async def _require_profile(tx: Transaction, actor: Actor, id: str) -> None:
    visible = AgentProfile.id == id, sees_workspace(actor, AgentProfile.workspace_id)
    if await tx.scalar(select(AgentProfile.id).where(*visible)) is None:
        raise NotFound(id)
