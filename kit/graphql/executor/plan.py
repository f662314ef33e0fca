"""Plans: the steps for each object of a type, collected once for each operation."""

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import Executor as Core
from strawberry.types.field import StrawberryField

from kit.graphql.executor.batch_resolver import BatchResolver, Columns, batch_resolver_of
from kit.graphql.executor.json_rows import MAX_KEYS, Entry
from kit.graphql.executor.leaves import Leaves, Unplanned, leaves_of

MAX_REMEMBERED_CHOICES = 16  # of @include and @skip that are remembered for one operation


@dataclass
class FieldPlan:
    """One response key of a plan."""

    key: str
    definition: GraphQLField
    node: FieldNode  # the first of its nodes: the one whose arguments count
    below: "Selection"
    read: Any = None  # of a column: reads the attribute of an object
    name: str = ""  # of a column: the attribute
    leaves: Leaves | None = None  # of a leaf
    together: BatchResolver | None = None
    constant: str | None = None
    _texts: tuple[Entry, ...] | bool | None = False  # False: not looked yet

    @property
    def reads(self) -> Columns:
        """The attributes of an object that this step looks at; None where that is not known."""
        if self.constant is not None:
            return frozenset()
        if self.read is not None:
            return frozenset((self.name,))
        return self.together.reads if self.together else None

    def columns(self, core: Core[Any]) -> Columns:
        """The attributes that will be read of what the field answers; None where that is not known."""
        named = get_named_type(self.definition.type)
        if self.together is None or not self.together.sure or not is_object_type(named):
            return None
        return self.below.plan(core, named).columns

    def wanted(self, core: Core[Any]) -> Columns:
        """The attributes that will be read of the nodes, where the field is a Relay connection; else None."""
        named = get_named_type(self.definition.type)
        if not is_object_type(named) or not named.name.endswith("Connection"):
            return None
        found = {"id"}  # by which a node's type is known
        for step in self.below.plan(core, named).steps:
            inner = get_named_type(step.definition.type)
            ways = [step] if step.node.name.value == "nodes" else []
            if step.node.name.value == "edges" and is_object_type(inner):
                ways = [one for one in step.below.plan(core, inner).steps if one.node.name.value == "node"]
            for way in ways:
                node = get_named_type(way.definition.type)
                columns = way.below.plan(core, node).columns if is_object_type(node) else None
                if columns is None:
                    return None
                found |= columns
        return frozenset(found)

    def texts(self, core: Core[Any]) -> tuple[Entry, ...] | None:
        """The entries of each item in the field's lists, or None if the database cannot return all as JSON."""
        if isinstance(self._texts, bool):
            self._texts = self._written(core)
        return self._texts

    def _written(self, core: Core[Any]) -> tuple[Entry, ...] | None:
        listed, named = get_nullable_type(self.definition.type), get_named_type(self.definition.type)
        texts = self.together.texts if self.together else None
        if texts is None or not is_object_type(named) or not is_list_type(listed):
            return None
        if not is_non_null_type(listed.of_type) or listed.of_type.of_type is not named:
            return None
        steps = self.below.plan(core, named).steps
        if not 0 < len(steps) <= MAX_KEYS:
            return None
        for step in steps:
            if step.constant is None and not (
                step.name and step.leaves and texts.can(step.name, step.definition.type)
            ):
                return None
        return tuple((step.key, step.constant or step.name, step.constant is None) for step in steps)


@dataclass
class Plan:
    """The fields to resolve for the objects of one type."""

    type: GraphQLObjectType
    steps: list[FieldPlan]
    columns: Columns = field(init=False)

    def __post_init__(self) -> None:
        self.keys = tuple(step.key for step in self.steps)
        reads = [step.reads for step in self.steps]
        known = [names for names in reads if names is not None]
        self.columns = frozenset().union(*known) if len(known) == len(reads) else None


class Selection:
    """The selection of one field's value, with one plan for each possible type."""

    def __init__(self, details: list[FieldDetails]) -> None:
        self._details = details
        self._plans: dict[GraphQLObjectType, Plan] = {}
        self.nodes = [one.node for one in details]

    def plan(self, core: Core[Any], type_: GraphQLObjectType) -> Plan:
        found = self._plans.get(type_)
        if found is None:
            found = self._plans[type_] = Plan(type_, list(self._steps(core, type_)))
        return found

    def _steps(self, core: Core[Any], type_: GraphQLObjectType) -> Iterator[FieldPlan]:
        fields, deferred, _ = core.collect_subfields(type_, self._details)
        if deferred or type_.name.startswith("__"):
            raise Unplanned("incremental delivery, or introspection")
        for key, details in fields.items():
            if any(one.defer_usage or one.fragment_variable_values for one in details):
                raise Unplanned("fragments with variables")
            node = details[0].node
            definition = core.schema.get_field(type_, node.name.value)
            if definition is None or any(d.name.value == "stream" for d in node.directives or ()):
                raise Unplanned("an unknown field, or a stream")
            yield _step(key, definition, type_, details)


def _step(
    key: str, definition: GraphQLField, type_: GraphQLObjectType, details: list[FieldDetails]
) -> FieldPlan:
    step = FieldPlan(key, definition, details[0].node, Selection(details))
    if step.node.name.value == "__typename":
        step.constant = type_.name
    elif (name := _attribute(definition)) is not None:
        step.name, step.read = name, attrgetter(name)
    else:
        step.together = batch_resolver_of(definition)
    if is_leaf_type(get_named_type(definition.type)):
        step.leaves = leaves_of(definition.type)
    return step


def _attribute(definition: GraphQLField) -> str | None:
    """Return the attribute that the field reads, or None if it reads more than one attribute."""
    strawberry_field = definition.extensions.get("strawberry-definition")
    plain = getattr(definition.resolve, "_is_default", False)
    if (
        isinstance(strawberry_field, StrawberryField)
        and plain
        and strawberry_field.is_basic_field
        and not strawberry_field.extensions
    ):
        return strawberry_field.python_name if strawberry_field.default_resolver is getattr else None
    return None


@dataclass
class OperationPlan:
    """The plans of one operation under one schema."""

    schema: GraphQLSchema
    conditions: list[str]  # the variables that @include and @skip look at
    chosen: dict[tuple[Any, ...], dict[str, Selection]] = field(default_factory=dict)

    def roots(self, variables: dict[str, Any]) -> dict[str, Selection]:
        """The selections of the root fields, by response key; the caller adds what is missing."""
        choice = tuple(variables.get(name) for name in self.conditions)
        if choice not in self.chosen and len(self.chosen) >= MAX_REMEMBERED_CHOICES:
            self.chosen.clear()
        return self.chosen.setdefault(choice, {})


class Plans:
    """The plans of every operation that is still known somewhere else, which is who bounds them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, OperationPlan]] = {}

    def of(self, core: Core[Any]) -> OperationPlan:
        node, key = core.operation, id(core.operation)
        known = self._known.get(key)
        if known is None or known[0]() is not node or known[1].schema is not core.schema:
            operation = OperationPlan(core.schema, sorted(set(_conditions(core))))
            known = weakref.ref(node, lambda _: self._known.pop(key, None)), operation
            self._known[key] = known
        return known[1]


def _conditions(core: Core[Any]) -> Iterator[str]:
    fragments = [fragment.selection_set for fragment in core.fragment_definitions.values()]
    waiting: list[SelectionSetNode] = [core.operation.selection_set, *fragments]
    while waiting:
        for node in waiting.pop().selections:
            for directive in node.directives or ():
                if directive.name.value in ("include", "skip"):
                    for argument in directive.arguments or ():
                        if isinstance(argument.value, VariableNode):
                            yield argument.value.name.value
            inner = getattr(node, "selection_set", None)
            if inner is not None:
                waiting.append(inner)
