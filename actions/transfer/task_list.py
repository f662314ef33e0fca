"""A Markdown task list: `- [ ] task`, under headings that are lists or topics."""

import re

from actions.transfer.board_file import (
    GREY,
    BoardFile,
    FileCard,
    FileColumn,
    FileLabel,
    FileSubtask,
    UnreadableFile,
)
from actions.transfer.stage_names import stage_named
from models.stage import Stage

ITEM = re.compile(r"^([ \t]*)(?:[-*+]|\d+[.)])[ \t]+\[(.)\](?:[ \t]+(.*))?$")
HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*$")
FENCE = re.compile(r"^[ \t]*(```|~~~)")


def is_task_list(text: str) -> bool:
    """Return whether the text has a task."""
    return any(ITEM.match(line) for line in text.splitlines())


def read_task_list(text: str, name: str) -> BoardFile:
    """Read a task list. Raises UnreadableFile.

    A heading that names a stage is a column; any other is a label of its tasks. Nested tasks are subtasks, and the
    indented text under a task is its description.
    """
    reader = _TaskListReader(BoardFile(name, "a Markdown task list", is_foreign=True))
    for line in text.replace("\r\n", "\n").split("\n"):
        reader.read_line(line.expandtabs(4))
    if not reader.file.cards:
        raise UnreadableFile("has no task like “- [ ] Do it”")
    return reader.finish()


class _TaskListReader:
    def __init__(self, file: BoardFile) -> None:
        self.file = file
        self.heading: str | None = None  # a topic
        self.column: int | None = None  # of the heading above, if it names a stage
        self.defaults: dict[bool, int] = {}  # the columns of tasks under no such heading, by completeness
        self.card: FileCard | None = None
        self.indent = 0  # of the last card
        self.levels: list[int] = []  # indents of the tasks that enclose the last one
        self.in_fence = False
        self.titles: list[str] = []

    def read_line(self, line: str) -> None:
        item = None if self.in_fence else ITEM.match(line)
        heading = None if self.in_fence else HEADING.match(line)
        if FENCE.match(line):
            self.in_fence = not self.in_fence
        if heading and not line.startswith(" " * (self.indent + 1)):
            self._read_heading(len(heading[1]), heading[2])
        elif item:
            self._read_item(len(item[1]), item[2], item[3] or "")
        else:
            self._read_text(line)

    def _read_heading(self, level: int, title: str) -> None:
        self.card = None
        if level == 1 and not self.titles and not self.file.cards:
            self.titles.append(title)
            self.heading = self.column = None
            return
        stage = stage_named(title)
        self.heading = title if stage is None else None
        self.column = None if stage is None else self._add_column(title, stage)

    def _add_column(self, name: str, stage: Stage) -> int:
        for place, column in enumerate(self.file.columns):
            if column.name == name:
                return place
        self.file.columns.append(FileColumn(name, stage, is_stage_given=False))
        return len(self.file.columns) - 1

    def _read_item(self, indent: int, mark: str, title: str) -> None:
        is_done = mark in "xX"
        if mark not in " xX":
            self.file.mended["tasks with another mark than [ ] and [x] (read as open)"] += 1
        if self.card is not None and indent > self.indent + 1:
            self.levels = [level for level in self.levels if level < indent]
            self.file.mended["tasks nested deeper (they are subtasks)"] += len(self.levels) > 1
            self.levels.append(indent)
            self.card.subtasks.append(FileSubtask(title, is_done))
            self.file.read["nested tasks"] += 1
            return
        self.indent, self.levels = indent, [indent]
        self.card = FileCard(title, self._place(is_done), labels=[self.heading] if self.heading else [])
        self.file.cards.append(self.card)
        self.file.read["tasks"] += 1

    def _place(self, is_done: bool) -> int:
        """Return the column of a task: its heading's, but a completed task is in a column of DONE."""
        columns = self.file.columns
        if self.column is not None and (not is_done or columns[self.column].stage is Stage.DONE):
            return self.column
        if self.column is not None:
            self.file.mended["completed tasks of other lists (they are in Done)"] += 1
        if is_done not in self.defaults:
            stage = Stage.DONE if is_done else Stage.TODO
            same = [place for place, column in enumerate(columns) if column.stage is stage]
            self.defaults[is_done] = (
                same[0] if same else self._add_column("Done" if is_done else "To do", stage)
            )
        return self.defaults[is_done]

    def _read_text(self, line: str) -> None:
        text = line.strip()
        is_under_card = self.card is not None and (not text or line.startswith(" " * (self.indent + 1)))
        if is_under_card and self.card is not None:
            if len(self.levels) > 1 and text:
                self.file.mended["texts under nested tasks (they are in the description)"] += 1
            self.card.description += line[self.indent + 2 :].rstrip() + "\n"
        elif text:
            self.file.left["lines of text outside tasks"] += 1

    def finish(self) -> BoardFile:
        self.file.sorts_columns = True
        self.file.name = self.titles[0] if self.titles else self.file.name
        topics = dict.fromkeys(label for card in self.file.cards for label in card.labels)
        self.file.labels = [FileLabel(topic, GREY) for topic in topics]
        if topics:
            self.file.notes.append("headings that name no stage are labels")
        return self.file
