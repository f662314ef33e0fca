"""A cache of documents, so that each is parsed, measured, validated and priced once.

Why. Clients send the same few documents repeatedly, and parsing one costs more than executing it.

Promise. The cache holds at most `most` documents and MAX_CACHED_CHARACTERS characters of their text: a parsed
document takes about a hundred times the memory of its text. A rejected document is not cached, so it cannot
evict one that is in use.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
)
from strawberry import Schema
from strawberry.schema.schema import validate_document

from kit.graphql.documents.viewer_independence import beginning, is_viewer_independent
from kit.graphql.errors import Code, PublicError
from kit.graphql.limits.cost import cost_of
from kit.graphql.limits.document_size import DocumentLimits, LimitExceeded, check_document
from kit.graphql.limits.input_size import InputSize, Measure, Shape, measure_variables, shapes_of
from kit.graphql.limits.list_size import ListRules, rules_of

MAX_CACHED_CHARACTERS = 512_000  # characters of all texts together
NOTED = 200  # characters of such a value
MAX_CACHED_PRICES = 16  # costs remembered for one operation, by the values they depend on


@dataclass
class ParsedDocument:
    """One text, parsed and within the limits."""

    text: str
    node: DocumentNode
    valid: set[tuple[type[ASTValidationRule], ...]] = field(default_factory=set)
    depends: dict[str | None, frozenset[str]] = field(default_factory=dict)
    prices: OrderedDict[tuple[Any, ...], int] = field(default_factory=OrderedDict)
    sharing: dict[str | None, tuple[str | None, bool]] = field(default_factory=dict)
    subjects: dict[str | None, Any] = field(default_factory=dict)  # of its operations; see response_cache.py
    shapes: dict[str | None, dict[str, Shape]] = field(default_factory=dict)  # of its operations' variables

    @cached_property
    def digest(self) -> bytes:
        """A digest of the text, for keys that must not contain the text."""
        return digest(self.text.encode("utf-8", "surrogatepass"))

    def price(
        self,
        name: str | None,
        schema: Schema,
        rules: ListRules,
        variables: Mapping[str, Any] | None,
        limits: DocumentLimits,
    ) -> int:
        """Return the cost of one operation. Errors: LimitExceeded; see cost_of."""
        operation = get_operation_ast(self.node, name)
        root = operation and schema._schema.get_root_type(operation.operation)
        if not isinstance(operation, OperationDefinitionNode) or root is None:
            return 0  # unknown: the library says so when it executes
        given = variables or {}
        if name not in self.shapes:
            self.shapes[name] = shapes_of(schema._schema).of_variables(operation)
        sizes = measure_variables(self.shapes[name], given, limits)
        key = self._key(name, given, sizes)
        if key is not None and key in self.prices:
            return self.prices[key]
        measure = Measure(limits, sizes | self._defaults(operation, name, given, limits))
        cost, self.depends[name] = cost_of(self.node, operation, str(root.name), rules, given, measure)
        if (key := self._key(name, given, sizes)) is not None:
            self.prices[key] = cost
            if len(self.prices) > MAX_CACHED_PRICES:
                self.prices.popitem(last=False)
        return cost

    def asked(
        self, name: str | None, schema: Schema, variables: Mapping[str, Any] | None
    ) -> tuple[Hashable, bool]:
        """Return the key that equal subscriptions share, and whether their answer is viewer-independent."""
        if name not in self.sharing:
            operation = get_operation_ast(self.node, name)
            assert operation is not None, "it is asked"
            found = (
                beginning(self.node, operation),
                is_viewer_independent(self.node, operation, schema._schema),
            )
            self.sharing[name] = found
        begins, viewer_independent = self.sharing[name]
        values = {key: value for key, value in (variables or {}).items() if key != begins}
        return (self.text, name, orjson.dumps(values, option=orjson.OPT_SORT_KEYS)), viewer_independent

    def _defaults(
        self,
        operation: OperationDefinitionNode,
        name: str | None,
        given: Mapping[str, Any],
        limits: DocumentLimits,
    ) -> dict[str, InputSize]:
        """The sizes of the variables that are as the document says."""
        measure, shapes = Measure(limits), self.shapes[name]
        return {
            one.variable.name.value: measure.value(one.default_value, shapes[one.variable.name.value], 0)
            for one in operation.variable_definitions or ()
            if one.variable.name.value in shapes.keys() - given.keys() and one.default_value is not None
        }

    def _key(
        self, name: str | None, variables: Mapping[str, Any], sizes: Mapping[str, InputSize]
    ) -> tuple[Any, ...] | None:
        if name not in self.depends:
            return None
        depends = sorted(self.depends[name])
        return name, *(_noted(variables.get(v, KeyError)) for v in depends), *map(sizes.get, depends)


def _noted(value: Any) -> Hashable:
    """Return the part of a value that a cost may depend on: a number, a name or the length of a list."""
    if isinstance(value, list):
        return len(value)
    known: Hashable = (type(value), value) if isinstance(value, int | str) else None
    return known if len(str(known)) < NOTED else KeyError


def digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=32).digest()


def is_one_field(document: DocumentNode | None, name: str | None) -> bool:
    """Whether an operation asks for one field, written at its root itself."""
    operation = get_operation_ast(document, name) if document else None
    selections = operation.selection_set.selections if operation else ()
    return len(selections) == 1 and isinstance(selections[0], FieldNode)


class Documents:
    """The documents of one schema."""

    def __init__(self, limits: DocumentLimits, *, most: int = 512) -> None:
        self.limits, self._most = limits, most
        self._known: OrderedDict[str, ParsedDocument] = OrderedDict()
        self._characters = 0
        self._rules: dict[int, ListRules] = {}
        self._turns: WeakKeyDictionary[Any, asyncio.Lock] = WeakKeyDictionary()  # by event loop

    async def turn(self) -> None:
        """Wait until a new text may be read: one at a time, with a look at everything else before each."""
        async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            await asyncio.sleep(0)

    def read(self, text: str) -> ParsedDocument:
        """Return the parsed text. Errors: LimitExceeded, GraphQLSyntaxError."""
        if (known := self._known.get(text)) is not None:
            self._known.move_to_end(text)
            return known
        if len(text) > self.limits.query:
            raise LimitExceeded("query characters", len(text), self.limits.query)
        document = ParsedDocument(text, self._parsed(text))
        check_document(document.node, self.limits)
        return document

    def known(self, text: str | None) -> ParsedDocument | None:
        """The document of a text that was found valid before."""
        return self._known.get(text) if text is not None else None

    def check(self, document: ParsedDocument, schema: Schema, rules: Any) -> None:
        """Validate, and keep the document if it is valid. Errors: Invalid, with the library's."""
        if rules in document.valid:
            return
        errors = validate_document(schema._schema, document.node, rules)
        if errors:
            raise InvalidDocument(errors)
        document.valid.add(rules)
        self._keep(document)

    def rules(self, schema: Schema) -> ListRules:
        """Return what the fields of `schema` cost, read once."""
        key = id(schema._schema)
        if key not in self._rules:
            self._rules[key] = rules_of(schema._schema)
        return self._rules[key]

    def _parsed(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_lexical_tokens=self.limits.tokens)
        except GraphQLError as error:
            if "tokens" in error.message and "aborted" in error.message:
                over = self.limits.tokens + 1
                raise LimitExceeded("tokens", over, self.limits.tokens) from error
            raise

    def _keep(self, document: ParsedDocument) -> None:
        if document.text not in self._known:
            self._known[document.text] = document
            self._characters += len(document.text)
        while len(self._known) > self._most or self._characters > MAX_CACHED_CHARACTERS:
            _, gone = self._known.popitem(last=False)
            self._characters -= len(gone.text)


class InvalidDocument(Exception):
    """The document breaks a rule of validation."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("invalid document")
        self.errors = [_validation_error(error) for error in errors]


def _validation_error(error: GraphQLError) -> GraphQLError:
    if isinstance(error, PublicError) or (error.extensions or {}).get("code"):
        return error
    error.extensions = {**(error.extensions or {}), "code": str(Code.VALIDATION_FAILED)}
    return error
