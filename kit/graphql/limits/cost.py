"""The cost of an operation in points, computed before it runs.

A field that answers an object costs 1 point for each object, a leaf 0 and a mutation 10, unless `@cost` says
otherwise. A list multiplies its selection by the size requested (list_size.py). The document is walked once, and
each fragment once. Of alternatives by type the dearest counts, because an object has one type. @skip and @include
are ignored: the cost is that of the whole document.

The limit is 20,000 points (`DocumentLimits.cost`). A board of 500 cards with subtasks, labels, assignees and open
questions costs 7,500; the first page of every workspace with its labels and members 12,700, because a workspace may
have 200 labels; both must pass. Measured on 500 cards on SQLite, in processor time without garbage collection: an
operation of 15,000 to 18,000 points holds the event loop for about 35 ms at a time, and for 20 to 65 ms where
graphql-core answers it again because it has an error (executor/executor.py pauses it; 370 ms without the pauses). A
full collection meanwhile adds 100 to 200 ms.

Points that an answer did not use are given back to the bucket, so small boards pay for their own size. The bucket
(`POINTS`, `POINTS_PER_SECOND`) lets a person read such a page every second for ten seconds; a client that asks
without a pause then gets one every five or six seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from kit.graphql.errors import Code
from kit.graphql.introspection import KEPT_POINTS, OBJECTS_PER_POINT, introspected
from kit.graphql.limits.document_size import LimitExceeded
from kit.graphql.limits.input_size import NOTHING, InputSize, Measure
from kit.graphql.limits.list_size import DEFAULT_LIST_SIZE, ListRule, ListRules

ASSUMED_ITEMS = 1_000_000  # items taken for a slicing argument that is no number; validation says so


@dataclass
class Points:
    """The cost of one selection set, for one object of its type."""

    plain: int = 0
    # Points counted once for each object of the named type around them, whatever lies between:
    # (those points, and the same multiplied as if no such object were there).
    within: dict[str, tuple[int, int]] = field(default_factory=dict)
    input: InputSize = NOTHING  # of all arguments, as they are written: lists around them do not multiply it

    def times(self, size: int) -> "Points":
        held = {name: (once, each * size) for name, (once, each) in self.within.items()}
        return Points(self.plain * size, held, self.input)

    def add(self, other: "Points") -> None:
        self.plain += other.plain
        self.input = self.input.beside(other.input)
        for name, (once, each) in other.within.items():
            mine = self.within.get(name, (0, 0))
            self.within[name] = mine[0] + once, mine[1] + each

    def settled(self, name: str) -> "Points":
        """Count here, at one object of type `name`, what was to be counted once for it."""
        if name in self.within:
            self.plain += self.within.pop(name)[0]
        return self

    @property
    def total(self) -> int:
        return self.plain + sum(each for _, each in self.within.values())


def cost_of(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    root: str,
    rules: ListRules,
    variables: Mapping[str, Any] | None,
    measure: Measure,
) -> tuple[int, frozenset[str]]:
    """Return the points of `operation` and the variables that they depend on. `measure` knows the variables' sizes.

    Errors: LimitExceeded if a slicing argument is below 1 or above its maximum, or the input or what is asked
    of the schema is too large.
    """
    walk = _CostWalk(document, operation, rules, variables or {}, measure)
    points = walk.selections(operation.selection_set, root, None)
    measure.checked(points.input)
    return points.total, frozenset(walk.used | measure.used)


Sized = tuple[frozenset[str], int] | None  # fields of a connection, and how long they are


class _CostWalk:
    def __init__(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        rules: ListRules,
        variables: Mapping[str, Any],
        measure: Measure,
    ) -> None:
        found = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
        self._fragments = {fragment.name.value: fragment for fragment in found}
        self._defaults = {
            v.variable.name.value: v.default_value for v in operation.variable_definitions or ()
        }
        self._rules, self._variables, self._measure = rules, variables, measure
        self._known: dict[tuple[str, Sized], Points] = {}
        self.used: set[str] = set()

    def selections(self, selections: SelectionSetNode | None, owner: str, sized: Sized) -> Points:
        points = Points()
        by_type: dict[str, Points] = {}
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                points.add(self._field(node, owner, sized))
                continue
            name, inner = self._fragment(node, owner, sized)
            alternative = name != owner and name in self._rules.objects
            (by_type.setdefault(name, Points()) if alternative else points).add(inner)
        dearest = max(by_type.values(), key=lambda p: p.total, default=None)
        for one in by_type.values():
            points.add(one if one is dearest else Points(input=one.input))
        return points.settled(owner)

    def _fragment(self, node: Any, owner: str, sized: Sized) -> tuple[str, Points]:
        if isinstance(node, InlineFragmentNode):
            name = node.type_condition.name.value if node.type_condition else owner
            return name, self.selections(node.selection_set, name, sized)
        fragment = self._fragments[node.name.value]
        name = fragment.type_condition.name.value
        key = node.name.value, sized
        if key not in self._known:
            self._known[key] = self.selections(fragment.selection_set, name, sized)
        return name, self._known[key]

    def _field(self, node: FieldNode, owner: str, sized: Sized) -> Points:
        name = node.name.value
        rule = self._rules.fields.get(owner, {}).get(name)
        if rule is None:
            return Points(0 if name == "__typename" else self._introspection(node))
        size = self._size(node, rule)
        points = Points(rule.weight)
        if rule.item is not None:
            below = (rule.sized, size) if rule.sized else None
            points.add(self.selections(node.selection_set, rule.item, below))
        if not rule.listed or rule.item is None:
            pass
        elif rule.size is None and sized is not None and name in sized[0]:
            points = points.times(sized[1])
        else:
            points = points.times(size)
        if rule.size is not None and rule.size.within:
            points = Points(0, {rule.size.within: (points.total, points.total)}, points.input)
        if rule.inputs:
            given = self._input(node, rule)
            points.add(Points(given.points, input=given))
        return points

    def _input(self, node: FieldNode, rule: ListRule) -> InputSize:
        size = NOTHING
        for argument in node.arguments or ():
            shape = rule.inputs.get(argument.name.value)
            if shape is not None:
                size = size.beside(self._measure.value(argument.value, shape, 0))
        return size

    def _introspection(self, node: FieldNode) -> int:
        given = next((a.value for a in node.arguments or () if a.name.value == "name"), None)
        if isinstance(given, VariableNode):
            self.used.add(given.name.value)
            name = self._variables.get(given.name.value)
        else:
            name = getattr(given, "value", None)
        name = name if isinstance(name, str) else None
        objects = introspected(self._rules.schema, node, self._fragments, name)
        return max(KEPT_POINTS, objects // OBJECTS_PER_POINT)

    def _size(self, node: FieldNode, rule: ListRule) -> int:
        if rule.size is None:
            return DEFAULT_LIST_SIZE
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        asked = [
            self._checked(name, value, rule.size.maximum)
            for name in rule.size.slicing_arguments or ()
            if (value := self._value(given.get(name), rule.defaults.get(name))) is not None
        ]
        return max(asked) if asked else rule.size.assumed_size

    def _value(self, node: ValueNode | None, default: Any) -> Any:
        """Return a number, a list's length or None. A variable is noted as used."""
        if isinstance(node, VariableNode):
            name = node.name.value
            self.used.add(name)
            if name not in self._variables:
                return self._value(self._defaults.get(name), default)
            value = self._variables[name]
            return max(1, len(value)) if isinstance(value, list) else value
        if isinstance(node, IntValueNode):
            return int(node.value[:12])  # more digits than any maximum has
        if isinstance(node, ListValueNode):
            return max(1, len(node.values))  # no key at all is no mistake
        return default if node is None else None if isinstance(node, NullValueNode) else ASSUMED_ITEMS

    def _checked(self, name: str, value: Any, maximum: int | None) -> int:
        size = value if isinstance(value, int) else ASSUMED_ITEMS
        if maximum and not 1 <= size <= maximum:
            raise LimitExceeded(name, size, maximum, code=Code.LIMIT_EXCEEDED)
        return max(1, size)
