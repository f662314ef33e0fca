"""GraphQL over HTTP, sockets and streams: one view, no noun of the product.

Promise: whatever is sent, the answer is JSON in GraphQL's shape, or a stream of it, with a request
id, `no-store` and `nosniff`. A request that is malformed is 400, 405, 413 or 415; a request that is
well formed and refused is 400 to clients that prefer application/graphql-response+json and 200 to
the others, except 401, 429 and 503, which all get. Nothing a client sends makes a 5xx.
"""

import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import Any, cast

from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from orjson import Fragment
from starlette.exceptions import HTTPException as StarletteException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.http.streaming import HTTPStreamTransport
from strawberry.subscriptions import (
    GRAPHQL_SSE_PROTOCOL,
    GRAPHQL_TRANSPORT_WS_PROTOCOL,
    MULTIPART_SUBSCRIPTION_PROTOCOL,
)
from strawberry.types import ExecutionResult

from kit.graphql import access
from kit.graphql import json as strict
from kit.graphql.broadcast.broadcast import Broadcaster, Start, StreamedResult
from kit.graphql.documents.persisted import PersistedDocuments
from kit.graphql.errors import Code, PublicError, log_unexpected, to_public_error
from kit.graphql.http import accept, request_body
from kit.graphql.http.disconnect import ClientDisconnected
from kit.graphql.http.draining import Draining
from kit.graphql.http.execute import execute
from kit.graphql.http.response import ResponseFormat, error_response, response_headers, with_etag
from kit.graphql.http.stream import SSE, Heartbeat, Multipart, StreamEnded
from kit.graphql.http.stream import frames as framed
from kit.graphql.limits.guard import Charge, log_operation
from kit.graphql.operation import begin_operation, current_operation
from kit.graphql.response_cache import CacheableQuery, CachedResponse, ResponseCache, etag_of
from kit.graphql.schema import Schema
from kit.graphql.websocket.handler import SocketAdapter, SocketHandler

log = logging.getLogger("signalbox.error")

Authenticate = Callable[[WebSocket, dict[str, Any]], Awaitable[Any]]


class GraphQLEndpoint(GraphQL[Any, Any]):
    """The ASGI application at /graphql.

    `context_of(request)` makes the context of one HTTP request and `authenticate(websocket,
    params)` that of one socket; both may raise Rejected. `explorer` answers a browser that opens
    the address, `check_upload` may refuse an upload before it is read, `unchanged` caches responses.
    `now` is the clock that ends access. Sizes in bytes, times in seconds.
    """

    graphql_transport_ws_handler_class = SocketHandler
    websocket_adapter_class = SocketAdapter
    request_adapter_class = request_body.Adapter
    stream_transport_classes_by_protocol = {
        GRAPHQL_SSE_PROTOCOL: SSE,
        MULTIPART_SUBSCRIPTION_PROTOCOL: Multipart,
    }

    schema: Schema

    def __init__(
        self,
        schema: Schema,
        *,
        context_of: Callable[[Request], Awaitable[Any]],
        authenticate: Authenticate,
        explorer: Callable[[Request], Response] | None = None,
        draining: Draining | None = None,
        allowed_origins: Sequence[str] = (),
        queries_by_get: bool = True,
        uploads: bool = False,
        check_upload: Callable[[Request], Awaitable[None]] | None = None,
        max_body: int = request_body.MAX_BODY_BYTES,
        max_upload: int = request_body.UPLOAD,
        init_timeout: float = 5.0,
        operations_per_socket: int = 50,
        unchanged: ResponseCache | None = None,
        persisted: PersistedDocuments | None = None,
        now: access.Clock = access.utc_now,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=queries_by_get,
            subscription_protocols=(
                GRAPHQL_TRANSPORT_WS_PROTOCOL,
                GRAPHQL_SSE_PROTOCOL,
                MULTIPART_SUBSCRIPTION_PROTOCOL,
            ),
            connection_init_wait_timeout=timedelta(seconds=init_timeout),
            multipart_uploads_enabled=uploads,
            max_subscriptions_per_connection=operations_per_socket,
            allowed_origins=allowed_origins,
        )
        self.context_of, self.authenticate, self.explorer = context_of, authenticate, explorer
        self.draining, self.now = draining or Draining(), now
        self.check_upload = check_upload
        self.max_body, self.max_upload, self.unchanged = max_body, max_upload, unchanged
        self.persisted = persisted or PersistedDocuments()
        self.fanout = Broadcaster()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = request_body.LimitedRequest(scope, receive, self.max_body, self.max_upload)
        operation = begin_operation(
            "http",
            request.headers.get("x-request-id"),
            wants_cost=request.headers.get("graphql-cost") == "1",
        )
        try:
            response = await self._answer(request)
        finally:
            await request.close()  # the files of an upload
        if response is not None:
            for name, value in response_headers(operation, self.schema.policy.bucket).items():
                response.headers.setdefault(name, value)  # the explorer and streams have their own
            await response(scope, receive, send)

    async def _answer(self, request: request_body.LimitedRequest) -> Response | None:
        """StreamedResult one request; None if the client went away meanwhile."""
        try:
            request_body.check_method(request)
            if self.explorer is not None and request_body.is_browser(request):
                return self.explorer(request)
            request_body.check_content_type(request, uploads=self.multipart_uploads_enabled)
            if self.check_upload is not None and request_body.is_multipart(
                request.headers.get("content-type")
            ):
                await self.check_upload(request)
            question = await self._question(request)
            return await (self.run(request) if question is None else self._again(request, question))
        except (ClientDisconnected, ClientDisconnect) as error:
            if isinstance(error, ClientDisconnect):
                log.info("a client hung up while it sent its request")
            return None
        except GraphQLError as error:
            return self._refused(request, error)
        except (HTTPException, StarletteException) as error:
            text = str(getattr(error, "reason", None) or getattr(error, "detail", "Bad request"))
            return self._refused(request, PublicError(text, status=error.status_code))
        except Exception as error:
            return self._refused(request, self._unexpected(error))

    async def _question(self, request: request_body.LimitedRequest) -> CacheableQuery | None:
        """Return the query of a request, or None if its response must not be cached."""
        if self.unchanged is None or current_operation().wants_cost or "idempotency-key" in request.headers:
            return None
        if request.method == "GET" and not self.allow_queries_via_get:
            return None
        try:
            data = request.state.data = await self.parse_http_body(self.request_adapter_class(request))
        except json.JSONDecodeError:
            return None  # `run` says so
        document = self.schema.policy.documents.known(data.query)
        return self.unchanged.question(document, self.schema._schema, data)

    async def _again(self, request: request_body.LimitedRequest, question: CacheableQuery) -> Response:
        """Return the cached response if it is current. Otherwise execute the query and cache its response."""
        unchanged, operation = self.unchanged, current_operation()
        assert unchanged is not None, "questions are its own"
        context, proof = await unchanged.prove(request, question.id, question.subject.types)
        kept = unchanged.find(question, proof)
        if kept is not None and self._is_charged(question, kept, context):
            response = ResponseFormat(accept.of(request)).filled(kept.content)
            return with_etag(request, response, kept.tag) if request.method == "GET" else response
        response = await self.run(request, context=context)
        if proof is None or not request.state.answer.is_whole:
            return response
        content = bytes(response.body)
        unchanged.keep(question, proof, content, operation.actual)
        return with_etag(request, response, etag_of(content)) if request.method == "GET" else response

    def _is_charged(self, question: CacheableQuery, kept: CachedResponse, context: Any) -> bool:
        """Charge for a cached response. Return False if the charge is refused."""
        operation, charge = current_operation(), Charge(self.schema.policy, context, current_operation())
        operation.type, operation.name, operation.actual = "query", question.subject.name, kept.objects
        try:
            charge.take(question.document, question.name, self.schema, question.variables)
        except PublicError:
            return False
        charge.settle(None)
        log_operation(operation)
        return True

    def _refused(self, request: Request, error: GraphQLError) -> Response:
        content = self.encode_json({"errors": [self.public(error).formatted]})
        return error_response(error, content, accept.of(request), self.schema.policy.explain)

    def _unexpected(self, error: Exception) -> GraphQLError:
        log.error(
            "request failed", extra=log_unexpected(error) | {"request_id": current_operation().request_id}
        )
        return GraphQLError("", original_error=error)

    # What the library asks of a view

    async def get_context(self, request: Request | WebSocket, response: Any) -> Any:
        return await self.context_of(request) if isinstance(request, Request) else None

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        request.state.answer = ResponseFormat(accept.of(request))
        return request.state.answer  # type: ignore[no-any-return]

    def should_render_graphql_ide(self, request: Any) -> bool:
        return False  # `explorer` is asked before anything is parsed

    def decode_json(self, data: str | bytes) -> object:
        return strict.decode(data)

    def parse_json(self, data: str | bytes) -> Any:
        try:
            return super().parse_json(data)
        except HTTPException as error:
            refused = error.__cause__
            if not isinstance(refused, strict.NotAccepted):
                raise
            if refused.maximum is None:
                raise PublicError(refused.msg) from error
            maximum = refused.maximum
            raise PublicError(refused.msg, code=Code.LIMIT_EXCEEDED, limit="JSON", maximum=maximum) from error

    def encode_json(self, data: object) -> bytes:
        return strict.encode(data)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        if isinstance(request, request_body.Adapter) and request.known is not None:
            return request.known
        transport = self._get_stream_transport_from_headers(request.headers)
        if request.method == "GET":
            data = self.parse_query_params(request.query_params)
        elif request_body.is_multipart(request.content_type):
            data = await request_body.parse_multipart(request, super().parse_multipart)
        else:
            data = self.parse_json(await request.get_body())
        if isinstance(data, dict):
            data = {**data, "query": self.persisted.find(data)}
        return request_body.request_data(data, transport.protocol if transport else "http")

    async def execute_operation(  # type: ignore[override]
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData,
        context: Any,
        root_value: Any,
        sub_response: Response,
    ) -> Any:
        operation = current_operation()
        operation.wants_cost |= (request_data.extensions or {}).get("cost") is True
        operation.transport = request_data.protocol
        operation.last_event_id = request.headers.get("last-event-id")
        request.state.context = context
        if self._get_stream_transport(request_data.protocol) is None:
            operation.takes_texts = True
            allow_get = self.allow_queries_via_get
            return await execute(self.schema, request, request_data, context, allow_get=allow_get)
        start = partial(
            super().execute_operation,
            request,
            request_adapter,
            request_data,
            context,
            root_value,
            sub_response,
        )
        return self.fanout.results(cast("Start", start), context)

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        answer: ResponseFormat = request.state.answer
        operation = current_operation()
        may_repeat = operation.type != "mutation" or operation.is_one_field
        answer.decide(result, self.schema.policy.explain, may_repeat=may_repeat)
        if result.errors:
            result.errors = [self.public(error) for error in result.errors]
        response = process_result(result)
        answer.is_whole = not result.errors and set(response) == {"data"} and result.data is not None
        if answer.is_refusal:
            response.pop("data", None)
        return response

    def create_response(self, response_data: Any, sub_response: Any) -> Response:
        return sub_response.filled(self.encode_json(response_data))  # type: ignore[no-any-return]

    def public(self, error: GraphQLError) -> GraphQLError:
        """Return what the client of the running operation may read of `error`."""
        return to_public_error(error, self.schema.policy.explain, current_operation().request_id)

    # Streams

    def _stream_result(
        self, request: Request, result: Any, transport: HTTPStreamTransport
    ) -> Callable[[], AsyncGenerator[str, None]]:
        encode = self.encode_json_string

        async def stream() -> AsyncGenerator[str, None]:
            if transport.send_initial_heartbeat:
                yield transport.heartbeat_message(encode)
            pending: list[Any] = []
            source = framed(result, interval=transport.heartbeat_interval, ends=self._ends(request))
            try:
                async with aclosing(source):
                    async for frame in source:
                        if isinstance(frame, Heartbeat):
                            yield transport.heartbeat_message(encode)
                        elif isinstance(frame, StreamEnded):
                            if frame.reason is not None:
                                yield transport.encode_next(self._expired(frame.reason), encode)
                        elif isinstance(frame.result, Fragment):
                            payload = cast("Any", frame.result)
                            yield _numbered(transport, frame, transport.encode_next(payload, encode))
                        else:
                            payload_data, pending = await self._process_stream_result(
                                request, frame.result, pending
                            )
                            yield _numbered(transport, frame, transport.encode_next(payload_data, encode))
            except Exception as error:  # a torn response tells the client nothing
                yield transport.encode_next(self._failed(self._unexpected(error)), encode)
            yield transport.encode_complete()

        return stream

    def _ends(self, request: Request) -> list[Callable[[], Awaitable[StreamEnded]]]:
        context = request.state.context

        async def drained() -> StreamEnded:
            await self.draining.wait()
            return StreamEnded(None)

        async def without_access() -> StreamEnded:
            return StreamEnded(await access.ended(context, self.now))

        return [drained, without_access] if access.can_end(context) else [drained]

    def _expired(self, reason: str) -> GraphQLHTTPResponse:
        return self._failed(PublicError(f"Token {reason}", code=Code.UNAUTHENTICATED, reason=reason.upper()))

    def _failed(self, error: GraphQLError) -> GraphQLHTTPResponse:
        return {"data": None, "errors": [self.public(error).formatted]}


def _numbered(transport: HTTPStreamTransport, answer: StreamedResult, frame: str) -> str:
    """Give a frame of SSE its cursor as `id`: the client sends the last one as Last-Event-ID when it reconnects."""
    return f"id: {answer.cursor}\n{frame}" if answer.cursor and isinstance(transport, SSE) else frame
