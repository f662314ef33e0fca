"""The size of an operation's input, found before any of it is converted.

Converting a value takes a hundred times as long as reading it: graphql-core looks at each part twice, Strawberry
makes an object of it, and a filter becomes SQL. So lists and types that hold themselves are counted first, in
literals and in variables alike. A value whose type can hold neither is not looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    type_from_ast,
)

from kit.graphql.errors import Code
from kit.graphql.limits.document_size import DocumentLimits, LimitExceeded

POINTS_PER_NESTED = (
    20  # of one object of a type that holds itself: it takes 0.2 ms to convert and to make SQL of
)
ITEMS_PER_POINT = 10  # items of lists


class InputSize(NamedTuple):
    """The figures of one value."""

    items: int = 0  # of all its lists together
    nested: int = 0  # objects of types that hold themselves, and what each of them says
    levels: int = 0  # of such objects, one inside the other

    def beside(self, other: "InputSize") -> "InputSize":
        items, nested, levels = other
        return InputSize(self.items + items, self.nested + nested, max(self.levels, levels))

    @property
    def points(self) -> int:
        return self.nested * POINTS_PER_NESTED + self.items // ITEMS_PER_POINT


NOTHING = InputSize()


@dataclass(eq=False)
class Shape:
    """The part of an input type that must be looked at: its lists, and the objects that may hold lists.

    A list has the shape of its items as `item`, an object those of its fields as `fields`.
    """

    name: str
    is_list: bool = False
    is_recursive: bool = False
    item: "Shape | None" = None
    fields: "dict[str, Shape]" = field(default_factory=dict)


class Shapes:
    """The shapes of one schema's input types."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._objects: dict[str, Shape | None] = {}

    def of(self, type_: Any) -> Shape | None:
        """The shape of a type; None where nothing of it has to be counted."""
        type_ = get_nullable_type(type_)
        if is_list_type(type_):
            return Shape(get_named_type(type_).name, is_list=True, item=self.of(type_.of_type))
        return self._object(type_) if is_input_object_type(type_) else None

    def of_variables(self, operation: OperationDefinitionNode) -> dict[str, Shape]:
        found = {}
        for node in operation.variable_definitions or ():
            type_ = type_from_ast(self._schema, node.type)
            shape = None if type_ is None else self.of(type_)
            if shape is not None:
                found[node.variable.name.value] = shape
        return found

    def _object(self, type_: GraphQLInputObjectType) -> Shape | None:
        if type_.name not in self._objects:
            shape = Shape(type_.name, is_recursive=type_ in _held_by(type_))
            self._objects[type_.name] = shape
            for name, one in type_.fields.items():
                inner = self.of(one.type)
                if inner is not None:
                    shape.fields[name] = inner
            if not shape.fields:
                self._objects[type_.name] = None
        return self._objects[type_.name]


@lru_cache(maxsize=8)
def shapes_of(schema: GraphQLSchema) -> Shapes:
    return Shapes(schema)


def _held_by(type_: GraphQLInputObjectType) -> set[GraphQLInputObjectType]:
    """Every input object type that may stand inside a value of this one, at any depth."""
    found: set[GraphQLInputObjectType] = set()
    waiting = [type_]
    while waiting:
        inner = [get_named_type(one.type) for one in waiting.pop().fields.values()]
        new = [one for one in inner if is_input_object_type(one) and one not in found]
        found.update(new)
        waiting += new
    return found


def measure_variables(
    shapes: Mapping[str, Shape], variables: Mapping[str, Any] | None, limits: DocumentLimits
) -> dict[str, InputSize]:
    """Return the size of each variable that has a shape. Errors: LimitExceeded."""
    if not shapes or not variables:
        return {}
    measure = Measure(limits)
    return {
        name: measure.value(variables[name], shape, 0) for name, shape in shapes.items() if name in variables
    }


class Measure:
    """Measures values. Whatever is not of its type counts as nothing: graphql-core says so.

    `sizes` are those of the variables that stand in literals. Errors: LimitExceeded, as soon as a limit is passed.
    """

    def __init__(self, limits: DocumentLimits, sizes: Mapping[str, InputSize] | None = None) -> None:
        self._limits, self._sizes = limits, sizes or {}
        self.used: set[str] = set()

    def value(self, value: Any, shape: Shape, level: int) -> InputSize:
        """Measure JSON or a literal that stands inside `level` objects of types that hold themselves."""
        if isinstance(value, VariableNode):
            return self._variable(value.name.value, level)
        if shape.is_list:
            return self._list(value, shape, level)
        size = NOTHING
        if shape.is_recursive:
            level += 1
            self._check_levels(level, shape.name)
            size = InputSize(0, 1, level)
        for name, inner in _fields(value):
            if shape.is_recursive:
                size = size._replace(nested=size.nested + 1)
            known = shape.fields.get(name)
            if known is not None:
                size = size.beside(self.value(inner, known, level))
        return self.checked(size)

    def _list(self, value: Any, shape: Shape, level: int) -> InputSize:
        items = value if isinstance(value, list) else getattr(value, "values", None)
        if not isinstance(value, list | ListValueNode) or items is None:
            items = [value]  # one stands for a list of one
        size = InputSize(len(items))
        if shape.item is not None:
            for one in items:
                if one is not None:
                    size = size.beside(self.value(one, shape.item, level))
        return self.checked(size)

    def _variable(self, name: str, level: int) -> InputSize:
        self.used.add(name)
        size = self._sizes.get(name, NOTHING)
        if size.levels:
            self._check_levels(size.levels + level, "An input")
        return size

    def _check_levels(self, levels: int, name: str) -> None:
        most = self._limits.nested_levels
        if levels > most:
            raise LimitExceeded(
                "input levels",
                levels,
                most,
                code=Code.LIMIT_EXCEEDED,
                text=f"{name} nests at most {most} levels",
            )

    def checked(self, size: InputSize) -> InputSize:
        limits = self._limits
        for name, actual, most in (
            ("input items", size.items, limits.input_items),
            ("nested input", size.nested, limits.nested),
        ):
            if actual > most:
                raise LimitExceeded(name, actual, most, code=Code.LIMIT_EXCEEDED)
        return size


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, ObjectValueNode):
        for one in value.fields:
            yield one.name.value, one.value
