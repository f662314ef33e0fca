"""Events as rows: JSON objects with `type`, `level`, `agent`, `text`, and all other fields under `data`.

`to_row` and `from_row` are inverse to each other. `from_row` accepts rows of workers in any language and refuses
wrong ones field by field, in the words of the API. Fields that hold their default are left out of a row.
"""

from collections.abc import Callable
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from protocol.events import EVENTS, AgentEvent, Event, EventType, LogLevel

Row = dict[str, Any]
Fault = tuple[str, str]  # the path of a field, and a message
COLUMNS = ("text", "agent", "level")  # fields beside `data`
MAX_FAULTS = 20  # reported of one event
ADAPTER: TypeAdapter[AgentEvent] = TypeAdapter(Event)
_validate: Callable[[Row], AgentEvent] = ADAPTER.validator.validate_python
DEFAULT_LEVELS: dict[EventType, LogLevel] = {
    type_: event.model_fields["level"].default for type_, event in EVENTS.items()
}
NAMES = {  # of a class's type and usual level: asking an enum for its value is slow
    event: (type_.value, DEFAULT_LEVELS[type_].value) for type_, event in EVENTS.items()
}
TYPES = frozenset(type_.value for type_ in EventType)
MESSAGES = {  # by pydantic's type of an error
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
    """A row that is no event. `faults` says why, field by field."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{path} {message}" if path else message for path, message in faults))
        self.faults = faults


def from_row(row: Any) -> AgentEvent:
    """Read a row as an event. A column that is null counts as left out.

    Raises InvalidEvent, or RecursionError for data that is nested too deep.
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
    """Write an event as a row; empty columns are left out too."""
    data = _dump(event)
    row: Row = {"type": event.type.value}
    row |= {name: data.pop(name) for name in COLUMNS if name in data}
    return row | ({"data": data} if data else {})


def to_full_row(event: AgentEvent) -> Row:
    """Write an event as the row that the log keeps, with every column."""
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
    """Write a row as JSON; equal rows are equal bytes. Raises TypeError for integers of more than 64 bits."""
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


def _dump(event: AgentEvent) -> Row:
    dumped: Row = event.__pydantic_serializer__.to_python(event, mode="json", exclude_defaults=True)
    dumped.pop("type", None)
    return dumped


def faults_of(error: ValidationError) -> list[Fault]:
    """Say what is wrong with an event, field by field, in the words of the API; missing fields first."""
    details = error.errors(include_url=False)
    details.sort(key=lambda detail: detail["type"] != "missing")
    return [(_path(detail), _message(detail)) for detail in details[:MAX_FAULTS]]


def _path(detail: ErrorDetails) -> str:
    location = detail["loc"]
    if location and location[0] in TYPES:
        location = location[1:]  # the union puts the type of the event first
    first, *rest = location or ("type",)
    place = [first, *rest] if first in (*COLUMNS, "type") else ["data", first, *rest]
    return ".".join(map(str, place))


def _message(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "enum":
        return f"must be one of {context['expected']}".replace("'", "").replace(" or ", ", ")
    if kind.startswith("union_tag"):
        return f"must be one of {', '.join(EventType)}"
    return MESSAGES[kind].format(**context) if kind in MESSAGES else detail["msg"]
