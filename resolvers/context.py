"""The context of one operation: its caller, one moment to read from, and its transactions.

A caller is authenticated once for a request or a socket and never changes. A socket carries many operations; each
gets a context of its own, because loaded rows are valid for one moment only.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import strawberry
from sqlalchemy import Executable

from auth.services import Services
from kit.db.database import Snapshot, translate_db_errors
from kit.db.transaction import Author, PendingEvent, Transaction
from kit.eventlog.event_log import assign_sequence_numbers
from kit.graphql.limits.rate import is_loopback, network_of
from kit.graphql.operation import request_id
from models.account import AuthReason
from models.actor import Actor, ActorKind
from models.refusal import Refusal, Unauthenticated
from resolvers.loaders import Found, Loaders, Relation


class RevocationWatch(Protocol):
    """Watches a caller's credential; `watch` calls `end` once it is no longer valid."""

    def watch(self, end: Callable[[], None]) -> Callable[[], None]: ...


@dataclass(frozen=True)
class Caller:
    """The sender of a request or socket, as authenticated.

    failure:         why there is no actor, if a credential was sent.
    revoked:         ends its sockets and streams early.
    idempotency_key: of the request, for its one operation.
    """

    actor: Actor | None
    failure: Unauthenticated | None = None
    address: str = ""
    user_agent: str = ""
    revoked: RevocationWatch | None = None
    idempotency_key: str | None = None

    @property
    def principal(self) -> str:
        """The owner of the budget that an operation is charged to."""
        return self.actor.id if self.actor else f"address:{self.address}"

    @property
    def network(self) -> str:
        """The address that failed attempts are counted for; of IPv6, the network of one customer."""
        return network_of(self.address)

    @property
    def origin(self) -> str | None:
        """The owner of the budget of all callers of a network; None on this machine, where a proxy may stand."""
        return None if is_loopback(self.address) else self.network


class OperationContext:
    """The context of one operation of a caller."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self.services, self.caller = services, caller
        self.tx: Transaction | None = (
            None  # open since the first write of an operation with an idempotency key
        )
        self.opens: Callable[[], Awaitable[Transaction]] | None = None  # opens it
        self.recorded: list[PendingEvent] | None = None  # events of a dry run
        self.is_held = False  # the events of a group's page are read from one moment
        self._turn = asyncio.Lock()  # resolvers run concurrently, a transaction does not
        self._snapshot: Snapshot = services.database.snapshot()
        self._loaders: Loaders | None = None

    @property
    def actor(self) -> Actor:
        """The authenticated actor. Raises Unauthenticated with the reason if there is none."""
        if self.caller.actor is None:
            missing = Unauthenticated(AuthReason.MISSING, "Sign in, or send an API key")
            raise self.caller.failure or missing
        return self.caller.actor

    @property
    def expires_at(self) -> datetime | None:
        return self.caller.actor.expires_at if self.caller.actor else None

    @property
    def revoked(self) -> RevocationWatch | None:
        return self.caller.revoked

    @property
    def by(self) -> Author:
        return Author(self.actor.kind, self.actor.id, request_id.get())

    @property
    def nobody(self) -> Author:
        """The author of a change that begins before its actor is known: signing in, registering."""
        return Author(ActorKind.SYSTEM, None, request_id.get())

    def audience(self, viewer_independent: bool) -> Actor:
        """Reduce the actor to the parts that an answer may depend on: callers that are equal in them get the same.

        Answers that are viewer-independent differ only by what an actor may see, which is checked for each person.
        """
        actor = replace(self.actor, expires_at=None)
        if viewer_independent and actor.card_id is None:
            actor = replace(actor, id="", session_id=None)
        return actor

    def load(self, relation: Relation[Found], key: object) -> Awaitable[Found]:
        """Load what a relation has for a key: the actor's view of it, at the operation's moment."""
        return self.loaders(relation, key)

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.read, self.actor)
        return self._loaders

    async def read(self, query: Executable, values: dict[str, Any] | None = None) -> Sequence[Any]:
        """Read at the operation's moment, or in its open transaction."""
        if self.tx is not None:
            async with self._turn:
                with translate_db_errors():
                    return (await self.tx.execute(query, values)).all()
        return await self._snapshot.read(query, values)

    @asynccontextmanager
    async def transaction(self, by: Author | None = None) -> AsyncIterator[Transaction]:
        """Open a transaction. Loaded rows are forgotten before and after it.

        A refusal rolls it back, unless it `keeps` its changes: then they are committed before it is raised. An
        operation with an idempotency key has a single transaction: then this is a savepoint in it, so that the
        refusal can be stored.
        """
        await self.refresh()
        kept: Refusal | None = None
        if self.tx is None and self.opens is not None:
            self.tx = await self.opens()
        async with (
            self._part() if self.tx is not None else self.services.event_log.transaction(by or self.by) as tx
        ):
            try:
                yield tx
            except Refusal as refusal:
                if not refusal.keeps:
                    raise
                kept = refusal
        await self.refresh()
        if kept is not None:
            raise kept

    @asynccontextmanager
    async def _part(self) -> AsyncIterator[Transaction]:
        assert self.tx is not None, "a part of an open transaction"
        try:
            with translate_db_errors():
                async with self.tx.begin_nested():
                    yield self.tx
                    if self.recorded is not None:
                        self.recorded += self.tx.pending_events
                    await assign_sequence_numbers(self.tx)
        except BaseException:
            self.tx.pending_events = []
            raise

    async def refresh(self) -> None:
        """Release the connection and forget loaded rows: the next read begins a new moment."""
        self.forget()
        await self._snapshot.close()

    def forget(self) -> None:
        """Forget loaded rows, and stay in the same moment."""
        self._loaders = None


Context = OperationContext
Info = strawberry.Info[OperationContext, None]
