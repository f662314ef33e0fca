"""The declaration of a field that is resolved for many objects at once."""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLOutputType

from kit.graphql.executor.json_rows import Entry

Columns = frozenset[str] | None  # names of attributes; None is all of them

REQUESTED_COLUMNS: ContextVar[Columns] = ContextVar("wanted", default=None)
METADATA_KEY = "together"  # under which a field's metadata holds it


@dataclass(frozen=True)
class JsonRows:
    """Answers a field of lists with the items as JSON, where they are made of nothing but leaves.

    can:     whether an attribute of an item can be had as JSON, just as a leaf of this type shows it.
    answers: called with the context, the objects and what an item has; returns a list of JSON objects for each.
    """

    can: Callable[[str, GraphQLOutputType], bool]
    answers: Callable[[Any, Sequence[Any], tuple[Entry, ...]], Awaitable[Sequence[Sequence[str]]]]


@dataclass(frozen=True)
class BatchResolver:
    """Answers one field for all objects of a level.

    answers: called with the context, the objects, and the attributes that will be read of what it answers
             (None: any). Returns one value for each object, in their order.
    reads:   the attributes of an object that it reads; None where it may read any.
    sure:    what it answers is of the field's type by its making, as rows of a table are: nobody looks again.
    texts:   answers the same as JSON.
    """

    answers: Callable[[Any, Sequence[Any], Columns], Awaitable[Sequence[Any]]]
    reads: Columns = None
    sure: bool = False
    texts: JsonRows | None = None


def requested_columns() -> Columns:
    """Of a resolver that answers a Relay connection: the attributes that will be read of its nodes."""
    return REQUESTED_COLUMNS.get()


def batch_resolver_of(field: GraphQLField) -> BatchResolver | None:
    """Return the BatchResolver in the metadata of the field's definition, if any."""
    definition = field.extensions.get("strawberry-definition")
    found = getattr(definition, "metadata", {}).get(METADATA_KEY)
    return found if isinstance(found, BatchResolver) else None
