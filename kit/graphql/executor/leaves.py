"""Columns of leaf values, as the answer shows them."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.pyutils import is_iterable
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

Leaves = Callable[[Sequence[Any]], Sequence[Any]]


class Unplanned(Exception):
    """Something that is left to graphql-core."""


NOTHING = type(None)
# Values of exactly these types are what the scalar answers already.
PLAIN: dict[GraphQLLeafType, type] = {
    GraphQLID: str,
    GraphQLString: str,
    GraphQLBoolean: bool,
    GraphQLInt: int,
}


def leaves_of(type_: GraphQLOutputType) -> Leaves:
    """A function that completes a column of values. It raises if one of them would be an error."""
    if is_non_null_type(type_):
        inner = _nullable(type_.of_type)

        def complete(values: Sequence[Any]) -> Sequence[Any]:
            if NOTHING in map(type, values):
                raise Unplanned("null where none may be")
            return inner(values)

        return complete
    inner = _nullable(type_)

    def complete_some(values: Sequence[Any]) -> Sequence[Any]:
        if NOTHING not in map(type, values):
            return inner(values)
        found = iter(inner([value for value in values if value is not None]))
        return [None if value is None else next(found) for value in values]

    return complete_some


def _nullable(type_: GraphQLOutputType) -> Leaves:
    """The same, for values that are not None."""
    if is_list_type(type_):
        items = leaves_of(type_.of_type)
        return lambda values: [list(items(_listed(value))) for value in values]
    assert is_leaf_type(type_), "a leaf, or lists of it"
    return _enum(type_) if isinstance(type_, GraphQLEnumType) else _scalar(type_)


def _listed(value: Any) -> Sequence[Any]:
    if not is_iterable(value):
        raise Unplanned("no list")
    return list(value)


def _scalar(type_: GraphQLLeafType) -> Leaves:
    plain = PLAIN.get(type_)

    def complete(values: Sequence[Any]) -> Sequence[Any]:
        if set(map(type, values)) <= {plain}:
            if (
                plain is int
                and values
                and not GRAPHQL_MIN_INT <= min(values) <= max(values) <= GRAPHQL_MAX_INT
            ):
                raise Unplanned("beyond 32 bits")
            return values
        return [_one(type_, value) for value in values]

    return complete


def _enum(type_: GraphQLLeafType) -> Leaves:
    def complete(values: Sequence[Any]) -> Sequence[Any]:
        if len(set(map(type, values))) != 1:  # equal values of two types may have two names
            return [_one(type_, value) for value in values]
        names = {value: _one(type_, value) for value in set(values)}
        return [names[value] for value in values]

    return complete


def _one(type_: GraphQLLeafType, value: Any) -> Any:
    if isinstance(value, Exception) or hasattr(value, "__await__"):
        raise Unplanned("no value")
    shown = type_.coerce_output_value(value)
    if shown is None or shown is Undefined:
        raise Unplanned("nothing to show")
    return shown
