"""Keyset pagination: a cursor is a position in an order, not an offset, so no row is skipped or repeated.

A cursor holds the name of its field and order, and the values of the row at its position. The pages of many parents
are read in one statement.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    SQLColumnExpression,
    TypeDecorator,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine

from kit.db.database import Keys, among
from kit.graphql.errors import PublicError
from kit.graphql.executor import requested_columns
from kit.graphql.executor.batch_resolver import Columns
from kit.graphql.json import decode
from models.actor import Actor
from resolvers.context import Context
from resolvers.loaders import (
    Query,
    Sees,
    StatementCache,
    actor_template,
    parameters_of,
    select_only,
    statement_key_of,
)

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 100
INTEGER_LIMIT, BIG_INTEGER_LIMIT = 2**31, 2**63  # magnitudes that no column of the type holds

First = Annotated[int | None, "Page size, 1 to 100; default 50."]
After = Annotated[str | None, "Only items after this cursor."]
Last = Annotated[int | None, "Page size from the end of the list, 1 to 100."]
Before = Annotated[str | None, "Only items before this cursor."]


SortColumn = tuple[SQLColumnExpression[object], bool]  # the column, and whether it is descending


class BadCursor(PublicError):
    """A cursor is malformed, or belongs to another field or order."""

    code = "BAD_USER_INPUT"


@dataclass(frozen=True)
class Order:
    """A total order. The last column is unique."""

    name: str
    columns: tuple[SortColumn, ...]


@dataclass(frozen=True, eq=False)
class PaginatedQuery:
    """A list that is read in pages.

    name:   the field that its cursors belong to.
    query:  the select, with the joins that its orders need.
    parent: the column with the id of the parent, or None for a list without one.
    sees:   the rows that an actor may see.
    """

    name: str
    query: Query
    parent: SQLColumnExpression[object] | None
    sees: Sees
    _statements: StatementCache = field(default_factory=StatementCache, init=False, repr=False)

    def first_page_statement(
        self, actor: Actor, order: Order, where: Sequence[ColumnElement[bool]], columns: Columns
    ) -> Query:
        """Return the statement for the first page of one parent, without a filter. Built once."""
        parent = self.parent
        assert parent is not None, "only lists of a parent"

        def build() -> Query:
            keys: list[ColumnElement[object]] = [
                column.label(f"k{i}") for i, (column, _) in enumerate(order.columns)
            ]
            query = (
                select_only(self.query, columns)
                .add_columns(*keys)
                .where(self.sees(actor_template(actor)), *where)
            )
            query = query.where(among(parent, bindparam("keys", type_=Keys())))
            query = query.add_columns(parent.label("parent_key"))
            sorts = [
                column.desc() if is_descending else column.asc() for column, is_descending in order.columns
            ]
            return query.order_by(*sorts).limit(bindparam("most", type_=Integer()))

        return self._statements.get_or_build((order.name, statement_key_of(actor), columns), build)


@dataclass(frozen=True)
class PageArgs:
    """The arguments of a page: `first` rows after `after`, or `last` rows before `before`; default: `first: 50`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    most: int = MAX_PAGE_SIZE

    @property
    def is_backward(self) -> bool:
        return self.last is not None

    @property
    def size(self) -> int:
        """The number of rows. Raises PublicError if it is out of range, or if both `first` and `last` are given."""
        size = self.last if self.last is not None else self.first
        size = min(DEFAULT_PAGE_SIZE, self.most) if size is None else size
        if self.first is not None and self.last is not None:
            raise PublicError("first and last exclude each other", code="BAD_USER_INPUT")
        if not 1 <= size <= self.most:
            raise PublicError(f"first and last must be 1 to {self.most}, not {size}", code="BAD_USER_INPUT")
        return size


@dataclass
class Page:
    """One page, the source of a connection in the schema."""

    rows: Sequence[object]
    has_next: bool
    has_previous: bool
    name: str
    width: int
    count: Callable[[], Awaitable[int]] = field(repr=False)  # counts the whole list

    def cursor(self, row: object) -> str:
        """Return the cursor of a row of this page."""
        return write_cursor(self.name, [getattr(row, f"k{i}") for i in range(self.width)])


def write_cursor(name: str, values: Sequence[object]) -> str:
    """Encode a cursor."""
    texts = [value.isoformat() if isinstance(value, date) else value for value in values]
    return (
        base64.urlsafe_b64encode(json.dumps([name, *texts], separators=(",", ":")).encode())
        .decode()
        .rstrip("=")
    )


def read_cursor(name: str, text: str, columns: Sequence[SQLColumnExpression[object]]) -> list[object]:
    """Decode the values of a cursor. Raises BadCursor for a cursor of another field or order."""
    try:
        values = decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if values[0] != name or len(values) != len(columns) + 1:
            raise ValueError
        return [
            _decode_value(cast(ColumnElement[object], column).type, value)
            for column, value in zip(columns, values[1:], strict=True)
        ]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise BadCursor("The cursor belongs to another field or order") from error


def _decode_value(type_: TypeEngine[object], value: Any) -> object:
    """Convert a JSON value of a cursor to its column's type. Raises ValueError for a value that no cursor has."""
    stored = type_.impl_instance if isinstance(type_, TypeDecorator) else type_
    kind = stored.python_type
    if kind is datetime:
        timestamp = datetime.fromisoformat(value)
        if timestamp.utcoffset() != timedelta(0):
            raise ValueError
        return timestamp
    if kind is date:
        return date.fromisoformat(value)
    if isinstance(value, bool) or not isinstance(value, kind):
        raise ValueError
    limit = BIG_INTEGER_LIMIT if isinstance(stored, BigInteger) else INTEGER_LIMIT
    if isinstance(value, int) and not abs(value) < limit:
        raise ValueError
    return value


def comes_after(columns: Sequence[SortColumn], values: Sequence[object]) -> ColumnElement[bool]:
    """Return the clause that a row comes after `values` in the order of `columns`."""
    alternatives = []
    for index, (column, is_descending) in enumerate(columns):
        same = [other == value for (other, _), value in zip(columns[:index], values[:index], strict=True)]
        differs = column < values[index] if is_descending else column > values[index]
        alternatives.append(and_(*same, differs))
    return or_(*alternatives)


async def load_page(
    context: Context,
    paginated: PaginatedQuery,
    order: Order,
    args: PageArgs,
    parent: object = None,
    where: Sequence[ColumnElement[bool]] = (),
    fingerprint: str = "",
    *,
    is_default_filter: bool = False,
) -> Page:
    """Load one page of a list. Calls with the same arguments for several parents become one statement.

    fingerprint: identifies `where`; calls with the same fingerprint have the same filter.
    is_default_filter: `where` is the filter of a list whose caller gave none, so the statement is cached.
    """
    size = args.size  # an invalid size is refused before a read
    name = f"{paginated.name}:{order.name}"
    columns = [(column, is_descending != args.is_backward) for column, is_descending in order.columns]
    conditions = list(where)
    if args.after is not None:
        position = read_cursor(name, args.after, [column for column, _ in order.columns])
        conditions.append(comes_after(order.columns, position))
    if args.before is not None:
        position = read_cursor(name, args.before, [column for column, _ in order.columns])
        conditions.append(
            comes_after([(column, not is_descending) for column, is_descending in order.columns], position)
        )

    is_first = (
        is_default_filter
        and paginated.parent is not None
        and (args.after, args.before, args.last) == (None, None, None)
    )

    requested = requested_columns()

    async def load(parents: list[object]) -> list[Page]:
        if is_first and len(parents) == 1:
            query = paginated.first_page_statement(context.actor, order, where, requested)
            rows = await context.read(query, {**parameters_of(context.actor, parents), "most": size + 1})
            return [_make_page(list(rows), parents[0])]
        keys: list[ColumnElement[object]] = [
            column.label(f"k{i}") for i, (column, _) in enumerate(order.columns)
        ]
        query = (
            select_only(paginated.query, requested)
            .add_columns(*keys)
            .where(paginated.sees(context.actor), *conditions)
        )
        sorts = [column.desc() if is_descending else column.asc() for column, is_descending in columns]
        if paginated.parent is None or len(parents) == 1:
            if paginated.parent is not None:
                query = query.add_columns(paginated.parent.label("parent_key")).where(
                    paginated.parent == parents[0]
                )
            rows = await context.read(query.order_by(*sorts).limit(size + 1))
            groups = {parents[0]: list(rows)}
        else:
            nth = func.row_number().over(partition_by=paginated.parent, order_by=sorts).label("nth_of_page")
            query = query.add_columns(paginated.parent.label("parent_key"), nth)
            inner = query.where(paginated.parent.in_(parents)).subquery()
            outer = (
                select(inner)
                .where(inner.c.nth_of_page <= size + 1)
                .order_by(inner.c.parent_key, inner.c.nth_of_page)
            )
            groups = {key: [] for key in parents}
            for row in await context.read(outer):
                groups[row.parent_key].append(row)
        return [_make_page(groups[key], key) for key in parents]

    def _make_page(rows: list[object], key: object) -> Page:
        has_more, rows = len(rows) > size, rows[:size]
        if args.is_backward:
            rows.reverse()
        has_next = has_more if not args.is_backward else args.before is not None
        has_previous = args.after is not None if not args.is_backward else has_more

        async def count() -> int:
            return await _count(context, paginated, where, fingerprint, key)

        return Page(rows, has_next, has_previous, name, len(order.columns), count)

    key = (paginated, order.name, args, fingerprint, requested)
    return await context.loaders.through(key, load).load(parent)


async def _count(
    context: Context,
    paginated: PaginatedQuery,
    where: Sequence[ColumnElement[bool]],
    fingerprint: str,
    parent: object,
) -> int:
    """Count the rows of a list, for several parents in one statement."""

    async def load(parents: list[object]) -> list[int]:
        query = paginated.query.where(paginated.sees(context.actor), *where)
        if paginated.parent is None:
            [row] = await context.read(select(func.count()).select_from(query.subquery()))
            return [row[0]]
        inner = (
            query.add_columns(paginated.parent.label("parent_key"))
            .where(paginated.parent.in_(parents))
            .subquery()
        )
        grouped = select(inner.c.parent_key, func.count()).group_by(inner.c.parent_key)
        counts = {row[0]: row[1] for row in await context.read(grouped)}
        return [counts.get(key, 0) for key in parents]

    return await context.loaders.through((paginated, "count", fingerprint), load).load(parent)
