"""The form of an HTTP answer: status, media type and headers."""

from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from strawberry.types import ExecutionResult

from kit.graphql.errors import Explain, original_error, status_of
from kit.graphql.http import accept
from kit.graphql.limits.rate import RateLimited, TokenBucket
from kit.graphql.operation import Operation

FOR_ALL = (401, 429, 503)  # statuses also told to clients that only take application/json
FOR_FIELDS = (
    429,
    503,
)  # statuses also told when it was a field that was refused, and nothing else is answered
UNAVAILABLE_RETRY_SECONDS = 2


def status_of_result(result: ExecutionResult, explain: Explain, *, may_repeat: bool) -> int:
    """Return the status that the result asks for: 200 unless it refuses the whole operation.

    A refusal has no data. If its errors have a path, fields were executed: then it has a status only if that says
    when to ask again, and the operation `may_repeat`, because none of its fields changed anything.
    """
    if result.data is not None or not result.errors:
        return 200
    found = [status_of(error, explain) or 0 for error in result.errors]
    if any(error.path for error in result.errors):
        known = [status for status in found if status in FOR_FIELDS]
        return max(known) if may_repeat and len(known) == len(found) else 200
    return max(found) or 400


class ResponseFormat(Response):
    """An answer in the making: the view learns its status before it has its content."""

    def __init__(self, prefers_graphql: bool) -> None:
        super().__init__()
        del self.headers["content-length"]  # of nothing; a stream would keep it
        self._prefers_graphql = prefers_graphql
        self.is_refusal = False
        self.is_whole = False  # data, and nothing else

    def decide(self, result: ExecutionResult, explain: Explain, *, may_repeat: bool) -> None:
        """Set status and Retry-After from `result`, before its errors are made public."""
        status = status_of_result(result, explain, may_repeat=may_repeat)
        if self._prefers_graphql or status in FOR_ALL:
            self.status_code = status
        was_executed = any(error.path for error in result.errors or ())
        self.is_refusal = self._prefers_graphql and status != 200 and not was_executed
        for error in result.errors or ():
            _say_when(self, original_error(error), status)

    def filled(self, content: bytes) -> Response:
        media = _media(self._prefers_graphql)
        return Response(content, self.status_code, dict(self.headers), media, self.background)


def error_response(error: GraphQLError, content: bytes, prefers_graphql: bool, explain: Explain) -> Response:
    """Answer a request that no operation came of. An unexpected error is a 500."""
    status = status_of(error, explain) or 500
    response = Response(content, status, media_type=_media(prefers_graphql))
    _say_when(response, original_error(error), status)
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    if status == 405:
        response.headers["allow"] = str((error.extensions or {}).get("allow", "GET, POST"))
    return response


def with_etag(request: Request, response: Response, tag: str) -> Response:
    """Return the response to a GET with validator `tag`, or 304 if the request's If-None-Match has it."""
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


def _say_when(response: Response, error: Exception, status: int) -> None:
    if status == 503:
        response.headers["retry-after"] = str(UNAVAILABLE_RETRY_SECONDS)
    if isinstance(error, RateLimited):
        response.headers["retry-after"] = str(error.retry_after)


def _media(prefers_graphql: bool) -> str:
    return f"{accept.GRAPHQL}; charset=utf-8" if prefers_graphql else accept.JSON
