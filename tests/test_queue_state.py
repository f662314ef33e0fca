"""The queue of a workspace in numbers, and its feed: at once, then when there may be work, once a second."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from kit import queue
from kit.queue import ClaimFilter, NewJob, Ticket
from models.worker import Worker
from tests.client import Refused

NUMBERS = "queued delayed active waiting dead oldestAt"
STATE = f"""{{ workspaceId boards {{ board {{ name }} {NUMBERS} priorities {{ priority {NUMBERS} }} }}
  workers {{ status count }} }}"""
ASK = f"query($id: ID!) {{ queue(workspaceId: $id) {STATE} }}"
FEED = f"subscription($id: ID!) {{ queueFeed(workspaceId: $id) {STATE} }}"


async def put(app, home, *works):
    async with app.begin() as tx:
        await queue.enqueue(tx, *(NewJob(**{"kind": "CODE", "tenant": home, **work}) for work in works))


async def claim(app, home, board):
    async with app.begin() as tx:
        [lease] = await queue.claim(tx, "worker_x", ClaimFilter(tenant=home, scopes=[board]))
        return Ticket(lease.id, lease.attempt, lease.token)


def short(numbers):
    return [numbers[name] for name in ("queued", "delayed", "active", "waiting", "dead")]


async def test_the_numbers(run):
    async with run() as app:
        home = await app.home()
        web, _ = await app.has_board()
        api, _ = await app.has_board(name="Api")
        assert (await app.data(ASK, id=home))["boards"] == []
        unlimited = (
            "mutation($id: ID!) { updateBoardPolicy(input: {boardId: $id, concurrency: 0}) { __typename } }"
        )
        await app.data(unlimited, id=web)
        await put(
            app,
            home,
            *({"id": f"run_{n}", "scope": web, "priority": 4, "max_attempts": 1} for n in range(4)),
            {"id": "run_4", "scope": web, "priority": 2},
            {"id": "run_5", "scope": web, "priority": 2, "delay": 60},
            {"id": "run_6", "scope": api, "priority": 0},
        )
        tickets = [await claim(app, home, web) for _ in range(3)]
        async with app.begin() as tx:
            await queue.suspend(tx, tickets[0], waits_for="QUESTION", keep=False)
        async with app.begin() as tx:
            await queue.fail(tx, tickets[1], code="AGENT_ERROR")
        with app.counting() as statements:
            state = await app.data(ASK, id=home)
        assert len(statements) == 7, (
            statements
        )  # the caller, the workspace, three of the queue, the workers, the boards
        boards = {one["board"]["name"]: one for one in state["boards"]}
        assert short(boards["Web"]) == [2, 1, 1, 1, 1]
        assert short(boards["Api"]) == [1, 0, 0, 0, 0]
        by_priority = {one["priority"]: short(one) for one in boards["Web"]["priorities"]}
        assert by_priority == {"CRITICAL": [1, 0, 1, 1, 1], "MEDIUM": [1, 1, 0, 0, 0]}
        assert list(by_priority) == ["CRITICAL", "MEDIUM"]
        oldest = [one["oldestAt"] for one in boards["Web"]["priorities"]]
        assert boards["Web"]["oldestAt"] == min(oldest)
        assert boards["Api"]["priorities"][0]["priority"] == "NONE"


async def test_workers_by_state(run):
    async with run() as app:
        home = await app.home()
        row = {"workspace_id": home, "owner_id": "key_x", "executors": ["CODEX"]}
        now, old = datetime.now(UTC), datetime(2026, 1, 1, tzinfo=UTC)
        async with app.begin() as tx:
            tx.add(Worker(id="worker_x", name="x", heard_at=now, **row))
            tx.add(Worker(name="idle", heard_at=now, **row))
            tx.add(Worker(name="hot", heard_at=now, error="hot", **row))
            tx.add(Worker(name="gone", heard_at=old, **row))
            tx.add(Worker(name="left", heard_at=now, deregistered_at=now, **row))
        board, _ = await app.has_board()
        await put(app, home, {"id": "run_1", "scope": board})

        async def counts():
            workers = (await app.data(ASK, id=home))["workers"]
            return {one["status"]: one["count"] for one in workers if one["count"]}

        assert await counts() == {"IDLE": 2, "ERROR": 1, "OFFLINE": 1}
        ticket = await claim(app, home, board)
        assert await counts() == {"IDLE": 1, "BUSY": 1, "ERROR": 1, "OFFLINE": 1}
        async with app.begin() as tx:
            await queue.suspend(tx, ticket, waits_for="QUESTION")
        assert await counts() == {"IDLE": 1, "WAITING": 1, "ERROR": 1, "OFFLINE": 1}


async def test_the_feed_tells_at_once_and_then_when_there_may_be_work(run):
    async with run() as app:
        home = await app.home()
        board, _ = await app.has_board()
        async with app.follow(FEED, id=home) as hear:
            assert (await hear())["queueFeed"]["boards"] == []
            began = time.monotonic()
            for n in range(20):
                await put(app, home, {"id": f"run_{n}", "scope": board})
                await asyncio.sleep(0)
            heard = []
            while not heard or heard[-1] < 20:
                [one] = (await hear())["queueFeed"]["boards"]
                heard.append(one["queued"])
            assert heard == sorted(heard)
            assert len(heard) <= 2 + (time.monotonic() - began), "at most one a second"


async def test_the_feed_ends_with_what_may_be_seen(run):
    async with run() as app:
        home = await app.home()
        await app.has_user("max")
        ask = """query($id: ID!) { workspace(id: $id) { members(text: "max") { nodes { id } } } }"""
        [member] = (await app.data(ask, id=home))["members"]["nodes"]
        async with app.follow(FEED, "max", id=home) as hear:
            await hear()
            remove = "mutation($id: ID!) { removeMember(input: {id: $id}) { __typename } }"
            await app.data(remove, id=member["id"])
            while await hear() is not None:
                pass
        async with app.follow(FEED, "max", id=home) as hear:
            with pytest.raises(Refused) as no:
                await hear()
            assert no.value.code == "NOT_FOUND"
        assert await app.data(ASK, "max", id=home) is None
