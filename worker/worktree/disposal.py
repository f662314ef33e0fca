"""Removes folders whole, whatever their depth, even if an agent's caches are read-only."""

import asyncio
from pathlib import Path

from worker.worktree.command import WorkspaceError

TIMEOUT_SECONDS = 900.0


async def remove_tree(folder: Path) -> None:
    """Remove a folder and its contents; links are not followed. Raises WorkspaceError if something stays.

    Source: chmod and rm, which have no depth limit; shutil.rmtree is limited by Python's recursion.
    """
    await _run("chmod", "-R", "u+rwx", "--", str(folder))  # rm reports what chmod cannot change
    stderr = await _run("rm", "-rf", "--", str(folder))
    if folder.is_symlink() or folder.exists():
        raise WorkspaceError(f"{folder} cannot be removed: {stderr or 'it was created again'}")


async def _run(*words: str) -> str:
    """Run a program. Returns the last line of its errors."""
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
