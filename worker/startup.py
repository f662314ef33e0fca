"""Starting a worker: everything that can be wrong is found before a run is claimed, and told in one line."""

import asyncio
import logging
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from worker.api import ServerRejected, ServerUnreachable
from worker.client import Client
from worker.programs import EXECUTORS
from worker.settings import WorkerSettings
from worker.transport import GraphQLTransport
from worker.worker import WorkerProcess
from worker.worktree.command import environment_of_git, reason_of

VERSION = "1"
LEVELS = ("BEGINNER", "INTERMEDIATE", "ADVANCED", "EXPERT")
AGENTS = ("claude_code", "codex", "gemini", "opencode")  # what is looked for when nobody names an executor


class WorkerStartError(Exception):
    """A worker that cannot be started, and why, in one line."""


def settings_of(
    *,
    name: str,
    executors: Sequence[str],
    at_once: int,
    repository: Path,
    worktrees: Path | None,
    options: Iterable[str],
    capabilities: Iterable[str],
) -> WorkerSettings:
    """Judge what was said on the command line. Raises WrongStart."""
    chosen = executors_of(executors)
    top = repository_of(repository)
    return WorkerSettings(
        name=name or f"{socket.gethostname()}-{top.name}"[:100],
        repository=top,
        worktrees=(worktrees or top.with_name(f"{top.name}.worktrees")).absolute(),
        executors=chosen,
        at_once=at_once,
        version=VERSION,
        options=options_of(options, chosen),
        capabilities=dict(map(capability_of, capabilities)),
    )


def executors_of(named: Sequence[str]) -> tuple[str, ...]:
    """The executors to work with; nobody named one: every agent program that is installed."""
    names = [name.strip().lower() for given in named for name in given.split(",") if name.strip()]
    for name in names:
        if name not in EXECUTORS:
            raise WorkerStartError(f"there is no executor {name!r}; there are {', '.join(EXECUTORS)}")
        if shutil.which(EXECUTORS[name].program) is None:
            raise WorkerStartError(f"executor {name}: {EXECUTORS[name].program} is not installed here")
    if not names:
        names = [name for name in AGENTS if shutil.which(EXECUTORS[name].program)]
    if not names:
        raise WorkerStartError("no agent program is installed here; name an executor: --executor command")
    return tuple(dict.fromkeys(names))


def repository_of(folder: Path) -> Path:
    """The repository that a folder is in. It must have a commit, because branches are cut from one."""
    if shutil.which("git") is None:
        raise WorkerStartError("git is not installed here")
    if not folder.is_dir():
        raise WorkerStartError(f"there is no folder {folder}")
    own, why = _git(folder, "rev-parse", "--absolute-git-dir")
    if not own and "not a git repository" in why:
        raise WorkerStartError(f"{folder} is not in a git repository; make one there: git init")
    if not own:
        raise WorkerStartError(f"{folder} cannot be used: {why}")
    inside, _ = _git(folder, "rev-parse", "--show-toplevel")  # nothing where the repository is bare
    if not _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")[0]:
        raise WorkerStartError(f"{folder} has no commit yet, and branches are cut from one")
    return Path(inside or own)


def _git(folder: Path, *words: str) -> tuple[str, str]:
    """What git answers, and where it fails, its own reason."""
    command = ["git", "-C", str(folder), *words]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment_of_git())
    return (ran.stdout.rstrip("\n"), "") if ran.returncode == 0 else ("", reason_of(ran.stderr))


def options_of(given: Iterable[str], executors: Sequence[str]) -> dict[str, dict[str, str]]:
    """`executor.name=value`, as often as wanted."""
    found: dict[str, dict[str, str]] = {}
    for one in given:
        match = re.fullmatch(r"(\w+)\.([^=\s]+)=(.*)", one, re.DOTALL)
        if match is None:
            raise WorkerStartError(f"option {one!r} is not written executor.name=value")
        if match[1] not in executors:
            raise WorkerStartError(
                f"option {one!r} is of an executor that is not chosen: {', '.join(executors)}"
            )
        found.setdefault(match[1], {})[match[2]] = match[3]
    return found


def capability_of(given: str) -> tuple[str, str]:
    name, _, level = given.partition("=")
    level = level.upper() or "INTERMEDIATE"
    if not name.strip() or level not in LEVELS:
        raise WorkerStartError(
            f"capability {given!r} is not written name or name=level ({', '.join(LEVELS)})"
        )
    return name.strip(), level


def run(settings: WorkerSettings, *, url: str, key: str, workspace: str, patience: float) -> None:
    """Work until told to stop. Raises WrongStart when the server does not want this worker."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells every request
    try:
        wire = GraphQLTransport(url, key)
    except ValueError as error:
        raise WorkerStartError(str(error)) from error
    asyncio.run(_work(wire, settings, workspace, patience))


async def _work(wire: GraphQLTransport, settings: WorkerSettings, workspace: str, patience: float) -> None:
    worker = WorkerProcess(Client(wire, settings.executors, workspace), settings)
    try:
        await worker.register(patience)
        print(
            f"Worker {settings.name} works for {wire.url} with {', '.join(settings.executors)}, "
            f"{settings.at_once} at once, in {settings.repository}. Ctrl+C gives everything back.",
            flush=True,
        )
        await worker.work()
    except ServerUnreachable as error:
        raise WorkerStartError(f"{wire.url} does not answer: {error}") from error
    except ServerRejected as error:
        raise WorkerStartError(_why(wire.url, error)) from error
    finally:
        with suppress(Exception):
            await wire.close()


def _why(url: str, error: ServerRejected) -> str:
    if error.code in ("UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"):
        hint = "give it a key with the scope WORKER, in SIGNALBOX_KEY"
        return f"{url} does not let this worker in: {error}; {hint}"
    return f"{url} refuses this worker: {error}"
