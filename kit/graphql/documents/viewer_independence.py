"""Viewer independence: whether an answer is the same for every viewer that may have it.

A field is viewer-independent if it only reads its object, or if its metadata sets `viewer_independent`. A resolver
with an `info` argument can reach the caller, so it counts as dependent unless its metadata says otherwise.
"""

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    visit,
)

DEFINITION = "strawberry-definition"


def is_viewer_independent(
    document: DocumentNode, operation: OperationDefinitionNode, schema: GraphQLSchema
) -> bool:
    """Return whether every field below the root of an operation is viewer-independent."""
    info, found = TypeInfo(schema), FieldTree(schema)
    for definition in document.definitions:
        if definition is operation or isinstance(definition, FragmentDefinitionNode):
            visit(definition, TypeInfoVisitor(info, found.of(info)))
    return found.is_viewer_independent


class FieldTree(Visitor):
    """Looks at the fields below an operation's root."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self._schema, self.is_viewer_independent = schema, True

    def of(self, info: TypeInfo) -> "FieldTree":
        self._info = info
        return self

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, name = self._info.get_parent_type(), node.name.value
        if parent in (self._schema.query_type, self._schema.mutation_type):
            self.is_viewer_independent = False
        if parent is self._schema.subscription_type or name.startswith("__"):
            return
        kinds: Any = (parent,)
        if isinstance(parent, GraphQLInterfaceType):
            kinds = self._schema.get_possible_types(parent)
        if not all(
            isinstance(kind, GraphQLObjectType) and _is_field_independent(kind, name) for kind in kinds
        ):
            self.is_viewer_independent = False


def _is_field_independent(kind: GraphQLObjectType, name: str) -> bool:
    field = kind.fields[name].extensions.get(DEFINITION)
    if field is None:
        return False
    declared = field.metadata.get("viewer_independent")
    if declared is not None:
        return bool(declared)
    resolver = field.base_resolver
    return not field.permission_classes and (resolver is None or resolver.info_parameter is None)


def beginning(document: DocumentNode, operation: OperationDefinitionNode) -> str | None:
    """The variable that says nothing but where a feed begins: `after` of the root field, used nowhere else."""
    [root, *others] = operation.selection_set.selections
    if others or not isinstance(root, FieldNode):
        return None
    given = next(
        (argument.value for argument in root.arguments or () if argument.name.value == "after"), None
    )
    if not isinstance(given, VariableNode):
        return None
    name = given.name.value
    uses = FieldUses(name)
    visit(document, uses)
    return name if uses.count == 2 else None  # where it is declared, and there


class FieldUses(Visitor):
    """Counts how often a variable is named."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self.count = name, 0

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.count += node.name.value == self._name
