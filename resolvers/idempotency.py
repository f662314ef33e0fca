"""Idempotency keys: an operation with a key is executed once and has the same response whenever it is repeated.

The writes of the operation and its later reads are one transaction: it claims the key, changes, reads the response,
seals and stores it, and commits everything together. It begins with the first write of the operation, so slow work
before that, such as the hash of a password, blocks nobody. Of two concurrent operations the second waits there for
the first. A refusal is stored as a response; a response with errors is not, so a retry may succeed. Of a response
above MAX_RESPONSE_BYTES only the outcome is stored; a retry gets an error with it. Nothing is stored for callers
who have not signed in.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from itertools import islice

from graphql import ExecutionResult as GraphQLExecutionResult
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    print_ast,
)
from sqlalchemy import bindparam, delete, select, text, update
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult

from kit.db.database import Database, Unavailable, UtcDateTime, translate_db_errors, utcnow
from kit.db.transaction import Transaction
from kit.graphql.errors import PublicError
from models.account import IdempotencyKey
from resolvers.context import Context

log = logging.getLogger("signalbox.idempotency")

RESPONSE_LIFETIME = timedelta(hours=24)
MAX_KEY_LENGTH = 200
MAX_RESPONSE_BYTES = 64 * 1024  # of a stored response before it is sealed
CLEANUP_INTERVAL_SECONDS = 600.0  # between two deletions of expired responses

# Claims a key that is new or expired. Waits for the transaction that holds it.
CLAIM_KEY = text(
    "INSERT INTO idempotency_key (actor_id, key, request_hash, expires_at)"
    " VALUES (:actor, :key, :hash, :until) ON CONFLICT (actor_id, key) DO UPDATE"
    " SET request_hash = excluded.request_hash, expires_at = excluded.expires_at, response = NULL"
    " WHERE idempotency_key.expires_at < :now RETURNING key"
).bindparams(bindparam("until", type_=UtcDateTime()), bindparam("now", type_=UtcDateTime()))


class _Rollback(Exception):
    """Ends the transaction of an operation whose response is not stored."""


class _StoredResponse(PublicError):
    """A stored response. Raised by an operation whose concurrent duplicate was first, it replaces the response."""

    def __init__(self, data: dict[str, object]) -> None:
        super().__init__("The operation was executed before", code="IDEMPOTENCY_CONFLICT")
        self.data = data


class ResponseNotStored(PublicError):
    """The operation was executed before, and its response was too large to be stored."""

    code = "IDEMPOTENCY_ANSWER_NOT_KEPT"
    status = 200

    def __init__(self, outcome: object) -> None:
        super().__init__(
            f"The operation was executed before; its response of over {MAX_RESPONSE_BYTES:,} bytes was not stored",
            outcome=outcome,
        )


class IdempotencyExtension(SchemaExtension):
    concurrent_result: _StoredResponse | None = None  # response of a concurrent duplicate

    async def on_execute(self) -> AsyncIterator[None]:
        context: Context = self.execution_context.context
        extension = (self.execution_context.operation_extensions or {}).get("idempotencyKey")
        key = context.caller.idempotency_key if extension is None else extension
        if key is None or context.opens or self._operation.operation is not OperationType.MUTATION:
            yield
            return
        self._check(key)
        if context.caller.actor is None:
            yield
            return
        stored = await self._load_response(context, key)
        if stored is not None:
            self.execution_context.result = ExecutionResult(data=stored.data, errors=None)
            yield
            return
        try:
            async with AsyncExitStack() as stack:
                context.opens = partial(self._open, stack, context, key)
                try:
                    yield
                    await self.store_response(context, key)
                finally:
                    context.opens = context.tx = None
        except _Rollback:
            pass

    def _check(self, key: object) -> None:
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
            raise PublicError(
                f"An idempotency key has 1 to {MAX_KEY_LENGTH} printable characters", code="BAD_USER_INPUT"
            )
        if len(list(islice(self._fields(self._operation.selection_set), 2))) != 1:
            raise PublicError("An idempotency key requires one mutation field", code="BAD_USER_INPUT")

    def _fields(self, selection: SelectionSetNode) -> Iterator[FieldNode]:
        """Yield the fields of a selection, also those in fragments."""
        document = self.execution_context.graphql_document
        assert document, "an operation is executed after it was parsed"
        fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        for node in selection.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, FragmentSpreadNode):
                yield from self._fields(fragments[node.name.value].selection_set)
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields(node.selection_set)

    @property
    def _operation(self) -> OperationDefinitionNode:
        document, name = self.execution_context.graphql_document, self.execution_context.operation_name
        assert document, "an operation is executed after it was parsed"
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        return next(node for node in operations if name is None or (node.name and node.name.value == name))

    def _marks(self, context: Context) -> list[str]:
        """Return keyed digests of this operation, that of the newest secret key first; they reveal no password."""
        execution, document = self.execution_context, self.execution_context.graphql_document
        assert document, "an operation is executed after it was parsed"
        variables = json.dumps(execution.variables, sort_keys=True, default=str)
        return context.services.seal.marks(print_ast(document), execution.operation_name or "", variables)

    async def _load_response(
        self, context: Context, key: str, tx: Transaction | None = None
    ) -> _StoredResponse | None:
        """Load the stored response unless it expired. Raises PublicError if the key names another operation."""
        row = IdempotencyKey.__table__
        of_key = row.c.actor_id == context.actor.id, row.c.key == key, row.c.expires_at >= utcnow()
        query = select(row).where(*of_key)
        rows = (await tx.execute(query)).all() if tx else await context.services.database.read(query)
        if not rows:
            return None
        if rows[0].request_hash not in self._marks(context):
            raise PublicError(
                "The idempotency key was used for another operation", code="IDEMPOTENCY_CONFLICT"
            )
        response = json.loads(context.services.seal.open(rows[0].response))
        if isinstance(response, list):
            raise ResponseNotStored(response[0])
        return _StoredResponse(response)

    async def _open(self, stack: AsyncExitStack, context: Context, key: str) -> Transaction:
        """Begin the transaction of the operation and claim its key. Raises _StoredResponse for a duplicate."""
        tx = await stack.enter_async_context(context.services.event_log.transaction(context.by))
        now, [mark, *_] = utcnow(), self._marks(context)
        parameters = {
            "actor": context.actor.id,
            "key": key,
            "hash": mark,
            "until": now + RESPONSE_LIFETIME,
            "now": now,
        }
        with translate_db_errors():
            if (await tx.execute(CLAIM_KEY, parameters)).first() is not None:
                return tx
            stored = await self._load_response(context, key, tx)
        assert stored is not None, "a key that cannot be claimed has a response"
        self.concurrent_result = stored
        raise stored

    async def store_response(self, context: Context, key: str) -> None:
        """Store the response, also that of an operation that wrote nothing."""
        result = self.execution_context.result
        assert isinstance(result, GraphQLExecutionResult), "a mutation is not answered in parts"
        if context.tx is None and context.opens and not result.errors:
            with suppress(_StoredResponse):
                context.tx = await context.opens()
        if self.concurrent_result is not None:
            result.data, result.errors = self.concurrent_result.data, None
            self.execution_context.pre_execution_errors = []
        if self.concurrent_result is not None or result.errors or context.tx is None:
            raise _Rollback
        of_key = IdempotencyKey.actor_id == context.actor.id, IdempotencyKey.key == key
        response = json.dumps(result.data)
        if result.data is not None and len(response) > MAX_RESPONSE_BYTES:
            response = json.dumps([self._outcome(result.data)])  # no response is a list
        sealed = context.services.seal.close(response)
        await context.tx.execute(update(IdempotencyKey).where(*of_key).values(response=sealed))

    def _outcome(self, data: dict[str, object]) -> dict[str, object]:
        """Return the type and id in the response of the only field, if the operation selects them."""
        [field] = self._fields(self._operation.selection_set)
        [value] = data.values()
        outcome: dict[str, object] = {"__typename": None, "id": None}
        for node in self._fields(field.selection_set) if field.selection_set else ():
            name, key = node.name.value, (node.alias or node.name).value
            if name in outcome and isinstance(value, dict) and outcome[name] is None:
                outcome[name] = value.get(key)
        return outcome


async def clean_up_periodically(database: Database) -> None:
    """Delete expired responses periodically, for ever."""
    while True:
        await asyncio.sleep(CLEANUP_INTERVAL_SECONDS)
        try:
            await delete_expired(database)
        except Unavailable as error:
            log.warning("deletion of expired idempotency keys waits for the database: %s", error)
        except Exception:
            log.exception("expired idempotency keys were not deleted")


async def delete_expired(database: Database) -> None:
    """Delete expired responses."""
    async with database.write() as tx:
        await tx.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at < utcnow()))
