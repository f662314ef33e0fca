"""Which names this server answers to, and from which pages it is called.

A page of a stranger may point a name of its own at 127.0.0.1 (DNS rebinding), or have the visitor's browser call
us. So a request under a name that is not ours is 421, one sent by another origin's page is 403, on sockets too;
neither reaches the application. The 403 may be read by the page it refuses, so that its author learns why: for that
the browser's question before it, the preflight, is answered with yes.
"""

import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kit.graphql import json as strict
from kit.graphql.errors import Code
from kit.graphql.operation import take_request_id

log = logging.getLogger("signalbox.origin")

LOOPBACK = ("localhost", "*.localhost", "127.0.0.0/8", "::1")
MAX_HOST_LENGTH = 300  # characters of a Host header: a name has 253; urlsplit remembers what it was given
MAX_LOGGED_ORIGINS = 100
REPEAT_SECONDS = 60.0


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def name_of(host: str) -> str:
    """The name in a Host header, without its port, lower case; empty if there is none."""
    if len(host) > MAX_HOST_LENGTH:
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def matches_host(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name is one of these: a name, `*.` and a name, an address or a network of addresses."""
    for pattern in patterns:
        if pattern == "*" or name == pattern.lower():
            return True
        if pattern.startswith("*.") and name.endswith(pattern[1:].lower()):
            return True
        if "/" in pattern and _is_within(name, pattern):
            return True
    return False


def _is_within(name: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(network)
    except ValueError:
        return False


class HostMiddleware:
    """The application behind a look at Host and Origin. Without `hosts`, every name is ours.

    Paths of `probed` answer to every IP address: load balancers ask so.
    """

    def __init__(
        self, app: ASGIApp, hosts: Sequence[str] = (), origins: Sequence[str] = (), probed: Sequence[str] = ()
    ) -> None:
        self.app, self.hosts, self.probed = app, tuple(hosts), frozenset(probed)
        self.origins = {origin.rstrip("/").lower() for origin in origins}
        self._told: OrderedDict[str, float] = OrderedDict()  # refused origins, and when each was logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        refusal = self._judge(HTTPConnection(scope))
        if refusal is None:
            return await self.app(scope, receive, send)
        status, message = refusal
        connection = HTTPConnection(scope)
        origin = connection.headers.get("origin", "") if status == 403 else ""
        if origin:
            self._log(origin)
        if scope["type"] == "websocket":
            # Before it is accepted, a close is an answer with 403.
            return await send({"type": "websocket.close", "code": 1008, "reason": message})
        readable = _readable(connection, origin) if origin else {}
        if origin and scope["method"] == "OPTIONS" and "access-control-request-method" in connection.headers:
            return await Response(status_code=204, headers=readable)(scope, receive, send)
        response = _response(connection, status, message)
        response.headers.update(readable)
        return await response(scope, receive, send)

    def _log(self, origin: str) -> None:
        """Log a refused origin, each at most once in REPEAT_SECONDS and MAX_LOGGED_ORIGINS of them in that time."""
        now, origin = time.monotonic(), origin[:MAX_HOST_LENGTH]
        while self._told and next(iter(self._told.values())) <= now - REPEAT_SECONDS:
            self._told.popitem(last=False)
        if origin not in self._told and len(self._told) < MAX_LOGGED_ORIGINS:
            self._told[origin] = now
            log.warning("a page of %s was refused: ALLOWED_ORIGINS does not list it", origin)

    def _judge(self, connection: HTTPConnection) -> tuple[int, str] | None:
        given = connection.headers.getlist("host")
        name = name_of(given[0]) if len(given) == 1 else ""
        if not name:
            return 400, "The request must have one Host header"
        is_probe = connection.scope["path"] in self.probed and _is_ip_address(name)
        if self.hosts and not is_probe and not matches_host(name, self.hosts):
            return 421, "This server does not answer to that host name; ALLOWED_HOSTS lists those it does"
        origin = connection.headers.get("origin")
        if origin is not None and not self._is_ours(origin.lower(), given[0].lower()):
            return 403, "Pages of that origin may not call; ALLOWED_ORIGINS lists those that may"
        return None

    def _is_ours(self, origin: str, host: str) -> bool:
        return origin in self.origins or "*" in self.origins or origin.partition("://")[2] == host


def _readable(connection: HTTPConnection, origin: str) -> dict[str, str]:
    """Headers by which a browser shows an answer to a page of `origin`."""
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": connection.headers.get("access-control-request-headers", ""),
        "access-control-expose-headers": "x-request-id",
        "vary": "origin",
    }


def _response(connection: HTTPConnection, status: int, message: str) -> Response:
    request_id = take_request_id(connection.headers.get("x-request-id"))
    extensions = {"code": Code.BAD_REQUEST, "requestId": request_id}
    content = strict.encode({"errors": [{"message": message, "extensions": extensions}]})
    headers = {"x-request-id": request_id, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(content, status, headers, "application/json")
