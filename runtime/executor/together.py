"""How a field says that it can be answered for many objects at once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField

KEY = "together"  # under which a field's metadata holds it
Columns = frozenset[str] | None  # names of attributes; None is all of them


@dataclass(frozen=True)
class Together:
    """Answers one field for all objects of a level.

    answers: called with the context, the objects, and the attributes that will be read of what it answers
             (None: any). Returns one value for each object, in their order.
    reads:   the attributes of an object that it reads; None where it may read any.
    sure:    what it answers is of the field's type by its making, as rows of a table are: nobody looks again.
    """

    answers: Callable[[Any, Sequence[Any], Columns], Awaitable[Sequence[Any]]]
    reads: Columns = None
    sure: bool = False


def together_of(field: GraphQLField) -> Together | None:
    """What the field's definition declares."""
    definition = field.extensions.get("strawberry-definition")
    found = getattr(definition, "metadata", {}).get(KEY)
    return found if isinstance(found, Together) else None
