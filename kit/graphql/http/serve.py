"""Uvicorn as this product runs it.

SIGTERM begins the drain before uvicorn stops to listen, so that streams end by themselves and the
process leaves within `grace`; with `drain_wait`, so many seconds after it said that it is not ready.
A peer that acknowledges nothing for STALLED seconds is cut off by the kernel: uvicorn's own ping never
notices a client that stops reading.
"""

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
from uvicorn.lifespan.on import LifespanOn

from kit.graphql.http.connections import Connections, Limits, make_connections
from kit.graphql.http.draining import Draining
from kit.graphql.http.protocol import BoundedHttp
from kit.graphql.websocket.protocol import WebSocketProtocol

log = logging.getLogger("uvicorn.error")

STALLED_SECONDS = 30.0  # seconds
MAX_BACKLOG = 2048  # connections that wait to be accepted
GC_THRESHOLDS = 10_000, 20, 20  # new objects before a look at the youngest; looks before one at the older
MESSAGE = 256 * 1024  # bytes of one socket message
FREED_CONNECTIONS = 32  # closed when descriptors have run out
TOLD_BY_US = ("Invalid HTTP request received.", "Unsupported upgrade request.")  # or one line for each


class Server(uvicorn.Server):
    """A server that tells `draining` when it is told to stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        draining: Draining,
        connections: Connections,
        *,
        drain_wait: float = 0.0,
        listening: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self._draining, self._connections, self._listening = draining, connections, listening
        self._drain_wait, self._loop = drain_wait, cast("asyncio.AbstractEventLoop | None", None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._draining.attach(self._loop)
        await super().startup(sockets)
        spare_garbage()
        if self._listening and self.started:
            self._listening()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # once a second
            look_for_descriptors(self._connections)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and self._drain_wait and self._loop and not self._draining.announced:
            self._draining.announce()
            log.info(
                "Stopping in %g s: until then it is only said that this server is not ready", self._drain_wait
            )
            self._loop.call_soon_threadsafe(self._loop.call_later, self._drain_wait, self._exit, sig, frame)
        else:
            self._exit(sig, frame)

    def _exit(self, sig: int, frame: FrameType | None) -> None:
        if not self._draining.begun or sig == signal.SIGINT:
            self._draining.begin()
            super().handle_exit(sig, frame)


class Starting(LifespanOn):
    """The application's start and stop. What it raises instead of starting is kept, not logged.

    Once it has started, the address is listened on. Here, because uvloop says nothing when that fails.
    """

    failed: BaseException | None = None

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener

    async def startup(self) -> None:
        await super().startup()
        if self.should_exit:
            return
        try:
            self._listener.listen(MAX_BACKLOG)
        except OSError:
            await self.shutdown()
            raise
        self.logger.info("Listening on %s", address_of(self._listener))

    async def send(self, message: Any) -> None:
        if message["type"] == "lifespan.startup.failed":
            self.failed = sys.exception()
            self.logger = logging.Logger("untold", logging.CRITICAL)
        await super().send(message)


class AddressTaken(Exception):
    """The address cannot be listened on. One line says which and why."""


def bind(host: str, port: int, *, listening: bool = False) -> socket.socket:
    """Take an address before anything else is done for it. Port 0 lets the system choose. Raises AddressTaken.

    Connections are refused until it is served, so that clients go to another server; or, `listening`, wait.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except UnicodeError as error:
        raise AddressTaken(f"cannot listen on {host}:{port}: that is no name of a host") from error
    except OSError as error:
        raise AddressTaken(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        if listening:  # and nobody else can
            listener.listen(MAX_BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressTaken(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    cut_stalled(listener)
    return listener


def serve(
    app: Any,
    listener: socket.socket,
    *,
    draining: Draining,
    grace: int = 20,
    drain_wait: float = 0.0,
    limits: Limits | None = None,
    listening: Callable[[], None] | None = None,
    **more: Any,
) -> None:
    """Serve `app` until a signal; return when every connection ended, within `grace` seconds.

    `listening` is called once requests are answered. SIGTERM is obeyed `drain_wait` seconds after it came.
    `more` goes to uvicorn.Config, and may override what is set here. Raises what the application raised instead
    of starting, and AddressTaken where another that bound the address as well was faster.
    """
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(app, host=host, port=port, **{**defaults(grace), **more})
    config.load()
    config.lifespan_class = partial(Starting, listener=listener)
    connections = make_connections(limits or Limits())
    config.http_protocol_class = cast("Any", partial(BoundedHttp, connections=connections))
    config.ws_protocol_class = cast("Any", partial(WebSocketProtocol, connections=connections))
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg not in TOLD_BY_US)
    server = Server(config, draining, connections, drain_wait=drain_wait, listening=listening)
    try:
        server.run(sockets=[listener])
    except SystemExit:
        if server.lifespan.failed is not None:
            raise server.lifespan.failed from None
        raise
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise AddressTaken(f"cannot listen on {host}:{port}: {error.strerror}") from error
    finally:
        listener.close()


def look_for_descriptors(connections: Connections) -> None:
    """Say so when this process can open no more files, and close connections that only wait.

    The loop closes whoever comes then, without a word.
    """
    try:
        os.close(os.dup(2))
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        text = f"no file descriptors are left, with {len(connections)} connections open: new ones are turned away"
        connections.note("descriptors", text)
        connections.free(FREED_CONNECTIONS)


def spare_garbage() -> None:
    """Look for garbage less often, and never among what was made at the start.

    An answer makes thousands of objects that live for milliseconds and hardly a cycle, and each look for
    garbage would go through the schema and every library: a fifth of the time of reading a board.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def address_of(listener: socket.socket) -> str:
    """The address to type into a browser on this machine."""
    return address_at(*listener.getsockname()[:2])


def address_at(host: str, port: int) -> str:
    """The same, of a host and a port to listen on."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what everybody listens on
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def defaults(grace: int) -> dict[str, Any]:
    return {
        "backlog": MAX_BACKLOG,
        "ws": WebSocketProtocol,
        "ws_max_size": MESSAGE,
        "ws_per_message_deflate": False,  # a small frame may unpack to a large one
        "timeout_graceful_shutdown": grace,
        "access_log": False,  # a line with the query string, and with it every variable of a GET
        "server_header": False,
    }


def cut_stalled(listener: socket.socket, seconds: float = STALLED_SECONDS) -> None:
    """Cut off peers that take nothing for `seconds`. Linux only; connections inherit it."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))
