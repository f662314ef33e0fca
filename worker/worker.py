"""The worker's loop: claims runs, works each with an agent program in its own worktree, and reports the events.

Held runs are kept by heartbeats. When a lease is lost, the program is stopped and nothing more is reported. A
worker that is asked to leave releases its runs, which is not a failure; worktrees and sessions stay for the next
worker. When the worker is killed, its programs die with it (worker/leash.py) and its leases expire. A worktree is
removed once the server has its result.
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
HEARTBEAT_INTERVAL_SECONDS = 10.0  # unless a lease needs a shorter one
LEAVE_TIMEOUT_SECONDS = 10.0  # beyond the grace of an agent, for releasing runs
CLEANUP_INTERVAL_SECONDS = 3600.0  # between two removals of abandoned worktrees
RECONNECT_DELAYS_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)  # before commands are subscribed to again


class WorkerProcess:
    def __init__(self, api: WorkerApi, settings: WorkerSettings) -> None:
        self.api, self.settings = api, settings
        self.id = ""
        self.runs: dict[str, WorkerRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._claiming: asyncio.Task[list[ClaimedWork]] | None = None
        self._leaving = asyncio.Event()
        self._free = asyncio.Event()
        self._new = asyncio.Event()
        self._broken: ServerRejected | None = None

    async def work(self) -> None:
        """Work until `leave` is called. Raises ServerRejected if the server does not accept this worker."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, ValueError):
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._on_signal)
        if not self.id:
            await self.register()
        listening = asyncio.create_task(self._listen())
        beating = asyncio.create_task(self._beat())
        claiming = asyncio.create_task(self._claim())
        tidying = asyncio.create_task(self._tidy())
        await self._leaving.wait()
        claiming.cancel()
        # A waiting claim ends first, so that this worker does not claim the runs that it releases.
        if self._claiming:
            self._claiming.cancel()
            await asyncio.wait([self._claiming])
        await asyncio.gather(claiming, return_exceptions=True)
        await self._give_back()
        with suppress(ServerUnreachable, ServerRejected):
            await self.api.deregister(self.id)  # releases what a cancelled claim may have brought
        tasks = [listening, beating, tidying]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._broken:
            raise self._broken

    async def register(self, seconds: float = float("inf")) -> None:
        """Register at the server. Raises ServerUnreachable after `seconds` without an answer."""
        settings = self.settings
        registration = Registration(
            name=settings.name,
            version=settings.version,
            executors=settings.executors,
            at_once=settings.at_once,
            machine=settings.machine,
            capabilities=settings.capabilities,
        )
        until = time.monotonic() + seconds
        self.id = await retry_until_reached(
            lambda: self.api.register(registration), lambda: time.monotonic() > until
        )

    def leave(self) -> None:
        """Release all runs and end."""
        self._leaving.set()

    def _on_signal(self) -> None:
        """Leave on the first signal; exit at once on the second, whereupon the leashes stop the programs."""
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
            # Shielded: a claim that is cancelled half-way would hold its runs until their leases expire.
            self._claiming = asyncio.create_task(self._claim_runs(free))
            try:
                claims = await asyncio.shield(self._claiming)
            except ServerRejected as error:
                self._broken = error
                self._leaving.set()
                return
            for claim in claims:
                self._begin(claim)

    async def _claim_runs(self, free: int) -> list[ClaimedWork]:
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
        """Start a run. A run that came back waits until its earlier attempt has left the folder."""
        id, run = claim.lease.run, WorkerRun(self.api, claim, self.settings)
        if before := self.runs.get(id):
            before.lose()
        self.runs[id] = run
        log.info("run %s: attempt %d starts with %s", id, claim.lease.attempt, claim.executor)
        self._tasks[id] = asyncio.create_task(self._work_run(run, self._tasks.get(id)))
        self._new.set()

    async def _work_run(self, run: WorkerRun, before: asyncio.Task[None] | None) -> None:
        id = run.lease.run
        try:
            if before:
                await asyncio.wait([before])
            await run.work()
        except Exception:
            log.exception("run %s: internal error", id)
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
                    self._execute(command)
            except ServerUnreachable:
                pass
            except ServerRejected as error:  # heartbeats carry the same commands
                log.warning("commands arrive by heartbeats only: %s", error)
                tried = len(RECONNECT_DELAYS_SECONDS)
            delay = RECONNECT_DELAYS_SECONDS[min(tried, len(RECONNECT_DELAYS_SECONDS) - 1)]
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            tried += 1

    def _execute(self, command: WorkerCommand) -> None:
        if run := self.runs.get(command.run):
            run.execute(command)

    async def _beat(self) -> None:
        """Send one heartbeat for all leases, at least three in the shortest lease's time."""
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
                await self._send_heartbeat(list(self.runs.values()), before, last)

    async def _send_heartbeat(self, runs: list[WorkerRun], before: float, now: float) -> None:
        """Send a heartbeat. A lease that may have expired is treated as lost."""
        beats = [LeaseState(lease=run.lease, active=run.is_active(before)) for run in runs]
        try:
            answer = await self.api.heartbeat(self.id, beats)
        except (ServerUnreachable, ServerRejected) as error:
            if isinstance(error, ServerRejected):
                log.warning("a heartbeat was refused: %s", error)
            for run in runs:
                if time.monotonic() - run.lease_renewed_at > run.claim.lease_seconds:
                    run.lose()
            return
        for run in runs:
            if run.lease.run in answer.lost and not run.finishing:
                run.lose()
            run.lease_renewed_at = now
        for command in answer.commands:
            self._execute(command)
