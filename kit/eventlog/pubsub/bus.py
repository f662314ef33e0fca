"""The bus carries notifications to the other processes.

A process has one connection, one channel and one publisher.

Promise. `state` is accurate. It is PROVEN while the process receives its own heartbeat, DOUBTED about
one second after a missing heartbeat, and DOWN from the loss of the connection until the next
subscription. The bus reconnects without a limit on the attempts.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any
from uuid import uuid4

from broadcaster import Broadcast, Event

from kit.eventlog.pubsub import messages
from kit.eventlog.pubsub.backend import Backend
from kit.eventlog.pubsub.hub import Flag, Hub, Source, SourceState

DEBOUNCE_SECONDS = 0.02  # seconds between two batches: names sent meanwhile travel together
HEARTBEAT_INTERVAL_SECONDS = 0.5  # seconds between two letters, a heartbeat if there is nothing to say
DOUBT_AFTER_SECONDS = 1.0  # seconds without a letter of our own coming back, until we say so
RECONNECT_AFTER_SECONDS = 3.0  # seconds of the same, until the connection is thrown away; also for a new one
FLUSH_TIMEOUT_SECONDS = 0.5  # seconds stop() gives to what was sent just before it
FIRST, SLOWEST = 0.05, 5.0  # seconds before a new connection is tried

log = logging.getLogger("signalbox.pubsub")


class Bus(Source):
    def __init__(self, hub: Hub, plug: Callable[[], Backend]) -> None:
        super().__init__(hub)
        self._make, self._plug = plug, plug()
        self._outbox = messages.PendingTopics()
        self._noted = Flag()
        self._task: asyncio.Task[None] | None = None
        self._leaving = False
        self._failures = 0  # connections since the last one that was proven

    def send(self, keys: Iterable[str]) -> None:
        self._outbox.add(keys)
        self._noted.wake()

    async def start(self, *, required: bool = True) -> None:
        """Connect and subscribe. A connection lost later is not raised.

        Raises ConnectionError if the bus cannot be reached, unless it is not `required`: then it is tried again and
        again, as after a loss."""
        self._leaving, self._id = False, uuid4().hex
        broadcast = None
        try:
            broadcast = await self._connect()
            self.become(SourceState.DOUBTED)
        except Exception as error:
            message = f"Cannot reach the wake bus: {self._plug.tell(error)}"
            if required:
                raise ConnectionError(message) from None  # the cause may quote the password
            log.warning("%s; followers poll", message)
            self.become(SourceState.DOWN)
        self._task = asyncio.create_task(self._run(broadcast), name="wakes")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        self._leaving = True
        self._noted.wake()
        try:
            await asyncio.wait(
                [task], timeout=FLUSH_TIMEOUT_SECONDS if self.state is not SourceState.DOWN else 0
            )
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, broadcast: Broadcast | None) -> None:
        while True:
            try:
                if broadcast is not None:
                    await self._live(broadcast)
            except Exception as error:
                log.warning("The wake bus is lost, followers poll: %s", self._plug.tell(error))
            if self._leaving:
                return
            broadcast = await self._reconnect()

    async def _reconnect(self) -> Broadcast:
        while True:
            await asyncio.sleep(random.uniform(FIRST, self._slowest()))  # noqa: S311 - only jitter
            self._failures += 1
            try:
                return await self._connect()
            except Exception as error:
                log.info("The wake bus is still out of reach: %s", self._plug.tell(error))

    def _slowest(self) -> float:
        return min(SLOWEST, FIRST * float(2 ** min(self._failures + 1, 10)))

    async def _connect(self) -> Broadcast:
        self._plug = self._make()
        broadcast = Broadcast(backend=self._plug)
        async with asyncio.timeout(RECONNECT_AFTER_SECONDS):
            await broadcast.connect()
        return broadcast

    async def _live(self, broadcast: Broadcast) -> None:
        """Serve one connection. Return when `stop` was called; raise when the connection is lost."""
        self._heard = now()
        try:
            async with broadcast.subscribe(self._plug.channel) as subscriber:
                self.become(SourceState.DOUBTED)
                await run_until_first_ends(
                    self._hear(subscriber.get), self._speak(broadcast.publish), self._watch()
                )
        finally:
            self.become(SourceState.DOWN)
            await self._disconnect(broadcast)

    async def _disconnect(self, broadcast: Broadcast) -> None:
        try:
            await broadcast.disconnect()
        except Exception:
            await self._plug.disconnect()  # broadcaster re-raised its listener's death instead
        await asyncio.sleep(0)  # nor does it wait for the listener that it cancelled

    async def _hear(self, get: Callable[[], Awaitable[Event]]) -> None:
        """Pass each message to the hub immediately, because broadcaster's queues are unbounded."""
        while True:
            event = await get()
            if event is self._plug.lost:
                raise ConnectionResetError("the connection was closed")
            letter = messages.decode_message(event.message)
            if letter is None:
                log.debug("Something that is no letter came over the wake bus")
            elif letter.by != self._id:
                self.hub.wake(letter.names)
            else:
                self._prove()

    def _prove(self) -> None:
        """Record that a message of this process came back: both directions work."""
        self._heard = now()
        if self.state is not SourceState.PROVEN:
            log.info("The wake bus is proven")
        self.become(SourceState.PROVEN)
        self._failures = 0

    async def _speak(self, publish: Callable[[str, str], Awaitable[None]]) -> None:
        """Send the pending topics at most every DEBOUNCE_SECONDS, or a heartbeat if there are none."""
        while True:
            self._noted.clear()
            leaving, names = self._leaving, self._outbox.take()
            try:
                for letter in messages.encode_messages(self._id, names):
                    await publish(self._plug.channel, letter)
            except BaseException:
                self._outbox.add(names)  # for the next connection: sent twice harms nobody
                raise
            if leaving:  # already before the taking: what was noted during the sending goes too
                return
            await asyncio.sleep(DEBOUNCE_SECONDS)
            await self._noted.wait(HEARTBEAT_INTERVAL_SECONDS)

    async def _watch(self) -> None:
        """Raise TimeoutError if no message of this process came back for RECONNECT_AFTER_SECONDS."""
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL_SECONDS / 2)
            silence = now() - self._heard
            if silence > RECONNECT_AFTER_SECONDS:
                raise TimeoutError(f"no heartbeat came back for {RECONNECT_AFTER_SECONDS} s")
            if silence > DOUBT_AFTER_SECONDS:
                self.become(SourceState.DOUBTED)


async def run_until_first_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until the first one ends, then cancel the others. An exception of the first is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def now() -> float:
    return asyncio.get_running_loop().time()
