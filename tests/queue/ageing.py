"""Time passes: the clock is the database's and cannot be set, so everything that happened gets older."""

from sqlalchemy import DateTime, TypeDecorator, text
from sqlalchemy.ext.asyncio import AsyncSession

from kit.queue import Attempt, Job
from kit.queue.caps import is_postgres


def _moments(table: type[Job] | type[Attempt]) -> list[str]:
    kinds = [(column.name, column.type) for column in table.__table__.columns]
    return [
        name for name, kind in kinds if isinstance(kind, TypeDecorator) and isinstance(kind.impl, DateTime)
    ]


async def age(tx: AsyncSession, seconds: float) -> None:
    """Let so many seconds pass."""
    for table in (Job, Attempt):
        changes = [f"{name} = {_before(name, seconds, is_postgres(tx))}" for name in _moments(table)]
        await tx.execute(text(f"UPDATE {table.__tablename__} SET {', '.join(changes)}"))


def _before(name: str, seconds: float, is_postgres: bool) -> str:
    if is_postgres:
        return f"{name} - interval '{seconds} seconds'"
    return f"strftime('%Y-%m-%d %H\\:%M\\:%f000', {name}, '-{seconds} seconds')"
