"""The time of last use of API keys, written at most once a minute for each key."""

import asyncio
import logging
import time
from collections import OrderedDict
from datetime import timedelta

from sqlalchemy import or_, update

from kit.db.database import Database, utcnow
from models.account import ApiKey

log = logging.getLogger("signalbox.key")
MIN_WRITE_INTERVAL_SECONDS = 60.0  # for each key
MAX_REMEMBERED_KEYS = 10_000  # keys whose last write is remembered


class KeyUsage:
    """Records when keys were last used, in tasks of its own: no request waits or fails because of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recorded: OrderedDict[str, float] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def record(self, key_id: str) -> None:
        """Record that a key is used now. Neither waits nor fails."""
        now = time.monotonic()
        if now - self._recorded.get(key_id, -MIN_WRITE_INTERVAL_SECONDS) < MIN_WRITE_INTERVAL_SECONDS:
            return
        self._recorded[key_id] = now
        self._recorded.move_to_end(key_id)
        if len(self._recorded) > MAX_REMEMBERED_KEYS:
            self._recorded.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._write(key_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, key_id: str) -> None:
        now = utcnow()
        old = or_(
            ApiKey.last_used_at.is_(None),
            ApiKey.last_used_at < now - timedelta(seconds=MIN_WRITE_INTERVAL_SECONDS),
        )
        record = update(ApiKey).where(ApiKey.id == key_id, old).values(last_used_at=now)
        try:
            async with self._database.write() as tx:
                await tx.execute(record.values(updated_at=ApiKey.updated_at))  # not a change of the key
        except Exception as error:  # the next use is recorded instead
            self._recorded.pop(key_id, None)
            log.warning("use of a key not recorded", extra={"type": type(error).__qualname__})

    async def settle(self) -> None:
        """Wait until every recorded use is written."""
        await asyncio.gather(*self._tasks)
