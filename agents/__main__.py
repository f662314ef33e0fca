"""`python -m agents worker …` and `python -m agents recording …`."""

import typer

from agents import cli

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(cli.worker)
app.command("recording")(cli.record)
app()
