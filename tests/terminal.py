"""A terminal that a command believes to be people's: what it shows is kept, what is typed it reads."""

import contextlib
import os
import pty
import threading
from types import TracebackType


class Terminal:
    """`with Terminal() as terminal`: give `terminal.path` to a process as its standard input or error."""

    _theirs: int | None

    def __enter__(self) -> "Terminal":
        self._ours, self._theirs = pty.openpty()
        self.path = os.ttyname(self._theirs)
        self._shown = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._close()
        os.close(self._ours)

    def type(self, line: str) -> None:
        os.write(self._ours, line.encode() + b"\n")

    def shown(self) -> str:
        """All that it has shown. Nothing is shown after it was asked."""
        self._close()
        return self._shown.decode()

    def _close(self) -> None:
        if self._theirs is not None:
            os.close(self._theirs)
            self._theirs = None
        self._reader.join()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # how it is told that nobody holds the other end
            while said := os.read(self._ours, 65_536):
                self._shown += said
