"""Reading a file somebody sends: which format it is, and nothing that a hostile one could do with it."""

import json
from pathlib import Path
from typing import Any

from actions.transfer import github, native_format, trello
from actions.transfer.board_file import MAX_CARDS, BoardFile, UnreadableFile

MAX_FILE_BYTES = 64 * 1024 * 1024  # bytes of a file


def read(path: Path) -> BoardFile:
    """A board from a file. Raises Unreadable."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableFile(f"is larger than {MAX_FILE_BYTES // 2**20} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from error
    return parse(raw, path.stem)


def parse(raw: bytes, name: str) -> BoardFile:
    """`name` is what the board is called when the file does not say. Raises Unreadable."""
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
    parcel = _parcel(value, name)
    if len(parcel.cards) > MAX_CARDS:
        raise UnreadableFile(f"has {len(parcel.cards)} cards; {MAX_CARDS} is the most")
    return parcel


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _parcel(value: Any, name: str) -> BoardFile:
    if isinstance(value, list):
        return github.read_github(value, name)
    if isinstance(value, dict) and "format" in value:
        return native_format.read_native(value)
    if isinstance(value, dict) and "lists" in value and "cards" in value:
        return trello.read_trello(value)
    raise UnreadableFile("is no Trello board, no list of GitHub issues and no board of ours")
