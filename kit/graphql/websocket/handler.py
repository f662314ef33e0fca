"""graphql-transport-ws, as its protocol says and a little stricter.

The library's handler keeps the state; here is what it lacks. Every message's shape is checked
before anything reads it: 4400. Payloads may be null. A ping's payload comes back. Who connects is
asked once, within the time a connection_init may take: 4403 if rejected. A bad operation is
answered with `error` and never closes the socket its siblings live on. Each operation has its own
request id, cost and deadline. The socket ends 4403 when access does, and 1012 when the server
drains: clients know that as "connect again".
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError
from orjson import Fragment
from starlette.websockets import WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.types.execution import ExecutionResult, PreExecutionError

from kit.graphql import access
from kit.graphql.broadcast.broadcast import Put
from kit.graphql.documents.persisted import names_document
from kit.graphql.errors import Code, ConnectionRejected, PublicError, log_unexpected
from kit.graphql.json import NotAccepted, encode
from kit.graphql.operation import begin_operation, request_id
from kit.graphql.websocket.protocol import protocol_of

if TYPE_CHECKING:
    from kit.graphql.http.view import GraphQLEndpoint

log = logging.getLogger("signalbox.error")

ID_PATTERN = 128  # characters of an operation's id
MAX_REASON_BYTES = 123  # bytes of a close frame's reason; more is an error of the protocol
SEND = 30.0  # seconds one message may wait for a reader who does not read
KINDS = ("connection_init", "ping", "pong", "subscribe", "complete")


class SocketAdapter(ASGIWebSocketAdapter):
    """A socket that sends text, waits a bounded time for its reader, and closes once."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        try:
            async for message in super().iter_json(ignore_parsing_errors=ignore_parsing_errors):
                yield message
        except NonJsonMessageReceived as error:
            if not isinstance(error.__cause__, NotAccepted):
                raise
            await self.close(4400, error.__cause__.msg)

    async def send_json(self, message: Any) -> None:
        try:
            async with asyncio.timeout(SEND):
                await self.ws.send_text(self.view.encode_json_string(message))
        except (WebSocketDisconnect, RuntimeError, TimeoutError) as error:
            raise WebSocketDisconnected from error  # RuntimeError: it was closed meanwhile

    async def close(self, code: int, reason: str) -> None:
        reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(SEND):
                await self.ws.close(code=code, reason=reason)


def well_formed(message: Any) -> bool:
    """Whether `message` has the shape the protocol gives its type."""
    if not isinstance(message, dict) or message.get("type") not in KINDS:
        return False
    kind, payload = message["type"], message.get("payload")
    if kind in ("subscribe", "complete"):
        given = message.get("id")
        if not isinstance(given, str) or not 0 < len(given) <= ID_PATTERN:
            return False
    if kind == "subscribe":
        return isinstance(payload, dict) and _is_request(payload)
    return kind == "complete" or payload is None or isinstance(payload, dict)


def _is_request(payload: dict[str, Any]) -> bool:
    return (
        (isinstance(payload.get("query"), str) or names_document(payload))
        and isinstance(payload.get("operationName"), str | None)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("extensions"), dict | None)
    )


class SocketHandler(BaseGraphQLTransportWSHandler[Any, Any]):
    """One socket, from accepted to closed."""

    view: "GraphQLEndpoint"
    websocket: SocketAdapter

    async def handle(self) -> None:
        self._access: access.AccessWatch | None = None
        self._ending: asyncio.Task[None] | None = None
        self._extensions: dict[str, dict[str, Any] | None] = {}
        self._turn = asyncio.Lock()
        try:
            with self.view.draining.telling(partial(self._end, 1012, "Service restart")):
                await super().handle()
        finally:
            if self._access is not None:
                self._access.stop()
            if self._ending is not None:
                self._ending.cancel()
                await asyncio.gather(self._ending, return_exceptions=True)

    async def handle_message(self, message: Any) -> None:
        if not well_formed(message):
            return await self.handle_invalid_message("Invalid message")
        if message["type"] == "connection_init":
            return await self._init(message.get("payload") or {})
        return await super().handle_message(message)

    async def _init(self, params: dict[str, Any]) -> None:
        if self.connection_timed_out:
            return
        if self.connection_init_received:
            await self.websocket.close(4429, "Too many initialisation requests")
            return
        self.connection_init_received = True
        assert self.connection_init_timeout_task is not None, "The socket was accepted"
        self.connection_init_timeout_task.cancel()
        self.connection_init_timeout_task = None
        try:
            async with asyncio.timeout(self.connection_init_wait_timeout.total_seconds()):
                self.context = await self.view.authenticate(self.websocket.ws, params)
        except ConnectionRejected as rejected:
            await self.websocket.close(4403, rejected.message)
        except TimeoutError:
            await self.websocket.close(4408, "Connection initialisation timeout")
        except Exception as error:  # a bug in who authenticates must not end as 1006
            await self.handle_task_exception(error)
            await self.websocket.close(4500, "Internal error")
        else:
            self.connection_acknowledged = True
            await self.send_message({"type": "connection_ack"})
            self._watch_access()

    def _watch_access(self) -> None:
        if access.can_end(self.context):
            self._access = access.AccessWatch(self.context, self.view.now, self._end_with_access)

    def _end_with_access(self, reason: str) -> None:
        self._end(4403, f"Token {reason}")

    def _end(self, code: int, reason: str) -> None:
        if self._ending is None:
            self._ending = asyncio.create_task(self._close(code, reason))

    async def _close(self, code: int, reason: str) -> None:
        # Operations first: a reader that is slow to take the close must get nothing more.
        for operation_id in list(self.operations):
            await self.cleanup_operation(operation_id)
        await self.websocket.close(code, reason)

    async def handle_ping(self, message: Any) -> None:
        payload = message.get("payload")
        echo = {} if payload is None else {"payload": payload}
        await self.websocket.send_json({"type": "pong", **echo})

    async def handle_subscribe(self, message: Any) -> None:
        most = self.max_subscriptions_per_connection or 0
        known = message["id"] in self.operations
        if self.connection_acknowledged and not known and len(self.operations) >= most:
            text = f"Over the limit of operations on a socket: at most {most} allowed"
            refusal = PublicError(text, code=Code.LIMIT_EXCEEDED, limit="operations", maximum=most)
            await self._refuse(message["id"], refusal)
            return
        if self.connection_acknowledged and not known:
            try:
                message["payload"]["query"] = self.view.persisted.find(message["payload"])
            except PublicError as refusal:
                await self._refuse(message["id"], refusal)
                return
        self._extensions[message["id"]] = message["payload"].get("extensions")
        await super().handle_subscribe(message)

    async def cleanup_operation(self, operation_id: str) -> None:
        self._extensions.pop(operation_id, None)  # those of one that never began
        await super().cleanup_operation(operation_id)

    async def _refuse(self, operation_id: str, error: GraphQLError) -> None:
        begin_operation("ws", None)
        public_error = self.view.public(error)
        await self.websocket.send_json(
            {"id": operation_id, "type": "error", "payload": [public_error.formatted]}
        )

    async def run_operation(self, operation: Operation[Any, Any]) -> None:
        # Operations that came together begin one after the other, with a look at everything else between them:
        # at other callers, and at whether this socket is still there.
        async with self._turn:
            await asyncio.sleep(0)
        extensions = self._extensions.pop(operation.id, None) or {}
        begin_operation("ws", None, wants_cost=extensions.get("cost") is True)
        start = partial(
            self.schema.stream,
            operation.query,
            variable_values=operation.variables,
            context_value=self.context,
            root_value=self.root_value,
            operation_name=operation.operation_name,
            operation_extensions=extensions,
        )
        put = partial(self._put, operation)
        try:
            source = self.view.fanout.results(start, self.context, put=put)
            async with aclosing(source) as results:
                async for answer in results:
                    if not await self._answer(operation, answer.result):
                        return
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except WebSocketDisconnected:
            self.operations.pop(operation.id, None)
        except Exception as error:
            await self.handle_task_exception(error)
            with suppress(WebSocketDisconnected, KeyError):
                await operation.send_initial_errors(
                    [self.view.public(GraphQLError("", original_error=error))]
                )

    def _put(self, operation: Operation[Any, Any]) -> Put | None:
        """Return the function that sends results of a group immediately, or None without server support."""
        wire = protocol_of(self.websocket.ws.scope)
        if wire is None:
            return None
        head = b'{"id":' + encode(operation.id) + b',"type":"next","payload":'

        def put(payloads: Sequence[bytes]) -> bool:
            return self.operations.get(operation.id) is operation and wire.put(head, payloads, b"}")

        return put

    async def _answer(self, operation: Operation[Any, Any], result: Any) -> bool:
        """Send one result; return whether more may follow."""
        if isinstance(result, Fragment):
            message = {"id": operation.id, "type": "next", "payload": result}
            await operation.send_operation_message(cast("Any", message))
            return True
        if not isinstance(result, ExecutionResult):
            await self._reject_incremental_delivery(operation)
            return False
        if result.errors:
            result.errors = [self.view.public(error) for error in result.errors]
        if isinstance(result, PreExecutionError):
            await operation.send_initial_errors(result.errors or [])
            return False
        await operation.send_next(result)
        return True

    async def handle_task_exception(self, error: Exception) -> None:
        log.error("socket failed", extra=log_unexpected(error) | {"request_id": request_id.get()})
