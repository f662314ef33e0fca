"""Validation of a board policy: bounds of numbers, lengths of text, git references and URLs."""

from typing import Any

from actions import git
from models.policy import BOUNDS, MAX_LENGTHS
from models.refusal import Invalid

GIT_VALIDATORS = {  # an empty value means the worker's own
    "repository": git.validate_repository_url,
    "base_branch": git.validate_ref,
    "branch_template": git.validate_branch_template,
}


def changed_policy(stored: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Apply changes to a stored policy; None restores a default. Returns the policy to store. Raises Invalid."""
    policy = dict(stored or {})
    for name, value in changes.items():
        if value is None:
            policy.pop(name, None)
        else:
            policy[name] = _validate(name, value)
    return policy


def _validate(name: str, value: Any) -> Any:
    """Return a value as it is stored. Raises Invalid."""
    head, *rest = name.split("_")
    path = head + "".join(word.capitalize() for word in rest)
    if name in BOUNDS:
        low, high = BOUNDS[name]
        if not low <= value <= high:
            raise Invalid((path, f"must be {low} to {high}, not {value}"))
    if name in MAX_LENGTHS and (len(value) > MAX_LENGTHS[name] or "\0" in value):
        raise Invalid((path, f"must have at most {MAX_LENGTHS[name]} characters, and no NUL"))
    if name not in GIT_VALIDATORS:
        return value
    if value.strip() or name == "branch_template":
        return GIT_VALIDATORS[name](path, value)
    return ""
