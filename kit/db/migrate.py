"""Bringing a database from one schema to another: all of it or nothing, and by one process at a time.

Everything happens in one transaction that holds one lock: an advisory lock on PostgreSQL, the file's own
write lock on SQLite. A process killed in the middle leaves the database as it was. A second process waits,
then finds nothing left to do.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.db.database import Database, DatabaseUnreachable, cause, migrator
from kit.db.revision import FOLDER, WrongRevision, numbered, revision_of

LOCK_TIMEOUT_SECONDS = 60.0  # seconds to wait for another process that migrates
LOCK_POLL_SECONDS = 0.1  # seconds between two looks
TIMEOUT_SQLSTATES = ("55P03", "57014")  # PostgreSQL's codes of a lock and of a statement that timed out
KEY = 0x5163_6E61_6C42_6F78  # of the advisory lock


class DropsData(Exception):
    """The way to that revision is down, which drops tables or columns with what they hold."""


async def migrate(
    database: Database, to: str = "head", *, may_drop: bool = False
) -> tuple[str | None, str | None]:
    """Bring the database to revision `to`, up or, where it `may_drop` data, down; "base" is the empty one.

    Returns where it was and where it is. Errors: WrongRevision, Unreachable, and DropsData: nothing was changed.
    """
    script = ScriptDirectory(str(FOLDER))
    try:
        [target] = script.get_revisions(to) or (None,)
    except (CommandError, ValueError):
        raise WrongRevision(f"there is no revision {to}") from None
    async with _alone(database) as connection:
        before = await connection.run_sync(revision_of)
        if before is not None and before not in {one.revision for one in script.walk_revisions()}:
            raise WrongRevision(f"the database is at revision {before}, which this program does not know")
        if before == (target.revision if target else None):
            return before, before
        known = [one.revision for one in script.walk_revisions("base", before or "base")]
        down = target is None or (before is not None and target.revision in known)
        if down and not may_drop:
            raise DropsData
        await connection.run_sync(_run, target.revision if target else "base", down)
        if database.is_sqlite:
            broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
            assert not broken, f"the migration broke references: {broken[:3]}"
        return before, await connection.run_sync(revision_of)


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[AsyncConnection]:
    """One transaction that nobody else migrates in. Raises Unreachable when it cannot be had."""
    engine = migrator(database)
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    try:
        while True:
            try:
                connection = await engine.connect()
                break
            except (DBAPIError, OSError, TimeoutError) as error:
                # Two processes that make one SQLite file: the second finds it locked, and no busy handler waits.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise DatabaseUnreachable(f"cannot reach {database.safe_url}: {cause(error)}") from error
                await asyncio.sleep(LOCK_POLL_SECONDS)
        try:
            async with connection.begin():
                if not database.is_sqlite:
                    await _advisory(connection, deadline)
                yield connection
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in TIMEOUT_SQLSTATES or "locked" in str(error.orig):
                raise DatabaseUnreachable(f"nothing was changed, {cause(error)}; try again") from error
            raise
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def _advisory(connection: AsyncConnection, deadline: float) -> None:
    """Take the lock by looking again and again: one long wait would be ended by the lock's own timeout."""
    take = text("SELECT pg_try_advisory_xact_lock(:key)")
    while not await connection.scalar(take, {"key": KEY}):
        if time.monotonic() > deadline:
            raise DatabaseUnreachable("another process has been migrating the database for a minute")
        await asyncio.sleep(LOCK_POLL_SECONDS)


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _run(connection: Connection, to: str, down: bool) -> None:
    (command.downgrade if down else command.upgrade)(_config(connection), to)


async def empty(database: Database) -> int:
    """Delete every row of every table, but not which revision it is. Returns how many there were."""
    async with _alone(database) as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        quote = connection.dialect.identifier_preparer.quote
        names = [quote(name) for name in tables if name != "alembic_version"]
        count = 0
        for name in names:
            count += await connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0  # noqa: S608 - from the catalogue
        if not database.is_sqlite:
            await connection.execute(text(f"TRUNCATE {', '.join(names)}"))
        else:
            for name in names:
                await connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608
        return count


async def write(title: str) -> Path:
    """Write the migration that brings the newest revision to what the models say. Returns its file."""
    with tempfile.TemporaryDirectory() as folder:
        async with _alone(Database(f"sqlite:///{folder}/scratch.sqlite3")) as connection:
            if numbered():
                await connection.run_sync(_run, "head", False)
            return await connection.run_sync(_write, title)


def _write(connection: Connection, title: str) -> Path:
    number = len(numbered()) + 1
    made = command.revision(_config(connection), title, autogenerate=True, rev_id=f"{number:04}")
    assert made is not None, "alembic wrote no file"
    assert not isinstance(made, list), "one head, one file"
    path = Path(made.path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "Alembic" not in line))
    return path
