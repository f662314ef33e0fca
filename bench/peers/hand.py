"""What somebody writes who knows the question beforehand: four statements, dictionaries, orjson, no GraphQL."""

import asyncio
import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kit.db.database import normalize_url

MINE = "SELECT workspace_id FROM membership WHERE user_id = $1"
SEEN = f"{{0}}.board_id IN (SELECT id FROM board WHERE workspace_id IN ({MINE}))"
BOARD = f"SELECT id, name FROM board WHERE id = $2 AND workspace_id IN ({MINE})"
COLUMNS = "SELECT id, name, stage FROM board_column WHERE board_id = $2 AND " + SEEN.format("board_column")
COLUMNS += " ORDER BY rank"
CARDS = (
    "SELECT card.id, card.number, card.title, card.type, card.priority, card.due_on, card.version, card.created_at,"
    " card.column_id FROM card JOIN board_column ON board_column.id = card.column_id"
    " WHERE card.board_id = $2 AND card.archived_at IS NULL AND " + SEEN.format("card")
)
CARDS += " ORDER BY board_column.rank, card.rank, card.id LIMIT $3"
SUBTASKS = "SELECT card_id, id, title, completed, phase FROM subtask WHERE card_id {} AND " + SEEN.format(
    "subtask"
)
SUBTASKS += " ORDER BY phase_order, rank, id"
LABELS = (
    "SELECT card_label.card_id, label.id, label.name, label.colour FROM label JOIN card_label ON"
    " card_label.label_id = label.id WHERE card_label.card_id {} AND "
    + SEEN.format("card_label")
    + " ORDER BY label.name_folded, label.id"
)
PRIORITIES = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
KEYS = ["id", "number", "title", "type", "priority", "dueOn", "version", "createdAt", "columnId"]
ANY = {"postgresql": "= ANY($2)", "sqlite": "IN (SELECT value FROM json_each($2))"}


def hand(url: str) -> Starlette:
    """The question of bench/boards.py, answered by hand, seeing only what the owner sees."""
    kind = "sqlite" if url.startswith("sqlite") else "postgresql"
    subtasks_by, labels_by = SUBTASKS.format(ANY[kind]), LABELS.format(ANY[kind])
    fetch: Callable[..., Any]
    owner = ""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        nonlocal fetch, owner
        if kind == "sqlite":
            db = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False)

            async def fetch(sql: str, *values: Any) -> list[Any]:
                return await asyncio.to_thread(lambda: db.execute(sql.replace("$", "?"), values).fetchall())
        else:
            pool = await asyncpg.create_pool(
                normalize_url(url).replace("+asyncpg", ""), min_size=4, max_size=10
            )
            fetch = pool.fetch
        owner = (await fetch('SELECT id FROM "user" WHERE is_local'))[0][0]
        yield

    async def answer(request: Request) -> Response:
        asked = orjson.loads(await request.body())["variables"]
        [(id, name)] = await fetch(BOARD, owner, asked["id"])
        columns = await fetch(COLUMNS, owner, id)
        rows = await fetch(CARDS, owner, id, asked["first"])
        keys = [row[0] for row in rows]
        keys = orjson.dumps(keys).decode() if kind == "sqlite" else keys
        subtasks, labels = defaultdict(list), defaultdict(list)
        for card, *values in await fetch(subtasks_by, owner, keys):
            subtasks[card].append(dict(zip(("id", "title", "completed", "phase"), values, strict=True)))
            subtasks[card][-1]["completed"] = bool(subtasks[card][-1]["completed"])
        for card, *values in await fetch(labels_by, owner, keys):
            labels[card].append(dict(zip(("id", "name", "colour"), values, strict=True)))
        nodes = []
        for row in rows:
            card = dict(zip(KEYS, row, strict=True))
            card["priority"] = PRIORITIES[card["priority"]]
            if kind == "sqlite":  # which keeps moments as text
                card["createdAt"] = card["createdAt"].replace(" ", "T") + "Z"
            card["subtasks"], card["labels"] = subtasks[card["id"]], labels[card["id"]]
            nodes.append(card)
        shown = [dict(zip(("id", "name", "stage"), row, strict=True)) for row in columns]
        found = {"data": {"board": {"id": id, "name": name, "columns": shown, "cards": {"nodes": nodes}}}}
        return Response(orjson.dumps(found, option=orjson.OPT_UTC_Z), media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])], lifespan=lifespan)
