"""Vibe Kanban: the ZIP of CSV tables that it exports, or the tasks of a local project as its API lists them."""

import csv
import io
import zipfile
from typing import Any

from actions import validation
from actions.transfer.board_file import (
    BoardFile,
    FileCard,
    FileLabel,
    FileMessage,
    FileReader,
    UnreadableFile,
)
from actions.transfer.csv_table import read_csv, utc_moment_of
from actions.transfer.status_columns import StatusColumns
from models.card import LinkKind

MAX_TABLE_BYTES = 64 * 1024 * 1024  # of one table, unpacked


def read_vibe_zip(raw: bytes, name: str) -> BoardFile:
    """Read an export. Raises UnreadableFile."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            tables = {table: _read_member(archive, f"{table}.csv") for table in TABLES}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError) as error:
        raise UnreadableFile(f"is a broken ZIP: {error}") from None
    if tables["issues"] is None:
        raise UnreadableFile("is a ZIP without issues.csv: no export of Vibe Kanban")
    file = read_csv(tables["issues"], name)
    file.source = "a Vibe Kanban export"
    cards = {card.key: card for card in file.cards}
    rows = {table: _rows(tables[table]) for table in ("tags", "relationships", "comments", "attachments")}
    _add_colours(file, rows["tags"])
    _add_relations(file, rows["relationships"])
    _add_comments(file, cards, rows["comments"])
    _add_attachments(file, cards, rows["attachments"])
    file.left["pull requests"] += len(_rows(tables["pull_requests"]))
    return file


TABLES = ("issues", "tags", "relationships", "comments", "attachments", "pull_requests")


def _read_member(archive: zipfile.ZipFile, name: str) -> str | None:
    try:
        member = archive.open(name)
    except KeyError:
        return None
    with member:
        content = member.read(MAX_TABLE_BYTES + 1)
    if len(content) > MAX_TABLE_BYTES:
        raise UnreadableFile(f"has a {name} larger than {MAX_TABLE_BYTES // 2**20} MB")
    return content.decode("utf-8-sig", errors="replace")


def _rows(text: str | None) -> list[dict[str, str]]:
    """Return the rows of a table by the names of its columns."""
    try:
        rows = list(csv.DictReader(io.StringIO(text or "", newline=""), restkey="", restval=""))
    except csv.Error as error:
        raise UnreadableFile(f"is not CSV: {error}") from None
    return [{key: value for key, value in row.items() if isinstance(value, str)} for row in rows]


def _add_colours(file: BoardFile, rows: list[dict[str, str]]) -> None:
    colours = {validation.folded(row.get("Tag Name", "")): _hex_of(row.get("Color", "")) for row in rows}
    file.labels = [
        FileLabel(label.name, colours.get(validation.folded(label.name), label.colour))
        for label in file.labels
    ]


def _hex_of(colour: str) -> str:
    """Return #RRGGBB of a color that is written as hue, saturation and lightness; others unchanged."""
    parts = colour.replace("%", "").replace(",", " ").split()
    try:
        hue, saturation, lightness = (float(part) for part in parts)
    except ValueError:
        return colour
    chroma = saturation / 100 * min(lightness / 100, 1 - lightness / 100)

    def channel(offset: int) -> int:
        place = (offset + hue / 30) % 12
        value = lightness / 100 - chroma * max(-1, min(place - 3, 9 - place, 1))
        return max(0, min(255, round(255 * value)))

    return f"#{channel(0):02X}{channel(8):02X}{channel(4):02X}"


def _add_relations(file: BoardFile, rows: list[dict[str, str]]) -> None:
    file.read["links"] += len(rows)
    for row in rows:
        issue, other, kind = row.get("Issue ID", ""), row.get("Related Issue ID", ""), row.get("Type", "")
        if kind == "Blocking":
            file.relations.append((issue, other, LinkKind.BLOCKS))
        elif kind == "HasDuplicate":
            file.relations.append((other, issue, LinkKind.DUPLICATE))
        else:
            file.relations.append((issue, other, LinkKind.RELATED))


def _add_comments(file: BoardFile, cards: dict[str | None, FileCard], rows: list[dict[str, str]]) -> None:
    file.read["comments"] += len(rows)
    for row in rows:
        card = cards.get(row.get("Issue ID"))
        if card is None:
            file.left["comments of issues that are not in the file"] += 1
            continue
        author = row.get("Author") or None
        file.left["authors of comments that are not in the file"] += author is None
        card.comments.append(
            FileMessage(row.get("Message", ""), author, utc_moment_of(row.get("Created", "")))
        )
    for card in cards.values():
        card.comments.sort(key=lambda one: one.at.timestamp() if one.at else 0)


def _add_attachments(file: BoardFile, cards: dict[str | None, FileCard], rows: list[dict[str, str]]) -> None:
    """Name the attachments under the descriptions. They are files of the ZIP and have no address."""
    for row in rows:
        card = cards.get(row.get("Issue ID"))
        if card is None:
            file.left["attachments of issues that are not in the file"] += 1
            continue
        if "Attachments:" not in card.footer:
            card.footer += ["", "Attachments:"]
        card.footer.append(f"- {row.get('File Path in ZIP') or row.get('Filename', '')}")
        file.left["attachments (files of the ZIP; their names are under the description)"] += 1


def is_vibe_task(value: Any) -> bool:
    """Return whether an object is a task of the local API."""
    return isinstance(value, dict) and {"title", "status", "project_id"} <= value.keys()


def read_vibe_tasks(value: list[Any], name: str) -> BoardFile:
    """Read the tasks of a local project. Raises UnreadableFile."""
    file = BoardFile(name, "Vibe Kanban tasks", is_foreign=True)
    columns = StatusColumns(file)
    file.read["tasks"] = len(value)
    for index, row in enumerate(value):
        task = FileReader(row, f"[{index}]")
        file.left["attempts of tasks"] += bool(
            task.value.get("has_in_progress_attempt") or task.value.get("last_attempt_failed")
        )
        file.left["images"] += len(task.get("image_ids", list, []))
        file.left["tasks that an attempt created"] += bool(
            task.value.get("parent_task_attempt") or task.value.get("parent_workspace_id")
        )
        file.cards.append(
            FileCard(
                title=task.get("title", str),
                column=columns.place(task.get("status", str)),
                description=task.get("description", str, ""),
            )
        )
    return file
