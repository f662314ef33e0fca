"""Logs: one line for each event, with its keys and values and the id of its request.

Promise: no secret, no text of a query, no value of a local variable; no escape sequence in JSON.
"""

import logging
import re
import sys
from typing import Any

import structlog

from kit.graphql.operation import request_id

ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def without_colors(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Remove what uvicorn adds for a terminal."""
    event.pop("color_message", None)
    event["event"] = ESCAPE_SEQUENCE.sub("", str(event.get("event", "")))
    return event


def with_request(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    if request_id.get() != "-":
        event.setdefault("request_id", request_id.get())
    return event


def start(level: str, format: str) -> None:
    """Write the lines of every logger to standard error, as text or as JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        with_request,
        without_colors,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )
    last = (
        [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
        if format == "json"
        else [console]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
