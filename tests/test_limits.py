"""How long a run may take: in the queue, in one attempt, as a whole. Each limit is told by its own code."""

from tests.queue.ageing import age
from tests.test_run import until
from tests.work import ANSWER, WORDS, hand, queued, set_policy, show

PATIENT = {"leaseSeconds": 3_600, "silenceSeconds": 86_400, "maxAttempts": 1}
SHORT = {  # title: what its board allows, and how it ends after 101 seconds
    "claimed": ({"queueSeconds": 100}, None),
    "slow": ({"attemptSeconds": 100}, "TIMEOUT"),
    "asks": ({"attemptSeconds": 100}, None),  # to wait for people does not count
    "long": ({"wholeSeconds": 100}, "TIMEOUT"),
    "asks for long": ({"wholeSeconds": 100}, "TIMEOUT"),
    "in time": ({"queueSeconds": 102, "attemptSeconds": 200, "wholeSeconds": 200}, None),
    "queued": ({"queueSeconds": 100}, "EXPIRED"),
}


async def test_every_limit_ends_a_run_by_its_name(run):
    heard = "{ notifications { nodes { type title } } }"
    async with run() as app:
        worker, runs = await hand(app), {}
        for title, (policy, _) in SHORT.items():
            board, [card] = await app.has_board(title, name=title)
            await set_policy(app, board, **PATIENT, **policy)
            runs[title] = await queued(app, card)
            if title != "queued":
                assert await worker.take() == runs[title]
        asked = {}
        for title in ("asks", "asks for long"):
            [asked[title]] = (await worker.ask(runs[title], WORDS))["questions"]
        async with app.begin() as tx:
            await age(tx, 101)
        for title, (_, code) in SHORT.items():
            if code is not None:
                ended = await until(app, runs[title], lambda run: run["status"] == "FAILED")
                assert ended["failureCode"] == code, title
                tried = [] if title == "queued" else [("FAILED", code)]
                assert [(one["outcome"], one["code"]) for one in ended["attempts"]] == tried
                assert all(one["status"] == "CANCELLED" for one in ended["questions"])
        for title, status in (("claimed", "CLAIMED"), ("asks", "WAITING"), ("in time", "CLAIMED")):
            assert (await show(app, runs[title]))["status"] == status
        assert (await worker.complete(runs["slow"]))["code"] == "LEASE_LOST"
        answer = {"id": asked["asks for long"]["id"], "text": "Too late"}
        assert (await app.data(ANSWER, input=answer))["code"] == "CONFLICT"
        types = [one["type"] for one in (await app.data(heard))["nodes"]]
        assert types.count("RUN_FAILED") == 4
