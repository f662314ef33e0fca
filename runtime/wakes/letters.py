"""What travels on the bus: letters of JSON that say who writes and which topics grew.

A letter without names is a heartbeat. One whose names are null says that too much grew to name it.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from runtime.wakes.hub import short

LARGEST = 7000  # bytes of a letter; PostgreSQL refuses a NOTIFY of 8000
MOST = 10_000  # names an outbox keeps while nothing can be sent


class Letter(NamedTuple):
    by: str
    names: list[str] | None


def write(by: str, names: Collection[str] | None) -> Iterator[str]:
    """Letters that together name all of `names`, at least one, each at most LARGEST bytes.

    ASCII only: what other characters become in JSON passes any bus, U+0000 and lone surrogates
    included, and its length is its number of bytes.
    """
    empty = json.dumps({"by": by, "names": []})
    if names is None:
        yield json.dumps({"by": by, "names": None})
        return
    page: list[str] = []
    room = LARGEST - len(empty)
    for name in names:
        size = len(json.dumps(name)) + 2  # with ", "
        if size > room:
            yield json.dumps({"by": by, "names": page})
            page, room = [], LARGEST - len(empty)
        page.append(name)
        room -= size
    yield json.dumps({"by": by, "names": page})


def read(text: str) -> Letter | None:
    """The letter in `text`; None if it is none, for anybody can write to a channel."""
    try:
        letter = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match letter:
        case {"by": str(by), "names": None}:
            return Letter(by, None)
        case {"by": str(by), "names": [*names]} if all(isinstance(name, str) for name in names):
            return Letter(by, names)
    return None


class Outbox:
    """The names still to be sent: a set, and past MOST of them the remark "everything"."""

    def __init__(self) -> None:
        self._names: set[str] | None = set()

    def add(self, names: Iterable[str] | None) -> None:
        if names is None:
            self._names = None
        if self._names is not None:
            self._names.update(map(short, names or ()))
            if len(self._names) > MOST:
                self._names = None

    def take(self) -> set[str] | None:
        names, self._names = self._names, set()
        return names
