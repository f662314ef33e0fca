"""What the fault harness says to real servers over HTTP, and what they keep, read from the database."""

import random
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import select

from kit.db.database import Database
from kit.eventlog.tables import Event, Topic
from models.events import EVENT_TYPES

CREATE_BOARD = """mutation($input: CreateBoardInput!) {
  createBoard(input: $input) { __typename ... on Board { id } } }"""
CREATE_CARD = """mutation($input: CreateCardInput!) {
  createCard(input: $input) { __typename ... on Card { id } } }"""
CREATE_CARDS = "mutation($input: CreateCardsInput!) { createCards(input: $input) { __typename } }"
UPDATE_CARD = """mutation($input: UpdateCardInput!) {
  updateCard(input: $input) { __typename ... on Card { id } } }"""
MOVE_CARD = """mutation($input: MoveCardInput!) {
  moveCard(input: $input) { __typename ... on Card { id } } }"""

# A budget is for strangers; these tests are meant to be a crowd.
CROWD = {
    "POINTS": "1000000000",
    "POINTS_PER_SECOND": "1000000000",
    "LOG_LEVEL": "WARNING",
    "LOG_FORMAT": "json",
}


class Unanswered(Exception):
    """No answer came, or one that says to try again: whether it was done is not known."""


@dataclass(frozen=True)
class Logged:
    """One event, as the log keeps it and as a reader hears it."""

    seq: int
    kind: str
    request_id: str | None


class Api:
    """One client of several servers that are one installation."""

    def __init__(self, *processes: Any) -> None:
        self.processes = list(processes)
        none = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        self.http = httpx2.AsyncClient(timeout=30, verify=False, limits=none)

    async def __aenter__(self) -> "Api":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.http.aclose()

    async def ask(
        self, query: str, *, process: Any = None, headers: dict[str, str] | None = None, **variables: Any
    ) -> Any:
        """What the only field of an operation answers. Raises Unanswered; any other error fails the test."""
        process = process or random.choice(self.processes)
        body = {"query": query, "variables": variables}
        try:
            response = await self.http.post(
                process.http, json=body, headers={**process.headers, **(headers or {})}
            )
        except httpx2.TransportError as error:
            raise Unanswered(repr(error)) from error
        answer = response.json()
        if errors := answer.get("errors"):
            assert all(is_retryable(error) for error in errors), errors
            raise Unanswered(errors[0]["message"])
        [value] = answer["data"].values()
        return value

    async def boards(self, count: int) -> list[str]:
        """So many new boards."""
        home = (await self.ask("{ workspaces { nodes { id } } }"))["nodes"][0]["id"]
        made = [
            await self.ask(
                CREATE_BOARD, input={"workspaceId": home, "name": f"Board {n}", "autoDispatch": False}
            )
            for n in range(count)
        ]
        return [board["id"] for board in made]

    async def card(self, board: str, title: str = "A card") -> str:
        return str((await self.ask(CREATE_CARD, input={"boardId": board, "title": title}))["id"])


def is_retryable(error: Any) -> bool:
    return error["extensions"].get("retryable") is True


async def log_of(url: str, topic: str) -> list[Logged]:
    """The whole log of a topic, from the database itself, whose numbers are checked."""
    database = Database(url)
    try:
        query = select(Event.seq, Event.kind, Event.request_id).where(Event.topic == topic)
        rows = await database.read(query.order_by(Event.seq))
        numbered = await database.read(select(Topic.last).where(Topic.name == topic))
    finally:
        await database.close()
    last = numbered[0][0] if numbered else 0
    assert [row.seq for row in rows] == list(range(1, last + 1)), "the numbers of a topic are dense"
    names = {kind: cls.__name__ for kind, cls in EVENT_TYPES.items()}
    return [Logged(row.seq, names.get(row.kind, row.kind), row.request_id) for row in rows]
