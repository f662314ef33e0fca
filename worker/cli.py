"""The worker's commands: `python server.py worker`, `recording` and `mcp`; also `python -m worker`.

`python -m worker` starts faster, because it does not import the server. Errors are printed in one line, with exit
status 2. Each command imports its modules when it runs, because the server includes the commands too.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from kit import logs


def fail(message: object) -> NoReturn:
    print(f"signalbox: {message}", file=sys.stderr)
    raise SystemExit(2)


def worker(
    url: Annotated[
        str, typer.Option(envvar="SIGNALBOX_URL", help="URL of the server's API.")
    ] = "http://127.0.0.1:8000/graphql",
    key: Annotated[
        str,
        typer.Option(
            envvar="SIGNALBOX_KEY",
            help="API key with the scope WORKER. Prefer the variable: other users can see command lines.",
        ),
    ] = "",
    executor: Annotated[
        list[str] | None,
        typer.Option(
            help="Agent programs, separated by commas: claude_code, codex, gemini, opencode, command, scripted. "
            "Default: the agent programs that are installed."
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            help="Identifies the worker across restarts. Default: the names of the machine and the repository."
        ),
    ] = "",
    at_once: Annotated[int, typer.Option(min=1, max=100, help="Maximum number of concurrent runs.")] = 1,
    repository: Annotated[Path, typer.Option(help="Git repository to work in.")] = Path("."),
    worktrees: Annotated[
        Path | None, typer.Option(help="Folder for the worktrees. Default: <repository>.worktrees.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="Option of a program, program.name=value; see docs/agents.md. Repeatable."),
    ] = None,
    capability: Annotated[
        list[str] | None, typer.Option(help="Capability, name or name=level. Repeatable.")
    ] = None,
    trust_workflow: Annotated[
        bool,
        typer.Option(
            "--trust-workflow",
            help="Use WORKFLOW.md of the repository: it runs scripts on this machine and directs the agents.",
        ),
    ] = False,
    workspace: Annotated[
        str, typer.Option(help="Id of the workspace to work for. Not needed with an API key.")
    ] = "",
    patience: Annotated[
        float, typer.Option(help="Seconds to wait at the start for a server that does not answer.")
    ] = 10.0,
    log_level: Annotated[
        str, typer.Option(envvar="LOG_LEVEL", help="Log level: DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    ] = "INFO",
) -> None:
    """Work runs with coding agents, each on its own branch, until stopped."""
    from worker import startup

    try:
        logs.start(log_level.upper(), "text")
    except ValueError:
        fail(f"LOG_LEVEL: {log_level!r} is not a log level")
    try:
        settings = startup.build_settings(
            name=name,
            executors=executor or [],
            at_once=at_once,
            repository=repository,
            worktrees=worktrees,
            options=option or [],
            capabilities=capability or [],
            trusts_workflow=trust_workflow,
        )
        startup.run(settings, url=url, key=key, workspace=workspace, patience=patience)
    except startup.WorkerStartError as error:
        fail(error)


def tools(
    url: Annotated[
        str, typer.Option(envvar="SIGNALBOX_URL", help="URL of the server.")
    ] = "http://127.0.0.1:8000/graphql",
    token: Annotated[
        str,
        typer.Option(
            envvar="SIGNALBOX_TOKEN",
            help="Agent token, API key or access token. Prefer the variable: other users can see command"
            " lines.",
        ),
    ] = "",
) -> None:
    """Serve Signalbox's tools to a coding agent over standard input and output (Model Context Protocol)."""
    from worker.tools import stdio

    try:
        stdio.run(url, token)
    except stdio.ToolsStartError as error:
        fail(error)


def record(
    run: Annotated[str, typer.Argument(help="Id of a finished run.")],
    url: Annotated[
        str, typer.Option(envvar="SIGNALBOX_URL", help="URL of the server's API.")
    ] = "http://127.0.0.1:8000/graphql",
    key: Annotated[str, typer.Option(envvar="SIGNALBOX_KEY", help="API key that may read the run.")] = "",
) -> None:
    """Print a run as a recording that the program `scripted` can play."""
    from worker.api import ServerRejected, ServerUnreachable
    from worker.recording import text

    try:
        print(asyncio.run(text(url, key, run)), end="")
    except (ServerRejected, ValueError) as error:
        fail(error)
    except ServerUnreachable as error:
        fail(f"{url} does not answer: {error}")
