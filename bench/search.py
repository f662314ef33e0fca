"""Search over many cards and comments: the time that the database takes for one page."""

import random
import statistics
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from bench.environment import Environment
from kit.db.database import utcnow
from kit.ids import new_id
from models.actor import ActorKind
from models.card import Card, CardType, Priority
from models.message import Message, MessageKind
from models.search import SearchEntry, SearchType, entry_values

VOCABULARY = 20_000  # words; the n-th is n times as rare as the first
PART = 2_000  # rows of one transaction
QUERIES = {
    "a word of every third text": "{0}",
    "three common words": "{0} {1} {2}",
    "a word of one text in a hundred": "{40}",
    "a rare word": "{9000}",
    "a common and a rare word": "{0} {9000}",
    "the beginning of many words": "wo",
    "three letters that begin many words": "wor",
    "a name of a card": "BIG-77",
    "a word that is nowhere": "nowhere",
    "comments only": "{3} {30}",
}
SEARCH = """query($w: ID!, $t: String!, $types: [SearchType!]) {
  search(workspaceId: $w, text: $t, types: $types, first: 20) {
    nodes { type node { id } title { text isMatch } excerpt { text isMatch } } } }"""


def _word(number: int) -> str:
    return f"wo{'rl' * (number % 3)}{number:x}"


async def fill(services: Environment, cards: int, comments: int) -> str:
    """Insert that many cards and comments with their entries. Returns the workspace."""
    board, _ = await services.board(1)
    database = services.app.state.services.database
    [[workspace, column]] = await database.read(
        text(
            "SELECT board.workspace_id, board_column.id FROM board JOIN board_column ON board_id = board.id LIMIT 1"
        )
    )
    chance = random.Random(1)
    words = [_word(number) for number in range(VOCABULARY)]
    weights = [1 / (number + 3) for number in range(VOCABULARY)]
    said = iter(chance.choices(words, weights, k=cards * 26 + comments * 20))
    ids: list[str] = []
    for begin in range(0, cards, PART):
        rows = []
        for number in range(begin, min(cards, begin + PART)):
            ids.append(new_id("card"))
            title, description = (" ".join(next(said) for _ in range(length)) for length in (6, 20))
            rows.append(
                {
                    "id": ids[-1],
                    "board_id": board,
                    "column_id": column,
                    "rank": f"z{number:08}",
                    "number": number + 2,
                    "title": title,
                    "description": description,
                    "type": CardType.FEATURE,
                    "priority": Priority.MEDIUM,
                }
            )
        entries = [
            _entry(SearchType.CARD, row["id"], row["title"], row["description"], workspace, board, row["id"])
            for row in rows
        ]
        await _insert(database, Card, rows, entries)
    for begin in range(0, comments, PART):
        rows = [
            {
                "id": new_id("message"),
                "board_id": board,
                "card_id": chance.choice(ids),
                "kind": MessageKind.COMMENT,
                "author_kind": ActorKind.SYSTEM,
                "body": " ".join(next(said) for _ in range(20)),
            }
            for _ in range(begin, min(comments, begin + PART))
        ]
        entries = [
            _entry(SearchType.COMMENT, row["id"], "", row["body"], workspace, board, row["card_id"])
            for row in rows
        ]
        await _insert(database, Message, rows, entries)
    async with database.write() as tx:
        await tx.execute(text("UPDATE board SET key = 'BIG'"))
    if not database.is_sqlite:
        async with database.write() as tx:
            await tx.execute(text("SET LOCAL statement_timeout = 0"))
            await tx.execute(text("ANALYZE"))
    return str(workspace)


def _entry(type: SearchType, id: str, title: str, body: str, workspace: str, board: str, card: str) -> Any:
    return entry_values(type, id, title, body, workspace_id=workspace, board_id=board, card_id=card)


async def _insert(database: Any, kind: Any, rows: list[dict[str, Any]], entries: list[Any]) -> None:
    at = utcnow() - timedelta(days=1)
    async with database.write() as tx:
        connection = await tx.connection()
        stamped = [row | {"created_at": at, "updated_at": at, "version": 1} for row in rows]
        await connection.execute(insert(kind.__table__), stamped)
        await connection.execute(insert(SearchEntry.__table__), entries)


async def measure(url: str, folder: Path, cards: int, comments: int, turns: int) -> dict[str, float]:
    """Return the median milliseconds that the database takes for a page, by the kind of search."""
    async with Environment.started(folder, url) as services:
        workspace = await fill(services, cards, comments)
        readers = services.app.state.services.database.readers
        spent = 0.0
        read = readers.read

        async def timed(*given: Any) -> Any:
            nonlocal spent
            began = time.perf_counter()
            try:
                return await read(*given)
            finally:
                spent += time.perf_counter() - began

        readers.read = timed
        found: dict[str, float] = {}
        for name, pattern in QUERIES.items():
            words = pattern.replace("{", "{w[").replace("}", "]}").format(w=_Words())
            types = ["COMMENT"] if name == "comments only" else None
            times = []
            for _ in range(turns):
                spent = 0.0
                await services.ask(SEARCH, {"w": workspace, "t": words, "types": types})
                times.append(spent * 1000)
            found[name] = statistics.median(times)
        return found


class _Words:
    def __getitem__(self, number: int) -> str:
        return _word(int(number))
