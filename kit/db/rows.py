"""Statements as the driver takes them, and rows as they come from it.

SQLAlchemy writes the SQL. What it does around each execution is left out: a read costs a twentieth of a millisecond
then instead of a whole one. A statement is compiled once; its rows are named tuples of a class of its own, whose
columns are converted a column at a time, and only those that the driver does not give as we want them.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Enum, Executable, Float, Numeric
from sqlalchemy.util import LRUCache

MAX_COMPILED_STATEMENTS = (
    1_000  # statements remembered by what they say; half as many more before the oldest are let go
)

Convert = Callable[[Any], Any]
Values = Mapping[str, Any] | None  # of a statement's named parameters


class RowShape:
    """What the rows of a statement look like."""

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
    """One query, compiled. `query` may be asked again with other values."""

    def __init__(self, query: Any, dialect: Dialect, cache: Any) -> None:
        compiled, constants, _, _ = query._compile_w_cache(dialect, compiled_cache=cache, column_keys=[])
        compiled.statement = compiled.compile_state = (
            None  # or what is found by the query would keep it alive
        )
        self._compiled: Any = compiled
        self._given = compiled.construct_params(
            extracted_parameters=constants, escape_names=False, _check=False
        )
        self._binds: dict[str, Convert] = compiled._bind_processors
        self._sql, self._names = compiled.string, compiled.positiontup
        self.expands = bool(compiled.post_compile_params or compiled.literal_execute_params)
        kept = compiled.__dict__.get("shape")  # equal queries share what was compiled
        if kept is None:
            kept = compiled.shape = _shape(compiled, dialect)
        self.shape: RowShape | None = kept

    def asked(self, values: Values) -> tuple[str, list[Any]]:
        """The SQL and its arguments."""
        given = {**self._given, **values} if values else self._given
        sql, names, binds = self._sql, self._names, self._binds
        if self.expands:  # one parameter for each item of a list
            state = self._compiled._process_parameters_for_postcompile(given)
            sql, names = state.statement, state.positiontup
            given, binds = {**given, **state.additional_parameters}, {**binds, **state.processors}
        return sql, [binds[name](given[name]) if name in binds else given[name] for name in names]


class Statements:
    """The statements of one database: found by the query itself while there is one, or by what it says."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Executable, Statement] = WeakKeyDictionary()
        self._compiled: LRUCache[Any, Any] = LRUCache(MAX_COMPILED_STATEMENTS)

    def of(self, query: Executable) -> Statement:
        found = self._known.get(query)
        if found is None:
            found = self._known[query] = Statement(query, self._dialect, self._compiled)
        return found


def _shape(compiled: Any, dialect: Dialect) -> RowShape | None:
    """None for a text of which only the driver knows the columns."""
    entries = compiled._result_columns
    if not entries:
        return None
    return RowShape([(entry.keyname, converter(entry.type, dialect)) for entry in entries])


def converter(type_: Any, dialect: Dialect) -> Convert | None:
    """What makes our value of the driver's; None where they are the same."""
    if isinstance(type_, Enum) and type_.enum_class is not None:
        members: dict[Any, Any] = {one.name: one for one in type_.enum_class}
        return {**members, None: None}.__getitem__
    if isinstance(type_, Numeric | Float):
        return _decimal if type_.asdecimal else _float
    found: Convert | None = type_._cached_result_processor(dialect, None)
    return found


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _decimal(value: Any) -> Decimal | None:
    return value if value is None or isinstance(value, Decimal) else Decimal(str(value))
