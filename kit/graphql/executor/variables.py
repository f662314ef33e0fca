"""Variables, read by functions made once for their types.

graphql-core walks each value twice and asks of every part anew what its type is: forty microseconds for one
event of a report, of which there are a hundred. What is plainly right is read here; at the first thing that is
not, this gives up, and graphql-core reads all variables from the start. So what is wrong is always said by
graphql-core, in its own words.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    get_operation_ast,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT
from graphql.utilities.coerce_input_value import coerce_default_value

Read = Callable[[Any], Any]
Values = dict[str, Any]
PLAIN: dict[GraphQLLeafType, type] = {GraphQLID: str, GraphQLString: str, GraphQLBoolean: bool}


class Unsure(Exception):
    """Something that is left to graphql-core."""


@dataclass
class Readers:
    """How the values of one schema's input types are read."""

    of: dict[GraphQLInputObjectType, Read] = field(default_factory=dict)
    making: set[GraphQLInputObjectType] = field(default_factory=set)

    def reader(self, type_: GraphQLInputType) -> Read:
        """A function that reads a value of a type. Raises Unsure, also where the type is no plain one."""
        if is_non_null_type(type_):
            return self._given(type_.of_type)
        given = self._given(type_)
        return lambda value: None if value is None else given(value)

    def _given(self, type_: GraphQLInputType) -> Read:
        """The same, for values that are not None."""
        if is_list_type(type_):
            return _list(self.reader(type_.of_type))
        if is_input_object_type(type_):
            return self._object(type_)
        return _enum(type_) if isinstance(type_, GraphQLEnumType) else _scalar(type_)  # type: ignore[arg-type]

    def _object(self, type_: GraphQLInputObjectType) -> Read:
        if type_ in self.making:
            raise Unsure("a type that holds itself")
        if type_ not in self.of:
            self.making.add(type_)
            try:
                self.of[type_] = _object(type_, [self._field(*one) for one in type_.fields.items()])
            finally:
                self.making.discard(type_)
        return self.of[type_]

    def _field(self, name: str, field: GraphQLInputField) -> tuple[str, str, Read, bool, Any]:
        is_required = is_required_input_field(field)
        default = Undefined if is_required else coerce_default_value(field)
        return name, field.out_name or name, self.reader(field.type), is_required, default


def _list(item: Read) -> Read:
    def read(value: Any) -> Any:
        if value.__class__ is not list:
            raise Unsure("one for a list of one")
        return [item(one) for one in value]

    return read


def _object(type_: GraphQLInputObjectType, fields: list[tuple[str, str, Read, bool, Any]]) -> Read:
    made = type_.out_type

    def read(value: Any) -> Any:
        if value.__class__ is not dict:
            raise Unsure("no object")
        found, known = {}, 0
        for name, out, of, is_required, default in fields:
            if name in value:
                known += 1
                found[out] = of(value[name])
            elif is_required:
                raise Unsure("a field is missing")
            elif default is not Undefined:
                found[out] = default
        if known != len(value):
            raise Unsure("a field that is not known")
        if type_.is_one_of and (known != 1 or None in found.values()):
            raise Unsure("not exactly one field")
        return made(found)

    return read


def _enum(type_: GraphQLEnumType) -> Read:
    known = {name: type_.coerce_input_value(name) for name in type_.values}

    def read(value: Any) -> Any:
        if value.__class__ is not str or value not in known:
            raise Unsure("no member")
        return known[value]

    return read


def _scalar(type_: GraphQLLeafType) -> Read:
    plain, coerce = PLAIN.get(type_), type_.coerce_input_value
    if type_ is GraphQLInt:
        return _int

    def read(value: Any) -> Any:
        if value.__class__ is plain:
            return value
        if value is None:  # which some scalars would take
            raise Unsure("null where none may be")
        try:
            found = coerce(value)
        except Exception as error:
            raise Unsure("no such value") from error
        if found is Undefined:
            raise Unsure("no such value")
        return found

    return read


def _int(value: Any) -> Any:
    if value.__class__ is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT:
        return value
    raise Unsure("no such number")


@dataclass
class Variables:
    """How the variables of one operation are read. `bare` is its document without them."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    bare: DocumentNode
    of: list[tuple[str, Any, Read]]

    def read(self, given: Values) -> VariableValues | None:
        """The values of all variables; None where graphql-core has to look."""
        sources, coerced = {}, {}
        try:
            for name, signature, read in self.of:
                sources[name] = VariableValueSource(signature, given[name])
                coerced[name] = read(given[name])
        except (Unsure, KeyError, RecursionError):
            return None
        return VariableValues(sources, coerced)


class Inputs:
    """The readers of every schema, and of every operation that is still known somewhere else."""

    def __init__(self) -> None:
        self._readers: weakref.WeakKeyDictionary[GraphQLSchema, Readers] = weakref.WeakKeyDictionary()
        self._known: dict[tuple[int, str | None], tuple[Any, Variables | None]] = {}

    def of(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> Variables | None:
        """How an operation's variables are read; None where graphql-core reads them, or where it has none."""
        key = id(document), name
        known = self._known.get(key)
        if known is None or known[0]() is not document or (known[1] and known[1].schema is not schema):
            variables = self._variables(schema, document, name)
            known = weakref.ref(document, lambda _: self._known.pop(key, None)), variables
            self._known[key] = known
        return known[1]

    def _variables(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> Variables | None:
        operation = get_operation_ast(document, name)
        if operation is None or not operation.variable_definitions:
            return None
        readers = self._readers.setdefault(schema, Readers())
        found: list[tuple[str, Any, Read]] = []
        for node in operation.variable_definitions:
            signature = get_variable_signature(schema, node)
            if isinstance(signature, GraphQLError):
                return None
            try:
                found.append((signature.name, signature, readers.reader(signature.type)))
            except Unsure:
                return None
        return Variables(schema, operation, _bare(document, operation), found)


def _bare(document: DocumentNode, operation: OperationDefinitionNode) -> DocumentNode:
    parts = {name: getattr(operation, name) for name in operation.keys}
    without = OperationDefinitionNode(**{**parts, "variable_definitions": ()})
    return DocumentNode(
        definitions=tuple(without if one is operation else one for one in document.definitions),
        loc=document.loc,
    )
