"""Runs migrations on the connection it is given, inside the caller's transaction (kit/db/migrate.py).

SQLite changes most of a table by copying it (batch), so what is generated is written that way.
"""

from typing import Any

from alembic import context
from sqlalchemy import Enum

import models  # noqa: F401 - every table
from kit.db.database import Base, Id, Json, Rank, UtcDateTime
from kit.search import Words, is_index_table
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


def is_compared(item: Any, name: str | None, kind: str, *_: Any) -> bool:
    """Leave out what only one database has for search: SQLite its FTS5 tables, PostgreSQL its index."""
    if kind == "table":
        return not is_index_table(name)
    return name != "ix_search_entry_words" or connection.dialect.name == "postgresql"


connection = context.config.attributes.get("connection")
assert connection is not None, "migrations are run by `python server.py migrate`"
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
