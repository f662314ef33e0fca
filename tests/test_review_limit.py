"""Starting is bound to reviewing: no work is begun while too many cards wait for a review."""

from tests.board import do
from tests.work import hand, queued, set_policy, show, start


async def in_review(app, id):
    for stage in ("TODO", "IN_PROGRESS", "REVIEW"):
        moved = await do(app, "moveCard", id=id, destination={"stage": stage})
        assert moved["__typename"] == "Card", moved


async def test_no_work_is_begun_while_too_many_cards_wait(run):
    async with run() as app:
        board, [a, b, c] = await app.has_board(*"abc")
        await set_policy(app, board, reviewLimit=1, concurrency=5)
        worker = await hand(app)
        for id in (a, b):
            await in_review(app, id)
        made = await queued(app, c)
        assert await worker.claim() == []
        [why] = (await show(app, made))["whyNotRunning"]
        assert (why["code"], why["limit"]) == ("REVIEW_LIMIT", 1)
        assert why["message"] == "2 cards wait for a review; work is begun when at most 1 wait"
        review = await start(app, a, kind="REVIEW")
        assert await worker.take() == review, "reviews go on"
        await worker.complete(review)
        await do(app, "moveCard", id=a, destination={"stage": "DONE"})
        assert await worker.take() == made, "room was made"


async def test_a_limit_is_lifted_with_the_policy_and_counts_people(run):
    async with run() as app:
        board, [a, b, c] = await app.has_board(*"abc")
        await set_policy(app, board, reviewLimitPerPerson=1, concurrency=5)
        max_ = await app.has_user("max")
        worker = await hand(app)
        for id in (a, b):
            await in_review(app, id)
            await do(app, "assignCard", cardId=id, userId=max_)
        await do(app, "assignCard", cardId=c, userId=max_)
        made = await queued(app, c)
        assert await worker.claim() == []
        assert [why["code"] for why in (await show(app, made))["whyNotRunning"]] == ["REVIEW_LIMIT"]
        await set_policy(app, board, reviewLimitPerPerson=0)
        assert await worker.take() == made
