"""A real mail server on loopback, which takes mails or fails in a given way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default

from aiosmtpd.smtp import SMTP


class Mailbox:
    """What a mail server received, and how it answers the next mails.

    answers: codes that it answers to the next messages, one each; then it takes them.
    """

    def __init__(self) -> None:
        self.port = 0
        self.raw: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.answers: list[str] = []
        self.changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 taken"
        self.raw.append(envelope.content)
        self.recipients.append(envelope.rcpt_tos)
        async with self.changed:
            self.changed.notify_all()
        if answer == "hang up":
            server.transport.close()
        return answer

    async def get(self, count=1, seconds=20):
        """The messages so far, once there are `count`."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(lambda: len(self.raw) >= count)
        return [message_from_bytes(raw, policy=default) for raw in self.raw]


@contextlib.asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server that listens on loopback."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="mail.test"), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()
