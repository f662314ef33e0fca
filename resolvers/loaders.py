"""Loaders: every batched question an operation may ask, declared as data.

A `Relation` says which rows are found by which key and what an actor may see of them, so no resolver can load
what its actor may not see, and an executor may ask once for a whole list. `Loaders` live for one operation,
or one event of a subscription: a cache too young to lie.
"""

import asyncio
import inspect
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Generic, Protocol

import strawberry
from graphql import GraphQLOutputType
from sqlalchemy import Column, ColumnElement, Select, bindparam
from strawberry import Parent
from strawberry.dataloader import DataLoader
from typing_extensions import TypeVar

from kit.db.database import Id, Keys, among
from kit.graphql.executor import BatchResolver
from kit.graphql.executor.batch_resolver import Columns, JsonRows
from kit.graphql.executor.json_rows import Entry, is_json_column, json_row
from models.actor import Actor


class ReadRows(Protocol):
    async def __call__(self, query: Select[Any], values: dict[str, Any] | None = None) -> Sequence[Any]: ...


Resolver = TypeVar("Resolver", bound=Callable[..., Any])
Found = TypeVar("Found", default=Any)  # the answer for one key: a row, a row or None, or a list of rows
Sees = Callable[[Actor], ColumnElement[bool]]
MAX_BATCH_SIZE = 500  # keys asked for at once
MAX_CACHED_STATEMENTS = 64  # statements of one link


class StatementCache:
    """The statements of one link or list, each made once for what it depends on."""

    def __init__(self) -> None:
        self._made: dict[Any, Select[Any]] = {}

    def of(self, kind: Any, make: Callable[[], Select[Any]]) -> Select[Any]:
        if kind not in self._made:
            if len(self._made) >= MAX_CACHED_STATEMENTS:
                self._made.clear()
            self._made[kind] = make()
        return self._made[kind]


def select_only(query: Select[Any], columns: Columns) -> Select[Any]:
    """What to select where only some attributes will be read."""
    if columns is None:
        return query
    chosen = [column for column in query.selected_columns if column.key in columns]
    return query.with_only_columns(*chosen, maintain_column_froms=True)


@dataclass(frozen=True, eq=False)
class Relation(Generic[Found]):
    """Rows found by a key.

    query:   what to select, ordered where it is a list; without the key and without visibility.
    key:     the column a row is found by.
    sees:    what of it an actor may see: the first clause.
    many:    a list per key, or one row or None.
    missing: what is answered for a key that found nothing, when that is not None.
    alike:   whoever may see what the key stands on is answered the same. True where rows belong to one workspace
             with their key, and `sees` asks for nothing but that workspace, its board or its card.

    `sees` may look at which parts an actor has, not at what they say: its clause is kept, and asked for others.
    """

    query: Select[*tuple[Any, ...]]
    key: Any
    sees: Sees
    many: bool = False
    missing: Any = None
    group: bool = False  # an aggregate: one row per key, grouped by it
    viewer_independent: bool = False
    _kept: StatementCache = field(default_factory=StatementCache, init=False, repr=False)

    def statement(self, actor: Actor, columns: Columns) -> Select[Any]:
        """What to ask for the rows of `keys`, as an actor like this one. Made once; `values_of` says for whom."""
        return self._kept.of(
            (columns, statement_key_of(actor)), lambda: self._made(actor_template(actor), columns)
        )

    def writes(self, name: str, type_: GraphQLOutputType) -> bool:
        """Whether the database can write this column as JSON, as a leaf of this type shows it."""
        column = self.query.selected_columns.get(name)
        return self.many and isinstance(column, Column) and is_json_column(column, type_)

    def written(self, actor: Actor, entries: tuple[Entry, ...]) -> Select[Any]:
        """As `statement`, for rows of two columns: JSON with these entries, and the key."""

        def made() -> Select[Any]:
            text = json_row(entries, self.query.selected_columns).label("text")
            columns = text, self.key.label("link_key")
            return self._made(actor_template(actor), frozenset()).with_only_columns(
                *columns, maintain_column_froms=True
            )

        return self._kept.of((entries, statement_key_of(actor)), made)

    def _made(self, actor: Actor, columns: Columns) -> Select[Any]:
        query = select_only(self.query, columns).where(
            self.sees(actor), among(self.key, bindparam("keys", type_=Keys()))
        )
        query = query.add_columns(self.key.label("link_key"))
        return query.group_by(self.key) if self.group else query


def _parts(actor: Actor) -> dict[str, str]:
    """What an actor is told apart by from others of its kind: its ids."""
    values = ((part.name, getattr(actor, part.name)) for part in fields(actor) if part.name != "kind")
    return {name: value for name, value in values if isinstance(value, str)}


def statement_key_of(actor: Actor) -> Any:
    """What actors have in common that are asked for by the same statements."""
    return actor.kind, actor.scopes, frozenset(_parts(actor))


def actor_template(actor: Actor) -> Actor:
    """An actor of the same kind with parameters for its ids, and nothing else that is its own."""
    parts: Any = {name: bindparam(f"actor_{name}", type_=Id) for name in _parts(actor)}
    return Actor(**{"kind": actor.kind, "scopes": actor.scopes, **parts})


def parameters_of(actor: Actor, keys: Sequence[Any]) -> dict[str, Any]:
    """The parameters of a link's statement."""
    return {"keys": keys, **{f"actor_{name}": value for name, value in _parts(actor).items()}}


class Loaders:
    def __init__(self, read: ReadRows, actor: Actor) -> None:
        self._read, self.actor = read, actor
        self._loaders: dict[Any, DataLoader[Any, Any]] = {}
        self._levels: dict[
            Any, asyncio.Future[dict[Any, Any]]
        ] = {}  # lists asked for at once, only some columns

    def __call__(self, relation: Relation[Found], key: object) -> Awaitable[Found]:
        """Load the row, or the list, of one key."""
        return self._loader(relation).load(key)

    def _loader(self, link: Relation, columns: Columns = None) -> DataLoader[Any, Any]:
        loader = self._loaders.get((link, columns))
        if loader is None:
            loader = DataLoader(self._batch(link, columns), max_batch_size=MAX_BATCH_SIZE)
            self._loaders[link, columns] = loader
        return loader

    async def every(self, link: Relation, keys: Sequence[Any], columns: Columns = None) -> dict[Any, Any]:
        """What `link` finds by each of the keys. `columns`: what will be read of the rows, if that is known."""
        distinct = list(dict.fromkeys(keys))
        if columns is None or not link.many:
            return dict(zip(distinct, await self._loader(link).load_many(distinct), strict=True))
        level = link, columns, tuple(distinct)
        if level not in self._levels:
            self._levels[level] = asyncio.ensure_future(self._level(link, columns, distinct))
        return await self._levels[level]

    async def _level(self, link: Relation, columns: Columns, keys: list[Any]) -> dict[Any, Any]:
        parts = [keys[start : start + MAX_BATCH_SIZE] for start in range(0, len(keys), MAX_BATCH_SIZE)]
        lists = await asyncio.gather(*map(self._batch(link, columns), parts))
        return dict(zip(keys, itertools.chain.from_iterable(lists), strict=True))

    async def texts(
        self, link: Relation, keys: Sequence[Any], entries: tuple[Entry, ...]
    ) -> dict[Any, list[str]]:
        """The lists that `link` finds by each of the keys, their rows written as JSON by the database."""
        lists: dict[Any, list[str]] = {key: [] for key in keys}
        distinct = list(lists)
        for start in range(0, len(distinct), MAX_BATCH_SIZE):
            asked = parameters_of(self.actor, distinct[start : start + MAX_BATCH_SIZE])
            for text, key in await self._read(link.written(self.actor, entries), asked):
                lists[key].append(text)
        return lists

    def through(self, name: Any, load: Callable[[list[Any]], Awaitable[list[Any]]]) -> DataLoader[Any, Any]:
        """The loader of that name in this operation; `load` answers its keys in order."""
        if name not in self._loaders:
            self._loaders[name] = DataLoader(load, max_batch_size=MAX_BATCH_SIZE)
        return self._loaders[name]

    def _batch(self, link: Relation, columns: Columns) -> Callable[[list[Any]], Awaitable[list[Any]]]:
        async def load(keys: list[Any]) -> list[Any]:
            rows = await self._read(link.statement(self.actor, columns), parameters_of(self.actor, keys))
            if not link.many:
                found = {row.link_key: row for row in rows}
                return [found.get(key, link.missing) for key in keys]
            lists: dict[Any, list[Any]] = {key: [] for key in keys}
            for row in rows:
                lists[row.link_key].append(row)
            return [lists[key] for key in keys]

        return load


def relation_resolver(link: Relation, by: str) -> BatchResolver:
    """How a field is answered for many rows at once whose attribute `by` is a key of `link`."""
    key_of = attrgetter(by)

    async def answers(context: Any, rows: Sequence[Any], columns: Columns) -> list[Any]:
        keys = list(map(key_of, rows))
        found = await context.loaders.every(link, [key for key in keys if key is not None], columns)
        return [None if key is None else found[key] for key in keys]

    async def written(context: Any, rows: Sequence[Any], entries: tuple[Entry, ...]) -> list[list[str]]:
        keys = list(map(key_of, rows))
        found = await context.loaders.texts(link, keys, entries)
        return [found[key] for key in keys]

    texts = JsonRows(link.writes, written) if link.many else None
    return BatchResolver(answers, frozenset((by,)), sure=True, texts=texts)


def batched(
    link: Relation, by: str | Callable[[Any], Any], *reads: str
) -> Callable[[Callable[..., Any]], Any]:
    """Make a resolver of a function of an object and of what `link` finds for it: no statement for each.

    by:    the object's attribute that is the key, or a function that makes the key of the object. For the key None
           nothing is asked.
    reads: the attributes of the object that the functions look at, besides `by`.
    """
    key_of = attrgetter(by) if isinstance(by, str) else by
    known = frozenset((by, *reads) if isinstance(by, str) else reads)

    def wrap(draw: Callable[..., Any]) -> Any:
        async def resolve(root: Any, info: Any) -> Any:
            key = key_of(root)
            return draw(root, None if key is None else await info.context.load(link, key))

        async def answers(context: Any, rows: Sequence[Any], columns: Columns) -> list[Any]:
            keys = list(map(key_of, rows))
            found = await context.loaders.every(link, [key for key in keys if key is not None])
            return [
                draw(row, None if key is None else found[key]) for row, key in zip(rows, keys, strict=True)
            ]

        resolve.__name__, resolve.__qualname__, resolve.__doc__ = draw.__name__, draw.__name__, draw.__doc__
        resolve.__module__ = draw.__module__
        answer = inspect.get_annotations(draw)["return"]
        given: dict[str, Any] = {"root": Parent[Any], "info": strawberry.Info}  # type: ignore[misc]
        resolve.__annotations__ = {**given, "return": answer}
        resolve.together = BatchResolver(answers, known)  # type: ignore[attr-defined]
        return viewer_independent(resolve) if link.viewer_independent else resolve

    return wrap


def viewer_independent(resolver: Resolver) -> Resolver:
    """Mark a resolver that reads nothing of the context but relations that are `alike`."""
    resolver.viewer_independent = True  # type: ignore[attr-defined]
    return resolver
