"""A repository as its owner set it up, kept apart from what agents write into it later.

Filters are programs that git runs by its configuration, and an agent may be able to write that. So the
configuration is read once for each repository, when the worker first uses it, and git is given that copy in every
work tree, with links to the repository's own objects and refs. Nothing that is written later counts until the
worker starts again, and a run that changed what git would run is told with a warning.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from worker.worktree.command import WorkspaceError, git

COPY = "signalbox"  # the folder of the copy, in the git directory of a work tree
OWN = ("config", "config.worktree", "hooks", "info", "HEAD", "index", "worktrees", "modules")
LINKED = ("objects", "refs", "packed-refs", "logs", "lfs", "shallow", "reftable")  # although not there yet
DROPPED = ("core.worktree", "core.bare", "extensions.worktreeconfig")  # the work tree is named by us
MAX_HOOK_BYTES = 1 << 20

Settings = tuple[tuple[str, str | None], ...]
_first: dict[tuple[Path, int], "Owner"] = {}


@dataclass(frozen=True)
class Owner:
    """What decides which programs git runs in a repository."""

    settings: Settings
    files: tuple[tuple[str, bytes], ...]  # of the folder `info`
    hooks: tuple[tuple[str, str], ...]  # name and digest

    def differs(self, other: "Owner") -> list[str]:
        """Name what is another than in `other`, in the words of git's configuration and folders."""
        keys = {key for key, _ in set(self.settings) ^ set(other.settings)}
        files = {f"info/{name}" for name, _ in set(self.files) ^ set(other.files)}
        hooks = {f"hooks/{name}" for name, _ in set(self.hooks) ^ set(other.hooks)}
        return sorted(files | hooks) + sorted(key for key in keys if not key.startswith("branch."))

    def write(self, common: Path, own: Path) -> dict[str, str]:
        """Write the copy into a work tree's git directory. Answers the environment that makes git use it."""
        copy = own / COPY
        (copy / "info").mkdir(parents=True, exist_ok=True)
        names = {path.name for path in common.iterdir() if not path.name.endswith(".lock")}
        for name in (names | set(LINKED)) - set(OWN):
            if not (copy / name).is_symlink():
                (copy / name).symlink_to(common / name)
        _replace(copy / "config", _config(self.settings))
        for name, text in self.files:
            _replace(copy / "info" / name, text)
        return {"GIT_DIR": str(own), "GIT_COMMON_DIR": str(copy), "GIT_CONFIG_GLOBAL": os.devnull}


def first_owner(common: Path, now: Owner) -> Owner:
    """The repository as it was when this worker first used it: as it is `now`, if that is now."""
    return _first.setdefault((common, common.stat().st_ino), now)


async def owner_now(repository: Path, common: Path) -> Owner:
    listing = await git(repository, "config", "--list", "-z", "--show-scope", "--includes")
    settings, parts = [], listing.split("\0")
    for scope, entry in zip(parts[::2], parts[1::2], strict=False):
        key, separator, value = entry.partition("\n")
        if scope != "command" and key not in DROPPED and not key.startswith(("include.", "includeif.")):
            settings.append((key, value if separator else None))
    files = [(name, _bytes(common / "info" / name)) for name in ("attributes", "exclude")]
    hooks = [(path.name, hashlib.sha256(_bytes(path)).hexdigest()) for path in (common / "hooks").glob("*")]
    return Owner(tuple(settings), tuple(files), tuple(sorted(hooks)))


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(MAX_HOOK_BYTES)


def _replace(path: Path, text: bytes) -> None:
    """Write a file anew, in the place of whatever stands there."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(text)


def _config(settings: Settings) -> bytes:
    lines = []
    for key, value in settings:
        section, _, rest = key.partition(".")
        subsection, _, name = rest.rpartition(".")
        if "\n" in subsection:
            raise WorkspaceError(f"the configuration of the repository has an unreadable name: {key!r}")
        lines.append(f"[{section} {_quoted(subsection)}]" if subsection else f"[{section}]")
        lines.append(f"\t{name}" if value is None else f"\t{name} = {_quoted(value)}")
    return os.fsencode("\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
