"""Events as rows: JSON objects with `type`, `level`, `agent`, `text`, and all other fields under `data`.

`to_row` and `from_row` are inverse to each other. `from_row` accepts rows of workers in any language and refuses
invalid ones field by field, with the API's messages. Fields with their default value are omitted from a row.
"""

from collections.abc import Callable
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from protocol.events import EVENTS, AgentEvent, Event, EventType, LogLevel

Row = dict[str, Any]
Fault = tuple[str, str]  # (path of a field, message)
COLUMNS = ("text", "agent", "level")  # fields outside of `data`
MAX_FAULTS = 20  # reported for one event
ADAPTER: TypeAdapter[AgentEvent] = TypeAdapter(Event)
_validate: Callable[[Row], AgentEvent] = ADAPTER.validator.validate_python
DEFAULT_LEVELS: dict[EventType, LogLevel] = {
    type_: event.model_fields["level"].default for type_, event in EVENTS.items()
}
NAMES = {  # cached, because reading an enum's value is slow
    event: (type_.value, DEFAULT_LEVELS[type_].value) for type_, event in EVENTS.items()
}
TYPES = frozenset(type_.value for type_ in EventType)
OWN_ERRORS = frozenset(("commit_id", "web_address"))  # their messages are those of protocol/events.py
MESSAGES = {  # by pydantic's type of error
    "missing": "is required",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "tuple_type": "must be a list",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be greater than {gt}",
    "less_than": "must be less than {lt}",
}


class InvalidEvent(ValueError):
    """A row is not a valid event. `faults` lists the errors by field."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{path} {message}" if path else message for path, message in faults))
        self.faults = faults


def from_row(row: Any) -> AgentEvent:
    """Parse a row. A null column counts as omitted.

    Raises InvalidEvent, or RecursionError for data that is nested too deeply.
    """
    if row.__class__ is not dict:
        raise InvalidEvent([("", "must be an object")])
    data = row.get("data")
    fields = {} if data is None else data
    if fields.__class__ is not dict:
        raise InvalidEvent([("data", "must be an object")])
    if not fields.keys().isdisjoint(COLUMNS):
        misplaced = [name for name in COLUMNS if name in fields]
        raise InvalidEvent([(f"data.{name}", "belongs beside `data`, not into it") for name in misplaced])
    fields = {**fields, "type": row.get("type")}
    for name in COLUMNS:
        if (value := row.get(name)) is not None:
            fields[name] = value
    try:
        return _validate(fields)
    except ValidationError as error:
        raise InvalidEvent(faults_of(error)) from error


def to_row(event: AgentEvent) -> Row:
    """Convert an event to a row; empty columns are omitted."""
    data = _dump(event)
    row: Row = {"type": event.type.value}
    row |= {name: data.pop(name) for name in COLUMNS if name in data}
    return row | ({"data": data} if data else {})


def to_full_row(event: AgentEvent) -> Row:
    """Convert an event to the row of the log, with every column."""
    data = _dump(event)
    type_, level = NAMES[event.__class__]
    return {
        "type": type_,
        "level": data.pop("level", level),
        "agent": data.pop("agent", None),
        "text": data.pop("text", ""),
        "data": data,
    }


def write(row: Row) -> bytes:
    """Serialize a row as JSON; equal rows have equal bytes. Raises TypeError for integers of more than 64 bits."""
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


def _dump(event: AgentEvent) -> Row:
    dumped: Row = event.__pydantic_serializer__.to_python(event, mode="json", exclude_defaults=True)
    dumped.pop("type", None)
    return dumped


def faults_of(error: ValidationError) -> list[Fault]:
    """List the errors of an event by field, with the API's messages; missing fields first."""
    details = error.errors(include_url=False)
    details.sort(key=lambda detail: detail["type"] != "missing")
    return [(_path(detail), _message(detail)) for detail in details[:MAX_FAULTS]]


def _path(detail: ErrorDetails) -> str:
    location = detail["loc"]
    if location and location[0] in TYPES:
        location = location[1:]  # the union prefixes the path with the event's type
    first, *rest = location or ("type",)
    place = [first, *rest] if first in (*COLUMNS, "type") else ["data", first, *rest]
    return ".".join(map(str, place))


def _message(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "enum":
        return f"must be one of {context['expected']}".replace("'", "").replace(" or ", ", ")
    if kind.startswith("union_tag"):
        return f"must be one of {', '.join(EventType)}"
    if kind in MESSAGES:
        return MESSAGES[kind].format(**context)
    return detail["msg"] if kind in OWN_ERRORS else "is not valid"
