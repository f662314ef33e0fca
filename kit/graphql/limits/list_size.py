"""The sizes of lists, declared in the schema: `@listSize` and `@cost`.

The names are those of IBM's draft of GraphQL cost directives, so that clients and tools may read
them from the printed schema. A field says its size with

    cards: CardConnection = strawberry.field(directives=[list_size(50, maximum=500)])
    labels: list[Label] = strawberry.field(directives=[list_size(assumed=3, slicing=())])

A plain list says how long it usually is; a sliced one how long it is when nothing is asked for. A
list that says nothing counts as UNSAID long; `unsaid(schema)` names them, for a test to forbid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)
from strawberry.schema_directive import Location

from kit.graphql.limits.input_size import Shape, shapes_of

DEFAULT_LIST_SIZE = 100  # items of a list that declares nothing
MUTATION_POINTS = 10  # points of one field of the mutation type


@strawberry.schema_directive(
    name="listSize",
    locations=[Location.FIELD_DEFINITION],
    description=(
        "Number of items of the field, for the cost of an operation: the value of a slicing argument,"
        " 1 to `maximum`, or else `assumedSize`. `sizedFields` hold the items of a connection."
    ),
)
class ListSize:
    assumed_size: int
    slicing_arguments: list[str] | None = strawberry.UNSET
    sized_fields: list[str] | None = strawberry.UNSET
    maximum: int | None = strawberry.UNSET
    within: str | None = strawberry.UNSET


@strawberry.schema_directive(
    name="cost",
    locations=[Location.FIELD_DEFINITION],
    description="Cost of one call of the field in points. Default: 1 for an object, 0 for a leaf.",
)
class Cost:
    weight: int


def list_size(
    assumed: int,
    *,
    slicing: Sequence[str] = ("first", "last"),
    sized: Sequence[str] = ("edges", "nodes"),
    maximum: int | None = 100,
    within: str | None = None,
) -> ListSize:
    """Declare the size of a list or of a connection.

    Only the `slicing` arguments that the field has count. `sized` matters only where the field
    answers a connection, not a list. `within="Board"` says that all lists of this field inside one
    Board hold `first` items together; there the size is not multiplied by what lies between.
    """
    return ListSize(
        assumed_size=assumed,
        slicing_arguments=list(slicing) or strawberry.UNSET,
        sized_fields=list(sized if slicing else ()) or strawberry.UNSET,
        maximum=maximum if slicing and maximum else strawberry.UNSET,
        within=within or strawberry.UNSET,
    )


def cost(weight: int) -> Cost:
    """Declare what one answer of a field costs by itself, in points."""
    return Cost(weight=weight)


@dataclass(frozen=True)
class ListRule:
    """The cost and list size of one field, as its directives declare them."""

    weight: int  # points of one answer
    item: str | None  # the type of what is answered, when it has fields of its own
    listed: bool
    size: ListSize | None
    defaults: dict[str, Any]  # of its slicing arguments, as the schema says
    inputs: dict[str, Shape]  # of the arguments whose values have to be measured

    @cached_property
    def sized(self) -> frozenset[str]:
        """Fields of the answer that are as long as this field was asked to be."""
        return frozenset(self.size.sized_fields or () if self.size and not self.listed else ())


@dataclass(frozen=True)
class ListRules:
    """The rules of a schema's fields, by type and name, and which types are objects."""

    fields: dict[str, dict[str, ListRule]]
    objects: frozenset[str]
    schema: GraphQLSchema


@lru_cache(maxsize=8)
def rules_of(schema: GraphQLSchema) -> ListRules:
    """Read the rule of each field of each type, once for a schema."""
    fields = {
        name: {field: _rule(schema, name, definition) for field, definition in found.items()}
        for name, found in _types(schema)
    }
    objects = [n for n, kind in schema.type_map.items() if isinstance(kind, GraphQLObjectType)]
    return ListRules(fields, frozenset(objects), schema)


def undeclared_lists(schema: GraphQLSchema) -> list[str]:
    """Return the lists of objects without a declared size, as "Type.field"."""
    rules = rules_of(schema).fields
    sized_fields = {field for fields in rules.values() for r in fields.values() for field in r.sized}
    return [
        f"{name}.{field}"
        for name, fields in rules.items()
        for field, rule in fields.items()
        if rule.listed and rule.item and rule.size is None and field not in sized_fields
    ]


def _types(schema: GraphQLSchema) -> Iterator[tuple[str, dict[str, GraphQLField]]]:
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and name[:2] != "__":
            yield name, kind.fields


def _rule(schema: GraphQLSchema, owner: str, field: GraphQLField) -> ListRule:
    strawberry_field = field.extensions.get("strawberry-definition")
    directives = getattr(strawberry_field, "directives", ())
    size = next((d for d in directives if isinstance(d, ListSize)), None)
    weight = next((d.weight for d in directives if isinstance(d, Cost)), None)
    named = get_named_type(field.type)
    composite = is_composite_type(named)
    if weight is None:
        weight = MUTATION_POINTS if _is_mutation(schema, owner) else int(composite)
    names = (size and size.slicing_arguments) or ()
    defaults = {
        name: field.args[name].default_value
        for name in names
        if name in field.args and field.args[name].default_value is not Undefined
    }
    listed = is_list_type(get_nullable_type(field.type))
    shapes = {name: shapes_of(schema).of(argument.type) for name, argument in field.args.items()}
    inputs = {name: shape for name, shape in shapes.items() if shape is not None}
    return ListRule(weight, named.name if composite else None, listed, size, defaults, inputs)


def _is_mutation(schema: GraphQLSchema, owner: str) -> bool:
    return schema.mutation_type is not None and schema.mutation_type.name == owner
