"""Short-lived tokens of code hosts, kept in memory until shortly before they expire."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from kit.db.database import utcnow

MIN_LIFE = timedelta(minutes=5)  # a token with less left is replaced
MAX_TOKENS = 1_000


class HostTokens:
    """Tokens by the connection that they were issued for, each issued once at a time."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._lock = asyncio.Lock()

    async def get(self, key: str, issue: Callable[[], Awaitable[tuple[str, datetime]]]) -> str:
        """Return a token that is good for five more minutes, issued by `issue` if there is none."""
        async with self._lock:
            token, expires_at = self._tokens.get(key, ("", utcnow()))
            if expires_at - utcnow() < MIN_LIFE:
                token, expires_at = await issue()
                if len(self._tokens) >= MAX_TOKENS:
                    self._tokens.clear()
                self._tokens[key] = token, expires_at
            return token

    def forget(self, key: str) -> None:
        """Drop a token that the host refused."""
        self._tokens.pop(key, None)
