"""The database's clock in SQL. Clocks of workers and servers may be wrong; leases are compared with this one."""

from typing import Any

from sqlalchemy import Float, cast, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from kit.db.database import UtcDateTime

# The format that SQLAlchemy stores, so that times compare as text. SQLite has milliseconds only.
SQLITE = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
# Not now(), the start of the transaction; not clock_timestamp(), which no index can be searched with.
POSTGRES = "statement_timestamp()"


class database_now(FunctionElement[Any]):
    """The time of this statement, plus `seconds`; NULL for NULL."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, seconds: Any = None) -> None:
        super().__init__(*([] if seconds is None else [cast(seconds, Float)]))


@compiles(database_now, "sqlite")
def _sqlite(element: database_now, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return SQLITE.replace("'now'", f"'now', ({seconds}) || ' seconds'") if seconds else SQLITE


@compiles(database_now, "postgresql")
def _postgres(element: database_now, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"({POSTGRES} + make_interval(secs => {seconds}))" if seconds else POSTGRES


async def read_database_clock(tx: AsyncSession) -> Any:
    """Return the database's time."""
    return await tx.scalar(select(database_now()))
