"""Connections: credentials of a workspace for other systems. The secret is written and never shown."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column

MAX_CONNECTIONS = 50  # of a workspace
MAX_CONNECTION_NAME_LENGTH = 100
MAX_SECRET_LENGTH = 8_192  # characters; a private key has about 1,700
MAX_ERROR_LENGTH = 500
DEFAULT_HOST_URL = "https://github.com"


class ConnectionKind(DescribedEnum):
    """The system that a connection is for, and the form of its secret."""

    GITHUB_TOKEN = "GITHUB_TOKEN", "GitHub, with a personal access token."
    GITHUB_APP = "GITHUB_APP", "GitHub, with the private key of a GitHub App (PEM)."
    ANTHROPIC = "ANTHROPIC", "Anthropic, with an API key."
    OPENAI = "OPENAI", "OpenAI, with an API key."
    GOOGLE = "GOOGLE", "Google Gemini, with an API key."
    CHAT_HOOK = "CHAT_HOOK", "A chat, with the URL of an incoming webhook."


class ConnectionSource(DescribedEnum):
    """The place of a connection's secret."""

    DB = "DB", "The database, encrypted."
    ENV = "ENV", "The environment of the server. The connection is read-only."


CODE_HOSTS = (ConnectionKind.GITHUB_TOKEN, ConnectionKind.GITHUB_APP)


class Connection(Editable, Base):
    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("workspace_id", "name_folded"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("connection"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    kind: Mapped[ConnectionKind] = mapped_column(enum_column(ConnectionKind))
    source: Mapped[ConnectionSource] = mapped_column(
        enum_column(ConnectionSource), default=ConnectionSource.DB
    )
    name: Mapped[str] = mapped_column(String(MAX_CONNECTION_NAME_LENGTH))
    name_folded: Mapped[str] = mapped_column(String(3 * MAX_CONNECTION_NAME_LENGTH))
    url: Mapped[str | None] = mapped_column(String(500))  # of the system; None: the provider's own
    app_id: Mapped[str | None] = mapped_column(String(40))  # of a GitHub App
    installation_id: Mapped[str | None] = mapped_column(String(40))  # of a GitHub App
    secret: Mapped[str | None] = mapped_column(Text)  # sealed; None: in the environment
    secret_hint: Mapped[str] = mapped_column(String(8), default="")
    account: Mapped[str | None] = mapped_column(String(100))  # as the last check was told
    checked_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(MAX_ERROR_LENGTH))  # of the last check
