"""The tools over standard input and output, for a program that starts its own MCP server.

It is a client of the public API; every operation is one request.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import httpx2

from worker.tools.session import McpSession, ReportProgress, Row

REQUEST_TIMEOUT_SECONDS = 60.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ToolsStartError(Exception):
    """The tools cannot be started. The message is one line."""


def endpoint(url: str) -> str:
    """Complete a URL to that of the API. Raises ToolsStartError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ToolsStartError(f"{url!r} is not the address of a server, like http://127.0.0.1:8000")
    bare = url.rstrip("/").removesuffix("/mcp")
    return bare if bare.endswith("/graphql") else f"{bare}/graphql"


class HttpApi:
    """A connection to one server with one token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = endpoint(url)
        headers = {"user-agent": "signalbox-tools", "content-type": "application/json"}
        headers |= {"accept": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        is_here = urlsplit(self.url).hostname in LOOPBACK
        self.http = httpx2.AsyncClient(
            headers=headers, timeout=REQUEST_TIMEOUT_SECONDS, trust_env=not is_here
        )

    async def ask(self, name: str, text: str, variables: Row) -> Row:
        """Return the GraphQL response; without one, an error with the code UNREACHABLE."""
        body = {"query": text, "variables": variables, "operationName": name}
        try:
            answer = await self.http.post(self.url, content=json.dumps(body).encode())
            response: Any = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            return _unreachable(f"{self.url} does not answer: {error or type(error).__name__}")
        if not isinstance(response, dict) or not (response.get("data") or response.get("errors")):
            return _unreachable(f"{self.url} is not a GraphQL endpoint: HTTP {answer.status_code}")
        return response

    def session_for(self, request: Any, report_progress: ReportProgress) -> McpSession:
        return McpSession(self.ask, report_progress)


def _unreachable(message: str) -> Row:
    return {"errors": [{"message": message, "extensions": {"code": "UNREACHABLE"}}]}


def run(url: str, token: str) -> None:
    """Serve the tools until the input ends."""
    asyncio.run(_serve(HttpApi(url, token)))


async def _serve(api: HttpApi) -> None:
    from mcp.server.stdio import stdio_server

    from worker.tools.protocol import make_server

    server = make_server(api.session_for)
    async with api.http, stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())
