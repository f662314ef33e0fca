"""API keys: what machines sign in with."""

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from actions.news import tell_workspace
from actions.reach import reach_board, reach_workspace
from models import words
from models.account import KEY_PREFIX, MOST_KEYS, ApiKey, access_of
from models.actor import Actor, Scope
from models.event import EventKind
from models.refusal import Conflict, Invalid, NotFound
from runtime.database import Database, utcnow
from runtime.feed import wake
from runtime.ids import ALPHABET
from runtime.passwords import digest, new_secret

log = logging.getLogger("signalbox.key")

NOTED = 60.0  # seconds at least between two notes of a key's use
REMEMBERED = 10_000  # keys whose last note is remembered


def new_key() -> tuple[str, str]:
    """A key's public prefix, and the whole key."""
    prefix = KEY_PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(8))
    return prefix, f"{prefix}_{new_secret()}"


async def create_api_key(
    tx: AsyncSession,
    actor: Actor,
    workspace_id: str,
    name: str,
    scopes: Sequence[Scope],
    *,
    board_id: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for a workspace, or for one board of it. Returns it and its secret, which is never seen again."""
    workspace = await reach_workspace(tx, actor, workspace_id, admin=True)
    name = words.line("name", name, 100)
    words.distinct("scopes", words.at_most("scopes", list(scopes), len(Scope)))
    if expires_at is not None and expires_at <= utcnow():
        raise Invalid(("expiresAt", "must be in the future"))
    if board_id is not None:
        board = await reach_board(tx, actor, board_id)
        if board.workspace_id != workspace.id:
            raise NotFound(board_id)
    alive = ApiKey.workspace_id == workspace.id, ApiKey.revoked_at.is_(None)
    if (await tx.scalar(select(func.count()).select_from(ApiKey).where(*alive)) or 0) >= MOST_KEYS:
        raise Conflict(f"A workspace has at most {MOST_KEYS} keys; revoke one")
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
    _tell(tx, key, EventKind.API_KEY_CREATED)
    return key, secret


async def revoke_api_key(tx: AsyncSession, actor: Actor, id: str) -> ApiKey:
    """End a key for good, with the sockets it opened. Revoking twice changes nothing."""
    workspace_id = await tx.scalar(select(ApiKey.workspace_id).where(ApiKey.id == id))
    if workspace_id is None:
        raise NotFound(id)
    try:
        await reach_workspace(tx, actor, workspace_id, admin=True)
    except NotFound as error:
        raise NotFound(id) from error
    key = await tx.get_one(ApiKey, id, with_for_update=True)
    if key.revoked_at is None:
        key.revoked_at = utcnow()
        wake(tx, access_of(key.id))
        _tell(tx, key, EventKind.API_KEY_REVOKED)
    return key


def _tell(tx: AsyncSession, key: ApiKey, kind: EventKind) -> None:
    tell_workspace(tx, key.workspace_id, kind, key.id, key_id=key.id, name=key.name, prefix=key.prefix)


class Uses:
    """Notes when keys were last used: at most once a minute each, and never in the way of an answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: OrderedDict[str, float] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, key_id: str) -> None:
        """Say that a key was used just now. Neither waits nor fails."""
        now = time.monotonic()
        if now - self._noted.get(key_id, -NOTED) < NOTED:
            return
        self._noted[key_id] = now
        self._noted.move_to_end(key_id)
        if len(self._noted) > REMEMBERED:
            self._noted.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._write(key_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, key_id: str) -> None:
        now = utcnow()
        old = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - timedelta(seconds=NOTED))
        note = update(ApiKey).where(ApiKey.id == key_id, old).values(last_used_at=now)
        try:
            async with self._database.write() as tx:
                await tx.execute(note.values(updated_at=ApiKey.updated_at))  # nobody changed it
        except Exception as error:  # the next use notes it; a key's holder is not to suffer
            self._noted.pop(key_id, None)
            log.warning("use not noted", extra={"type": type(error).__qualname__})

    async def settle(self) -> None:
        """Wait until everything noted is written."""
        await asyncio.gather(*self._tasks)
