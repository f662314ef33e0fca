"""What travels on the bus: letters of JSON that say who writes and which topics grew.

A letter without names is a heartbeat. One whose names are null says that too much grew to name it.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from kit.eventlog.pubsub.hub import short

MAX_MESSAGE_BYTES = 7000  # bytes of a letter; PostgreSQL refuses a NOTIFY of 8000
MAX_PENDING_TOPICS = 10_000  # names an outbox keeps while nothing can be sent


class Message(NamedTuple):
    by: str
    names: list[str] | None


def encode_messages(by: str, names: Collection[str] | None) -> Iterator[str]:
    """Letters that together name all of `names`, at least one, each at most LARGEST bytes.

    ASCII only: what other characters become in JSON passes any bus, U+0000 and lone surrogates
    included, and its length is its number of bytes.
    """
    empty = json.dumps({"by": by, "names": []})
    if names is None:
        yield json.dumps({"by": by, "names": None})
        return
    page: list[str] = []
    room = MAX_MESSAGE_BYTES - len(empty)
    for name in names:
        size = len(json.dumps(name)) + 2  # with ", "
        if size > room:
            yield json.dumps({"by": by, "names": page})
            page, room = [], MAX_MESSAGE_BYTES - len(empty)
        page.append(name)
        room -= size
    yield json.dumps({"by": by, "names": page})


def decode_message(text: str) -> Message | None:
    """The letter in `text`; None if it is none, for anybody can write to a channel."""
    try:
        letter = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match letter:
        case {"by": str(by), "names": None}:
            return Message(by, None)
        case {"by": str(by), "names": [*names]} if all(isinstance(name, str) for name in names):
            return Message(by, names)
    return None


class PendingTopics:
    """The names still to be sent: a set, and past MOST of them the remark "everything"."""

    def __init__(self) -> None:
        self._names: set[str] | None = set()

    def add(self, names: Iterable[str] | None) -> None:
        if names is None:
            self._names = None
        if self._names is not None:
            self._names.update(map(short, names or ()))
            if len(self._names) > MAX_PENDING_TOPICS:
                self._names = None

    def take(self) -> set[str] | None:
        names, self._names = self._names, set()
        return names
