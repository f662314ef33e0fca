"""HTTP calls to other servers: confined, bounded, and retried only where a repetition is harmless.

A call never reaches a private address, so that nobody who may name a URL can look into the network of the server;
OUTBOUND_NETWORKS names exceptions. Addresses are checked where the connection is made: a name cannot change in
between. Redirects stay on their host, or lose every header. Answers have a maximum size. No credential is logged.
"""

import asyncio
import ipaddress
import logging
import random
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
WHOLE_SECONDS = 45.0  # for one call with its repetitions
MAX_ATTEMPTS = 3
MAX_REDIRECTS = 3
MAX_ANSWER_BYTES = 4 << 20
MAX_WAIT_SECONDS = 5.0  # a longer Retry-After is the caller's to wait for
MAX_CONNECTIONS = 20
RETRIED_STATUSES = (502, 503, 504)
REDIRECTS = (301, 302, 303, 307, 308)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class CallFailed(Exception):
    """A call has no answer. With `sent`, the other server may have acted on it."""

    def __init__(self, message: str, *, sent: bool, is_final: bool = False) -> None:
        super().__init__(message)
        self.sent, self.is_final = sent, is_final


@dataclass(frozen=True)
class HttpResponse:
    """The answer to a call. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def retry_after(self) -> float | None:
        """Seconds until a repetition is welcome, by `Retry-After`; None if it does not say."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            return None


class Outbound:
    """Calls other servers. `networks` are those of private addresses that it may call."""

    def __init__(self, networks: Sequence[str] = (), *, max_connections: int = MAX_CONNECTIONS) -> None:
        self._max_connections = max_connections
        self._networks: list[Network] = [ipaddress.ip_network(text) for text in networks]
        self._client: httpx2.AsyncClient | None = None

    def why_not(self, url: str) -> str | None:
        """Return why a URL cannot be called, by its form; None if it can."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return "is not a URL"
        if parts.username is not None or parts.password is not None:
            return "must not contain credentials"
        if not host or port == 0 or any(not char.isprintable() or char in " \\" for char in url):
            return "is not a URL"
        if parts.scheme == "https" or (parts.scheme == "http" and self._is_allowed_literal(host)):
            return None
        return "must begin with https://"

    def may_reach(self, address: str) -> bool:
        """Whether calls may go to an IP address."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if any(ip in network for network in self._networks if network.version == ip.version):
            return True
        return ip.is_global and not ip.is_multicast

    def is_private_literal(self, url: str) -> bool:
        """Whether the host of a URL is localhost or an address that must not be called. No name is looked up."""
        host = (urlsplit(url).hostname or "").rstrip(".")
        try:
            address = str(ipaddress.ip_address(host))
        except ValueError:
            try:
                address = socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f000001, 2130706433
            except (OSError, UnicodeError):
                address = "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else ""
        return bool(address) and not self.may_reach(address)

    def _is_allowed_literal(self, host: str) -> bool:
        try:
            ip = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            return False
        return any(ip in network for network in self._networks if network.version == ip.version)

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        most: int = MAX_ANSWER_BYTES,
        cut: bool = False,
        leave_host: bool = False,
    ) -> HttpResponse:
        """Call another server and return its answer, whatever its status. Raises CallFailed.

        GET is repeated after lost connections and 502, 503, 504. Any other method is repeated only if nothing was
        sent. `cut` cuts a longer answer at `most` bytes instead of failing. `leave_host` follows a redirect to
        another host, without any header.
        """
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                return await self._call_and_repeat(
                    method, url, dict(headers or {}), json, most, cut, leave_host
                )
        except TimeoutError:
            raise CallFailed("The server took too long", sent=True) from None

    async def post_once(
        self, url: str, content: bytes, *, headers: Mapping[str, str], seconds: float, most: int
    ) -> HttpResponse:
        """Post bytes once: nothing is repeated, no redirect is followed, an answer is cut at `most` bytes.

        Raises CallFailed, also if the answer takes longer than `seconds`.
        """
        if why := self.why_not(url):
            raise CallFailed(f"The address {why}", sent=False, is_final=True)
        try:
            async with asyncio.timeout(seconds):
                return await self._send("POST", url, dict(headers), None, most, True, content)
        except TimeoutError:
            raise CallFailed(f"No answer within {seconds:g} s", sent=True) from None

    async def _call_and_repeat(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        json: Any,
        most: int,
        cut: bool,
        leave_host: bool,
    ) -> HttpResponse:
        attempt = 0
        while True:
            attempt += 1
            wait = 0.2 * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311 - spreads repetitions
            try:
                answer = await self._follow(method, url, headers, json, most, cut, leave_host)
            except CallFailed as failure:
                if failure.is_final or attempt >= MAX_ATTEMPTS or (failure.sent and method != "GET"):
                    raise
            else:
                repeat = answer.status in RETRIED_STATUSES and method == "GET" and attempt < MAX_ATTEMPTS
                if not repeat or (answer.retry_after or 0) > MAX_WAIT_SECONDS:
                    return answer
                wait = answer.retry_after or wait
            await asyncio.sleep(wait)

    async def _follow(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        json: Any,
        most: int,
        cut: bool,
        leave_host: bool,
    ) -> HttpResponse:
        for _ in range(MAX_REDIRECTS + 1):
            if why := self.why_not(url):
                raise CallFailed(f"The address {why}", sent=False, is_final=True)
            answer = await self._send(method, url, headers, json, most, cut)
            location = answer.headers.get("location")
            if answer.status not in REDIRECTS or location is None:
                return answer
            target = urljoin(url, location)
            if method != "GET" and answer.status not in (307, 308):
                return answer
            if _origin_of(target) != _origin_of(url):
                if not leave_host or method != "GET":
                    raise CallFailed("The server redirects to another host", sent=True, is_final=True)
                headers = {}
            url = target
        raise CallFailed("The server redirects too often", sent=True, is_final=True)

    async def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        json: Any,
        most: int,
        cut: bool,
        content: bytes | None = None,
    ) -> HttpResponse:
        import httpx2

        client = self._client or self._open()
        try:
            async with client.stream(method, url, headers=headers, json=json, content=content) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > most:
                        if not cut:
                            raise CallFailed("The answer is too large", sent=True, is_final=True)
                        del body[most:]
                        break
                return HttpResponse(response.status_code, dict(response.headers), bytes(body), url)
        except PrivateAddress as error:
            raise CallFailed(str(error), sent=False, is_final=True) from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise CallFailed(f"Cannot connect: {_text(error)}", sent=False) from error
        except httpx2.InvalidURL:
            raise CallFailed("The address is not a URL", sent=False, is_final=True) from None
        except httpx2.HTTPError as error:
            raise CallFailed(f"No answer: {_text(error)}", sent=True) from error

    def _open(self) -> "httpx2.AsyncClient":
        import httpcore2
        import httpx2

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs the URL of every request
        transport = httpx2.AsyncHTTPTransport(
            trust_env=False, limits=httpx2.Limits(max_connections=self._max_connections)
        )
        pool = transport._pool
        assert isinstance(pool, httpcore2.AsyncConnectionPool), "a transport without a proxy has a pool"
        pool._network_backend = _make_backend(self)
        timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        agent = {"user-agent": "signalbox"}
        self._client = httpx2.AsyncClient(
            transport=transport, timeout=timeout, headers=agent, trust_env=False
        )
        return self._client

    async def resolve(self, host: str, port: int) -> str:
        """Return an address of a host. Raises PrivateAddress if one of its addresses is private, OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not all(map(self.may_reach, addresses)):
            raise PrivateAddress("The address is private; OUTBOUND_NETWORKS names those that may be called")
        return addresses[0]

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


class PrivateAddress(Exception):
    """A host has an address that must not be called."""


def _make_backend(outbound: Outbound) -> Any:
    """Return a network backend that connects only to addresses that were checked."""
    import httpcore2
    from httpcore2._backends.auto import AutoBackend

    class CheckedBackend(AutoBackend):
        async def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> Any:
            try:
                address = await outbound.resolve(host, port)
            except OSError as error:
                raise httpcore2.ConnectError("the name is not known") from error
            return await super().connect_tcp(address, port, *args, **options)

        async def connect_unix_socket(self, *args: Any, **options: Any) -> Any:
            raise httpcore2.ConnectError("calls go to other servers only")

    return CheckedBackend()


def _origin_of(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return parts.scheme, None, None


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
