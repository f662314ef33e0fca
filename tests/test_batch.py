"""Batches: runs that were started together, all or none, and what becomes of them."""

import asyncio

import pytest
from sqlalchemy import select, text

import actions.run.finish
from actions.run.result import RunResultInput
from kit.eventlog.tables import Event
from kit.queue import Ticket
from models.batch import BatchStatus, Counts
from models.topic import board_topic
from tests.work import REFUSED, about_run, hand, in_todo, set_policy, show, start

LAW = "... on StageRefused { cardId: refusedCardId reasons { code } } ... on Conflict { against: conflictingId }"
SHOWN = """id kind instruction size status createdAt endedAt createdBy { username } board { id }
  counts { queued claimed running waiting succeeded failed cancelled }
  runs { id status card { id } retryOf { id } branch siblings { id } }"""
BATCH = f"query($id: ID!) {{ batch(id: $id) {{ {SHOWN} }} }}"
ENDS = """subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { seq correlationId
  event { kind: __typename
  ... on BatchEnded { batchId batchStatus succeeded failed cancelled runBatch { id status } } } } }"""
PROFILE = """mutation($input: CreateAgentProfileInput!) { createAgentProfile(input: $input) {
  ... on AgentProfile { id } ... on Refusal { message } } }"""


def doing(name):
    """A mutation that answers a batch."""
    kind = name[0].upper() + name[1:]
    law = LAW if name != "stopBatch" else "... on Conflict { against: conflictingId }"
    return f"""mutation($input: {kind}Input!) {{ {name}(input: $input) {{ __typename ... on RunBatch {{ {SHOWN} }}
      {law} {REFUSED} }} }}"""


async def do(app, name, actor="", **input):
    return await app.data(doing(name), actor, input=input)


async def ready(app, count, **policy):
    """A board with so many cards in TODO, and a worker that may take all of them."""
    board, cards = await app.has_board(*(f"Card {n}" for n in range(count)))
    await set_policy(app, board, concurrency=0, **policy)
    for card in cards:
        await in_todo(app, card)
    return board, cards, await hand(app)


async def profiles(app, *names):
    given = {"workspaceId": await app.home(), "executor": "SCRIPTED"}
    return [(await app.data(PROFILE, input={"name": name, **given}))["id"] for name in names]


async def seen(app, batch):
    return await app.data(BATCH, id=batch)


async def kinds_of(app, board):
    """The kinds of events that a board was told, in their order, and what of them told of a batch's end."""
    query = select(Event.kind, Event.data).where(Event.topic == board_topic(board)).order_by(Event.seq)
    rows = await app.services.database.read(query)
    return [row.kind for row in rows], [row.data for row in rows if row.kind == "BATCH_ENDED"]


async def fails(worker, run):
    return await worker.say("failRun", run, code="AGENT_ERROR", reason="No paint")


async def test_a_batch_from_its_wish_to_its_end(run):
    async with run() as app:
        board, cards, worker = await ready(app, 3)
        [profile] = await profiles(app, "coder")
        made = await do(app, "startBatch", cardIds=cards, instruction="Use red", profileId=profile)
        assert (made["kind"], made["size"], made["status"], made["endedAt"]) == ("CODE", 3, "ACTIVE", None)
        assert (made["instruction"], made["board"]["id"]) == ("Use red", board)
        assert [one["card"]["id"] for one in made["runs"]] == cards
        assert made["counts"]["queued"] == 3
        assert all(one["siblings"] == [] for one in made["runs"]), "they are on other cards"
        claims = await worker.claim(3)
        assert all("Use red" in claim["work"]["prompt"] for claim in claims)
        assert len({claim["work"]["card"] for claim in claims}) == 3, "each has a branch of its own"
        ids = [one["id"] for one in made["runs"]]
        await fails(worker, ids[0])
        now = await seen(app, made["id"])
        assert [one["status"] for one in now["runs"]] == ["FAILED", "CLAIMED", "CLAIMED"], (
            "a failure is its own"
        )
        assert now["status"] == "ACTIVE"
        await worker.complete(ids[1])
        assert (await kinds_of(app, board))[1] == []
        await worker.complete(ids[2])
        now = await seen(app, made["id"])
        assert (now["status"], now["endedAt"] is not None) == ("FAILED", True)
        told = []
        async with app.follow(ENDS, id=board) as hear:
            while not told or told[-1]["kind"] != "BatchEnded":
                told.append((await hear())["boardFeed"])
        assert [event["seq"] for event in told] == [*range(1, len(told) + 1)]
        assert {event["correlationId"] for event in told if event["kind"] == "RunQueued"} == {made["id"]}
        assert told[-1] | {"seq": 0} == {
            "seq": 0,
            "kind": "BatchEnded",
            "correlationId": None,
            "batchId": made["id"],
            "batchStatus": "FAILED",
            "succeeded": 2,
            "failed": 1,
            "cancelled": 0,
            "runBatch": {"id": made["id"], "status": "FAILED"},
        }
        listed = "query($id: ID!) { board(id: $id) { batches { totalCount nodes { id size } } } }"
        found = await app.data(listed, id=board)
        assert found == {"batches": {"totalCount": 1, "nodes": [{"id": made["id"], "size": 3}]}}
        look = "query($id: ID!) { run(id: $id) { batch { id size } } node(id: $id) { id } }"
        assert (await app.ask(look, id=ids[0]))["data"]["run"]["batch"] == {"id": made["id"], "size": 3}


async def test_all_or_none_and_the_refusal_names_the_card(run):
    async with run() as app:
        board, cards, _ = await ready(app, 3)
        _, [idea] = await app.has_board("An idea", name="Other")
        add = "mutation($input: CreateCardInput!) { createCard(input: $input) { ... on Card { id } } }"
        backlog = (await app.data(add, input={"boardId": board, "title": "Not yet"}))["id"]
        refused = await do(app, "startBatch", cardIds=[*cards, backlog])
        assert (refused["__typename"], refused["cardId"]) == ("StageRefused", backlog)
        assert [reason["code"] for reason in refused["reasons"]] == ["LAW"]
        active = await start(app, cards[1])
        before = await kinds_of(app, board)
        refused = await do(app, "startBatch", cardIds=cards)
        assert (refused["__typename"], refused["against"]) == ("Conflict", active)
        assert refused["message"] == "A CODE run is active on WEB-2 already; stop it first"
        refused = await do(app, "startBatch", cardIds=[cards[0], idea])
        assert refused["code"] == "NOT_FOUND", "cards of one board"
        for ids in ([], [cards[0]] * 2, [f"card_{n}" for n in range(51)]):
            assert (await do(app, "startBatch", cardIds=ids))["code"] == "INVALID"
        assert (await do(app, "startBatch", cardIds=cards[:1], profileId="profile_none"))[
            "code"
        ] == "NOT_FOUND"
        runs = "query($id: ID!) { board(id: $id) { runs { nodes { id } } batches { totalCount } } }"
        assert await app.data(runs, id=board) == {
            "runs": {"nodes": [{"id": active}]},
            "batches": {"totalCount": 0},
        }
        assert await kinds_of(app, board) == before, "nothing was told"


async def test_as_many_statements_for_two_as_for_fifty(run, figure):
    few = "mutation($input: StartBatchInput!) { startBatch(input: $input) { ... on RunBatch { id size } } }"
    look = "query($id: ID!) { batch(id: $id) { status counts { queued } runs { id card { id } siblings { id } } } }"
    again = "mutation($input: RetryBatchInput!) { retryBatch(input: $input) { ... on RunBatch { id } } }"
    async with run(points=10**9) as app:
        counted = []
        for count in (2, 50):
            _, cards = await app.has_board(*(f"{n}" for n in range(count)), name=f"B{count}")
            with app.counting() as started:
                made = await app.data(few, input={"cardIds": cards, "kind": "TEST"})
            assert made["size"] == count
            with app.counting() as read:
                assert len((await app.data(look, id=made["id"]))["runs"]) == count
            assert (await do(app, "stopBatch", id=made["id"]))["status"] == "CANCELLED"
            with app.counting() as retried:
                await app.data(again, input={"id": made["id"]})
            counted.append([len(started), len(read), len(retried)])
        figure(start=counted[1][0], read=counted[1][1], retry=counted[1][2])
        assert counted[0] == counted[1], counted


async def test_a_batch_is_stopped_with_all_that_goes_on_in_it(run):
    async with run() as app:
        board, cards, worker = await ready(app, 3)
        made = await do(app, "startBatch", cardIds=cards)
        ids = [one["id"] for one in made["runs"]]
        taken = [claim["run"]["id"] for claim in await worker.claim(2)]
        await worker.complete(taken[0])
        stopping = await do(app, "stopBatch", id=made["id"], reason="Not now")
        assert [one["status"] for one in stopping["runs"]] == ["SUCCEEDED", "CLAIMED", "CANCELLED"]
        assert stopping["status"] == "ACTIVE", "its worker has to confirm"
        assert (await show(app, taken[1]))["stopRequestedAt"] is not None
        assert (await do(app, "stopBatch", id=made["id"]))["status"] == "ACTIVE", "twice changes nothing"
        await worker.say("confirmStop", taken[1])
        assert ids[:2] == taken
        [told] = (await kinds_of(app, board))[1]
        assert (told["batch_status"], told["succeeded"], told["cancelled"]) == ("FAILED", 1, 2)
        assert (await do(app, "stopBatch", id=made["id"]))["code"] == "CONFLICT"


async def test_what_failed_is_tried_again_in_its_place(run):
    async with run() as app:
        board, cards, worker = await ready(app, 3)
        made = await do(app, "startBatch", cardIds=cards)
        ids = [one["id"] for one in made["runs"]]
        assert (await do(app, "retryBatch", id=made["id"]))["code"] == "CONFLICT", "nothing failed"
        await worker.claim(3)
        await worker.complete(ids[0])
        for id in ids[1:]:
            await fails(worker, id)
        again = await do(app, "retryBatch", id=made["id"])
        assert (again["id"], again["status"], again["endedAt"], again["size"]) == (
            made["id"],
            "ACTIVE",
            None,
            3,
        )
        assert [one["retryOf"] for one in again["runs"]] == [None, {"id": ids[1]}, {"id": ids[2]}]
        assert [one["card"]["id"] for one in again["runs"]] == cards
        assert again["counts"] | {"queued": 0, "succeeded": 0} == dict.fromkeys(again["counts"], 0)
        assert (again["counts"]["queued"], again["counts"]["succeeded"]) == (2, 1)
        assert (await do(app, "retryBatch", id=made["id"]))["code"] == "CONFLICT", "they are tried already"
        await worker.claim(2)
        await worker.complete(again["runs"][1]["id"])
        await fails(worker, again["runs"][2]["id"])
        # One run that is tried again by itself stays in its batch too.
        last = await app.data(about_run("retryRun"), input={"id": again["runs"][2]["id"]})
        now = await seen(app, made["id"])
        assert (now["status"], now["endedAt"], now["runs"][2]["id"]) == ("ACTIVE", None, last["id"])
        await worker.take()
        await worker.complete(last["id"])
        now = await seen(app, made["id"])
        assert (now["status"], now["counts"]["succeeded"], now["endedAt"] is not None) == (
            "SUCCEEDED",
            3,
            True,
        )
        told = (await kinds_of(app, board))[1]
        assert [one["batch_status"] for one in told] == ["FAILED", "FAILED", "SUCCEEDED"]


async def test_the_retry_of_a_batch_is_refused_whole(run):
    async with run() as app:
        _, cards, worker = await ready(app, 2)
        made = await do(app, "startBatch", cardIds=cards)
        await do(app, "stopBatch", id=made["id"])
        other = await start(app, cards[1])
        refused = await do(app, "retryBatch", id=made["id"])
        assert (refused["__typename"], refused["against"]) == ("Conflict", other)
        now = await seen(app, made["id"])
        assert (now["status"], now["endedAt"] is not None) == ("CANCELLED", True)
        assert [claim["run"]["id"] for claim in await worker.claim(5)] == [other]


async def test_several_profiles_on_one_card_are_a_batch(run):
    async with run() as app:
        board, [card], worker = await ready(app, 1)
        names = await profiles(app, "careful", "quick")
        start_runs = """mutation($input: StartRunInput!) { startRun(input: $input) { ... on Runs { runs { id
          batch { id size status } siblings { id } } } } }"""
        made = (await app.data(start_runs, input={"cardId": card, "profileIds": names}))["runs"]
        assert made[0]["batch"] == made[1]["batch"]
        assert (made[0]["batch"]["size"], made[0]["siblings"]) == (2, [{"id": made[1]["id"]}])
        await worker.claim(2)
        for one in made:
            await worker.complete(one["id"])
        assert (await seen(app, made[0]["batch"]["id"]))["status"] == "SUCCEEDED"
        assert len((await kinds_of(app, board))[1]) == 1
        [alone] = (
            await app.data(start_runs, input={"cardId": card, "kind": "TEST", "profileIds": names[:1]})
        )["runs"]
        assert alone["batch"] is None


async def test_of_two_that_end_at_once_one_ends_the_batch(run):
    """The first holds its board, not committed, while the second comes: it has to wait, and then is the last."""
    async with run() as app:
        board, cards, worker = await ready(app, 2)
        made = await do(app, "startBatch", cardIds=cards)
        first, second = [one["id"] for one in made["runs"]]
        await worker.claim(2)
        lease = worker.leases[first]
        actor = app.owner
        async with app.begin(actor) as tx:
            ticket = Ticket(lease["runId"], lease["attempt"], lease["token"])
            await actions.run.finish.complete_run(
                tx, actor, lease=ticket, result=RunResultInput(summary="Done")
            )
            late = asyncio.create_task(worker.complete(second))
            done, _ = await asyncio.wait({late}, timeout=1)
            assert not done, "it waits for the board"
        assert (await late)["status"] == "SUCCEEDED"
        [told] = (await kinds_of(app, board))[1]
        assert (told["batch_status"], told["succeeded"]) == ("SUCCEEDED", 2)
        assert (await seen(app, made["id"]))["status"] == "SUCCEEDED"


async def test_many_that_end_at_once_end_their_batches_once(run):
    async with run(points=10**9) as app:
        board, cards, worker = await ready(app, 16)
        made = [await do(app, "startBatch", cardIds=cards[n : n + 4]) for n in range(0, 16, 4)]
        await worker.claim(16)
        ids = [one["id"] for batch in made for one in batch["runs"]]
        ends = [worker.complete(id) if n % 3 else fails(worker, id) for n, id in enumerate(ids)]
        await asyncio.gather(*ends)
        told = (await kinds_of(app, board))[1]
        assert sorted(one["batch_id"] for one in told) == sorted(batch["id"] for batch in made)
        assert all(one["succeeded"] + one["failed"] == 4 for one in told)


async def test_a_card_that_is_taken_away_takes_its_run_along(run):
    delete = "mutation($input: DeleteCardInput!) { deleteCard(input: $input) { __typename } }"
    async with run() as app:
        board, cards, worker = await ready(app, 2)
        made = await do(app, "startBatch", cardIds=cards)
        await worker.claim(2)
        await worker.complete(made["runs"][0]["id"])
        assert await app.data(delete, input={"id": cards[1], "cancelRun": True}) == {"__typename": "Card"}
        [told] = (await kinds_of(app, board))[1]
        assert (told["batch_status"], told["cancelled"]) == ("FAILED", 1)
        now = await seen(app, made["id"])
        assert (now["status"], len(now["runs"]), now["size"]) == ("SUCCEEDED", 1, 2), "of what is left"
        assert await app.data(delete, input={"id": cards[0]}) == {"__typename": "Card"}
        now = await seen(app, made["id"])
        assert (now["status"], now["runs"]) == ("CANCELLED", [])


async def test_an_agent_sees_its_run_and_not_its_batch(run):
    async with run() as app:
        _, cards, worker = await ready(app, 2)
        made = await do(app, "startBatch", cardIds=cards)
        [claim] = await worker.claim(1)
        app.tokens["agent"] = f"Bearer {claim['work']['agentToken']}"
        look = "query($run: ID!, $batch: ID!) { run(id: $run) { id batch { id } } batch(id: $batch) { id } }"
        found = await app.ask(look, "agent", run=claim["run"]["id"], batch=made["id"])
        assert found["data"] == {"run": {"id": claim["run"]["id"], "batch": None}, "batch": None}
        assert (await do(app, "stopBatch", "agent", id=made["id"]))["code"] == "NOT_FOUND"
        assert (await do(app, "startBatch", "agent", cardIds=[cards[0]]))["code"] == "FORBIDDEN"


CHOOSE = """mutation($id: ID!) { chooseRun(input: {id: $id}) { __typename
  ... on Run { id chosenAt version siblings { id chosenAt status } card { chosenRun { id } } }
  ... on Refusal { code } } }"""
CHOSEN = """subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { event { kind: __typename
  ... on RunChosen { runId insteadOf status card { chosenRun { id } } } } } }"""


async def raced(app, *names):
    """A card on which siblings of these profiles succeeded but for the last, which failed: its board and them."""
    board, [card], worker = await ready(app, 1)
    started = (
        """mutation($input: StartRunInput!) { startRun(input: $input) { ... on Runs { runs { id } } } }"""
    )
    given = {"cardId": card, "profileIds": await profiles(app, *names)}
    runs = [one["id"] for one in (await app.data(started, input=given))["runs"]]
    await worker.claim(len(runs))
    for id in runs[:-1]:
        await worker.complete(id, branch=f"signalbox/{id}")
    await fails(worker, runs[-1])
    return board, card, runs


async def test_of_siblings_one_is_chosen_and_the_others_stay(run):
    async with run() as app:
        board, card, [one, other, failed] = await raced(app, "careful", "quick", "clumsy")
        look = "query($id: ID!) { card(id: $id) { chosenRun { id } runs { nodes { id chosenAt } } } }"
        assert (await app.data(look, id=card))["chosenRun"] is None
        chosen = await app.data(CHOOSE, id=one)
        assert chosen["chosenAt"] is not None
        assert chosen["card"] == {"chosenRun": {"id": one}}
        assert [(each["id"], each["chosenAt"]) for each in chosen["siblings"]] == [
            (other, None),
            (failed, None),
        ]
        assert await app.data(CHOOSE, id=one) == chosen, "twice changes nothing"
        assert await app.data(CHOOSE, id=failed) == {"__typename": "Conflict", "code": "CONFLICT"}
        moved = await app.data(CHOOSE, id=other)
        assert moved["card"] == {"chosenRun": {"id": other}}
        runs = (await app.data(look, id=card))["runs"]["nodes"]
        assert [each["id"] for each in runs if each["chosenAt"]] == [other]
        assert len(runs) == 3, "all are kept"
        told = []
        async with app.follow(CHOSEN, id=board) as hear:
            while len(told) < 2:
                event = (await hear())["boardFeed"]
                told += [event] * (event["kind"] == "RunChosen")
        assert [(each["runId"], each["insteadOf"]) for each in told] == [(one, None), (other, one)]


async def test_of_many_that_choose_at_once_one_is_the_last(run):
    async with run() as app:
        board, card, runs = await raced(app, *"abcd", "clumsy")
        await asyncio.gather(*(app.data(CHOOSE, id=id) for id in runs[:-1] * 3))
        look = "query($id: ID!) { card(id: $id) { chosenRun { id } runs { nodes { id chosenAt } } } }"
        found = await app.data(look, id=card)
        assert [each["id"] for each in found["runs"]["nodes"] if each["chosenAt"]] == [
            found["chosenRun"]["id"]
        ]
        query = select(Event.data).where(Event.topic == board_topic(board), Event.kind == "RUN_CHOSEN")
        told = [row.data for row in await app.services.database.read(query.order_by(Event.seq))]
        before = [None, *(each["run_id"] for each in told)]
        assert [each["instead_of"] for each in told] == before[:-1], "one after the other"
        assert told[-1]["run_id"] == found["chosenRun"]["id"]


async def test_work_that_is_sent_back_goes_on_from_the_chosen_run(run):
    reject = """mutation($input: RejectCardInput!) { rejectCard(input: $input) { __typename
      ... on Card { activeRun { branch retryOf { id } batch { id } } } } }"""
    move = "mutation($input: MoveCardInput!) { moveCard(input: $input) { __typename } }"
    async with run() as app:
        _, card, [one, other, _] = await raced(app, "careful", "quick", "clumsy")
        await app.data(CHOOSE, id=one)
        assert await app.data(move, input={"id": card, "destination": {"stage": "REVIEW"}}) == {
            "__typename": "Card"
        }
        back = await app.data(reject, input={"id": card, "feedback": "Too red"})
        assert back["activeRun"] == {"branch": f"signalbox/{one}", "retryOf": {"id": one}, "batch": None}
        assert other not in str(back)


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({"queued": 1, "failed": 3}, "ACTIVE"),
        ({"claimed": 1, "succeeded": 3}, "ACTIVE"),
        ({"running": 1}, "ACTIVE"),
        ({"waiting": 1, "cancelled": 1}, "ACTIVE"),
        ({"succeeded": 2}, "SUCCEEDED"),
        ({"cancelled": 2}, "CANCELLED"),
        ({"failed": 2}, "FAILED"),
        ({"failed": 1, "succeeded": 1}, "FAILED"),
        ({"failed": 1, "cancelled": 1}, "FAILED"),
        ({"succeeded": 1, "cancelled": 1}, "FAILED"),
        ({}, "CANCELLED"),
    ],
)
def test_where_a_batch_stands_follows_from_its_runs(counts, status):
    assert Counts(**counts).status is BatchStatus[status]


async def test_a_batch_goes_with_its_board(run):
    gone = "mutation($input: DeleteBoardInput!) { deleteBoard(input: $input) { __typename } }"
    async with run() as app:
        board, cards, _ = await ready(app, 2)
        made = await do(app, "startBatch", cardIds=cards)
        given = {"id": board, "confirmName": "Web", "cancelRuns": True}
        assert await app.data(gone, input=given) == {"__typename": "Board"}
        assert await seen(app, made["id"]) is None
        assert list(await app.services.database.read(text("SELECT id FROM run_batch"))) == []


STANDS = """query($id: ID!) { card(id: $id) { stage chosenRun { id } activeRun { id }
  runs { nodes { id status warnings } } } }"""


async def two(app, **policy):
    """Two siblings on a card in TODO: its board, it, a worker, and them in their order."""
    board, [card], worker = await ready(app, 1, **policy)
    started = "mutation($input: StartRunInput!) { startRun(input: $input) { ... on Runs { runs { id } } } }"
    given = {"cardId": card, "profileIds": await profiles(app, "careful", "quick")}
    runs = [one["id"] for one in (await app.data(started, input=given))["runs"]]
    return board, card, worker, runs


async def stage_of(app, card):
    return (await app.data(STANDS, id=card))["stage"]


REQUESTED = "{ notifications { nodes { type runId } } }"


async def asked_to_review(app):
    """The runs that people were asked to review, in that order."""
    heard = (await app.data(REQUESTED))["nodes"]
    return [one["runId"] for one in reversed(heard) if one["type"] == "REVIEW_REQUESTED"]


@pytest.mark.parametrize("slower", ["in the queue", "at work", "its worker lost"])
@pytest.mark.parametrize("way", ["stopRun", "stopBatch"])
async def test_what_one_brought_goes_to_review_when_the_slower_one_is_stopped(run, slower, way):
    async with run() as app:
        _, card, worker, [one, other] = await two(app)
        await worker.claim(1 if slower == "in the queue" else 2)
        await worker.complete(one)
        assert await stage_of(app, card) == "IN_PROGRESS", "the other is still at it"
        id = other
        if way == "stopBatch":
            look = "query($id: ID!) { run(id: $id) { batch { id } } }"
            id = (await app.data(look, id=one))["batch"]["id"]
        stop = doing(way) if way == "stopBatch" else about_run(way)
        if slower == "its worker lost":
            await app.data(stop, input={"id": id})
            gone = "mutation($id: ID!) { deregisterWorker(input: {id: $id}) { __typename } }"
            assert await app.data(gone, id=worker.id) == {"__typename": "Worker"}
        else:
            await app.data(stop, input={"id": id})
        if slower == "at work":
            assert await stage_of(app, card) == "IN_PROGRESS", "it has not stopped yet"
            await worker.say("confirmStop", other)
        shown = await app.data(STANDS, id=card)
        assert [each["status"] for each in shown["runs"]["nodes"]] == ["CANCELLED", "SUCCEEDED"]
        assert shown["stage"] == "REVIEW"
        assert await asked_to_review(app) == [one]


async def test_stopping_what_is_tried_again_leaves_the_card_to_what_was_brought_before(run):
    async with run() as app:
        _, card, worker, [one, other] = await two(app)
        await worker.claim(2)
        await worker.complete(one)
        await fails(worker, other)
        assert await stage_of(app, card) == "REVIEW"
        look = "query($id: ID!) { run(id: $id) { batch { id } } }"
        batch = (await app.data(look, id=one))["batch"]["id"]
        await do(app, "retryBatch", id=batch)
        await do(app, "stopBatch", id=batch)
        assert await stage_of(app, card) == "REVIEW"
        assert await asked_to_review(app) == [one], "it stood there all the time"
        again = (await do(app, "retryBatch", id=batch))["runs"][1]["id"]
        await worker.take()
        assert await stage_of(app, card) == "IN_PROGRESS"
        await app.data(about_run("stopRun"), input={"id": again})
        await worker.say("confirmStop", again)
        assert await stage_of(app, card) == "REVIEW"
        assert await asked_to_review(app) == [one, one]


@pytest.mark.parametrize("law", ["PIPELINE", "FREE"])
async def test_a_card_that_a_person_takes_away_from_its_agents_stays_where_it_is_put(run, law):
    move = "mutation($input: MoveCardInput!) { moveCard(input: $input) { __typename } }"
    free = "mutation($id: ID!) { updateBoard(input: {id: $id, law: FREE}) { __typename } }"
    async with run() as app:
        board, card, worker, [one, other] = await two(app)
        if law == "FREE":
            assert await app.data(free, id=board) == {"__typename": "Board"}
        await worker.claim(2)
        await worker.complete(one)
        away = {"id": card, "destination": {"stage": "BACKLOG"}, "cancelRun": True}
        assert await app.data(move, input=away) == {"__typename": "Card"}
        await worker.say("confirmStop", other)
        assert await stage_of(app, card) == "BACKLOG"
        # By hand: what waits for a worker is taken from the queue with the card.
        await app.data(move, input={"id": card, "destination": {"stage": "TODO"}})
        look = "query($id: ID!) { run(id: $id) { batch { id } } }"
        batch = (await app.data(look, id=one))["batch"]["id"]
        await do(app, "retryBatch", id=batch)
        assert await app.data(move, input={"id": card, "destination": {"stage": "IN_PROGRESS"}}) == {
            "__typename": "Card"
        }
        shown = await app.data(STANDS, id=card)
        assert (shown["stage"], shown["activeRun"]) == ("IN_PROGRESS", None), "the person has it"
        # One that is stopped while nobody had the card leaves it too.
        for stage in ("BACKLOG", "TODO"):
            await app.data(move, input={"id": card, "destination": {"stage": stage}})
        await do(app, "retryBatch", id=batch)
        await do(app, "stopBatch", id=batch)
        assert await stage_of(app, card) == "TODO"
        assert await asked_to_review(app) == []


ASKED = """mutation($input: StartBatchInput!) { startBatch(input: $input) { __typename ... on Refusal { code }
  ... on Conflict { with: conflictingId } ... on RunBatch { id size runs { id permission executor baseRef
    profile { name } whyNotRunning { code until } } } } }"""


async def test_each_card_of_a_batch_has_its_profile_or_its_boards(run):
    async with run() as app:
        board, cards, _ = await ready(app, 3)
        default, own, named = await profiles(app, "default", "own", "named")
        change = "mutation($input: UpdateCardInput!) { updateCard(input: $input) { __typename } }"
        await app.data(change, input={"id": cards[1], "agentProfileId": own})

        async def names(**input):
            made = await app.data(ASKED, input={"cardIds": cards, **input})
            await do(app, "stopBatch", id=made["id"])
            return [one["profile"] and one["profile"]["name"] for one in made["runs"]]

        assert await names() == [None, "own", None]
        await set_policy(app, board, agentProfileId=default)
        assert await names() == ["default", "own", "default"]
        assert await names(profileId=named) == ["named"] * 3


@pytest.mark.parametrize("where", ["named", "the card's", "the board's"])
async def test_a_profile_that_is_switched_off_begins_no_batch(run, where):
    async with run() as app:
        board, cards, _ = await ready(app, 2)
        [off] = await profiles(app, "off")
        given = {"cardIds": cards}
        if where == "named":
            given["profileId"] = off
        elif where == "the card's":
            change = "mutation($input: UpdateCardInput!) { updateCard(input: $input) { __typename } }"
            await app.data(change, input={"id": cards[1], "agentProfileId": off})
        else:
            await set_policy(app, board, agentProfileId=off)
        switch = (
            "mutation($input: UpdateAgentProfileInput!) { updateAgentProfile(input: $input) { __typename } }"
        )
        await app.data(switch, input={"id": off, "enabled": False})
        refused = await app.data(ASKED, input=given)
        assert refused == {"__typename": "Conflict", "code": "CONFLICT", "with": off}
        assert "RUN_QUEUED" not in (await kinds_of(app, board))[0], "not even for the other card"


async def test_what_is_asked_of_a_batch_is_asked_of_each(run):
    async with run() as app:
        board, cards, worker = await ready(app, 2)
        later = "2999-01-01T00:00:00Z"
        given = {"cardIds": cards, "permission": "SUPERVISED", "baseRef": " release-2 "}
        made = await app.data(ASKED, input={**given, "startAt": later})
        assert made["size"] == 2
        for one in made["runs"]:
            assert (one["permission"], one["baseRef"], one["executor"]) == ("SUPERVISED", "release-2", None)
            assert one["whyNotRunning"] == [{"code": "DUE_LATER", "until": later}]
        assert await worker.claim(2) == []
        await do(app, "stopBatch", id=made["id"])
        await app.data(ASKED, input=given)
        for claim in await worker.claim(2):
            work = claim["work"]
            assert (work["permission"], work["supervised"], work["baseRef"]) == (
                "SUPERVISED",
                True,
                "release-2",
            )
        await set_policy(app, board, baseBranch="main")
        assert (await app.data(ASKED, input={"cardIds": cards, "baseRef": "x" * 201}))["code"] == "INVALID"
