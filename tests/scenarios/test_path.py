"""The way of a card from an idea to done, and of a run that is stopped on it (scenarios 1, 7 and 8)."""

import asyncio
import contextlib
from typing import Any

from tests.board import do
from tests.conftest import MAKE_KEY
from tests.faults.api import CROWD
from tests.faults.readers import hear_ws
from tests.scenarios.invariants import assert_sound
from tests.scenarios.remote import Remote, Worker, workers
from tests.work import MOVE, WORDS, about_run, hand, in_todo, queued, set_policy, show, start

BOARD_FEED = """subscription($id: ID!, $after: String) {
  boardFeed(boardId: $id, after: $after) { seq cursor event { kind: __typename } } }"""
RUN_FEED = """subscription($id: ID!, $after: String) { runFeed(runId: $id, after: $after) {
  __typename seq cursor ... on RunLine { text } ... on RunEnded { status } } }"""
ADD = "mutation($input: AddSubtaskInput!) { addSubtask(input: $input) { __typename ... on Subtask { id } } }"
TICK = "mutation($input: UpdateSubtaskInput!) { updateSubtask(input: $input) { __typename } }"
STEPS = "query($id: ID!) { card(id: $id) { stage subtasks { title phase completed } subtaskCount { done total } } }"
TIMELINE = """query($id: ID!) { card(id: $id) { timeline(first: 50) { nodes {
  actor { kind } ... on TimelineChange { type } } } } }"""
CURSOR = "query($id: ID!) { board(id: $id) { cursor seq } }"
LINES, BATCH = 200, 25


async def hear(server: Any, query: str, id: str, after: str, heard: list[Any]) -> None:
    """Add all that a subscription says to what was heard, until it ends or is cancelled."""
    async with contextlib.aclosing(hear_ws(server, query, {"id": id, "after": after})) as items:
        async for item in items:
            heard += item.values()


async def planned(remote: Remote, worker: Worker, card: str) -> None:
    """A PLAN run's agent writes the steps of a card, in two phases, under its run's own credential."""
    await remote.data(MOVE, input={"id": card, "destination": {"stage": "PLAN"}})
    run = await start(remote, card, kind="PLAN")
    [claim] = await worker.get()
    assert claim["run"]["id"] == run
    remote.tokens["agent"] = f"Bearer {claim['work']['agentToken']}"
    steps = []
    for title, phase in (("Look", "Prepare"), ("Sand", "Prepare"), ("Paint", "Do"), ("Dry", "Do")):
        made = await remote.data(ADD, "agent", input={"cardId": card, "title": title, "phase": phase})
        steps.append(made["id"])
    ticked = await remote.data(TICK, "agent", input={"id": steps[0], "completed": True})
    assert ticked["__typename"] == "Subtask"
    refused = await remote.data(MOVE, "agent", input={"id": card, "destination": {"stage": "TODO"}})
    assert refused["code"] == "FORBIDDEN", "whether its plan is good is for people to say"
    done = await worker.complete(run, "Four steps", "NO_CHANGES")
    assert (done["status"], done["card"]["stage"]) == ("SUCCEEDED", "PLAN")
    told = (await remote.data(TIMELINE, id=card))["timeline"]["nodes"]
    written = [one["actor"]["kind"] for one in told if one.get("type", "").startswith("Subtask")]
    assert written == ["AGENT"] * 5, told


async def test_a_card_from_plan_to_done(serve: Any) -> None:
    """Scenario 1, with a follower of the board from half-way and one of the run from the start."""
    server = await serve(**CROWD)
    async with Remote(server) as remote:
        board, [card] = await remote.has_board("Paint the signal")
        [worker] = await workers(remote, 1)
        await planned(remote, worker, card)
        run = await queued(remote, card)
        half = await remote.data(CURSOR, id=board)
        on_board: list[Any] = []
        in_run: list[Any] = []
        following = asyncio.create_task(hear(server, BOARD_FEED, board, half["cursor"], on_board))
        ending = asyncio.create_task(hear(server, RUN_FEED, run, "0", in_run))
        [claim] = await worker.get()
        assert "Sand" in claim["work"]["prompt"], "the plan is told"
        for start_ in range(0, LINES, BATCH):
            events = [{"type": "OUTPUT", "text": f"line {n}"} for n in range(start_, start_ + BATCH)]
            for _ in range(2):  # sent twice, taken once
                assert (await worker.report(run, f"b{start_}", *events))["__typename"] == "RunReported"
        done = await worker.complete(run, "Painted")
        assert done["card"]["stage"] == "REVIEW"
        assert (await remote.data(MOVE, input={"id": card, "destination": {"stage": "DONE"}}))[
            "stage"
        ] == "DONE"
        last = (await remote.data(CURSOR, id=board))["seq"]
        async with asyncio.timeout(60):
            await ending  # a run's feed ends with it
            while not on_board or on_board[-1]["seq"] < last:
                await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        shown = await remote.data(STEPS, id=card)
        assert [(step["title"], step["phase"]) for step in shown["subtasks"]] == [
            ("Look", "Prepare"),
            ("Sand", "Prepare"),
            ("Paint", "Do"),
            ("Dry", "Do"),
        ]
        assert (shown["stage"], shown["subtaskCount"]) == ("DONE", {"done": 1, "total": 4})
    assert [event["seq"] for event in on_board] == list(range(half["seq"] + 1, last + 1))
    kinds = [event["kind"] for event in on_board if event["kind"] != "RunProgressed"]
    of_run = ["RunClaimed", "RunStarted", "RunSucceeded"]
    assert kinds == ["CardMoved", *of_run, "CardMoved", "CardMoved"]
    lines = [item for item in in_run if item["__typename"] not in ("RunEnded", "RunChunk")]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    said = [line["text"] for line in lines if (line.get("text") or "").startswith("line ")]
    assert said == [f"line {n}" for n in range(LINES)]
    assert (in_run[-1]["__typename"], in_run[-1]["status"]) == ("RunEnded", "SUCCEEDED")
    await assert_sound(server.database_url)


async def test_a_stop_is_heard_with_the_next_heartbeat_in_every_state(run: Any) -> None:
    """Scenario 7: it ends CANCELLED, its branch is kept, its questions are closed, its card stays."""
    async with run() as app:
        board, cards = await app.has_board("queued", "claimed", "running", "waiting", "detached")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        ids = [await queued(app, card) for card in cards]
        gone, waits, runs, fresh = ids[4], ids[3], ids[2], ids[1]
        await app.data(about_run("stopRun"), input={"id": ids[0]})
        await worker.claim(4)
        await worker.report(runs, "a", {"type": "OUTPUT", "text": "At it"})
        await worker.ask(waits, WORDS)
        await worker.ask(gone, WORDS)
        await worker.say("releaseRun", gone)
        assert (await app.data(about_run("stopRun"), input={"id": gone}))["status"] == "CANCELLED"
        held = [fresh, runs, waits]
        for id in held:
            asked = await app.data(about_run("stopRun"), input={"id": id, "reason": "Enough"})
            assert asked["status"] in ("CLAIMED", "RUNNING", "WAITING")
        await assert_sound(app.services.database)
        heard = (await worker.beat())["commands"]
        assert sorted((one["runId"], one["kind"]) for one in heard) == sorted((id, "STOP") for id in held)
        for id in held:
            done = await worker.say("confirmStop", id, result={"branch": f"kept/{id}"})
            assert (done["status"], done["branch"]) == ("CANCELLED", f"kept/{id}")
            assert done["card"]["stage"] == "IN_PROGRESS"
        for id in ids:
            shown = await show(app, id)
            assert shown["status"] == "CANCELLED"
            assert {question["status"] for question in shown["questions"]} <= {"CANCELLED"}
            assert shown["card"]["agentState"] == "CANCELLED"
        assert await worker.claim(5) == []
        await assert_sound(app.services.database)


async def test_a_worker_that_dies_while_it_is_stopped_is_not_waited_for_longer_than_its_lease(
    run: Any,
) -> None:
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        await set_policy(app, board, leaseSeconds=2)
        worker, id = await hand(app), await queued(app, card)
        await worker.take()
        await app.data(about_run("stopRun"), input={"id": id})
        async with asyncio.timeout(60):
            while (shown := await show(app, id))["status"] != "CANCELLED":
                await asyncio.sleep(0.1)
        assert [one["outcome"] for one in shown["attempts"]] == ["LOST"]
        assert shown["card"]["stage"] == "IN_PROGRESS"
        await assert_sound(app.services.database)


async def has_key(app: Any, name: str, *scopes: str) -> str:
    made = await app.data(
        MAKE_KEY, input={"workspaceId": await app.home(), "name": name, "scopes": list(scopes)}
    )
    app.tokens[name] = f"Bearer {made['secret']}"
    return name


async def test_the_law_is_the_same_for_people_keys_and_runs(run: Any) -> None:
    """Scenario 8, where runs come in: who is refused, is refused for the same reason, and nothing has changed."""
    async with run() as app:
        _, [idea, at_work, reviewed] = await app.has_board("idea", "at work", "reviewed")
        writer = await has_key(app, "writer", "READ", "WRITE")
        worker = await hand(app)
        for actor in ("", writer):
            refused = await do(app, "startRun", "", actor, cardId=idea, kind="PLAN")
            assert (refused["__typename"], refused["at"], refused["to"]) == (
                "StageRefused",
                "BACKLOG",
                "PLAN",
            )
            assert [reason["code"] for reason in refused["reasons"]] == ["LAW"]
        id = await queued(app, at_work)
        await worker.take()
        for actor in ("", writer):
            refused = await do(app, "moveCard", "", actor, id=at_work, destination={"stage": "REVIEW"})
            assert [reason["code"] for reason in refused["reasons"]] == ["ACTIVE_RUN"], refused
        await worker.say("failRun", id, code="AGENT_ERROR", reason="No paint")
        await in_todo(app, reviewed)
        for stage in ("IN_PROGRESS", "REVIEW"):
            await do(app, "moveCard", id=reviewed, destination={"stage": stage})
        await do(app, "archiveCard", id=at_work)
        for name in ("retryRun", "resumeRun"):
            for actor in ("", writer):
                refused = await do(app, name, "", actor, id=id)
                assert refused["__typename"] == "StageRefused", refused
                assert [reason["code"] for reason in refused["reasons"]] == ["CARD_ARCHIVED"]
        await assert_sound(app.services.database)
