"""How much one principal may ask, and how often one may try.

Both machines count in this process's memory, exactly, and remember at most KEYS keys. Of buckets the
least recently used is forgotten: one unused for capacity / refill seconds is full again anyway, and
whoever would push another's key out needs KEYS keys of its own. Of tries none is forgotten.
The library `limits` was considered: it counts windows, and has no bucket that is charged by cost,
given back to and bounded in keys. With several processes each has its own; the promise is per
process.
"""

import hashlib
import ipaddress
import math
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kit.graphql.errors import Code, PublicError

KEYS = 10_000
SHARED = 16_384  # counters for the tries of all keys above that

Clock = Callable[[], float]  # seconds, monotonic


@dataclass(frozen=True)
class RateState:
    """A bucket, as a client may read it. Points; `reset_at` is when it is full again."""

    limit: int
    cost: int
    remaining: int
    reset_at: datetime


class RateLimited(PublicError):
    """Too much was asked for just now. `retry_after` in whole seconds, at least 1."""

    code = Code.RATE_LIMITED
    status = 429

    def __init__(self, wait: float, what: str = "Rate limit exceeded") -> None:
        self.retry_after = max(1, math.ceil(wait))
        super().__init__(f"{what}: try again in {self.retry_after} s", retryAfter=self.retry_after)


class TokenBucket:
    """A bucket of points for each key: `capacity` at most, `refill` points a second; `what` an empty one says."""

    def __init__(
        self,
        capacity: int = 60_000,
        refill: float = 1_000,
        *,
        clock: Clock = time.monotonic,
        what: str = "Rate limit exceeded",
    ) -> None:
        self.capacity, self.refill, self._clock, self._what = capacity, refill, clock, what
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # points, as of when

    def take(self, key: str, cost: int) -> RateState:
        """Take `cost` points. Errors: RateLimited, and nothing was taken."""
        level = self._level(key)
        if cost > level:
            raise RateLimited((cost - level) / self.refill, self._what)
        self._keep(key, level - cost)
        return self.state(key, cost)

    def give(self, key: str, points: float) -> None:
        """Give back what was taken and not used."""
        self._keep(key, min(self.capacity, self._level(key) + points))

    def state(self, key: str, cost: int = 0) -> RateState:
        level = self._level(key)
        full = datetime.now(UTC) + timedelta(seconds=(self.capacity - level) / self.refill)
        return RateState(self.capacity, cost, math.floor(level), full)

    def _level(self, key: str) -> float:
        level, since = self._levels.get(key, (float(self.capacity), 0.0))
        return min(self.capacity, level + (self._clock() - since) * self.refill)

    def _keep(self, key: str, level: float) -> None:
        self._levels[key] = level, self._clock()
        self._levels.move_to_end(key)
        if len(self._levels) > KEYS:
            self._levels.popitem(last=False)


class AttemptLimiter:
    """At most `limit` tries in any `per` seconds for each key; for passwords, codes and tokens.

    Called once for each field call, with a key for the address and one for the account, so that
    many aliases in one operation are many tries. No counter is forgotten while it counts: when KEYS
    of them do, the tries of further keys are counted in SHARED counters, chosen by a secret hash. So
    a flood of keys may refuse some who come later too early, and gives nobody more tries.
    """

    def __init__(self, limit: int = 10, per: float = 60, *, clock: Clock = time.monotonic) -> None:
        self.limit, self.per, self._clock = limit, per, clock
        self._own: OrderedDict[str, deque[float]] = OrderedDict()  # the longest unused first
        self._shared: dict[int, deque[float]] = {}
        self._secret = secrets.token_bytes(16)

    def count(self, *keys: str) -> None:
        """Count one try under each key. Errors: RateLimited if any is used up; then none counts."""
        self.check(*keys)
        now = self._clock()
        for key in keys:
            self._counter(key, now).append(now)

    def check(self, *keys: str) -> None:
        """Count nothing. Errors: RateLimited if any of these keys is used up."""
        now = self._clock()
        full = [tries[0] for tries in (self._tries(key, now) for key in keys) if len(tries) >= self.limit]
        if full:
            raise RateLimited(max(full) + self.per - now, "Too many attempts")

    def forgive(self, *keys: str) -> None:
        """Take back one try of each key: it was a good one."""
        for key in keys:
            if tries := self._own.get(key) or self._shared.get(self._place(key)):
                tries.pop()

    def forget(self, *keys: str) -> None:
        """Forget the tries of these keys: the account's, after a success."""
        for key in keys:
            self._own.pop(key, None)

    def _tries(self, key: str, now: float) -> list[float]:
        """The tries of a key that still count, and of those it shares a counter with."""
        found = [*self._own.get(key, ()), *self._shared.get(self._place(key), ())]
        return sorted(at for at in found if at > now - self.per)

    def _counter(self, key: str, now: float) -> deque[float]:
        """The counter that a try is added to."""
        while self._own and self._is_over(next(iter(self._own.values())), now):
            self._own.popitem(last=False)
        if key in self._own or len(self._own) < KEYS:
            self._own.setdefault(key, deque(maxlen=self.limit))
            self._own.move_to_end(key)
            return self._own[key]
        return self._shared.setdefault(self._place(key), deque(maxlen=self.limit))

    def _is_over(self, tries: deque[float], now: float) -> bool:
        return not tries or tries[-1] <= now - self.per

    def _place(self, key: str) -> int:
        digest = hashlib.blake2b(key.encode(errors="replace"), key=self._secret, digest_size=8).digest()
        return int.from_bytes(digest, "big") % SHARED


def network_of(address: str) -> str:
    """Return the key to count attempts under: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's; what has none, as a local socket, is."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True
