"""Reading of untrusted files: detect the format by the content, bound the size."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from actions.transfer import beads, csv_table, github, native_format, task_list, trello, vibe_kanban
from actions.transfer.board_file import MAX_CARDS, BoardFile, UnreadableFile
from actions.transfer.mend import mend_board, set_stages
from models.stage import Stage

MAX_FILE_BYTES = 64 * 1024 * 1024


def read(path: Path, *, zone: ZoneInfo | None = None, stages: Mapping[str, Stage] | None = None) -> BoardFile:
    """Read a board from a file, as `parse` does. Raises UnreadableFile."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableFile(f"is larger than {MAX_FILE_BYTES // 2**20} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from error
    return parse(raw, path.stem, zone=zone, stages=stages)


def parse(
    raw: bytes, name: str, *, zone: ZoneInfo | None = None, stages: Mapping[str, Stage] | None = None
) -> BoardFile:
    """Parse a board; `name` is its name if the file has none. Raises UnreadableFile.

    Due times become days in `zone`, by default the machine's. `stages` sets stages by names of lists.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise UnreadableFile(f"is larger than {MAX_FILE_BYTES // 2**20} MB")
    file = _read_bytes(raw, name)
    if len(file.cards) > MAX_CARDS:
        raise UnreadableFile(f"has {len(file.cards)} cards; {MAX_CARDS} is the most")
    set_stages(file, stages or {})
    if file.is_foreign:
        mend_board(file, *((zone, zone.key) if zone else _local_zone()))
    return file


def read_zone(name: str | None) -> ZoneInfo | None:
    """Return a time zone by its name. Raises ValueError."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"--zone {name[:80]!r} is no time zone; one is Europe/Paris") from None


def read_stages(options: Sequence[str]) -> dict[str, Stage]:
    """Return stages by names of lists from options “NAME=STAGE”. Raises ValueError."""
    stages = {}
    for option in options:
        name, _, stage = option.rpartition("=")
        stage = stage.strip().upper().replace(" ", "_").replace("-", "_")
        if not name.strip() or stage not in Stage.__members__:
            known = ", ".join(Stage.__members__)
            raise ValueError(f"--stage {option[:80]!r} must be NAME=STAGE with one of {known}")
        stages[name] = Stage[stage]
    return stages


def _local_zone() -> tuple[ZoneInfo | None, str]:
    """Return the machine's time zone and its name; an unnamed one is None, which `astimezone` knows."""
    name = (
        os.environ.get("TZ", "").lstrip(":") or os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    )
    try:
        return ZoneInfo(name), name
    except (ValueError, OSError, KeyError):
        return None, time.tzname[0]


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _read_bytes(raw: bytes, name: str) -> BoardFile:
    if raw.startswith(b"PK\x03\x04"):
        return vibe_kanban.read_vibe_zip(raw, name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile("is not text in UTF-8") from None
    if not text.lstrip().startswith(("{", "[")):
        if csv_table.is_csv(text):
            return csv_table.read_csv(text, name)
        if task_list.is_task_list(text):
            return task_list.read_task_list(text, name)
    return _read_json(text, name)


def _read_json(text: str, name: str) -> BoardFile:
    try:
        documents = _parse_documents(text)
    except RecursionError:
        raise UnreadableFile("nests too deep") from None
    except ValueError as error:
        raise UnreadableFile(f"is not JSON: {error}") from None
    return _read_documents(documents, name)


def _parse_documents(text: str) -> list[Any]:
    """Parse one JSON document or several, one after another. Raises ValueError."""
    decoder = json.JSONDecoder(parse_constant=_no_number)
    documents: list[Any] = []
    at, end = 0, len(text)
    while True:
        while at < end and text[at] in " \t\r\n":
            at += 1
        if at == end and documents:
            return documents
        document, at = decoder.raw_decode(text, at)
        documents.append(document)


def _read_documents(documents: list[Any], name: str) -> BoardFile:
    first = documents[0]
    if isinstance(first, dict) and len(documents) == 1:
        if "format" in first:
            return native_format.read_native(first)
        if "lists" in first and "cards" in first:
            return trello.read_trello(first)
        if "total_count" in first and isinstance(first.get("items"), list):
            return github.read_github(first["items"], name)
        if first.get("success") is True and isinstance(first.get("data"), list):
            documents, first = [first["data"]], first["data"]
    entries = _flatten(documents)
    example = entries[0] if entries else None
    if vibe_kanban.is_vibe_task(example):
        return vibe_kanban.read_vibe_tasks(entries, name)
    if beads.is_bead(example):
        return beads.read_beads(entries, name)
    if isinstance(first, list) or _is_issue(first):
        return github.read_github(entries, name)
    raise UnreadableFile("is no Trello board, no list of GitHub issues and no board of ours")


def _is_issue(value: Any) -> bool:
    return isinstance(value, dict) and "state" in value and "number" in value


def _flatten(documents: list[Any]) -> list[Any]:
    """Return the entries of pages: documents may be entries, lists of them, or lists of such lists."""
    entries = []
    for document in documents:
        for page in document if isinstance(document, list) else [document]:
            entries += page if isinstance(page, list) else [page]
    return entries
