"""Cuts a program's output into lines with bounded memory, whatever the length of a line.

A line that is too long is usually JSON with long strings. The strings are shortened while they are read, so that
the type, ids and numbers of the line survive.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_HEAD_CHARS = 1_000  # of a line that was too long, shown to people
MAX_STRING_BYTES = 16_384  # of each string in a line that was too long
SPECIAL = re.compile(rb'["\\]')


@dataclass(frozen=True)
class TooLong:
    """The rest of a line that was too long. `text` is JSON if the line was JSON with long strings."""

    text: str
    size: int  # bytes of the original line


class Lines:
    """Cuts bytes into lines of at most `limit` bytes; longer lines become TooLong."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._rest = bytearray()
        self._size = 0
        self._shortener: Shortener | None = None

    def feed(self, data: bytes) -> Iterator[str | TooLong]:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._take(line)
            yield self._line()
        self._take(rest)

    def close(self) -> Iterator[str | TooLong]:
        if self._size:
            yield self._line()

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self.limit and self._shortener is None:
            self._shortener = Shortener(min(MAX_STRING_BYTES, self.limit))
            self._rest = self._shortener.feed(bytes(self._rest))
        kept = self._shortener.feed(data) if self._shortener else data
        self._rest += kept[: self.limit - len(self._rest)]

    def _line(self) -> str | TooLong:
        text, size, is_cut = self._rest.decode(errors="replace"), self._size, self._shortener is not None
        self._rest, self._size, self._shortener = bytearray(), 0, None
        return TooLong(text, size) if is_cut else text


class Shortener:
    """Copies JSON piece by piece, and drops the bytes of each string beyond `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._is_inside = False  # a string
        self._size = 0  # bytes of the current string
        self._owed = b""  # an incomplete escape: it is copied whole or not at all

    def feed(self, data: bytes) -> bytearray:
        out, at = bytearray(), 0
        while at < len(data):
            if self._owed:
                self._owed += data[at : at + 1]
                at += 1
                if len(self._owed) == (6 if self._owed[1:2] == b"u" else 2):
                    out += self._kept(self._owed)
                    self._owed = b""
                continue
            match = SPECIAL.search(data, at) if self._is_inside else None
            end = data.find(b'"', at) if not self._is_inside else match.start() if match else -1
            piece = data[at:] if end < 0 else data[at:end]
            out += self._kept(piece) if self._is_inside else piece
            if end < 0:
                break
            at = end + 1
            if data[end:at] == b"\\":
                self._owed = b"\\"
                continue
            out += b'"'
            self._is_inside, self._size = not self._is_inside, 0
        return out

    def _kept(self, piece: bytes) -> bytes:
        room = self.limit - self._size
        self._size += len(piece)
        if len(piece) <= room:
            return piece
        return b"" if piece[:1] == b"\\" else piece[: max(0, room)]
