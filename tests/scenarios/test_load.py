"""Many workers at once, a server and a database that die under them, several servers (scenarios 5 and 6)."""

import asyncio
import contextlib
import random
import time
from typing import Any

import pytest

from tests.faults.api import CROWD
from tests.faults.crowd import restart
from tests.faults.readers import hear_ws
from tests.scenarios.invariants import (
    World,
    assert_sound,
    limits_were_never_exceeded,
)
from tests.scenarios.remote import Remote, Worker, workers
from tests.work import START, about_run, hand, set_policy

pytestmark = pytest.mark.slow("crowds of workers, servers that are killed")

PRIORITIES = ["NONE", "CRITICAL", "LOW", "HIGH", "MEDIUM"]
MOVE_ALL = "mutation($input: MoveCardsInput!) { moveCards(input: $input) { __typename } }"
COMMANDS = "subscription($id: ID!) { workerCommands(workerId: $id) { runId kind reason } }"
LONG = 30  # seconds of a lease that no restart may cost


async def filled(remote: Remote, count: int, limit: int) -> tuple[str, list[str]]:
    """A board of so many cards in TODO that is worked within a limit; each has its run, by the board's rule."""
    wishes = [{"title": f"Card {n}", "priority": PRIORITIES[n % 5]} for n in range(count)]
    board, cards = await remote.has_board(*wishes)
    await set_policy(remote, board, concurrency=limit, leaseSeconds=LONG, autoDispatch=True)
    for start in range(0, count, 50):
        answer = await remote.data(
            MOVE_ALL, input={"ids": cards[start : start + 50], "destination": {"stage": "TODO"}}
        )
        assert answer["__typename"] == "Cards", answer
    return board, cards


def assert_each_was_done_once(world: World, board: str, count: int, told: list[str]) -> None:
    """Every run ended well, once; and every worker that was told so is right, once."""
    runs = {run.id for run in world.runs.values() if run.board_id == board}
    assert len(runs) == count
    events = world.events[f"board:{board}"]
    done = [event.data["run_id"] for event in events if event.kind == "RUN_SUCCEEDED"]
    assert sorted(done) == sorted(runs)
    assert sorted(told) == sorted(runs)


def claimed(world: World, board: str) -> list[str]:
    """The runs of a board in the order they were claimed."""
    events = world.events[f"board:{board}"]
    return [event.data["run_id"] for event in events if event.kind == "RUN_CLAIMED"]


async def all_work(crew: list[Worker], count: int, **how: Any) -> list[str]:
    """Everybody works until so many runs are done; what they were told to have done."""
    told: list[str] = []
    deadline = time.monotonic() + 240

    async def one(worker: Worker) -> None:
        while len(told) < count:
            assert time.monotonic() < deadline, f"{len(told)} of {count} are done"
            told.extend(await worker.turn(**how))

    async with asyncio.TaskGroup() as group:
        for worker in crew:
            group.create_task(one(worker))
    return told


async def race(server: Any, count: int, limit: int) -> None:
    async with Remote(server) as remote:
        board, _ = await filled(remote, count, limit)
        crew = await workers(remote, 20)
        told = await all_work(crew, count)
    world = await assert_sound(server.database_url)
    assert_each_was_done_once(world, board, count, told)
    assert list(limits_were_never_exceeded(world, board, limit)) == []
    order = [world.runs[id] for id in claimed(world, board)]
    assert len(order) == count, "nothing is claimed twice"
    key = [(-int(run.priority), world.jobs[run.id].available_at, run.id) for run in order]
    assert key == sorted(key), "CRITICAL first, then the oldest"
    most = max(sum(1 for _ in group) for group in overlaps(world))
    assert most <= limit


def overlaps(world: World) -> list[list[str]]:
    """At the beginning of each attempt, who was at work: by the clock of the database."""
    spans = [(a.started_at, a.ended_at, id) for id, some in world.attempts.items() for a in some]
    return [[id for start, end, id in spans if start <= at < end] for at, _, _ in spans]


async def test_twenty_workers_share_a_hundred_cards(serve: Any) -> None:
    """Scenario 6."""
    await race(await serve(**CROWD), 100, 3)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_twenty_workers_share_a_thousand_runs(serve: Any) -> None:
    server = await serve(**CROWD)
    async with Remote(server) as remote:
        boards = [(await filled(remote, 100, 3))[0] for _ in range(10)]
        told = await all_work(await workers(remote, 20), 1_000, most=2)
    world = await assert_sound(server.database_url)
    for board in boards:
        mine = [id for id in told if world.runs[id].board_id == board]
        assert_each_was_done_once(world, board, 100, mine)
        assert list(limits_were_never_exceeded(world, board, 3)) == []


async def test_a_killed_server_loses_nothing_and_runs_nothing_twice(serve: Any) -> None:
    """Scenario 5: 50 wait and 5 are at work, whose workers live on."""
    server = await serve(**CROWD)
    async with Remote(server) as remote:
        board, _ = await filled(remote, 55, 5)
        crew = await workers(remote, 5)
        held = [claim["run"]["id"] for worker in crew for claim in await worker.get()]
        assert len(set(held)) == 5
        beating = [asyncio.create_task(worker.at_work(2)) for worker in crew]
        await restart(server)
        await asyncio.gather(*beating)
        told = []
        for worker, id in zip(crew, held, strict=True):
            answer = await worker.complete(id)
            assert answer["__typename"] == "Run", "its lease outlives the server"
            del worker.leases[id]
            told.append(id)
        working = asyncio.create_task(all_work(crew, 50, takes=0.1))
        await asyncio.sleep(0.5)
        await restart(server)  # and once more, in the middle of claims and completes
        told += await working
        assert remote.retries, "the kill was felt"
    world = await assert_sound(server.database_url)
    assert_each_was_done_once(world, board, 55, told)
    assert list(limits_were_never_exceeded(world, board, 5)) == []
    assert {run.attempt for run in world.runs.values()} == {1}, "nothing was begun twice"


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_database_that_dies_under_claims_leaves_no_trace_of_half_a_step(
    serve: Any, own_postgres: Any
) -> None:
    server = await serve(own_postgres.url, **CROWD)
    async with Remote(server) as remote:
        board, _ = await filled(remote, 40, 4)
        working = asyncio.create_task(all_work(await workers(remote, 8), 40))
        for _ in range(2):
            await asyncio.sleep(random.uniform(0.5, 1.0))
            own_postgres.stop()
            await own_postgres.start()
        told = await working
        assert remote.retries, "the stop was felt"
    world = await assert_sound(server.database_url)
    assert_each_was_done_once(world, board, 40, told)
    assert list(limits_were_never_exceeded(world, board, 4)) == []
    assert {run.attempt for run in world.runs.values()} == {1}, "a claim that was answered holds"


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_two_servers_are_one_queue(serve: Any) -> None:
    """Claims through both, each run to one; a stop through one is heard by a worker on the other."""
    one = await serve(**CROWD)
    other = await serve(one.database_url, **CROWD)
    async with Remote(one, other) as both, Remote(one) as first, Remote(other) as second:
        board, _ = await filled(both, 24, 4)
        told = await all_work(await workers(both, 8), 24)
        world = await assert_sound(one.database_url)
        assert_each_was_done_once(world, board, 24, told)
        assert list(limits_were_never_exceeded(world, board, 4)) == []
        _, [card] = await both.has_board("Stop me", name="Other")
        answer = await both.data(MOVE_ALL, input={"ids": [card], "destination": {"stage": "TODO"}})
        run = (await first.data(START, input={"cardId": card}))["runs"][0]["id"]
        worker = Worker(second, (await hand(second, "listens")).id)
        [claim] = await worker.get()
        assert claim["run"]["id"] == run
        async with contextlib.aclosing(hear_ws(other, COMMANDS, {"id": worker.id})) as commands:
            hearing = asyncio.create_task(anext(commands))
            await asyncio.sleep(0.5)
            stopped = await first.data(about_run("stopRun"), input={"id": run, "reason": "Enough"})
            assert stopped["stopRequestedAt"] is not None, answer
            began = time.monotonic()
            heard = await asyncio.wait_for(hearing, 30)
            assert time.monotonic() - began < 10
        assert heard == {"workerCommands": {"runId": run, "kind": "STOP", "reason": "Enough"}}
        assert (await worker.say("confirmStop", run))["status"] == "CANCELLED"
    await assert_sound(one.database_url)
