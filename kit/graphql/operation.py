"""The current operation, for the logs, the limits and the response.

It is held in context variables. Every operation runs in its own task, on every transport, so operations do
not see each other's values. Every log line contains `request_id`.
"""

import re
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from kit.graphql.item_page import ItemPage
from kit.graphql.limits.rate import RateState

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str] = ContextVar("request_id", default="-")


def take_request_id(offered: str | None) -> str:
    """Return the client's own request id if it is a plain one, else a new one."""
    if offered is not None and REQUEST_ID.fullmatch(offered):
        return offered
    return uuid.uuid4().hex


@dataclass
class Operation:
    """One operation, from its request to its last frame."""

    request_id: str
    transport: str  # http, sse, multipart or ws
    wants_cost: bool = False  # the client asked for `extensions.cost`
    takes_texts: bool = False  # the answer is encoded where it may hold JSON already, as orjson.Fragment
    type: str | None = None  # query, mutation or subscription, once parsed
    name: str | None = None
    is_one_field: bool = True  # if that is refused, nothing was done
    cost: int | None = None  # points asked for, once validated
    actual: int | None = None  # objects answered; an executor that counts sets it
    rate: RateState | None = None  # the principal's bucket after this operation
    sharing: Any = None  # how a subscription is shared with others; see broadcast.py
    last_event_id: str | None = None  # the cursor after which a client of SSE resumes
    codes: set[str] = field(default_factory=set)  # of the errors it was answered with
    page: ItemPage | None = None  # of a subscription: the current item and the next ones
    hung_up: bool = False  # the client left while it was worked on; told of HTTP requests after a moment
    started: float = field(default_factory=time.perf_counter)


_running: ContextVar[Operation | None] = ContextVar("operation", default=None)


def current_operation() -> Operation:
    """Return the operation of this task; one begins here if no transport began it."""
    operation = _running.get()
    return operation if operation is not None else begin_operation("http", None)


def begin_operation(transport: str, offered_id: str | None, *, wants_cost: bool = False) -> Operation:
    """Begin an operation in this task, with the request id offered or a new one."""
    operation = Operation(take_request_id(offered_id), transport, wants_cost)
    request_id.set(operation.request_id)
    _running.set(operation)
    return operation


def rate_state() -> RateState | None:
    """Return the bucket of who asks, as it is after this operation was charged."""
    return current_operation().rate
