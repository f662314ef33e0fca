"""Preferences of a person, stored as JSON with the account."""

from dataclasses import asdict, dataclass, field
from typing import Any

from kit.described_enum import DescribedEnum
from models.notice import NotificationType

UTC_ZONE = "UTC"


class DigestPeriod(DescribedEnum):
    """How often your unread notifications are mailed to you."""

    OFF = "OFF", "Never."
    DAILY = "DAILY", "Every day, from eight o'clock in your time zone."
    WEEKLY = "WEEKLY", "Every Monday, from eight o'clock in your time zone."


class CodingMode(DescribedEnum):
    """How much of its work an agent decides by itself."""

    INTERACTIVE = "INTERACTIVE", "It asks before each step."
    SEMI_AUTO = "SEMI_AUTO", "It asks before steps that are hard to undo."
    FULL_AUTO = "FULL_AUTO", "It asks only if it cannot go on."


@dataclass(frozen=True)
class Preferences:
    """Preferences with their defaults."""

    time_zone: str = UTC_ZONE
    base_branch: str | None = None
    branch_prefix: str | None = None
    agent_profile_id: str | None = None
    coding_mode: CodingMode | None = None
    muted_notifications: list[NotificationType] = field(default_factory=list)
    mailed_notifications: list[NotificationType] = field(default_factory=list)
    digest: DigestPeriod = DigestPeriod.OFF


def preferences_of(stored: dict[str, Any] | None) -> Preferences:
    """Read stored preferences. What an earlier version stored and this one does not know is left out."""
    given = {
        name: value for name, value in (stored or {}).items() if name in Preferences.__dataclass_fields__
    }
    types: dict[str, list[NotificationType]] = {}
    for name in ("muted_notifications", "mailed_notifications"):
        known = given.pop(name, ())
        types[name] = sorted(one for one in NotificationType if one in known)
    digest = given.pop("digest", DigestPeriod.OFF)
    mode = given.pop("coding_mode", None)
    return Preferences(
        **given,
        coding_mode=CodingMode(mode) if mode in list(CodingMode) else None,
        digest=DigestPeriod(digest) if digest in list(DigestPeriod) else DigestPeriod.OFF,
        muted_notifications=types["muted_notifications"],
        mailed_notifications=types["mailed_notifications"],
    )


def stored_form(preferences: Preferences) -> dict[str, Any]:
    """Return preferences as they are stored: without those that have their default."""
    default = asdict(Preferences())
    return {name: value for name, value in asdict(preferences).items() if value != default[name]}
