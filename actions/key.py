"""Changes to API keys, the credentials of machines."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from sqlalchemy import func, select

from actions import validation
from auth.locking import lock_board, lock_workspace
from auth.passwords import digest, new_secret
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.ids import ALPHABET
from models.account import KEY_PREFIX, MAX_KEYS, ApiKey, access_of
from models.actor import Actor, Scope
from models.events.account import ApiKeyCreated, ApiKeyEvent, ApiKeyRevoked
from models.refusal import Conflict, Invalid, NotFound
from models.topic import workspace_scope

log = logging.getLogger("signalbox.key")


@dataclass(frozen=True)
class ApiKeySecret:
    """A new key and its secret, which is stored only as a hash."""

    secret: str
    api_key: ApiKey


def new_key() -> tuple[str, str]:
    """Make a random key. Returns its public prefix and the whole key."""
    prefix = KEY_PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(8))
    return prefix, f"{prefix}_{new_secret()}"


async def create_api_key(
    tx: Transaction,
    actor: Actor,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    name: Annotated[str, "The key's purpose, 1 to 100 characters."],
    scopes: Annotated[list[Scope], "Its scopes, at least one."],
    board_id: Annotated[
        Id | None, "The only board it may see; default: every board of the workspace."
    ] = None,
    expires_at: Annotated[datetime | None, "Time of expiry; default: never."] = None,
) -> ApiKeySecret:
    """Create an API key for a workspace, or for one of its boards. Its secret is shown only in this answer.

    Raises Conflict if the workspace has 100 keys that are not revoked.
    """
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    name = validation.single_line("name", name, 100)
    validation.distinct("scopes", validation.at_most("scopes", scopes, len(Scope)))
    if expires_at is not None and expires_at <= utcnow():
        raise Invalid(("expiresAt", "must be in the future"))
    if board_id is not None:
        board = await lock_board(tx, actor, board_id)
        if board.workspace_id != workspace.id:
            raise NotFound(board_id)
    valid_keys = select(func.count()).where(ApiKey.workspace_id == workspace.id, ApiKey.revoked_at.is_(None))
    if (await tx.scalar(valid_keys) or 0) >= MAX_KEYS:
        raise Conflict(f"A workspace has at most {MAX_KEYS} keys; revoke one")
    prefix, secret = new_key()
    key = ApiKey(
        workspace_id=workspace.id,
        board_id=board_id,
        name=name,
        prefix=prefix,
        key_hash=digest(secret),
        scopes=[scope.value for scope in scopes],
        created_by=actor.id,
        expires_at=expires_at,
    )
    tx.add(key)
    await tx.flush()  # generates key.id
    _emit(tx, key, ApiKeyCreated)
    return ApiKeySecret(secret, key)


async def revoke_api_key(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The key."]) -> ApiKey:
    """Revoke an API key for good, and close the connections that it opened. Idempotent."""
    workspace_id = await tx.scalar(select(ApiKey.workspace_id).where(ApiKey.id == id))
    if workspace_id is None:
        raise NotFound(id)
    try:
        await lock_workspace(tx, actor, workspace_id, admin=True)
    except NotFound as error:
        raise NotFound(id) from error
    key = await tx.get_one(ApiKey, id, with_for_update=True)
    if key.revoked_at is None:
        key.revoked_at = utcnow()
        tx.notify(access_of(key.id))
        _emit(tx, key, ApiKeyRevoked)
    return key


def _emit(tx: Transaction, key: ApiKey, event_type: type[ApiKeyEvent]) -> None:
    event = event_type(workspace_id=key.workspace_id, key_id=key.id, name=key.name, prefix=key.prefix)
    tx.emit(workspace_scope(key.workspace_id), event)
