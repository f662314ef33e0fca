"""Reads the repository's WORKFLOW.md: scripts around a run, and a template of its prompt.

The format is that of OpenAI's Symphony specification. The file is read from the commit that the run's branch starts
from, so an agent cannot change it for its own run. A program with limits parses it: worker/template.py.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.worktree import WorkspaceError, Worktree
from worker.worktree.command import environment_of_git

NAME = "WORKFLOW.md"
TEMPLATE = Path(__file__).parent / "template.py"
MAX_FILE_BYTES = 256_000
RENDER_SECONDS = 20.0
NOT_TRUSTED = f"{NAME} of the repository is not used: the worker was started without --trust-workflow"


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """The scripts, limits and prompt of a WORKFLOW.md."""

    hooks: dict[str, str] = field(default_factory=dict)  # scripts by name
    seconds: float = 60.0  # time limit of each script
    turns: int = 0  # maximum number of prompts of a run; 0: no limit
    prompt: str = ""


async def has_workflow(tree: Worktree) -> bool:
    return bool(await _entry(tree))


async def load_workflow(tree: Worktree, issue: dict[str, Any], attempt: int | None) -> Workflow:
    """Read, parse and render the file. Without a file, the workflow is empty. Raises WorkspaceError."""
    entry = await _entry(tree)
    if not entry:
        return Workflow()
    mode, _, object_id, size = entry.partition("\t")[0].split()
    if mode not in ("100644", "100755"):
        raise WorkspaceError(f"{NAME}: it is not a regular file")
    if int(size) > MAX_FILE_BYTES:
        raise WorkspaceError(f"{NAME}: it has more than {MAX_FILE_BYTES:,} bytes")
    text = await tree.git("cat-file", "blob", object_id)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WorkspaceError(f"{NAME}: it is not UTF-8") from None
    given = {
        "text": text.removeprefix("\ufeff"),
        "issue": {**issue, "branch_name": tree.branch},
        "attempt": attempt,
    }
    done = await _render(json.dumps(given).encode())
    if "error" in done:
        raise WorkspaceError(f"{NAME}: {done['error']}")
    return Workflow(**done)


async def _entry(tree: Worktree) -> str:
    """Return the line of `ls-tree` about the file, or an empty text."""
    return await tree.git("ls-tree", "-l", tree.base, "--", f":(top,literal){NAME}")


async def _render(given: bytes) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(TEMPLATE)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment_of_git(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(RENDER_SECONDS):
            out, _ = await process.communicate(given)
    except TimeoutError:
        out = b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        done: dict[str, Any] = json.loads(out)
    except ValueError:
        return {"error": "it takes too long or too much memory"}
    return done
