"""Idempotency: an operation with a key is done once and answered the same however often it is sent.

The whole operation runs in one transaction: the key is taken first, the change is made, the answer is read
from inside, sealed and stored, and all of it commits together. Of two that come at once the second waits for
the first. A change that is refused is stored as such; an answer with errors is not, so trying again may help.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from graphql import OperationDefinitionNode, OperationType, print_ast
from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult

from models.account import IdempotencyKey
from models.actor import ActorKind
from resolvers.context import Context, digest_of
from runtime.database import Database, Unavailable, UtcDateTime, utcnow
from runtime.feed import By
from runtime.transport.errors import PublicError

log = logging.getLogger("signalbox.once")

KEPT = timedelta(hours=24)
LONGEST = 200  # characters of a key
TIDY = 600.0  # seconds between two looks for answers that are no longer kept

# Takes a key that is new or whose answer is no longer kept. Waits for whoever holds it.
TAKE = text(
    "INSERT INTO idempotency_key (actor_id, key, request_hash, expires_at)"
    " VALUES (:actor, :key, :hash, :until) ON CONFLICT (actor_id, key) DO UPDATE"
    " SET request_hash = excluded.request_hash, expires_at = excluded.expires_at, response = NULL"
    " WHERE idempotency_key.expires_at < :now RETURNING key"
).bindparams(bindparam("until", type_=UtcDateTime()), bindparam("now", type_=UtcDateTime()))


class _Undo(Exception):
    """Ends the transaction of an operation whose answer is not kept."""


class Once(SchemaExtension):
    async def on_execute(self) -> AsyncIterator[None]:
        context: Context = self.execution_context.context
        given = (self.execution_context.operation_extensions or {}).get("idempotencyKey")
        key = context.idempotency_key if given is None else given
        if key is None or self._operation.operation is not OperationType.MUTATION:
            yield
            return
        self._check(key)
        try:
            async with context.house.feed.begin(self._by(context)) as tx:
                answered = await self._answered(tx, context, key)
                if answered is not None:
                    self.execution_context.result = answered
                    yield
                    return
                context.tx = tx
                try:
                    yield
                finally:
                    context.tx = None
                await self._keep(tx, context, key)
        except _Undo:
            pass

    def _check(self, key: Any) -> None:
        if not isinstance(key, str) or not 0 < len(key) <= LONGEST or not key.isprintable():
            raise PublicError(
                f"An idempotency key has 1 to {LONGEST} printable characters", code="BAD_USER_INPUT"
            )
        if (
            self._operation.operation is not OperationType.MUTATION
            or len(self._operation.selection_set.selections) != 1
        ):
            raise PublicError("An idempotency key goes with one mutation field", code="BAD_USER_INPUT")

    @property
    def _operation(self) -> OperationDefinitionNode:
        document, name = self.execution_context.graphql_document, self.execution_context.operation_name
        assert document, "an operation is executed after it was parsed"
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        return next(node for node in operations if name is None or (node.name and node.name.value == name))

    def _by(self, context: Context) -> By:
        return context.by if context.who else By(ActorKind.SYSTEM)

    def _hash(self) -> str:
        document = self.execution_context.graphql_document
        variables = json.dumps(self.execution_context.variables, sort_keys=True, default=str)
        assert document, "an operation is executed after it was parsed"
        return digest_of(print_ast(document), self.execution_context.operation_name, variables)

    async def _answered(self, tx: AsyncSession, context: Context, key: str) -> ExecutionResult | None:
        """What was answered before; None if this is the first time."""
        now, hashed = utcnow(), self._hash()
        taken = {"actor": _owner(context), "key": key, "hash": hashed, "until": now + KEPT, "now": now}
        if (await tx.execute(TAKE, taken)).first() is not None:
            return None
        mine = IdempotencyKey.actor_id == _owner(context), IdempotencyKey.key == key
        stored = (await tx.execute(select(IdempotencyKey.__table__).where(*mine))).one()
        if stored.request_hash != hashed:
            raise PublicError(
                "That idempotency key was used for another operation", code="IDEMPOTENCY_CONFLICT"
            )
        return ExecutionResult(data=json.loads(context.house.seal.open(stored.response)), errors=None)

    async def _keep(self, tx: AsyncSession, context: Context, key: str) -> None:
        result = self.execution_context.result
        if result is None or result.errors:
            raise _Undo
        mine = IdempotencyKey.actor_id == _owner(context), IdempotencyKey.key == key
        sealed = context.house.seal.close(json.dumps(result.data))
        await tx.execute(update(IdempotencyKey).where(*mine).values(response=sealed))


async def keep_tidy(database: Database) -> None:
    """Forget what is no longer kept, again and again, for ever."""
    while True:
        await asyncio.sleep(TIDY)
        try:
            await forget_expired(database)
        except Unavailable as error:
            log.warning("tidying waits for the database: %s", error)


async def forget_expired(database: Database) -> None:
    """Delete the answers that are no longer kept."""
    async with database.write() as tx:
        await tx.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at < utcnow()))


def _owner(context: Context) -> str:
    return context.who.id if context.who else "anonymous"
