"""What an import says: while it runs on standard error, and at its end which things were not carried over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from actions.transfer.bring import Brought
from actions.transfer.parcel import Parcel


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar for people; nothing where nobody looks, so that an error stays one line."""
    columns = TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def report(parcel: Parcel, brought: Brought) -> str:
    board = brought.board
    made = ", ".join(f"{count} {what}" for what, count in brought.made.items()) or "no cards"
    lines = [f"{parcel.source}: {made}, on the board {board.name} ({board.key}, {board.id})"]
    left = {what: count for what, count in brought.left.items() if count}
    lines += ["Not carried over:"] if left else ["Everything was carried over."]
    lines += [f"  {count:>5}  {what}" for what, count in sorted(left.items())]
    lines += ["To know:"] * bool(brought.notes) + [f"  - {note}" for note in brought.notes]
    return "\n".join(lines)
