"""Loaders: every batched read of an operation, declared as data.

A `Relation` names the column by which rows are found and the clause for the rows that an actor may see. So no
resolver can load a row that its actor may not see, and an executor can read for a whole list at once. `Loaders`
live for one operation or one event of a subscription, because loaded rows are valid for one moment.
"""

import asyncio
import inspect
import itertools
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Generic, Protocol

import strawberry
from graphql import GraphQLOutputType
from sqlalchemy import Column, ColumnElement, Select, SQLColumnExpression, bindparam
from strawberry import Parent
from strawberry.dataloader import DataLoader
from typing_extensions import TypeVar

from kit.db.database import Id, Keys, among
from kit.graphql.executor import BatchResolver
from kit.graphql.executor.batch_resolver import Columns, JsonRows
from kit.graphql.executor.json_rows import Entry, is_json_column, json_row
from models.actor import Actor

Query = Select[Any]
Parameters = dict[str, object]
Key = TypeVar("Key")
Value = TypeVar("Value")
Resolver = TypeVar("Resolver", bound=Callable[..., object])
Found = TypeVar("Found", default=Any)  # the result for one key: a row, a row or None, or a list of rows
Sees = Callable[[Actor], ColumnElement[bool]]
MAX_BATCH_SIZE = 500  # keys in one statement
MAX_CACHED_STATEMENTS = 64  # of one relation or paginated query


class ReadRows(Protocol):
    async def __call__(self, query: Query, values: Parameters | None = None) -> Sequence[Any]: ...


class LoaderContext(Protocol):
    """The part of an operation's context that relations need."""

    @property
    def loaders(self) -> "Loaders": ...


class StatementCache:
    """The statements of one relation or paginated query, each built once."""

    def __init__(self) -> None:
        self._statements: dict[Hashable, Query] = {}

    def get_or_build(self, key: Hashable, build: Callable[[], Query]) -> Query:
        if key not in self._statements:
            if len(self._statements) >= MAX_CACHED_STATEMENTS:
                self._statements.clear()
            self._statements[key] = build()
        return self._statements[key]


def select_only(query: Query, columns: Columns) -> Query:
    """Reduce a query to the attributes that will be read; None keeps all."""
    if columns is None:
        return query
    selected = [column for column in query.selected_columns if column.key in columns]
    return query.with_only_columns(*selected, maintain_column_froms=True)


@dataclass(frozen=True, eq=False)
class Relation(Generic[Found]):
    """Rows that are found by a key.

    query:   the select, ordered if it is a list, without the clauses for the key and for visibility.
    key:     the column by which a row is found.
    sees:    the rows that an actor may see, as the first clause.
    many:    a list for each key; else one row or None.
    missing: the result for a key without a row.
    group:   an aggregate with one row for each key, grouped by it.
    viewer_independent: every actor that may see the object of the key gets the same rows. True where the rows
             belong to one workspace with their key, and `sees` depends only on that workspace, its board or card.

    `sees` may look at which attributes an actor has, not at their values: they are parameters of the statement.
    """

    query: Select[*tuple[Any, ...]]
    key: SQLColumnExpression[object]
    sees: Sees
    many: bool = False
    missing: object = None
    group: bool = False
    viewer_independent: bool = False
    _statements: StatementCache = field(default_factory=StatementCache, init=False, repr=False)

    def statement(self, actor: Actor, columns: Columns) -> Query:
        """Return the statement for actors like this one; `parameters_of` has its parameters. Built once."""
        return self._statements.get_or_build(
            (columns, statement_key_of(actor)), lambda: self._build(actor_template(actor), columns)
        )

    def can_write_json(self, name: str, type_: GraphQLOutputType) -> bool:
        """Return whether the database can write a column as JSON in the form of a leaf of this type."""
        column = self.query.selected_columns.get(name)
        return self.many and isinstance(column, Column) and is_json_column(column, type_)

    def json_statement(self, actor: Actor, entries: tuple[Entry, ...]) -> Query:
        """Return the statement for rows of two columns: JSON with these entries, and the key. Built once."""

        def build() -> Query:
            text = json_row(entries, self.query.selected_columns).label("text")
            columns: list[ColumnElement[Any]] = [text, self.key.label("link_key")]
            query = self._build(actor_template(actor), frozenset())
            return query.with_only_columns(*columns, maintain_column_froms=True)

        return self._statements.get_or_build((entries, statement_key_of(actor)), build)

    def _build(self, actor: Actor, columns: Columns) -> Query:
        query = select_only(self.query, columns).where(
            self.sees(actor), among(self.key, bindparam("keys", type_=Keys()))
        )
        query = query.add_columns(self.key.label("link_key"))
        return query.group_by(self.key) if self.group else query


def _ids_of(actor: Actor) -> dict[str, str]:
    """Return the ids of an actor, which distinguish it from others of its kind."""
    values = ((attribute.name, getattr(actor, attribute.name)) for attribute in fields(actor))
    return {name: value for name, value in values if name != "kind" and isinstance(value, str)}


def statement_key_of(actor: Actor) -> Hashable:
    """Return the key that actors with the same statements share."""
    return actor.kind, actor.scopes, frozenset(_ids_of(actor))


def actor_template(actor: Actor) -> Actor:
    """Return an actor of the same kind with parameters for its ids, and nothing else of its own."""
    ids: Any = {name: bindparam(f"actor_{name}", type_=Id) for name in _ids_of(actor)}
    return Actor(**{"kind": actor.kind, "scopes": actor.scopes, **ids})


def parameters_of(actor: Actor, keys: Sequence[object]) -> Parameters:
    """Return the parameters of a relation's statement."""
    return {"keys": keys, **{f"actor_{name}": value for name, value in _ids_of(actor).items()}}


class Loaders:
    """The loaders of one operation, for its actor."""

    def __init__(self, read: ReadRows, actor: Actor) -> None:
        self._read, self.actor = read, actor
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}
        self._levels: dict[Hashable, asyncio.Future[dict[object, object]]] = {}  # lists of some columns

    def __call__(self, relation: Relation[Found], key: object) -> Awaitable[Found]:
        """Load the row, or the list, of one key."""
        return self._loader(relation).load(key)

    def _loader(self, relation: Relation, columns: Columns = None) -> DataLoader[Any, Any]:
        loader = self._loaders.get((relation, columns))
        if loader is None:
            loader = DataLoader(self._batch_loader(relation, columns), max_batch_size=MAX_BATCH_SIZE)
            self._loaders[relation, columns] = loader
        return loader

    async def load_many(
        self, relation: Relation, keys: Sequence[object], columns: Columns = None
    ) -> dict[object, object]:
        """Load the rows of many keys. `columns`: the attributes of a row that will be read, if known."""
        distinct = list(dict.fromkeys(keys))
        if columns is None or not relation.many:
            return dict(zip(distinct, await self._loader(relation).load_many(distinct), strict=True))
        level = relation, columns, tuple(distinct)
        if level not in self._levels:
            self._levels[level] = asyncio.ensure_future(self._load_level(relation, columns, distinct))
        return await self._levels[level]

    async def _load_level(
        self, relation: Relation, columns: Columns, keys: list[object]
    ) -> dict[object, object]:
        parts = [keys[start : start + MAX_BATCH_SIZE] for start in range(0, len(keys), MAX_BATCH_SIZE)]
        lists = await asyncio.gather(*map(self._batch_loader(relation, columns), parts))
        return dict(zip(keys, itertools.chain.from_iterable(lists), strict=True))

    async def load_json(
        self, relation: Relation, keys: Sequence[object], entries: tuple[Entry, ...]
    ) -> dict[object, list[str]]:
        """Load the lists of many keys, with rows that the database writes as JSON."""
        lists: dict[object, list[str]] = {key: [] for key in keys}
        distinct = list(lists)
        for start in range(0, len(distinct), MAX_BATCH_SIZE):
            parameters = parameters_of(self.actor, distinct[start : start + MAX_BATCH_SIZE])
            for text, key in await self._read(relation.json_statement(self.actor, entries), parameters):
                lists[key].append(text)
        return lists

    def through(
        self, name: Hashable, load: Callable[[list[Key]], Awaitable[list[Value]]]
    ) -> DataLoader[Key, Value]:
        """Return the loader of that name in this operation. `load` returns a value for each key, in order."""
        if name not in self._loaders:
            self._loaders[name] = DataLoader(load, max_batch_size=MAX_BATCH_SIZE)
        return self._loaders[name]

    def _batch_loader(
        self, relation: Relation, columns: Columns
    ) -> Callable[[list[object]], Awaitable[list[object]]]:
        async def load(keys: list[object]) -> list[object]:
            rows = await self._read(relation.statement(self.actor, columns), parameters_of(self.actor, keys))
            if not relation.many:
                by_key = {row.link_key: row for row in rows}
                return [by_key.get(key, relation.missing) for key in keys]
            lists: dict[object, list[object]] = {key: [] for key in keys}
            for row in rows:
                lists[row.link_key].append(row)
            return [lists[key] for key in keys]

        return load


def relation_resolver(relation: Relation, by: str) -> BatchResolver:
    """Make the resolver of a field that loads a relation by the attribute `by` of many objects at once."""
    key_of = attrgetter(by)

    async def resolve(context: LoaderContext, rows: Sequence[object], columns: Columns) -> list[object]:
        keys = list(map(key_of, rows))
        values = await context.loaders.load_many(relation, [key for key in keys if key is not None], columns)
        return [None if key is None else values[key] for key in keys]

    async def resolve_json(
        context: LoaderContext, rows: Sequence[object], entries: tuple[Entry, ...]
    ) -> list[list[str]]:
        keys = list(map(key_of, rows))
        texts = await context.loaders.load_json(relation, keys, entries)
        return [texts[key] for key in keys]

    texts = JsonRows(relation.can_write_json, resolve_json) if relation.many else None
    return BatchResolver(resolve, frozenset((by,)), sure=True, texts=texts)


def batched(
    relation: Relation, by: str | Callable[[Any], object], *reads: str
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Make a batch resolver of a function of an object and its rows of a relation.

    by:    the attribute of the object that is the key, or a function that returns the key. Nothing is read for the
           key None.
    reads: the other attributes of the object that the functions read.
    """
    key_of = attrgetter(by) if isinstance(by, str) else by
    attributes = frozenset((by, *reads) if isinstance(by, str) else reads)

    def wrap(compute: Callable[..., object]) -> Callable[..., object]:
        async def resolve(root: object, info: strawberry.Info[LoaderContext, None]) -> object:
            key = key_of(root)
            return compute(root, None if key is None else await info.context.loaders(relation, key))

        async def resolve_many(
            context: LoaderContext, rows: Sequence[object], columns: Columns
        ) -> list[object]:
            keys = list(map(key_of, rows))
            values = await context.loaders.load_many(relation, [key for key in keys if key is not None])
            return [
                compute(row, None if key is None else values[key])
                for row, key in zip(rows, keys, strict=True)
            ]

        resolve.__name__, resolve.__qualname__ = compute.__name__, compute.__name__
        resolve.__doc__, resolve.__module__ = compute.__doc__, compute.__module__
        return_type = inspect.get_annotations(compute)["return"]
        parameters = {"root": Parent[Any], "info": strawberry.Info}  # type: ignore[misc]
        resolve.__annotations__ = {**parameters, "return": return_type}
        resolve.together = BatchResolver(resolve_many, attributes)  # type: ignore[attr-defined]
        return viewer_independent(resolve) if relation.viewer_independent else resolve

    return wrap


def viewer_independent(resolver: Resolver) -> Resolver:
    """Mark a resolver that reads only viewer-independent relations from its context."""
    resolver.viewer_independent = True  # type: ignore[attr-defined]
    return resolver
