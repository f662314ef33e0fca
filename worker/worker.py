"""The worker: claims runs, works each in a worktree of its own with an agent program, and reports what happens.

It promises little and keeps it. A run that it holds is heartbeaten; when the server says that the lease is somebody
else's, the program is ended and nothing more is said. When the worker is asked to leave, it gives its runs back,
which counts as no failure, and their worktrees and sessions wait for whoever goes on. When it is killed, its
programs die with it (worker/leash.py) and its leases run out. A worktree goes once the server has its result.
"""

import asyncio
import logging
import os
import random
import signal
import time
from contextlib import suppress

from worker.api import (
    ClaimedWork,
    LeaseLost,
    LeaseState,
    Registration,
    ServerRejected,
    ServerUnreachable,
    WorkerApi,
    WorkerCommand,
)
from worker.retry import RETRY_DELAYS_SECONDS, retry_until_reached
from worker.run import WorkerRun
from worker.settings import WorkerSettings
from worker.worktree import WorkspaceError, tidy

log = logging.getLogger(__name__)
HEARTBEAT_INTERVAL_SECONDS = 10.0  # seconds between two signs of life, when no lease wants them sooner
LEAVE_TIMEOUT_SECONDS = (
    10.0  # seconds beyond an agent's grace that a leaving worker tries to give its runs back
)
CLEANUP_INTERVAL_SECONDS = 3600.0  # seconds between two looks for worktrees that nobody came back to
RECONNECT_DELAYS_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before commands are listened to again


class WorkerProcess:
    def __init__(self, api: WorkerApi, settings: WorkerSettings) -> None:
        self.api, self.settings = api, settings
        self.id = ""
        self.runs: dict[str, WorkerRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asking: asyncio.Task[list[ClaimedWork]] | None = None
        self._leaving = asyncio.Event()
        self._free = asyncio.Event()
        self._new = asyncio.Event()
        self._broken: ServerRejected | None = None

    async def work(self) -> None:
        """Work until `leave`. Raises Rejected when the server does not want this worker."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, ValueError):
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._told)
        if not self.id:
            await self.register()
        listening = asyncio.create_task(self._listen())
        beating = asyncio.create_task(self._beat())
        claiming = asyncio.create_task(self._claim())
        tidying = asyncio.create_task(self._tidy())
        await self._leaving.wait()
        claiming.cancel()
        # What is given back must not be claimed by us again: a claim that waits ends first, and leaving gives back
        # what it may have brought.
        if self._asking:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        await asyncio.gather(claiming, return_exceptions=True)
        await self._give_back()
        with suppress(ServerUnreachable, ServerRejected):
            await self.api.deregister(self.id)  # gives back what a claim that still waits may have brought
        tasks = [listening, beating, tidying]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._broken:
            raise self._broken

    async def register(self, seconds: float = float("inf")) -> None:
        """Introduce ourselves. Raises Unreachable when nobody answers for so many seconds."""
        settings = self.settings
        registration = Registration(
            name=settings.name,
            version=settings.version,
            executors=settings.executors,
            at_once=settings.at_once,
            capabilities=settings.capabilities,
        )
        until = time.monotonic() + seconds
        self.id = await retry_until_reached(
            lambda: self.api.register(registration), lambda: time.monotonic() > until
        )

    def leave(self) -> None:
        """Give everything back, and end."""
        self._leaving.set()

    def _told(self) -> None:
        """A signal came. The second ends us at once; the leashes end the agents."""
        if self._leaving.is_set():
            os._exit(1)
        self.leave()

    async def _give_back(self) -> None:
        for run in self.runs.values():
            run.release("The worker is leaving")
        if tasks := list(self._tasks.values()):
            _, late = await asyncio.wait(tasks, timeout=self.settings.grace + LEAVE_TIMEOUT_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _claim(self) -> None:
        while not self._leaving.is_set():
            free = self.settings.at_once - len(self.runs)
            if free <= 0:
                self._free.clear()
                await self._free.wait()
                continue
            # Not cancelled half-way: a claim that arrived after we left would hold its run until its lease ends.
            self._asking = asyncio.create_task(self._ask_for(free))
            try:
                claims = await asyncio.shield(self._asking)
            except ServerRejected as error:
                self._broken = error
                self._leaving.set()
                return
            for claim in claims:
                self._begin(claim)

    async def _ask_for(self, free: int) -> list[ClaimedWork]:
        try:
            claims = await self.api.claim(self.id, free)
        except ServerUnreachable as error:
            await asyncio.sleep(error.after + RETRY_DELAYS_SECONDS[-1] * random.random())  # noqa: S311 - spread, not secret
            return []
        if self._leaving.is_set():
            for claim in claims:
                with suppress(LeaseLost, ServerUnreachable, ServerRejected):
                    await self.api.release(claim.lease, "The worker is leaving", claim.session)
            return []
        return claims

    def _begin(self, claim: ClaimedWork) -> None:
        """Begin. A run that came back to us waits until our last attempt at it has left its folder."""
        id, run = claim.lease.run, WorkerRun(self.api, claim, self.settings)
        if before := self.runs.get(id):
            before.lose()
        self.runs[id] = run
        log.info("run %s: attempt %d begins with %s", id, claim.lease.attempt, claim.executor)
        self._tasks[id] = asyncio.create_task(self._one(run, self._tasks.get(id)))
        self._new.set()

    async def _one(self, run: WorkerRun, before: asyncio.Task[None] | None) -> None:
        id = run.lease.run
        try:
            if before:
                await asyncio.wait([before])
            await run.work()
        except Exception:
            log.exception("run %s broke its worker's code", id)
        finally:
            if self.runs[id] is run:
                del self.runs[id], self._tasks[id]
            self._free.set()

    async def _tidy(self) -> None:
        while True:
            with suppress(WorkspaceError, OSError):
                await tidy(self.settings.worktrees)
            await asyncio.sleep(CLEANUP_INTERVAL_SECONDS)

    async def _listen(self) -> None:
        tried = 0
        while True:
            try:
                async for command in self.api.commands(self.id):
                    tried = 0
                    self._obey(command)
            except ServerUnreachable:
                pass
            except ServerRejected as error:  # heartbeats carry the same commands
                log.warning("commands are not told as they come: %s", error)
                tried = len(RECONNECT_DELAYS_SECONDS)
            delay = RECONNECT_DELAYS_SECONDS[min(tried, len(RECONNECT_DELAYS_SECONDS) - 1)]
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            tried += 1

    def _obey(self, command: WorkerCommand) -> None:
        if run := self.runs.get(command.run):
            run.obey(command)

    async def _beat(self) -> None:
        """One heartbeat for all leases, three in the time of the shortest."""
        last = time.monotonic()
        while True:
            every = min(
                [HEARTBEAT_INTERVAL_SECONDS, *(run.claim.lease_seconds / 3 for run in self.runs.values())]
            )
            try:
                await asyncio.wait_for(self._new.wait(), max(0.0, last + every - time.monotonic()))
                self._new.clear()  # its lease may be shorter
            except TimeoutError:
                before, last = last, time.monotonic()
                await self._say_alive(list(self.runs.values()), before, last)

    async def _say_alive(self, runs: list[WorkerRun], before: float, now: float) -> None:
        """A lease that may have run out is a lease that is lost."""
        beats = [LeaseState(lease=run.lease, active=run.is_active(before)) for run in runs]
        try:
            heard = await self.api.heartbeat(self.id, beats)
        except (ServerUnreachable, ServerRejected) as error:
            if isinstance(error, ServerRejected):
                log.warning("a heartbeat was refused: %s", error)
            for run in runs:
                if time.monotonic() - run.heard > run.claim.lease_seconds:
                    run.lose()
            return
        for run in runs:
            if run.lease.run in heard.lost and not run.finishing:
                run.lose()
            run.heard = now
        for command in heard.commands:
            self._obey(command)
