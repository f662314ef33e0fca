"""Output of import and export: a progress bar, and reports of what was not carried over."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from actions.transfer.board_file import BoardFile
from actions.transfer.import_board import ImportedBoard


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal; elsewhere nothing, so that an error stays one line."""
    columns = TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def report(file: BoardFile, result: ImportedBoard) -> str:
    """Return what an import read, created, changed and left out."""
    board = result.board
    made = ", ".join(f"{count} {what}" for what, count in (+result.made).items()) or "no cards"
    lines = [f"{file.source}: {made}, on the board {board.name} ({board.key}, {board.id})"]
    if +file.read:
        lines.append("Read: " + ", ".join(f"{what} {count}" for what, count in (+file.read).items()))
    mended, left = _counted(file.mended), _counted(result.left)
    lines += ["Changed:", *mended] if mended else []
    lines += ["Not carried over:", *left] if left else []
    lines += [] if mended or left else ["Everything was carried over."]
    lines += ["To know:"] * bool(result.notes) + [f"  - {note}" for note in result.notes]
    return "\n".join(lines)


def report_of_export(file: BoardFile) -> str:
    """Return what is on the board and not in its file; empty if all of it is."""
    left = _counted(file.left)
    return "\n".join(["Not in the file:", *left]) if left else ""


def _counted(left: Counter[str]) -> list[str]:
    return [f"  {count:>5}  {what}" for what, count in sorted(left.items()) if count]
