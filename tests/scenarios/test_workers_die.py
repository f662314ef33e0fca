"""Workers that die or freeze: real processes and real kills, on a real server (scenarios 3 and 4)."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from actions.run.sweep import sweep
from tests.faults.api import CROWD
from tests.pace import leeway
from tests.scenarios.invariants import assert_sound
from tests.scenarios.remote import Remote, Worker, elsewhere
from tests.scenarios.worker import main
from tests.warm import Warm
from tests.work import ANSWER, hand, queued, set_policy, show

pytestmark = pytest.mark.slow("leases that must expire")

LEASE = 2  # seconds


@contextlib.contextmanager
def process(remote: Remote, ledger: Path, *asks: str) -> Iterator[Warm]:
    ledger.touch()
    worker = Warm(remote.urls[0], remote.tokens[""], remote.workspace, "first", str(ledger), *asks, main=main)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


async def said(ledger: Path, words: str) -> str:
    """The line that begins so, as soon as it is there."""
    deadline = time.monotonic() + 60
    while True:
        for line in ledger.read_text().splitlines():
            if line.startswith(words):
                return line
        assert time.monotonic() < deadline, f"nobody said {words!r}: {ledger.read_text()!r}"
        await asyncio.sleep(0.02)


async def until(remote: Any, run: str, fits: Callable[[Any], bool]) -> Any:
    """What a run shows as soon as it fits."""
    deadline = time.monotonic() + 60
    while not fits(shown := await show(remote, run)):
        assert time.monotonic() < deadline, shown
        await asyncio.sleep(0.2)
    return shown


async def prepared(remote: Remote) -> str:
    """A run in the queue of a board whose leases are short."""
    board, [card] = await remote.has_board("Paint")
    await set_policy(remote, board, leaseSeconds=LEASE)
    return await queued(remote, card)


async def taken_over(remote: Remote, run: str, worker: Worker) -> Any:
    """The claim of the next worker."""
    await until(remote, run, lambda shown: shown["status"] == "QUEUED")
    [claim] = await worker.get()
    assert (claim["run"]["id"], claim["attempt"]) == (run, 2)
    return claim


async def another(remote: Remote) -> Worker:
    return Worker(remote, (await hand(remote, "other")).id)


async def killed_at_work(remote: Remote, ledger: Path) -> float:
    """Returns how long it took until another worker had the run."""
    run, other = await prepared(remote), await another(remote)
    with process(remote, ledger) as worker:
        assert await said(ledger, "holds") == f"holds {run} 1"
        await asyncio.sleep(LEASE + 1)
        assert (await show(remote, run))["status"] == "RUNNING", "its heartbeats keep it"
        worker.kill()
        began = time.monotonic()
        await taken_over(remote, run, other)
        took = time.monotonic() - began
    assert (await other.complete(run, "In time"))["status"] == "SUCCEEDED"
    shown = await show(remote, run)
    assert [one["outcome"] for one in shown["attempts"]] == ["LOST", "SUCCEEDED"]
    assert shown["card"]["stage"] == "REVIEW"
    return took


async def frozen_at_work(remote: Remote, ledger: Path) -> None:
    """What the worker says when it comes back is refused, and changes nothing."""
    run, other = await prepared(remote), await another(remote)
    with process(remote, ledger) as worker:
        await said(ledger, "holds")
        worker.send_signal(signal.SIGSTOP)
        await taken_over(remote, run, other)
        beating = asyncio.create_task(other.at_work(3_600))
        before = await lasting(remote, run)
        worker.send_signal(signal.SIGCONT)
        assert await said(ledger, "lost") == f"lost {run} LEASE_LOST LEASE_LOST"
        assert await lasting(remote, run) == before
        beating.cancel()
    assert (await other.complete(run, "In time"))["summary"] == "In time"
    lines = "query($id: ID!) { run(id: $id) { events(first: 50) { nodes { text } } } }"
    texts = [line["text"] for line in (await remote.data(lines, id=run))["events"]["nodes"]]
    assert "first begins" in texts
    assert "first is late" not in texts


async def lasting(remote: Remote, run: str) -> Any:
    """All that a run shows but until when it is held, which heartbeats change."""
    shown = await show(remote, run)
    del shown["whyNotRunning"]
    return shown


async def killed_while_it_waits(remote: Remote, ledger: Path, *, is_known: bool) -> None:
    """The answer brings the run back, whether it comes after somebody knows of the death or before."""
    run, other = await prepared(remote), await another(remote)
    with process(remote, ledger, "ask") as worker:
        await said(ledger, "holds")
        worker.kill()
    if is_known:
        await until(remote, run, lambda shown: shown["attempts"][0]["outcome"] == "LOST")
    shown = await show(remote, run)
    assert (shown["status"], shown["waitReason"]) == ("WAITING", "QUESTION")
    assert await other.get() == []
    answered = await remote.data(ANSWER, input={"id": shown["questions"][0]["id"], "options": ["red"]})
    if is_known:
        assert answered["run"]["status"] == "QUEUED"
    claim = await taken_over(remote, run, other)
    assert "Which colour?\n  red" in claim["work"]["prompt"]
    assert "WEB-1: Paint" in claim["work"]["prompt"], "who was not there is told everything"
    assert claim["work"]["sessionId"] is None, "a conversation lives where it was held"
    await other.complete(run)


async def test_workers_that_die_or_freeze_are_replaced(serve: Any, tmp_path: Path, figure: Any) -> None:
    """Each in a workspace of its own, all at once: a server takes longer to start than all of it together."""
    server = await serve(**CROWD)
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(elsewhere(server)) for _ in range(4)]
        took, *_ = await asyncio.gather(
            killed_at_work(clients[0], tmp_path / "killed"),
            frozen_at_work(clients[1], tmp_path / "frozen"),
            killed_while_it_waits(clients[2], tmp_path / "known", is_known=True),
            killed_while_it_waits(clients[3], tmp_path / "unknown", is_known=False),
        )
    figure(taken_over_after=f"{took:.1f} s")
    assert took < leeway(LEASE + 5), "the lease, and the look that follows"
    await assert_sound(server.database_url)


async def test_a_run_that_loses_its_workers_again_and_again_ends(run: Any) -> None:
    """It may be what kills them: it is listed among the dead."""
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker, id = await hand(app), await queued(app, card)
        for _ in range(5):
            assert await worker.take() == id
            async with app.services.database.write() as tx:
                await tx.execute(text("UPDATE attempt SET lease_until = heartbeat_at"))
            await sweep(app.services.event_log)
        shown = await show(app, id)
        assert (shown["status"], shown["failureCode"]) == ("FAILED", "LEASE_EXPIRED")
        assert [one["outcome"] for one in shown["attempts"]] == ["LOST"] * 5
        assert (await worker.complete(id))["code"] == "LEASE_LOST"
        dead = "query($id: ID!) { deadRuns(workspaceId: $id) { nodes { id } } }"
        assert await app.data(dead, id=await app.home()) == {"nodes": [{"id": id}]}
        await assert_sound(app.services.database)
