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
from models.run import MAX_DATA, MAX_EVENTS, MAX_TEXT, Run, RunLogLine, RunReport
from protocol.events import SPOKEN, AgentEvent, EventType, LogLevel, OutputText, ThinkingText, is_ephemeral
from protocol.rows import InvalidEvent, from_row, to_full_row, write

MAX_AGENT = 200  # characters
MAX_LEVELS = 32  # of lists and objects in an event's data, as everywhere

REPORTS = Beside(
    RunReport.run_id, lambda moment: exists().where(Run.id == RunReport.run_id, Run.finished_at < moment)
)
# Smaller pages than those of events: lines may be long.
RUN_LOG = Log(RunLogLine.__table__, page=50, ring=128, beside=REPORTS)

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
