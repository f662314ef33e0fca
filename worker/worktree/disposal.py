"""Folders are removed whole: whatever their depth, and although an agent's caches are read-only."""

import asyncio
from pathlib import Path

from worker.worktree.command import WorkspaceError

TIMEOUT_SECONDS = 900.0


async def remove_tree(folder: Path) -> None:
    """Remove a folder and everything in it; links are not followed. Raises WorkspaceError where something stays.

    Source: chmod and rm, which know no limit of depth; shutil.rmtree ends at that of Python's calls.
    """
    await _run("chmod", "-R", "u+rwx", "--", str(folder))  # what it cannot change, rm tells
    stderr = await _run("rm", "-rf", "--", str(folder))
    if folder.is_symlink() or folder.exists():
        raise WorkspaceError(f"{folder} cannot be removed: {stderr or 'it is made again'}")


async def _run(*words: str) -> str:
    """Run a program, and answer its last words."""
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, stderr = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"{words[0]} took longer than {TIMEOUT_SECONDS:g} s"
    return stderr.decode(errors="replace").strip().rpartition("\n")[2]
