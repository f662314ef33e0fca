"""Loaders: every batched question an operation may ask, declared as data.

A `Link` says which rows are found by which key and what an actor may see of them, so no resolver can load
what its actor may not see, and an executor may ask once for a whole list. `Loaders` live for one operation,
or one event of a subscription: a cache too young to lie.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select
from strawberry.dataloader import DataLoader

from models.actor import Actor

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
        loader = self._loaders.get(link)
        if loader is None:
            loader = self._loaders[link] = DataLoader(self._batch(link), max_batch_size=MOST)
        return loader.load(key)

    def through(self, name: Any, load: Callable[[list[Any]], Awaitable[list[Any]]]) -> DataLoader[Any, Any]:
        """The loader of that name in this operation; `load` answers its keys in order."""
        if name not in self._loaders:
            self._loaders[name] = DataLoader(load, max_batch_size=MOST)
        return self._loaders[name]

    def _batch(self, link: Link) -> Callable[[list[Any]], Awaitable[list[Any]]]:
        async def load(keys: list[Any]) -> list[Any]:
            key = link.key.label("link_key")
            query = link.query.add_columns(key).where(link.sees(self.actor), link.key.in_(keys))
            rows = await self._read(query.group_by(link.key) if link.group else query)
            if not link.many:
                found = {row.link_key: row for row in rows}
                return [found.get(key, link.missing) for key in keys]
            lists: dict[Any, list[Any]] = {key: [] for key in keys}
            for row in rows:
                lists[row.link_key].append(row)
            return [lists[key] for key in keys]

        return load
