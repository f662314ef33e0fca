"""The size of a document, found in one walk before it is validated.

Each fragment is walked once and its figures remembered, so the walk costs as much as the document
is long, also for fragments that double at every step. The limiters of the GraphQL library walk a
fragment again at every spread: 680 bytes keep them busy for seconds. Unknown fragments count as
nothing here; validation reports them.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
)

from kit.graphql.errors import Code, PublicError

MAX_WALK_DEPTH = 200  # levels of fields and fragments walked; far above any depth allowed
MAX_NUMBER_LENGTH = 100  # characters of one number; a double has at most 24
MAX_PATH_CHARACTERS = 200  # of where in the input something is
MAX_REPORTED_FIGURE = 1_000_000  # the largest figure told: a bomb's has hundreds of digits


@dataclass(frozen=True)
class DocumentLimits:
    """The limits of one operation. Numbers are counts unless a comment gives a unit."""

    query: int = 16_384  # characters
    tokens: int = 2_000
    operations: int = 10  # in one document
    fragments: int = 60
    depth: int = 12  # fields inside fields; introspection has the library's own rule
    fields: int = 400  # after fragments are unfolded
    aliases: int = 30
    directives: int = 20
    directives_here: int = 5  # on one node
    list_items: int = 250  # in one list of the input
    input_items: int = 2_500  # in all lists of the input together
    nested: int = 200  # objects of input types that hold themselves, as a filter's, and their fields
    nested_levels: int = 5  # of such objects, one inside the other
    text: int = 1_000_000  # characters in one string of the input; each field has a bound of its own besides
    cost: int = 20_000  # points; see cost.py for what a point is and why so many


class LimitExceeded(PublicError):
    """A limit was passed: which one, by how much, and what is allowed. A size of 0 or less is refused as well."""

    code = Code.TOO_COMPLEX

    def __init__(
        self,
        limit: str,
        actual: int,
        maximum: int,
        *,
        code: str | None = None,
        text: str | None = None,
        **more: Any,
    ) -> None:
        actual = min(actual, MAX_REPORTED_FIGURE)
        over = text or f"Over the limit of {limit}: {actual}, at most {maximum} allowed"
        super().__init__(
            over if actual > maximum else f"{limit} takes 1 to {maximum}, not {actual}",
            code=code,
            limit=limit,
            actual=actual,
            maximum=maximum,
            **more,
        )


class DocumentSize(NamedTuple):
    """The figures of one selection set, its fragments unfolded."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "DocumentSize") -> "DocumentSize":
        depth = max(self.depth, other.depth)
        return DocumentSize(depth, *(a + b for a, b in zip(self[1:], other[1:], strict=True)))


def check_document(document: DocumentNode, limits: DocumentLimits) -> None:
    """Raise LimitExceeded if an operation of `document`, or a fragment alone, is too large."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
    _check("operations", len(operations), limits.operations)
    _check("fragments", len(fragments), limits.fragments)
    walk = _SizeWalk({fragment.name.value: fragment for fragment in fragments}, limits)
    found: list[OperationDefinitionNode | FragmentDefinitionNode] = [*operations, *fragments]
    for definition in found:  # an unused fragment is validated all the same
        walk.input(v.default_value for v in definition.variable_definitions or ())
        size = walk.definition(definition)
        here = walk.directives(definition)
        if isinstance(definition, OperationDefinitionNode):
            _check("depth", size.depth, limits.depth)  # a fragment may be on introspection's types
        _check("fields", size.fields, limits.fields)
        _check("aliases", size.aliases, limits.aliases)
        _check("directives", size.directives + here, limits.directives)


def check_variables(variables: Mapping[str, Any] | None, limits: DocumentLimits) -> None:
    """Raise LimitExceeded if a list or a text among the values is too long. Depth is JSON's.

    BAD_USER_INPUT for a value with U+0000: over HTTP JSON refused it, but not everybody asks over HTTP.
    """
    text = limits.text
    level: list[Any] = [variables] if variables else []
    while level:
        below: list[Any] = []
        for one in level:
            for value in one if one.__class__ is list else one.values():
                kind = value.__class__  # JSON's own: a report has thousands of values
                if kind is str:
                    if len(value) > text:
                        raise _too_long("text", value, text, variables)
                    if "\0" in value:
                        raise _nul()
                elif kind is list:
                    if len(value) > limits.list_items:
                        raise _too_long("list items", value, limits.list_items, variables)
                    below.append(value)
                elif kind is dict:
                    below.append(value)
        level = below


def _too_long(limit: str, value: Any, maximum: int, variables: Any) -> LimitExceeded:
    """Say where among the variables a value is that is too long: `input.result.files`."""
    level: list[tuple[str, Any]] = [("", variables)]
    found = ""
    while level and not found:
        below: list[tuple[str, Any]] = []
        for path, one in level:
            named = one.items() if isinstance(one, dict) else enumerate(one)
            for name, inner in named:
                at = f"{path}.{name}"[:MAX_PATH_CHARACTERS]
                found = found or (at if inner is value else "")
                below += [(at, inner)] if isinstance(inner, dict | list) else []
        level = below
    return LimitExceeded(limit, len(value), maximum, code=Code.LIMIT_EXCEEDED, path=found.lstrip("."))


def _check(limit: str, actual: int, maximum: int, *, code: str | None = None) -> None:
    if actual > maximum:
        raise LimitExceeded(limit, actual, maximum, code=code)


def _nul() -> PublicError:
    # PostgreSQL fails on it wherever it is sent, also where no field is asked yet.
    return PublicError("U+0000 is not accepted", code=Code.BAD_USER_INPUT)


def _check_number(literal: str) -> None:
    # The library fails on these inside the field, where it looks like a resolver's own mistake.
    _check("digits", len(literal), MAX_NUMBER_LENGTH, code=Code.LIMIT_EXCEEDED)
    if math.isinf(float(literal)):
        raise PublicError("A number is beyond a double", code=Code.BAD_USER_INPUT)


class _SizeWalk:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode], limits: DocumentLimits) -> None:
        self._fragments, self._limits = fragments, limits
        self._known: dict[str, DocumentSize] = {}
        self._open: set[str] = set()  # fragments being walked
        self._steps = 0

    def definition(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> DocumentSize:
        if isinstance(node, FragmentDefinitionNode):
            return self._fragment(node.name.value)
        return self.selections(node.selection_set)

    def selections(self, selections: SelectionSetNode | None) -> DocumentSize:
        size = DocumentSize()
        if selections is None:
            return size
        self._steps += 1
        _check("depth", self._steps if self._steps > MAX_WALK_DEPTH else 0, self._limits.depth)
        for node in selections.selections:
            size = size.beside(self._selection(node))
        self._steps -= 1
        return size

    def _selection(self, node: Any) -> DocumentSize:
        here = self.directives(node)
        if isinstance(node, FieldNode):
            self.input(argument.value for argument in node.arguments or ())
            depth, fields, aliases, directives = self.selections(node.selection_set)
            depth = 1 if node.name.value.startswith("__") else depth + 1
            aliased = node.alias is not None
            return DocumentSize(depth, fields + 1, aliases + aliased, directives + here)
        if isinstance(node, InlineFragmentNode):
            inner = self.selections(node.selection_set)
        else:
            assert isinstance(node, FragmentSpreadNode), "A selection is one of three nodes"
            inner = self._fragment(node.name.value)
        return inner._replace(directives=inner.directives + here)

    def _fragment(self, name: str) -> DocumentSize:
        fragment = self._fragments.get(name)
        if fragment is None:
            return DocumentSize()
        if name in self._open:  # validation says so too, after it looked at each path of the knot
            text = f"Cannot spread fragment '{name}' within itself."
            raise PublicError(text, code=Code.VALIDATION_FAILED)
        if name not in self._known:
            self._open.add(name)
            self._known[name] = self.selections(fragment.selection_set)
            self._open.discard(name)
        return self._known[name]

    def directives(self, node: Any) -> int:
        for directive in node.directives or ():
            self.input(argument.value for argument in directive.arguments or ())
        count = len(node.directives or ())
        _check("directives in one place", count, self._limits.directives_here)
        return count

    def input(self, values: Iterable[ValueNode | None]) -> None:
        level = list(values)
        while level:
            below: list[ValueNode | None] = []
            for value in level:
                if isinstance(value, ListValueNode):
                    maximum = self._limits.list_items
                    _check("list items", len(value.values), maximum, code=Code.LIMIT_EXCEEDED)
                    below += value.values
                elif isinstance(value, IntValueNode | FloatValueNode):
                    _check_number(value.value)
                elif isinstance(value, StringValueNode):
                    if "\0" in value.value:
                        raise _nul()
                elif isinstance(value, ObjectValueNode):
                    below += [field.value for field in value.fields]
            level = below
