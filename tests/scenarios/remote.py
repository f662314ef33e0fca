"""The application behind real servers, spoken to as tests speak to the one in their own process.

What was not answered is sent again, under one idempotency key, until it is: so do clients that mean it.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2

from tests.work import Hand, hand

WEB = {"name": "Web", "autoDispatch": False}
BOARD = "mutation($input: CreateBoardInput!) { createBoard(input: $input) { ... on Board { id } } }"
WORKSPACE = """mutation($input: CreateWorkspaceInput!) { createWorkspace(input: $input) {
  ... on Workspace { id } } }"""
CARDS = """mutation($input: CreateCardsInput!) { createCards(input: $input) { __typename
  ... on Cards { cards { id title } } } }"""


class Remote:
    """One client of several servers that are one installation."""

    def __init__(self, *servers: Any, workspace: str = "", patience: float = 120) -> None:
        self.urls = [server.http for server in servers]
        self.workspace, self.patience, self.retries = workspace, patience, 0
        self.tokens: dict[str, str] = {"": servers[0].headers["authorization"]}  # "" is the owner
        none = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        self.http = httpx2.AsyncClient(timeout=30, limits=none)

    async def __aenter__(self) -> "Remote":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.http.aclose()

    async def data(self, query: str, actor: str = "", **variables: Any) -> Any:
        """What the only field of an operation answers, however often it must be asked for."""
        headers = {"authorization": self.tokens[actor]}
        if "claimRuns" not in query:  # a claim has a key of its own
            headers["idempotency-key"] = uuid4().hex
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return await self.once(query, variables, headers)
            except (httpx2.TransportError, Again) as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not answered for {self.patience} seconds") from error
                self.retries += 1
                await asyncio.sleep(random.uniform(0.1, 0.4))

    async def once(self, query: str, variables: Any, headers: dict[str, str]) -> Any:
        body = {"query": query, "variables": variables}
        response = await self.http.post(random.choice(self.urls), json=body, headers=headers)
        answer = response.json()
        if errors := answer.get("errors"):
            assert all(error["extensions"].get("retryable") is True for error in errors), errors
            raise Again(errors[0]["message"])
        [value] = answer["data"].values()
        return value

    async def home(self) -> str:
        """The id of the workspace that is spoken about: the owner's first, unless another was named."""
        return self.workspace or str((await self.data("{ workspaces { nodes { id } } }"))["nodes"][0]["id"])

    async def has_board(self, *cards: Any, **input: Any) -> tuple[str, list[str]]:
        """A board with these cards, or cards of these titles, in its backlog: its id and theirs."""
        made = {"workspaceId": await self.home(), **WEB, **input}
        board = (await self.data(BOARD, input=made))["id"]
        ids: list[str] = []
        given = [{"title": card} if isinstance(card, str) else card for card in cards]
        for start in range(0, len(given), 50):
            answer = await self.data(CARDS, input={"boardId": board, "cards": given[start : start + 50]})
            assert answer["__typename"] == "Cards", answer
            ids += [card["id"] for card in answer["cards"]]
        return board, ids


@contextlib.asynccontextmanager
async def elsewhere(*servers: Any) -> AsyncIterator[Remote]:
    """A client of a workspace of its own, whose queue nobody else works."""
    async with Remote(*servers) as remote:
        remote.workspace = (await remote.data(WORKSPACE, input={"name": f"W {uuid4().hex}"}))["id"]
        yield remote


class Again(Exception):
    """An answer that says to try again."""


class Worker(Hand):
    """A worker that sends each word again until it is answered."""

    async def get(self, most: int = 1) -> list[Any]:
        """Claim, under a key: what a lost answer gave is given again."""
        return await self.claim(most, key=uuid4().hex)

    async def turn(self, *, most: int = 1, takes: float = 0.0) -> list[str]:
        """Claim, and complete what there was, after so many seconds. Returns what it was told to have done."""
        claims = [claim["run"]["id"] for claim in await self.get(most)]
        for id in claims:
            await self.at_work(takes)
            answer = await self.complete(id)
            assert answer["__typename"] == "Run", answer
            del self.leases[id]
        if not claims:
            await asyncio.sleep(random.uniform(0.3, 1.5))
        return claims

    async def at_work(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.5))
            await self.beat()


async def workers(remote: Remote, count: int, **input: Any) -> list[Worker]:
    """So many registered workers."""
    made = [await hand(remote, f"w{n}", **input) for n in range(count)]
    return [Worker(remote, one.id) for one in made]
