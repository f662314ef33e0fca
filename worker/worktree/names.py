"""Names of branches come from cards and people, so each is judged before git sees it."""

import re
from pathlib import Path

from worker.worktree.command import WorkspaceError, git

NAME = 200  # characters of a branch's name
TEMPLATE = "signalbox/{card}-{slug}"


async def judged(repository: Path, name: str) -> str:
    """A branch's name that git takes, and that no command can take for an option."""
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
    """Fill a branch template: `{card}`, `{slug}`, `{run}`. Values become words that a branch can hold."""

    def value(match: re.Match[str]) -> str:
        return slug(names.get(match[1], "")) if match[1] in names else ""

    name = re.sub(r"\{(\w+)\}", value, template)
    return re.sub(r"-{2,}", "-", name).strip("-/ ")[:NAME].strip("-/.")


def slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:50].strip("-")
