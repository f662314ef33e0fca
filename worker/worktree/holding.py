"""Locks folders: the lock is on the folder itself and ends with the last process that holds it."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from worker.worktree.command import WorkspaceError


@asynccontextmanager
async def lock_root(root: Path) -> AsyncIterator[int]:
    """Lock the creation and removal of worktrees under `root`: git fails on one that is incomplete."""
    with (root / ".lock").open("w") as file:  # closing it releases the lock, also when the process dies
        while not _locked(file.fileno()):  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(0.02)
        yield file.fileno()


def _locked(file: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def hold(folder: Path) -> int | None:
    """Lock a folder until the returned descriptor is closed. Returns None if another process holds it."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    if _locked(lock):
        return lock
    os.close(lock)
    return None


def held_still(folder: Path, lock: int) -> int:
    """Return the lock of a held folder, renewed if git removed the folder and it was created again."""
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
    """Return the folders of a run, the one to continue in last."""
    beside = [path for path in root.glob(f"{run}.*") if path.suffix[1:].isdecimal()]
    return [root / run, *sorted(beside, key=lambda path: int(path.suffix[1:]))]
