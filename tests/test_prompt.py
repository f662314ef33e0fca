"""What an agent is told when its run is claimed, the first time and again."""

import pytest
from sqlalchemy import text

from tests.work import (
    ANSWER,
    CHOICE,
    REFUSED,
    START,
    about_run,
    at_work,
    hand,
    in_todo,
    queued,
    set_policy,
    start,
)

TALK = "talk-1"
POST = "mutation($input: PostMessageInput!) { postMessage(input: $input) { ... on Message { id } } }"
ABOUT = "query($id: ID!) { run(id: $id) { prompt baseRef triggerMessage { id body } } }"
ANSWERS = "Your questions were answered:\n- Which colour?\n  red"


async def asked_and_answered(app, worker, run):
    """Its agent asks, and is told the answer while it is there."""
    asked = await worker.ask(run, CHOICE, sessionId=TALK)
    await app.data(ANSWER, input={"id": asked["questions"][0]["id"], "options": ["red"]})


async def again(worker):
    """What is told at the next claim, in the conversation that was kept."""
    [claim] = await worker.claim()
    assert claim["work"]["sessionId"] == TALK
    return claim["work"]["prompt"]


async def test_an_instruction_is_told_although_questions_were_answered_before(run):
    async with run() as app:
        _, _, worker, id = await at_work(app, policy={"noChange": "DECIDE"})
        await asked_and_answered(app, worker, id)
        await worker.complete(id, "It is red already", "NO_CHANGES", sessionId=TALK)
        await app.data(about_run("resumeRun"), input={"id": id, "instruction": "Paint it blue"})
        told = await again(worker)
        assert "Paint it blue" in told
        assert "WEB-1: Paint" in told
        assert told.endswith(ANSWERS)


async def test_answers_that_were_told_are_not_all_that_is_told_again(run):
    """Its worker left, or it failed and is tried again: it goes on somewhere after its answers."""
    async with run() as app:
        _, _, worker, id = await at_work(app, instruction="With a brush")
        await asked_and_answered(app, worker, id)
        await worker.say("releaseRun", id, sessionId=TALK)
        released = await again(worker)
        await worker.say("failRun", id, code="AGENT_ERROR", reason="Out of paint", retryable=True)
        async with app.begin() as tx:
            await tx.execute(text("UPDATE job SET available_at = enqueued_at"))  # a minute later
        for told in (released, await again(worker)):
            assert "With a brush" in told
            assert "WEB-1: Paint" in told
            assert told.endswith(ANSWERS)


async def test_answers_that_came_late_are_all_that_their_conversation_is_told(run):
    """Once: the attempt after that is told everything. What a new conversation would be told is always there."""
    async with run() as app:
        _, _, worker, id = await at_work(app, instruction="With a brush")
        asked = await worker.ask(id, CHOICE, sessionId=TALK)
        await worker.say("releaseRun", id, sessionId=TALK)
        await app.data(ANSWER, input={"id": asked["questions"][0]["id"], "options": ["red"]})
        [claim] = await worker.claim()
        assert claim["work"]["prompt"] == ANSWERS
        whole = claim["work"]["wholePrompt"]
        assert "With a brush" in whole
        assert "WEB-1: Paint" in whole
        assert whole.endswith(ANSWERS)
        await worker.say("releaseRun", id, sessionId=TALK)
        assert await again(worker) == whole


async def says(app, card, body):
    return (await app.data(POST, input={"cardId": card, "body": body}))["id"]


async def test_the_message_that_asks_is_told_and_shown(run):
    async with run() as app:
        _, [card, other] = await app.has_board("Paint", "Polish")
        worker = await hand(app)
        first = await says(app, card, "Please paint it blue")
        for n in range(6):
            await says(app, card, f"Comment {n}")
        await in_todo(app, card)
        wrong = {"cardId": card, "messageId": await says(app, other, "Not here")}
        assert (await app.data(START, input=wrong))["code"] == "NOT_FOUND"
        gone = await says(app, card, "Never mind")
        await change(app, "deleteMessage", "Message", id=gone)
        refused = await app.data(START, input={"cardId": card, "messageId": gone})
        assert refused["code"] == "NOT_FOUND", "nothing would be told"
        id = await start(app, card, messageId=first, instruction="Soon")
        [claim] = await worker.claim()
        told = claim["work"]["prompt"].split("\n\n")
        assert told[1].splitlines() == ["What you were asked in particular:", "Soon"]
        asks, body = told[2].splitlines()
        assert asks.startswith("The message that asks for it, by ")
        assert body == "Please paint it blue"
        assert [line.partition(": ")[2] for line in told[-1].splitlines()[1:]] == [
            f"Comment {n}" for n in range(1, 6)
        ]
        shown = await app.data(ABOUT, id=id)
        assert shown["triggerMessage"] == {"id": first, "body": "Please paint it blue"}
        assert shown["prompt"] == claim["work"]["prompt"]


async def test_where_the_work_begins_is_said_by_the_run_or_the_board(run):
    async with run() as app:
        board, cards = await app.has_board("One", "Two", "Three")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        await queued(app, cards[0])
        [claim] = await worker.claim()
        assert claim["work"]["baseRef"] == "HEAD"
        await set_policy(app, board, baseBranch="main")
        await queued(app, cards[1])
        id = await queued(app, cards[2], baseRef=" release-2 ")
        assert [one["work"]["baseRef"] for one in await worker.claim(2)] == ["main", "release-2"]
        assert (await app.data(ABOUT, id=id))["baseRef"] == "release-2"


async def test_what_an_agent_is_told_is_frozen_when_it_is_first_claimed(run):
    """Card, comments, policy and profile change meanwhile: the second attempt is told the same."""
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        made = {"workspaceId": await app.home(), "name": "Careful", "executor": "SCRIPTED"}
        made |= {"persona": "Be careful.", "model": "large", "options": {"effort": "high"}}
        profile = await change(app, "createAgentProfile", "AgentProfile", **made)
        await set_policy(app, board, instructions="Use British English.")
        worker = await hand(app)
        await says(app, card, "Red, please")
        id = await queued(app, card, profileIds=[profile])
        assert (await app.data(ABOUT, id=id))["prompt"] is None
        [first] = await worker.claim()
        assert first["work"]["instructions"] == "Be careful.\n\nUse British English."
        assert "Red, please" in first["work"]["prompt"]
        await change(app, "updateCard", "Card", id=card, title="Polish", description="Another one")
        await says(app, card, "Blue after all")
        await set_policy(app, board, instructions="Use any English.", baseBranch="other")
        new = {"persona": "Be quick.", "model": "small", "options": {}}
        await change(app, "updateAgentProfile", "AgentProfile", id=profile, **new)
        await worker.say("releaseRun", id)
        [second] = await worker.claim()
        first["work"].pop("agentToken")
        assert second["work"].pop("agentToken")
        assert second["work"] == first["work"]
        assert (await app.data(ABOUT, id=id))["prompt"] == first["work"]["prompt"]


async def change(app, name, kind, /, **input):
    """Make or change something, and answer its id."""
    given = f"{name[0].upper()}{name[1:]}Input!"
    query = f"mutation($input: {given}) {{ {name}(input: $input) {{ ... on {kind} {{ id }} {REFUSED} }} }}"
    answer = await app.data(query, input=input)
    assert "id" in answer, answer
    return answer["id"]


async def test_what_was_deleted_is_not_shown_to_people_in_what_an_agent_was_told(run):
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        asks, secret, stays = [
            await says(app, card, f"{text} please") for text in ("Red", "Quickly", "Thinly")
        ]
        await in_todo(app, card)
        id = await start(app, card, messageId=asks, instruction="Soon")
        [claim] = await worker.claim()
        told = claim["work"]["prompt"]
        assert (await app.data(ABOUT, id=id))["prompt"] == told
        await change(app, "deleteMessage", "Message", id=secret)
        shown = (await app.data(ABOUT, id=id))["prompt"]
        assert "Quickly" not in shown
        assert "Red please" in shown
        assert "Thinly please" in shown
        await change(app, "deleteMessage", "Message", id=asks)
        await change(app, "deleteMessage", "Message", id=stays)
        shown = (await app.data(ABOUT, id=id))["prompt"]
        assert shown.splitlines()[1:] == [
            "",
            "What you were asked in particular:",
            "Soon",
            "",
            "# WEB-1: Paint",
        ]
        await worker.say("releaseRun", id)
        [claim] = await worker.claim()
        assert claim["work"]["prompt"] == told, "what an agent is told does not change under it"


@pytest.mark.parametrize("about", ["REVIEW", "TEST", "INTEGRATE", "DOCUMENT"])
async def test_a_run_about_the_work_begins_with_it_and_is_told_its_branch(run, about):
    async with run() as app:
        _, card, worker, id = await at_work(app, policy={"baseBranch": "main"})
        await worker.complete(id, branch="signalbox/WEB-1-paint", headSha="a" * 40)
        await start(app, card, kind=about)
        [claim] = await worker.claim()
        work = claim["work"]
        goes_on = about in ("INTEGRATE", "DOCUMENT")
        expected = ("signalbox/WEB-1-paint", "main") if goes_on else (None, "signalbox/WEB-1-paint")
        assert (work["branch"], work["baseRef"]) == expected
        assert (
            "The work on this card is on the branch signalbox/WEB-1-paint, which began from main"
            in work["prompt"]
        )
        assert ("Change no file" in work["prompt"]) == (about in ("REVIEW", "TEST"))


async def test_a_run_about_work_that_is_not_there_begins_from_the_base(run):
    async with run() as app:
        _, card, worker, id = await at_work(app, policy={"baseBranch": "main"})
        await worker.complete(id, branch="signalbox/WEB-1-paint")
        await start(app, card, kind="REVIEW", baseRef="v1")
        [claim] = await worker.claim()
        assert (claim["work"]["branch"], claim["work"]["baseRef"]) == (None, "v1")
        assert "on the branch" not in claim["work"]["prompt"]
