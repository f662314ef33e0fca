"""A folder is held by whoever works in it: by a lock on the folder itself, which ends with its last holder."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from worker.worktree.command import WorkspaceError


@asynccontextmanager
async def lock_root(root: Path) -> AsyncIterator[int]:
    """Nobody else makes or removes a worktree under `root` meanwhile: git fails where it meets one half made."""
    with (root / ".lock").open("w") as file:  # closing it lets the others go on, also when a process dies
        while not _locked(file.fileno()):  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(0.02)
        yield file.fileno()


def _locked(file: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def hold(folder: Path) -> int | None:
    """Hold a folder, so that nobody else works in it, until what is returned is closed. None: it is held."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    if _locked(lock):
        return lock
    os.close(lock)
    return None


def held_still(folder: Path, lock: int) -> int:
    """The lock of a folder that we hold: git removes a folder when it fails, and may have made it again since."""
    if os.path.samestat(os.fstat(lock), folder.stat()):
        return lock
    again = hold(folder)
    if again is None:
        raise WorkspaceError(f"{folder} is held by another worker")
    os.close(lock)
    return again


def is_free(folder: Path) -> bool:
    if (lock := hold(folder)) is not None:
        os.close(lock)
    return lock is not None


def folders_of(root: Path, run: str) -> list[Path]:
    """The folders of a run, the one to go on in last: its own, then those of attempts that found it held."""
    beside = [path for path in root.glob(f"{run}.*") if path.suffix[1:].isdecimal()]
    return [root / run, *sorted(beside, key=lambda path: int(path.suffix[1:]))]
