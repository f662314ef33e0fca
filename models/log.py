"""A run's log: what a report may hold, and what of it is kept or only shown.

A line is an event of the agents' vocabulary, in its own words only: what a newer worker says besides is left
out, what no database takes is replaced. Text that is still being said (a chunk) is no line; it is gathered per
item, until the part that holds it is kept.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models import words
from models.refusal import Invalid
from models.run import MOST_DATA, MOST_EVENTS, MOST_TEXT, RunEvent
from runtime.event import Log
from runtime.vocabulary import Event, Output, Thinking, is_transient, read_wire, wire

MOST_AGENT = 200  # characters
MOST_LEVELS = 32  # of lists and objects in an event's data, as everywhere

RUN_LOG = Log(RunEvent.__table__, page=50, ring=128)  # fewer at once than events are: lines may be long

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a report, and the row it is kept as."""

    event: Event
    row: Row

    @property
    def is_kept(self) -> bool:
        return not is_transient(self.event)


def read_report(rows: Sequence[Row]) -> list[Line]:
    """What a report says, in order. Raises Invalid for the first event that cannot be taken."""
    words.at_most("events", list(rows), MOST_EVENTS)
    return [read_line(f"events.{n}", row) for n, row in enumerate(rows)]


def read_line(path: str, row: Row) -> Line:
    """One event, as `wire` writes them, in any language. Raises Invalid."""
    try:
        event = read_wire(row)
        return line_of(event, path)
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid((path, str(error)[:300])) from error


def line_of(event: Event, path: str = "event") -> Line:
    """The line of an event. Raises Invalid where it is larger than a line may be."""
    said = wire(event)
    text, agent, data = said.get("text", ""), said.get("agent"), said.get("data", {})
    if len(text) > MOST_TEXT:
        raise Invalid((f"{path}.text", f"must have at most {MOST_TEXT} characters, not {len(text)}"))
    if agent and len(agent) > MOST_AGENT:
        raise Invalid((f"{path}.agent", f"must have at most {MOST_AGENT} characters, not {len(agent)}"))
    if data:
        _bounded(f"{path}.data", data)
    row = {"type": said["type"], "level": event.level.value, "agent": agent, "text": text, "data": data}
    return Line(event, row)


def _bounded(path: str, data: Row) -> None:
    written = json.dumps(data, allow_nan=False, ensure_ascii=False)  # ValueError for what is no number
    if len(written) > MOST_DATA // 4 and (size := len(written.encode())) > MOST_DATA:
        raise Invalid((path, f"must have at most {MOST_DATA} bytes, not {size}"))
    if written.count("[") + written.count("{") > MOST_LEVELS:
        _shallow(path, data)  # the count only says "perhaps"


def _shallow(path: str, data: Row) -> None:
    level: list[Any] = [data]
    for _ in range(MOST_LEVELS + 1):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for many in inner for one in many if isinstance(one, dict | list)]
        if not level:
            return
    raise Invalid((path, f"must be nested at most {MOST_LEVELS} deep"))


def digest(lines: Iterable[Line]) -> str:
    """What tells one report from another."""
    written = json.dumps([line.row for line in lines], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def kept(lines: Iterable[Line], attempt: int, at: datetime) -> list[Row]:
    """The rows of what is kept, but for their numbers."""
    return [{**line.row, "attempt": attempt, "at": at} for line in lines if line.is_kept]


def place_of(event: Output | Thinking) -> str:
    """The name of an item among all that a run says at once."""
    where = [event.type, event.agent, event.item]
    if isinstance(event, Output):
        where += [event.stream, event.tool]
    return hashlib.blake2b(json.dumps(where).encode(), digest_size=16).hexdigest()


@dataclass
class Saying:
    """Text of one part of an item that is being said; `after` is the number of the last line before it."""

    event: Output | Thinking
    row: Row
    after: int
    pieces: list[str] = field(default_factory=list)

    def stored(self, run_id: str, item: str, attempt: int) -> Row:
        names = {"item": self.event.item}
        if isinstance(self.event, Output):
            names |= {"stream": self.event.stream.value, "tool": self.event.tool}
        return {
            "run_id": run_id,
            "item": item,
            "part": self.event.part,
            "type": self.row["type"],
            "agent": self.row["agent"],
            "data": {**names, "attempt": attempt, "after": self.after},
            "text": "".join(self.pieces)[:MOST_TEXT],
        }


def gather(lines: Iterable[Line], after: int) -> tuple[set[str], dict[str, Saying]]:
    """What a report ends and what it leaves being said, by item. `after` is the number before its first line.

    An item whose part was kept says nothing any more, until its next chunk.
    """
    ended: set[str] = set()
    open_: dict[str, Saying] = {}
    for line in lines:
        event = line.event
        if line.is_kept:
            after += 1
        if not isinstance(event, Output | Thinking):
            continue
        item = place_of(event)
        if line.is_kept:
            ended.add(item)
            open_.pop(item, None)
            continue
        saying = open_.get(item)
        if saying is None or saying.event.part != event.part:
            saying = open_[item] = Saying(event, line.row, after)
        saying.pieces.append(line.row["text"])
    return ended, open_
