"""Rows that the database writes as JSON itself: what only passes through to the answer becomes no object here."""

from collections.abc import Sequence
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLOutputType,
    GraphQLString,
    is_non_null_type,
)
from sqlalchemy import BigInteger, Boolean, Enum, Integer, String, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MAX_KEYS = 40  # keys of an object; PostgreSQL takes 100 arguments

Entry = tuple[
    str, str, bool
]  # a response key, the attribute or the word itself, and whether it is an attribute


def is_json_column(column: Any, type_: GraphQLOutputType) -> bool:
    """Whether the database writes a column's values exactly as a leaf of this type shows them."""
    if is_non_null_type(type_):
        if column.nullable:
            return False
        type_ = type_.of_type
    kind = column.type
    if isinstance(kind, Enum):
        members = kind.enum_class.__members__ if kind.enum_class else {}
        return isinstance(type_, GraphQLEnumType) and set(members) <= set(type_.values)
    if isinstance(kind, String):
        return type_ in (GraphQLString, GraphQLID)
    if isinstance(kind, Boolean):
        return type_ is GraphQLBoolean
    return isinstance(kind, Integer) and not isinstance(kind, BigInteger) and type_ is GraphQLInt


class json_row(FunctionElement[str]):
    """Columns of a row as the text of a JSON object: `row_text(entries, columns)`, by the columns' names."""

    type = String()
    inherit_cache = False  # whoever asks keeps the statement
    name = "row_text"

    def __init__(self, entries: Sequence[Entry], columns: Any) -> None:
        self.keys = [key for key, _, _ in entries]
        # Keys and words are GraphQL names: letters, digits and underscores.
        super().__init__(
            *(columns[what] if is_column else literal_column(f"'{what}'") for _, what, is_column in entries)
        )


@compiles(json_row, "postgresql")
def _on_postgres(element: Any, compiler: Any, **options: Any) -> str:
    pairs = (
        f"'{key}', {compiler.process(value, **options)}"
        for key, value in zip(element.keys, element.clauses, strict=True)
    )
    return f"CAST(json_build_object({', '.join(pairs)}) AS TEXT)"


@compiles(json_row, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    pairs = []
    for key, value in zip(element.keys, element.clauses, strict=True):
        expression = compiler.process(value, **options)
        if isinstance(value.type, Boolean):  # SQLite keeps numbers
            expression = f"json(CASE {expression} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"
        pairs.append(f"'{key}', {expression}")
    return f"json_object({', '.join(pairs)})"
