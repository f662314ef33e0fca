"""The hosts and providers behind connections: how each credential is presented, and how it is tried."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from actions.hosts.github import VERSION, GitHub, api_root, call
from actions.hosts.host import HostFailed
from auth.secrets import SecretLost
from auth.services import Services
from kit.db.database import utcnow
from models.connection import CODE_HOSTS, DEFAULT_HOST_URL, Connection, ConnectionKind, ConnectionSource

APP_TOKEN_SECONDS = 540  # GitHub takes at most ten minutes
CLOCK_SKEW_SECONDS = 60
MODEL_LISTS: Mapping[ConnectionKind, tuple[str, str]] = {  # the default host, and the path of the models
    ConnectionKind.ANTHROPIC: ("https://api.anthropic.com", "/v1/models"),
    ConnectionKind.OPENAI: ("https://api.openai.com", "/v1/models"),
    ConnectionKind.GOOGLE: ("https://generativelanguage.googleapis.com", "/v1beta/models"),
}


def secret_of(services: Services, connection: Connection) -> str:
    """Return the secret of a connection. Raises HostFailed if it cannot be had."""
    if connection.source is ConnectionSource.ENV:
        secret = services.settings.connection_secrets.get(str(connection.kind))
        if not secret:
            raise HostFailed("The environment of the server has no such credential any more")
        return secret
    try:
        return services.secrets.open(str(connection.secret), connection.id)
    except SecretLost as error:
        raise HostFailed(f"The secret cannot be read: {error}") from error


def host_of(services: Services, connection: Connection) -> GitHub:
    """Return the adapter of a connection's code host. Raises HostFailed for a connection of another kind."""
    if connection.kind not in CODE_HOSTS:
        raise HostFailed("The connection is not for a code host")

    async def token() -> str:
        return await token_of(services, connection)

    url = connection.url or DEFAULT_HOST_URL
    return GitHub(services.outbound, url, token, is_app=connection.kind is ConnectionKind.GITHUB_APP)


async def token_of(services: Services, connection: Connection) -> str:
    """Return the token for a connection's code host; of an App, one of its installation. Raises HostFailed."""
    if connection.kind is ConnectionKind.GITHUB_TOKEN:
        return secret_of(services, connection)

    async def issue() -> tuple[str, datetime]:
        return await _issue_installation_token(services, connection)

    return await services.host_tokens.get(f"{connection.id}:{connection.version}", issue)


async def _issue_installation_token(services: Services, connection: Connection) -> tuple[str, datetime]:
    now = utcnow()
    claims = {
        "iss": connection.app_id,
        "iat": now - timedelta(seconds=CLOCK_SKEW_SECONDS),
        "exp": now + timedelta(seconds=APP_TOKEN_SECONDS - CLOCK_SKEW_SECONDS),
    }
    try:
        signed = jwt.encode(claims, secret_of(services, connection), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise HostFailed("The private key cannot be read") from error
    headers = {
        "accept": "application/vnd.github+json",
        "authorization": f"Bearer {signed}",
        "x-github-api-version": VERSION,
    }
    root = api_root(connection.url or DEFAULT_HOST_URL)
    url = f"{root}/app/installations/{connection.installation_id}/access_tokens"
    answer = await call(services.outbound, "POST", url, headers)
    try:
        issued = json.loads(answer.body)
        return str(issued["token"]), datetime.fromisoformat(issued["expires_at"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError) as error:
        raise HostFailed("The answer has no token", status=answer.status) from error


async def try_connection(services: Services, connection: Connection) -> str:
    """Call the system of a connection once, harmlessly. Returns the account, if it says. Raises HostFailed."""
    if connection.kind in CODE_HOSTS:
        return (await host_of(services, connection).account()).login
    secret = secret_of(services, connection)
    if connection.kind is ConnectionKind.CHAT_HOOK:
        await call(services.outbound, "POST", secret, {}, {"text": "Signalbox is connected."})
        return ""
    default, path = MODEL_LISTS[connection.kind]
    url = (connection.url or default).rstrip("/") + path
    await call(services.outbound, "GET", url, _credential_headers(connection.kind, secret))
    return ""


def _credential_headers(kind: ConnectionKind, secret: str) -> dict[str, str]:
    headers: dict[ConnectionKind, dict[str, Any]] = {
        ConnectionKind.ANTHROPIC: {"x-api-key": secret, "anthropic-version": "2023-06-01"},
        ConnectionKind.OPENAI: {"authorization": f"Bearer {secret}"},
        ConnectionKind.GOOGLE: {"x-goog-api-key": secret},
    }
    return headers[kind]
