"""Uvicorn's HTTP protocol, with bounds.

The parser keeps a header in its own memory until it is whole, and uvicorn waits without end for the rest of a
request. Here bytes are parsed in slices, those that complete nothing are counted, and a header and a body have
deadlines. A request over a bound is answered 408, 414, 431 or 503, and its connection is closed.

The client may still be sending then. A close with unread bytes resets the connection and destroys the answer, so
what arrives is dropped until the client is silent for LINGER_SECONDS, for MAX_LINGER_SECONDS at most.
"""

import asyncio
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from kit.graphql.http.connections import Connections

MAX_TARGET_BYTES = 32 * 1024  # of a request's address
MAX_HEAD_BYTES = 64 * 1024  # of a request's line and headers, to one slice; of anything else that is no body
MAX_HEADERS = 128  # as many as the library for sockets takes
MIN_BODY_BYTES = 64 * 1024  # in `body_seconds`, of a body that may take longer
MAX_PIPELINED = 16  # requests that may wait for the answer to another
SLICE_BYTES = 8 * 1024
LINGER_SECONDS = 2.0
MAX_LINGER_SECONDS = 10.0

ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


class Refused(Exception):
    """Ends the parsing of a request that goes over a bound."""


class BoundedHttp(HttpToolsProtocol):
    """`httptools`, with bounds on sizes, times and numbers."""

    def __init__(self, *args: Any, connections: Connections, **more: Any) -> None:
        super().__init__(*args, **more)
        self._admitted = connections
        self._deadline: asyncio.TimerHandle | None = None
        self._refusal: tuple[int, str] | None = None
        self._is_over = False  # nothing more is read
        self._is_upgraded = False
        self._stage = "head"  # or "body": the part of a request that is missing
        self._has_begun = False  # some of that part has come
        self._idle_bytes = 0  # that brought nothing forward
        self._moved = False
        self._body_bytes = 0  # since the deadline was set
        self._heard_at = 0.0  # by the loop's clock, once nothing is read any more

    # A connection's life

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        if not self._admitted.admit(transport, host, self):
            self._refuse(503, "Too many connections")
            return
        self._expect(self._admitted.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        self._admitted.release(self.transport)
        super().connection_lost(exc)

    def give_way(self) -> None:
        self._is_over = True
        self.transport.abort()  # its descriptor is wanted now

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            self._heard_at = self.loop.time()
            return
        if self._stage == "head" and not self._has_begun:
            self._has_begun = True
            if self._deadline is None:
                self._expect(self._admitted.limits.header_seconds)
        for start in range(0, len(data), SLICE_BYTES):
            piece = data[start : start + SLICE_BYTES] if len(data) > SLICE_BYTES else data
            self._moved = False
            super().data_received(piece)
            if self._is_over or self._is_upgraded or self.transport.is_closing():
                return
            self._idle_bytes = 0 if self._moved else self._idle_bytes + len(piece)
            if self._idle_bytes > MAX_HEAD_BYTES:
                self._refuse(431, "The headers are larger than 64 kB")
                return

    # What the parser tells

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_TARGET_BYTES:
            self._stop(414, "The address is longer than 32 kB")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage == "body":
            return  # a trailer: nobody reads them, and headers that come later must not count
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            self._stop(431, f"There are more than {MAX_HEADERS} headers")

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop(503, f"More than {MAX_PIPELINED} requests wait on one connection")
        if absolute := ABSOLUTE.match(self.url):
            self._take_authority(*absolute.groups())
        self._moved, self._stage, self._body_bytes = True, "body", 0
        self._expect(self._admitted.limits.body_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._moved = True
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._moved, self._stage, self._has_begun = True, "head", False
        self._expect(None)
        if self._is_answering:
            self._admitted.work(self.transport)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_over and not self.pipeline:
            self._admitted.wait(self.transport, self)

    def handle_websocket_upgrade(self) -> None:
        self._is_upgraded = True
        self._expect(None)
        self._admitted.work(self.transport)
        super().handle_websocket_upgrade()

    def _take_authority(self, authority: bytes, rest: bytes) -> None:
        """An address that names a host says it instead of the header Host (RFC 9112, 3.2.2)."""
        named = [n for n, (name, _) in enumerate(self.headers) if name == b"host"]
        if len(named) == 1:  # else it is refused anyway
            self.headers[named[0]] = (b"host", authority)
        self.url = rest if rest.startswith(b"/") else b"/" + rest

    # Deadlines and refusals

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect(self, seconds: float | None) -> None:
        """Expect what is missing within `seconds`, or nothing any more."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._is_late)

    def _is_late(self) -> None:
        self._deadline = None
        limits, stage = self._admitted.limits, self._stage
        if self.flow.read_paused or (stage == "head" and self._is_answering):
            # it is us who do not read on
            self._expect(limits.header_seconds if stage == "head" else limits.body_seconds)
            return
        if stage == "body" and self._body_bytes >= MIN_BODY_BYTES and self._is_long():
            self._body_bytes = 0
            self._expect(limits.body_seconds)
            return
        if stage == "head" and not self._has_begun:
            self.transport.close()  # it never asked for anything
            return
        seconds = limits.header_seconds if stage == "head" else limits.body_seconds
        self._refuse(408, f"The {stage} of the request did not come within {seconds:g} s")

    def _is_long(self) -> bool:
        return self.url.partition(b"?")[0].decode("latin-1") in self._admitted.limits.long_bodies

    def _stop(self, status: int, text: str) -> None:
        self._refusal = status, text
        raise Refused

    def send_400_response(self, msg: str) -> None:
        """Called when the parser, or one of the bounds above, takes no more."""
        self._refuse(*(self._refusal or (400, msg)))

    def _refuse(self, status: int, text: str) -> None:
        """Answer with `status`, unless another answer is on its way, and close."""
        if self._is_over:
            return
        self._is_over = True
        host = self.client[0] if self.client else "a local socket"
        self._admitted.note(f"refused {status}", f"a request from {host} was refused, {status}: {text}")
        if self._is_answering and self._stage == "head":
            self.cycle.keep_alive = False  # it is closed after the answers to what came whole
            self._expect(None)
            return
        if self.pipeline:
            self.transport.close()
            return
        begun = self._is_answering and self.cycle.response_started
        if self._is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._unset_keepalive_if_required()
        if not begun:
            self.transport.write(_refusal(status, text, self.server_state.default_headers))
        if begun or not self.transport.can_write_eof():
            self.transport.close()
            return
        self.flow.resume_reading()
        self.transport.write_eof()
        if self._deadline is not None:
            self._deadline.cancel()
        self._heard_at = self.loop.time()
        self._linger(self.loop.time() + MAX_LINGER_SECONDS)

    def _linger(self, until: float) -> None:
        """Close after LINGER_SECONDS of silence, or at `until`."""
        now = self.loop.time()
        if now >= min(until, self._heard_at + LINGER_SECONDS):
            self.transport.close()
        else:
            at = min(until, self._heard_at + LINGER_SECONDS)
            self._deadline = self.loop.call_at(at, self._linger, until)


def _refusal(status: int, text: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    content = text.encode()
    response_headers = [*headers, (b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    response_headers.append((b"content-length", str(len(content)).encode()))
    if status == 503:
        response_headers.append((b"retry-after", b"1"))
    lines = [name + b": " + value + b"\r\n" for name, value in response_headers]
    return b"".join((STATUS_LINE[status], *lines, b"\r\n", content))
