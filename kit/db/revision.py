"""The schema revision of a database. A small module, because every start imports it."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from kit.db.database import Database

UNDEFINED_TABLE = "42P01"  # SQLSTATE
FOLDER = Path(__file__).parents[2] / "alembic"


class WrongRevision(Exception):
    """The revision does not exist, or the database is not at the required one. The message is one line."""


def list_revisions() -> list[str]:
    """List the revisions in order. Files are named by their numbers."""
    return sorted(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database; None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


async def require_head(database: Database) -> None:
    """Raise WrongRevision unless the database is at the newest revision."""
    try:
        rows = await database.read(text("SELECT version_num FROM alembic_version"))
        at = rows[0].version_num if rows else None
    except Exception as error:
        if (
            not isinstance(error, sqlite3.OperationalError)
            and getattr(error, "sqlstate", "") != UNDEFINED_TABLE
        ):
            raise
        at = None
    newest = list_revisions()[-1]
    if at is not None and at not in list_revisions():
        raise WrongRevision(f"{database.safe_url} is at revision {at}, which this program does not know")
    if at != newest:
        where = f"at revision {at}" if at else "empty"
        command = "run `python server.py migrate`"
        raise WrongRevision(f"{database.safe_url} is {where} and must be at {newest}: {command}")
