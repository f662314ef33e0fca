"""The form of an HTTP answer: status, media type and headers."""

from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from strawberry.types import ExecutionResult

from kit.graphql.errors import PublicError, original_error
from kit.graphql.http import accept
from kit.graphql.limits.rate import RateLimited, TokenBucket
from kit.graphql.operation import Operation

FOR_ALL = (401, 429)  # statuses also told to clients that only take application/json


def status_of(result: ExecutionResult) -> int:
    """Return the status that the result asks for: 200 unless it refuses the whole operation.

    A refusal has no data and no error with a path: nothing was executed.
    """
    if result.data is not None or not result.errors or any(e.path for e in result.errors):
        return 200
    causes = [original_error(error) for error in result.errors]
    return max((c.status for c in causes if isinstance(c, PublicError)), default=400)


class ResponseFormat(Response):
    """An answer in the making: the view learns its status before it has its content."""

    def __init__(self, prefers_graphql: bool) -> None:
        super().__init__()
        del self.headers["content-length"]  # of nothing; a stream would keep it
        self._prefers_graphql = prefers_graphql
        self.is_refusal = False
        self.is_whole = False  # data, and nothing else

    def decide(self, result: ExecutionResult) -> None:
        """Set status and Retry-After from `result`, before its errors are made public."""
        status = status_of(result)
        if self._prefers_graphql or status in FOR_ALL:
            self.status_code = status
        self.is_refusal = self._prefers_graphql and status != 200
        for error in result.errors or ():
            _say_when(self, original_error(error))

    def filled(self, content: bytes) -> Response:
        media = _media(self._prefers_graphql)
        return Response(content, self.status_code, dict(self.headers), media, self.background)


def error_response(error: GraphQLError, content: bytes, prefers_graphql: bool) -> Response:
    """Answer a request that no operation came of. An unexpected error is a 500."""
    status = error.status if isinstance(error, PublicError) else 500
    response = Response(content, status, media_type=_media(prefers_graphql))
    _say_when(response, error)
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    if status == 405:
        response.headers["allow"] = str((error.extensions or {}).get("allow", "GET, POST"))
    return response


def with_etag(request: Request, response: Response, tag: str) -> Response:
    """What a GET is answered that may be kept by whoever asked, if it asks whether it is still true."""
    if tag in request.headers.get("if-none-match", ""):
        response = Response(status_code=304)
    response.headers["etag"] = tag
    response.headers["cache-control"] = "private, no-cache"
    response.headers["vary"] = "accept, authorization"
    return response


def response_headers(operation: Operation, bucket: TokenBucket | None) -> dict[str, str]:
    """Return the headers of every answer; those of the bucket follow the IETF's draft 11."""
    found = {
        "x-request-id": operation.request_id,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    if operation.rate is not None and bucket is not None:
        window = round(bucket.capacity / bucket.refill)
        full = round((bucket.capacity - operation.rate.remaining) / bucket.refill)
        found["ratelimit-policy"] = f'"points";q={bucket.capacity};w={window}'
        found["ratelimit"] = f'"points";r={operation.rate.remaining};t={full}'
    return found


def _say_when(response: Response, error: Exception) -> None:
    if isinstance(error, RateLimited):
        response.headers["retry-after"] = str(error.retry_after)


def _media(prefers_graphql: bool) -> str:
    return f"{accept.GRAPHQL}; charset=utf-8" if prefers_graphql else accept.JSON
