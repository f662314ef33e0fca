"""When access ends while somebody still listens.

A context may say `expires_at` (an aware datetime or None) and `revoked` (an asyncio.Event, or
anything with `wait()`, or None). Both are looked at once, when the stream or socket begins.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

LOOK = 30.0  # seconds at most between two looks at the clock, which may be set meanwhile

Clock = Callable[[], datetime]


class Event(Protocol):
    def wait(self) -> Awaitable[Any]: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


def can_end(context: Any) -> bool:
    """Whether the access of `context` may ever end: if not, nothing need watch it."""
    return any(getattr(context, name, None) is not None for name in ("expires_at", "revoked"))


async def ended(context: Any, now: Clock = utc_now) -> str:
    """Wait until the access of `context` ends; return why: "expired" or "revoked"."""
    expires_at: datetime | None = getattr(context, "expires_at", None)
    revoked: Event | None = getattr(context, "revoked", None)
    while True:
        wait = LOOK if expires_at is None else (expires_at - now()).total_seconds()
        if wait <= 0:
            return "expired"
        if revoked is None:
            await asyncio.sleep(min(wait, LOOK))
            continue
        with suppress(TimeoutError):
            async with asyncio.timeout(min(wait, LOOK)):
                await revoked.wait()
                return "revoked"
