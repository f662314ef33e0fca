"""The other side of the worker, in memory: only until the API can answer it. Leases are fenced as the law says."""

import asyncio
import itertools
from collections import Counter

from worker.api import HeartbeatAnswer, LeaseLost, ServerRejected, ServerUnreachable


class Fake:
    def __init__(self):
        self.diffs, self.checked = {}, {}  # by run
        self.queue = []  # claims, their leases made when they are claimed
        self.attempts = Counter()
        self.live = {}  # run: token
        self.rows = {}  # run: rows, in order
        self.keys = set()
        self.asked = {}
        self.known = {}  # answers that were given to an attempt before
        self.ended = {}  # run: (how, what)
        self.beats = Counter()
        self.acknowledged = []
        self.pending = {}  # run: commands that heartbeats carry
        self.pushed = asyncio.Queue()
        self.registered = []
        self.away = False
        self.refuses = None  # what is refused of an end: called with how, and with its result or None
        self.told = []  # every end that was told, refused or not
        self.flaky = 0  # so many calls are heard, and their answers lost
        self.news = asyncio.Event()
        self._tokens = itertools.count(1)

    async def heard(self):
        if self.away:
            raise ServerUnreachable
        self.news.set()

    def lost(self):
        if self.flaky > 0:
            self.flaky -= 1
            raise ServerUnreachable

    def check(self, lease):
        if self.live.get(lease.run) != lease.token:
            raise LeaseLost

    async def until(self, check, seconds=30.0):
        async with asyncio.timeout(seconds):
            while not check():
                self.news.clear()
                await asyncio.wait([asyncio.ensure_future(self.news.wait())], timeout=0.05)

    async def register(self, worker):
        await self.heard()
        self.registered.append(worker)
        return "worker_1"

    async def deregister(self, worker):
        await self.heard()
        self.registered.append("left")

    async def claim(self, worker, most):
        await self.heard()
        for _ in range(10):
            if self.queue:
                break
            await asyncio.sleep(0.02)
        taken, self.queue = self.queue[:most], self.queue[most:]
        return [self.lease(make) for make in taken]

    def lease(self, make):
        token = str(next(self._tokens))
        claim = make(token)
        run = claim.lease.run
        self.attempts[run] += 1
        self.live[run] = token
        return claim

    async def commands(self, worker):
        while True:
            yield await self.pushed.get()

    async def acknowledge(self, lease, command):
        self.acknowledged.append(command)

    async def heartbeat(self, worker, beats):
        await self.heard()
        lost, commands = set(), []
        for beat in beats:
            if self.live.get(beat.lease.run) != beat.lease.token:
                lost.add(beat.lease.run)
                continue
            self.beats[beat.lease.run] += 1
            commands += self.pending.get(beat.lease.run, [])
        return HeartbeatAnswer(lost=frozenset(lost), commands=tuple(commands))

    async def report(self, lease, key, events):
        await self.heard()
        self.check(lease)
        if any(row.get("text") == "refuse this\n" for row in events):
            raise ServerRejected("INVALID", "events.0.text: is not wanted")
        if (lease.run, key) not in self.keys:
            self.keys.add((lease.run, key))
            self.rows.setdefault(lease.run, []).extend(events)
        self.lost()

    async def ask(self, lease, key, asks, session, *, blocking):
        await self.heard()
        self.check(lease)
        self.asked[key] = (asks, session)
        return self.known.get(key)

    async def report_diff(self, lease, base, head, diff, *, final):
        await self.heard()
        self.check(lease)
        self.diffs.setdefault(lease.run, []).append((base, head, diff, final))

    async def report_checks(self, lease, sha, checks):
        await self.heard()
        self.check(lease)
        self.checked.setdefault(lease.run, []).append((sha, checks))

    async def complete(self, lease, result):
        await self._end(lease, "complete", result)

    async def fail(self, lease, failure):
        await self._end(lease, "fail", failure)

    async def stopped(self, lease, result):
        await self._end(lease, "stop", result)

    async def release(self, lease, reason, session):
        await self._end(lease, "release", (reason, session))

    async def _end(self, lease, how, what):
        await self.heard()
        if self.ended.get(lease.run, (None, None, None))[2] == lease.token:
            return  # heard before
        self.check(lease)
        self.told.append((how, what))
        result = getattr(what, "result", what)
        if self.refuses and (why := self.refuses(how, result)):
            raise ServerRejected("INVALID", why)
        del self.live[lease.run]
        self.ended[lease.run] = (how, what, lease.token)
        self.lost()
