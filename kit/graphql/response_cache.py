"""A cache of responses that are validated before each reuse.

How. Some responses contain the data of one object only. Every change of that data increments the object's version.
The cache stores such a response as encoded bytes. For a repeated query, the application reads the object's
validator in the statement that authenticates the caller: the version, if the caller may see the whole object.

Promise. A cached response is never stale. Its validator was read before the response was computed. So if a later
request reads the same validator, the data has not changed in between. A cached response grants no access: the
validator is read again for every request. Limits and rates apply as to any operation.

`CachePolicy` lists the fields that may be cached, and each document is checked once. Responses with any other
field are not cached, which includes fields added to the schema later.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    get_named_type,
    get_operation_ast,
    is_leaf_type,
)
from starlette.requests import Request
from strawberry.http import GraphQLRequestData

from kit.graphql.documents.documents import ParsedDocument, digest

MAX_CACHE_BYTES = 32 << 20  # of all answers that are kept
MAX_RESPONSE_BYTES = 4 << 20  # bytes of one answer that is kept
ENTRY_OVERHEAD_BYTES = (
    800  # bytes that one takes besides: what it is found by is a digest, however long the question was
)


@dataclass(frozen=True)
class CachePolicy:
    """The fields that a cached response may contain.

    root:      the field of Query that returns the object. Its argument `key` is the object's id.
    fields:    the cacheable fields of each type: data of the object, equal for all viewers of the whole object.
    arguments: the arguments that such a field may have.
    """

    root: str
    key: str
    fields: Mapping[str, frozenset[str]]
    arguments: frozenset[str]


@dataclass(frozen=True)
class CacheSubject:
    """The object that a cacheable operation reads."""

    name: str | None  # of the operation
    key: StringValueNode | VariableNode  # the id of the thing
    types: frozenset[str]  # that its answer is made of

    def id(self, variables: Mapping[str, Any]) -> str | None:
        if isinstance(self.key, StringValueNode):
            return self.key.value
        value = variables.get(self.key.name.value)
        return value if isinstance(value, str) else None


@dataclass(frozen=True)
class CacheableQuery:
    """One request whose answer may be kept: about what, and how it is found."""

    document: ParsedDocument
    name: str | None  # of the operation, if it was named
    subject: CacheSubject
    id: str
    variables: Mapping[str, Any]
    key: bytes


@dataclass
class CachedResponse:
    """An answer, and the proof that it was true under."""

    proof: str
    content: bytes
    objects: int | None

    @cached_property
    def tag(self) -> str:
        return etag_of(self.content)


# Given the request, the thing's id and the types of the answer: the context, and the proof, or None.
Prove = Callable[[Request, str, frozenset[str]], Awaitable[tuple[Any, str | None]]]


class ResponseCache:
    """The answers that one view keeps."""

    def __init__(self, shown: CachePolicy, prove: Prove, *, most: int = MAX_CACHE_BYTES) -> None:
        self._shown, self.prove, self.most = shown, prove, most
        self._kept: OrderedDict[bytes, CachedResponse] = OrderedDict()
        self.size = 0  # bytes
        self.found = 0  # answers given again

    def question(
        self, document: ParsedDocument | None, schema: GraphQLSchema, data: GraphQLRequestData
    ) -> CacheableQuery | None:
        """Return the query in `data`, or None if its response must not be cached.

        `document` was validated before."""
        if document is None or data.protocol != "http" or data.extensions:
            return None
        name, variables = data.operation_name, data.variables or {}
        if name not in document.subjects:
            if get_operation_ast(document.node, name) is None:
                return (
                    None  # names are the client's to make up: only those that mean something are remembered
                )
            document.subjects[name] = subject_of(document, name, schema, self._shown)
        subject = document.subjects[name]
        id = subject and subject.id(variables)
        if subject is None or id is None:
            return None
        given = orjson.dumps((name, variables), option=orjson.OPT_SORT_KEYS)
        return CacheableQuery(document, name, subject, id, variables, digest(document.digest + given))

    def find(self, question: CacheableQuery, proof: str | None) -> CachedResponse | None:
        """The answer, if it is still true."""
        kept = self._kept.get(question.key)
        if kept is None or not is_current(kept, proof):
            return None
        self._kept.move_to_end(question.key)
        self.found += 1
        return kept

    def keep(self, question: CacheableQuery, proof: str, content: bytes, objects: int | None) -> None:
        self._forget(question.key)
        if len(content) > MAX_RESPONSE_BYTES:
            return
        self._kept[question.key] = CachedResponse(proof, content, objects)
        self.size += len(content) + ENTRY_OVERHEAD_BYTES
        while self.size > self.most:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= len(kept.content) + ENTRY_OVERHEAD_BYTES


def is_current(kept: CachedResponse, proof: str | None) -> bool:
    return kept.proof == proof


def etag_of(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


def subject_of(
    document: ParsedDocument, name: str | None, schema: GraphQLSchema, shown: CachePolicy
) -> CacheSubject | None:
    """Return the object that an operation reads, or None if a field is not in the policy."""
    operation = get_operation_ast(document.node, name)
    if operation is None or operation.operation is not OperationType.QUERY or operation.directives:
        return None
    [*fields] = operation.selection_set.selections
    if len(fields) != 1 or not isinstance(root := fields[0], FieldNode) or root.directives:
        return None
    given = {argument.name.value: argument.value for argument in root.arguments or ()}
    if root.name.value != shown.root or set(given) != {shown.key}:
        return None
    key = given[shown.key]
    if not isinstance(key, StringValueNode | VariableNode) or root.selection_set is None:
        return None
    fragments = [d for d in document.node.definitions if isinstance(d, FragmentDefinitionNode)]
    walk = _CacheWalk({one.name.value: one for one in fragments}, schema, shown)
    assert schema.query_type is not None, "a schema has queries"
    type_ = get_named_type(schema.query_type.fields[shown.root].type)
    if not isinstance(type_, GraphQLObjectType) or not walk.fits(root.selection_set, type_):
        return None
    return CacheSubject(_name(operation), key, frozenset(walk.types))


def _name(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


class _CacheWalk:
    def __init__(
        self, fragments: dict[str, FragmentDefinitionNode], schema: GraphQLSchema, shown: CachePolicy
    ) -> None:
        self._fragments, self._schema, self._shown = fragments, schema, shown
        self.types: set[str] = set()

    def fits(self, selections: SelectionSetNode, owner: GraphQLObjectType) -> bool:
        """Whether all that is selected of `owner`, and below it, is on the list."""
        self.types.add(owner.name)
        return owner.name in self._shown.fields and all(
            self._conditions(node) and self._fits(node, owner) for node in selections.selections
        )

    def _fits(self, node: Any, owner: GraphQLObjectType) -> bool:
        if isinstance(node, FieldNode):
            return self._field(node, owner)
        if isinstance(node, FragmentSpreadNode):
            node = self._fragments[node.name.value]
        assert isinstance(node, InlineFragmentNode | FragmentDefinitionNode), (
            "A selection is one of three nodes"
        )
        condition = node.type_condition.name.value if node.type_condition else owner.name
        return condition == owner.name and self.fits(node.selection_set, owner)

    def _field(self, node: FieldNode, owner: GraphQLObjectType) -> bool:
        if node.name.value == "__typename":
            return True
        definition = owner.fields.get(node.name.value)
        if definition is None or node.name.value not in self._shown.fields[owner.name]:
            return False
        if not {argument.name.value for argument in node.arguments or ()} <= self._shown.arguments:
            return False
        type_ = get_named_type(definition.type)
        if is_leaf_type(type_):
            return True
        return (
            isinstance(type_, GraphQLObjectType)
            and node.selection_set is not None
            and self.fits(node.selection_set, type_)
        )

    def _conditions(self, node: Any) -> bool:
        return all(directive.name.value in ("include", "skip") for directive in node.directives or ())
