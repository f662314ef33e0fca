"""Load on a server: one request, sent again and again over a few connections that stay open.

A client library would cost more than the server it measures, so requests are bytes and answers are counted.
"""

import asyncio
import time

HEAD = (
    "POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\n"
    "content-type: application/json\r\naccept: application/json\r\nauthorization: {authorization}\r\n"
)


class Connection:
    """One connection that asks one thing after the other."""

    def __init__(self, host: str, port: int, authorization: str = "") -> None:
        self.host, self.port, self.authorization = host, port, authorization

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection(self.host, self.port, limit=2**24)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def post(self, path: str, body: bytes, headers: str = "") -> tuple[int, bytes]:
        """Send one request; return the status and the content."""
        head = HEAD.format(path=path, host=self.host, port=self.port, authorization=self.authorization)
        self._writer.write(f"{head}{headers}content-length: {len(body)}\r\n\r\n".encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        _, _, rest = answer.partition(b"content-length: ")
        content = await self._reader.readexactly(int(rest.partition(b"\r\n")[0])) if rest else b""
        return int(answer[9:12]), content


async def rate(
    port: int, body: bytes, authorization: str, *, connections: int, seconds: float, path: str = "/graphql"
) -> float:
    """How many requests a second are answered when `connections` ask without a pause."""
    done = 0
    end = time.perf_counter() + seconds

    async def ask() -> None:
        nonlocal done
        async with Connection("127.0.0.1", port, authorization) as connection:
            while time.perf_counter() < end:
                status, content = await connection.post(path, body)
                assert status == 200, content[:500]
                done += 1

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(connections)))
    return done / (time.perf_counter() - began)
