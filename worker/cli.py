"""The commands of the agents side: `python server.py worker …`; or `python -m worker worker …`, which starts
faster because it loads nothing of the server. What cannot be done is one line and status 2.

What a command needs is imported inside it: the server has these commands too, and starts without that.
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
        str, typer.Option(envvar="SIGNALBOX_URL", help="Address of the server's API.")
    ] = "http://127.0.0.1:8000/graphql",
    key: Annotated[
        str,
        typer.Option(
            envvar="SIGNALBOX_KEY",
            help="An API key with the scope WORKER. Rather set the variable: others may see command lines.",
        ),
    ] = "",
    executor: Annotated[
        list[str] | None,
        typer.Option(
            help="claude_code, codex, gemini, opencode, command, scripted; several with commas. "
            "Without it, the agent programs that are installed."
        ),
    ] = None,
    name: Annotated[
        str, typer.Option(help="The same name again is the same worker; without it, made of this machine's.")
    ] = "",
    at_once: Annotated[int, typer.Option(min=1, max=100, help="Runs worked at the same time.")] = 1,
    repository: Annotated[Path, typer.Option(help="The git repository to work in.")] = Path("."),
    worktrees: Annotated[
        Path | None, typer.Option(help="Where each run gets its folder; without it, beside the repository.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="executor.name=value, as docs/agents.md lists them; repeatable.")
    ] = None,
    capability: Annotated[
        list[str] | None, typer.Option(help="What it can do, name or name=level; repeatable.")
    ] = None,
    workspace: Annotated[
        str, typer.Option(help="Id of the workspace to work for; a key knows its own.")
    ] = "",
    patience: Annotated[
        float, typer.Option(help="Seconds to wait for a server that does not answer yet.")
    ] = 10.0,
    log_level: Annotated[str, typer.Option(envvar="LOG_LEVEL", help="What is logged.")] = "INFO",
) -> None:
    """Work runs with coding agents, each on a branch of its own, until told to stop."""
    from worker import startup

    try:
        logs.start(log_level.upper(), "text")
    except ValueError:
        fail(f"LOG_LEVEL: {log_level!r} is no level")
    try:
        settings = startup.settings_of(
            name=name,
            executors=executor or [],
            at_once=at_once,
            repository=repository,
            worktrees=worktrees,
            options=option or [],
            capabilities=capability or [],
        )
        startup.run(settings, url=url, key=key, workspace=workspace, patience=patience)
    except startup.WorkerStartError as error:
        fail(error)


def tools(
    url: Annotated[
        str, typer.Option(envvar="SIGNALBOX_URL", help="Address of the server.")
    ] = "http://127.0.0.1:8000/graphql",
    token: Annotated[
        str,
        typer.Option(
            envvar="SIGNALBOX_TOKEN",
            help="An agent's token, an API key or an access token. Rather set the variable: others may see command"
            " lines.",
        ),
    ] = "",
) -> None:
    """Give a coding agent Signalbox's tools over standard input and output (Model Context Protocol)."""
    from worker.tools import stdio

    try:
        stdio.run(url, token)
    except stdio.ToolsStartError as error:
        fail(error)


def record(
    run: Annotated[str, typer.Argument(help="Id of a run that has ended.")],
    url: Annotated[
        str, typer.Option(envvar="SIGNALBOX_URL", help="Address of the server's API.")
    ] = "http://127.0.0.1:8000/graphql",
    key: Annotated[str, typer.Option(envvar="SIGNALBOX_KEY", help="An API key that may look.")] = "",
) -> None:
    """Print a run as a recording, which the executor `scripted` plays again."""
    from worker.api import ServerRejected, ServerUnreachable
    from worker.recording import text

    try:
        print(asyncio.run(text(url, key, run)), end="")
    except (ServerRejected, ValueError) as error:
        fail(error)
    except ServerUnreachable as error:
        fail(f"{url} does not answer: {error}")
