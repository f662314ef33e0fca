"""A worker that does nothing but make the worktree of run_1, until it is killed."""

import asyncio
import os
from pathlib import Path

from worker.worktree import Worktree


def main(repository: str, work: str) -> None:
    os.setsid()  # killed with its git
    names = {"card": "WEB-1", "slug": "Add a: greeting!"}
    print("begun", flush=True)
    asyncio.run(Worktree.cut(Path(repository), Path(work), "run_1", names=names))
