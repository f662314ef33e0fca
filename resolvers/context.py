"""The context of one operation: who asks, one moment to read from, one door to write through.

A socket carries many operations and a subscription many events; each gets a context of its own, because
what was loaded is only true for one moment.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import strawberry
from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.refusal import Unauthenticated
from resolvers.loaders import Link, Loaders
from runtime.database import Database, Snapshot
from runtime.feed import By, Feed, number
from runtime.passwords import Seal
from runtime.settings import Settings
from runtime.tokens import Tokens


@dataclass(frozen=True)
class House:
    """The machines every operation may use, made once in server.py."""

    settings: Settings
    database: Database
    feed: Feed
    tokens: Tokens
    seal: Seal


class Context:
    def __init__(
        self,
        house: House,
        actor: Actor | None,
        *,
        request_id: str = "",
        address: str = "",
        user_agent: str = "",
        why: Unauthenticated | None = None,
    ) -> None:
        self.house, self._actor, self._why = house, actor, why
        self.request_id, self.address, self.user_agent = request_id, address, user_agent
        self.tx: AsyncSession | None = None  # open while an operation with an idempotency key runs
        self._snapshot: Snapshot = house.database.snapshot()
        self._loaders: Loaders | None = None

    @property
    def actor(self) -> Actor:
        """Who asks. Raises Unauthenticated when nobody signed in, with the reason."""
        if self._actor is None:
            raise self._why or Unauthenticated("MISSING", "Sign in, or send an API key")
        return self._actor

    @property
    def expires_at(self) -> datetime | None:
        return self._actor.expires_at if self._actor else None

    @property
    def principal(self) -> str:
        """Whose budget an operation is taken from."""
        return self._actor.id if self._actor else f"address:{self.address}"

    @property
    def by(self) -> By:
        return By(self.actor.kind, self.actor.id, self.request_id)

    def fork(self, request_id: str = "") -> "Context":
        """A context for the next operation of the same caller."""
        return Context(
            self.house,
            self._actor,
            request_id=request_id or self.request_id,
            address=self.address,
            user_agent=self.user_agent,
            why=self._why,
        )

    def load(self, link: Link, key: Any) -> Awaitable[Any]:
        return self.loaders(link, key)

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.read, self.actor)
        return self._loaders

    async def read(self, query: Executable) -> Sequence[Any]:
        """Read from the operation's one moment, or from its open transaction."""
        if self.tx is not None:
            return (await self.tx.execute(query)).all()
        return await self._snapshot.read(query)

    @asynccontextmanager
    async def begin(self, by: By | None = None) -> AsyncIterator[AsyncSession]:
        """Open one transaction. What was read before it is forgotten, before and after.

        An operation with an idempotency key has its transaction open already: then this is a part of it,
        undone by itself when refused, so that the refusal can be stored.
        """
        await self.refresh()
        if self.tx is not None:
            async with self.tx.begin_nested():
                yield self.tx
                grew = await number(self.tx)
            self.tx.info.setdefault("grew", set()).update(grew)
        else:
            async with self.house.feed.begin(by or self.by) as tx:
                yield tx
        await self.refresh()

    async def refresh(self) -> None:
        """Let go of the connection and forget what was loaded: the next read is a new moment."""
        self._loaders = None
        await self._snapshot.close()


Info = strawberry.Info[Context, None]
IfVersion = Annotated[int | None, "Only if this is still its version."]


def digest_of(*parts: str | None) -> str:
    return hashlib.sha256("\0".join(part or "" for part in parts).encode()).hexdigest()


def given(**fields: Any) -> dict[str, Any]:
    """The fields of a patch that were sent: absent keeps, null clears."""
    return {name: some.value for name, some in fields.items() if some is not None}
