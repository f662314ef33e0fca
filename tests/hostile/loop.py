"""How long callers hold the event loop, in processor time: what others do on the machine does not count."""

import asyncio
import time


class Held:
    """Measures, while it is open, the longest stretch between two turns of the loop, in seconds of its thread.

    A turn is a callback that asks for the next one, so that all that is ready runs between two of them.
    """

    def __enter__(self) -> "Held":
        self.longest, self._is_open = 0.0, True
        self._loop = asyncio.get_running_loop()
        self._last = time.thread_time()
        self._loop.call_soon(self._turn)
        return self

    def _turn(self) -> None:
        self._look()
        if self._is_open:
            self._loop.call_soon(self._turn)

    def _look(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def __exit__(self, *_: object) -> None:
        self._look()
        self._is_open = False
