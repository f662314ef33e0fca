"""`python -m worker worker …`, `python -m worker recording …` and `python -m worker mcp …`."""

import typer

from worker import cli

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(cli.worker)
app.command("mcp")(cli.tools)
app.command("recording")(cli.record)
app()
