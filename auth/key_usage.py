"""When API keys were last used, noted at most once a minute."""

import asyncio
import logging
import time
from collections import OrderedDict
from datetime import timedelta

from sqlalchemy import or_, update

from kit.db.database import Database, utcnow
from models.account import ApiKey

log = logging.getLogger("signalbox.key")
USE_NOTED_SECONDS = 60.0  # seconds at least between two notes of a key's use


MAX_REMEMBERED_KEYS = 10_000  # keys whose last note is remembered


class KeyUsage:
    """Notes when keys were last used: at most once a minute each, and never in the way of an answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: OrderedDict[str, float] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, key_id: str) -> None:
        """Say that a key was used just now. Neither waits nor fails."""
        now = time.monotonic()
        if now - self._noted.get(key_id, -USE_NOTED_SECONDS) < USE_NOTED_SECONDS:
            return
        self._noted[key_id] = now
        self._noted.move_to_end(key_id)
        if len(self._noted) > MAX_REMEMBERED_KEYS:
            self._noted.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._write(key_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, key_id: str) -> None:
        now = utcnow()
        old = or_(
            ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - timedelta(seconds=USE_NOTED_SECONDS)
        )
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
