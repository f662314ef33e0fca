"""Keyset pages: a connection is a place in an order, not an offset, so nothing is skipped or shown twice.

A cursor names the field it belongs to and the values it stands at. Many parents at once are answered by one
statement.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    TypeDecorator,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from kit.db.database import Keys, among
from kit.graphql.errors import PublicError
from kit.graphql.executor import requested_columns
from kit.graphql.executor.batch_resolver import Columns
from kit.graphql.json import decode
from models.actor import Actor
from resolvers.context import Context
from resolvers.loaders import (
    Sees,
    StatementCache,
    actor_template,
    parameters_of,
    select_only,
    statement_key_of,
)

DEFAULT, MOST = 50, 100
LARGE, LARGEST = 2**31, 2**63  # beyond what an integer column holds

First = Annotated[int | None, "Page size, 1 to 100; default 50."]
After = Annotated[str | None, "Only items after this cursor."]
Last = Annotated[int | None, "Page size from the end of the list, 1 to 100."]
Before = Annotated[str | None, "Only items before this cursor."]


class BadCursor(PublicError):
    code = "BAD_USER_INPUT"


@dataclass(frozen=True)
class Order:
    """A total order: columns, each with whether it falls. The last one is unique."""

    name: str
    columns: tuple[tuple[Any, bool], ...]


@dataclass(frozen=True, eq=False)
class PaginatedQuery:
    """A list that is read in pages.

    name:   what its cursors belong to.
    query:  what to select, joined as the orders need it.
    parent: the column that names the row it belongs to, or None for a list of its own.
    sees:   what of it an actor may see.
    """

    name: str
    query: Select[Any]
    parent: Any
    sees: Sees
    _kept: StatementCache = field(default_factory=StatementCache, init=False, repr=False)

    def first(
        self, actor: Actor, order: Order, where: Sequence[ColumnElement[bool]], columns: Columns
    ) -> Select[Any]:
        """The statement of a first page of one parent, without a filter: made once for each kind of actor."""

        def made() -> Select[Any]:
            keys = [column.label(f"k{i}") for i, (column, _) in enumerate(order.columns)]
            query = (
                select_only(self.query, columns)
                .add_columns(*keys)
                .where(self.sees(actor_template(actor)), *where)
            )
            query = query.where(among(self.parent, bindparam("keys", type_=Keys())))
            query = query.add_columns(self.parent.label("parent_key"))
            sorts = [column.desc() if falls else column.asc() for column, falls in order.columns]
            return query.order_by(*sorts).limit(bindparam("most", type_=Integer()))

        return self._kept.of((order.name, statement_key_of(actor), columns), made)


@dataclass(frozen=True)
class PageArgs:
    """Which page: `first` after `after`, or `last` before `before`; 50 where neither is said."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    most: int = MOST

    @property
    def backward(self) -> bool:
        return self.last is not None

    @property
    def size(self) -> int:
        size = self.last if self.last is not None else self.first
        size = min(DEFAULT, self.most) if size is None else size
        if self.first is not None and self.last is not None:
            raise PublicError("Say first or last, not both", code="BAD_USER_INPUT")
        if not 1 <= size <= self.most:
            raise PublicError(f"first and last take 1 to {self.most}, not {size}", code="BAD_USER_INPUT")
        return size


@dataclass
class Page:
    """One page, as the schema's connections show it."""

    rows: Sequence[Any]
    has_next: bool
    has_previous: bool
    name: str
    width: int
    count: Any = field(repr=False, default=None)  # how to count the whole list, only when asked

    def cursor(self, row: Any) -> str:
        return write_cursor(self.name, [getattr(row, f"k{i}") for i in range(self.width)])


def write_cursor(name: str, values: list[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, date) else value for value in values]
    return (
        base64.urlsafe_b64encode(json.dumps([name, *plain], separators=(",", ":")).encode())
        .decode()
        .rstrip("=")
    )


def read_cursor(name: str, text: str, columns: Sequence[Any]) -> list[Any]:
    """The values a cursor stands at. Raises BadCursor for one of another field or order."""
    try:
        values = decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if values[0] != name or len(values) != len(columns) + 1:
            raise ValueError
        return [_as(column, value) for column, value in zip(columns, values[1:], strict=True)]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise BadCursor("That cursor belongs to another field or order") from error


def _as(column: Any, value: Any) -> Any:
    """A value as its column holds it. Raises ValueError for what no cursor of ours says."""
    kept = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    kind = kept.python_type
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.utcoffset() != timedelta(0):
            raise ValueError
        return moment
    if kind is date:
        return date.fromisoformat(value)
    if isinstance(value, bool) or not isinstance(value, kind):
        raise ValueError
    if isinstance(value, int) and not abs(value) < (LARGEST if isinstance(kept, BigInteger) else LARGE):
        raise ValueError
    return value


def beyond(columns: Sequence[tuple[Any, bool]], values: list[Any]) -> ColumnElement[bool]:
    """That a row comes after `values` in the order of `columns`."""
    ways = []
    for index, (column, falls) in enumerate(columns):
        same = [other == value for (other, _), value in zip(columns[:index], values[:index], strict=True)]
        ways.append(and_(*same, column < values[index] if falls else column > values[index]))
    return or_(*ways)


async def load_page(
    context: Context,
    listing: PaginatedQuery,
    order: Order,
    ask: PageArgs,
    parent: Any = None,
    where: Sequence[ColumnElement[bool]] = (),
    fingerprint: str = "",
    *,
    plain: bool = False,
) -> Page:
    """One page of a list. Calls with the same arguments for several parents become one statement.

    `fingerprint` says what `where` filters by: calls with the same one have the same filter. `plain`: it is what
    the list filters by where nobody asks for anything.
    """
    size = ask.size  # a wrong size is refused before anything is read
    name = f"{listing.name}:{order.name}"
    columns = [(column, falls != ask.backward) for column, falls in order.columns]
    conditions = list(where)
    if ask.after is not None:
        at = read_cursor(name, ask.after, [column for column, _ in order.columns])
        conditions.append(beyond(order.columns, at))
    if ask.before is not None:
        at = read_cursor(name, ask.before, [column for column, _ in order.columns])
        conditions.append(beyond([(column, not falls) for column, falls in order.columns], at))

    is_first = (
        plain and listing.parent is not None and (ask.after, ask.before, ask.last) == (None, None, None)
    )

    read = requested_columns()

    async def load(parents: list[Any]) -> list[Page]:
        if is_first and len(parents) == 1:
            query = listing.first(context.actor, order, where, read)
            rows = await context.read(query, {**parameters_of(context.actor, parents), "most": size + 1})
            return [_cut(list(rows), parents[0])]
        keys = [column.label(f"k{i}") for i, (column, _) in enumerate(order.columns)]
        query = (
            select_only(listing.query, read)
            .add_columns(*keys)
            .where(listing.sees(context.actor), *conditions)
        )
        sorts = [column.desc() if falls else column.asc() for column, falls in columns]
        if listing.parent is None or len(parents) == 1:
            if listing.parent is not None:
                query = query.add_columns(listing.parent.label("parent_key")).where(
                    listing.parent == parents[0]
                )
            rows = await context.read(query.order_by(*sorts).limit(size + 1))
            groups = {parents[0]: list(rows)}
        else:
            place = func.row_number().over(partition_by=listing.parent, order_by=sorts).label("nth_of_page")
            query = query.add_columns(listing.parent.label("parent_key"), place)
            inner = query.where(listing.parent.in_(parents)).subquery()
            outer = (
                select(inner)
                .where(inner.c.nth_of_page <= size + 1)
                .order_by(inner.c.parent_key, inner.c.nth_of_page)
            )
            groups = {key: [] for key in parents}
            for row in await context.read(outer):
                groups[row.parent_key].append(row)
        return [_cut(groups[key], key) for key in parents]

    def _cut(rows: list[Any], key: Any) -> Page:
        more, rows = len(rows) > size, rows[:size]
        if ask.backward:
            rows.reverse()
        has_next = more if not ask.backward else ask.before is not None
        has_previous = ask.after is not None if not ask.backward else more

        async def count() -> int:
            return await _count(context, listing, where, fingerprint, key)

        return Page(rows, has_next, has_previous, name, len(order.columns), count)

    group = (listing, order.name, ask, fingerprint, read)
    result: Page = await context.loaders.through(group, load).load(parent)
    return result


async def _count(
    context: Context,
    listing: PaginatedQuery,
    where: Sequence[ColumnElement[bool]],
    fingerprint: str,
    parent: Any,
) -> int:
    async def load(parents: list[Any]) -> list[int]:
        query = listing.query.where(listing.sees(context.actor), *where)
        if listing.parent is None:
            [row] = await context.read(select(func.count()).select_from(query.subquery()))
            return [row[0]]
        inner = (
            query.add_columns(listing.parent.label("parent_key"))
            .where(listing.parent.in_(parents))
            .subquery()
        )
        grouped = select(inner.c.parent_key, func.count()).group_by(inner.c.parent_key)
        found = {row[0]: row[1] for row in await context.read(grouped)}
        return [found.get(key, 0) for key in parents]

    count: int = await context.loaders.through((listing, "count", fingerprint), load).load(parent)
    return count
