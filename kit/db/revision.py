"""Which schema a database has, and which one this program needs. Small, because every start asks."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from kit.db.database import Database

NO_TABLE = "42P01"  # as PostgreSQL says it
FOLDER = Path(__file__).parents[2] / "alembic"


class WrongRevision(Exception):
    """There is no such revision, or the database is not at the one that is needed. One line says which."""


def numbered() -> list[str]:
    """The revisions there are, in order: files are named by their number."""
    return sorted(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    at: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return at


async def require_head(database: Database) -> None:
    """Raise WrongRevision unless the database is at the newest revision."""
    try:
        rows = await database.read(text("SELECT version_num FROM alembic_version"))
        at = rows[0].version_num if rows else None
    except Exception as error:
        if not isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlstate", "") != NO_TABLE:
            raise
        at = None
    newest = numbered()[-1]
    if at is not None and at not in numbered():
        raise WrongRevision(f"{database.safe_url} is at revision {at}, which this program does not know")
    if at != newest:
        where = f"at revision {at}" if at else "empty"
        ask = "run `python server.py migrate`"
        raise WrongRevision(f"{database.safe_url} is {where} and must be at {newest}: {ask}")
