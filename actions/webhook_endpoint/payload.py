"""The messages to endpoints: an event as the feeds show it, as JSON or as a line for a chat."""

import inspect
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, get_args

import orjson

from kit.eventlog.event_log import Cursor
from kit.graphql.arguments import graphql_name
from kit.graphql.types import split_description
from models.events import EVENT_TYPES, type_name_of
from models.webhook_endpoint import EndpointFormat

MAX_CHAT_LENGTH = 500


class _Field(NamedTuple):
    name: str
    shown: str
    is_moment: bool


@cache
def _fields_of(kind: str) -> tuple[_Field, ...]:
    """List the fields of an event that clients are shown: those with a description."""
    found: dict[str, _Field] = {}
    for cls in reversed(EVENT_TYPES[kind].__mro__):
        for name, annotation in inspect.get_annotations(cls).items():
            bare, text = split_description(annotation)
            if name in ("changes", "ranks") or text is not None:
                is_moment = bare is datetime or datetime in get_args(bare)
                found[name] = _Field(name, graphql_name(name), is_moment)
    return tuple(found.values())


def type_of(kind: str) -> str:
    """Return the type name of a stored event; of one that is not known any more, its kind."""
    return type_name_of(kind) if kind in EVENT_TYPES else kind


def _value(field: _Field, value: Any) -> Any:
    if field.name == "changes":
        return [
            {"field": graphql_name(name), "before": _text(before), "after": _text(after)}
            for name, (before, after) in (value or {}).items()
        ]
    if field.name == "ranks":
        return [{"nodeId": id, "rank": rank} for id, rank in (value or {}).items()]
    if field.name == "progress" and isinstance(value, dict):
        return {graphql_name(name): one for name, one in value.items()}
    if field.is_moment and isinstance(value, str):
        return value.replace("+00:00", "Z")
    return value


def _text(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def event_message(event: Any, workspace_id: str) -> dict[str, Any]:
    """Return the message of an event, a row of the log with `epoch`: an item of its feed as JSON."""
    known = _fields_of(event.kind) if event.kind in EVENT_TYPES else ()
    own = {field.shown: _value(field, event.data.get(field.name)) for field in known}
    home, _, id = event.topic.partition(":")
    return {
        "type": type_of(event.kind),
        "timestamp": _moment(event.at),
        "data": {
            "workspaceId": workspace_id,
            "boardId": id if home == "board" else None,
            "seq": event.seq,
            "cursor": str(Cursor(event.epoch, event.seq)),
            "at": _moment(event.at),
            "actor": {"kind": event.actor_kind, "actorId": event.actor_id},
            "requestId": event.request_id,
            "correlationId": event.correlation_id,
            "event": {"__typename": type_of(event.kind), **own},
        },
    }


def ping_message(workspace_id: str, endpoint_id: str, at: datetime) -> dict[str, Any]:
    """Return the message of a ping."""
    return {
        "type": "Ping",
        "timestamp": _moment(at),
        "data": {"workspaceId": workspace_id, "endpointId": endpoint_id},
    }


def encode(format: EndpointFormat, message: dict[str, Any], text: str) -> bytes:
    """Return the body of a message in the form of an endpoint. `text` is its line for a chat."""
    if format is EndpointFormat.STANDARD:
        return orjson.dumps(message)
    line = " ".join(text.split())[:MAX_CHAT_LENGTH]
    if format is EndpointFormat.SLACK:
        escaped = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return orjson.dumps({"text": escaped})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "text": line, "wrap": True}],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return orjson.dumps({"type": "message", "attachments": [content]})
