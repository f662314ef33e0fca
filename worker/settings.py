"""The settings of a worker."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    name: str
    repository: Path
    worktrees: Path
    executors: tuple[str, ...]
    at_once: int = 1
    version: str = "0"
    machine: str = ""  # names this machine, its user and the folder of the worktrees
    capabilities: dict[str, str] = field(default_factory=dict)
    grace: float = 10.0  # seconds between asking a program to stop and killing it
    trusts_workflow: bool = False  # whether WORKFLOW.md of the repository may run scripts here
    options: dict[str, dict[str, str]] = field(default_factory=dict)  # by program; they override a run's
