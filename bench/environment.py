"""The application in this process, on a fresh database, with boards to measure on."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2

from actions.account import ensure_owner
from actions.session import create_sign_in_link, redeem_sign_in_link
from kit.db.database import Database
from kit.db.migrate import migrate
from kit.db.transaction import Author
from kit.settings import load
from models.actor import ActorKind
from server import make_app, make_services

KEY = "benchmarks sign nothing that anybody keeps"
CREATE = (
    "mutation($input: CreateCardsInput!) { createCards(input: $input) { ... on Cards { cards { id } } } }"
)
WATCH = "subscription($id: ID!) { boardFeed(boardId: $id) { seq } }"


async def sign_in(url: str) -> str:
    """Return the authorization of the owner of a database, good for a day."""
    services = make_services(load(database_url=url, secret_key=KEY, access_minutes=1440))
    try:
        async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            owner = await ensure_owner(tx)
            assert owner is not None, "nobody has set a password"
            token = await create_sign_in_link(tx, owner.id)
            session = await redeem_sign_in_link(tx, services.tokens, token)
            return f"Bearer {session.access_token}"
    finally:
        await services.database.close()


class Environment:
    def __init__(self, app: Any, client: httpx2.AsyncClient, authorization: str) -> None:
        self.app, self.client, self.authorization = app, client, authorization
        client.headers["authorization"] = authorization

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, folder: Path, url: str | None = None) -> AsyncIterator["Environment"]:
        url = url or os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'bench.sqlite3'}"
        database = Database(url)
        await migrate(database)
        await database.close()
        app = make_app(load(database_url=url, secret_key=KEY, points=10**9))
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app, client=("127.0.0.1", 5555))
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                yield cls(app, client, await sign_in(url))

    async def ask(self, query: str, variables: Any = None) -> Any:
        answer = await self.client.post("/graphql", json={"query": query, "variables": variables or {}})
        body = answer.json()
        assert "errors" not in body, body["errors"]
        [value] = body["data"].values()
        return value

    async def board(self, cards: int) -> tuple[str, list[str]]:
        """A board with that many cards in its backlog."""
        workspace = (await self.ask("{ workspaces { nodes { id } } }"))["nodes"][0]["id"]
        create = "mutation($input: CreateBoardInput!) { createBoard(input: $input) { ... on Board { id } } }"
        id = (
            await self.ask(
                create, {"input": {"workspaceId": workspace, "name": f"{cards} cards", "autoDispatch": False}}
            )
        )["id"]
        made: list[str] = []
        while len(made) < cards:
            new = [{"title": f"Card {n}"} for n in range(len(made), min(cards, len(made) + 100))]
            made += [
                c["id"] for c in (await self.ask(CREATE, {"input": {"boardId": id, "cards": new}}))["cards"]
            ]
        return id, made

    @contextlib.asynccontextmanager
    async def follow(self, board: str) -> AsyncIterator[Callable[[], Any]]:
        from tests.client import follow

        async with follow(self.app, WATCH, self.authorization, id=board) as hear:
            yield hear
