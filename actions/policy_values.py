"""Validation of a board policy: bounds of numbers, lengths of text, git references and URLs."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from actions import git, validation
from kit.graphql.types import input_type
from models.approval import ApprovalKind, Approver
from models.check import MAX_CHECK_NAME_LENGTH, CheckKind
from models.policy import (
    BOUNDS,
    DEFAULT_CHECK_SECONDS,
    MAX_CHECK_SECONDS,
    MAX_COMMAND_LENGTH,
    MAX_GLOB_LENGTH,
    MAX_GLOBS,
    MAX_LENGTHS,
    MAX_REQUIRED_CHECKS,
)
from models.refusal import Invalid


@input_type
class RequiredCheckInput:
    """A check that must pass before a merge."""

    kind: Annotated[CheckKind, "The kind."]
    name: Annotated[str, "1 to 100 characters; unique for a kind."]
    command: Annotated[
        str,
        "Command that workers run in the worktree with `sh -c`, at most 2,000 characters. Empty: the result comes"
        " from the code host.",
    ] = ""
    seconds: Annotated[int, "Time limit of the command, 1 to 7,200 seconds."] = DEFAULT_CHECK_SECONDS


@input_type
class RequiredApprovalInput:
    """A step that must be approved."""

    kind: Annotated[ApprovalKind, "The step."]
    by: Annotated[Approver, "The callers whose approval counts."] = Approver.PERSON


AUTHOR = re.compile(r"[^<>\x00-\x1f]{1,100} <[^<>@\s]{1,64}@[^<>@\s]{1,190}>")


def _validate_author(path: str, text: str) -> str:
    """Return the author of commits: a name and an address."""
    if not AUTHOR.fullmatch(text.strip()):
        raise Invalid((path, "must be written Name <name@example.com>"))
    return text.strip()


GIT_VALIDATORS = {  # an empty value means the worker's own
    "repository": git.validate_repository_url,
    "base_branch": git.validate_ref,
    "subfolder": git.validate_path,
    "commit_author": _validate_author,
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
    if name in LIST_VALIDATORS:
        return LIST_VALIDATORS[name](path, value)
    if name not in GIT_VALIDATORS:
        return value
    if value.strip() or name == "branch_template":
        return GIT_VALIDATORS[name](path, value)
    return ""


def _validate_checks(path: str, checks: Sequence[RequiredCheckInput]) -> list[dict[str, Any]]:
    validation.at_most(path, list(checks), MAX_REQUIRED_CHECKS, least=0)
    clean = [_validate_check(f"{path}.{place}", check) for place, check in enumerate(checks)]
    validation.distinct(path, [(check["kind"], check["name"]) for check in clean])
    return clean


def _validate_check(path: str, check: RequiredCheckInput) -> dict[str, Any]:
    return {
        "kind": check.kind,
        "name": validation.single_line(f"{path}.name", check.name, MAX_CHECK_NAME_LENGTH),
        "command": validation.multiline(f"{path}.command", check.command, MAX_COMMAND_LENGTH),
        "seconds": validation.in_range(f"{path}.seconds", check.seconds, 1, MAX_CHECK_SECONDS),
    }


def _validate_globs(path: str, globs: Sequence[str]) -> list[str]:
    validation.at_most(path, list(globs), MAX_GLOBS, least=0)
    clean = [
        validation.single_line(f"{path}.{place}", glob, MAX_GLOB_LENGTH) for place, glob in enumerate(globs)
    ]
    for place, glob in enumerate(clean):
        parts = glob.strip("/").split("/")
        if "" in parts or ".." in parts or "." in parts:
            raise Invalid((f"{path}.{place}", "must name paths from the root of the repository"))
    return list(validation.distinct(path, clean))


def _validate_approvals(path: str, approvals: Sequence[RequiredApprovalInput]) -> list[dict[str, Any]]:
    validation.at_most(path, list(approvals), len(ApprovalKind), least=0)
    validation.distinct(path, [approval.kind for approval in approvals])
    return [{"kind": approval.kind, "by": approval.by} for approval in approvals]


LIST_VALIDATORS: dict[str, Callable[[str, Any], Any]] = {
    "checks": _validate_checks,
    "copy_files": _validate_globs,
    "protected_paths": _validate_globs,
    "forbidden_paths": _validate_globs,
    "approvals": _validate_approvals,
}
