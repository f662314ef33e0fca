"""The log of a run: validation of reported lines, and their classification.

A line is an event of protocol.events, reduced to its known fields: fields of a newer worker are dropped, and
characters that a database cannot store are replaced. A chunk of text is no line. Chunks are collected for each
item, until the line that holds the whole part is stored.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from sqlalchemy import exists

from actions import validation
from kit.eventlog.tables import Beside, Log
from kit.graphql.arguments import JSON
from kit.graphql.types import as_row, input_type
from models.refusal import Invalid
from models.run import MAX_DATA, MAX_EVENTS, MAX_TEXT, Run, RunEvent, RunReport
from protocol import fast_rows
from protocol.events import (
    SPOKEN,
    AgentEvent,
    EventType,
    LogLevel,
    OutputText,
    ThinkingText,
    from_row,
    is_ephemeral,
    to_row,
)

MAX_AGENT = 200  # characters
MAX_LEVELS = 32  # of lists and objects in an event's data, as everywhere

REPORTS = Beside(
    RunReport.run_id, lambda moment: exists().where(Run.id == RunReport.run_id, Run.finished_at < moment)
)
# Smaller pages than those of events: lines may be long.
RUN_LOG = Log(RunEvent.__table__, page=50, ring=128, beside=REPORTS)

Row = dict[str, Any]


@input_type
class RunEventInput:
    """An event of an agent. docs/agents.md describes `data` for each type."""

    type: Annotated[EventType, "The type."]
    level: Annotated[LogLevel | None, "The level. Default: that of the type."] = None
    agent: Annotated[str | None, "The sub-agent; null: the main agent."] = None
    text: Annotated[str | None, "The text, at most 262,144 characters."] = None
    data: Annotated[JSON | None, "Further fields, by type; at most 65,536 bytes."] = None


# Rows stay as they are: a report may have 250 of them. Null counts as absent.
as_row(RunEventInput)(dict)
ReportedRow = Annotated[Row, RunEventInput]


class Line(NamedTuple):
    """One event of a report, and the row it is kept as."""

    event: AgentEvent
    row: Row
    written: bytes  # the row as JSON
    is_kept: bool  # or only shown


def read_report(rows: Sequence[Row]) -> list[Line]:
    """What a report says, in order. Raises Invalid for the first event that cannot be taken."""
    validation.at_most("events", list(rows), MAX_EVENTS)
    return [_plain_line(row) or read_line(f"events.{n}", row) for n, row in enumerate(rows)]


def _plain_line(row: Row) -> Line | None:
    """One event, where nothing has to be refused or mended; else None."""
    found = fast_rows.read(row)
    if found is None:
        return None
    _, kept, written = found
    if len(kept["text"]) > MAX_TEXT or len(kept["agent"] or "") > MAX_AGENT:
        return None
    # Other writers of JSON leave more space, but never as much again.
    if 2 * len(written) > MAX_DATA or written.count(b"[") + written.count(b"{") > MAX_LEVELS:
        try:
            _bounded("data", kept["data"])
        except (Invalid, ValueError):
            return None
    return Line(*found, not is_ephemeral(found[0]))


def read_line(path: str, row: Row) -> Line:
    """One event, as `to_row` writes them, in any language. Raises Invalid, field by field."""
    if faults := fast_rows.faults_of(path, row):
        raise Invalid(*faults)
    try:
        event = from_row({name: value for name, value in row.items() if value is not None})
        return line_of(event, path)
    except (ValueError, TypeError, RecursionError) as error:
        # JSON writes NaN, infinity and half letters, and nests without end; no database takes them.
        raise Invalid(
            (f"{path}.data", "has what cannot be kept: no number, half a letter, or too deep")
        ) from error


def line_of(event: AgentEvent, path: str = "event") -> Line:
    """The line of an event. Raises Invalid where it is larger than a line may be."""
    said = to_row(event)
    text, agent, data = said.get("text", ""), said.get("agent"), said.get("data", {})
    if len(text) > MAX_TEXT:
        raise Invalid((f"{path}.text", f"must have at most {MAX_TEXT} characters, not {len(text)}"))
    if agent and len(agent) > MAX_AGENT:
        raise Invalid((f"{path}.agent", f"must have at most {MAX_AGENT} characters, not {len(agent)}"))
    if data:
        _bounded(f"{path}.data", data)
    row = fast_rows.row_of(event.type, event.level, agent, text, data)
    return Line(event, row, _written(row), not is_ephemeral(event))


def _written(row: Row) -> bytes:
    try:
        return fast_rows.write(row)
    except TypeError:  # numbers beyond 64 bits, which Python writes
        return json.dumps(row, sort_keys=True).encode()


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


@dataclass
class OpenText:
    """The collected chunks of one part of an item. It follows `after` stored lines of the report."""

    event: OutputText | ThinkingText
    row: Row
    after: int
    pieces: list[str] = field(default_factory=list)

    def stored(self, run_id: str, item: str, attempt: int, before: int) -> Row:
        """Return the row of RunLive; `before` is the number of the last line before the report."""
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


class Report:
    """A report, classified in one pass: its stored lines, the items that they close, the text left open.

    An item is closed by the line that stores its part, until its next chunk opens it again.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self.kept: list[Line] = []
        self.closed: set[str] = set()
        self.open: dict[str, OpenText] = {}
        written: list[bytes] = []
        for line in lines:
            written.append(line.written)
            if line.is_kept:
                self.kept.append(line)
            if isinstance(line.event, SPOKEN):
                self._add_text(line, line.event)
        self.digest = hashlib.sha256(b"\n".join(written)).hexdigest()  # tells reports apart

    def _add_text(self, line: Line, event: OutputText | ThinkingText) -> None:
        item = item_key(event)
        if line.is_kept:
            self.closed.add(item)
            self.open.pop(item, None)
            return
        text = self.open.get(item)
        if text is None or text.event.part != event.part:
            text = self.open[item] = OpenText(event, line.row, len(self.kept))
        text.pieces.append(line.row["text"])


def lines_as_json(lines: Iterable[Line]) -> str:
    """Return the rows of lines as one JSON list, in order."""
    return f"[{b','.join(line.written for line in lines).decode()}]"


def item_key(event: OutputText | ThinkingText) -> str:
    """Return the key of an event's item, unique in its run."""
    if isinstance(event, OutputText):
        return _hash_names(event.type, event.agent, event.item, event.stream, event.tool)
    return _hash_names(event.type, event.agent, event.item)


@lru_cache
def _hash_names(*names: str) -> str:
    return hashlib.blake2b(json.dumps(names).encode(), digest_size=16).hexdigest()
