"""How many connections this process keeps open, and which one gives way to another.

A connection waits until its request has arrived whole; then it works until the answer is sent. Only those that
wait give way: the one that has waited longest is closed when an address, or the process, has as many connections
as it may. So connections that are opened and left keep nobody out, and no request is broken off. A new connection
is refused only when all the others work.
"""

import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from kit.graphql.limits.rate import network_of

log = logging.getLogger("signalbox.connections")

RESERVED_FILES = 128  # descriptors kept for the database, the bus and files that are served
REPEAT_SECONDS = 10.0  # between two lines of the log about the same bound


@dataclass(frozen=True)
class Limits:
    """Bounds on connections. `proxies` are addresses and networks that stand for many people: they have no bound
    of their own. `per_address` 0 is any."""

    connections: int = 10_000
    per_address: int = 256
    proxies: Sequence[str] = ()
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    long_bodies: Sequence[str] = ()  # addresses whose bodies may take longer, while they bring MIN_BODY_BYTES


class Waiting(Protocol):
    """A connection that can be closed to make room."""

    def give_way(self) -> None: ...


@dataclass
class Address:
    open: int = 0
    waiting: "OrderedDict[Any, Waiting]" = field(default_factory=OrderedDict)


class Connections:
    """The open connections by address. A connection's key is its transport."""

    def __init__(self, limits: Limits, most: int | None = None) -> None:
        self.limits, self.most = limits, limits.connections if most is None else most
        self._addresses: dict[str, Address] = {}
        self._open: dict[Any, str] = {}
        self._waiting: OrderedDict[Any, Waiting] = OrderedDict()
        self._networks = [ipaddress.ip_network(each, strict=False) for each in limits.proxies if each != "*"]
        self._logged: dict[str, tuple[float, int]] = {}  # when, and how many lines were left out since

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, key: Any, host: str, connection: Waiting) -> bool:
        """Count a new connection from `host`. Return False if there is no room for it; then it is not counted."""
        name = network_of(host)
        address = self._addresses.get(name)
        if address is not None and self._is_bounded(host) and address.open >= self.limits.per_address:
            text = f"{name} has {address.open} connections open, the most an address may have"
            if not self._make_room(address.waiting, f"address {name}", text):
                return False
        if len(self._open) >= self.most:
            text = f"{len(self._open)} connections are open, the most this process may have"
            if not self._make_room(self._waiting, "all", text):
                return False
        self._open[key] = name
        self._addresses.setdefault(name, Address()).open += 1
        self.wait(key, connection)
        return True

    def wait(self, key: Any, connection: Waiting) -> None:
        """The connection waits for a request, or for the rest of one."""
        if (name := self._open.get(key)) is not None:
            self._waiting[key] = self._addresses[name].waiting[key] = connection

    def work(self, key: Any) -> None:
        """A request has arrived whole: the connection does not give way any more."""
        if self._waiting.pop(key, None) is not None:
            self._addresses[self._open[key]].waiting.pop(key, None)

    def release(self, key: Any) -> None:
        """The connection is closed. May be called again."""
        self.work(key)
        name = self._open.pop(key, None)
        if name is None:
            return
        address = self._addresses[name]
        address.open -= 1
        if not address.open:
            del self._addresses[name]

    def free(self, count: int) -> None:
        """Close those that have waited longest, `count` at most: descriptors have run out."""
        for key in list(self._waiting)[:count]:
            self._close(key)

    def note(self, about: str, text: str, *, now: Callable[[], float] = time.monotonic) -> None:
        """Log that a bound was hit, at most one line in REPEAT_SECONDS for each bound."""
        at, left_out = self._logged.get(about, (float("-inf"), 0))
        if now() - at < REPEAT_SECONDS:
            self._logged[about] = at, left_out + 1
            return
        if len(self._logged) > 1000:
            self._logged.clear()
        self._logged[about] = now(), 0
        log.warning(text + (f" ({left_out} more times since the last line)" if left_out else ""))

    def _make_room(self, waiting: "OrderedDict[Any, Waiting]", about: str, text: str) -> bool:
        if not waiting:
            self.note(about, f"{text}: a new one was refused")
            return False
        self.note(about, f"{text}: the one that waited longest was closed for a new one")
        self._close(next(iter(waiting)))
        return True

    def _close(self, key: Any) -> None:
        connection = self._waiting[key]
        self.release(key)
        connection.give_way()

    def _is_bounded(self, host: str) -> bool:
        if not self.limits.per_address or "*" in self.limits.proxies:
            return False
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # a local socket has no address
            return False
        return not any(address in network for network in self._networks)


def allowed_files(wanted: int) -> int:
    """Raise this process's bound on open files, as far as it may, to `wanted`; return what it is now."""
    try:
        import resource
    except ImportError:  # there is none on Windows
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        except (OSError, ValueError):
            log.warning("the bound on open files stays %d", soft)
    return wanted if soft == resource.RLIM_INFINITY else soft


def make_connections(limits: Limits) -> Connections:
    """Bounds for this process: no more connections than it may have files, less those it needs itself."""
    files = allowed_files(limits.connections + RESERVED_FILES)
    most = min(limits.connections, max(16, files - RESERVED_FILES))
    if most < limits.connections:
        log.warning("at most %d connections at once: this process may have %d files open", most, files)
    return Connections(limits, most)
