"""Runs: asked for, claimed, worked, stopped, taken up again; and what a card's moves mean for them."""

import asyncio

from tests.work import (
    ANSWER,
    CHOICE,
    MOVE,
    START,
    WORDS,
    about_run,
    at_work,
    hand,
    in_todo,
    queued,
    set_policy,
    show,
    start,
)

FEED = 'subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { seq event { kind: __typename } } }'


async def test_a_run_from_its_wish_to_review(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint the signal")
        worker = await hand(app)
        id = await queued(app, card, instruction="Use red")
        assert (await show(app, id))["queuePosition"] == 1
        [claim] = await worker.claim()
        assert claim["run"]["card"]["stage"] == "IN_PROGRESS"
        assert claim["run"]["card"]["agentState"] == "STARTING"
        assert "Use red" in claim["work"]["prompt"]
        assert "WEB-1: Paint the signal" in claim["work"]["prompt"]
        spent = {"input_tokens": 12, "cost_usd": 0.5}
        done = await worker.complete(
            id, "Painted it", branch="signalbox/web-1", headSha="abc123", metrics=spent
        )
        assert done["status"] == "SUCCEEDED"
        assert done["card"] == {
            "id": card,
            "stage": "REVIEW",
            "agentState": "SUCCEEDED",
            "agentActivity": None,
        }
        measured = await app.data("query($id: ID!) { run(id: $id) { metrics attempts { metrics } } }", id=id)
        assert measured == {"metrics": spent, "attempts": [{"metrics": spent}]}
        assert (await worker.complete(id))["code"] == "LEASE_LOST"
        told = []
        async with app.follow(FEED, id=board) as hear:
            while "RunSucceeded" not in told or told[-1] != "CardMoved":
                event = (await hear())["boardFeed"]
                told.append(event["kind"])
                assert event["seq"] == len(told)
        assert told[3:] == [*["RunQueued", "CardMoved", "RunClaimed", "RunSucceeded", "CardMoved"]]


async def test_a_card_that_enters_todo_is_given_to_an_agent(run):
    async with run() as app:
        board, cards = await app.has_board("One", "Two")
        await set_policy(app, board, autoDispatch=True)
        worker = await hand(app)
        look = "query($id: ID!) { card(id: $id) { agentState agentActivity activeRun { id kind } } }"
        await in_todo(app, cards[0])
        shown = await app.data(look, id=cards[0])
        assert shown["agentState"] == "QUEUED"
        assert shown["agentActivity"] == "Waits for a worker"
        assert shown["activeRun"]["kind"] == "CODE"
        again = await app.data(START, input={"cardId": cards[0]})
        assert again["code"] == "CONFLICT"
        # Whoever begins by hand what no agent has begun takes it from the queue.
        moved = await app.data(MOVE, input={"id": cards[0], "destination": {"stage": "IN_PROGRESS"}})
        assert moved == {"__typename": "Card", "stage": "IN_PROGRESS"}
        assert (await show(app, shown["activeRun"]["id"]))["status"] == "CANCELLED"
        await in_todo(app, cards[1])
        id = await worker.take()
        refused = await app.data(MOVE, input={"id": cards[1], "destination": {"stage": "BACKLOG"}})
        assert [reason["code"] for reason in refused["reasons"]] == ["ACTIVE_RUN"]
        moved = await app.data(
            MOVE, input={"id": cards[1], "destination": {"stage": "BACKLOG"}, "cancelRun": True}
        )
        assert moved["stage"] == "BACKLOG"
        assert (await show(app, id))["stopRequestedAt"] is not None
        assert (await worker.say("confirmStop", id))["status"] == "CANCELLED"


async def test_the_law_says_where_agents_work(run):
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        refused = await app.data(START, input={"cardId": card, "kind": "PLAN"})
        assert [reason["code"] for reason in refused["reasons"]] == ["LAW"]
        await app.data(MOVE, input={"id": card, "destination": {"stage": "PLAN"}})
        assert await start(app, card, kind="PLAN")


async def test_what_blocks_a_card_keeps_its_run(run):
    link = "mutation($input: LinkCardsInput!) { linkCards(input: $input) { __typename } }"
    async with run() as app:
        _, [first, second] = await app.has_board("First", "Second")
        worker = await hand(app)
        await app.data(link, input={"cardId": first, "targetId": second, "kind": "BLOCKS"})
        id = await queued(app, second)
        [why] = (await show(app, id))["whyNotRunning"]
        assert (why["code"], why["cardIds"]) == ("BLOCKED", [first])
        assert await worker.claim() == []
        for stage in ("TODO", "IN_PROGRESS", "REVIEW", "DONE"):
            await app.data(MOVE, input={"id": first, "destination": {"stage": stage}})
        assert await worker.take() == id


async def test_a_full_column_keeps_a_run(run):
    columns = "query($id: ID!) { board(id: $id) { columns { id stage } } }"
    limit = "mutation($input: UpdateColumnInput!) { updateColumn(input: $input) { __typename } }"
    async with run() as app:
        board, [first, second] = await app.has_board("First", "Second")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        found = {one["stage"]: one["id"] for one in (await app.data(columns, id=board))["columns"]}
        await app.data(limit, input={"id": found["IN_PROGRESS"], "wipLimit": 1})
        one, other = await queued(app, first), await queued(app, second)
        assert await worker.take() == one
        assert await worker.claim() == []
        assert [why["code"] for why in (await show(app, other))["whyNotRunning"]] == ["WIP_LIMIT"]
        await worker.complete(one)
        assert await worker.take() == other


async def test_a_board_holds_as_many_runs_as_its_policy_says(run):
    async with run() as app:
        board, cards = await app.has_board("One", "Two")
        worker = await hand(app)
        one, other = [await queued(app, card) for card in cards]
        assert await worker.take() == one
        assert await worker.claim() == []
        [why] = (await show(app, other))["whyNotRunning"]
        assert (why["code"], why["runIds"], why["limit"]) == ("LIMIT_REACHED", [one], 1)
        await set_policy(app, board, concurrency=2)
        assert await worker.take() == other


async def test_the_most_urgent_first_then_the_oldest(run):
    update = "mutation($input: UpdateCardInput!) { updateCard(input: $input) { __typename } }"
    async with run() as app:
        board, cards = await app.has_board("0", "1", "2", "3")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        for card, priority in zip(cards, ("LOW", "MEDIUM", "MEDIUM", "NONE"), strict=True):
            await app.data(update, input={"id": card, "priority": priority})
            await queued(app, card)
        await app.data(update, input={"id": cards[3], "priority": "CRITICAL"})
        claims = await worker.claim(10)
        assert [one["run"]["card"]["title"] for one in claims] == ["3", "1", "2", "0"]


async def test_a_run_that_failed_is_tried_again_later_and_then_ends(run):
    async with run() as app:
        _, _, worker, id = await at_work(app, policy={"maxAttempts": 2})
        failed = await worker.say("failRun", id, code="AGENT_ERROR", reason="Out of paint", retryable=True)
        assert failed["status"] == "QUEUED"
        assert failed["card"]["stage"] == "TODO"
        [why] = (await show(app, id))["whyNotRunning"]
        assert why["code"] == "DUE_LATER"
        assert await worker.claim() == []
        async with app.services.database.write() as tx:
            from sqlalchemy import text

            await tx.execute(text("UPDATE job SET available_at = enqueued_at"))  # a minute later
        await worker.take()
        failed = await worker.say("failRun", id, code="AGENT_ERROR", reason="Still none", retryable=True)
        assert (failed["status"], failed["failureCode"]) == ("FAILED", "ATTEMPTS_EXHAUSTED")
        assert "Still none" in failed["failureReason"]
        assert failed["card"]["stage"] == "IN_PROGRESS"
        dead = "query($id: ID!) { deadRuns(workspaceId: $id) { nodes { id } } }"
        assert await app.data(dead, id=await app.home()) == {"nodes": [{"id": id}]}
        again = await app.data(about_run("retryRun"), input={"id": id})
        assert (again["status"], again["retries"]) == ("QUEUED", 1)
        assert (await show(app, again["id"]))["retryOf"] == {"id": id}
        assert await app.data(dead, id=await app.home()) == {"nodes": []}


async def test_a_run_is_stopped_in_every_state(run):
    async with run() as app:
        board, cards = await app.has_board("queued", "claimed", "running", "waiting")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        ids = [await queued(app, card) for card in cards]
        stop = about_run("stopRun")
        stopped = await app.data(stop, input={"id": ids[0], "reason": "Not now"})
        assert (stopped["status"], stopped["card"]["stage"]) == ("CANCELLED", "TODO")
        await worker.claim(3)
        await worker.report(ids[2], "a", {"type": "OUTPUT", "text": "At it"})
        asked = await worker.ask(ids[3], WORDS)
        for id in ids[1:]:
            stopping = await app.data(stop, input={"id": id})
            assert stopping["stopRequestedAt"] is not None
            result = {"branch": "signalbox/kept"}
            done = await worker.say("confirmStop", id, result=result)
            assert (done["status"], done["branch"], done["card"]["stage"]) == (
                "CANCELLED",
                "signalbox/kept",
                "IN_PROGRESS",
            )
        [question] = (await show(app, ids[3]))["questions"]
        assert (question["id"], question["status"]) == (asked["questions"][0]["id"], "CANCELLED")
        assert (await app.data(stop, input={"id": ids[3]}))["code"] == "CONFLICT"
        resumed = await app.data(about_run("resumeRun"), input={"id": ids[3]})
        assert (resumed["status"], resumed["branch"]) == ("QUEUED", "signalbox/kept")


async def test_nobody_confirms_what_nobody_asked_for(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        assert (await worker.say("confirmStop", id))["code"] == "CONFLICT"
        assert (await worker.complete(id, " "))["code"] == "INVALID"
        assert (await show(app, id))["status"] == "CLAIMED"


async def test_a_run_that_changed_nothing_can_wait_for_a_decision(run):
    async with run() as app:
        _, _, worker, id = await at_work(app, policy={"noChange": "DECIDE"})
        done = await worker.complete(id, "It is red already", "NO_CHANGES")
        assert (done["status"], done["waitReason"]) == ("WAITING", "DECISION")
        again = await app.data(about_run("resumeRun"), input={"id": id, "instruction": "Paint it blue"})
        assert again["status"] == "QUEUED"
        [claim] = await worker.claim()
        assert "Paint it blue" in claim["work"]["prompt"]
        await worker.complete(id, "No blue", "NO_CHANGES")
        taken = await app.data(about_run("concludeRun"), input={"id": id})
        assert (taken["status"], taken["summary"], taken["card"]["stage"]) == (
            "SUCCEEDED",
            "No blue",
            "REVIEW",
        )


async def test_an_attempt_that_ends_takes_its_questions_back(run):
    """Whoever waited for the answer is gone: nobody is to be asked for nothing."""
    async with run() as app:
        board, cards = await app.has_board("fails", "is done")
        await set_policy(app, board, noChange="DECIDE", concurrency=0)
        worker = await hand(app)
        failed, done = [await queued(app, card) for card in cards]
        await worker.claim(2)
        for id in (failed, done):
            await worker.ask(id, WORDS)
        await worker.say("failRun", failed, code="AGENT_ERROR", reason="Tired of it", retryable=True)
        await worker.complete(done, "Red already", "NO_CHANGES")
        for id, status in ((failed, "QUEUED"), (done, "WAITING")):
            shown = await show(app, id)
            assert (shown["status"], shown["questions"][0]["status"]) == (status, "CANCELLED")
        assert await app.data("{ questions { nodes { id } } }") == {"nodes": []}


async def test_siblings_are_worked_side_by_side(run):
    make = """mutation($input: CreateAgentProfileInput!) { createAgentProfile(input: $input) {
      ... on AgentProfile { id } ... on Refusal { message } } }"""
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        await set_policy(app, board, concurrency=0)
        profiles = [
            (
                await app.data(
                    make, input={"workspaceId": await app.home(), "name": name, "executor": "SCRIPTED"}
                )
            )["id"]
            for name in ("careful", "quick")
        ]
        worker = await hand(app)
        await in_todo(app, card)
        answer = await app.data(START, input={"cardId": card, "profileIds": profiles})
        one, other = [each["id"] for each in answer["runs"]]
        assert answer["runs"][0]["batch"] == [{"id": other}]
        await worker.claim(2)
        done = await worker.complete(one)
        assert done["card"]["stage"] == "IN_PROGRESS"  # the other is still at it
        assert (await worker.complete(other))["card"]["stage"] == "REVIEW"


async def test_the_last_of_siblings_may_fail(run):
    """The card goes to REVIEW with what was brought before."""
    make = """mutation($input: CreateAgentProfileInput!) { createAgentProfile(input: $input) {
      ... on AgentProfile { id } } }"""
    async with run() as app:
        board, [card, lost] = await app.has_board("Paint", "Rust")
        await set_policy(app, board, concurrency=0, maxAttempts=1)
        home = await app.home()
        given = [{"workspaceId": home, "name": name, "executor": "SCRIPTED"} for name in ("careful", "quick")]
        profiles = [(await app.data(make, input=input))["id"] for input in given]
        worker = await hand(app)
        failure = {"code": "AGENT_ERROR", "reason": "Out of paint"}
        for id, stage in ((card, "REVIEW"), (lost, "IN_PROGRESS")):
            await in_todo(app, id)
            answer = await app.data(START, input={"cardId": id, "profileIds": profiles})
            first, last = [each["id"] for each in answer["runs"]]
            await worker.claim(2)
            if id == card:
                assert (await worker.complete(first))["card"]["stage"] == "IN_PROGRESS"
            else:
                await worker.say("failRun", first, **failure)
            failed = await worker.say("failRun", last, **failure)
            assert (failed["status"], failed["card"]["stage"]) == ("FAILED", stage)


async def test_a_question_blocks_until_somebody_answers(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        asked = await worker.ask(id, CHOICE, WORDS)
        first, second = [one["id"] for one in asked["questions"]]
        assert asked["questions"][0]["run"] == {"status": "WAITING", "waitReason": "QUESTION"}
        assert await worker.ask(id, CHOICE, WORDS) == asked  # asked again with its key
        shown = await show(app, id)
        assert shown["card"]["agentState"] == "WAITING_INPUT"
        assert shown["whyNotRunning"][0]["questionIds"] == [first, second]
        refused = await app.data(ANSWER, input={"id": first, "options": ["green"]})
        assert refused["issues"][0]["path"] == "options.0"
        refused = await app.data(ANSWER, input={"id": first, "text": "green"})
        assert refused["code"] == "INVALID"
        refused = await app.data(ANSWER, input={"id": first, "options": ["red", "blue"]})
        assert refused["code"] == "INVALID"
        people = {"ann": "red", "bob": "blue"}
        for name in people:
            await app.has_user(name)
        both = await asyncio.gather(
            *(app.data(ANSWER, name, input={"id": first, "options": [one]}) for name, one in people.items())
        )
        assert sorted(one["__typename"] for one in both) == ["Conflict", "Question"]
        [won] = [one for one in both if one["__typename"] == "Question"]
        assert won["answer"] == [people[won["answeredBy"]["username"]]], (
            "the first one holds, as it was given"
        )
        assert (await show(app, id))["status"] == "WAITING"
        inbox = "{ questions { nodes { id } } }"
        assert await app.data(inbox) == {"nodes": [{"id": second}]}
        answered = await app.data(ANSWER, input={"id": second, "text": "Stop"})
        assert (answered["answer"], answered["answeredHow"]) == (["Stop"], "HUMAN")
        assert answered["run"]["status"] == "RUNNING"
        assert (await worker.complete(id))["status"] == "SUCCEEDED"


async def test_a_run_that_waits_keeps_its_place_as_long_as_its_worker_waits_with_it(run):
    async with run() as app:
        _, cards = await app.has_board("asks", "is next")
        worker, other = await hand(app), await hand(app, "other")
        asks, following = [await queued(app, card) for card in cards]
        assert await worker.take() == asks
        asked = await worker.ask(asks, CHOICE)
        assert await other.claim() == []
        [why] = (await show(app, following))["whyNotRunning"]
        assert (why["code"], why["runIds"], why["limit"]) == ("LIMIT_REACHED", [asks], 1)
        assert (await worker.say("releaseRun", asks))["status"] == "WAITING"
        assert await other.take() == following, "who left gave its place"
        answer = {"id": asked["questions"][0]["id"], "options": ["red"]}
        assert (await app.data(ANSWER, input=answer))["run"]["status"] == "QUEUED"
        assert await worker.claim() == [], "and waits for one like everybody"
        [why] = (await show(app, asks))["whyNotRunning"]
        assert (why["code"], why["runIds"]) == ("LIMIT_REACHED", [following])
        await other.complete(following)
        assert await worker.take() == asks


async def test_an_answer_after_the_worker_left_goes_with_the_next_claim(run):
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker, other = await hand(app), await hand(app, "other")
        id = await queued(app, card)
        await worker.take()
        asked = await worker.ask(id, CHOICE, sessionId="talk-1")
        assert (await worker.say("releaseRun", id, sessionId="talk-1"))["status"] == "WAITING"
        assert await other.claim() == []
        answer = {"id": asked["questions"][0]["id"], "options": ["red"]}
        assert (await app.data(ANSWER, input=answer))["run"]["status"] == "QUEUED"
        [claim] = await worker.claim()
        assert claim["work"]["sessionId"] == "talk-1"
        assert claim["work"]["prompt"] == "Your questions were answered:\n- Which colour?\n  red"
        assert claim["attempt"] == 2
        await worker.say("releaseRun", id)
        [claim] = await other.claim()  # has no such conversation: it is told everything
        assert claim["work"]["sessionId"] is None
        assert "WEB-1: Paint" in claim["work"]["prompt"]
        assert "  red" in claim["work"]["prompt"]


async def test_a_question_that_nobody_answers_expires_as_the_board_says(run):
    async with run() as app:
        board, cards = await app.has_board("fails", "goes on", "holds")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        ids = [await queued(app, card) for card in cards]
        await worker.claim(3)
        await worker.ask(ids[1], {**CHOICE, "default": ["blue"]}, expiresInSeconds=1)
        await worker.ask(ids[0], CHOICE, expiresInSeconds=1)
        failed = await until(app, ids[0], lambda run: run["status"] == "FAILED")
        assert failed["failureCode"] == "QUESTION_EXPIRED"
        went = await until(app, ids[1], lambda run: run["status"] == "RUNNING")
        assert went["questions"][0] | {"id": ""} == {
            "id": "",
            "key": "0",
            "status": "EXPIRED",
            "answer": ["blue"],
            "answeredHow": "AUTOMATED",
        }
        await set_policy(app, board, questionExpiry="HOLD")
        await worker.ask(ids[2], CHOICE, expiresInSeconds=1)
        await until(app, ids[2], lambda run: run["attempts"][0]["outcome"] == "RELEASED")
        held = await show(app, ids[2])
        assert (held["status"], held["questions"][0]["status"]) == ("WAITING", "OPEN")


async def test_a_worker_that_falls_silent_loses_its_run(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        await set_policy(app, board, leaseSeconds=2)
        first, second = await hand(app), await hand(app, "second")
        id = await queued(app, card)
        await first.take()
        await until(app, id, lambda run: run["status"] == "QUEUED")
        assert (await show(app, id))["card"]["stage"] == "TODO"
        await set_policy(app, board, leaseSeconds=60)
        assert await second.take() == id
        late = await first.complete(id, "Late")
        assert late["code"] == "LEASE_LOST"
        assert (await first.report(id, "x", {"type": "OUTPUT", "text": "late"}))["code"] == "LEASE_LOST"
        done = await second.complete(id, "In time")
        assert (done["summary"], done["attempt"]) == ("In time", 2)
        outcomes = [one["outcome"] for one in (await show(app, id))["attempts"]]
        assert outcomes == ["LOST", "SUCCEEDED"]


async def test_a_claim_that_is_repeated_gets_the_same(run):
    async with run() as app:
        board, cards = await app.has_board("One", "Two")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        for card in cards:
            await queued(app, card)

        async def claim(key):
            [one] = await worker.claim(1, key=key)
            assert one["work"].pop("agentToken").startswith("sbr_")  # its seconds count from each answer
            return one

        assert await claim("a") == await claim("a") != await claim("b")


async def test_a_waiting_worker_is_woken(run):
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        waiting = asyncio.create_task(worker.claim(wait=25))
        await asyncio.sleep(0.2)
        id = await queued(app, card)
        [claim] = await asyncio.wait_for(waiting, 10)
        assert claim["run"]["id"] == id


async def test_a_card_with_an_agent_at_it_is_not_taken_away(run):
    delete = "mutation($input: DeleteCardInput!) { deleteCard(input: $input) { __typename } }"
    archive = "mutation($input: ArchiveCardInput!) { archiveCard(input: $input) { __typename } }"
    async with run() as app:
        _, card, worker, id = await at_work(app)
        assert await app.data(delete, input={"id": card}) == {"__typename": "Conflict"}
        assert await app.data(archive, input={"id": card}) == {"__typename": "Conflict"}
        assert await app.data(delete, input={"id": card, "cancelRun": True}) == {"__typename": "Card"}
        assert (await worker.complete(id))["code"] == "NOT_FOUND"


async def until(app, run, fits, seconds=30):
    """What a run shows as soon as it fits."""
    for _ in range(seconds * 10):
        shown = await show(app, run)
        if fits(shown):
            return shown
        await asyncio.sleep(0.1)
    raise AssertionError(shown)


async def test_work_is_sent_back_with_the_reason(run):
    reject = """mutation($input: RejectCardInput!) { rejectCard(input: $input) { __typename ... on Refusal { code }
      ... on Card { stage activeRun { id branch instruction retryOf { id } }
        messages { nodes { body kind } } } } }"""
    async with run() as app:
        _, card, worker, id = await at_work(app)
        refused = await app.data(reject, input={"id": card, "feedback": "Too red"})
        assert refused == {"__typename": "Conflict", "code": "CONFLICT"}
        await worker.complete(id, "Painted", branch="signalbox/web-1", sessionId="talk-1")
        back = await app.data(reject, input={"id": card, "feedback": "Too red"})
        assert (back["stage"], back["messages"]["nodes"]) == (
            "TODO",
            [{"body": "Too red", "kind": "FEEDBACK"}],
        )
        again = back["activeRun"]
        assert (again["instruction"], again["branch"], again["retryOf"]) == (
            "Too red",
            "signalbox/web-1",
            {"id": id},
        )
        [claim] = await worker.claim()
        assert (claim["run"]["id"], claim["work"]["sessionId"]) == (again["id"], "talk-1")
        assert "Too red" in claim["work"]["prompt"]


async def test_a_run_can_wait_for_its_time(run):
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        id = await queued(app, card, startAt="2999-01-01T00:00:00Z")
        assert await worker.claim() == []
        [why] = (await show(app, id))["whyNotRunning"]
        assert (why["code"], why["until"]) == ("DUE_LATER", "2999-01-01T00:00:00Z")


async def test_a_run_takes_its_card_out_of_the_backlog(run):
    stage = "query($id: ID!) { card(id: $id) { stage version } }"
    async with run() as app:
        board, cards = await app.has_board("In backlog", "In plan", "Moved", "Too many", autoDispatch=True)
        await app.data(MOVE, input={"id": cards[1], "destination": {"stage": "PLAN"}})
        worker = await hand(app)
        await set_policy(app, board, concurrency=0)
        runs = [await start(app, card) for card in cards[:2]]
        for card in cards[:2]:
            assert (await app.data(stage, id=card))["stage"] == "TODO"
        assert [one["run"]["id"] for one in await worker.claim(5)] == runs, (
            "the board's rule asked for no other"
        )
        again = await app.data(START, input={"cardId": cards[0]})
        assert again["code"] == "CONFLICT"
        for kind in ("TEST", "PLAN"):  # only code is written on cards that are ready
            await app.data(START, input={"cardId": cards[2], "kind": kind})
            assert (await app.data(stage, id=cards[2]))["stage"] == "BACKLOG"
        columns = "query($id: ID!) { board(id: $id) { columns { id stage } seq } }"
        ids = {one["stage"]: one["id"] for one in (await app.data(columns, id=board))["columns"]}
        limit = "mutation($input: UpdateColumnInput!) { updateColumn(input: $input) { __typename } }"
        await app.data(limit, input={"id": ids["TODO"], "wipLimit": 1})
        filled = await start(app, cards[3])
        before = await app.data(stage, id=cards[2]), (await app.data(columns, id=board))["seq"]
        refused = await app.data(
            """mutation($id: ID!) { startRun(input: {cardId: $id}) { ... on StageRefused {
              at to refusedCardId reasons { code limit count } } } }""",
            id=cards[2],
        )
        full = {"code": "WIP_LIMIT", "limit": 1, "count": 1}
        assert refused["reasons"][0]["code"] in ("ACTIVE_RUN", "WIP_LIMIT")
        assert full in refused["reasons"]
        assert (refused["at"], refused["to"], refused["refusedCardId"]) == ("BACKLOG", "TODO", cards[2])
        after = await app.data(stage, id=cards[2]), (await app.data(columns, id=board))["seq"]
        assert after == before, "what is refused changes nothing"
        assert filled


async def test_work_is_not_deleted_with_its_workspace_unasked(run):
    remove = """mutation($input: DeleteWorkspaceInput!) { deleteWorkspace(input: $input) { __typename
      ... on Conflict { message with: conflictingId } ... on Workspace { name } } }"""
    async with run() as app:
        _, _, worker, id = await at_work(app)
        home = await app.home()
        asked = {"id": home, "confirmName": "Home"}
        told = await app.data(remove, input=asked)
        message = "1 run of an agent is active there; pass cancelRuns to end it"
        assert told == {"__typename": "Conflict", "message": message, "with": id}
        assert (await show(app, id))["status"] == "CLAIMED"
        assert (await worker.beat(id))["leases"][0]["lost"] is False
        told = await app.data(remove, input={**asked, "cancelRuns": True})
        assert told == {"__typename": "Workspace", "name": "Home"}
        assert (await worker.complete(id))["code"] in ("NOT_FOUND", "LEASE_LOST")
