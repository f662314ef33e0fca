"""Runs migrations on the connection it is given (kit/db/migrate.py), or on that of the settings (`alembic`).

SQLite changes most of a table by copying it (batch), so what is generated is written that way.
"""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection, Enum

import models  # noqa: F401 - every table
from kit.db.database import Base, Database, Id, Json, Rank, UtcDateTime
from kit.db.migrate import open_locked_transaction
from kit.search import Words, is_index_table
from kit.settings import load
from models.columns import Ordered

NAMED = {id(Id): "Id", id(Rank): "Rank", id(Json): "Json"}


def render(kind: str, item: Any, autogen: Any) -> str | bool:
    """How a generated migration writes a type: machines by name, nouns frozen as they are today."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        autogen.imports.add("from kit.db.database import UtcDateTime")
        return "UtcDateTime()"
    if isinstance(item, Words):
        autogen.imports.add("from kit.search import Words")
        return "Words()"
    if isinstance(item, Ordered):
        return "sa.Integer()"
    if isinstance(item, Enum):
        members = ", ".join(f'"{member}"' for member in item.enums)
        more = "native_enum=False, create_constraint=True"
        return f'sa.Enum({members}, name="{item.name}", length={item.length}, {more})'
    name = NAMED.get(id(item)) or _same(item)
    if name:
        autogen.imports.add(f"from kit.db.database import {name}")
        return name
    return False


def _same(item: Any) -> str | None:
    """Columns keep copies of the types that tables were declared with."""
    for name, one in (("Id", Id), ("Rank", Rank), ("Json", Json)):
        if repr(one) == repr(item) and one._variant_mapping.keys() == item._variant_mapping.keys() != set():
            return name
    return None


def run(connection: Connection) -> None:
    """Run the migrations of the current command on a connection whose transaction is the caller's."""

    def is_compared(item: Any, name: str | None, kind: str, *_: Any) -> bool:
        """Leave out what only one database has for search: SQLite its FTS5 tables, PostgreSQL its index."""
        if kind == "table":
            return not is_index_table(name)
        return name != "ix_search_entry_words" or connection.dialect.name == "postgresql"

    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render,
        include_object=is_compared,
        compare_type=True,
        compare_server_default=True,
    )
    context.run_migrations()


async def run_alone() -> None:
    """Run a command of the program `alembic` on the database of the settings, under the same lock."""
    database = Database(load().database_url)
    command = context.config.cmd_opts.cmd[0].__name__ if context.config.cmd_opts else ""
    if command == "downgrade" and context.get_x_argument(as_dictionary=True).get("drop") != "yes":
        raise SystemExit(
            f"A downgrade of {database.safe_url} drops data: `python server.py migrate --to REVISION` asks first,"
            " `alembic -x drop=yes downgrade REVISION` does not"
        )
    async with open_locked_transaction(database) as connection:
        await connection.run_sync(run)


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_alone())
else:
    run(given)
