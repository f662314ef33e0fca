"""The checks around every operation, for every transport.

The guard takes these steps in order:

1. Parse the document, or take it from the cache.
2. Check its size, before any slower step.
3. Validate it.
4. Check its input and its cost.
5. Charge the bucket of the principal and the bucket of the origin.
6. Execute it under a deadline.
7. Refund the points that it did not use.
8. Log one line.

Promise. The line names the request, the operation, its cost and its error codes. It never contains the
document, a variable or a result.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError, NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import StreamExecutionResult

from kit.graphql.documents.documents import Documents, InvalidDocument, ParsedDocument, is_one_field
from kit.graphql.errors import Code, Explain, PublicError, codes, explain_nothing
from kit.graphql.limits.document_size import DocumentLimits, LimitExceeded, check_variables
from kit.graphql.limits.rate import RateLimited, TokenBucket
from kit.graphql.operation import Operation, current_operation
from kit.metrics import count_operation

log = logging.getLogger("signalbox.operation")

MIN_REFUNDED_POINTS = 200  # points below which what was not used is not counted: looking would cost more
MAX_LOGGED_NAME_LENGTH = 80  # characters of an operation's name that are logged


@dataclass
class RequestPolicy:
    """The limits and rules for the operations of one schema. `deadline` is in seconds.

    principal:     returns the key of the caller's bucket for a context. None charges no bucket.
    origin:        returns the key of the bucket in `origins` that all callers of one origin share. It is charged
                   as well.
    explain:       selects the exceptions of resolvers that are meant for the client (see errors.py).
    introspection: if False, clients cannot read the schema, and error messages suggest no names.
    """

    documents: Documents = field(default_factory=lambda: Documents(DocumentLimits()))
    bucket: TokenBucket | None = None
    principal: Callable[[Any], str | None] = lambda context: None
    origins: TokenBucket | None = None
    origin: Callable[[Any], str | None] = lambda context: None
    explain: Explain = explain_nothing
    deadline: float = 30.0
    introspection: bool = True

    @property
    def limits(self) -> DocumentLimits:
        return self.documents.limits


class Charge:
    """The charge for one operation: check its input and cost, take points, refund the unused ones."""

    def __init__(self, policy: RequestPolicy, context: Any, operation: Operation) -> None:
        self._policy, self._context, self._operation = policy, context, operation
        self._key: str | None = None  # whose bucket was charged
        self._origin: str | None = None  # and whose it shares

    def take(
        self, document: ParsedDocument, name: str | None, schema: Any, variables: Mapping[str, Any] | None
    ) -> None:
        """Errors: LimitExceeded, RateLimited; then nothing was taken."""
        policy, operation = self._policy, self._operation
        check_variables(variables, policy.limits)
        rules = policy.documents.rules(schema)
        cost = document.price(name, schema, rules, variables, policy.limits)
        operation.cost = cost
        if cost > policy.limits.cost:
            raise LimitExceeded("cost", cost, policy.limits.cost)
        key = policy.principal(self._context)
        if policy.bucket is None or key is None:
            return
        origin = policy.origin(self._context)
        try:
            operation.rate = policy.bucket.take(key, cost)
            if policy.origins is not None and origin is not None:
                policy.origins.take(origin, cost)
                self._origin = origin
        except RateLimited:
            if operation.rate is not None:
                policy.bucket.give(key, cost)
            operation.rate = policy.bucket.state(key, cost)
            raise
        self._key = key

    def settle(self, data: Any) -> None:
        """Give back to the bucket what was asked for and not answered. Objects are counted if nobody has."""
        operation, bucket, cost = self._operation, self._policy.bucket, self._operation.cost or 0
        if bucket is None or self._key is None or operation.type != "query" or cost < MIN_REFUNDED_POINTS:
            return
        if operation.actual is None:
            operation.actual = _objects(data)
        unused = max(0, cost - operation.actual)
        bucket.give(self._key, unused)
        if self._policy.origins is not None and self._origin is not None:
            self._policy.origins.give(self._origin, unused)
        operation.rate = bucket.state(self._key, cost - unused)


class Guard(SchemaExtension):
    """The machine above as an extension. Made anew for each operation: `lambda: Guard(policy)`."""

    def __init__(self, policy: RequestPolicy) -> None:
        self._policy = policy
        self._document: ParsedDocument | None = None
        self._charge: Charge | None = None

    def on_operation(self) -> Iterator[None]:
        self._operation = current_operation()
        try:
            yield
        finally:
            self._settle()
            sharing = self._operation.sharing
            if sharing is None or not sharing.goes_on:
                log_operation(self._operation)

    def on_parse(self) -> Iterator[None]:
        if self.execution_context.query:
            self._document = self._policy.documents.read(self.execution_context.query)
            self.execution_context.graphql_document = self._document.node
        yield

    def on_validate(self) -> Iterator[None]:
        asked, operation = self.execution_context, self._operation
        operation.type, operation.name = asked.operation_type.value, asked.operation_name
        operation.is_one_field = is_one_field(asked.graphql_document, operation.name)
        try:
            self._check()
            asked.pre_execution_errors = []
        except InvalidDocument as invalid:
            asked.pre_execution_errors = invalid.errors
        except PublicError as refusal:
            asked.pre_execution_errors = [refusal]
        yield

    def _check(self) -> None:
        asked, documents = self.execution_context, self._policy.documents
        assert self._document is not None, "Only a text is executed"
        rules = asked.validation_rules
        if not self._policy.introspection:
            rules = (*rules, NoSchemaIntrospectionCustomRule)
        documents.check(self._document, asked.schema, rules)
        sharing = self._operation.sharing
        if sharing is not None and self._operation.type == "subscription":
            sharing.asked = self._document.asked(asked.operation_name, asked.schema, asked.variables)
            if not sharing.is_first:
                return
        self._charge = Charge(self._policy, asked.context, self._operation)
        self._charge.take(self._document, asked.operation_name, asked.schema, asked.variables)

    async def on_execute(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._policy.deadline):
                yield
        except TimeoutError as error:  # a resolver's own never leaves its field
            text = f"Not answered within {self._policy.deadline:g} s"
            raise PublicError(text, code=Code.TIMEOUT, status=200) from error

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        self._note(getattr(result, "errors", None))
        yield

    def get_results(self) -> dict[str, Any]:
        if not self._operation.wants_cost or self._operation.cost is None:
            return {}
        maximum = self._policy.limits.cost
        return {"cost": {"requested": self._operation.cost, "maximum": maximum}}

    def _note(self, errors: list[GraphQLError] | None) -> None:
        self._operation.codes |= codes(errors, self._policy.explain)

    def _settle(self) -> None:
        """Give back to the bucket what was asked for and not answered."""
        result = self.execution_context.result
        self._note(getattr(result, "errors", None) or self.execution_context.pre_execution_errors)
        if self._charge is not None:
            self._charge.settle(getattr(result, "data", None))


def _objects(data: Any) -> int:
    """Count the objects of an answer."""
    count, level = 0, [data]
    while level:
        count += sum(isinstance(value, dict) for value in level)
        below: list[Any] = []
        for value in level:
            inner = value.values() if isinstance(value, dict) else value
            below += [v for v in inner or () if isinstance(v, dict | list)]
        level = below
    return count


def log_operation(operation: Operation, found: Collection[str] = ()) -> None:
    """Log and count one operation, with the codes of its errors."""
    seconds = time.perf_counter() - operation.started
    codes = sorted({*operation.codes, *found})
    count_operation(operation.type, operation.name, operation.transport, seconds, operation.cost, codes)
    log.info(
        "operation",
        extra={
            "request_id": operation.request_id,
            "transport": operation.transport,
            "operation_type": operation.type,
            "operation_name": (operation.name or "")[:MAX_LOGGED_NAME_LENGTH] or None,
            "milliseconds": round(seconds * 1000, 1),
            "cost": operation.cost,
            "codes": codes,
        },
    )
