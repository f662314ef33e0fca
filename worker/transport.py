"""GraphQL over HTTP and WebSocket, with errors as exceptions.

A response is a value, or `LeaseLost`, `ServerRejected` with a message, or `ServerUnreachable`, after which a
request may be repeated: no connection, a timeout, a restart, a rate limit.
"""

import json
import re
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from protocol.text import clean
from worker.api import LeaseLost, Row, ServerRejected, ServerUnreachable

TRANSIENT_CODES = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED"}  # codes of temporary failures
REQUEST_TIMEOUT_SECONDS = 30.0
CLOSE_SERVICE_RESTART = 1012  # close code of a server that shuts down
MAX_MESSAGE = 4_194_304  # bytes of a WebSocket message
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@cache
def operations() -> dict[str, str]:
    """Return the operations of operations.graphql by name."""
    blocks = Path(__file__).with_name("operations.graphql").read_text().split("\n\n")
    named = [block for block in blocks if block.startswith(("query ", "mutation ", "subscription "))]
    return {re.split(r"\W+", block)[1]: block for block in named}


class GraphQLTransport:
    """A connection to one server as one actor."""

    def __init__(self, url: str, key: str = "", agent: str = "signalbox-worker") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not the address of a server, like http://127.0.0.1:8000/graphql")
        self.url, self._key = url, f"Bearer {key}" if key else ""
        self.has_key = key.startswith("sb_")  # otherwise a person's access token
        self.is_loopback = parts.hostname in LOOPBACK
        headers = {"user-agent": agent, "accept": "application/json"}
        headers |= {"authorization": self._key} if key else {}
        self._http = httpx2.AsyncClient(
            headers=headers, timeout=REQUEST_TIMEOUT_SECONDS, trust_env=not self.is_loopback
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self, name: str, variables: Row, *, key: str = "", seconds: float = REQUEST_TIMEOUT_SECONDS
    ) -> Any:
        """Execute an operation and return its only field. A mutation with an idempotency `key` runs once."""
        body = {"query": operations()[name], "variables": clean_variables(variables)}
        headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        try:
            answer = await self._http.post(
                self.url,
                content=json.dumps(body, ensure_ascii=False).encode(errors="replace"),
                headers=headers,
                timeout=httpx2.Timeout(seconds, connect=min(seconds, 10.0)),
            )
        except httpx2.HTTPError as error:
            raise ServerUnreachable(str(error) or type(error).__name__) from error
        return self._meaning(answer)

    def _meaning(self, answer: httpx2.Response) -> Any:
        try:
            reply = answer.json()
            errors, data = reply.get("errors"), reply.get("data")
        except (ValueError, AttributeError):
            errors = data = None
        if errors:
            raise error_of(errors[0], answer.headers.get("retry-after"))
        if data is None:
            if answer.status_code == 429 or answer.status_code >= 500:
                raise unreachable(f"HTTP {answer.status_code}", answer.headers.get("retry-after"))
            raise ServerRejected(
                "NO_GRAPHQL", f"{self.url} is not a GraphQL endpoint: HTTP {answer.status_code}"
            )
        return field_value(data)

    async def subscribe(self, name: str, variables: Row) -> AsyncIterator[Any]:
        """Yield the values of a subscription's only field until it ends."""
        url = f"ws{self.url.removeprefix('http')}"
        init: Row = {"type": "connection_init"}
        init |= {"payload": {"authorization": self._key}} if self._key else {}
        start = {
            "id": "1",
            "type": "subscribe",
            "payload": {"query": operations()[name], "variables": variables},
        }
        try:
            async with connect(
                url,
                subprotocols=[Subprotocol("graphql-transport-ws")],
                max_size=MAX_MESSAGE,
                proxy=None if self.is_loopback else True,
            ) as socket:
                await socket.send(json.dumps(init))
                async for text in socket:
                    reply = json.loads(text)
                    if reply["type"] == "connection_ack":
                        await socket.send(json.dumps(start))
                    elif reply["type"] == "ping":
                        await socket.send('{"type": "pong"}')
                    elif reply["type"] == "error":
                        raise error_of(reply["payload"][0], None)
                    elif reply["type"] == "complete":
                        return
                    elif reply["type"] == "next":
                        if errors := reply["payload"].get("errors"):
                            raise error_of(errors[0], None)
                        yield field_value(reply["payload"]["data"])
        except (OSError, WebSocketException, TimeoutError) as error:
            gone = ServerUnreachable(str(error))
            closed = error.rcvd if isinstance(error, ConnectionClosed) else None
            gone.restarts = closed is not None and closed.code == CLOSE_SERVICE_RESTART
            raise gone from error


def clean_variables(value: Any) -> Any:
    """Replace NUL and lone surrogates in printed text, which the server refuses."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: clean_variables(item) for name, item in value.items()}
    return [clean_variables(item) for item in value] if isinstance(value, list | tuple) else value


def field_value(data: Row) -> Any:
    """Return the only field. Raises LeaseLost or ServerRejected for a refusal."""
    [value] = data.values()
    if isinstance(value, dict) and "refused" in value:
        if value["refused"] == "LEASE_LOST":
            raise LeaseLost(value["message"])
        raise ServerRejected(value["refused"], value["message"])
    return value


def error_of(error: Row, after: str | None) -> Exception:
    """Convert a GraphQL error to an exception."""
    more = error.get("extensions") or {}
    code, message = more.get("code", "ERROR"), error.get("message", "")
    if code in TRANSIENT_CODES:
        return unreachable(message, more.get("retryAfter") or after)
    if reason := more.get("reason"):
        message = f"{message} ({reason})"
    return ServerRejected(code, message)


def unreachable(message: str, after: Any) -> ServerUnreachable:
    failure = ServerUnreachable(message)
    try:
        failure.after = min(300.0, max(0.0, float(after or 0)))
    except (TypeError, ValueError):
        failure.after = 0.0
    return failure
