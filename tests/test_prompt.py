"""What an agent is told when its run is claimed, the first time and again."""

from sqlalchemy import text

from tests.work import ANSWER, CHOICE, about_run, hand, queued, set_policy

TALK = "talk-1"
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
        board, [card] = await app.has_board("Paint")
        await set_policy(app, board, noChange="DECIDE")
        worker = await hand(app)
        id = await queued(app, card)
        await worker.take()
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
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        id = await queued(app, card, instruction="With a brush")
        await worker.take()
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
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        id = await queued(app, card, instruction="With a brush")
        await worker.take()
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
