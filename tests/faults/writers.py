"""Writers: clients that change boards and remember which changes were acknowledged to them."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.faults.api import CREATE_CARD, MOVE_CARD, UPDATE_CARD, Api, Unanswered


@dataclass
class Told:
    """What writers were told of their changes, by request id: the log names it with each event."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # and on which board
    unknown: dict[str, str] = field(default_factory=dict)
    retries: int = 0


class Writer:
    """One client that changes one board, one change after the other.

    A change that was not answered is sent again with the same idempotency key, until it is or the writer stops.
    """

    def __init__(self, api: Api, board: str, told: Told, *, pause: float = 0.0, patience: float = 60) -> None:
        self.api, self.board, self.told = api, board, told
        self.pause, self.patience = pause, patience  # seconds between changes; for the answer to one
        self.cards: list[str] = []

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            request = uuid4().hex
            self.told.unknown[request] = self.board
            made = await self._insist(request, *self._change(request), within=self.patience)
            assert made["__typename"] == "Card", made
            self.told.acknowledged[request] = self.told.unknown.pop(request)
            if self._is_new(made["id"]):
                self.cards.append(made["id"])
            if self.pause:
                await asyncio.sleep(random.uniform(0, 2 * self.pause))

    async def _insist(self, request: str, mutation: str, change: dict[str, Any], *, within: float) -> Any:
        headers = {"x-request-id": request, "idempotency-key": request}
        async with asyncio.timeout(within):
            while True:
                try:
                    return await self.api.ask(mutation, headers=headers, input=change)
                except Unanswered:
                    self.told.retries += 1
                    await asyncio.sleep(random.uniform(0.3, 1))

    def _change(self, request: str) -> tuple[str, dict[str, Any]]:
        dice = random.random()
        if not self.cards or (dice < 0.1 and len(self.cards) < 20):
            return CREATE_CARD, {"boardId": self.board, "title": request}
        card = random.choice(self.cards)
        if dice < 0.6:
            return UPDATE_CARD, {"id": card, "title": request}
        return MOVE_CARD, {"id": card, "destination": {"stage": random.choice(["BACKLOG", "PLAN", "TODO"])}}

    def _is_new(self, card: str) -> bool:
        return card not in self.cards


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
