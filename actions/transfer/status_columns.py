"""Columns of systems whose issues have a status instead of a list."""

from actions.transfer.board_file import BoardFile, FileColumn
from actions.transfer.stage_names import squeezed


class StatusColumns:
    """The columns of a file, one for each status, in order of their stages."""

    def __init__(self, file: BoardFile) -> None:
        self.file = file
        self.places: dict[str, int] = {}
        file.sorts_columns = True

    def place(self, status: str) -> int:
        """Return the index of a status's column; an issue without a status is in “Backlog”."""
        name = " ".join(status.replace("_", " ").split()) or "Backlog"
        key = squeezed(name) or name
        if key not in self.places:
            self.places[key] = len(self.file.columns)
            name = name if name != name.lower() else NAMES.get(key, name.capitalize())
            self.file.columns.append(FileColumn(name, is_stage_given=False))
        return self.places[key]


NAMES = {"todo": "To do", "inprogress": "In progress", "inreview": "In review"}
