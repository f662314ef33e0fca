"""Checks the names of branches, which come from cards and people, before git sees them."""

import re
from pathlib import Path

from worker.worktree.command import WorkspaceError, git

NAME = 200  # characters
TEMPLATE = "signalbox/{card}-{slug}"


async def judged(repository: Path, name: str) -> str:
    """Check a branch name: git accepts it, and no command takes it for an option. Raises WorkspaceError."""
    if len(name) > NAME or name.startswith(("-", "refs/")) or not name.isprintable():
        raise WorkspaceError(f"{name[:80]!r} cannot name a branch")
    if name.split("/")[0] in ("HEAD", "FETCH_HEAD", "ORIG_HEAD") or name == "@":
        raise WorkspaceError(f"{name!r} cannot name a branch")
    try:
        await git(repository, "check-ref-format", "--branch", name)
    except (WorkspaceError, ValueError) as error:
        raise WorkspaceError(f"{name!r} cannot name a branch") from error
    return name


def filled(template: str, names: dict[str, str]) -> str:
    """Fill in a branch template: `{card}`, `{slug}`, `{run}`. Values are reduced to characters that a branch can
    have."""

    def value(match: re.Match[str]) -> str:
        return slug(names.get(match[1], "")) if match[1] in names else ""

    name = re.sub(r"\{(\w+)\}", value, template)
    return re.sub(r"-{2,}", "-", name).strip("-/ ")[:NAME].strip("-/.")


def slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:50].strip("-")
