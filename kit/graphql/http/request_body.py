"""The request before it is an operation: its method, its media type, its bytes and their shape.

Starlette's own `max_body_size` is not used: it answers in plain text, which GraphQL clients cannot
read. The same limit, here on the request's stream, holds for a declared and for a streamed length.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, cast

from cross_web import AsyncHTTPRequestAdapter, StarletteRequestAdapter
from starlette.formparsers import MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope
from strawberry.http import GraphQLRequestData, GraphQLRequestProtocol

from kit.graphql.errors import PublicError
from kit.graphql.http import accept

MAX_BODY_BYTES = 1 << 20  # bytes of a JSON body
UPLOAD = 25 << 20  # bytes of a multipart body, when uploads are on
# of a part in memory; the rest is in a temporary file
MultiPartParser.spool_max_size = 64 * 1024
FORM = "multipart/form-data"

# A page on another origin cannot send one of these without asking first (CORS), and can send a
# multipart form, with the browser's cookies, without.
PREFLIGHT = (
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-require-preflight",
    "x-requested-with",
)


class LimitedRequest(Request):
    """A request whose body is read only up to a limit. Errors: PublicError 413."""

    def __init__(self, scope: Scope, receive: Receive, body: int, upload: int) -> None:
        super().__init__(scope, receive)
        self._maximum = upload if is_multipart(self.headers.get("content-type")) else body

    async def stream(self) -> AsyncGenerator[bytes, None]:
        declared = self.headers.get("content-length", "0")
        if not declared.isascii() or not declared.isdecimal():
            raise PublicError("Content-Length is not a number")
        read = int(declared[:20])
        if read <= self._maximum:
            read = 0
            async for chunk in super().stream():
                read += len(chunk)
                if read > self._maximum:
                    break
                yield chunk
            else:
                return
        raise PublicError(f"The body is larger than {self._maximum} bytes", status=413)


class Adapter(StarletteRequestAdapter):
    """A request as the library reads it: what was read of it before is `known`."""

    @property
    def known(self) -> GraphQLRequestData | None:
        return getattr(self._request.state, "data", None)


def check_method(request: Request) -> None:
    if request.method not in ("GET", "POST"):
        raise PublicError("GraphQL takes GET and POST", status=405, allow="GET, POST")


def is_browser(request: Request) -> bool:
    """Whether a person opened the address, rather than a client that asks something."""
    if request.method != "GET" or "query" in request.query_params:
        return False
    return any(media.type == "text/html" for media in accept.parse_accept(accept.header(request)))


def is_multipart(content_type: str | None) -> bool:
    return _essence(content_type) == FORM


def check_content_type(request: Request, *, uploads: bool) -> None:
    """Raise PublicError 415 unless the body is JSON in UTF-8, or an upload where allowed."""
    if request.method == "GET":
        return
    given = request.headers.get("content-type", "")
    if is_multipart(given) and uploads:
        if not any(request.headers.get(name) for name in PREFLIGHT):
            raise PublicError(f"An upload needs the header {PREFLIGHT[0]}")
        return
    charset = given.lower().partition("charset=")[2].strip(" \"'").partition(";")[0] or "utf-8"
    if _essence(given) != accept.JSON or charset.strip(" \"'") not in ("utf-8", "utf8"):
        raise PublicError("The body must be application/json in UTF-8", status=415)


def _essence(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


async def parse_multipart(
    request: AsyncHTTPRequestAdapter, parse: Callable[[AsyncHTTPRequestAdapter], Awaitable[Any]]
) -> Any:
    """Parse an upload. Errors: PublicError 400 for whatever is wrong with it."""
    try:
        return await parse(request)
    except (PublicError, ClientDisconnect):
        raise
    except Exception as error:  # the parser and the map's paths fail in a dozen ways
        raise PublicError("Malformed multipart request") from error


def request_data(data: Any, protocol: GraphQLRequestProtocol) -> GraphQLRequestData:
    """Check the shape of a GraphQL request. Errors: PublicError 400."""
    if not isinstance(data, dict):
        raise PublicError("The request must be a JSON object")
    for name, kind, text in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(data.get(name), kind | None):
            raise PublicError(f"`{name}` must be {text} or null")
    return GraphQLRequestData(
        query=data.get("query"),
        variables=cast("dict[str, Any] | None", data.get("variables")),
        operation_name=data.get("operationName") or None,
        extensions=cast("dict[str, Any] | None", data.get("extensions")),
        protocol=protocol,
    )
