"""The automation of a board: where the events of pull requests move its cards."""

from dataclasses import dataclass, fields
from typing import Any

from models.stage import Stage

STALE_DAYS = 1, 3_650
TARGETS = (Stage.IN_PROGRESS, Stage.REVIEW, Stage.DONE)


@dataclass(frozen=True, kw_only=True)
class BoardAutomation:
    """Its values with their defaults. The board stores those that differ."""

    opened: Stage | None = Stage.REVIEW  # where a card is moved when a pull request of it is opened
    merged: Stage | None = Stage.DONE
    any_merged: bool = False  # one merged pull request is enough; else all of the card's
    stale_days: int = 14


def automation_of(stored: dict[str, Any] | None) -> BoardAutomation:
    """Return the automation of a board: the stored values and the defaults."""
    known = {field.name for field in fields(BoardAutomation)}
    given = {name: value for name, value in (stored or {}).items() if name in known}
    for name in ("opened", "merged"):
        if given.get(name) is not None:
            given[name] = Stage(given[name])
    return BoardAutomation(**given)
