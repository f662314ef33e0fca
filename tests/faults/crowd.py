"""The crowd: many writers, many readers, some boards; and the proof that what was heard is what is kept."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

from models.topic import board_topic
from tests.faults.api import Api, log_of
from tests.faults.readers import Reader, caught_up, following
from tests.faults.writers import Told, Writer, writing


class Crowd:
    """Writers and readers on some boards of one installation."""

    def __init__(self, api: Api, boards: list[str], *, reading: Api | None = None) -> None:
        self.api, self.boards, self.told = api, boards, Told()
        self.reading = reading or api  # where the readers go, when that is elsewhere
        self.readers: list[Reader] = []
        self.writers: list[Writer] = []

    def has_readers(self, count: int, *, drops: float = 0) -> None:
        for n in range(count):
            transport = ("ws", "sse")[n % 2]
            board = self.boards[n // 2 % len(self.boards)]
            self.readers.append(Reader(self.reading, board, transport, drops=drops))

    def has_writers(self, count: int, *, pause: float = 0.0, patience: float = 60) -> None:
        for n in range(count):
            board = self.boards[n % len(self.boards)]
            self.writers.append(Writer(self.api, board, self.told, pause=pause, patience=patience))

    @contextlib.asynccontextmanager
    async def at_work(self, *, within: float = 30) -> AsyncIterator[None]:
        """Everybody works; at the end the writers stop, the readers catch up, and all is compared."""
        async with following(self.readers):
            async with writing(self.writers):
                yield
            logs = await self.logs()
            last = {board: len(log) for board, log in logs.items()}
            await caught_up(self.readers, last, within=within)
        await self.prove()

    async def logs(self) -> dict[str, Any]:
        url = self.api.processes[0].database_url
        return {board: await log_of(url, board_topic(board)) for board in self.boards}

    async def prove(self) -> None:
        """Every reader's list is the log; every acknowledged change is in it once, no other more than once."""
        logs = await self.logs()
        for reader in self.readers:
            assert reader.heard == logs[reader.board][: len(reader.heard)]
            assert len(reader.heard) == len(logs[reader.board])
        kept = {board: [event.request_id for event in log] for board, log in logs.items()}
        for board, ids in kept.items():
            acknowledged = {id for id, on in self.told.acknowledged.items() if on == board}
            assert acknowledged <= set(ids), f"{len(acknowledged - set(ids))} acknowledged, not kept"
            sent = [id for id in ids if id in self.told.acknowledged or id in self.told.unknown]
            assert len(sent) == len(set(sent)), "a change was made twice"

    async def settled(self, *, within: float = 30) -> None:
        """Wait until every reader follows."""
        async with asyncio.timeout(within):
            while not all(reader.heard for reader in self.readers):
                await asyncio.sleep(0.02)

    async def has_told(self, count: int, *, within: float = 60) -> None:
        """Wait until so many changes are acknowledged."""
        async with asyncio.timeout(within):
            while len(self.told.acknowledged) < count:
                await asyncio.sleep(0.02)

    def since_now(self) -> None:
        """Forget the latencies so far."""
        for reader in self.readers:
            reader.latencies.clear()

    @property
    def latencies(self) -> list[float]:
        return [latency for reader in self.readers for latency in reader.latencies]

    @property
    def events(self) -> int:
        return sum({reader.board: reader.last for reader in self.readers}.values())


async def restart(process: Any, *, down: float = 0.0) -> None:
    """Kill a server as the kernel would, and start it again."""
    process.kill()
    await asyncio.sleep(down)
    process.start()
    await process.ready(within=120)


async def killing(processes: list[Any], *, every: float, lasting: float) -> int:
    """Kill one of `processes` at random and start it again, to live `every` seconds or so. Returns how often."""
    loop, kills = asyncio.get_running_loop(), 0
    end = loop.time() + lasting
    while loop.time() < end:
        await restart(random.choice(processes))
        kills += 1
        await asyncio.sleep(every * random.uniform(0.5, 1.5))
    return kills


def percentile(values: list[float], share: float) -> float:
    """Seconds below which `share` of the values lie."""
    assert values, "nothing was measured"
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
