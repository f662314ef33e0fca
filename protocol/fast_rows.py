"""Events that are plainly right, read at once: what `from_row` makes of a row, and what `to_row` makes of that.

Those two look at each field four times, which is more than a server can do for 20,000 events a second. Here each
field is looked at once, by what its class can say. Whatever is not plainly right is None, and left to them: so
there is one place that refuses, and one that mends.

`faults_of` says field by field why a row is no event, in words of the API: whoever writes a worker in another
language reads them.
"""

import dataclasses
import enum
import re
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from protocol.events import EVENTS, MAX_NUMBER, ROW, AgentEvent, EventType, LogLevel, defaults_of, hints_of

Row = dict[str, Any]
NUL = b"\\u0000"  # as JSON writes it
SIGNED = {"exit_code"}  # every other number counts something
PATTERNS = {  # of texts that mean something to others than people
    "sha": (re.compile(r"(?:[0-9a-fA-F]{4,64})?"), "must be a commit id: 4 to 64 hexadecimal digits"),
    "url": (
        re.compile(r"(?:https?://[^\s\x00-\x1f\x7f]+)?"),
        "must be an address that begins with https:// or http://",
    ),
}
MAX_FAULTS = 20  # told of one event
Fault = tuple[str, str]  # where, and what is wrong


@dataclass(frozen=True, slots=True)
class EventShape:
    """The fields of an event, or of a part of one, by name: what they hold, and what says nothing."""

    kind: Any
    defaults: Row
    takes: dict[str, "Take"]
    name: str  # of its type, and of its usual level, as JSON has them: asking an enum takes longer than all else
    level: str

    def read(self, given: Row) -> tuple[Row, Row] | None:
        """The values of all fields, and those that say something as JSON's own types. None: not plainly right."""
        if given.__class__ is not dict:
            return None
        values, said = self.defaults.copy(), {}
        for name, value in given.items():
            take = self.takes.get(name)
            if take is None:
                if name in ROW:
                    return None  # a column of its own, said in the wrong place
                continue  # of a newer worker
            if value.__class__ is take.kind:  # of which the most are
                values[name] = value
            elif (found := take.read(value)) is None:
                return None
            else:
                values[name], value = found
            if value != take.silent:
                said[name] = value
        return (values, said) if len(values) == len(self.takes) else None

    def faults(self, path: str, given: Any) -> list[Fault]:
        """Why `read` cannot make something of it, field by field."""
        if given.__class__ is not dict:
            return [(path, "must be an object")]
        found: list[Fault] = []
        for name in self.takes:
            if name not in given and name not in self.defaults:
                found.append((f"{path}.{name}", "must be said"))
        for name, value in given.items():
            if name in self.takes:
                found += self.takes[name].faults(f"{path}.{name}", value)
            elif name in ROW:
                found.append((f"{path}.{name}", "stands beside `data`, not in it"))
        return found

    def made(self, values: Row) -> Any:
        """An instance. What `read` answered was looked at: its own look would be the second."""
        one = self.kind.__new__(self.kind)
        one.__dict__.update(values)
        return one


@dataclass(frozen=True, slots=True)
class Take:
    """What one field holds."""

    silent: Any  # the value that says nothing
    kind: type | None = None  # a class whose values are all right
    members: Row | None = None  # of an enum
    numbers: tuple[type, ...] = ()
    least: int = -MAX_NUMBER
    optional: bool = False
    pattern: re.Pattern[str] | None = None
    wrong: str = ""  # what is said of a text that is not as the pattern says
    items: EventShape | None = None  # of a tuple

    def read(self, value: Any) -> tuple[Any, Any] | None:
        """The value, and the same as JSON has it. None: not plainly right."""
        if self.members is not None:
            return (self.members[value], value) if value.__class__ is str and value in self.members else None
        if type(value) in self.numbers and self.least <= value < MAX_NUMBER and value > -MAX_NUMBER:
            return value, value
        if self.pattern is not None and value.__class__ is str and self.pattern.fullmatch(value):
            return value, value
        if self.items is not None and value.__class__ is list:
            return self._all(self.items, value)
        return (None, None) if value is None and self.optional else None

    def _all(self, shape: EventShape, values: list[Any]) -> tuple[Any, Any] | None:
        made, said = [], []
        for value in values:
            if (found := shape.read(value)) is None:
                return None
            made.append(shape.made(found[0]))
            said.append(found[1])
        return tuple(made), said

    def faults(self, path: str, value: Any) -> list[Fault]:
        """Why it cannot hold a value; nothing where it can, also after it was mended."""
        if self.items is not None:
            if value.__class__ is not list:
                return [(path, "must be a list")]
            return [
                fault
                for place, one in enumerate(value)
                for fault in self.items.faults(f"{path}.{place}", one)
            ]
        return [] if self.read(value) or value.__class__ is self.kind else [(path, self.expected())]

    def expected(self) -> str:
        """What it holds, in words."""
        if self.members is not None:
            return f"must be one of {', '.join(self.members)}"
        if self.pattern is not None:
            return self.wrong
        if self.numbers:
            kind = "a number" if float in self.numbers else "a whole number"
            least = "more than" if self.least < 0 else "at least"
            return f"must be {kind}, {least} {self.least} and less than {MAX_NUMBER}" + (
                ", or null" * self.optional
            )
        return {bool: "must be true or false", str: "must be text", dict: "must be an object"}[
            self.kind or dict
        ]


def read(row: Row) -> tuple[AgentEvent, Row, bytes] | None:
    """An event, the row it is kept as, and that row as JSON; None where it is not plainly right.

    What a row says is null counts as not said.
    """
    try:
        shape = SHAPES[row["type"]]
        text, agent, level, data = row.get("text"), row.get("agent"), row.get("level"), row.get("data")
        text, agent = "" if text is None else text, "" if agent is None else agent
        if text.__class__ is not str or agent.__class__ is not str:
            return None
        found = shape.read({} if data is None else data)
        if found is None:
            return None
        values, said = found
        member, name = LEVELS[level] if level is not None else (shape.kind.level, shape.level)
        values["text"], values["agent"], values["level"] = text, agent, member
        kept = {"type": shape.name, "level": name, "agent": agent or None, "text": text, "data": said}
        written = write(kept)
    except (KeyError, TypeError):  # no row; half a letter, a number beyond 64 bits, no JSON at all
        return None
    return None if NUL in written else (shape.made(values), kept, written)


def faults_of(path: str, row: Any) -> list[Fault]:
    """Why a row is no event, field by field; nothing for one that is, or that can be mended."""
    if row.__class__ is not dict:
        return [(path, "must be an object")]
    name = row.get("type")
    shape = SHAPES.get(name) if isinstance(name, str) else None
    if shape is None:
        return [(f"{path}.type", f"must be one of {', '.join(SHAPES)}")]
    found = [
        (f"{path}.{column}", "must be text")
        for column in ("text", "agent")
        if row.get(column) is not None and not isinstance(row[column], str)
    ]
    level = row.get("level")
    if level is not None and not (isinstance(level, str) and level in LEVELS):
        found.append((f"{path}.level", f"must be one of {', '.join(LEVELS)}"))
    data = row.get("data")
    return (found + shape.faults(f"{path}.data", {} if data is None else data))[:MAX_FAULTS]


def row_of(type_: EventType, level: LogLevel, agent: str | None, text: str, data: Row) -> Row:
    """The row that an event is kept as."""
    return {"type": type_.value, "level": level.value, "agent": agent or None, "text": text, "data": data}


def write(row: Row) -> bytes:
    """A row as JSON, in which equal rows are equal. TypeError for what is no JSON to everybody."""
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


@cache
def _shape(kind: Any) -> EventShape:
    hints, defaults = hints_of(kind), dict(defaults_of(kind))
    own = {name: hint for name, hint in hints.items() if not (issubclass(kind, AgentEvent) and name in ROW)}
    silent = {name: defaults[name] for name in own}
    needed = {name: value for name, value in silent.items() if value is not dataclasses.MISSING}
    takes = {name: _take(name, hint, silent[name]) for name, hint in own.items()}
    is_event = issubclass(kind, AgentEvent)
    return EventShape(kind, needed, takes, *((kind.type.value, kind.level.value) if is_event else ("", "")))


def _take(name: str, hint: Any, silent: Any) -> Take:
    """How a field is taken; what is of no plain type never is."""
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        return Take(silent, members={member.value: member for member in hint})
    if name in PATTERNS:
        pattern, wrong = PATTERNS[name]
        return Take(silent, pattern=pattern, wrong=wrong)
    if hint in (str, bool):
        return Take(silent, kind=hint)
    if typing.get_origin(hint) is dict:
        return Take(silent, kind=dict)
    if typing.get_origin(hint) is tuple:
        plain = list(silent) if isinstance(silent, tuple) else silent
        return Take(plain, items=_shape(typing.get_args(hint)[0]))
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    numbers = {int: (int,), float: (int, float)}.get(options[0], ())
    least = -MAX_NUMBER if name in SIGNED else 0
    return Take(silent, numbers=numbers, least=least, optional=type(None) in options)


ALL_TYPES: dict[EventType, Any] = dict(EVENTS)
SHAPES: dict[str, EventShape] = {type_.value: _shape(kind) for type_, kind in ALL_TYPES.items()}
LEVELS: dict[str, tuple[LogLevel, str]] = {level.value: (level, level.value) for level in LogLevel}
