"""Migration of a database: all or nothing, by one process at a time.

Everything happens in one transaction that holds one lock: an advisory lock on PostgreSQL, the write lock of the
file on SQLite. A killed process leaves the database unchanged. A second process waits, then has nothing to do.
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
from kit.db.revision import FOLDER, WrongRevision, list_revisions, revision_of
from kit.search import is_index_table

LOCK_TIMEOUT_SECONDS = 60.0  # wait for another process that migrates
LOCK_POLL_SECONDS = 0.1
TIMEOUT_SQLSTATES = ("55P03", "57014")  # of a lock and of a statement
ADVISORY_LOCK_KEY = 0x5163_6E61_6C42_6F78


class DropsData(Exception):
    """The migration is a downgrade that drops tables or columns with their data."""


async def migrate(
    database: Database, to: str = "head", *, may_drop: bool = False
) -> tuple[str | None, str | None]:
    """Migrate the database to revision `to`, up or, with `may_drop`, down; "base" is the empty one.

    Returns the revisions before and after. Raises WrongRevision, DatabaseUnreachable or DropsData; nothing changed.
    """
    script = ScriptDirectory(str(FOLDER))
    try:
        [target] = script.get_revisions(to) or (None,)
    except (CommandError, ValueError):
        raise WrongRevision(f"there is no revision {to}") from None
    async with open_locked_transaction(database) as connection:
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
async def open_locked_transaction(database: Database) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that holds the migration lock. Raises DatabaseUnreachable."""
    engine = migrator(database)
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    try:
        while True:
            try:
                connection = await engine.connect()
                break
            except (DBAPIError, OSError, TimeoutError) as error:
                # Two processes create one SQLite file: the second finds it locked, and no busy handler waits.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise DatabaseUnreachable(f"cannot reach {database.safe_url}: {cause(error)}") from error
                await asyncio.sleep(LOCK_POLL_SECONDS)
        try:
            async with connection.begin():
                if not database.is_sqlite:
                    await _take_advisory_lock(connection, deadline)
                yield connection
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in TIMEOUT_SQLSTATES or "locked" in str(error.orig):
                raise DatabaseUnreachable(f"nothing was changed, {cause(error)}; try again") from error
            raise
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def _take_advisory_lock(connection: AsyncConnection, deadline: float) -> None:
    """Take the advisory lock by polling: one long wait would exceed the timeout of locks."""
    take = text("SELECT pg_try_advisory_xact_lock(:key)")
    while not await connection.scalar(take, {"key": ADVISORY_LOCK_KEY}):
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
    """Delete every row of every table except the revision. Returns the number of rows."""
    async with open_locked_transaction(database) as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        quote = connection.dialect.identifier_preparer.quote
        # The triggers of its content empty an index of SQLite.
        kept = [name for name in tables if name != "alembic_version" and not is_index_table(name)]
        names = [quote(name) for name in kept]
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
    """Write the migration from the newest revision to the models. Returns its file."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_locked_transaction(Database(f"sqlite:///{folder}/scratch.sqlite3")) as connection:
            if list_revisions():
                await connection.run_sync(_run, "head", False)
            return await connection.run_sync(_write, title)


def _write(connection: Connection, title: str) -> Path:
    number = len(list_revisions()) + 1
    made = command.revision(_config(connection), title, autogenerate=True, rev_id=f"{number:04}")
    assert made is not None, "alembic wrote no file"
    assert not isinstance(made, list), "one head, one file"
    path = Path(made.path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "Alembic" not in line))
    return path
