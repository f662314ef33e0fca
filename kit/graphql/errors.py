"""The errors as a client may read them.

Promise: an answer carries the text of an error only if somebody meant it for the client: a
`PublicError`, a GraphQL error that names its `code`, a refusal that `explain` knows, or what the
GraphQL library says about the document and its variables. Everything else becomes "Internal
error" with the code INTERNAL. Each error carries `extensions.code` and `extensions.requestId`, and
keeps its path and locations. Nothing here ever reads the text of the query.
"""

import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

MAX_MESSAGE_LENGTH = 500  # characters of a library's message kept: it may quote what the client sent
MAX_LOGGED_FRAMES = 8  # innermost frames of ours that are logged for an unexpected error
ROOT = str(Path(__file__).parents[2])

QUOTED = re.compile(
    r"(String cannot represent a non string value|unknown field '\w*'|required field '\w*').*", re.DOTALL
)

Explain = Callable[[Exception], tuple[str, Mapping[str, Any]] | None]


class Code(StrEnum):
    """Names clients switch on; the first six are Apollo's."""

    PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    BAD_REQUEST = "BAD_REQUEST"
    OPERATION_UNKNOWN = "OPERATION_RESOLUTION_FAILURE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    UNAVAILABLE = "UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    DOCUMENT_UNKNOWN = "PERSISTED_DOCUMENT_UNKNOWN"
    PERSISTED_QUERY_UNKNOWN = "PERSISTED_QUERY_NOT_FOUND"  # the name that clients of APQ compare
    INTERNAL = "INTERNAL"


# How the library says that it found nothing to execute.
UNEXECUTED = {
    CannotGetOperationTypeError: Code.OPERATION_UNKNOWN,
    InvalidOperationTypeError: Code.BAD_REQUEST,
    MissingQueryError: Code.BAD_REQUEST,
}


class PublicError(GraphQLError):
    """An error whose text and extensions the client may read.

    `status` is the HTTP status when the error ends a whole request, and is not sent otherwise.
    """

    code: str = Code.BAD_REQUEST
    status: int = 400

    def __init__(
        self, message: str, *, code: str | None = None, status: int | None = None, **more: Any
    ) -> None:
        self.code, self.status = code or self.code, status or self.status
        super().__init__(message, extensions={"code": str(self.code), **more})


class ConnectionRejected(PublicError):
    """The caller is not authenticated, or no longer: status 401 on HTTP, close code 4403 on a WebSocket."""

    code = Code.UNAUTHENTICATED
    status = 401

    def __init__(self, message: str = "Not authenticated", *, reason: str = "rejected") -> None:
        super().__init__(message, reason=reason)


def explain_nothing(exception: Exception) -> None:
    """Explain no exception: the default of every `explain`."""


def original_error(error: GraphQLError) -> Exception:
    """Return the innermost exception: what a resolver raised, or `error` itself."""
    found: Exception = error
    while isinstance(found, GraphQLError) and found.original_error is not None:
        found = found.original_error
    return found


def error_code_of(error: GraphQLError, explain: Explain) -> tuple[str, str, Mapping[str, Any]]:
    """Return the code, the text and the further extensions that a client may read."""
    cause = original_error(error)
    if not isinstance(cause, GraphQLError):
        explanation = explain(cause)
        if explanation is not None:
            return explanation[0], str(cause), explanation[1]
        if type(cause) in UNEXECUTED:
            return UNEXECUTED[type(cause)], error.message[:MAX_MESSAGE_LENGTH], {}
    elif isinstance(cause, GraphQLSyntaxError):
        return Code.PARSE_FAILED, error.message[:MAX_MESSAGE_LENGTH], {}
    elif code := (cause.extensions or {}).get("code"):
        return str(code), error.message, cause.extensions or {}
    elif error.path is None or _is_about_an_argument(cause):
        return Code.BAD_USER_INPUT, _without_values(error.message[:MAX_MESSAGE_LENGTH]), {}
    return Code.INTERNAL, "Internal error", {}


def _without_values(message: str) -> str:
    # What the library quotes whole may hold a password that was put in the wrong place.
    return QUOTED.sub(r"\1", message)


def _is_about_an_argument(cause: GraphQLError) -> bool:
    # graphql-core coerces arguments inside the field, so its complaint has a path as a resolver's
    # error would; only nodes and the first word tell them apart.
    return bool(cause.nodes) and cause.message.startswith("Argument ")


def to_public_error(error: GraphQLError, explain: Explain, request_id: str) -> GraphQLError:
    """Return what the client may read of `error`; the error itself is left as it is."""
    code, message, more = error_code_of(error, explain)
    return GraphQLError(
        message,
        error.nodes,
        error.source,
        error.positions,
        error.path,
        extensions={**more, "code": code, "requestId": request_id},
    )


def status_of(error: GraphQLError, explain: Explain) -> int | None:
    """Return the HTTP status of an answer that is nothing but this error; None if it does not say."""
    cause = original_error(error)
    if isinstance(cause, PublicError):
        return cause.status
    return 503 if error_code_of(error, explain)[0] == Code.UNAVAILABLE else None


def codes(errors: Iterable[GraphQLError] | None, explain: Explain) -> set[str]:
    return {error_code_of(error, explain)[0] for error in errors or ()}


def log_unexpected(exception: BaseException) -> dict[str, Any]:
    """Describe `exception` for the log: its class, its causes with their SQLSTATE, the innermost frames of ours.

    Never its message, which may quote a row, a statement's parameters or a password. The last frame is where it was
    raised, in a library or not.
    """
    chain = [exception]
    while len(chain) <= MAX_LOGGED_FRAMES and (cause := _cause(chain[-1])) is not None and cause not in chain:
        chain.append(cause)
    stacks = [traceback.extract_tb(each.__traceback__) for each in chain]
    frames = [frame for stack in stacks for frame in stack if _is_ours(frame)] + stacks[0][-1:]
    named = [_named(each) for each in chain]
    at = dict.fromkeys(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    return {"type": named[0], "causes": named[1:], "frames": list(at)[-MAX_LOGGED_FRAMES:]}


def _cause(exception: BaseException) -> BaseException | None:
    if exception.__cause__ is not None or exception.__suppress_context__:
        return exception.__cause__
    return exception.__context__


def _is_ours(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(ROOT) and "site-packages" not in frame.filename.removeprefix(ROOT)


def _named(exception: BaseException) -> str:
    """Return the class, and the SQLSTATE or SQLite's name of the error."""
    kind = type(exception)
    state = getattr(exception, "sqlstate", None) or getattr(exception, "sqlite_errorname", None)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return f"{name} {state}" if isinstance(state, str) else name
