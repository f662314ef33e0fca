"""Starts a worker. All settings are checked before the first claim; an error is one line."""

import asyncio
import hashlib
import logging
import re
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from worker.api import ServerRejected, ServerUnreachable
from worker.client import Client
from worker.programs import ADAPTERS
from worker.settings import WorkerSettings
from worker.transport import GraphQLTransport
from worker.worker import WorkerProcess
from worker.worktree.command import environment_of_git, reason_of

VERSION = "1"
LEVELS = ("BEGINNER", "INTERMEDIATE", "ADVANCED", "EXPERT")
AGENTS = ("claude_code", "codex", "gemini", "opencode")  # looked for in PATH if no program is named


class WorkerStartError(Exception):
    """A worker cannot be started. The message is one line."""


def build_settings(
    *,
    name: str,
    executors: Sequence[str],
    at_once: int,
    repository: Path,
    worktrees: Path | None,
    options: Iterable[str],
    capabilities: Iterable[str],
    trusts_workflow: bool = False,
) -> WorkerSettings:
    """Check the command line. Raises WorkerStartError."""
    programs = check_programs(executors)
    top = find_repository(repository)
    worktrees = (worktrees or top.with_name(f"{top.name}.worktrees")).absolute()
    return WorkerSettings(
        name=name or f"{socket.gethostname()}-{top.name}"[:100],
        repository=top,
        worktrees=worktrees,
        executors=programs,
        at_once=at_once,
        version=VERSION,
        machine=machine_of(worktrees),
        options=parse_options(options, programs),
        capabilities=dict(map(parse_capability, capabilities)),
        trusts_workflow=trusts_workflow,
    )


def machine_of(worktrees: Path) -> str:
    """Return an id of this machine, the user's home and the worktrees: agent programs keep sessions by these."""
    named = f"{socket.gethostname()}\0{uuid.getnode()}\0{Path.home()}\0{worktrees.resolve()}"
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def check_programs(named: Sequence[str]) -> tuple[str, ...]:
    """Check the named programs, or find the agent programs that are installed. Raises WorkerStartError."""
    names = [name.strip().lower() for given in named for name in given.split(",") if name.strip()]
    for name in names:
        if name not in ADAPTERS:
            raise WorkerStartError(f"there is no program {name!r}; known programs: {', '.join(ADAPTERS)}")
        if shutil.which(ADAPTERS[name].program) is None:
            raise WorkerStartError(f"program {name}: {ADAPTERS[name].program} is not installed here")
    if not names:
        names = [name for name in AGENTS if shutil.which(ADAPTERS[name].program)]
    if not names:
        raise WorkerStartError(
            "no agent program is installed here; choose a program, for example --executor command"
        )
    return tuple(dict.fromkeys(names))


def find_repository(folder: Path) -> Path:
    """Find the repository of a folder. It needs a commit, because branches start from one."""
    if shutil.which("git") is None:
        raise WorkerStartError("git is not installed here")
    if not folder.is_dir():
        raise WorkerStartError(f"there is no folder {folder}")
    own, why = _git(folder, "rev-parse", "--absolute-git-dir")
    if not own and "not a git repository" in why:
        raise WorkerStartError(f"{folder} is not in a git repository; create one with git init")
    if not own:
        raise WorkerStartError(f"{folder} cannot be used: {why}")
    inside, _ = _git(folder, "rev-parse", "--show-toplevel")  # empty in a bare repository
    if not _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")[0]:
        raise WorkerStartError(f"{folder} has no commit to start branches from")
    return Path(inside or own)


def _git(folder: Path, *words: str) -> tuple[str, str]:
    """Run git. Returns its output, or an empty text and the reason of the failure."""
    command = ["git", "-C", str(folder), *words]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment_of_git())
    return (ran.stdout.rstrip("\n"), "") if ran.returncode == 0 else ("", reason_of(ran.stderr))


def parse_options(given: Iterable[str], executors: Sequence[str]) -> dict[str, dict[str, str]]:
    """Parse `program.name=value` options."""
    parsed: dict[str, dict[str, str]] = {}
    for entry in given:
        match = re.fullmatch(r"(\w+)\.([^=\s]+)=(.*)", entry, re.DOTALL)
        if match is None:
            raise WorkerStartError(f"option {entry!r} must be written program.name=value")
        if match[1] not in executors:
            raise WorkerStartError(
                f"option {entry!r} is for a program that is not chosen: {', '.join(executors)}"
            )
        parsed.setdefault(match[1], {})[match[2]] = match[3]
    return parsed


def parse_capability(given: str) -> tuple[str, str]:
    name, _, level = given.partition("=")
    level = level.upper() or "INTERMEDIATE"
    if not name.strip() or level not in LEVELS:
        raise WorkerStartError(
            f"capability {given!r} must be written name or name=level ({', '.join(LEVELS)})"
        )
    return name.strip(), level


def run(settings: WorkerSettings, *, url: str, key: str, workspace: str, patience: float) -> None:
    """Work until stopped. Raises WorkerStartError if the server does not accept this worker."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs every request
    try:
        transport = GraphQLTransport(url, key)
    except ValueError as error:
        raise WorkerStartError(str(error)) from error
    asyncio.run(_work(transport, settings, workspace, patience))


async def _work(
    transport: GraphQLTransport, settings: WorkerSettings, workspace: str, patience: float
) -> None:
    worker = WorkerProcess(Client(transport, settings.executors, workspace), settings)
    try:
        await worker.register(patience)
        print(
            f"Worker {settings.name} works for {transport.url} with {', '.join(settings.executors)}, "
            f"{settings.at_once} at once, in {settings.repository}. Ctrl+C releases its runs.",
            flush=True,
        )
        await worker.work()
    except ServerUnreachable as error:
        raise WorkerStartError(f"{transport.url} does not answer: {error}") from error
    except ServerRejected as error:
        raise WorkerStartError(_why(transport.url, error)) from error
    finally:
        with suppress(Exception):
            await transport.close()


def _why(url: str, error: ServerRejected) -> str:
    if error.code in ("UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"):
        hint = "set SIGNALBOX_KEY to an API key with the scope WORKER"
        return f"{url} does not admit this worker: {error}; {hint}"
    return f"{url} refuses this worker: {error}"
