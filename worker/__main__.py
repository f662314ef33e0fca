"""The worker's commands without the server: `python -m worker worker`, `recording` and `mcp`."""

import typer

from worker import cli

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(cli.worker)
app.command("mcp")(cli.tools)
app.command("recording")(cli.record)
app()
