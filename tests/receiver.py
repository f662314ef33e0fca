"""A receiver of webhooks on loopback: it verifies every signature, notes what it was told, and fails on demand."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

LOOPBACK = {"outbound_networks": "127.0.0.0/8"}


@dataclass
class Told:
    id: str
    path: str
    headers: dict[str, str]
    body: bytes
    json: Any


@dataclass
class Receiver:
    """`answers` are raw answers or words, the next one first; after them it answers 200.

    HANG never answers, DROP closes the connection, TWICE answers two times, HUGE answers 10 MB.
    """

    port: int = 0
    secrets: list[str] = field(default_factory=list)  # one of them must have signed
    answers: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)  # the paths that are answered 500
    told: list[Told] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    hanging: int = 0
    open: int = 0

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def types(self) -> list[str]:
        return [one.json["type"] for one in self.told]

    def firsts(self) -> list[Told]:
        """Each message once, in the order of its first arrival."""
        return list({one.id: one for one in reversed(self.told)}.values())[::-1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line, *rest = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in rest)}
                body = await reader.readexactly(int(headers["content-length"]))
                path = line.split()[1]
                answer = self.note(path, headers, body)
                if answer == "DROP":
                    return
                if answer == "HANG":
                    self.hanging += 1
                    await reader.read()  # until the caller gives up
                    return
                writer.write(answer if isinstance(answer, bytes) else answer.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()

    def note(self, path: str, headers: dict[str, str], body: bytes) -> Any:
        if self.secrets and not any(self.proves(secret, headers, body) for secret in self.secrets):
            self.wrong.append(headers.get("webhook-signature", "no signature"))
            return _answer(401)
        self.told.append(Told(headers.get("webhook-id", ""), path, headers, body, json.loads(body)))
        if path in self.refuses:
            return _answer(500)
        given = self.answers.pop(0) if self.answers else "200"
        if given.isdigit():
            return _answer(int(given), f"the answer {given}")
        if given == "TWICE":
            return _answer(200) * 2
        if given == "HUGE":
            return _answer(200, "x" * (10 << 20))
        if given == "ELSEWHERE":
            return "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
        return given

    @staticmethod
    def proves(secret: str, headers: dict[str, str], body: bytes) -> bool:
        try:
            Webhook(secret).verify(body, headers)
        except Exception:
            return False
        return True


def _answer(status: int, text: str = "ok") -> str:
    return f"HTTP/1.1 {status} Told\r\ncontent-length: {len(text)}\r\n\r\n{text}"


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    tasks: set[Any] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        tasks.add(task)
        try:
            await made.serve(reader, writer)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
