"""Many subscribers of one board: how many events a second reach them, how late, and what those cost that only wait.

The peers make the same events out of nothing: they have no database, no permissions and no law. Ours are moves of
cards, through the API, committed, read from the log and checked for every subscriber.
"""

import asyncio
import contextlib
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from bench.crowd import Crowd
from bench.environment import KEY, sign_in
from bench.load import Connection
from tests.warm import Warm

NAMES = ["signalbox", "strawberry", "graphql-ws"]
ROOT = Path(__file__).parent.parent
PEERS = ROOT / "bench" / "peers" / "fanout"
CARDS = 20  # moved by one mutation
AHEAD = 2  # batches that are under way at once
WARM = 100  # idle subscribers before it is measured
console = Console(stderr=True)

OURS = """subscription Feed($board: ID!, $after: String) {
  boardFeed(boardId: $board, after: $after) { seq cursor event { __typename
  ... on CardMoved { cardId card { id title stage } } } } }"""
THEIRS = """subscription Feed($board: ID!) { boardFeed(boardId: $board) {
  seq cursor kind cardId card { id title stage } } }"""
CREATE_BOARD = "mutation($input: CreateBoardInput!) { createBoard(input: $input) { ... on Board { id } } }"
CREATE_CARDS = """mutation($input: CreateCardsInput!) {
  createCards(input: $input) { ... on Cards { cards { id } } } }"""
MOVE = "mutation Move($input: MoveCardsInput!) { moveCards(input: $input) { __typename } }"


class Missing(Exception):
    """A peer that cannot be run here, and why."""


@dataclass
class Server:
    """A peer's process, and how it is made to tell something."""

    name: str
    port: int
    process: Warm | subprocess.Popen[bytes]
    query: str = THEIRS
    variables: dict[str, str] = field(default_factory=lambda: {"board": "board"})
    cards: list[str] = field(default_factory=list)
    turn: int = 0
    database_url: str = ""
    authorization: str = ""

    @property
    def rss(self) -> int:
        """Bytes of memory it has."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) * 1024

    @property
    def busy(self) -> float:
        """Seconds of processor time it has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def ready(self, within: float = 120) -> None:
        async with asyncio.timeout(within):
            while True:
                if self.process.poll() is not None:
                    raise Missing(f"{self.name} ended")
                with contextlib.suppress(OSError, EOFError):
                    async with Connection("127.0.0.1", self.port, self.authorization) as connection:
                        await connection.post("/readyz", b"")
                        return
                await asyncio.sleep(0.1)

    async def prepare(self) -> None:
        """Make what is to be followed."""
        if self.name != "signalbox":
            return
        self.authorization = await sign_in(self.database_url)
        async with Connection("127.0.0.1", self.port, self.authorization) as connection:
            found = await _ask(connection, "{ workspaces { nodes { id } } }")
            given = {"workspaceId": found["nodes"][0]["id"], "name": "Bench", "autoDispatch": False}
            board = (await _ask(connection, CREATE_BOARD, input=given))["id"]
            cards = [{"title": "A card that is moved"}] * CARDS
            made = await _ask(connection, CREATE_CARDS, input={"boardId": board, "cards": cards})
            self.cards = [card["id"] for card in made["cards"]]
            # Behind its last event but one: each subscriber is told one event to begin with.
            found = await _ask(connection, "query($id: ID!) { board(id: $id) { cursor } }", id=board)
            self.variables = {"board": board, "after": found["cursor"]}
            await self.publish(1)

    async def publish(self, count: int) -> None:
        """Make so many events. Over a connection of its own: servers close those that wait."""
        async with Connection("127.0.0.1", self.port, self.authorization) as connection:
            if self.name != "signalbox":
                await connection.post(f"/publish?count={count}", b"")
                return
            self.turn += 1
            ids = self.cards if count == CARDS else [self.cards[self.turn % CARDS]]
            answer = await _ask(connection, MOVE, input={"ids": ids, "position": {"top": True}})
            assert answer["__typename"] == "Cards", answer


async def _ask(connection: Connection, query: str, **variables: Any) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    answer = json.loads((await connection.post("/graphql", body))[1])
    assert "errors" not in answer, answer
    [value] = answer["data"].values()
    return value


@contextlib.contextmanager
def started(name: str) -> Iterator[Server]:
    """A peer in a process of its own. Raises Missing."""
    port = free_port()
    process: Warm | subprocess.Popen[bytes]
    url = ""
    with tempfile.TemporaryDirectory() as folder:
        if name == "signalbox":
            url = os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/bench.sqlite3"
            more = {"DATABASE_URL": url, "PORT": str(port), "SECRET_KEY": KEY}
            more |= {"POINTS": "1000000000", "LOG_LEVEL": "ERROR"}
            env = {**os.environ, **more}
            process = Warm("serve", "--migrate", cwd=folder, env=env, stderr="/dev/stderr")
        elif name == "strawberry":
            process = subprocess.Popen([sys.executable, str(PEERS / "plain.py"), str(port)], cwd=folder)
        else:
            command = [str(_node()), str(_installed(Path(folder)) / "server.mjs"), str(port)]
            process = subprocess.Popen(command, cwd=folder)
        try:
            yield Server(name, port, process, OURS if url else THEIRS, database_url=url)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        raise Missing("there is no node here")
    return found


def _installed(folder: Path) -> Path:
    """The Node peer with its dependencies, as its lock names them; kept for the next run."""
    kept = Path(tempfile.gettempdir()) / f"signalbox-bench-fanout-{os.getuid()}"
    if not (kept / "node_modules" / ".package-lock.json").exists():
        npm = shutil.which("npm")
        if npm is None:
            raise Missing("there is no npm here")
        shutil.copytree(PEERS, kept, dirs_exist_ok=True)
        told = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=kept, capture_output=True, text=True, timeout=300
        )
        if told.returncode:
            raise Missing(f"its packages cannot be installed: {told.stderr.strip().splitlines()[-1:]}")
    shutil.copy(PEERS / "server.mjs", kept)
    return kept


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Found:
    """What each peer reached: deliveries a second by turn, and milliseconds at half of that.

    `work` is deliveries in a second of the server's processor time: other work on the machine disturbs it less.
    """

    subscribers: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    work: dict[str, list[float]] = field(default_factory=dict)
    p50: dict[str, float] = field(default_factory=dict)
    p99: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def rows(self) -> list[list[str]]:
        rows = [[name, f"not run: {why}", *[""] * 5] for name, why in self.missing.items()]
        for name in reversed(self.rates):
            speeds = [f"{statistics.median(of[name]):,.0f}" for of in (self.rates, self.work)]
            ratios = [ratio(of, name) for of in (self.rates, self.work)]
            late = [f"{of[name]:.0f}" for of in (self.p50, self.p99)]
            rows.insert(0, [name, speeds[0], ratios[0], speeds[1], ratios[1], *late])
        return rows


def ratio(of: dict[str, list[float]], name: str) -> str:
    """Ours against that peer: the median over turns, for neighbours in time share the machine's mood."""
    if "signalbox" not in of:
        return ""
    return f"{statistics.median(a / b for a, b in zip(of['signalbox'], of[name], strict=True)):.1f}"


HEADS = [
    "who",
    "deliveries a second",
    "ours against it",
    "in a second of its processor time",
    "ours against it",
]
HEADS += ["p50 ms at half load", "p99 ms at half load"]


async def compare(names: Sequence[str], *, subscribers: int, turns: int, seconds: float) -> Found:
    """Let every peer tell its subscribers as much as it can, one after the other, again and again."""
    found = Found(subscribers)
    _many_files()
    with ExitStack() as stack:
        ready: list[tuple[Server, Crowd]] = []
        for name in names:
            try:
                server = stack.enter_context(started(name))
                await server.ready()
            except Missing as why:
                found.missing[name] = str(why)
                continue
            await server.prepare()
            crowd = Crowd(server.authorization)
            stack.callback(crowd.close)
            await crowd.subscribe(server.port, subscribers, server.query, server.variables)
            await settle(crowd)
            ready.append((server, crowd))
            found.rates[name], found.work[name] = [], []
        for _ in track(range(turns), description="fan-out", console=console):
            for server, crowd in ready:
                rate, work = await flood(server, crowd, seconds)
                found.rates[server.name].append(rate)
                found.work[server.name].append(work)
        for server, crowd in ready:
            half = statistics.median(found.rates[server.name]) / 2 / subscribers
            waits = await drip(server, crowd, half, seconds)
            found.p50[server.name] = waits[len(waits) // 2] * 1000
            found.p99[server.name] = waits[int(len(waits) * 0.99)] * 1000
    return found


async def settle(crowd: Crowd) -> None:
    """Wait until nothing comes any more."""
    heard = -1
    while heard != crowd.total:
        heard = crowd.total
        await asyncio.sleep(0.5)


async def flood(server: Server, crowd: Crowd, seconds: float) -> tuple[float, float]:
    """Deliveries when events are made before the last have all arrived: a second, and by its processor time."""
    size = CARDS * len(crowd.everyone)
    crowd.begin()
    began, busy, made = time.perf_counter(), server.busy, 0
    while time.perf_counter() - began < seconds:
        await server.publish(CARDS)
        made += size
        await crowd.until(made - (AHEAD - 1) * size)
    await crowd.until(made)
    return made / (time.perf_counter() - began), made / max(0.01, server.busy - busy)


async def drip(server: Server, crowd: Crowd, each_second: float, seconds: float) -> list[float]:
    """How long each delivery took, from the request that made the event, at so many events a second."""
    crowd.begin()
    count, began = max(2, round(each_second / CARDS * seconds)), time.perf_counter()
    for number in range(count):
        due = began + number * CARDS / each_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        # An event that is asked for late is late for those who wait for it.
        crowd.sent += [min(time.perf_counter(), due)] * CARDS
        await server.publish(CARDS)
    await crowd.until(count * CARDS * len(crowd.everyone))
    return sorted(crowd.waits)


async def idle(subscribers: int) -> float:
    """Bytes of memory of each of so many subscribers of one board that only wait."""
    _many_files()
    with ExitStack() as stack:
        server = stack.enter_context(started("signalbox"))
        await server.ready()
        await server.prepare()
        crowd = Crowd(server.authorization)
        stack.callback(crowd.close)
        asked = server.query, server.variables
        await crowd.subscribe(server.port, WARM, *asked)
        await asyncio.sleep(1)
        before = server.rss
        await crowd.subscribe(server.port, subscribers, *asked)
        await asyncio.sleep(2)
        return (server.rss - before) / subscribers


def _many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
