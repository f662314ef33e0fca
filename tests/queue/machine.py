"""Drives the queue and its model in any order, and compares them after every step.

What random steps do not reach is built on purpose: `burn` uses attempts up, `zombie` lets a worker come back
that was replaced. Q1 to Q13 are the invariants of docs/queue.md.
"""

import asyncio
import contextlib
import itertools
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from sqlalchemy import StaticPool, create_engine, delete, event, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from kit import queue
from kit.db.database import Base, Database, utcnow
from kit.queue import Attempt, Cap, ClaimFilter, Job, JobLeaseLost, JobState, Lease, NewJob, Slot, Transition
from tests.queue.ageing import age
from tests.queue.model import LEASE, Hold, Model, Task, after

MARGIN = 4.0  # seconds that an example may really take: limits are kept so far from the model's now
CAPS = ["scope:x", "scope:y", "worker:w0", "key:k"]

PATIENCE = [
    ("attempt_limit", "beats"),
    ("attempt_limit", "waits"),
    ("silence_limit", "beats"),
    ("silence_limit", "waits"),
    ("silence_limit", "active"),
    ("silence_limit", "silent"),
    ("whole_limit", "waits"),
    ("wait_limit", "silent"),
]
limit = st.sampled_from([None, None, None, 45.0, 95.0])
scopes = st.sampled_from(["x", "y"])
tenants = st.sampled_from(["t", "t", "t", "u"])
workers = st.sampled_from(["w0", "w1"])


class Crash(Exception):
    """The process died in the middle of a transaction."""


class Straight:
    """What the queue uses of an AsyncSession, on a synchronous one: without a loop and a thread it is ten
    times as fast, and no step has to wait."""

    def __init__(self, session: Session) -> None:
        self.session, self.get_bind = session, session.get_bind
        self.topics_to_notify: set[str] = set()

    def notify(self, topic: str) -> None:
        self.topics_to_notify.add(topic)

    async def execute(self, *args: Any, **options: Any) -> Any:
        return self.session.execute(*args, **options)

    async def scalar(self, *args: Any, **options: Any) -> Any:
        return self.session.scalar(*args, **options)

    async def scalars(self, *args: Any, **options: Any) -> Any:
        return self.session.scalars(*args, **options)


class Memory:
    """SQLite in memory, for many examples."""

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        event.listen(self.engine, "connect", _late)
        event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        tables = [Base.metadata.tables[table.__tablename__] for table in (Job, Attempt, Cap, Slot)]
        Base.metadata.create_all(self.engine, tables)

    def do(self, what: Any, *args: Any, **options: Any) -> Any:
        """One call in one transaction."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            try:
                what(Straight(session), *args, **options).send(None)
            except StopIteration as returned:
                session.flush()
                return returned.value
            raise AssertionError("nothing here waits")

    def close(self) -> None:
        self.engine.dispose()


def _late(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, as in kit/db/database.py
    connection.execute("PRAGMA foreign_keys=ON")


class Real:
    """Any database, as the application opens it."""

    def __init__(self, url: str) -> None:
        self.runner, self.database = asyncio.Runner(), Database(url)

    def do(self, what: Any, *args: Any, **options: Any) -> Any:
        """One call in one transaction."""

        async def call() -> Any:
            async with self.database.write() as tx:
                return await what(tx, *args, **options)

        return self.runner.run(call())

    def close(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()


World = Memory | Real


class QueueMachine(RuleBasedStateMachine):
    world: World  # set in a subclass

    leases = Bundle("leases")
    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.passed = timedelta()
        self.numbers = itertools.count()
        self.log: dict[str, JobState] = {}
        self.do(_emptied)

    # How a step talks to the queue.

    def do(self, what: Any, *args: Any, **options: Any) -> Any:
        return self.world.do(what, *args, **options)

    def now(self) -> datetime:
        return self.real(utcnow())  # the databases are on this machine

    def real(self, at: datetime | None) -> datetime:
        """A moment of the database as one of the model: earlier than now it moves with everything that ages."""
        assert at is not None
        return at + self.passed

    def hear(self, told: Transition | None) -> Transition:
        """Replay a transition. Q10: what is told is what happened."""
        assert told is not None, "something happened and nothing was told"
        assert self.log.get(told.id) == told.was, "transitions are told in order, none is missing"
        self.log[told.id] = told.now
        return told

    def refused(self, what: Any, lease: Lease, **options: Any) -> None:
        with contextlib.suppress(JobLeaseLost):
            self.do(what, lease, **options)
            raise AssertionError(f"{what.__name__} was accepted from a worker that lost its lease")

    # Rules.

    @rule(
        target=jobs,
        tenant=tenants,
        scope=scopes,
        priority=st.integers(0, 2),
        delay=st.sampled_from([0.0, 0.0, 0.0, 45.0]),
        keys=st.sampled_from([(), (), ("k",)]),
        limits=st.tuples(limit, limit, limit, limit),
        most=st.sampled_from([(1, 1), (2, 2), (3, 5), (4, 2)]),
    )
    def enqueue(
        self, tenant: str, scope: str, priority: int, delay: float, keys: Any, limits: Any, most: Any
    ) -> str:
        names = ("wait_limit", "attempt_limit", "silence_limit", "whole_limit")
        work = NewJob(
            id=f"job_{next(self.numbers):04}",
            kind="CODE",
            tenant=tenant,
            scope=scope,
            priority=priority,
            delay=delay,
            keys=keys,
            max_attempts=most[0],
            max_losses=most[1],
            **dict(zip(names, limits, strict=True)),
        )
        return self._enqueue(work)

    def _enqueue(self, work: NewJob) -> str:
        [told] = self.do(queue.enqueue, work)
        self.hear(told)
        due = self.real(told.available_at)
        expires = after(due, work.wait_limit)
        self.model.tasks[work.id] = Task(work, JobState.READY, due, expires, priority=work.priority)
        return work.id

    @rule(
        target=leases,
        worker=workers,
        tenant=tenants,
        scope=st.sampled_from([None, None, None, ["x"]]),
        most=st.sampled_from([1, 1, 2]),
    )
    def claim(self, worker: str, tenant: str, scope: Any, most: int) -> Any:
        return multiple(*self._claim(worker, tenant, scope, most))

    def _claim(self, worker: str, tenant: str = "t", scope: Any = None, most: int = 1) -> list[Lease]:
        """Q1, Q3, Q6, Q7, Q8, Q9, Q13: exactly what the model says, in its order."""
        key = f"key {next(self.numbers)}"
        wanted = ClaimFilter(tenant=tenant, scopes=scope)
        got = self.do(queue.claim, worker, wanted, most=most, key=key, lease=LEASE)
        at = self.now()
        for lease in got:
            task = self.model.next(worker, tenant, scope, at)
            assert task, f"{lease.id} must not be claimed"
            assert lease.id == task.work.id, f"{task.work.id} comes before {lease.id}"
            told = self.hear(lease.transition)
            self.model.claimed(task, lease, self.real(told.at), self.real(lease.until))
        if len(got) < most:
            assert not self.model.next(worker, tenant, scope, at), "something could have been claimed"
        if not got or next(self.numbers) % 4:
            return list(got)
        again = self.do(queue.claim, worker, wanted, most=most, key=key)
        assert [(one.id, one.attempt, one.token) for one in again] == [
            (one.id, one.attempt, one.token) for one in got
        ], "a repeated claim got something else"
        return list(got)

    @rule(lease=leases, active=st.booleans())
    def heartbeat(self, lease: Lease, active: bool) -> None:
        task = self.model.holds(lease)
        if not task or not task.hold:
            return self.refused(queue.heartbeat, lease)
        beat = self.do(queue.heartbeat, lease, active=active, lease=LEASE)
        assert (beat.cancel, beat.parked) == (task.cancel, task.state is JobState.PARKED)
        task.hold.until = self.real(beat.until)
        assert abs((task.hold.until - self.now()).total_seconds() - LEASE) < MARGIN, "the lease was extended"
        if active:
            at = task.hold.until - timedelta(seconds=LEASE)
            task.hold.silent_by = after(at, task.work.silence_limit)
        return None

    @rule(lease=leases)
    def complete(self, lease: Lease) -> None:
        task = self.model.holds(lease)
        if not task:
            return self.refused(queue.complete, lease)
        self.hear(self.do(queue.complete, lease))
        assert lease.id not in self.model.accepted, "accepted as finished twice"
        self.model.accepted.append(lease.id)
        return task.end(JobState.DONE)

    @rule(lease=leases, retryable=st.sampled_from([True, True, False]))
    def fail(self, lease: Lease, retryable: bool) -> None:
        task = self.model.holds(lease)
        if not task:
            return self.refused(queue.fail, lease, code="X")
        told = self.hear(self.do(queue.fail, lease, code="X", retryable=retryable))
        at, due = self.real(told.at), self.real(told.available_at)
        return self.model.failed(task, told, at, due, retryable=retryable)

    @rule(lease=leases)
    def release(self, lease: Lease) -> None:
        task = self.model.holds(lease)
        if not task:
            return self.refused(queue.release, lease)
        told = self.hear(self.do(queue.release, lease))
        return self.model.gone(task, self.real(told.at), lost=False)

    @rule(lease=leases)
    def stopped(self, lease: Lease) -> None:
        task = self.model.holds(lease)
        if not task:
            return self.refused(queue.confirm_cancelled, lease)
        if task.cancel:
            self.hear(self.do(queue.confirm_cancelled, lease))
            return task.end(JobState.CANCELLED)
        with contextlib.suppress(queue.NotAsked):
            self.do(queue.confirm_cancelled, lease)
            raise AssertionError("a cancel was confirmed that nobody asked for")
        return None

    @rule(lease=leases, keep=st.booleans())
    def park(self, lease: Lease, keep: bool) -> None:
        task = self.model.holds(lease)
        if not task:
            return self.refused(queue.suspend, lease, waits_for="QUESTION")
        told = self.hear(self.do(queue.suspend, lease, waits_for="QUESTION", keep=keep))
        return self._parked(task, self.real(told.at), keep=keep)

    def _parked(self, task: Task, at: datetime, *, keep: bool) -> None:
        task.parked_at = task.parked_at or at
        was_held = task.hold is not None
        task.state, task.expires = JobState.PARKED, None
        if not keep:
            task.hold = None
            if was_held and task.cancel:
                task.end(JobState.CANCELLED)

    @rule(job=jobs)
    def unpark(self, job: str) -> None:
        task = self.model.tasks[job]
        told = self.do(queue.resume, job)
        if task.state is not JobState.PARKED:
            assert told is None
            return
        at = self.real(self.hear(told).at)
        if task.hold:
            self._resumed(task, task.hold, at)
        else:
            task.ready(at)

    def _resumed(self, task: Task, hold: Hold, at: datetime) -> None:
        if hold.limit_by and task.parked_at:
            hold.limit_by += at - task.parked_at
        hold.silent_by = after(at, task.work.silence_limit)
        task.state, task.parked_at = JobState.LEASED, None

    @rule(job=jobs)
    def shelve(self, job: str) -> None:
        task = self.model.tasks[job]
        told = self.do(queue.suspend_without_worker, job, waits_for="BLOCKED")
        if task.state in (JobState.READY, JobState.PARKED):
            self._parked(task, self.real(self.hear(told).at), keep=False)
        else:
            assert told is None

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        task = self.model.tasks[job]
        told = self.do(queue.cancel, job)
        if task.is_over or task.cancel:
            assert told is None
            return
        self.hear(told)
        task.cancel = True
        if not task.hold:
            task.end(JobState.CANCELLED)

    @rule(job=jobs)
    def rerun(self, job: str) -> None:
        task = self.model.tasks[job]
        if task.state is not JobState.DEAD:
            with contextlib.suppress(queue.NotDead):
                self.do(queue.rerun, job)
                raise AssertionError("a job was run again that is not dead")
            return
        told = self.hear(self.do(queue.rerun, job))
        task.failures = task.losses = 0
        task.deadline = None
        task.ready(self.real(told.at), self.real(told.available_at))

    @rule(job=jobs, priority=st.integers(0, 3))
    def prioritise(self, job: str, priority: int) -> None:
        self.do(queue.prioritise, job, priority)
        self.model.tasks[job].priority = priority

    @rule(cap=st.sampled_from(CAPS), most=st.sampled_from([None, 0, 1, 1, 2, 3]))
    def set_cap(self, cap: str, most: int | None) -> None:
        self.do(queue.set_cap, cap, most)
        self.model.caps.pop(cap, None)
        if most is not None:
            self.model.caps[cap] = most

    @rule(worker=workers)
    def withdraw(self, worker: str) -> None:
        mine = {id for id, task in self.model.tasks.items() if task.hold and task.hold.worker == worker}
        back = self.do(queue.withdraw, worker)
        assert {told.id for told in back} == mine
        for told in back:
            self.model.gone(self.model.tasks[self.hear(told).id], self.real(told.at), lost=False)

    @rule(seconds=st.sampled_from([10, 31, 50, 100, 250, 800]))
    def tick(self, seconds: int) -> None:
        then = self.now() + timedelta(seconds=seconds)
        while any(abs((moment - then).total_seconds()) < MARGIN for moment in self.model.moments()):
            then += timedelta(seconds=5)
            seconds += 5
        self.do(age, seconds)
        self.passed += timedelta(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        """Q12, and the four limits."""
        told = {one.id: one for one in self.do(queue.sweep).transitions}
        at = self.now()
        expected = {
            id: cause
            for id, task in self.model.tasks.items()
            if (cause := self.model.due_to_be_swept(task, at))
        }
        assert {id: one.cause for id, one in told.items()} == expected
        for one in told.values():
            self.hear(one)
            task = self.model.tasks[one.id]
            self.model.swept(task, one, self.real(one.at), self.real(one.available_at))

    @rule(worker=workers)
    def crash(self, worker: str) -> None:
        """Q11: a transaction killed in the middle leaves no trace. The comparison after it tells."""

        async def broken(tx: Any) -> None:
            await queue.enqueue(tx, NewJob(id="job_crash", kind="CODE", tenant="t", scope="x"))
            for lease in await queue.claim(tx, worker, ClaimFilter(tenant="t")):
                await queue.complete(tx, lease)
            await queue.sweep(tx)
            raise Crash

        with contextlib.suppress(Crash):
            self.do(broken)

    # What random walks do not reach.

    @rule(target=leases, worker=workers, times=st.integers(2, 4))
    def burn(self, worker: str, times: int) -> Any:
        """Use attempts up: fail whatever can be claimed, until nothing can for long."""
        self.tick(31)
        burnt: list[Lease] = []
        for _ in range(times):
            for lease in self._claim(worker):
                burnt.append(lease)
                self.fail(lease, True)
            self.tick(800)
        return multiple(*burnt)

    def _urgent(self, **more: Any) -> str:
        """A job that any claim gets before all others, when nothing limits it."""
        number = next(self.numbers)
        given = {"scope": "x", "priority": 10 + number, "tenant": "t", "kind": "CODE", **more}
        return self._enqueue(NewJob(id=f"job_{number:04}", **given))

    def _unlimited(self) -> None:
        for cap in list(self.model.caps):
            self.set_cap(cap, None)

    def _end(self, how: str, lease: Lease) -> None:
        if how == "fail":
            self.fail(lease, True)
        elif how in ("park", "leave"):
            self.park(lease, how == "park")
        elif how == "heartbeat":
            self.heartbeat(lease, True)
        elif how == "lose":
            self.tick(50)
            self.sweep()
        elif how == "withdraw":
            self.withdraw(lease.worker_id)
        elif how == "shelve":
            self.park(lease, True)
            self.shelve(lease.id)
        elif how == "stop":
            self.cancel(lease.id)
            self.stopped(lease)
        else:
            {"complete": self.complete, "release": self.release}[how](lease)

    @rule(how=st.sampled_from(["complete", "fail", "heartbeat", "release", "park"]), stop=st.booleans())
    def zombie(self, how: str, stop: bool) -> None:
        """A worker is replaced, comes back, and acts."""
        self._unlimited()
        job = self._urgent()
        [old] = self._claim("w0")
        self._end("lose", old)
        [new] = self._claim("w1")
        assert (old.id, new.id) == (job, job)
        self._end(how, old)
        self.same()
        if stop:
            self.cancel(job)
        self._end(how, new)
        self.same()
        self._end(how, new)

    @rule(
        how=st.sampled_from(["complete", "fail", "release", "leave", "lose", "withdraw", "shelve", "stop"]),
        cap=st.sampled_from(["scope:x", "worker:w0", "key:k"]),
        most=st.integers(1, 2),
        lowered=st.booleans(),
    )
    def crowd(self, how: str, cap: str, most: int, lowered: bool) -> None:
        """More wait than may be held; one that leaves lets one in, or none if the cap was lowered."""
        self._unlimited()
        self.set_cap(cap, most)
        for _ in range(most + 2):
            self._urgent(keys=("k",))
        leases = self._claim("w0", most=most + 1)
        if lowered:
            self.set_cap(cap, most - 1)
        if leases:
            self._end(how, leases[0])
        self.same()
        self._claim("w0", most=most + 1)

    @rule(stop=st.booleans())
    def poison(self, stop: bool) -> None:
        """A job kills its workers until it is stopped; one that was cancelled does not come back."""
        self._unlimited()
        self._urgent(max_losses=2)
        for _ in range(3):
            [lease, *_] = self._claim("w0") or [None]
            if lease and stop:
                self.cancel(lease.id)
            self.tick(50)
            self.sweep()

    @rule(delay=st.sampled_from([0.0, 45.0]))
    def order(self, delay: float) -> None:
        """Three that differ in their age only, and not before they are due."""
        self._unlimited()
        priority = 10 + next(self.numbers)
        for _ in range(3):
            self._urgent(priority=priority, delay=delay)
        self._claim("w0")
        self.tick(50)
        self._claim("w0", most=2)

    @rule(case=st.sampled_from(PATIENCE))
    def patience(self, case: tuple[str, str]) -> None:
        """A limit passes, or would have if its clock did not stand still."""
        limit, how = case
        wait, active, beats = how == "waits", how == "active", how != "silent"
        self._unlimited()
        self._urgent(**{limit: 95.0})
        leases = self._claim("w0") if limit != "wait_limit" else []
        for n in range(5):
            for lease in leases:
                if wait and n == 1:
                    self.park(lease, True)
                if wait and n == 3:
                    self.unpark(lease.id)
                if beats:
                    self.heartbeat(lease, active)
            self.tick(28)
            if beats:
                for lease in leases:
                    self.heartbeat(lease, active)
            self.sweep()

    @invariant()
    def same(self) -> None:
        """Q2 to Q5 and Q10: the tables, the model and what was told are one."""
        jobs, attempts, slots = self.do(_tables)
        tasks = self.model.tasks
        assert {row.id: _as_seen(row) for row in jobs} == {id: _as_meant(task) for id, task in tasks.items()}
        assert {row.id: row.state for row in jobs} == self.log, "the transitions, replayed, give the table"
        held = {id: (task.hold.worker, task.attempt) for id, task in tasks.items() if task.hold}
        assert {row.job_id: (row.worker_id, row.number) for row in attempts} == held
        for cap, most in self.model.caps.items():
            mine = [slot for slot in slots if slot.cap == cap]
            taken = sorted(slot.job_id for slot in mine if slot.job_id)
            assert taken == sorted(self.model.holders(cap)), f"who holds {cap}"
            assert len(mine) == max(most, len(taken)), f"how many places {cap} has"
            assert sum(slot.surplus for slot in mine) == max(0, len(taken) - most)
        assert {slot.cap for slot in slots} <= set(self.model.caps)


async def _emptied(tx: AsyncSession) -> None:
    for table in (Slot, Cap, Attempt, Job):
        await tx.execute(delete(table))


async def _tables(tx: AsyncSession) -> Any:
    open_ones = select(Attempt.__table__).where(Attempt.ended_at.is_(None))
    queries = (select(Job.__table__), open_ones, select(Slot.__table__))
    return [(await tx.execute(query)).all() for query in queries]


def _as_seen(row: Any) -> Any:
    cancel = row.cancel_requested_at is not None and row.ended_at is None
    return row.state, row.held, row.attempt, row.failures, row.losses, row.priority, cancel


def _as_meant(task: Task) -> Any:
    is_held = task.hold is not None
    cancel = task.cancel and is_held
    return task.state, is_held, task.attempt, task.failures, task.losses, task.priority, cancel
