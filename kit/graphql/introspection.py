"""Introspection: its cost, and a cache of its results.

The result of an introspection query never changes, and the whole schema takes a quarter of a second. So results
are computed in a thread, one at a time, outside the event loop, and are cached as JSON.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLField,
    GraphQLInputField,
    GraphQLSchema,
    SelectionSetNode,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)

from kit.graphql.limits.document_size import LimitExceeded

OBJECTS_PER_POINT = 2  # it has none of the loop's time, and is taken from no database
MAX_OBJECTS = 20_000  # of one operation: twice the whole schema, half a second of a thread
KEPT_POINTS = 50  # of an answer that is there: its bytes are copied
MAX_KEPT_BYTES = 8 << 20  # of all answers together


class IntrospectionResult(NamedTuple):
    """One answer: JSON, and the points that it took now."""

    content: bytes
    points: int


class Answers:
    """The answers of this process, the least recently used first. At most one is made at a time."""

    def __init__(self, *, most: int = MAX_KEPT_BYTES) -> None:
        self._most, self._size = most, 0
        self._known: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()
        # One thread: who asks the same meanwhile finds it made, and who is cancelled while waiting never begins.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="introspection")

    async def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> IntrospectionResult:
        """Return the cached result for `key`, or compute it with `make` in the thread."""
        content = self._find(key)
        if content is not None:
            return IntrospectionResult(content, KEPT_POINTS)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._made, key, make)

    def _made(self, key: Hashable, make: Callable[[], Any]) -> IntrospectionResult:
        content = self._find(key)
        if content is not None:
            return IntrospectionResult(content, KEPT_POINTS)
        data = make()
        content = orjson.dumps(data)
        self._keep(key, content)
        return IntrospectionResult(content, max(KEPT_POINTS, points_of(data)))

    def _find(self, key: Hashable) -> bytes | None:
        with self._lock:
            content = self._known.get(key)
            if content is not None:
                self._known.move_to_end(key)
            return content

    def _keep(self, key: Hashable, content: bytes) -> None:
        with self._lock:
            self._known[key] = content
            self._size += len(content)
            while self._size > self._most:
                _, gone = self._known.popitem(last=False)
                self._size -= len(gone)


def points_of(data: Any) -> int:
    """The points of one answer."""
    count, waiting = 0, [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            count += 1
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return count // OBJECTS_PER_POINT


def introspected(
    schema: GraphQLSchema,
    node: FieldNode,
    fragments: dict[str, FragmentDefinitionNode],
    name: str | None,
) -> int:
    """Count the objects that a `__schema` or `__type` field answers with. `name` is the type asked for.

    Errors: LimitExceeded beyond MAX_OBJECTS; no more than these are ever looked at.
    """
    if node.name.value == "__schema":
        root: Any = schema
    else:
        root = schema.get_type(name) if name is not None else schema.query_type
    if root is None:
        return 1
    return _Count(schema, fragments).of(node.selection_set, root)


class _Count:
    """Counts objects, each part of the schema once for each selection."""

    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._schema, self._fragments = schema, fragments
        self._known: dict[tuple[int, int], int] = {}
        self._looks = 0

    def of(self, selections: SelectionSetNode | None, part: Any) -> int:
        if selections is None:
            return 0
        key = id(selections), id(part)
        found = self._known.get(key)
        if found is None:
            self._check(self._looks)
            self._looks += 1
            found = self._known[key] = self._inside(selections, part)
            self._check(found)
        return found

    def _inside(self, selections: SelectionSetNode, part: Any) -> int:
        found = 1
        for node in selections.selections:
            if isinstance(node, FieldNode):
                if node.selection_set is not None:
                    for inner in self._parts(part, node.name.value):
                        found += self.of(node.selection_set, inner)
                        self._check(found)
                continue
            name = getattr(node, "name", None)
            fragment: Any = node if name is None else self._fragments[name.value]
            found += self.of(fragment.selection_set, part) - 1
        return found

    def _check(self, objects: int) -> None:
        if objects > MAX_OBJECTS:
            raise LimitExceeded("introspected objects", objects, MAX_OBJECTS)

    def _parts(self, part: Any, name: str) -> Iterable[Any]:
        """The parts of the schema that a field of a part answers with."""
        if isinstance(part, GraphQLSchema):
            return _of_schema(part, name)
        if isinstance(part, GraphQLField | GraphQLDirective) and name == "args":
            return part.args.values()
        if isinstance(part, GraphQLField | GraphQLArgument | GraphQLInputField):
            return [part.type] if name == "type" else ()
        return self._of_type(part, name)

    def _of_type(self, part: Any, name: str) -> Iterable[Any]:
        if name == "ofType":
            inner = getattr(part, "of_type", None)
            return () if inner is None else [inner]
        has_fields = is_object_type(part) or is_interface_type(part)
        if name in ("fields", "interfaces") and has_fields:
            return list(part.fields.values() if name == "fields" else part.interfaces)
        if name == "inputFields" and is_input_object_type(part):
            return list(part.fields.values())
        if name == "enumValues" and is_enum_type(part):
            return list(part.values.values())
        if name == "possibleTypes" and is_abstract_type(part):
            return self._schema.get_possible_types(part)
        return ()


def _of_schema(schema: GraphQLSchema, name: str) -> Iterable[Any]:
    if name == "types":
        return schema.type_map.values()
    if name == "directives":
        return schema.directives
    roots = {
        "queryType": schema.query_type,
        "mutationType": schema.mutation_type,
        "subscriptionType": schema.subscription_type,
    }
    root = roots.get(name)
    return () if root is None else [root]
