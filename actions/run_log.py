"""A run's log: what a report may hold, and what of it is kept or only shown.

A line is an event of the agents' vocabulary, in its own words only: what a newer worker says besides is left
out, what no database takes is replaced. Text that is still being said (a chunk) is no line; it is gathered per
item, until the part that holds it is kept.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import exists

from actions import validation
from kit.eventlog.tables import Beside, Log
from models.refusal import Invalid
from models.run import MAX_DATA, MAX_EVENTS, MAX_TEXT, Run, RunEvent, RunReport
from protocol.events import SPOKEN, AgentEvent, OutputText, ThinkingText, is_ephemeral
from protocol.rows import InvalidEvent, from_row, to_full_row, write

MAX_AGENT = 200  # characters
MAX_LEVELS = 32  # of lists and objects in an event's data, as everywhere

REPORTS = Beside(
    RunReport.run_id, lambda moment: exists().where(Run.id == RunReport.run_id, Run.finished_at < moment)
)
# Fewer at once than events are: lines may be long.
RUN_LOG = Log(RunEvent.__table__, page=50, ring=128, beside=REPORTS)

Row = dict[str, Any]


class Line(NamedTuple):
    """One event of a report, and the row it is kept as."""

    event: AgentEvent
    row: Row
    written: bytes  # the row as JSON
    is_kept: bool  # or only shown


def read_report(rows: Sequence[Row]) -> list[Line]:
    """Read the events of a report, in order. Raises Invalid for the first event that cannot be accepted."""
    validation.at_most("events", list(rows), MAX_EVENTS)
    return [read_line(f"events.{n}", row) for n, row in enumerate(rows)]


def read_line(path: str, row: Row) -> Line:
    """Read one event, written as `to_row` does, in any language. Raises Invalid, field by field."""
    try:
        return line_of(from_row(row), path)
    except InvalidEvent as error:
        raise Invalid(*(_fault(path, *fault) for fault in error.faults)) from error
    except (ValueError, RecursionError) as error:
        # JSON of some writers has NaN and infinity, and nests without end; no database stores them.
        raise Invalid((f"{path}.data", "has a number that is not finite, or is nested too deep")) from error


def _fault(path: str, field: str, message: str) -> tuple[str, str]:
    return (f"{path}.{field}" if field else path, message)


def line_of(event: AgentEvent, path: str = "event") -> Line:
    """Make the line of an event. Raises Invalid if it is larger than a line may be."""
    row = to_full_row(event)
    text, agent, data = row["text"], row["agent"], row["data"]
    if len(text) > MAX_TEXT:
        raise Invalid((f"{path}.text", f"must have at most {MAX_TEXT} characters, not {len(text)}"))
    if agent and len(agent) > MAX_AGENT:
        raise Invalid((f"{path}.agent", f"must have at most {MAX_AGENT} characters, not {len(agent)}"))
    return Line(event, row, _write_line(path, row, data), not is_ephemeral(event))


def _write_line(path: str, row: Row, data: Row) -> bytes:
    try:
        written = write(row)
    except TypeError:  # integers of more than 64 bits, which Python writes
        _bounded(f"{path}.data", data)
        return json.dumps(row, sort_keys=True).encode()
    # Other writers of JSON use more space, but never twice as much. Free values are in `input` only, where orjson
    # writes NaN and infinity as null.
    if 2 * len(written) > MAX_DATA or ("input" in data and _is_suspect(row, written)):
        _bounded(f"{path}.data", data)
    return written


def _is_suspect(row: Row, written: bytes) -> bool:
    """Whether a row may be nested too deep, or hold a number that is not finite."""
    nulls = written.count(b"null") - (row["agent"] is None)
    return nulls > 0 or written.count(b"[") + written.count(b"{") > MAX_LEVELS


def _bounded(path: str, data: Row) -> None:
    written = json.dumps(data, allow_nan=False, ensure_ascii=False)  # ValueError for what is no number
    if len(written) > MAX_DATA // 4 and (size := len(written.encode())) > MAX_DATA:
        raise Invalid((path, f"must have at most {MAX_DATA} bytes, not {size}"))
    if written.count("[") + written.count("{") > MAX_LEVELS:
        _shallow(path, data)  # the count only says "perhaps"


def _shallow(path: str, data: Row) -> None:
    level: list[Any] = [data]
    for _ in range(MAX_LEVELS + 1):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for many in inner for one in many if isinstance(one, dict | list)]
        if not level:
            return
    raise Invalid((path, f"must be nested at most {MAX_LEVELS} deep"))


def digest(lines: Iterable[Line]) -> str:
    """What tells one report from another."""
    return hashlib.sha256(b"\n".join(line.written for line in lines)).hexdigest()


def kept(lines: Iterable[Line]) -> str:
    """What is kept of these, in order: a list of rows, as JSON."""
    return f"[{b','.join(line.written for line in lines if line.is_kept).decode()}]"


def item_key(event: OutputText | ThinkingText) -> str:
    """The name of an item among all that a run says at once."""
    if isinstance(event, OutputText):
        return _place(event.type, event.agent, event.item, event.stream, event.tool)
    return _place(event.type, event.agent, event.item)


@lru_cache
def _place(*where: str) -> str:
    return hashlib.blake2b(json.dumps(where).encode(), digest_size=16).hexdigest()


@dataclass
class Saying:
    """Text of one part of an item that is being said, after so many lines of the report."""

    event: OutputText | ThinkingText
    row: Row
    after: int
    pieces: list[str] = field(default_factory=list)

    def stored(self, run_id: str, item: str, attempt: int, before: int) -> Row:
        """The row it is shown from; `before` is the number of the last line before the report."""
        names = {"item": self.event.item}
        if isinstance(self.event, OutputText):
            names |= {"stream": self.event.stream.value, "tool": self.event.tool}
        return {
            "run_id": run_id,
            "item": item,
            "part": self.event.part,
            "type": self.row["type"],
            "agent": self.row["agent"],
            "data": {**names, "attempt": attempt, "after": before + self.after},
            "text": "".join(self.pieces)[:MAX_TEXT],
        }


def gather(lines: Iterable[Line]) -> tuple[set[str], dict[str, Saying]]:
    """What a report ends and what it leaves being said, by item.

    An item whose part was kept says nothing any more, until its next chunk.
    """
    after = 0
    ended: set[str] = set()
    open_: dict[str, Saying] = {}
    for line in lines:
        event = line.event
        after += line.is_kept
        if not isinstance(event, SPOKEN):
            continue
        item = item_key(event)
        if line.is_kept:
            ended.add(item)
            open_.pop(item, None)
            continue
        saying = open_.get(item)
        if saying is None or saying.event.part != event.part:
            saying = open_[item] = Saying(event, line.row, after)
        saying.pieces.append(line.row["text"])
    return ended, open_
