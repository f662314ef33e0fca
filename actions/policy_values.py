"""Validation of a board policy: bounds of numbers, lengths of text, git references and URLs."""

from typing import Any

from actions import git
from models.policy import BOUNDS, MAX_LENGTHS
from models.refusal import Invalid

GIT = {  # "" is the worker's own
    "repository": git.validate_repository_url,
    "base_branch": git.validate_ref,
    "branch_template": git.validate_branch_template,
}


def changed_policy(stored: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """What to store after a change; None puts a value back to its default. Raises Invalid."""
    found = dict(stored or {})
    for name, value in changes.items():
        if value is None:
            found.pop(name, None)
            continue
        found[name] = _checked(name, value)
    return found


def _checked(name: str, value: Any) -> Any:
    """Return a value as it is kept. Raises Invalid."""
    head, *rest = name.split("_")
    path = head + "".join(word.capitalize() for word in rest)
    if name in BOUNDS:
        low, high = BOUNDS[name]
        if not low <= value <= high:
            raise Invalid((path, f"must be {low} to {high}, not {value}"))
    if name in MAX_LENGTHS and (len(value) > MAX_LENGTHS[name] or "\0" in value):
        raise Invalid((path, f"must have at most {MAX_LENGTHS[name]} characters, none of them NUL"))
    if name in GIT and (value.strip() or name == "branch_template"):
        return GIT[name](path, value)
    return value.strip() if name in GIT else value
