"""Statements that bypass SQLAlchemy, for the few where it costs more time than PostgreSQL.

They run in the same transaction, on the same connection, with the same timeouts; listeners of the engine see them
too. Nothing is converted: parameters and columns have the types of asyncpg, and JSON is text.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

PARAMETER = re.compile(r"(?<!:):(\w+)")


class RawStatement:
    """A statement with `:names`, each with its type in PostgreSQL."""

    def __init__(self, statement: str, types: Mapping[str, str]) -> None:
        self.names: list[str] = []
        self._types = types
        self.statement = PARAMETER.sub(self._numbered, statement)

    def _numbered(self, match: re.Match[str]) -> str:
        name = match[1]
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}::{self._types[name]}"

    async def rows(self, tx: AsyncSession, values: Mapping[str, Any]) -> Sequence[Any]:
        """Execute the statement. Columns of a row are read by name or position."""
        connection = await tx.connection()
        sync = connection.sync_connection
        assert sync is not None, "a session's connection is open"
        adapter: Any = sync.connection.dbapi_connection
        if adapter._transaction is None:  # else SQLAlchemy would begin only with its own first statement
            await adapter._start_transaction()
        arguments = tuple(values[name] for name in self.names)
        for listener in sync.engine.dispatch.before_cursor_execute:
            listener(sync, None, self.statement, arguments, None, False)
        return await adapter.driver_connection.fetch(self.statement, *arguments)  # type: ignore[no-any-return]
