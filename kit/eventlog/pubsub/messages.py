"""The messages on the bus: JSON objects with the sender (`by`) and the topics with new events (`names`).

A message with an empty list of names is a heartbeat. A message whose names are null stands for all topics.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from kit.eventlog.pubsub.hub import short

MAX_MESSAGE_BYTES = 7000  # bytes of a message; PostgreSQL refuses a NOTIFY of 8000
MAX_PENDING_TOPICS = 10_000  # names an outbox keeps while nothing can be sent


class BusMessage(NamedTuple):
    by: str
    names: list[str] | None


def encode_messages(by: str, names: Collection[str] | None) -> Iterator[str]:
    """Yield one or more messages that contain all `names`, each at most MAX_MESSAGE_BYTES long.

    Messages are ASCII, because JSON escapes all other characters, U+0000 and lone surrogates included.
    So any bus transmits them, and their length in characters is their length in bytes.
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


def decode_message(text: str) -> BusMessage | None:
    """Return the message in `text`, or None if it is malformed: any client can write to the channel."""
    try:
        letter = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match letter:
        case {"by": str(by), "names": None}:
            return BusMessage(by, None)
        case {"by": str(by), "names": [*names]} if all(isinstance(name, str) for name in names):
            return BusMessage(by, names)
    return None


class PendingTopics:
    """The topics to send: a set, or None (all topics) once there are more than MAX_PENDING_TOPICS."""

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
