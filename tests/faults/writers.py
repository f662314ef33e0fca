"""Writers: clients that change boards and remember which changes were acknowledged to them."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

from tests.faults.api import CREATE_CARD, MOVE_CARD, UPDATE_CARD, Api, Unanswered


@dataclass
class Told:
    """What writers were told of their changes, by request id: the log names it with each event."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # and on which board
    unknown: dict[str, str] = field(default_factory=dict)


class Writer:
    """One client that changes one board, one change after the other."""

    def __init__(self, api: Api, board: str, told: Told, *, pause: float = 0.0) -> None:
        self.api, self.board, self.told, self.pause = api, board, told, pause
        self.cards: list[str] = []

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            request = uuid4().hex
            try:
                await self._change(request)
            except Unanswered:
                self.told.unknown[request] = self.board
                await asyncio.sleep(random.uniform(0.05, 0.2))
            else:
                self.told.acknowledged[request] = self.board
            if self.pause:
                await asyncio.sleep(random.uniform(0, 2 * self.pause))

    async def _change(self, request: str) -> None:
        headers = {"x-request-id": request}
        dice = random.random()
        if not self.cards or (dice < 0.1 and len(self.cards) < 20):
            new = {"boardId": self.board, "title": request}
            made = await self.api.ask(CREATE_CARD, headers=headers, input=new)
            self.cards.append(made["id"])
        elif dice < 0.6:
            change = {"id": random.choice(self.cards), "title": request}
            made = await self.api.ask(UPDATE_CARD, headers=headers, input=change)
        else:
            move = {"id": random.choice(self.cards), "stage": random.choice(["BACKLOG", "PLAN", "TODO"])}
            made = await self.api.ask(MOVE_CARD, headers=headers, input=move)
        assert made["__typename"] == "Card", made


@contextlib.asynccontextmanager
async def writing(writers: list[Writer]) -> AsyncIterator[None]:
    """The writers run; afterwards each has had its last answer."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.run(stop))
        try:
            yield
        finally:
            stop.set()
