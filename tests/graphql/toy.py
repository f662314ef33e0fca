"""A schema with no product in it, and a server for it: one kind of each thing a transport meets.

`python tests/graphql/toy.py` serves it on a free port and prints the address.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from kit.graphql import (
    AttemptLimiter,
    ConnectionRejected,
    Draining,
    GraphQLEndpoint,
    PublicError,
    RequestPolicy,
    Schema,
    TokenBucket,
    bind,
    cost,
    list_size,
    rate_state,
    serve,
)


@dataclass
class Counts:
    """What happened inside, for tests to ask: operations begun and ended, generators alive."""

    slow_began: int = 0
    slow_ended: int = 0
    slow_finished: int = 0
    alive: int = 0


COUNTS = Counts()
ATTEMPTS = AttemptLimiter(limit=10, per=60)


class Refused(Exception):
    """A domain's refusal, known to `explain`."""

    def __init__(self, at: str) -> None:
        super().__init__(f"not from {at}")
        self.at = at


def explain(exception: Exception) -> tuple[str, dict[str, Any]] | None:
    return ("REFUSED", {"at": exception.at}) if isinstance(exception, Refused) else None


class Ending:
    """Access that ends when `set` is called."""

    def __init__(self) -> None:
        self._ends: list[Callable[[], None]] = []

    def watch(self, end: Callable[[], None]) -> Callable[[], None]:
        self._ends.append(end)
        return lambda: self._ends.remove(end) if end in self._ends else None

    def set(self) -> None:
        for end in list(self._ends):
            end()


@dataclass
class Context:
    who: str = "ann"
    expires_at: datetime | None = None
    revoked: Ending | None = None


@strawberry.type
class Leaf:
    id: strawberry.ID
    name: str


@strawberry.type
class Card:
    id: strawberry.ID
    title: str

    @strawberry.field(directives=[list_size(5, slicing=())])
    def subtasks(self) -> list[Leaf]:
        return [Leaf(id=strawberry.ID(f"s{n}"), name="s") for n in range(2)]

    @strawberry.field(directives=[list_size(3, slicing=())])
    def labels(self) -> list[Leaf]:
        return [Leaf(id=strawberry.ID("l"), name="l")]

    @strawberry.field(directives=[list_size(2, slicing=())])
    def assignees(self) -> list[Leaf]:
        return []

    @strawberry.field
    def board(self) -> Annotated["Board", strawberry.lazy("tests.graphql.toy")] | None:
        return None


@strawberry.type
class Edge:
    cursor: str
    node: Card


@strawberry.type
class Cards:
    edges: list[Edge]
    nodes: list[Card]


def cards(first: int | None = None, last: int | None = None) -> Cards:
    made = [Card(id=strawberry.ID(f"c{n}"), title="t") for n in range(min(first or 3, 500))]
    return Cards(edges=[Edge(cursor=c.id, node=c) for c in made], nodes=made)


@strawberry.type
class Column:
    id: strawberry.ID
    cards: Cards = strawberry.field(resolver=cards, directives=[list_size(50, maximum=500, within="Board")])


@strawberry.type
class Board:
    id: strawberry.ID
    cards: Cards = strawberry.field(resolver=cards, directives=[list_size(50, maximum=500)])

    @strawberry.field(directives=[list_size(20, slicing=())])
    def columns(self) -> list[Column]:
        return [Column(id=strawberry.ID(f"col{n}")) for n in range(4)]


@strawberry.input
class Words:
    text: str
    more: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class Rate:
    limit: int
    cost: int
    remaining: int


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def number(self, n: int) -> int:
        return n

    @strawberry.field
    def real(self, x: float) -> float:
        return x

    @strawberry.field
    def json(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    def words(self, input: Words) -> str:
        return input.text

    @strawberry.field
    def board(self, id: strawberry.ID) -> Board | None:
        return Board(id=id)

    @strawberry.field(directives=[list_size(10, slicing=("ids",))])
    def nodes(self, ids: list[strawberry.ID]) -> list[Board | None]:
        return [Board(id=id) for id in ids]

    @strawberry.field(directives=[list_size(50)])
    def cards(self, first: int = 50) -> list[Card]:
        return [Card(id=strawberry.ID(f"c{n}"), title="t") for n in range(first)]

    @strawberry.field(directives=[cost(300)])
    def costly(self) -> str:
        return "done"

    @strawberry.field
    def rate(self) -> Rate | None:
        now = rate_state()
        return Rate(limit=now.limit, cost=now.cost, remaining=now.remaining) if now else None

    @strawberry.field
    async def slow(self, seconds: float = 30) -> str:
        COUNTS.slow_began += 1
        try:
            await asyncio.sleep(seconds)
            COUNTS.slow_finished += 1
        finally:
            COUNTS.slow_ended += 1
        return "slow"

    @strawberry.field
    def bug(self) -> str | None:
        raise RuntimeError("CANARY in the database at 10.0.0.1")

    @strawberry.field
    def strict_bug(self) -> str:
        raise RuntimeError("CANARY")

    @strawberry.field
    def plain_graphql_error(self) -> str | None:
        raise GraphQLError("CANARY raised by a library")

    @strawberry.field
    def refused(self) -> str | None:
        raise Refused("BACKLOG")

    @strawberry.field
    def public(self) -> str | None:
        raise PublicError("meant for you", code="TEAPOT", size=3)

    @strawberry.field
    def login(self, name: str, password: str) -> str | None:
        ATTEMPTS.count("address", name)
        raise ConnectionRejected("wrong name or password")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self, text: str = "") -> str:
        return text

    @strawberry.mutation
    async def slow_touch(self, seconds: float) -> str:
        COUNTS.slow_began += 1
        await asyncio.sleep(seconds)
        COUNTS.slow_finished += 1
        return "touched"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int = 3, every: float = 0.0) -> AsyncGenerator[int, None]:
        COUNTS.alive += 1
        try:
            for n in range(to):
                yield n
                await asyncio.sleep(every)
        finally:
            COUNTS.alive -= 1

    @strawberry.subscription
    async def text(self, size: int) -> AsyncGenerator[str, None]:
        COUNTS.alive += 1
        try:
            while True:
                yield "x" * size
                await asyncio.sleep(0.01)
        finally:
            COUNTS.alive -= 1

    @strawberry.subscription
    async def failing(self) -> AsyncGenerator[int, None]:
        yield 0
        raise RuntimeError("CANARY")


@dataclass
class Toy:
    """The application and its parts, for tests to turn."""

    policy: RequestPolicy = field(
        default_factory=lambda: RequestPolicy(
            bucket=None, principal=lambda context: context.who, explain=explain
        )
    )
    draining: Draining = field(default_factory=Draining)
    more: dict[str, Any] = field(default_factory=dict)
    revoked: Ending | None = None

    def __post_init__(self) -> None:
        self.schema = Schema(
            Query,
            policy=self.policy,
            mutation=Mutation,
            subscription=Subscription,
            config=StrawberryConfig(disable_field_suggestions=True),
        )
        self.view = GraphQLEndpoint(
            self.schema,
            context_of=self._context_of,
            authenticate=self._authenticate,
            explorer=lambda request: HTMLResponse("<p>explorer"),
            draining=self.draining,
            **self.more,
        )
        self.app = Starlette(
            routes=[
                Route("/graphql", self.view),
                WebSocketRoute("/graphql", self.view),
                Route("/readyz", self._ready),
            ]
        )

    async def _context_of(self, request: Any) -> Context:
        return self._context(request.headers.get("authorization"))

    async def _authenticate(self, websocket: Any, params: dict[str, Any]) -> Context:
        if params.get("hang"):
            await asyncio.sleep(60)
        if params.get("bug"):
            raise RuntimeError("CANARY")
        return self._context(params.get("authorization"))

    def _context(self, token: Any) -> Context:
        """Tokens: "bad" is rejected, "for 1" lives a second, anything else is somebody."""
        if token == "long":
            raise ConnectionRejected("é" * 300)
        if token == "bad":
            raise ConnectionRejected("Token unknown", reason="unknown")
        if isinstance(token, str) and token.startswith("for "):
            ends = datetime.now(UTC) + timedelta(seconds=float(token[4:]))
            return Context(expires_at=ends)
        return Context(str(token or "ann"), revoked=self.revoked)

    async def _ready(self, request: Any) -> JSONResponse:
        return JSONResponse({"alive": COUNTS.alive}, 503 if self.draining.begun else 200)


def main() -> None:
    toy = Toy(more={"uploads": "--uploads" in sys.argv})
    if "--bucket" in sys.argv:
        toy.policy.bucket = TokenBucket()
    with contextlib.suppress(KeyboardInterrupt):
        listener = bind("127.0.0.1", int(os.environ.get("PORT", "0")))
        serve(toy.app, listener, draining=toy.draining, grace=5)


if __name__ == "__main__":
    main()
