"""Uvicorn as this product runs it.

SIGTERM begins the drain before uvicorn stops to listen, so that streams end by themselves and the
process leaves within `grace`. A peer that acknowledges nothing for STALLED seconds is cut off by
the kernel: uvicorn's own ping never notices a client that stops reading.
"""

import asyncio
import socket
from types import FrameType
from typing import Any

import uvicorn

from runtime.transport.drain import Draining

STALLED = 30.0  # seconds
MESSAGE = 256 * 1024  # bytes of one socket message


class Server(uvicorn.Server):
    """A server that tells `draining` when it is told to stop."""

    def __init__(self, config: uvicorn.Config, draining: Draining) -> None:
        super().__init__(config)
        self._draining = draining

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._draining.attach(asyncio.get_running_loop())
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._draining.begin()
        super().handle_exit(sig, frame)


def serve(
    app: Any,
    *,
    draining: Draining,
    host: str = "127.0.0.1",
    port: int = 8000,
    grace: int = 20,
    **more: Any,
) -> None:
    """Serve `app` until a signal; return when every connection ended, within `grace` seconds.

    `more` goes to uvicorn.Config, and may override what is set here. Errors: SystemExit if the
    address cannot be bound.
    """
    config = uvicorn.Config(app, host=host, port=port, **{**defaults(grace), **more})
    listener = config.bind_socket()
    cut_stalled(listener)
    try:
        Server(config, draining).run(sockets=[listener])
    finally:
        listener.close()


def defaults(grace: int) -> dict[str, Any]:
    return {
        "ws": "websockets-sansio",
        "ws_max_size": MESSAGE,
        "ws_per_message_deflate": False,  # a small frame may unpack to a large one
        "timeout_graceful_shutdown": grace,
        "access_log": False,  # a line with the query string, and with it every variable of a GET
        "server_header": False,
    }


def cut_stalled(listener: socket.socket, seconds: float = STALLED) -> None:
    """Cut off peers that take nothing for `seconds`. Linux only; connections inherit it."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))
