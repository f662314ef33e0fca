"""Reading of untrusted files: detect the format, bound the size."""

import json
from pathlib import Path
from typing import Any

from actions.transfer import github, native_format, trello
from actions.transfer.board_file import MAX_CARDS, BoardFile, UnreadableFile

MAX_FILE_BYTES = 64 * 1024 * 1024


def read(path: Path) -> BoardFile:
    """Read a board from a file. Raises UnreadableFile."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableFile(f"is larger than {MAX_FILE_BYTES // 2**20} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from error
    return parse(raw, path.stem)


def parse(raw: bytes, name: str) -> BoardFile:
    """Parse a board; `name` is its name if the file has none. Raises UnreadableFile."""
    if len(raw) > MAX_FILE_BYTES:
        raise UnreadableFile(f"is larger than {MAX_FILE_BYTES // 2**20} MB")
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise UnreadableFile("is not text in UTF-8") from None
    except RecursionError:
        raise UnreadableFile("nests too deep") from None
    except ValueError as error:
        raise UnreadableFile(f"is not JSON: {error}") from None
    file = _detect_format(value, name)
    if len(file.cards) > MAX_CARDS:
        raise UnreadableFile(f"has {len(file.cards)} cards; {MAX_CARDS} is the most")
    return file


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _detect_format(value: Any, name: str) -> BoardFile:
    if isinstance(value, list):
        return github.read_github(value, name)
    if isinstance(value, dict) and "format" in value:
        return native_format.read_native(value)
    if isinstance(value, dict) and "lists" in value and "cards" in value:
        return trello.read_trello(value)
    raise UnreadableFile("is no Trello board, no list of GitHub issues and no board of ours")
