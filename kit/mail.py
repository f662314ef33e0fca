"""Mail: messages made of templates in files, and the SMTP server that takes them.

A template is a pair of files, `NAME.txt` with the subject as its first line and `NAME.html`. A template that names
anything but its values is refused. Values in HTML are escaped. Libraries are imported with the first mail.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

SEND_SECONDS = 60.0  # for all answers of the mail server to one mail
MAX_REASON_LENGTH = 300
MAX_SUBJECT_LENGTH = 200
SUBJECT = "Subject: "
PORTS = {"smtp": 587, "smtps": 465}


class MailRefused(Exception):
    """The mail server refused the mail for good, or the mail cannot be made."""


class MailDelayed(Exception):
    """The mail server did not take the mail now."""


@dataclass(frozen=True)
class SmtpServer:
    """A mail server. `start_tls` is None on a loopback address only: then TLS is used if the server offers it."""

    host: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    start_tls: bool | None

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Read smtp://user:password@host:port, smtps://… or smtp://…?tls=none.

        Raises ValueError, whose text does not have the password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("cannot be read: a port is a number") from None
        if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("must be like smtp://user:password@mail.example:587, or smtps://…")
        if parts.query not in ("", "tls=none"):
            raise ValueError("has an option that is not known; there is tls=none")
        use_tls, plain = parts.scheme == "smtps", parts.query == "tls=none"
        if plain and (use_tls or parts.password):
            raise ValueError("tls=none goes with smtp:// and without a password, which others could read")
        is_loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        start_tls = False if use_tls or plain else (None if is_loopback else True)
        name, password = (unquote(text) if text else None for text in (parts.username, parts.password))
        return cls(parts.hostname, port or PORTS[parts.scheme], name, password, use_tls, start_tls)

    async def send(self, message: EmailMessage, recipient: str, *, seconds: float) -> None:
        """Send a message; `seconds` is for one answer. Raises MailRefused or MailDelayed with the reason."""
        import aiosmtplib

        sender = message["From"].addresses[0]
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await aiosmtplib.send(
                    message,
                    sender=sender.addr_spec,
                    recipients=[recipient],
                    hostname=self.host,
                    port=self.port,
                    username=self.username,
                    password=self.password,
                    local_hostname=sender.domain,  # the library would ask the resolver for ours
                    timeout=seconds,
                    use_tls=self.use_tls,
                    start_tls=self.start_tls,
                )
        except aiosmtplib.SMTPAuthenticationError as error:
            raise MailDelayed(f"Signing in was refused: {_reason(error.code, error.message)}") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _failure(error.recipients[0]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _failure(error) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise MailRefused("The mail server does not support this address") from error
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:  # a TimeoutError is an OSError
            raise MailDelayed(f"The mail server did not answer: {type(error).__name__}") from error


def _failure(error: Any) -> MailRefused | MailDelayed:
    """Make the error of an answer: codes from 500 on are final."""
    is_final = 500 <= error.code < 600
    return (MailRefused if is_final else MailDelayed)(_reason(error.code, error.message))


def _reason(code: int, message: str) -> str:
    text = "".join(char if char.isprintable() else " " for char in f"{code} {message}")
    return " ".join(text.split())[:MAX_REASON_LENGTH]


def sender_of(text: str) -> str:
    """Return the value of a From header. Raises ValueError unless it has one address."""
    message = EmailMessage(policy=SMTP)
    message["From"] = text
    header = message["From"]
    if len(header.addresses) != 1 or header.defects or not header.addresses[0].domain:
        raise ValueError("must have one address, such as Signalbox <signalbox@board.example>")
    return str(header)


def message_of(
    sender: str, recipient: str, message_id: str, date: datetime, content: tuple[str, str, str]
) -> EmailMessage:
    """Make a message with a text and an HTML part. Raises MailRefused if a header cannot be written."""
    subject, text, html = content
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = Address(addr_spec=recipient)
        message["Subject"] = subject
        message["Date"] = format_datetime(date)
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"
    except (ValueError, IndexError) as error:  # a line break in a header, an address that is none
        raise MailRefused("A header cannot be written") from error
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


class MailTemplates:
    """The templates in these folders; a file in an earlier folder hides that of a later one."""

    def __init__(self, folders: Sequence[Path]) -> None:
        from liquid import Environment, FileSystemLoader, StrictUndefined

        loader = FileSystemLoader(folders)
        self._text = Environment(loader=loader, undefined=StrictUndefined)
        self._html = Environment(loader=loader, undefined=StrictUndefined, autoescape=True)

    def check(self, name: str, values: frozenset[str]) -> None:
        """Raise MailRefused unless both files of a template can be read and name these values only."""
        from liquid.exceptions import LiquidError

        for file, template in self._load(name):
            try:
                unknown = sorted(set(template.global_variables()) - values)
            except LiquidError as error:  # it includes a file that is not there
                raise MailRefused(f"{file} cannot be used: {error.message}") from error
            if unknown:
                known = ", ".join(sorted(values))
                raise MailRefused(f"{file} names {unknown[0][:60]}, which is none of its values: {known}")
            if file.endswith(".txt") and not str(template.nodes[0] if template.nodes else "").startswith(
                SUBJECT
            ):
                raise MailRefused(f"{file} must begin with `{SUBJECT}`")

    def render(self, name: str, values: Mapping[str, str]) -> tuple[str, str, str]:
        """Return the subject, the text and the HTML of a template. Raises MailRefused."""
        from liquid.exceptions import LiquidError

        try:
            (_, plain), (_, html) = self._load(name)
            subject, _, text = plain.render(**values).partition("\n")
            subject = " ".join(subject.removeprefix(SUBJECT).split())[:MAX_SUBJECT_LENGTH]
            return subject, text.strip() + "\n", html.render(**values)
        except LiquidError as error:
            raise MailRefused(f"The template {name} cannot be used: {error.message}") from error

    def _load(self, name: str) -> list[tuple[str, Any]]:
        from liquid.exceptions import LiquidError

        found = []
        for file, environment in ((f"{name}.txt", self._text), (f"{name}.html", self._html)):
            try:
                found.append((file, environment.get_template(file)))
            except (LiquidError, OSError, UnicodeDecodeError) as error:
                reason = error.message if isinstance(error, LiquidError) else type(error).__name__
                raise MailRefused(f"{file} cannot be read: {reason}") from error
        return found
