"""Queries in other clothes: the same selections with fragments, aliases, @include and @skip."""

from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from hypothesis import strategies as st

VARIABLES = ("yes", "no")


class Dresser(Visitor):
    def __init__(self, types: TypeInfo, draw: Any) -> None:
        super().__init__()
        self.types, self.draw = types, draw
        self.fragments: list[FragmentDefinitionNode] = []

    def leave_field(self, node: FieldNode, *_: Any) -> Any:
        choice = self.draw(st.integers(0, 11))
        if choice == 0:
            return _with(node, directives=(_directive(self.draw),))
        if choice == 1 and node.alias is None:
            return _with(node, alias=NameNode(value=f"{node.name.value}_{self.draw(st.integers(0, 2))}"))
        return None

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
        parent, choice = self.types.get_parent_type(), self.draw(st.integers(0, 9))
        if parent is None or choice > 3:
            return None
        on = NamedTypeNode(name=NameNode(value=parent.name))
        inner = SelectionSetNode(selections=node.selections)
        if choice < 2:
            name = NameNode(value=f"F{len(self.fragments)}")
            made = FragmentDefinitionNode(name=name, type_condition=on, selection_set=inner, directives=())
            self.fragments.append(made)
            spread = FragmentSpreadNode(name=name, directives=())
        else:
            some = (_directive(self.draw),) if choice == 2 else ()
            spread = InlineFragmentNode(type_condition=on, selection_set=inner, directives=some)
        name = FieldNode(name=NameNode(value="__typename"), arguments=(), directives=())
        return SelectionSetNode(selections=(name, spread, *(node.selections[:1] if choice == 3 else ())))


def _with(node: FieldNode, **changes: Any) -> FieldNode:
    kept = {key: getattr(node, key) for key in ("name", "alias", "arguments", "directives", "selection_set")}
    return FieldNode(**{**kept, **changes})


def _directive(draw: Any) -> DirectiveNode:
    kind = draw(st.sampled_from(["include", "skip"]))
    values = [VariableNode(name=NameNode(value=name)) for name in VARIABLES]
    value = draw(
        st.sampled_from([*values, *values, BooleanValueNode(value=True), BooleanValueNode(value=False)])
    )
    arguments = (ArgumentNode(name=NameNode(value="if"), value=value),)
    return DirectiveNode(name=NameNode(value=kind), arguments=arguments)


def dressed(schema: GraphQLSchema, document: DocumentNode, draw: Any) -> DocumentNode:
    """The document, dressed by chance, with the variables $yes and $no declared."""
    types = TypeInfo(schema)
    dresser = Dresser(types, draw)
    [operation] = [
        node
        for node in visit(document, TypeInfoVisitor(types, dresser)).definitions
        if isinstance(node, OperationDefinitionNode)
    ]
    boolean = NamedTypeNode(name=NameNode(value="Boolean"))
    declared = tuple(
        VariableDefinitionNode(
            variable=VariableNode(name=NameNode(value=name)),
            type=boolean,
            default_value=BooleanValueNode(value=name == "yes"),
            directives=(),
        )
        for name in VARIABLES
    )
    made = OperationDefinitionNode(
        operation=operation.operation,
        name=None,
        variable_definitions=declared,
        directives=(),
        selection_set=operation.selection_set,
    )
    return DocumentNode(definitions=(made, *dresser.fragments))
