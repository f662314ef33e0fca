"""Every setting, typed, with its unit and default; read once, from the environment or a `.env`."""

import base64
import ipaddress
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from kit.file_store import check_url
from kit.mail import SmtpServer, sender_of
from kit.oidc import is_safe_url

BUSES = ("memory", "postgresql", "postgresql+asyncpg", "redis", "rediss", "valkey", "valkeys")
POSTGRES_OPTIONS = {"host", "port", "ssl", "passfile", "target_session_attrs"}  # that an address may have
MIN_SECRET_KEY_LENGTH = 32  # characters of a secret key
MIN_WEBHOOK_SECRET_BYTES = 24
MAX_DAYS = 36_500  # days: no date overflows that is so far from today
OTHER_NAMES = {"owner_password", "signalbox_key"}  # that commands read from the environment
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
PAGE_URL = re.compile(r"https?://[^\s/?#@,]+(/[^\s?#@]+)?", re.IGNORECASE)
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@,]+")
HOST_NAME = re.compile(r"[^\s/?#@,]+|[0-9a-f:.]+/[0-9]+", re.IGNORECASE)


class WrongSetting(Exception):
    """A setting that cannot be taken, in one line."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 lets the system choose")
    database_url: str = Field(
        "sqlite:///signalbox.sqlite3",
        description="sqlite:///file or postgresql://user:password@host/name",
    )
    database_pool: int = Field(
        10,
        ge=1,
        le=1_000,
        description="Connections to PostgreSQL that read, and as many that write, per process; one more listens."
        " A request waits for one, up to 5 s to read and 8 s to write",
    )
    bus_url: str = Field(
        "",
        description="Where processes wake each other: memory://, postgresql://… or redis://…; empty chooses"
        " by the database",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs tokens and seals what is encrypted: 32 characters or more. Old keys may follow,"
        " separated by commas: they still open, the first one closes",
    )
    public_url: str = Field(
        "",
        description="Address of this server in links that are sent to people, such as https://board.example;"
        " empty: that of HOST and PORT",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Mail server: smtp://user:password@host:587 (STARTTLS), smtps://…:465, or smtp://host:25?tls=none;"
        " empty: no mail is sent",
    )
    smtp_seconds: float = Field(
        20, gt=0, le=60, description="How long the mail server may take for an answer, in seconds"
    )
    github_client_id: str = Field(
        "", description="Client id of the OAuth app at GitHub; empty: no sign-in there"
    )
    github_client_secret: SecretStr = Field(SecretStr(""), description="Its client secret")
    github_url: str = Field("https://github.com", description="GitHub, or a GitHub Enterprise server")
    oidc_issuer: str = Field("", description="OpenID Connect provider, such as https://login.example")
    oidc_client_id: str = Field("", description="Client id there; empty: no sign-in there")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Client secret there")
    mail_from: str = Field("", description="Sender of mails, such as Signalbox <signalbox@board.example>")
    mail_templates: str = Field("", description="Folder with templates that replace those of templates/mail")
    mail_webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret of the mail provider's reports to /webhooks/mail: whsec_ and base64",
    )
    allowed_origins: Annotated[list[str], NoDecode] = Field(
        [], description="Other origins whose pages may call, separated by commas"
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        [],
        description="Host names the server answers to, separated by commas; empty: on a loopback address"
        " only loopback names, elsewhere any",
    )
    forwarded_allow_ips: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1", "::1"],
        description="Proxies whose X-Forwarded-For says who calls: addresses and networks, separated by commas;"
        " * is everybody",
    )
    access_minutes: float = Field(15, gt=0, le=1440, description="Life of an access token, in minutes")
    refresh_days: float = Field(14, gt=0, le=MAX_DAYS, description="Idle life of a refresh token, in days")
    refresh_most_days: float = Field(90, gt=0, le=MAX_DAYS, description="Longest life of a login, in days")
    introspection: bool = Field(
        True,
        description="Whether clients may read the schema; false also takes suggestions out of errors, and refuses"
        " queries by GET",
    )
    graphiql: bool = Field(True, description="Whether a browser is shown GraphiQL at /graphql")
    board_page: bool = Field(
        True, description="Whether a browser is shown the board at /; false redirects to /graphql"
    )
    trusted_documents: str = Field(
        "",
        description="Folder of documents that clients may name by `documentId`: *.graphql, and manifests of Relay"
        " or Apollo in JSON",
    )
    trusted_documents_only: bool = Field(
        False, description="Whether only trusted documents, and those of our workers, are executed"
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token of /metrics, 32 characters or more; empty: there is no /metrics",
    )
    registration: bool = Field(False, description="Whether strangers may register")
    points: int = Field(60_000, gt=0, le=10**9, description="Cost a caller may spend at once")
    points_per_second: float = Field(1_000, gt=0, le=10**9, description="How fast spent cost comes back")
    callers_per_address: int = Field(
        25,
        ge=0,
        le=10**6,
        description="How many callers' points one address may spend, but this machine; 0 is any",
    )
    connections: int = Field(
        10_000,
        ge=1,
        le=10**6,
        description="Most open connections; fewer where the system allows this process fewer files",
    )
    connections_per_address: int = Field(
        256,
        ge=0,
        le=10**6,
        description="Most open connections of one address (of an IPv6 address, its /64), but those of"
        " FORWARDED_ALLOW_IPS, which stand for many people; 0 is any",
    )
    header_seconds: float = Field(
        10, gt=0, le=3600, description="How long a request's headers may take to arrive"
    )
    body_seconds: float = Field(30, gt=0, le=3600, description="How long a request's body may take to arrive")
    run_log_days: float = Field(
        30,
        ge=0,
        le=MAX_DAYS,
        description="How long the lines of a run's log are kept, in days; 0 keeps them for ever",
    )
    history_days: float = Field(
        0,
        ge=0,
        le=MAX_DAYS,
        description="How long events are kept, in days: feeds, histories of cards, the audit log; 0 keeps them"
        " for ever",
    )
    bin_days: float = Field(
        30, gt=0, le=MAX_DAYS, description="How long deleted cards are kept in the bin, in days"
    )
    files_url: str = Field(
        "",
        description="Where files are stored: a folder, s3://bucket/folder, gs://… or az://…, with credentials in"
        " the variables of that service; empty: a folder beside the SQLite database, or signalbox-files",
    )
    file_bytes: int = Field(100 << 20, ge=1, le=1 << 40, description="Most bytes of a file")
    card_files: int = Field(
        100, ge=0, le=1_000, description="Most files of a card, those of its messages included"
    )
    workspace_files: int = Field(100_000, ge=0, le=10**7, description="Most files of a workspace")
    workspace_file_bytes: int = Field(
        10 << 30, ge=0, le=1 << 50, description="Most bytes of the files of a workspace together"
    )
    outbound_networks: Annotated[list[str], NoDecode] = Field(
        [],
        description="Networks of private addresses that the server may call, such as that of a GitHub Enterprise"
        " Server, separated by commas; http:// is accepted for addresses in them",
    )
    connection_github_token: SecretStr = Field(
        SecretStr(""), description="A connection of the oldest workspace: a token for github.com"
    )
    connection_anthropic_key: SecretStr = Field(
        SecretStr(""), description="A connection of the oldest workspace: an API key of Anthropic"
    )
    connection_openai_key: SecretStr = Field(
        SecretStr(""), description="A connection of the oldest workspace: an API key of OpenAI"
    )
    connection_google_key: SecretStr = Field(
        SecretStr(""), description="A connection of the oldest workspace: an API key of Google Gemini"
    )
    connection_chat_hook: SecretStr = Field(
        SecretStr(""),
        description="A connection of the oldest workspace: the URL of a chat's incoming webhook",
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="What is logged")
    log_format: str = Field("text", pattern="^(text|json)$", description="text for people, json for machines")
    drain_wait_seconds: float = Field(
        0,
        ge=0,
        le=3600,
        description="How long a server that is told to stop goes on serving while /readyz says that it is draining:"
        " the time in which a load balancer notices",
    )
    drain_seconds: float = Field(
        15, ge=0, le=3600, description="How long a stopping server waits for its clients"
    )

    @field_validator(
        "allowed_origins", "allowed_hosts", "forwarded_allow_ips", "outbound_networks", mode="before"
    )
    @classmethod
    def _listed(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for part in value if value != ["*"] else []:
            try:
                ipaddress.ip_network(part)
            except ValueError:
                raise ValueError(
                    f"{part[:60]} is not an address, a network like 10.0.0.0/8, or * alone"
                ) from None
        return value

    @field_validator("outbound_networks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for part in value:
            try:
                ipaddress.ip_network(part)
            except ValueError:
                raise ValueError(f"{part[:60]} is not a network like 10.0.0.0/8") from None
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        origins = [part.casefold().removesuffix("/") for part in value]
        for origin in origins:
            if origin != "*" and not ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin[:60]} is not an origin like https://app.example.com, or *")
        return origins

    @field_validator("public_url")
    @classmethod
    def _page(cls, value: str) -> str:
        value = value.removesuffix("/")
        if value and not PAGE_URL.fullmatch(value):
            raise ValueError("is not an address like https://board.example")
        return value

    @field_validator("github_url", "oidc_issuer")
    @classmethod
    def _provider(cls, value: str) -> str:
        if value and not is_safe_url(value):
            raise ValueError("must be an https:// address; http:// is for this machine")
        return value

    @model_validator(mode="after")
    def _providers_are_complete(self) -> "Settings":
        if self.oidc_client_id and not self.oidc_issuer:
            raise ValueError("OIDC_ISSUER: must be set with OIDC_CLIENT_ID")
        if (self.oidc_client_id or self.github_client_id) and not self.public_url and not self.is_loopback:
            raise ValueError("PUBLIC_URL: must be set for sign-in at other servers, which come back to it")
        return self

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            SmtpServer.parse(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        return sender_of(value) if value else value

    @field_validator("mail_templates")
    @classmethod
    def _folder(cls, value: str) -> str:
        if value and not Path(value).is_dir():
            raise ValueError(f"{value[:100]} is not a folder")
        return value

    @field_validator("mail_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        try:
            secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            secret = b""
        if text and not (text.startswith("whsec_") and len(secret) >= MIN_WEBHOOK_SECRET_BYTES):
            raise ValueError(f"must be whsec_ and the base64 of {MIN_WEBHOOK_SECRET_BYTES} bytes or more")
        return value

    @model_validator(mode="after")
    def _mail_is_complete(self) -> "Settings":
        if self.sends_mail and not self.mail_from:
            raise ValueError("MAIL_FROM: must be set with SMTP_URL")
        if self.sends_mail and not self.public_url and not self.is_loopback:
            raise ValueError("PUBLIC_URL: must be set with SMTP_URL, for the links in mails")
        return self

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: list[str]) -> list[str]:
        for name in value:
            if not HOST_NAME.fullmatch(name):
                raise ValueError(f"{name[:60]} is not a host name like app.example.com: no scheme, no path")
        return value

    @field_validator("files_url")
    @classmethod
    def _store(cls, value: str) -> str:
        return check_url(value)

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _own_page_alone(self) -> "Settings":
        if (self.graphiql or self.board_page) and "*" in self.allowed_origins:
            raise ValueError(
                "ALLOWED_ORIGINS: * does not go with the pages that people sign in on;"
                " name the origins, or set GRAPHIQL=false and BOARD_PAGE=false"
            )
        return self

    @field_validator("bus_url")
    @classmethod
    def _known_bus(cls, value: str) -> str:
        value = re.sub(r"^postgres://", "postgresql://", value)
        if value and urlsplit(value).scheme not in BUSES:
            raise ValueError("must begin with memory://, postgresql:// or redis://")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        value = re.sub(r"^postgres://", "postgresql://", value)
        if not value.startswith(
            (
                "sqlite:///",
                "sqlite+aiosqlite:///",
                "postgresql://",
                "postgresql+asyncpg://",
            )
        ):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        try:
            url = make_url(value)
            ports = [] if value.startswith("sqlite") else _ports(url)
        except (ArgumentError, ValueError):  # their texts may quote the password
            raise ValueError(
                "cannot be read: a port is a number, and what is special in a password is written %XX"
            ) from None
        if value.startswith("sqlite") and url.database in (None, "", ":memory:"):
            raise ValueError(
                "must name a file: what is only in memory is another database on each connection"
            )
        if (mode := url.query.get("sslmode")) is not None and not value.startswith("sqlite"):
            if mode not in SSL_MODES or "ssl" in url.query:
                raise ValueError(f"sslmode must be one of {', '.join(SSL_MODES)}, and ssl not given besides")
            value = re.sub(r"([?&])sslmode=", r"\1ssl=", value)  # the driver's name of it
            url = make_url(value)
        known = () if value.startswith("sqlite") else POSTGRES_OPTIONS
        if unknown := sorted(url.query.keys() - known):
            raise ValueError(f"has an option, {unknown[0][:60]}, that is not known")
        for port in ports:
            if not 0 < port <= 65_535:
                raise ValueError(f"port {port} is none: 1 to 65535")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if any(
            len(key) < MIN_SECRET_KEY_LENGTH
            for key in value.get_secret_value().split(",")
            if value.get_secret_value() != ""
        ):
            raise ValueError(f"must have {MIN_SECRET_KEY_LENGTH} characters or more")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _long_enough_token(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_SECRET_KEY_LENGTH:
            raise ValueError(f"must have {MIN_SECRET_KEY_LENGTH} characters or more")
        return value

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"  # any other name may point anywhere

    @property
    def page_url(self) -> str:
        """Where people reach this server, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def files_at(self) -> str:
        """The folder or the URL of the store of files."""
        if self.files_url or not self.database_url.startswith("sqlite"):
            return self.files_url or "signalbox-files"
        return str(Path(str(make_url(self.database_url).database)).with_suffix(".files"))

    @property
    def sends_mail(self) -> bool:
        return self.smtp_url.get_secret_value() != ""

    @property
    def connection_secrets(self) -> dict[str, str]:
        """The credentials for other systems that the environment has, by the kind of connection."""
        given = {
            "GITHUB_TOKEN": self.connection_github_token,
            "ANTHROPIC": self.connection_anthropic_key,
            "OPENAI": self.connection_openai_key,
            "GOOGLE": self.connection_google_key,
            "CHAT_HOOK": self.connection_chat_hook,
        }
        return {kind: text for kind, value in given.items() if (text := value.get_secret_value().strip())}

    @property
    def keys(self) -> list[str]:
        return [key for key in self.secret_key.get_secret_value().split(",") if key]


def _ports(url: URL) -> list[int]:
    """Every port that an address of PostgreSQL names, as its driver reads them. Raises ArgumentError."""
    dialect = url.set(drivername="postgresql+asyncpg").get_dialect()()
    found = dialect.create_connect_args(url)[1].get("port", [])
    return found if isinstance(found, list) else [found]


def load(**overrides: object) -> Settings:
    """Read the settings. Raises WrongSetting with one line that names the setting and what is wrong.

    The variable NAME_FILE names a file whose text is the setting NAME, as container platforms hand out secrets.
    """
    overrides = _read_setting_files() | overrides
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        text = str(first["msg"]).removeprefix("Value error, ")
        if not first["loc"]:  # of several settings: the text names them
            raise WrongSetting(text) from None
        name = str(first["loc"][0]).upper()
        raise WrongSetting(f"{name}: {text[0].lower()}{text[1:]}") from None
    except UnicodeDecodeError:
        raise WrongSetting(".env: is not UTF-8") from None
    except OSError as error:
        raise WrongSetting(f".env: {error.strerror}") from None


def _read_setting_files() -> dict[str, object]:
    found: dict[str, object] = {}
    for name in Settings.model_fields:
        path = os.environ.get(f"{name.upper()}_FILE")
        if not path:
            continue
        if name.upper() in os.environ:
            raise WrongSetting(f"{name.upper()}: is set both by itself and by {name.upper()}_FILE")
        try:
            found[name] = Path(path).read_text("utf-8").strip()
        except OSError as error:
            raise WrongSetting(f"{name.upper()}_FILE: {path[:200]}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise WrongSetting(f"{name.upper()}_FILE: {path[:200]}: is not UTF-8") from None
    return found


def unknown_names(path: Path = Path(".env")) -> list[str]:
    """Return the names in a `.env` that are no setting, for a warning."""
    known = {*Settings.model_fields, *OTHER_NAMES}
    return [name for name in dotenv_values(path) if name.casefold() not in known] if path.is_file() else []


def local_key(beside: Path) -> str:
    """The secret key of a server on a loopback address that was given none: made once, kept beside its data.

    Raises WrongSetting.
    """
    path = beside.with_name(f"{beside.name}.key")
    try:
        if not path.exists():
            _keep(path, secrets.token_urlsafe(48))
        key = path.read_text("utf-8").strip()
    except OSError as error:
        raise WrongSetting(f"cannot keep a secret key in {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WrongSetting(f"{path}: is not UTF-8") from None
    if len(key) < MIN_SECRET_KEY_LENGTH:
        raise WrongSetting(
            f"{path}: holds no secret key: it must have {MIN_SECRET_KEY_LENGTH} characters or more;"
            " put it back from a backup,"
            " or delete the file and another is made"
        )
    return key


def _keep(path: Path, text: str) -> None:
    """Write a file that is there with all of its text or not at all. One that is there already stays."""
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=f"{path.name}."
    ) as file:  # only its owner may read it
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def shown(settings: Settings) -> list[tuple[str, str]]:
    """Return the names and values of settings, for people. Secrets and passwords are masked."""
    rows = []
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = "********" if value.get_secret_value() else ""
        elif isinstance(value, list):
            value = ",".join(value)
        elif name.endswith("_url") and value:
            value = make_url(value).render_as_string(hide_password=True)
        rows.append((name.upper(), str(value).lower() if isinstance(value, bool) else str(value)))
    return rows


def table() -> str:
    """Every setting as a row of docs/running.md: `python -m kit.settings` prints it."""
    rows = ["| setting | default | what it says |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        if isinstance(default, list):
            default = ",".join(default)
        shown = "" if default == "" else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        rows.append(f"| `{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
