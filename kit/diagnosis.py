"""Checks of what the settings name: `signalbox doctor` prints them."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

from kit.db.database import Database, DatabaseUnreachable, Unavailable
from kit.db.revision import WrongRevision, require_head
from kit.eventlog.event_log import make_event_log
from kit.settings import Settings

CHECK_SECONDS = 10.0  # of one check


async def examine(settings: Settings) -> list[tuple[str, str | None]]:
    """Try what the settings name. Returns each check, and its problem or None."""
    database = Database(settings.database_url)
    checks: list[tuple[str, str | None]] = [
        (
            "SECRET_KEY",
            None if settings.keys or settings.is_loopback else "is not set, and others can reach HOST",
        )
    ]

    async def examine_one(name: str, attempt: Awaitable[object]) -> None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await attempt
        except TimeoutError:
            checks.append((name, f"no answer within {CHECK_SECONDS:g} seconds"))
        except (DatabaseUnreachable, Unavailable, WrongRevision, ConnectionError) as error:
            checks.append((name, str(error)))
        else:
            checks.append((name, None))

    event_log = make_event_log(settings)
    file = database.file
    try:
        if file is not None and not await asyncio.to_thread(Path(file).exists):
            checks.append(("database", f"there is no {file}; run `migrate`"))
        else:
            await examine_one(f"database {database.safe_url}", database.check())
            await examine_one("schema of the database", require_head(database))
            await examine_one("bus", event_log.pubsub.start())
    finally:
        await event_log.pubsub.stop()
        await event_log.database.close()
        await database.close()
    return checks
