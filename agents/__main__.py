"""`python -m agents worker …`, `python -m agents recording …` and `python -m agents mcp …`."""

import typer

from agents import cli

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(cli.worker)
app.command("mcp")(cli.tools)
app.command("recording")(cli.record)
app()
