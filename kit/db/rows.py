"""Compiled statements for the driver, and the rows that it returns.

SQLAlchemy compiles the SQL, but does not execute it: that makes a read cost 0.05 ms instead of 1 ms. A statement is
compiled once. Its rows are named tuples of a class of its own; columns whose driver type differs from ours are
converted, one column at a time.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Enum, Executable, Float, Numeric
from sqlalchemy.util import LRUCache

MAX_COMPILED_STATEMENTS = 1_000  # cached by their SQL; the oldest are evicted at half as many more

Convert = Callable[[Any], Any]
Values = Mapping[str, Any] | None  # by the name of the parameter


class RowShape:
    """The class of a statement's rows, and the converters of its columns."""

    def __init__(self, columns: Sequence[tuple[str, Convert | None]]) -> None:
        row = namedtuple("Row", [name for name, _ in columns], rename=True)  # type: ignore[misc]
        row._mapping = property(lambda self: dict(zip(self._fields, self, strict=True)))  # type: ignore[attr-defined]
        self._make = partial(tuple.__new__, row)
        self._converts = [(place, convert) for place, (_, convert) in enumerate(columns) if convert]

    def rows(self, raw: Sequence[Iterable[Any]]) -> list[Any]:
        if not self._converts or not raw:
            return list(map(self._make, raw))
        columns: list[Iterable[Any]] = list(zip(*raw, strict=True))
        for place, convert in self._converts:
            columns[place] = map(convert, columns[place])
        return list(map(self._make, zip(*columns, strict=True)))


class Statement:
    """A compiled query. It may be executed again with other values."""

    def __init__(self, query: Any, dialect: Dialect, cache: Any) -> None:
        compiled, constants, _, _ = query._compile_w_cache(dialect, compiled_cache=cache, column_keys=[])
        # Else the cache entry, which the query is the weak key of, would keep the query alive.
        compiled.statement = compiled.compile_state = None
        self._compiled: Any = compiled
        self._defaults = compiled.construct_params(
            extracted_parameters=constants, escape_names=False, _check=False
        )
        self._binds: dict[str, Convert] = compiled._bind_processors
        self._sql, self._names = compiled.string, compiled.positiontup
        self.expands = bool(compiled.post_compile_params or compiled.literal_execute_params)
        shape = compiled.__dict__.get("shape")  # equal queries share a compiled statement
        if shape is None:
            shape = compiled.shape = _shape(compiled, dialect)
        self.shape: RowShape | None = shape

    def bind(self, values: Values) -> tuple[str, list[Any]]:
        """Return the SQL and its arguments."""
        arguments = {**self._defaults, **values} if values else self._defaults
        sql, names, binds = self._sql, self._names, self._binds
        if self.expands:  # a list needs one parameter for each item
            state = self._compiled._process_parameters_for_postcompile(arguments)
            sql, names = state.statement, state.positiontup
            arguments, binds = {**arguments, **state.additional_parameters}, {**binds, **state.processors}
        return sql, [binds[name](arguments[name]) if name in binds else arguments[name] for name in names]


class Statements:
    """The compiled statements of one database, cached by query object, and by SQL."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Executable, Statement] = WeakKeyDictionary()
        self._compiled: LRUCache[Any, Any] = LRUCache(MAX_COMPILED_STATEMENTS)

    def of(self, query: Executable) -> Statement:
        statement = self._known.get(query)
        if statement is None:
            statement = self._known[query] = Statement(query, self._dialect, self._compiled)
        return statement


def _shape(compiled: Any, dialect: Dialect) -> RowShape | None:
    """Return the shape of a statement's rows; None for textual SQL, whose columns only the driver knows."""
    entries = compiled._result_columns
    if not entries:
        return None
    return RowShape([(entry.keyname, converter(entry.type, dialect)) for entry in entries])


def converter(type_: Any, dialect: Dialect) -> Convert | None:
    """Return a converter from the driver's value to ours; None if they are the same."""
    if isinstance(type_, Enum) and type_.enum_class is not None:
        members: dict[Any, Any] = {member.name: member for member in type_.enum_class}
        return {**members, None: None}.__getitem__
    if isinstance(type_, Numeric | Float):
        return _decimal if type_.asdecimal else _float
    processor: Convert | None = type_._cached_result_processor(dialect, None)
    return processor


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _decimal(value: Any) -> Decimal | None:
    return value if value is None or isinstance(value, Decimal) else Decimal(str(value))
