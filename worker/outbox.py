"""Sends a run's events: coalesced, in batches, in order, each batch repeated until the server has it.

A repeated batch keeps its key, so it appends nothing twice. While the server is unreachable, events wait here; at
MAX_PENDING_EVENTS the agent waits too. Chunks are dropped earlier, because their text follows as kept parts.
"""

import asyncio
import json
import logging
import time
from contextlib import suppress

from protocol.events import AgentEvent, AgentWarning, is_ephemeral
from protocol.rows import to_row
from worker.api import LeaseTicket, Row, ServerRejected, WorkerApi
from worker.coalesce import Coalescer
from worker.retry import retry_until_reached

log = logging.getLogger(__name__)
MAX_BATCH_EVENTS = 100
MAX_BATCH_BYTES = 524_288
MAX_PENDING_EVENTS = 2_000


class Outbox:
    def __init__(self, api: WorkerApi, lease: LeaseTicket) -> None:
        self._api, self._lease = api, lease
        self._gather = Coalescer()
        self._waiting: list[tuple[Row, int]] = []
        self._new = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._empty = asyncio.Event()
        self._sent = 0
        self._closed = self._dropped = False

    async def put(self, event: AgentEvent) -> None:
        """Add an event. Blocks while MAX_PENDING_EVENTS wait."""
        await self._room.wait()
        self._take(self._gather.feed(event, time.monotonic()))

    async def flush(self) -> None:
        """Wait until all events so far were delivered or dropped."""
        self._take(self._gather.close())
        while self._waiting:
            self._empty.clear()
            await self._empty.wait()

    async def run(self) -> None:
        """Send events until `close`. Raises LeaseLost, ServerRejected."""
        while not (self._closed and not self._waiting):
            if not self._waiting:
                await self._rest()
            if batch := self._next():
                await self._send(batch)

    def close(self) -> None:
        self._take(self._gather.close())
        self._closed = True
        self._new.set()

    def drop(self) -> None:
        """Discard all events and release the callers that wait: the run is lost."""
        self._closed, self._dropped = True, True
        self._waiting.clear()
        self._room.set()
        self._empty.set()
        self._new.set()

    def _take(self, events: list[AgentEvent]) -> None:
        for event in [] if self._dropped else events:
            if is_ephemeral(event) and len(self._waiting) > MAX_PENDING_EVENTS // 2:
                continue
            row = to_row(event)
            self._waiting.append((row, len(json.dumps(row))))
        if len(self._waiting) >= MAX_PENDING_EVENTS:
            self._room.clear()
        self._new.set()

    async def _rest(self) -> None:
        self._new.clear()
        due = self._gather.due()
        with suppress(TimeoutError):
            await asyncio.wait_for(
                self._new.wait(), None if due is None else max(0.0, due - time.monotonic())
            )
        self._take(self._gather.tick(time.monotonic()))

    def _next(self) -> list[Row]:
        size = 0
        batch: list[Row] = []
        for row, weight in self._waiting[:MAX_BATCH_EVENTS]:
            size += weight
            if batch and size > MAX_BATCH_BYTES:
                break
            batch.append(row)
        return batch

    async def _send(self, batch: list[Row]) -> None:
        await self._send_or_split(batch)
        del self._waiting[: len(batch)]
        if len(self._waiting) < MAX_PENDING_EVENTS // 2:
            self._room.set()
        if not self._waiting:
            self._empty.set()

    async def _send_or_split(self, batch: list[Row]) -> None:
        """Send a batch. A refused batch is split, until only the refused event is left out."""
        try:
            await self._deliver(batch)
        except ServerRejected as error:
            if len(batch) > 1:
                for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
                    await self._send_or_split(half)
                return
            log.warning("run %s: an event was refused: %s", self._lease.run, error)
            text = f"An event ({batch[0]['type']}) was refused and is left out: {error}"
            await self._deliver([to_row(AgentWarning(text=text, code="REFUSED"))])

    async def _deliver(self, batch: list[Row]) -> None:
        key = f"{self._lease.attempt}:{self._sent}"
        self._sent += 1
        await retry_until_reached(lambda: self._api.report(self._lease, key, batch))
