"""GraphQL over HTTP and over a socket: how a request travels, and what its answer means.

An answer means one of four things: what was asked for; `Stale`; `Rejected`, with a sentence; or `Unreachable`,
when it may be said again: no connection, no time, a server that restarts, a limit of its rate.
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

TRANSIENT_CODES = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED"}  # codes of errors that pass by themselves
REQUEST_TIMEOUT_SECONDS = 30.0  # of one request
CLOSE_SERVICE_RESTART = 1012  # how a socket is closed by a server that ends
MAX_MESSAGE = 4_194_304  # bytes of one message of the socket
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@cache
def operations() -> dict[str, str]:
    """Every operation of operations.graphql, by its name."""
    blocks = Path(__file__).with_name("operations.graphql").read_text().split("\n\n")
    named = [block for block in blocks if block.startswith(("query ", "mutation ", "subscription "))]
    return {re.split(r"\W+", block)[1]: block for block in named}


class GraphQLTransport:
    """One server, as one actor."""

    def __init__(self, url: str, key: str = "", agent: str = "signalbox-worker") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not the address of a server, like http://127.0.0.1:8000/graphql")
        self.url, self._key = url, f"Bearer {key}" if key else ""
        self.has_key = key.startswith("sb_")  # else it is of a person
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
        """What the only field of an operation answers. A mutation with an idempotency `key` is done once."""
        body = {"query": operations()[name], "variables": sayable(variables)}
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
            said = answer.json()
            errors, data = said.get("errors"), said.get("data")
        except (ValueError, AttributeError):
            errors = data = None
        if errors:
            raise refused(errors[0], answer.headers.get("retry-after"))
        if data is None:
            if answer.status_code == 429 or answer.status_code >= 500:
                raise away(f"HTTP {answer.status_code}", answer.headers.get("retry-after"))
            raise ServerRejected(
                "NO_GRAPHQL", f"{self.url} does not answer as GraphQL: HTTP {answer.status_code}"
            )
        return meaning(data)

    async def hear(self, name: str, variables: Row) -> AsyncIterator[Any]:
        """What a subscription tells, until it ends."""
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
                    said = json.loads(text)
                    if said["type"] == "connection_ack":
                        await socket.send(json.dumps(start))
                    elif said["type"] == "ping":
                        await socket.send('{"type": "pong"}')
                    elif said["type"] == "error":
                        raise refused(said["payload"][0], None)
                    elif said["type"] == "complete":
                        return
                    elif said["type"] == "next":
                        if errors := said["payload"].get("errors"):
                            raise refused(errors[0], None)
                        yield meaning(said["payload"]["data"])
        except (OSError, WebSocketException, TimeoutError) as error:
            gone = ServerUnreachable(str(error))
            closed = error.rcvd if isinstance(error, ConnectionClosed) else None
            gone.restarts = closed is not None and closed.code == CLOSE_SERVICE_RESTART
            raise gone from error


def sayable(value: Any) -> Any:
    """What programs print can be anything; text with NUL or half a letter is no text for the server."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: sayable(one) for name, one in value.items()}
    return [sayable(one) for one in value] if isinstance(value, list | tuple) else value


def meaning(data: Row) -> Any:
    """The value of the only field. Raises what a refusal means."""
    [value] = data.values()
    if isinstance(value, dict) and "refused" in value:
        if value["refused"] == "LEASE_LOST":
            raise LeaseLost(value["message"])
        raise ServerRejected(value["refused"], value["message"])
    return value


def refused(error: Row, after: str | None) -> Exception:
    """What an error of GraphQL means."""
    more = error.get("extensions") or {}
    code, message = more.get("code", "ERROR"), error.get("message", "")
    if code in TRANSIENT_CODES:
        return away(message, more.get("retryAfter") or after)
    if reason := more.get("reason"):
        message = f"{message} ({reason})"
    return ServerRejected(code, message)


def away(message: str, after: Any) -> ServerUnreachable:
    found = ServerUnreachable(message)
    try:
        found.after = min(300.0, max(0.0, float(after or 0)))
    except (TypeError, ValueError):
        found.after = 0.0
    return found
