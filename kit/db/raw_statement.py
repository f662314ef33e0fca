"""The few statements that are asked so often that SQLAlchemy costs more than PostgreSQL: straight to the driver.

In the same transaction, on the same connection, under the same timeouts; watchers of the engine hear of them too.
What is gone without is conversion: parameters and columns are what asyncpg knows, and JSON is text.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

PARAMETER = re.compile(r"(?<!:):(\w+)")


class RawStatement:
    """A statement with `:names`, each of a type of PostgreSQL's."""

    def __init__(self, statement: str, types: Mapping[str, str]) -> None:
        self.names: list[str] = []
        self._types = types
        self.statement = PARAMETER.sub(self._numbered, statement)

    def _numbered(self, found: re.Match[str]) -> str:
        name = found[1]
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}::{self._types[name]}"

    async def rows(self, tx: AsyncSession, values: Mapping[str, Any]) -> Sequence[Any]:
        """Answer the statement. Rows are read by name or place."""
        connection = await tx.connection()
        sync = connection.sync_connection
        assert sync is not None, "a session's connection is open"
        adapter: Any = sync.connection.dbapi_connection
        if adapter._transaction is None:  # SQLAlchemy begins with its own first statement
            await adapter._start_transaction()
        asked = tuple(values[name] for name in self.names)
        for hear in sync.engine.dispatch.before_cursor_execute:
            hear(sync, None, self.statement, asked, None, False)
        return await adapter.driver_connection.fetch(self.statement, *asked)  # type: ignore[no-any-return]
