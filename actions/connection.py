"""Changes to connections. A secret is sealed before it is stored, and never leaves again."""

import re
from typing import Annotated, Any, TypedDict, Unpack

from sqlalchemy import Text, cast, delete, func, select

from actions import validation
from actions.changes import apply_changes
from auth.locking import lock_connection, lock_workspace
from auth.secrets import KEY_ID_LENGTH, SecretLost, Secrets, hint_of
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.connection import (
    MAX_CONNECTION_NAME_LENGTH,
    MAX_CONNECTIONS,
    MAX_ERROR_LENGTH,
    MAX_SECRET_LENGTH,
    Connection,
    ConnectionKind,
    ConnectionSource,
)
from models.context import BoardContext
from models.events.connection import ConnectionCreated, ConnectionDeleted, ConnectionEvent, ConnectionUpdated
from models.refusal import Conflict, Forbidden, Invalid
from models.second_factor import SecondFactor
from models.topic import workspace_scope
from models.webhook_endpoint import WebhookEndpoint
from models.workspace import Workspace

APP_NUMBER = re.compile(r"[A-Za-z0-9.]{1,40}")
ENVIRONMENT_NAMES = {
    ConnectionKind.GITHUB_TOKEN: "GitHub (environment)",
    ConnectionKind.ANTHROPIC: "Anthropic (environment)",
    ConnectionKind.OPENAI: "OpenAI (environment)",
    ConnectionKind.GOOGLE: "Google (environment)",
    ConnectionKind.CHAT_HOOK: "Chat (environment)",
}


async def create_connection(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    kind: Annotated[ConnectionKind, "The system, and the form of the secret."],
    name: Annotated[str, "1 to 100 characters, unique in the workspace ignoring case."],
    secret: Annotated[str, "The token, API key, private key or webhook URL, at most 8,192 characters."],
    url: Annotated[
        str | None,
        "Address of the system, https: of GitHub Enterprise its web page. Default: the provider's own.",
    ] = None,
    app_id: Annotated[str | None, "For GITHUB_APP: the id or client id of the App."] = None,
    installation_id: Annotated[str | None, "For GITHUB_APP: the id of its installation."] = None,
) -> Connection:
    """Create a connection. Its secret is encrypted and never shown again. A workspace has at most 50.

    Raises Conflict if another connection of the workspace has that name.
    """
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    values = {"name": name, "url": url, "app_id": app_id, "installation_id": installation_id}
    clean = await _validate(tx, services, workspace.id, None, kind, values)
    secret = _validate_secret(services, kind, secret)
    count = select(func.count()).where(Connection.workspace_id == workspace.id)
    if (await tx.scalar(count) or 0) >= MAX_CONNECTIONS:
        raise Conflict(f"A workspace has at most {MAX_CONNECTIONS} connections")
    id = new_id("connection")
    sealed = services.secrets.seal(secret, id)
    connection = Connection(
        id=id, workspace_id=workspace.id, kind=kind, secret=sealed, secret_hint=hint_of(secret), **clean
    )
    tx.add(connection)
    await tx.flush()  # the caller reads it
    _emit(tx, connection, ConnectionCreated)
    return connection


class ConnectionChanges(TypedDict, total=False):
    """The fields of a connection that a client may change."""

    name: Annotated[Maybe[str], "1 to 100 characters, unique in the workspace ignoring case."]
    secret: Annotated[Maybe[str], "A new secret; the old one is overwritten."]
    url: Annotated[Maybe[str | None], "Address of the system; null restores the provider's own."]
    app_id: Annotated[Maybe[str | None], "For GITHUB_APP: the id or client id of the App."]
    installation_id: Annotated[Maybe[str | None], "For GITHUB_APP: the id of its installation."]


async def update_connection(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    id: Annotated[Id, "The connection."],
    if_version: IfVersion = None,
    **fields: Unpack[ConnectionChanges],
) -> Connection:
    """Change a connection, or replace its secret. Omitted fields stay.

    Another `url` needs the secret again: an old one is never sent to a new place.
    Raises Stale, Conflict if the name is taken, Forbidden for a connection from the environment.
    """
    connection = await lock_connection(tx, actor, id)
    _require_stored(connection)
    connection.expect(if_version)
    changes = provided_fields(**fields)
    secret = changes.pop("secret", None)
    clean = await _validate(tx, services, connection.workspace_id, id, connection.kind, changes, connection)
    if clean.get("url", connection.url) != connection.url and secret is None:
        raise Invalid(("secret", "must be given again with another url"))
    if secret is not None:
        secret = _validate_secret(services, connection.kind, secret)
        connection.secret = services.secrets.seal(secret, id)
        clean["secret_hint"] = hint_of(secret)
        clean |= {"checked_at": None, "error": None, "account": None}
    connection.name_folded = clean.pop("name_folded", connection.name_folded)
    changed = apply_changes(connection, clean)
    if secret is not None and not changed:
        connection.version += 1
    for name in ("checked_at", "error", "account"):
        changed.pop(name, None)
    if secret is not None or changed:
        _emit(tx, connection, ConnectionUpdated, changes=changed)
    return connection


async def delete_connection(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The connection."], if_version: IfVersion = None
) -> Connection:
    """Delete a connection and its secret. Repositories that use it stay, without a connection.

    Raises Stale, Forbidden for a connection from the environment.
    """
    connection = await lock_connection(tx, actor, id)
    _require_stored(connection)
    connection.expect(if_version)
    await tx.execute(delete(Connection).where(Connection.id == id))
    tx.expunge(connection)
    _emit(tx, connection, ConnectionDeleted)
    return connection


async def record_check(
    tx: Transaction,
    actor: Actor,
    services: Services,
    id: str,
    version: int,
    account: str | None,
    error: str | None,
) -> Connection:
    """Record the result of a check, unless the connection was changed meanwhile. Seals it with the newest key."""
    connection = await lock_connection(tx, actor, id)
    if connection.version != version:
        return connection
    connection.checked_at, connection.error = utcnow(), error and error[:MAX_ERROR_LENGTH]
    connection.account = account or connection.account
    if connection.secret is not None and not services.secrets.is_newest(connection.secret):
        connection.secret = services.secrets.seal(services.secrets.open(connection.secret, id), id)
    return connection


async def require_keys(read: Any, secrets: Secrets) -> None:
    """Raise SecretLost if a stored secret was sealed with a key that is not configured."""
    sealed = select(func.substr(Connection.secret, 1, KEY_ID_LENGTH)).where(Connection.secret.is_not(None))
    key_ids = {row[0] for row in await read(sealed.distinct())}
    for column in (WebhookEndpoint.secret, WebhookEndpoint.old_secret, SecondFactor.secret):
        sealed = select(func.substr(column, 1, KEY_ID_LENGTH)).where(column.is_not(None))
        key_ids |= {row[0] for row in await read(sealed.distinct())}
    has_secret = cast(BoardContext.variables, Text).contains('"sealed"')
    for row in await read(select(BoardContext.variables).where(has_secret)):
        key_ids |= {one["sealed"][:KEY_ID_LENGTH] for one in row.variables.values() if "sealed" in one}
    missing = secrets.missing_keys(key_ids)
    if missing:
        raise SecretLost(
            f"SECRET_KEY: secrets in the database need the keys {', '.join(missing)}; add them again"
        )


async def adopt_environment(tx: Transaction, given: dict[str, str]) -> None:
    """Make the connections of the oldest workspace equal to the credentials in the environment of the server.

    `given` has them by the kind of connection. Only that workspace may use them: other people's workspaces must
    not spend the server's credentials.
    """
    workspace = await tx.scalar(select(Workspace).order_by(Workspace.id).limit(1).with_for_update())
    if workspace is None:
        return
    from_environment = Connection.workspace_id == workspace.id, Connection.source == ConnectionSource.ENV
    there = {row.kind: row for row in await tx.scalars(select(Connection).where(*from_environment))}
    for kind, name in ENVIRONMENT_NAMES.items():
        secret, connection = given.get(str(kind)), there.get(kind)
        if secret and connection is None:
            connection = Connection(
                workspace_id=workspace.id,
                kind=kind,
                source=ConnectionSource.ENV,
                name=name,
                name_folded=validation.folded(f"{name} {new_id('env')}"),  # names of people stay free
                secret_hint=hint_of(secret),
            )
            tx.add(connection)
            await tx.flush()
            _emit(tx, connection, ConnectionCreated)
        elif secret and connection is not None and connection.secret_hint != hint_of(secret):
            changed = apply_changes(connection, {"secret_hint": hint_of(secret)})
            _emit(tx, connection, ConnectionUpdated, changes=changed)
        elif connection is not None and not secret:
            await tx.execute(delete(Connection).where(Connection.id == connection.id))
            tx.expunge(connection)
            _emit(tx, connection, ConnectionDeleted)


def _emit(tx: Transaction, row: Connection, event: type[ConnectionEvent], **more: Any) -> None:
    facts: dict[str, Any] = {
        "workspace_id": row.workspace_id,
        "connection_id": row.id,
        "name": row.name,
        "connection_kind": row.kind,
    }
    tx.emit(workspace_scope(row.workspace_id), event(**facts, **more))


def _require_stored(connection: Connection) -> None:
    if connection.source is ConnectionSource.ENV:
        raise Forbidden("The connection is from the environment of the server; change it there")


def _validate_secret(services: Services, kind: ConnectionKind, secret: str) -> str:
    """Return a secret without surrounding space. A refusal never quotes it."""
    secret = secret.strip()
    if not 1 <= len(secret) <= MAX_SECRET_LENGTH:
        raise Invalid(("secret", f"must have 1 to {MAX_SECRET_LENGTH} characters"))
    if kind is ConnectionKind.GITHUB_APP:
        if not secret.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in secret:
            raise Invalid(("secret", "must be a private key in PEM format"))
    elif not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid(("secret", "must be one word of ASCII characters"))
    if kind is ConnectionKind.CHAT_HOOK and (why := services.outbound.why_not(secret)):
        raise Invalid(("secret", why))
    return secret


async def _validate(
    tx: Transaction,
    services: Services,
    workspace_id: str,
    id: str | None,
    kind: ConnectionKind,
    values: dict[str, Any],
    before: Connection | None = None,
) -> dict[str, Any]:
    """Return the fields of a connection as they are stored. The caller holds the workspace's lock."""
    clean = dict(values)
    if clean.get("url") is not None:
        clean["url"] = clean["url"].strip().rstrip("/")
        why = services.outbound.why_not(clean["url"]) or ("has a query" if "?" in clean["url"] else None)
        if why or len(clean["url"]) > Connection.url.type.length or kind is ConnectionKind.CHAT_HOOK:
            raise Invalid(("url", why or "is too long, or not of this kind"))
    is_app = kind is ConnectionKind.GITHUB_APP
    for name, path in (("app_id", "appId"), ("installation_id", "installationId")):
        value = clean[name] if name in clean else getattr(before, name, None)
        if is_app and (value is None or not APP_NUMBER.fullmatch(value)):
            raise Invalid((path, "is required for a GitHub App: letters and digits"))
        if not is_app and value is not None:
            raise Invalid((path, "is for a GitHub App only"))
    if is_app and not str(clean.get("installation_id", "0")).isdigit():
        raise Invalid(("installationId", "must be a number"))
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], MAX_CONNECTION_NAME_LENGTH)
        clean["name_folded"] = validation.folded(clean["name"])
        if len(clean["name_folded"]) > Connection.name_folded.type.length:
            raise Invalid(("name", "is too long after case folding"))
        query = select(Connection.id).where(Connection.workspace_id == workspace_id)
        existing = await tx.scalar(query.where(Connection.name_folded == clean["name_folded"]))
        if existing not in (None, id):
            raise Conflict("Another connection of the workspace has that name", existing)
    return clean
