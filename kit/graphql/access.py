"""When access ends while somebody still listens.

A context may say `expires_at` (an aware datetime or None) and `revoked` (what can be watched, or None). Both are
looked at once, when the stream or socket begins. Watching costs a timer, and no task: sockets are many.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from kit.clock import CLOCK

CLOCK_CHECK_SECONDS = 30.0  # seconds at most between two looks at the clock, which may be set meanwhile

Clock = Callable[[], datetime]
End = Callable[[], None]


class Revocable(Protocol):
    def watch(self, end: End) -> End:
        """Call `end` once access is revoked, unless what this returns was called before."""
        ...


def utc_now() -> datetime:
    return CLOCK.now()


def can_end(context: Any) -> bool:
    """Whether the access of `context` may ever end: if not, nothing need watch it."""
    return any(getattr(context, name, None) is not None for name in ("expires_at", "revoked"))


class AccessWatch:
    """Calls `end` with the reason, "expired" or "revoked", once the access of `context` ends."""

    def __init__(self, context: Any, now: Clock, end: Callable[[str], None]) -> None:
        self._expires_at: datetime | None = getattr(context, "expires_at", None)
        self._now, self._end = now, end
        self._timer: asyncio.TimerHandle | None = None
        self._forget: End | None = None
        revoked: Revocable | None = getattr(context, "revoked", None)
        if revoked is not None:
            self._forget = revoked.watch(self._revoked)
        self._look()

    def _look(self) -> None:
        if self._expires_at is None:
            return
        left = (self._expires_at - self._now()).total_seconds()
        if left <= 0:
            self._say("expired")
        else:
            self._timer = asyncio.get_running_loop().call_later(min(left, CLOCK_CHECK_SECONDS), self._look)

    def _revoked(self) -> None:
        self._say("revoked")

    def _say(self, reason: str) -> None:
        self.stop()
        self._end(reason)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._forget is not None:
            self._forget()


async def ended(context: Any, now: Clock = utc_now) -> str:
    """Wait until the access of `context` ends; return why."""
    reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    watch = AccessWatch(context, now, lambda why: None if reason.done() else reason.set_result(why))
    try:
        return await reason
    finally:
        watch.stop()
