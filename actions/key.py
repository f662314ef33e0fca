"""API keys: what machines sign in with."""

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from actions import validation
from auth.locking import lock_board, lock_workspace
from auth.passwords import digest, new_secret
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.ids import ALPHABET
from models.account import KEY_PREFIX, MAX_KEYS, ApiKey, access_of
from models.actor import Actor, Scope
from models.events.account import ApiKeyCreated, ApiKeyEvent, ApiKeyRevoked
from models.refusal import Conflict, Invalid, NotFound
from models.topic import workspace_scope

log = logging.getLogger("signalbox.key")


def new_key() -> tuple[str, str]:
    """A key's public prefix, and the whole key."""
    prefix = KEY_PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(8))
    return prefix, f"{prefix}_{new_secret()}"


async def create_api_key(
    tx: Transaction,
    actor: Actor,
    workspace_id: str,
    name: str,
    scopes: Sequence[Scope],
    *,
    board_id: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for a workspace, or for one board of it. Returns it and its secret, which is never seen again."""
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    name = validation.single_line("name", name, 100)
    validation.distinct("scopes", validation.at_most("scopes", list(scopes), len(Scope)))
    if expires_at is not None and expires_at <= utcnow():
        raise Invalid(("expiresAt", "must be in the future"))
    if board_id is not None:
        board = await lock_board(tx, actor, board_id)
        if board.workspace_id != workspace.id:
            raise NotFound(board_id)
    alive = ApiKey.workspace_id == workspace.id, ApiKey.revoked_at.is_(None)
    if (await tx.scalar(select(func.count()).select_from(ApiKey).where(*alive)) or 0) >= MAX_KEYS:
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
    return key, secret


async def revoke_api_key(tx: Transaction, actor: Actor, id: str) -> ApiKey:
    """End a key for good, with the sockets it opened. Revoking twice changes nothing."""
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


def _emit(tx: Transaction, key: ApiKey, event: type[ApiKeyEvent]) -> None:
    about = event(workspace_id=key.workspace_id, key_id=key.id, name=key.name, prefix=key.prefix)
    tx.emit(workspace_scope(key.workspace_id), about)
