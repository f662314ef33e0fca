"""The servers that are compared, each a process: `python -m bench.peers NAME DATABASE_URL PORT`.

signalbox is ours. graphql-core is ours with the library's own execution instead of runtime/executor. hand is
what somebody writes who knows the question beforehand: four statements, dictionaries, orjson, no GraphQL.
"""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from bench.house import KEY
from bench.load import Connection
from runtime.database import normalised
from runtime.settings import load
from runtime.transport.drain import Draining
from runtime.transport.serve import bind, serve
from schema.make import _built
from server import make_app

NAMES = ["signalbox", "graphql-core", "hand"]
ROOT = Path(__file__).parent.parent


def signalbox(url: str) -> Starlette:
    return make_app(load(database_url=url, secret_key=KEY, points=10**9, log_level="ERROR"))


def graphql_core(url: str) -> Starlette:
    _built().execution_context_class = StrawberryGraphQLCoreExecutionContext
    return signalbox(url)


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
    """The question of bench/boards.py, answered by hand, seeing only what the local owner sees."""
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
            pool = await asyncpg.create_pool(normalised(url).replace("+asyncpg", ""), min_size=4, max_size=10)
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


APPS = {"signalbox": signalbox, "graphql-core": graphql_core, "hand": hand}


class Peer:
    """A peer's process, ready to be asked."""

    def __init__(self, name: str, url: str, port: int) -> None:
        self.name, self.port = name, port
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.peers", name, url, str(port)], cwd=ROOT
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self, body: bytes, within: float = 120) -> bytes:
        """Wait until it answers `body`; return the answer."""
        async with asyncio.timeout(within):
            while True:
                assert self._process.poll() is None, f"{self.name} ended"
                with contextlib.suppress(OSError, EOFError):
                    async with Connection("127.0.0.1", self.port) as connection:
                        status, content = await connection.post("/graphql", body)
                        assert status == 200, content
                        return content
                await asyncio.sleep(0.1)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)


if __name__ == "__main__":
    _, name, url, port = sys.argv
    serve(APPS[name](url), bind("127.0.0.1", int(port)), draining=Draining(), grace=5, log_level="warning")
