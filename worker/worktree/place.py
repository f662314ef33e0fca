"""Locates worktrees from the repository's side, because an agent may have changed the folder's own files."""

import asyncio
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from worker.worktree.command import WorkspaceError, git


class Tampered(WorkspaceError):
    """The folder is not the created work tree any more."""


async def common_of(repository: Path) -> Path:
    """Return the git directory of a repository. Raises WorkspaceError with git's own reason."""
    words = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    try:
        return Path((await git(repository, *words)).rstrip("\n"))
    except WorkspaceError as error:
        raise WorkspaceError(f"{repository} cannot be used: {error}") from error


def own_of(common: Path, folder: Path) -> Path | None:
    """Find the git directory of a worktree from the repository's side, because the folder is not trusted."""
    for note in (common / "worktrees").glob("*/gitdir"):
        with suppress(OSError):
            pointer = note.parent / note.read_text().strip()  # may be relative
            if pointer.name == ".git" and pointer.parent.resolve() == folder.resolve():
                return note.parent
    return None


def whole_own_of(repository: Path, common: Path, folder: Path) -> Path | None:
    """Return the git directory of the worktree in a folder, or None if its creation was not finished.

    Raises WorkspaceError if something else is there, and Tampered if its `.git` was changed.
    """
    own = own_of(common, folder)
    if own is None:
        if {path.name for path in folder.iterdir()} <= {".git"}:
            return None
        raise WorkspaceError(f"{folder} exists and is not a worktree of {repository}")
    locked = own / "locked"  # present until a worktree is complete
    if locked.exists() and locked.read_text().strip() in ("initializing", "added with --lock"):
        return None
    if not (own / "HEAD").exists() or ({path.name for path in folder.iterdir()} <= {".git"}):
        return None
    check_pointer(folder, own)
    return own


def check_pointer(folder: Path, own: Path, lock: int | None = None) -> None:
    """Raise Tampered unless the folder is the held one and its `.git` names the created git directory."""
    try:
        here, pointer = folder.lstat(), folder / ".git"
        if not stat.S_ISDIR(here.st_mode) or (
            lock is not None and not os.path.samestat(os.fstat(lock), here)
        ):
            raise Tampered(f"{folder} was replaced by something else; it is kept as it is")
        if stat.S_ISREG(pointer.lstat().st_mode):
            with pointer.open("rb") as file:
                content = os.fsdecode(file.read(10_000))
            named = content.removeprefix("gitdir: ").removesuffix("\n")
            if content.startswith("gitdir: ") and (folder / named).resolve() == own.resolve():
                return
    except OSError:
        pass  # missing or unreadable
    raise Tampered(f"The .git of {folder} was changed, so git is not run there; the folder is kept")


async def mend(common: Path, root: Path) -> None:
    """Forget worktrees under `root` that a killed git left incomplete, because git stops at the first of them.

    Call it while `lock_root` is held, so that no writer is alive.
    """
    await asyncio.to_thread(_forget_half_written, common / "worktrees", root.resolve())


def _forget_half_written(noted: Path, root: Path) -> None:
    for own in noted.glob("*"):
        with suppress(OSError):
            folder = Path((own / "gitdir").read_text().strip()).parent
            if not (own / "commondir").stat().st_size and folder.parent.resolve() == root:
                shutil.rmtree(own)


async def commit_of(folder: Path, ref: str) -> str:
    """Resolve a name to a commit. Raises WorkspaceError."""
    try:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return (await git(folder, *words)).strip()
    except WorkspaceError as error:
        why = "" if str(error).endswith("exit code 1") else f" ({error})"
        raise WorkspaceError(f"{folder} has no commit {ref!r}{why}") from error
