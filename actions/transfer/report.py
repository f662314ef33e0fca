"""What an import and an export say: the first while it runs, both at the end what was not carried over."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from actions.transfer.board_file import BoardFile
from actions.transfer.import_board import ImportedBoard


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar for people; nothing where nobody looks, so that an error stays one line."""
    columns = TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def report(parcel: BoardFile, brought: ImportedBoard) -> str:
    board = brought.board
    made = ", ".join(f"{count} {what}" for what, count in brought.made.items()) or "no cards"
    lines = [f"{parcel.source}: {made}, on the board {board.name} ({board.key}, {board.id})"]
    left = _counted(brought.left)
    lines += ["Not carried over:", *left] if left else ["Everything was carried over."]
    lines += ["To know:"] * bool(brought.notes) + [f"  - {note}" for note in brought.notes]
    return "\n".join(lines)


def report_of_export(parcel: BoardFile) -> str:
    """What is on the board and not in its file; nothing when all of it is."""
    left = _counted(parcel.left)
    return "\n".join(["Not in the file:", *left]) if left else ""


def _counted(left: Counter[str]) -> list[str]:
    return [f"  {count:>5}  {what}" for what, count in sorted(left.items()) if count]
