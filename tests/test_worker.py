"""Workers: they come under a name, live by their heartbeats, hear commands, and leave with nothing lost."""

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from actions.run.change import send_command
from actions.run.claim import claim_runs
from kit import queue
from kit.queue import Attempt, Cap, Ticket, worker_cap
from models.actor import Actor, ActorKind, Scope
from models.run import CommandKind, Run, RunCommand
from models.worker import (
    HEARTBEAT_INTERVAL_SECONDS,
    MAX_MISSED_HEARTBEATS,
    MAX_WORKERS,
    METRICS,
    Worker,
    status_of,
)
from tests.client import Refused
from tests.conftest import MAKE_KEY, REVOKE_KEY
from tests.queue.ageing import age
from tests.work import hand, queued, set_policy, show

FIELDS = """id name program status executors kinds capabilities { name level } maxConcurrent held metrics error
  deregisteredAt board { id } owner { kind name } version"""
ANSWERS = {
    "registerWorker": f"... on Worker {{ {FIELDS} }} ... on Conflict {{ with: conflictingId }}",
    "deregisterWorker": f"... on Worker {{ {FIELDS} }}",
    "workerHeartbeat": """... on WorkerBeat { worker { status error metrics } leases { runId attempt until lost }
      commands { id: commandId runId kind reason key answers { key answer } } }
      ... on Conflict { with: conflictingId }""",
    "acknowledgeCommand": "... on Command { id: commandId kind acknowledgedAt } ... on LeaseLost { runId attempt }",
}
LIST = "query($id: ID!) { workers(workspaceId: $id) { name status held } workspace(id: $id) { workers { name } } }"
COMMANDS = """subscription($id: ID!) { workerCommands(workerId: $id) {
  id: commandId runId attempt kind key reason answers { key answer } } }"""
FEED = """subscription($id: ID!, $after: String) { workspaceFeed(workspaceId: $id, after: $after) {
  event { kind: __typename ... on WorkerEvent { name worker { name } } } } }"""


async def do(app, name, actor="", /, **input):
    kind = f"{name[0].upper()}{name[1:]}Input!"
    answer = f"__typename ... on Refusal {{ code }} ... on Invalid {{ issues {{ path }} }} {ANSWERS[name]}"
    return await app.data(
        f"mutation($input: {kind}) {{ {name}(input: $input) {{ {answer} }} }}", actor, input=input
    )


async def has_key(app, name, *scopes, board=None):
    """A key that signs in as `name`; the actor it is."""
    given = {"workspaceId": await app.home(), "name": name, "scopes": scopes or ["WORKER"], "boardId": board}
    made = await app.data(MAKE_KEY, input=given)
    app.tokens[name] = f"Bearer {made['secret']}"
    kept = frozenset(Scope(scope) for scope in scopes or ["WORKER"])
    return Actor(ActorKind.WORKER, made["apiKey"]["id"], given["workspaceId"], board, kept)


async def register(app, actor="", name="w1", /, **input):
    return await do(app, "registerWorker", actor, **{"name": name, "executors": ["SCRIPTED"], **input})


async def has_runs(app, count):
    """A board on which as many runs are queued."""
    board, cards = await app.has_board(*(f"Card {n}" for n in range(count)), autoDispatch=True)
    limit = "mutation($input: UpdateBoardPolicyInput!) { updateBoardPolicy(input: $input) { __typename } }"
    await app.data(limit, input={"boardId": board, "concurrency": 0, "leaseSeconds": 60})
    move = "mutation($input: MoveCardsInput!) { moveCards(input: $input) { __typename } }"
    assert await app.data(move, input={"ids": cards, "destination": {"stage": "TODO"}}) == {
        "__typename": "Cards"
    }
    return board


async def claim(app, actor, worker, most=1):
    """The leases of runs that a worker gets, as it shows them."""
    async with app.begin(actor) as tx:
        got = await claim_runs(tx, actor, worker, most)
        return [{"runId": one.run.id, "attempt": one.attempt, "token": one.token} for one in got]


async def silent(app, worker, seconds, *, beats=True, lease=False):
    """Let a worker be heard for the last time so long ago: by itself, and also about what it holds.

    beats: only its own heartbeats, or also what it said of its runs.
    lease: its leases have run out since.
    """
    async with app.begin() as tx:
        heard = datetime.now(UTC) - timedelta(seconds=seconds)
        await tx.execute(update(Worker).where(Worker.id == worker).values(heard_at=heard))
        values = {"heartbeat_at": heard} if beats else {}
        values |= {"lease_until": datetime.now(UTC) - timedelta(seconds=1)} if lease else {}
        if values:
            mine = Attempt.worker_id == worker, Attempt.ended_at.is_(None)
            await tx.execute(update(Attempt).where(*mine).values(**values))


async def status(app, id):
    run = await app.services.database.read(select(Run.status).where(Run.id == id))
    return run[0].status


NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "error", "gone", "held", "waiting", "wanted"),
    [
        (0, None, False, 0, 0, "IDLE"),
        (0, None, False, 2, 0, "BUSY"),
        (0, None, False, 2, 1, "BUSY"),
        (0, None, False, 2, 2, "WAITING"),
        (0, "disk full", False, 2, 0, "ERROR"),
        (HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS - 1, None, False, 0, 0, "IDLE"),
        (HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS, None, False, 2, 0, "OFFLINE"),
        (HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS, "disk full", False, 0, 0, "OFFLINE"),
        (0, None, True, 0, 0, "OFFLINE"),
    ],
)
def test_the_status(seconds, error, gone, held, waiting, wanted):
    worker = SimpleNamespace(
        heard_at=NOW - timedelta(seconds=seconds), error=error, deregistered_at=NOW if gone else None
    )
    assert status_of(worker, held, waiting, NOW) == wanted


async def test_registering_again_is_the_same_worker(run):
    async with run() as app:
        key = await has_key(app, "one")
        home = await app.home()
        made = await register(
            app,
            "one",
            program="signalbox 1",
            kinds=["CODE", "REVIEW"],
            capabilities=[{"name": "Python", "level": "EXPERT"}],
            maxConcurrent=3,
            metrics={"cpu": 0.5},
        )
        id = made["id"]
        assert made == {
            "__typename": "Worker",
            "id": id,
            "name": "w1",
            "program": "signalbox 1",
            "status": "IDLE",
            "executors": ["SCRIPTED"],
            "kinds": ["CODE", "REVIEW"],
            "capabilities": [{"name": "python", "level": "EXPERT"}],
            "maxConcurrent": 3,
            "held": 0,
            "metrics": {"cpu": 0.5},
            "error": None,
            "deregisteredAt": None,
            "board": None,
            "owner": {"kind": "WORKER", "name": "one"},
            "version": 1,
        }
        [row] = await app.services.database.read(select(Worker.__table__).where(Worker.id == id))
        levels = ("ADVANCED", "BEGINNER", "EXPERT", "INTERMEDIATE")
        assert row.capabilities == [f"python:{level}" for level in levels]
        [cap] = await app.services.database.read(select(Cap.most).where(Cap.name == worker_cap(id)))
        assert cap.most == 3
        again = await register(app, "one")
        assert (again["id"], again["version"], again["maxConcurrent"]) == (id, 2, 1)
        assert again["metrics"] == {"cpu": 0.5}, "what is not said stays"
        assert (await register(app, "one"))["version"] == 2
        async with app.follow(FEED, id=home, after="0") as hear:
            heard = []
            while len(heard) < 2:
                one = (await hear())["workspaceFeed"]
                heard += [one] if one["kind"].startswith("Worker") else []
        assert heard == [{"kind": "WorkerRegistered", "name": "w1", "worker": {"name": "w1"}}] * 2
        assert key.workspace_id == home


async def test_a_name_is_held_while_its_worker_is_heard(run):
    async with run() as app:
        one, _ = await has_key(app, "one"), await has_key(app, "two")
        id = (await register(app, "one"))["id"]
        await has_runs(app, 1)
        [lease] = await claim(app, one, id)
        assert await register(app, "two") == {"__typename": "Conflict", "code": "CONFLICT", "with": id}
        await silent(app, id, HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)
        assert await register(app, "two") == {"__typename": "Conflict", "code": "CONFLICT", "with": id}
        assert await status(app, lease["runId"]) == "CLAIMED", "while a lease holds nobody else ends it"
        await silent(app, id, HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS, lease=True)
        taken = await register(app, "two")
        assert (taken["id"], taken["owner"]["name"], taken["held"]) == (id, "two", 0)
        assert await status(app, lease["runId"]) == "QUEUED", "what it held is given back"
        assert (await do(app, "workerHeartbeat", "one", workerId=id))["code"] == "FORBIDDEN"
        await do(app, "deregisterWorker", "two", id=id)
        back = await register(app, "one")
        assert (back["id"], back["deregisteredAt"], back["status"]) == (id, None, "IDLE")


async def test_whatever_a_worker_says_is_a_sign_of_life(run):
    ask = "query($id: ID!) { worker(id: $id) { status } }"
    queue_state = "query($id: ID!) { queue(workspaceId: $id) { workers { status count } } }"
    async with run() as app:
        board, cards = await app.has_board("One", "Two")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        first, second = [await queued(app, card) for card in cards]

        async def seen():
            """What it is said to do, where it is asked for itself and where workers are counted."""
            counts = (await app.data(queue_state, id=await app.home()))["workers"]
            [counted] = [one["status"] for one in counts if one["count"]]
            alone = (await app.data(ask, id=worker.id))["status"]
            assert counted == alone
            return alone

        async def is_missed():
            return "NO_CAPABLE_WORKER" in [one["code"] for one in (await show(app, second))["whyNotRunning"]]

        await silent(app, worker.id, HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)
        [why] = [
            one for one in (await show(app, second))["whyNotRunning"] if one["code"] == "NO_CAPABLE_WORKER"
        ]
        assert re.search(r"hand was last heard at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", why["message"])
        assert (await seen(), await is_missed()) == ("OFFLINE", True)
        assert [one["run"]["id"] for one in await worker.claim()] == [first]
        assert (await seen(), await is_missed()) == ("BUSY", False), "a claim is heard"
        await silent(app, worker.id, HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)
        assert (await seen(), await is_missed()) == ("OFFLINE", True)
        assert (await worker.report(first, "1", {"type": "OUTPUT", "text": "At it"}))[
            "__typename"
        ] == "RunReported"
        assert (await seen(), await is_missed()) == ("BUSY", False), "a report is heard"
        await silent(app, worker.id, HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)
        await worker.complete(first)
        assert (await seen(), await is_missed()) == ("IDLE", False), "the end of a run is heard"
        await silent(app, worker.id, HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)
        async with app.begin() as tx:
            await tx.execute(update(Worker).values(kinds=["PLAN"]))
        assert await worker.claim() == []
        assert await seen() == "IDLE", "also a claim that is given nothing"


NOT_TAKEN = [
    ({"name": ""}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"program": "x" * 101}, "program"),
    ({"executors": []}, "executors"),
    ({"executors": ["CODEX", "CODEX"]}, "executors"),
    ({"kinds": ["CODE", "CODE"]}, "kinds"),
    ({"capabilities": [{"name": "a b"}]}, "capabilities.0.name"),
    ({"maxConcurrent": 0}, "maxConcurrent"),
    ({"maxConcurrent": 101}, "maxConcurrent"),
    ({"metrics": {"a": "x" * METRICS}}, "metrics"),
    ({"metrics": 1}, "metrics"),
]


async def test_what_cannot_be_taken(run):
    async with run() as app:
        await has_key(app, "one")
        for given, path in NOT_TAKEN:
            told = await do(app, "registerWorker", "one", **{"name": "w", "executors": ["CODEX"], **given})
            assert told == {"__typename": "Invalid", "code": "INVALID", "issues": [{"path": path}]}, given
        assert await app.services.database.read(select(Worker.id)) == []


async def test_a_heartbeat_extends_what_is_held_and_says_what_is_lost(run):
    async with run() as app:
        one = await has_key(app, "one")
        id = (await register(app, "one", maxConcurrent=5))["id"]
        await has_runs(app, 4)
        leases = await claim(app, one, id, 3)
        wrong = {**leases[2], "token": "not it"}
        none = {"runId": "run_none", "attempt": 1, "token": "none"}
        held = [{"lease": lease} for lease in (leases[0], wrong, none)] + [
            {"lease": leases[1], "active": False}
        ]
        soon = datetime.now(UTC) + timedelta(seconds=50)
        told = await do(
            app, "workerHeartbeat", "one", workerId=id, leases=held, metrics={"n": 1}, error="hot"
        )
        assert told["worker"] == {"status": "ERROR", "error": "hot", "metrics": {"n": 1}}
        assert [lease["lost"] for lease in told["leases"]] == [False, True, True, False]
        assert [lease["runId"] for lease in told["leases"]] == [one["lease"]["runId"] for one in held]
        for lease in told["leases"]:
            assert lease["lost"] == (lease["until"] is None)
            assert lease["lost"] or datetime.fromisoformat(lease["until"]) > soon, "as long as the board says"
        told = await do(app, "workerHeartbeat", "one", workerId=id)
        assert told["worker"] == {"status": "BUSY", "error": None, "metrics": {"n": 1}}
        many = [{"lease": none}] * 101
        assert (await do(app, "workerHeartbeat", "one", workerId=id, leases=many))["code"] == "INVALID"
        await silent(app, id, HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)
        ask = "query($id: ID!) { worker(id: $id) { status held } }"
        assert await app.data(ask, id=id) == {"status": "OFFLINE", "held": 3}
        await do(app, "workerHeartbeat", "one", workerId=id)
        assert (await app.data(ask, id=id))["status"] == "BUSY"
        for lease in leases:
            ticket = Ticket(lease["runId"], lease["attempt"], lease["token"])
            async with app.begin() as tx:
                await queue.suspend(tx, ticket, waits_for="QUESTION")
        assert (await app.data(ask, id=id))["status"] == "WAITING"


async def test_a_heartbeat_is_as_many_statements_for_one_lease_as_for_thirty(run):
    async with run() as app:
        one = await has_key(app, "one")
        id = (await register(app, "one", maxConcurrent=30))["id"]
        await has_runs(app, 30)
        leases = await claim(app, one, id, 30)
        assert len(leases) == 30
        counts = []
        for some in (leases[:1], leases):
            with app.counting() as statements:
                held = [{"lease": lease} for lease in some]
                told = await do(app, "workerHeartbeat", "one", workerId=id, leases=held)
            assert [lease["lost"] for lease in told["leases"]] == [False] * len(some)
            counts.append(len([one for one in statements if "api_key" not in one and "SAVEPOINT" not in one]))
        assert counts[0] == counts[1], counts
        assert counts[0] <= 8, statements


async def test_leaving_gives_back_what_is_held(run):
    async with run() as app:
        one = await has_key(app, "one")
        await app.has_user("max")
        id = (await register(app, "one", maxConcurrent=2))["id"]
        await has_runs(app, 2)
        leases = await claim(app, one, id, 2)
        assert (await do(app, "deregisterWorker", "max", id=id))["code"] == "FORBIDDEN"
        gone = await do(app, "deregisterWorker", id=id)  # by an admin
        assert (gone["status"], gone["held"], gone["deregisteredAt"] is not None) == ("OFFLINE", 0, True)
        assert [await status(app, lease["runId"]) for lease in leases] == ["QUEUED", "QUEUED"]
        jobs = await app.services.database.read(select(queue.Job.failures, queue.Job.losses))
        assert [tuple(job) for job in jobs] == [(0, 0), (0, 0)], "it counts as no failure"
        told = await do(app, "workerHeartbeat", "one", workerId=id, leases=[{"lease": leases[0]}])
        assert told == {"__typename": "Conflict", "code": "CONFLICT", "with": id}
        again = await do(app, "deregisterWorker", "one", id=id)
        assert again["deregisteredAt"] == gone["deregisteredAt"]
        assert await app.data("query($id: ID!) { worker(id: $id) { name } }", id=id) == {"name": "w1"}
        assert (await app.ask(LIST, id=await app.home()))["data"]["workers"] == []


async def test_commands_are_told_until_they_are_acknowledged(run):
    async with run() as app:
        one = await has_key(app, "one")
        await has_key(app, "two")
        id = (await register(app, "one", maxConcurrent=2))["id"]
        await has_runs(app, 2)
        lease, other = await claim(app, one, id, 2)

        async def give(kind, key, data):
            async with app.begin() as tx:
                held = await tx.get_one(Run, lease["runId"])
                await send_command(tx, held, CommandKind(kind), key, data)

        await give("CONCLUDE", "CONCLUDE", {})
        async with app.follow(COMMANDS, "one", id=id) as hear:
            first = (await hear())["workerCommands"]
            assert (first["kind"], first["runId"], first["attempt"]) == ("CONCLUDE", lease["runId"], 1)
            began = time.monotonic()
            await give("ANSWER", "q", {"answers": [{"key": "colour", "answer": ["Red"]}]})
            second = (await hear())["workerCommands"]
            assert time.monotonic() - began < 4, "it is woken, not polled"
            assert second["answers"] == [{"key": "colour", "answer": ["Red"]}]
            await give("STOP", "STOP", {"reason": "enough"})
            third = (await hear())["workerCommands"]
            assert (third["kind"], third["reason"]) == ("STOP", "enough")
            beat = await do(app, "workerHeartbeat", "one", workerId=id)
            assert [one["id"] for one in beat["commands"]] == [one["id"] for one in (first, second, third)]
            for _ in range(2):
                done = await do(app, "acknowledgeCommand", "one", lease=lease, commandId=second["id"])
                assert (done["kind"], done["acknowledgedAt"] is not None) == ("ANSWER", True)
            beat = await do(app, "workerHeartbeat", "one", workerId=id)
            assert [one["kind"] for one in beat["commands"]] == ["CONCLUDE", "STOP"]
            lost = await do(
                app, "acknowledgeCommand", "one", lease={**lease, "attempt": 2}, commandId=first["id"]
            )
            assert lost == {
                "__typename": "LeaseLost",
                "code": "LEASE_LOST",
                "runId": lease["runId"],
                "attempt": 2,
            }
            wrong = await do(app, "acknowledgeCommand", "one", lease=other, commandId=first["id"])
            assert wrong["code"] == "NOT_FOUND", "of another run"
            await do(app, "deregisterWorker", "one", id=id)
            assert await hear() is None, "it ends when the worker has left"
        async with app.follow(COMMANDS, "two", id=id) as hear:
            with pytest.raises(Refused) as no:
                await hear()
            assert no.value.code == "FORBIDDEN"
        rows = await app.services.database.read(select(RunCommand.id))
        assert len(rows) == 3


async def test_a_key_that_ends_ends_its_commands(run):
    async with run() as app:
        key = await has_key(app, "one")
        id = (await register(app, "one"))["id"]
        async with app.follow(COMMANDS, "one", id=id) as hear:
            waiting = asyncio.ensure_future(hear())
            await asyncio.sleep(0)
            await app.data(REVOKE_KEY, id=key.id)
            with pytest.raises(Exception, match="44"):
                assert await waiting is None


async def test_a_key_of_one_board_makes_a_worker_of_that_board(run):
    async with run() as app:
        board, _ = await app.has_board()
        other, _ = await app.has_board(name="Other")
        await has_key(app, "web", board=board)
        await has_key(app, "other", board=other)
        await has_key(app, "all")
        for name in ("web", "other", "all"):
            made = await register(app, name, name)
            assert made["board"] == ({"id": {"web": board, "other": other}[name]} if name != "all" else None)
        seen = (await app.ask(LIST, "web", id=await app.home()))["data"]["workers"]
        assert [one["name"] for one in seen] == ["all", "web"]
        elsewhere = {"workspaceId": "workspace_none", "name": "w", "executors": ["CODEX"]}
        assert (await do(app, "registerWorker", "web", **elsewhere))["code"] == "NOT_FOUND"


async def test_people_name_the_workspace(run):
    async with run() as app:
        assert (await register(app))["issues"] == [{"path": "workspaceId"}]
        made = await register(app, "", "mine", workspaceId=await app.home())
        assert made["owner"]["kind"] == "USER"
        await has_key(app, "reader", "READ")
        assert (await register(app, "reader"))["code"] == "FORBIDDEN"


async def test_a_list_of_any_length_is_few_statements_and_the_gone_make_room(run):
    async with run() as app:
        home = await app.home()
        async with app.begin() as tx:
            for n in range(MAX_WORKERS):
                row = {"workspace_id": home, "owner_id": "key_x", "name": f"w{n:03}", "executors": ["CODEX"]}
                tx.add(Worker(heard_at=datetime.now(UTC), **row))
        with app.counting() as statements:
            found = (await app.ask(LIST, id=home))["data"]
        assert len(found["workers"]) == len(found["workspace"]["workers"]) == MAX_WORKERS
        assert len(statements) <= 5, statements  # the caller, and two lists, each with its own columns
        assert (await register(app, "", "new", workspaceId=home))["code"] == "CONFLICT"
        [row] = await app.services.database.read(select(Worker.id).where(Worker.name == "w007"))
        await silent(app, row.id, HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)
        assert (await register(app, "", "new", workspaceId=home))["__typename"] == "Worker"
        [row] = await app.services.database.read(select(Worker.deregistered_at).where(Worker.id == row.id))
        assert row.deregistered_at is not None, "who was not heard longest makes room"


async def test_to_be_alive_is_not_to_go_forward(run):
    """Only what went forward, or reported, since the last heartbeats outlives the board's silence limit."""
    async with run() as app:
        board, cards = await app.has_board("Moves", "Reports", "Sleeps")
        await set_policy(app, board, silenceSeconds=300, leaseSeconds=3_600, maxAttempts=1, concurrency=3)
        worker = await hand(app)
        moves, reports, sleeps = [await queued(app, card) for card in cards]
        assert len(await worker.claim(3)) == 3
        async with app.begin() as tx:
            await age(tx, 200)
        await worker.beat(moves)
        await worker.report(reports, "1", {"type": "OUTPUT", "text": "Hm", "data": {"item": "1"}})
        async with app.begin() as tx:
            await age(tx, 200)
        async with asyncio.timeout(60):
            while (failed := await show(app, sleeps))["status"] != "FAILED":
                await asyncio.sleep(0.1)
        assert failed["failureCode"] == "SILENT"
        assert [(await show(app, id))["status"] for id in (moves, reports)] == ["CLAIMED", "RUNNING"]
