"""The tools over HTTP at /mcp: the protocol's streamable HTTP, without sessions.

Every request authenticates itself, so any process may answer it, and a restart loses nothing. The protocol's
package is imported by the first request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from worker.tools.session import McpSession, ReportProgress, Row

MAX_BODY_BYTES = 1_048_576

Authorize = Callable[
    [Request], Awaitable[tuple[str, str] | None]
]  # why a request is refused: code and message, or None
Execute = Callable[[Request, str, str, Row], Awaitable[Row]]
WAITING_OPERATION = "AwaitAnswers"  # not waited for at shutdown


class Ending(Protocol):
    async def wait(self) -> None: ...


class McpEndpoint:
    """The ASGI application at /mcp. `execute` executes an API operation as the sender of a request."""

    def __init__(self, authorize: Authorize, execute: Execute, ending: Ending) -> None:
        self._authorize, self._execute, self._ending = authorize, execute, ending
        self._opened: asyncio.Future[Any] | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method != "POST":  # no server-sent stream and no session to end
            headers = {"allow": "POST"}
            await _refusal(405, "METHOD_NOT_ALLOWED", "POST a message", headers)(scope, receive, send)
        elif (why := await self._authorize(request)) is not None:
            headers = {"www-authenticate": "Bearer"}
            await _refusal(401, *why, headers)(scope, receive, send)
        else:
            manager = await self._open()
            await manager.handle_request(scope, receive, send)

    async def _open(self) -> Any:
        if self._opened is None or self._keeper is None or self._keeper.done():
            self._opened = asyncio.get_running_loop().create_future()
            self._keeper = asyncio.create_task(self._keep(self._opened))
        return await asyncio.shield(self._opened)

    async def _keep(self, opened: asyncio.Future[Any]) -> None:
        """Hold the manager open in one task, because it must be closed in the task that opened it."""
        try:
            manager = await asyncio.to_thread(_manager, self._session_for)
            async with manager.run():
                opened.set_result(manager)
                await asyncio.Event().wait()
        except Exception as error:
            if opened.done():
                raise
            opened.set_exception(error)

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    def _session_for(self, request: Request, report_progress: ReportProgress) -> McpSession:
        async def ask(name: str, text: str, variables: Row) -> Row:
            work = self._execute(request, name, text, variables)
            return await (self._until_the_end(work) if name == WAITING_OPERATION else work)

        return McpSession(ask, report_progress)

    async def _until_the_end(self, work: Awaitable[Row]) -> Row:
        """Stop waiting when the server shuts down. The question is kept."""
        doing = asyncio.ensure_future(work)
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
        finally:
            for task in (doing, ending):
                task.cancel()
            await asyncio.gather(doing, ending, return_exceptions=True)
        message = "The server is being restarted. Ask the same again to go on waiting"
        return {"errors": [{"message": message, "extensions": {"code": "RESTARTING"}}]}


def _manager(desk_of: Callable[[Any, ReportProgress], McpSession]) -> Any:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from worker.tools.protocol import make_server

    return StreamableHTTPSessionManager(
        make_server(desk_of), stateless=True, max_request_body_size=MAX_BODY_BYTES
    )


def _refusal(status: int, code: str, message: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse(
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message, "data": {"code": code}}},
        status,
        {"cache-control": "no-store", **headers},
    )
