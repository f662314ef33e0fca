"""Keeps a repository's configuration as its owner set it, apart from later changes by agents.

Filters are programs that git runs by its configuration, and an agent may be able to write the configuration.
Therefore it is read once for each repository, at the worker's first use, and every work tree gets this copy, with
links to the repository's own objects and refs. Later changes have no effect until the worker restarts, and a run
that changed what git runs gets a warning.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from worker.worktree.command import WorkspaceError, git

COPY = "signalbox"  # folder of the copy in the git directory of a work tree
OWN = ("config", "config.worktree", "hooks", "info", "HEAD", "index", "worktrees", "modules")
LINKED = ("objects", "refs", "packed-refs", "logs", "lfs", "shallow", "reftable")  # linked even if absent
DROPPED = ("core.worktree", "core.bare", "extensions.worktreeconfig")  # the worker sets the work tree
MAX_HOOK_BYTES = 1 << 20

Settings = tuple[tuple[str, str | None], ...]
_first: dict[tuple[Path, int], "Owner"] = {}


@dataclass(frozen=True)
class Owner:
    """The configuration that decides which programs git runs in a repository."""

    settings: Settings
    files: tuple[tuple[str, bytes], ...]  # of the folder `info`
    hooks: tuple[tuple[str, str], ...]  # name and digest

    def differs(self, other: "Owner") -> list[str]:
        """Name the differences to `other`, as git's settings and files."""
        keys = {key for key, _ in set(self.settings) ^ set(other.settings)}
        files = {f"info/{name}" for name, _ in set(self.files) ^ set(other.files)}
        hooks = {f"hooks/{name}" for name, _ in set(self.hooks) ^ set(other.hooks)}
        return sorted(files | hooks) + sorted(key for key in keys if not key.startswith("branch."))

    def write(self, common: Path, own: Path) -> dict[str, str]:
        """Write the copy into a work tree's git directory. Returns the environment that makes git use it."""
        copy = own / COPY
        (copy / "info").mkdir(parents=True, exist_ok=True)
        names = {path.name for path in common.iterdir() if not path.name.endswith(".lock")}
        for name in (names | set(LINKED)) - set(OWN) - {COPY}:
            if not (copy / name).is_symlink():
                (copy / name).symlink_to(common / name)
        _replace(copy / "config", _config(self.settings))
        for name, text in self.files:
            _replace(copy / "info" / name, text)
        return {"GIT_DIR": str(own), "GIT_COMMON_DIR": str(copy), "GIT_CONFIG_GLOBAL": os.devnull}


def first_owner(common: Path, now: Owner) -> Owner:
    """Return the configuration at the worker's first use of the repository, `now` if this is it."""
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
    """Replace a file, or whatever has its name."""
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
