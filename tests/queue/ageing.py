"""Time passes: the clock is the database's and cannot be set, so everything that happened gets older."""

from sqlalchemy import DateTime, TypeDecorator, text

from runtime.database import Database
from runtime.queue import Attempt, Job


def _moments(table: type[Job] | type[Attempt]) -> list[str]:
    kinds = [(column.name, column.type) for column in table.__table__.columns]
    return [
        name for name, kind in kinds if isinstance(kind, TypeDecorator) and isinstance(kind.impl, DateTime)
    ]


async def age(database: Database, seconds: float) -> None:
    """Let so many seconds pass."""
    async with database.write() as tx:
        for table in (Job, Attempt):
            changes = [f"{name} = {_before(name, seconds, database.is_sqlite)}" for name in _moments(table)]
            await tx.execute(text(f"UPDATE {table.__tablename__} SET {', '.join(changes)}"))


def _before(name: str, seconds: float, is_sqlite: bool) -> str:
    if is_sqlite:
        return f"strftime('%Y-%m-%d %H\\:%M\\:%f000', {name}, '-{seconds} seconds')"
    return f"{name} - interval '{seconds} seconds'"
