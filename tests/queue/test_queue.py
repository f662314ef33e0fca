"""What the queue promises, one promise a test, on both databases."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from kit import queue
from kit.db.database import Database
from kit.db.transaction import Author
from kit.eventlog.event_log import EventLog
from kit.eventlog.pubsub import PubSub
from kit.queue import AttemptOutcome, Cause, ClaimFilter, JobState, NewJob
from tests.queue.ageing import age

WEB = ClaimFilter(tenant="t")


def work(id: str, **more: Any) -> NewJob:
    return NewJob(**{"id": id, "kind": "CODE", "tenant": "t", "scope": "web", **more})


class House:
    """A database with a queue, and short ways to say things to it."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.pubsub = PubSub()
        self.feed = EventLog(self.database, self.pubsub)

    async def do(self, what: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        """One call in one transaction."""
        async with self.feed.transaction(Author("SYSTEM")) as tx:
            return await what(tx, *args, **options)

    async def put(self, *works: NewJob) -> Any:
        return await self.do(queue.enqueue, *works)

    async def claim(self, worker: str = "w", wanted: ClaimFilter = WEB, **options: Any) -> Any:
        return await self.do(queue.claim, worker, wanted, **options)

    async def take(self, worker: str = "w", **options: Any) -> Any:
        [lease] = await self.claim(worker, **options)
        return lease

    async def sweep(self, **options: Any) -> Any:
        return (await self.do(queue.sweep, **options)).transitions

    async def job(self, id: str) -> Any:
        [row] = await self.database.read(select(queue.Job.__table__).where(queue.Job.id == id))
        return row

    async def attempts(self, id: str) -> list[Any]:
        query = select(queue.Attempt.__table__).where(queue.Attempt.job_id == id)
        return list(await self.database.read(query.order_by(queue.Attempt.number)))

    async def why(self, id: str) -> Any:
        return (await queue.reasons_not_running(self.database.read, [id]))[id]

    async def ages(self, seconds: float) -> None:
        await self.do(age, seconds)


@pytest.fixture
async def services(fresh: Callable[[], Any]) -> AsyncIterator[House]:
    services = House(await fresh())
    yield services
    await services.database.close()


async def test_work_is_claimed_once_finished_once_and_told(services: House) -> None:
    [put] = await services.put(work("a"))
    assert (put.cause, put.was, put.now) == (Cause.ENQUEUED, None, JobState.READY)
    lease = await services.take()
    assert (lease.id, lease.attempt, lease.kind, lease.scope) == ("a", 1, "CODE", "web")
    assert (lease.transition.was, lease.transition.now) == (JobState.READY, JobState.LEASED)
    assert await services.claim() == []
    done = await services.do(queue.complete, lease, exit_code=0, metrics={"tokens": 7})
    assert (done.cause, done.was, done.now, done.held) == (
        Cause.COMPLETED,
        JobState.LEASED,
        JobState.DONE,
        False,
    )
    [attempt] = await services.attempts("a")
    assert (attempt.outcome, attempt.exit_code, attempt.metrics) == (
        AttemptOutcome.SUCCEEDED,
        0,
        {"tokens": 7},
    )
    with pytest.raises(queue.JobLeaseLost):
        await services.do(queue.complete, lease)
    assert attempt.lease_token_hash != lease.token
    assert (await services.job("a")).state == JobState.DONE


async def test_the_most_urgent_then_the_oldest_is_claimed_first(services: House) -> None:
    for id, priority in (("a", 1), ("b", 4), ("c", 1), ("d", 4), ("e", 0)):
        await services.put(work(id, priority=priority))
    assert [lease.id for lease in await services.claim(most=3)] == ["b", "d", "a"]
    await services.do(queue.prioritise, "e", 9)
    assert [lease.id for lease in await services.claim(most=3)] == ["e", "c"]


FITS: list[tuple[Any, Any, bool]] = [
    ({}, {"tenant": "other"}, False),
    ({}, {"kinds": ["PLAN"]}, False),
    ({}, {"kinds": ["PLAN", "CODE"]}, True),
    ({}, {"kinds": []}, False),
    ({}, {"scopes": ["app"]}, False),
    ({}, {"scopes": ["app", "web"]}, True),
    ({"scope": None}, {"scopes": ["web"]}, False),
    ({"scope": None}, {}, True),
    ({}, {"executors": ["codex"]}, True),
    ({"executor": "gemini"}, {"executors": ["codex"]}, False),
    ({"executor": "codex"}, {"executors": ["codex"]}, True),
    ({"executor": "codex"}, {}, True),
    ({"capabilities": ["python", "gpu"]}, {"capabilities": ["python"]}, False),
    ({"capabilities": ["python", "gpu"]}, {"capabilities": ["gpu", "python", "go"]}, True),
    ({"capabilities": ["python"]}, {}, False),
    ({"delay": 60}, {}, False),
    ({"at": datetime(2001, 1, 1, tzinfo=UTC)}, {}, True),
    ({"at": datetime(2999, 1, 1, tzinfo=UTC)}, {}, False),
    ({"parked_for": "CHILDREN"}, {}, False),
]


async def test_only_fitting_work_is_claimed(services: House) -> None:
    for n, (given, wanted, fits) in enumerate(FITS):
        tenant = f"t{n}"
        await services.put(work(f"a{n}", tenant=tenant, **given))
        claimed = await services.claim(wanted=ClaimFilter(**{"tenant": tenant, **wanted}))
        assert bool(claimed) is fits, (given, wanted)


async def test_work_in_front_that_does_not_fit_hides_nothing(services: House) -> None:
    await services.put(*(work(f"a{n}", priority=9, capabilities=["gpu"]) for n in range(20)))
    await services.put(*(work(f"b{n}", priority=8, scope="full") for n in range(20)))
    await services.put(*(work(f"c{n}", priority=7, delay=50) for n in range(20)))
    await services.put(work("d"))
    await services.do(queue.set_cap, queue.scope_cap("full"), 0)
    assert (await services.take()).id == "d"


async def test_a_claim_whose_answer_was_lost_gets_the_same_lease(services: House) -> None:
    await services.put(work("a"), work("b"), work("c"))
    first = await services.claim(most=2, key="k")
    again = await services.claim(most=2, key="k")
    assert [(one.id, one.attempt, one.token) for one in again] == [(one.id, 1, one.token) for one in first]
    assert [one.transition for one in again] == [None, None]
    await services.do(queue.complete, again[0])
    assert [one.id for one in await services.claim(most=2, key="k")] == ["b"]
    assert [one.id for one in await services.claim("other", key="k")] == ["c"]


async def test_a_claim_without_an_answer_may_be_repeated_with_its_key(services: House) -> None:
    assert await services.claim(key="k") == []
    await services.put(work("a"))
    assert len(await services.claim(key="k")) == 1


async def test_a_heartbeat_extends_the_lease_and_carries_commands(services: House) -> None:
    await services.put(work("a"))
    lease = await services.take()
    await services.ages(25)
    beat = await services.do(queue.heartbeat, lease)
    assert beat.until - lease.until > timedelta(seconds=-1)  # the lease moved with the ageing
    assert (beat.cancel, beat.parked) == (False, False)
    await services.ages(25)
    assert await services.sweep() == []
    asked = await services.do(queue.cancel, "a")
    assert (asked.cause, asked.was, asked.now) == (Cause.CANCEL_REQUESTED, JobState.LEASED, JobState.LEASED)
    assert (await services.do(queue.heartbeat, lease)).cancel
    assert await services.do(queue.cancel, "a") is None
    stopped = await services.do(queue.confirm_cancelled, lease)
    assert (stopped.now, (await services.attempts("a"))[0].outcome) == (
        JobState.CANCELLED,
        AttemptOutcome.CANCELLED,
    )


async def test_a_confirmation_that_nobody_asked_for_is_refused(services: House) -> None:
    await services.put(work("a"))
    with pytest.raises(queue.NotAsked):
        await services.do(queue.confirm_cancelled, await services.take())
    assert (await services.job("a")).state == JobState.LEASED


async def test_a_stale_worker_changes_nothing(services: House) -> None:
    await services.put(work("a", attempt_limit=500, silence_limit=500))
    old = await services.take("old")
    await services.ages(31)
    [lost] = await services.sweep()
    assert (lost.cause, lost.was, lost.now) == (Cause.LOST, JobState.LEASED, JobState.READY)
    new = await services.take("new")
    assert (new.id, new.attempt) == ("a", 2)
    forged = queue.Ticket("a", 2, old.token)
    before = (await services.job("a"), await services.attempts("a"))
    for stale in (old, forged, queue.Ticket("a", 3, new.token), queue.Ticket("b", 2, new.token)):
        for call in (
            lambda tx, ticket: queue.heartbeat(tx, ticket),
            lambda tx, ticket: queue.complete(tx, ticket),
            lambda tx, ticket: queue.fail(tx, ticket, code="X"),
            lambda tx, ticket: queue.release(tx, ticket),
            lambda tx, ticket: queue.confirm_cancelled(tx, ticket),
            lambda tx, ticket: queue.suspend(tx, ticket, waits_for="QUESTION"),
        ):
            with pytest.raises(queue.JobLeaseLost):
                await services.do(call, stale)
    assert await services.do(queue.heartbeats, [old, forged]) == []
    assert (await services.job("a"), await services.attempts("a")) == before
    await services.do(queue.complete, new)


async def test_a_lease_that_ran_out_is_held_until_it_is_swept(services: House) -> None:
    await services.put(work("a"))
    lease = await services.take()
    await services.ages(31)
    await services.do(queue.heartbeat, lease)
    assert await services.sweep() == []
    await services.ages(31)
    await services.do(queue.complete, lease)
    assert (await services.job("a")).state == JobState.DONE


async def test_retryable_failures_back_off_and_then_end(services: House) -> None:
    await services.put(work("a"))
    for seconds in (60, 180):
        lease = await services.take()
        failed = await services.do(queue.fail, lease, code="AGENT_ERROR", reason="boom", retryable=True)
        assert failed.now == JobState.READY
        wait = (failed.available_at - failed.at).total_seconds()
        assert seconds * 0.8 <= wait <= seconds * 1.2
        assert await services.claim() == []
        await services.ages(seconds * 1.2)
    failed = await services.do(queue.fail, await services.take(), code="AGENT_ERROR", retryable=True)
    assert (failed.now, failed.code) == (JobState.DEAD, "AGENT_ERROR")
    [dead] = await queue.dead(services.database.read, "t")
    assert (dead.id, dead.failures) == ("a", 3)
    assert (await services.do(queue.rerun, "a")).now == JobState.READY
    assert (await services.take()).attempt == 4
    with pytest.raises(queue.NotDead):
        await services.do(queue.rerun, "a")


async def test_a_failure_that_no_retry_mends_ends_at_once(services: House) -> None:
    await services.put(work("a"))
    failed = await services.do(queue.fail, await services.take(), code="POLICY_VIOLATION")
    assert (failed.now, (await services.job("a")).failures) == (JobState.DEAD, 1)


async def test_a_soft_stop_and_a_lost_lease_are_no_failures(services: House) -> None:
    await services.put(work("a"), work("b"))
    lease = await services.take()
    released = await services.do(queue.release, lease)
    assert (released.cause, released.now, released.available_at) == (
        Cause.RELEASED,
        JobState.READY,
        lease.transition.available_at,
    )
    again = await services.take("other")
    assert (again.id, again.attempt) == ("a", 2)  # it kept its place
    await services.ages(31)
    await services.sweep()
    job = await services.job("a")
    assert (job.failures, job.losses, job.code) == (0, 1, "LEASE_EXPIRED")
    assert [one.outcome for one in await services.attempts("a")] == [
        AttemptOutcome.RELEASED,
        AttemptOutcome.LOST,
    ]
    assert (await services.take()).id == "a"  # at once


async def test_a_job_that_kills_its_workers_is_stopped(services: House) -> None:
    await services.put(work("a", max_losses=2))
    for expected in (JobState.READY, JobState.DEAD):
        await services.take()
        await services.ages(31)
        [lost] = await services.sweep()
        assert (lost.now, lost.code) == (expected, "LEASE_EXPIRED")


async def test_waiting_with_the_worker_keeps_lease_and_slot(services: House) -> None:
    await services.do(queue.set_cap, queue.scope_cap("web"), 1)
    await services.put(work("a", attempt_limit=100), work("b"))
    lease = await services.take()
    await services.do(queue.suspend, lease, waits_for="QUESTION")
    assert await services.claim() == []
    for _ in range(10):
        await services.ages(20)
        assert (await services.do(queue.heartbeat, lease)).parked
        assert await services.sweep() == []  # the attempt's clock stands still
    resumed = await services.do(queue.resume, "a")
    assert (resumed.now, resumed.held, resumed.worker_id) == (JobState.LEASED, True, "w")
    assert not (await services.do(queue.heartbeat, lease)).parked
    assert await services.do(queue.resume, "a") is None
    await services.do(queue.complete, lease)
    assert (await services.take()).id == "b"


async def test_waiting_without_the_worker_gives_the_slot_away(services: House) -> None:
    await services.do(queue.set_cap, queue.scope_cap("web"), 1)
    await services.put(work("a"), work("b"))
    lease = await services.take()
    parked = await services.do(queue.suspend, lease, waits_for="QUESTION", keep=False)
    assert (parked.now, parked.held) == (JobState.PARKED, False)
    other = await services.take()
    assert other.id == "b"
    resumed = await services.do(queue.resume, "a")
    assert resumed.now == JobState.READY
    assert await services.claim() == []
    await services.do(queue.complete, other)
    assert (await services.take()).attempt == 2


async def test_a_worker_that_dies_waiting_leaves_the_job_waiting(services: House) -> None:
    await services.put(work("a", max_losses=1))
    lease = await services.take()
    await services.do(queue.suspend, lease, waits_for="QUESTION")
    await services.ages(31)
    [lost] = await services.sweep()
    assert (lost.cause, lost.was, lost.now, lost.held) == (
        Cause.LOST,
        JobState.PARKED,
        JobState.PARKED,
        False,
    )
    with pytest.raises(queue.JobLeaseLost):
        await services.do(queue.heartbeat, lease)
    assert (await services.do(queue.resume, "a")).now == JobState.READY
    assert (await services.take()).attempt == 2


async def test_work_is_put_aside_without_a_worker(services: House) -> None:
    await services.put(work("a"))
    assert (await services.do(queue.suspend_without_worker, "a", waits_for="BLOCKED")).now == JobState.PARKED
    assert await services.claim() == []
    await services.do(queue.resume, "a")
    lease = await services.take()
    assert await services.do(queue.suspend_without_worker, "a", waits_for="BLOCKED") is None
    await services.do(queue.suspend, lease, waits_for="QUESTION")
    assert not (await services.do(queue.suspend_without_worker, "a", waits_for="DECISION")).held
    with pytest.raises(queue.JobLeaseLost):
        await services.do(queue.complete, lease)


@pytest.mark.parametrize("end", ["release", "fail", "expire", "park", "withdraw"])
async def test_a_job_that_was_asked_to_stop_never_comes_back(services: House, end: str) -> None:
    await services.put(work("a"))
    lease = await services.take()
    await services.do(queue.cancel, "a")
    if end == "release":
        await services.do(queue.release, lease)
    elif end == "fail":
        await services.do(queue.fail, lease, code="X", retryable=True)
    elif end == "park":
        await services.do(queue.suspend, lease, waits_for="QUESTION", keep=False)
    elif end == "withdraw":
        await services.do(queue.withdraw, "w")
    else:
        await services.ages(31)
        await services.sweep()
    assert (await services.job("a")).state == JobState.CANCELLED
    await services.ages(1000)
    await services.sweep()
    assert await services.claim() == []
    assert await services.do(queue.cancel, "a") is None


async def test_work_that_waits_is_cancelled_at_once(services: House) -> None:
    await services.put(work("a"), work("b", parked_for="CHILDREN"), work("c", delay=100))
    for id in "abc":
        assert (await services.do(queue.cancel, id)).now == JobState.CANCELLED
    assert await services.claim() == []


@pytest.mark.parametrize(
    ("limits", "after", "now", "code", "outcome"),
    [
        ({"wait_limit": 50}, 0, JobState.DEAD, "EXPIRED", None),
        ({"attempt_limit": 50}, 1, JobState.READY, "TIMEOUT", AttemptOutcome.FAILED),
        ({"silence_limit": 50}, 1, JobState.READY, "SILENT", AttemptOutcome.FAILED),
        ({"whole_limit": 50}, 1, JobState.DEAD, "TIMEOUT", AttemptOutcome.FAILED),
        ({"attempt_limit": 50, "max_attempts": 1}, 1, JobState.DEAD, "TIMEOUT", AttemptOutcome.FAILED),
    ],
)
async def test_each_time_limit_ends_what_it_limits(
    services: House, limits: Any, after: int, now: JobState, code: str, outcome: AttemptOutcome | None
) -> None:
    await services.put(work("a", **limits))
    lease = await services.take() if after else None
    for _ in range(2):
        await services.ages(20)
        if lease:
            await services.do(queue.heartbeat, lease)
        assert await services.sweep() == []
    await services.ages(11)
    [ended] = await services.sweep()
    assert (ended.now, ended.code) == (now, code)
    if outcome:
        assert [one.outcome for one in await services.attempts("a")] == [outcome]
        assert (await services.job("a")).failures == (0 if "whole_limit" in limits else 1)


async def test_progress_breaks_the_silence_and_a_heartbeat_does_not(services: House) -> None:
    await services.put(work("a", silence_limit=50))
    lease = await services.take()
    for _ in range(4):
        await services.ages(20)
        await services.do(queue.heartbeat, lease, active=True)
    assert await services.sweep() == []
    await services.ages(20)
    await services.do(queue.heartbeat, lease)
    await services.ages(25)
    await services.do(queue.heartbeat, lease)
    await services.ages(6)
    [silent] = await services.sweep()
    assert silent.code == "SILENT"


async def test_the_wait_limit_is_for_the_queue_only(services: House) -> None:
    await services.put(work("a", wait_limit=50))
    lease = await services.take()
    await services.ages(25)
    await services.do(queue.heartbeat, lease)
    await services.ages(29)
    assert await services.sweep() == []
    await services.do(queue.release, lease)
    await services.ages(45)
    assert await services.sweep() == []
    await services.ages(6)
    assert [one.code for one in await services.sweep()] == ["EXPIRED"]


async def test_the_whole_limit_also_ends_what_waits(services: House) -> None:
    await services.put(work("a", whole_limit=50), work("b", whole_limit=50))
    await services.do(queue.suspend, await services.take(), waits_for="QUESTION", keep=False)
    await services.do(queue.fail, await services.take(), code="X", retryable=True)
    await services.ages(51)
    assert {(one.id, one.now, one.code) for one in await services.sweep()} == {
        ("a", JobState.DEAD, "TIMEOUT"),
        ("b", JobState.DEAD, "TIMEOUT"),
    }


async def test_a_worker_that_leaves_gives_everything_back(services: House) -> None:
    await services.put(work("a"), work("b"), work("c"))
    leases = await services.claim(most=2)
    [other] = await services.claim("other")
    back = await services.do(queue.withdraw, "w")
    assert [(one.id, one.now) for one in back] == [("a", JobState.READY), ("b", JobState.READY)]
    assert [row.job_id for row in await queue.held_by(services.database.read, "other")] == ["c"]
    with pytest.raises(queue.JobLeaseLost):
        await services.do(queue.complete, leases[0])
    await services.do(queue.complete, other)


async def test_caps_are_raised_lowered_lifted_and_exact(services: House) -> None:
    cap = queue.scope_cap("web")
    await services.put(*(work(f"a{n:02}") for n in range(12)))
    held = await services.claim(most=3)
    await services.do(queue.set_cap, cap, 2)  # three are held: none fits, and one leaving is not enough
    await services.do(queue.complete, held.pop())
    assert await services.claim() == []
    await services.do(queue.complete, held.pop())
    held += await services.claim(most=5)
    assert len(held) == 2
    await services.do(queue.set_cap, cap, 4)
    held += await services.claim(most=5)
    assert len(held) == 4
    await services.do(queue.set_cap, cap, 1)
    for _ in range(3):
        await services.do(queue.release, held.pop())
        assert await services.claim() == []
    await services.do(queue.set_cap, cap, None)
    held += await services.claim(most=3)
    assert len(held) == 4
    await services.do(queue.set_cap, cap, 5)
    assert len(await services.claim(most=5)) == 1
    slots = await services.database.read(select(queue.Slot.__table__))
    assert len(slots) == 5
    assert all(slot.job_id for slot in slots)


async def test_every_cap_of_a_job_counts(services: House) -> None:
    await services.do(queue.set_cap, queue.worker_cap("w"), 2)
    await services.do(queue.set_cap, queue.key_cap("merge"), 1)
    await services.put(work("a", keys=["merge"], scope="x"), work("b", keys=["merge"]), work("c"), work("d"))
    assert [one.id for one in await services.claim(most=9)] == ["a", "c"]
    assert [one.id for one in await services.claim("other", most=9)] == ["d"]
    [reason] = await services.why("b")
    assert reason == queue.CapReached("key:merge", 1, ("a",))


async def test_why_a_job_is_not_running(services: House) -> None:
    await services.do(queue.set_cap, queue.scope_cap("full"), 0)
    await services.put(
        work("run"),
        work("next", priority=1),
        work("later", delay=60),
        work("full", scope="full"),
        work("wait", parked_for="CHILDREN"),
    )
    await services.put(work("last", priority=-1), work("end"))
    await services.do(queue.cancel, "end")
    await services.do(queue.prioritise, "run", 9)
    lease = await services.take()
    ids = ["run", "next", "later", "full", "wait", "last", "end"]
    why = await queue.reasons_not_running(services.database.read, ids)
    assert why["run"] == [queue.LeaseHeld("w", lease.until, 1, False)]
    assert why["next"] == [queue.Queued(1)]
    assert why["last"] == [queue.Queued(3)]  # also after the one that is due later
    [later] = why["later"]
    assert isinstance(later, queue.DueLater)
    assert why["full"] == [queue.CapReached("scope:full", 0, ())]
    [waits] = why["wait"]
    assert isinstance(waits, queue.Suspended)
    assert (waits.waits_for, waits.worker_id) == ("CHILDREN", None)
    assert why["end"] == [queue.HasEnded(JobState.CANCELLED, None)]


async def test_the_numbers(services: House) -> None:
    [first, *_] = await services.put(work("a"), work("b"), work("c", delay=60), work("d", parked_for="X"))
    await services.put(work("e", scope="app"), work("f", scope="app", priority=4), work("x", tenant="u"))
    await services.do(queue.fail, await services.take(), code="X")  # f
    await services.take()  # a
    app, none, web = [
        one for one in await queue.statistics(services.database.read, "t") if one.scope in ("app", "web")
    ]
    assert (app.priority, app.queued, app.dead) == (4, 0, 1)
    assert (none.scope, none.priority, none.queued) == ("app", 0, 1)
    assert (web.queued, web.delayed, web.active, web.waiting, web.dead) == (1, 1, 1, 1, 0)
    assert web.oldest_at == first.at
    [only] = await queue.statistics(services.database.read, "t", scopes=["web"])
    assert only == web


async def test_a_transaction_that_fails_leaves_no_trace(services: House) -> None:
    await services.put(work("a"))

    async def broken(tx: Any) -> None:
        await queue.enqueue(tx, work("b"))
        [lease] = await queue.claim(tx, "w", WEB)
        await queue.complete(tx, lease)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        await services.do(broken)
    rows = await services.database.read(select(queue.Job.id, queue.Job.state, queue.Job.attempt))
    assert [tuple(row) for row in rows] == [("a", JobState.READY, 0)]
    assert await services.attempts("a") == []


async def test_workers_that_wait_are_woken(services: House) -> None:
    woken: list[set[str]] = []
    services.pubsub.send = lambda names: woken.append(set(names))  # type: ignore[method-assign, assignment, misc]
    await services.put(work("later", delay=60))
    assert woken.pop() == set()
    await services.put(work("a"))
    assert woken.pop() == {"queue:t"}
    await services.do(queue.set_cap, queue.scope_cap("web"), 1, tenant="t")
    lease = await services.take()
    woken.clear()
    await services.do(queue.cancel, "a")
    assert woken.pop() == {"worker:w"}
    await services.do(queue.complete, lease)
    assert woken.pop() == {"queue:t"}  # its place is free
    since = (await services.do(queue.sweep)).at
    woken.clear()
    await services.ages(61)
    swept = await services.do(queue.sweep, since=since - timedelta(seconds=61))
    assert woken.pop() == {"queue:t"}
    await services.do(queue.sweep, since=swept.at)
    assert woken.pop() == set()
    await services.do(queue.set_cap, queue.scope_cap("web"), 2, tenant="t")
    assert woken.pop() == {"queue:t"}


async def test_a_sweep_tells_when_to_sweep_next(services: House) -> None:
    assert (await services.do(queue.sweep)).next_at is None
    await services.put(work("a", delay=100))
    swept = await services.do(queue.sweep)
    assert (await services.job("a")).available_at == swept.next_at
    await services.ages(100)
    lease = await services.take()
    assert (await services.do(queue.sweep)).next_at == lease.until


async def test_a_look_names_what_a_claim_would_take(services: House) -> None:
    await services.put(work("a"), work("b", scope="app", priority=3), work("c"))
    found = await services.do(queue.peek, WEB)
    assert [(one.id, one.scope, one.caps) for one in found] == [
        ("b", "app", ["scope:app"]),
        ("a", "web", ["scope:web"]),
    ]


# PostgreSQL does in one statement what takes several elsewhere; who asks twice pays for it.
FEWER = {"claim": 2, "claim by key": 2, "same claim again": 3, "complete": 2, "fail": 2}


async def test_few_statements_are_sent(services: House, kind: str) -> None:
    await services.do(queue.set_cap, queue.scope_cap("web"), 9)
    await services.do(queue.set_cap, queue.worker_cap("w"), 9)
    sent: list[str] = []

    def heard(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT")):
            sent.append(statement)

    event.listen(services.database.engine.sync_engine, "before_cursor_execute", heard)
    services.database.readers.listeners.append(sent.append)

    async def counted(what: Any, *args: Any, **options: Any) -> tuple[Any, int]:
        sent.clear()
        result = await services.do(what, *args, **options)
        return result, len(sent)

    counts: dict[str, int] = {}
    _, counts["enqueue"] = await counted(queue.enqueue, work("a"), work("b"), work("c"))
    [lease], counts["claim"] = await counted(queue.claim, "w", WEB)
    _, counts["heartbeat"] = await counted(queue.heartbeats, [lease])
    _, counts["complete"] = await counted(queue.complete, lease)
    [lease], counts["claim by key"] = await counted(queue.claim, "w", WEB, key="k")
    _, counts["same claim again"] = await counted(queue.claim, "w", WEB, key="k")
    _, counts["fail"] = await counted(queue.fail, lease, code="X", retryable=True)
    await services.take()
    _, counts["nothing to claim"] = await counted(queue.claim, "w", WEB)
    _, counts["nothing to sweep"] = await counted(queue.sweep)
    assert counts == {
        "enqueue": 2,
        "claim": 6,
        "heartbeat": 1,
        "complete": 5,
        "claim by key": 7,
        "same claim again": 1,
        "fail": 5,
        "nothing to claim": 1,
        "nothing to sweep": 4,
    } | (FEWER if kind == "postgresql" else {})


async def test_a_batch_is_few_statements_and_keeps_to_every_order_and_limit(
    services: House, kind: str
) -> None:
    await services.do(queue.set_cap, queue.worker_cap("w"), 9)
    await services.do(queue.set_cap, queue.scope_cap("web"), 4)
    await services.put(*(work(f"a{n}") for n in range(5)), work("b", scope="app"), work("z", priority=3))
    await services.put(*(work(f"c{n}", scope="app") for n in range(9)))
    sent: list[str] = []

    def heard(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(services.database.engine.sync_engine, "before_cursor_execute", heard)
    leases = await services.do(queue.claim, "w", WEB, most=20, key="k")
    count = len(sent)
    assert [lease.id for lease in leases] == ["z", "a0", "a1", "a2", "b", "c0", "c1", "c2", "c3"]
    assert count <= 20 or kind == "sqlite", "two for each change of lane, not seven for each job"
    assert await services.do(queue.claim, "w", WEB, most=20, key="k") == [
        dataclasses.replace(lease, transition=None) for lease in leases
    ]
    for lease in leases:
        await services.do(queue.complete, lease)
    assert len(await services.do(queue.claim, "w", WEB, most=20)) == 7


async def test_two_sweeps_at_once_sweep_once(services: House) -> None:
    await services.put(*(work(f"a{n}") for n in range(30)))
    await services.claim(most=30)
    await services.ages(31)
    swept = await asyncio.gather(*(services.sweep() for _ in range(6)))
    assert sorted(one.id for some in swept for one in some) == sorted(f"a{n}" for n in range(30))
    [(total,)] = await services.database.read(select(func.sum(queue.Job.losses)))
    assert total == 30
