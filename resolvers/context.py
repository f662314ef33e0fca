"""The context of one operation: who asks, one moment to read from, one door to write through.

A socket carries many operations and a subscription many events; each gets a context of its own, because
what was loaded is only true for one moment.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import strawberry
from sqlalchemy import Executable

from auth.services import Services
from kit.db.database import Snapshot, translate_db_errors
from kit.db.transaction import Author, Transaction
from kit.eventlog.event_log import assign_sequence_numbers
from kit.graphql.limits.rate import is_loopback, network_of
from kit.graphql.operation import request_id
from models.account import AuthReason
from models.actor import Actor, ActorKind
from models.refusal import Refusal, Unauthenticated
from resolvers.loaders import Found, Loaders, Relation


class RevocationWatch(Protocol):
    """Ends when what a caller signed in with is no longer good; `watch` calls `end` then."""

    def watch(self, end: Callable[[], None]) -> Callable[[], None]: ...


class Context:
    def __init__(
        self,
        services: Services,
        actor: Actor | None,
        *,
        why: Unauthenticated | None = None,
        address: str = "",
        user_agent: str = "",
        revoked: RevocationWatch | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        self.services, self._actor, self.why = services, actor, why
        self.address, self.user_agent = address, user_agent
        self.revoked = revoked  # what ends a socket or stream early
        self.idempotency_key = idempotency_key
        self.tx: Transaction | None = (
            None  # open since the first write of an operation with an idempotency key
        )
        self.opens: Callable[[], Awaitable[Transaction]] | None = None  # opens it
        self.is_held = False  # the events of a group's page are read from one moment
        self._turn = asyncio.Lock()  # resolvers run side by side, a transaction does not
        self._snapshot: Snapshot = services.database.snapshot()
        self._loaders: Loaders | None = None

    @property
    def actor(self) -> Actor:
        """Who asks. Raises Unauthenticated when nobody signed in, with the reason."""
        if self._actor is None:
            raise self.why or Unauthenticated(AuthReason.MISSING, "Sign in, or send an API key")
        return self._actor

    @property
    def who(self) -> Actor | None:
        """Who asks, or None when nobody signed in."""
        return self._actor

    @property
    def expires_at(self) -> datetime | None:
        return self._actor.expires_at if self._actor else None

    @property
    def principal(self) -> str:
        """Whose budget an operation is taken from."""
        return self._actor.id if self._actor else f"address:{self.address}"

    @property
    def network(self) -> str:
        """Where the caller stands, for counting tries: an address, or what one IPv6 customer is given."""
        return network_of(self.address)

    @property
    def origin(self) -> str | None:
        """Whose budget all callers there share. None on this machine, where a proxy may stand for everybody."""
        return None if is_loopback(self.address) else self.network

    @property
    def by(self) -> Author:
        return Author(self.actor.kind, self.actor.id, request_id.get())

    @property
    def nobody(self) -> Author:
        """For a change that begins before it is known who asks: signing in, registering."""
        return Author(ActorKind.SYSTEM, None, request_id.get())

    def audience(self, alike: bool) -> Actor:
        """What answers may depend on in whoever asks: equal for two, and they are answered the same.

        Answers that are `alike` differ only by what an actor may have; people are asked about that one by one.
        """
        actor = replace(self.actor, expires_at=None)
        if alike and actor.card_id is None:
            actor = replace(actor, id="", session_id=None)
        return actor

    def fork(self) -> "Context":
        """A context for the next operation of the same caller."""
        return Context(
            self.services,
            self._actor,
            why=self.why,
            address=self.address,
            user_agent=self.user_agent,
            revoked=self.revoked,
            idempotency_key=self.idempotency_key,
        )

    def load(self, relation: Relation[Found], key: object) -> Awaitable[Found]:
        """Load what a relation has for a key: the actor's view of it, at the operation's moment."""
        return self.loaders(relation, key)

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.read, self.actor)
        return self._loaders

    async def read(self, query: Executable, values: dict[str, Any] | None = None) -> Sequence[Any]:
        """Read from the operation's one moment, or from its open transaction."""
        if self.tx is not None:
            async with self._turn:
                with translate_db_errors():
                    return (await self.tx.execute(query, values)).all()
        return await self._snapshot.read(query, values)

    @asynccontextmanager
    async def transaction(self, by: Author | None = None) -> AsyncIterator[Transaction]:
        """Open one transaction. What was read before it is forgotten, before and after.

        A refusal undoes it, unless it `keeps` what was written: that commits, and then it is raised. An
        operation with an idempotency key has one transaction of its own: then this is a part of it, undone by
        itself, so that the refusal can be stored.
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
                    await assign_sequence_numbers(self.tx)
        except BaseException:
            self.tx.pending_events = []
            raise

    async def refresh(self) -> None:
        """Let go of the connection and forget what was loaded: the next read is a new moment."""
        self.forget()
        await self._snapshot.close()

    def forget(self) -> None:
        """Forget what was loaded, and stay in the same moment."""
        self._loaders = None


Info = strawberry.Info[Context, None]
