"""What a run's people hear of it: with what causes it, once, whoever they are."""

from datetime import timedelta

from sqlalchemy import text, update

from actions.run.sweep import sweep
from kit.db.database import utcnow
from models.run import Run
from tests.test_run import until
from tests.work import ANSWER, CHOICE, MOVE, WORDS, at_work, hand, queued, set_policy

INBOX = "{ notifications { nodes { type title body runId questionId } } }"
COLUMNS = "query($id: ID!) { board(id: $id) { columns { id stage } } }"
LIMIT = "mutation($input: UpdateColumnInput!) { updateColumn(input: $input) { __typename } }"
DROP = "mutation($input: DeleteColumnInput!) { deleteColumn(input: $input) { __typename } }"
ASSIGN = "mutation($input: AssignCardInput!) { assignCard(input: $input) { __typename } }"


async def told(app, actor=""):
    """What somebody is told, the oldest first: type, title, body."""
    nodes = (await app.data(INBOX, actor))["nodes"]
    return [(one["type"], one["title"], one["body"]) for one in reversed(nodes)]


async def column(app, board, stage):
    [found] = [one["id"] for one in (await app.data(COLUMNS, id=board))["columns"] if one["stage"] == stage]
    return found


async def test_work_that_waits_for_review_is_told_to_all_it_concerns_at_once(run):
    async with run() as app:
        people = [await app.has_user(name) for name in ("max", "kim")]
        await app.has_user("eve")  # has nothing to do with it
        _, cards = await app.has_board("Paint", "Polish")
        worker = await hand(app)
        counts = []
        for card, assigned in zip(cards, ([], people), strict=True):
            for user in assigned:
                await app.data(ASSIGN, input={"cardId": card, "userId": user})
            id = await queued(app, card)
            await worker.take()
            with app.counting() as statements:
                await worker.complete(id, "It shines")
            inserts = [one for one in statements if one.startswith("INSERT INTO notification")]
            assert len(inserts) == 1, inserts
            counts.append(len([one for one in statements if " notification" in one or "membership" in one]))
        assert counts[0] == counts[1], "as many statements for three people as for one"
        polish = [
            ("RUN_SUCCEEDED", "WEB-2 was worked on: Polish", "It shines"),
            ("REVIEW_REQUESTED", "WEB-2 waits for your review: Polish", "It shines"),
        ]
        for name in ("max", "kim"):
            assert (await told(app, name))[1:] == polish  # behind ASSIGNED
        assert (await told(app))[2:] == polish
        assert await told(app, "eve") == []


async def test_people_hear_what_concerns_them(run):
    async with run() as app:
        _, cards = await app.has_board("Paint", "Polish")
        worker = await hand(app)
        ids = [await queued(app, card) for card in cards]
        await worker.take()
        asked = await worker.ask(ids[0], CHOICE)
        await app.data(ANSWER, input={"id": asked["questions"][0]["id"], "options": ["red"]})
        await worker.complete(ids[0], "Painted")
        await worker.take()
        await worker.say("failRun", ids[1], code="AGENT_ERROR", reason="No polish")
        heard = (await app.data(INBOX))["nodes"]
        assert [(one["type"], one["title"], one["runId"]) for one in heard] == [
            ("RUN_FAILED", "A run failed on WEB-2: Polish", ids[1]),
            ("REVIEW_REQUESTED", "WEB-1 waits for your review: Paint", ids[0]),
            ("RUN_SUCCEEDED", "WEB-1 was worked on: Paint", ids[0]),
            ("QUESTION_ASKED", "An agent asks about WEB-1: Paint", ids[0]),
        ]
        assert heard[3]["questionId"] == asked["questions"][0]["id"]


async def test_a_plan_asks_for_no_review(run):
    move = "mutation($input: MoveCardInput!) { moveCard(input: $input) { __typename } }"
    start = "mutation($input: StartRunInput!) { startRun(input: $input) { __typename } }"
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        await app.data(move, input={"id": card, "destination": {"stage": "PLAN"}})
        await app.data(start, input={"cardId": card, "kind": "PLAN"})
        await worker.complete(await worker.take(), "Three steps")
        assert await told(app) == [("RUN_SUCCEEDED", "WEB-1 was worked on: Paint", "Three steps")]


async def test_where_review_is_full_or_missing_people_are_warned(run):
    async with run() as app:
        board, [full, missing, there] = await app.has_board("Full", "Missing", "There")
        review = await column(app, board, "REVIEW")
        worker = await hand(app)
        await app.data(LIMIT, input={"id": review, "wipLimit": 1})
        for stage in ("TODO", "IN_PROGRESS", "REVIEW"):
            assert (await app.data(MOVE, input={"id": there, "destination": {"stage": stage}}))[
                "stage"
            ] == stage
        id = await queued(app, full)
        await worker.take()
        done = await worker.complete(id, "Done")
        assert done["card"]["stage"] == "IN_PROGRESS"
        heard = await told(app)
        assert [type for type, _, _ in heard] == ["RUN_SUCCEEDED", "WARNING"]
        assert heard[1][1:] == ("WEB-1 does not go to REVIEW: Full", "The column takes 1 cards and has 1")
        gone = {"id": review, "moveCardsTo": await column(app, board, "BACKLOG")}
        assert (await app.data(DROP, input=gone))["__typename"] == "Column"
        id = await queued(app, missing)
        await worker.take()
        await worker.complete(id, "Done")
        assert (await told(app))[-1][:2] == ("WARNING", "WEB-2 does not go to REVIEW: Missing")
        assert not [one for one in await told(app) if one[0] == "REVIEW_REQUESTED"]


async def test_a_run_that_goes_back_and_is_given_up(run):
    async with run() as app:
        _, _, worker, id = await at_work(app, policy={"maxAttempts": 2})
        await worker.say("releaseRun", id)
        await worker.take()
        for reason in ("No paint", "Still none"):
            await worker.say("failRun", id, code="AGENT_ERROR", reason=reason, retryable=True)
            async with app.begin() as tx:
                await tx.execute(text("UPDATE job SET available_at = enqueued_at"))  # a minute later
            await worker.claim()
        failed = "2 attempts failed; the last: AGENT_ERROR: Still none"
        assert await told(app) == [
            ("CARD_MOVED", "WEB-1 went back to TODO: Paint", "Its worker gave it back"),
            ("CARD_MOVED", "WEB-1 went back to TODO: Paint", "No paint"),
            ("RUN_FAILED", "A run failed on WEB-1: Paint", failed),
            ("WARNING", "WEB-1 was given up: Paint", failed),
        ]


async def test_a_question_that_expired_is_one_warning(run):
    async with run() as app:
        board, cards = await app.has_board("Paint", "Polish")
        await set_policy(app, board, concurrency=0, questionExpiry="HOLD")
        worker = await hand(app)
        ids = [await queued(app, card) for card in cards]
        await worker.claim(2)
        await worker.ask(
            ids[0], {**CHOICE, "default": ["red"]}, WORDS | {"default": ["x"]}, expiresInSeconds=1
        )
        await until(app, ids[0], lambda run: run["status"] == "RUNNING")
        await worker.ask(ids[1], CHOICE, expiresInSeconds=1)
        await until(app, ids[1], lambda run: run["attempts"][0]["outcome"] == "RELEASED")
        late = [one for one in await told(app) if one[0] == "WARNING"]
        assert late == [
            ("WARNING", "Nobody answered in time about WEB-1: Paint", "Which colour?"),
            ("WARNING", "Nobody answered in time about WEB-2: Polish", "Which colour?"),
        ]


async def test_an_agent_that_says_nothing_is_one_warning_until_it_speaks(run):
    stuck = "query($id: ID!) { run(id: $id) { stuck progress { tool } } }"
    tool = {"type": "TOOL_STARTED", "text": "make test", "data": {"tool": "t1", "name": "Bash"}}
    async with run() as app:
        board, cards = await app.has_board("Paint", "Polish")
        await set_policy(app, board, concurrency=0, stuckMinutes=5)
        worker = await hand(app)
        quiet, busy = [await queued(app, card) for card in cards]
        await worker.claim(2)
        for id in (quiet, busy):
            await worker.report(id, "1", {"type": "OUTPUT", "text": "At it"})

        async def age(minutes):
            async with app.begin() as tx:
                said = utcnow() - timedelta(minutes=minutes)
                await tx.execute(update(Run).where(Run.id == quiet).values(reported_at=said))
            for _ in range(2):
                await sweep(app.services.event_log)

        await age(4)
        assert (await app.data(stuck, id=quiet))["stuck"] is False
        assert await told(app) == []
        await age(6)
        assert (await app.data(stuck, id=quiet))["stuck"] is True
        assert (await app.data(stuck, id=busy))["stuck"] is False
        silent = ("WARNING", "The agent on WEB-1 says nothing: Paint", "For more than 5 minutes.")
        assert await told(app) == [silent]
        await worker.report(quiet, "2", tool)
        assert await app.data(stuck, id=quiet) == {"stuck": False, "progress": {"tool": "Bash"}}
        await age(6)
        body = "For more than 5 minutes. It waits for its tool: make test"
        assert await told(app) == [silent, (*silent[:2], body)]
        asked = await worker.ask(quiet, WORDS)
        await age(6)
        await app.data(ANSWER, input={"id": asked["questions"][0]["id"], "text": "Stop"})
        assert (await app.data(stuck, id=quiet))["stuck"] is False, "it waited: there was nothing to say"
        assert len([one for one in await told(app) if one[0] == "WARNING"]) == 2
