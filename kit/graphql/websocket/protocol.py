"""Uvicorn's WebSocket protocol, with a door for answers that are sent to many.

A message that goes through ASGI passes five coroutines; one that is the same for hundreds of sockets need not.
The door takes messages in parts, as bytes, and writes a text frame for each, all at once, or says that it cannot
now: the reader does not read, the socket is closing. Nothing is kept here; what is written waits in the
transport, which has a bound.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request
from websockets.protocol import State

from kit.graphql.http.connections import Connections

NAME = "signalbox.websocket"
TEXT = b"\x81"  # the first byte of a frame: a whole message, of text
JOIN = 32 * 1024  # bytes up to which copying is cheaper than to write in parts
MAX_FRAGMENTS = 1024  # of one message: empty ones have no bytes that a bound on its size would count

TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """`websockets-sansio`, with bounds, and `put`."""

    def __init__(self, *args: Any, connections: Connections, **more: Any) -> None:
        super().__init__(*args, **more)
        self._admitted = connections

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # Its bounds on headers are smaller than ours, and uvicorn does not look.
            self.conn.handshake_exc = None
            self.handshake_complete = self.close_sent = True
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._admitted.release(self.transport)
        super().connection_lost(exc)

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
        elif not self.close_sent:
            self.frames = []
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # a pong nobody reads: it would be kept for ever

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:  # the application starts in a later turn of the loop
            self.scope["extensions"][NAME] = self  # type: ignore[assignment]

    def start_keepalive(self) -> None:
        super().start_keepalive()
        self.request = self.response = None  # type: ignore[assignment]  # the handshake is over; they are large

    def put(self, head: bytes, payloads: Sequence[bytes], tail: bytes) -> bool:
        """Write a text message of head, payload and tail for each payload, if that is possible at once."""
        if not self.writable.is_set() or self.close_sent or self.disconnected:
            return False
        if self.conn.state is not State.OPEN or self.transport.is_closing():
            return False
        parts: list[bytes] = []
        around = len(head) + len(tail)
        for payload in payloads:
            parts += (TEXT, length(around + len(payload)), head, payload, tail)
        if sum(map(len, payloads)) > JOIN:
            self.transport.writelines(parts)
        else:
            self.transport.write(b"".join(parts))
        return True


def length(size: int) -> bytes:
    """The length of an unmasked frame, as RFC 6455 writes it."""
    if size < 126:
        return bytes((size,))
    if size < 1 << 16:
        return b"\x7e" + size.to_bytes(2, "big")
    return b"\x7f" + size.to_bytes(8, "big")


def protocol_of(scope: Mapping[str, Any]) -> WebSocketProtocol | None:
    found: WebSocketProtocol | None = scope.get("extensions", {}).get(NAME)
    return found
