"""Uvicorn's WebSocket protocol, with a door for answers that are sent to many.

A message that goes through ASGI passes five coroutines; one that is the same for hundreds of sockets need not.
The door takes messages in parts, as bytes, and writes a text frame for each, all at once, or says that it cannot
now: the reader does not read, the socket is closing. Nothing is kept here; what is written waits in the
transport, which has a bound.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

NAME = "signalbox.websocket"
TEXT = b"\x81"  # the first byte of a frame: a whole message, of text
JOIN = 32 * 1024  # bytes up to which copying is cheaper than to write in parts


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """`websockets-sansio`, and `put`."""

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
