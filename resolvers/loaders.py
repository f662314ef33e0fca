"""Loaders: every batched question an operation may ask, declared as data.

A `Link` says which rows are found by which key and what an actor may see of them, so no resolver can load
what its actor may not see, and an executor may ask once for a whole list. `Loaders` live for one operation,
or one event of a subscription: a cache too young to lie.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select
from strawberry.dataloader import DataLoader

from models.actor import Actor
from runtime.executor import Together
from runtime.executor.together import Columns

Read = Callable[[Select[Any]], Awaitable[Sequence[Any]]]
Sees = Callable[[Actor], ColumnElement[bool]]
MOST = 500  # keys in one IN list


@dataclass(frozen=True, eq=False)
class Link:
    """Rows found by a key.

    query:   what to select, ordered where it is a list; without the key and without visibility.
    key:     the column a row is found by.
    sees:    what of it an actor may see: the first clause.
    many:    a list per key, or one row or None.
    missing: what is answered for a key that found nothing, when that is not None.
    """

    query: Select[*tuple[Any, ...]]
    key: Any
    sees: Sees
    many: bool = False
    missing: Any = None
    group: bool = False  # an aggregate: one row per key, grouped by it


class Loaders:
    def __init__(self, read: Read, actor: Actor) -> None:
        self._read, self.actor = read, actor
        self._loaders: dict[Any, DataLoader[Any, Any]] = {}

    def __call__(self, link: Link, key: Any) -> Awaitable[Any]:
        """One row, or the list, that `link` finds by `key`."""
        return self._loader(link).load(key)

    def _loader(self, link: Link, columns: Columns = None) -> DataLoader[Any, Any]:
        loader = self._loaders.get((link, columns))
        if loader is None:
            loader = DataLoader(self._batch(link, columns), max_batch_size=MOST)
            self._loaders[link, columns] = loader
        return loader

    async def every(self, link: Link, keys: Sequence[Any], columns: Columns = None) -> dict[Any, Any]:
        """What `link` finds by each of the keys. `columns`: what will be read of the rows, if that is known."""
        distinct = list(dict.fromkeys(keys))
        loader = self._loader(link, columns if link.many else None)
        return dict(zip(distinct, await loader.load_many(distinct), strict=True))

    def through(self, name: Any, load: Callable[[list[Any]], Awaitable[list[Any]]]) -> DataLoader[Any, Any]:
        """The loader of that name in this operation; `load` answers its keys in order."""
        if name not in self._loaders:
            self._loaders[name] = DataLoader(load, max_batch_size=MOST)
        return self._loaders[name]

    def _batch(self, link: Link, columns: Columns) -> Callable[[list[Any]], Awaitable[list[Any]]]:
        async def load(keys: list[Any]) -> list[Any]:
            key = link.key.label("link_key")
            query = link.query
            if columns is not None:
                chosen = [c for c in query.selected_columns if c.key in columns]
                query = query.with_only_columns(*chosen, maintain_column_froms=True)
            query = query.add_columns(key).where(link.sees(self.actor), link.key.in_(keys))
            rows = await self._read(query.group_by(link.key) if link.group else query)
            if not link.many:
                found = {row.link_key: row for row in rows}
                return [found.get(key, link.missing) for key in keys]
            lists: dict[Any, list[Any]] = {key: [] for key in keys}
            for row in rows:
                lists[row.link_key].append(row)
            return [lists[key] for key in keys]

        return load


def rows_by(link: Link, by: str) -> Together:
    """How a field is answered for many rows at once whose attribute `by` is a key of `link`."""
    key_of = attrgetter(by)

    async def answers(context: Any, rows: Sequence[Any], columns: Columns) -> list[Any]:
        keys = list(map(key_of, rows))
        found = await context.loaders.every(link, [key for key in keys if key is not None], columns)
        return [None if key is None else found[key] for key in keys]

    return Together(answers, frozenset((by,)), sure=True)
