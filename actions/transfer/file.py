"""Reading a file somebody sends: which format it is, and nothing that a hostile one could do with it."""

import json
from pathlib import Path
from typing import Any

from actions.transfer import github, own, trello
from actions.transfer.parcel import MOST_CARDS, Parcel, Unreadable

LARGEST = 64 * 1024 * 1024  # bytes of a file


def read(path: Path) -> Parcel:
    """A board from a file. Raises Unreadable."""
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"is larger than {LARGEST // 2**20} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    return parse(raw, path.stem)


def parse(raw: bytes, name: str) -> Parcel:
    """`name` is what the board is called when the file does not say. Raises Unreadable."""
    if len(raw) > LARGEST:
        raise Unreadable(f"is larger than {LARGEST // 2**20} MB")
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise Unreadable("is not text in UTF-8") from None
    except RecursionError:
        raise Unreadable("nests too deep") from None
    except ValueError as error:
        raise Unreadable(f"is not JSON: {error}") from None
    parcel = _parcel(value, name)
    if len(parcel.cards) > MOST_CARDS:
        raise Unreadable(f"has {len(parcel.cards)} cards; {MOST_CARDS} is the most")
    return parcel


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _parcel(value: Any, name: str) -> Parcel:
    if isinstance(value, list):
        return github.parcel(value, name)
    if isinstance(value, dict) and "format" in value:
        return own.parcel(value)
    if isinstance(value, dict) and "lists" in value and "cards" in value:
        return trello.parcel(value)
    raise Unreadable("is no Trello board, no list of GitHub issues and no board of ours")
