"""Prepares the folder of a run as its board asks: files copied from the owner's checkout, and scripts.

Only files that git ignores are copied, so that no secret is ever committed. Scripts run like checks, below a leash.
"""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from worker.checks import CheckRunner, RequiredCheck
from worker.worktree import WorkspaceError, Worktree

MAX_COPIED_FILES = 200
MAX_COPIED_BYTES = 50_000_000  # of all files
TAIL_CHARACTERS = 2_000  # of a failed script's output


@dataclass(frozen=True, kw_only=True)
class WorkspaceRules:
    """What the board's policy says about folders."""

    setup_script: str = ""
    cleanup_script: str = ""
    script_seconds: int = 300
    copy_files: tuple[str, ...] = ()  # globs from the root of the owner's checkout
    subfolder: str = ""  # where the agent starts
    commit_author: str = ""  # Name <address>


def start_folder(tree: Worktree, rules: WorkspaceRules) -> Path:
    """Return the folder where the agent starts. Raises WorkspaceError if it is missing or leads outside."""
    folder = tree.folder / rules.subfolder
    if not folder.is_dir() or not folder.resolve().is_relative_to(tree.folder.resolve()):
        raise WorkspaceError(f"The repository has no folder {rules.subfolder!r}")
    return folder


async def copy_files(tree: Worktree, rules: WorkspaceRules) -> list[str]:
    """Copy files from the owner's checkout that the folder lacks. Returns warnings. Raises WorkspaceError."""
    if not rules.copy_files or not (tree.repository / ".git").exists():
        return []
    found = await asyncio.to_thread(_find, tree.repository, rules.copy_files)
    given = b"".join(os.fsencode(path) + b"\0" for path in found)
    ignored = set()
    if given:
        words = ("check-ignore", "-z", "--no-index", "--stdin")
        ignored = set((await tree.git(*words, given=given, good=(0, 1))).split("\0"))
    await asyncio.to_thread(_copy, tree.repository, tree.folder, [path for path in found if path in ignored])
    kept = [path for path in found if path not in ignored]
    return [f"Not copied, because git does not ignore it: {path}" for path in kept[:10]]


def _find(checkout: Path, globs: Sequence[str]) -> list[str]:
    paths, total = dict[str, None](), 0
    for pattern in globs:
        for path in checkout.glob(pattern.lstrip("/")):
            relative = path.relative_to(checkout)
            if ".git" in relative.parts or ".." in relative.parts or path.is_symlink() or not path.is_file():
                continue
            if not path.resolve().is_relative_to(checkout.resolve()) or str(relative) in paths:
                continue
            total += path.stat().st_size
            paths[str(relative)] = None
            if len(paths) > MAX_COPIED_FILES or total > MAX_COPIED_BYTES:
                raise WorkspaceError(
                    f"copyFiles matches more than {MAX_COPIED_FILES} files or {MAX_COPIED_BYTES:,} bytes"
                )
    return list(paths)


def _copy(checkout: Path, folder: Path, paths: Sequence[str]) -> None:
    for path in paths:
        target = folder / path
        if os.path.lexists(target) or not target.parent.resolve().is_relative_to(folder.resolve()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(checkout / path, target, follow_symlinks=False)


async def run_script(runner: CheckRunner, name: str, script: str, seconds: float) -> str:
    """Run a script. Returns why it failed, with the tail of its output; empty if it succeeded."""
    check = RequiredCheck(kind="SCRIPT", name=name, command=script, seconds=seconds)
    [done] = await runner.run([check])
    if done.status == "PASSED":
        return ""
    how = f"exited with {done.exit_code}" if done.status == "FAILED" else f"ended as {done.status}"
    return f"The {name} script {how}: {done.output.strip()[-TAIL_CHARACTERS:]}"
