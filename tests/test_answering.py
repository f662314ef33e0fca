"""Questions that were answered before: shown, repeated, answered together, and when only a person may answer."""

import pytest

from tests.board import do
from tests.test_question import CANCEL, FEED, PEOPLE
from tests.work import ANSWER, CHOICE, WORDS, hand, queued, set_policy, show

LOOK = """query($id: ID!) { node(id: $id) { ... on Question { status answer answeredHow answeredBy { username }
  earlierAnswer { id answer answeredHow answeredBy { username } } } } }"""
SAME = {**CHOICE, "text": " WHICH\n\tｃｏｌｏｕｒ? ", "options": [{"label": "BLUE"}, {"label": "Red"}]}


async def at_work(app, number, strict=False, **policy):
    """A board with that many cards, and a run on each that one worker holds; the last may need a person."""
    board, cards = await app.has_board(*(f"Card {n}" for n in range(number)))
    await set_policy(app, board, concurrency=0, **policy)
    worker = await hand(app)
    runs = [await queued(app, card) for card in cards[:-1]]
    runs.append(await queued(app, cards[-1], **({"permission": "HUMAN_REQUIRED"} if strict else {})))
    while set(runs) - set(worker.leases):
        await worker.claim(20)
    return board, cards, worker, runs


async def asked(worker, run, question=CHOICE, **more):
    answer = await worker.ask(run, question, **more)
    return answer["questions"][0]["id"]


async def answer(app, id, *options, **input):
    return await app.data(ANSWER, input={"id": id, "options": list(options), **input})


async def look(app, id):
    return await app.data(LOOK, id=id)


async def test_an_equal_question_shows_the_answer_and_who_gave_it(run):
    async with run() as app:
        _, cards, worker, [one, two] = await at_work(app, 2)
        first = await asked(worker, one)
        assert (await look(app, first))["earlierAnswer"] is None
        await answer(app, first, "red")
        second = await asked(worker, two, SAME)
        shown = await look(app, second)
        me = (await app.data("{ viewer { user { username } } }"))["user"]["username"]
        assert (shown["status"], shown["answer"]) == ("OPEN", None)
        assert shown["earlierAnswer"] == {
            "id": first,
            "answer": ["red"],
            "answeredHow": "HUMAN",
            "answeredBy": {"username": me},
        }
        await answer(app, second, "BLUE")
        third = await app.data(
            PEOPLE, input={"cardId": cards[0], **{k: SAME[k] for k in ("text", "options")}}
        )
        assert (await look(app, third["id"]))["earlierAnswer"]["id"] == second, "the last answer counts"
        for other in (
            {**CHOICE, "text": "Which colours?"},
            {**CHOICE, "options": CHOICE["options"][:1]},
            WORDS,
        ):
            id = await asked(worker, one, {**other, "blocking": False}, key=str(other["text"]) + "k")
            assert (await look(app, id))["earlierAnswer"] is None, other


async def test_an_answer_that_holds_answers_at_once_and_says_so(run):
    async with run() as app:
        board, _, worker, [one, two, three] = await at_work(app, 3, repeatedQuestions="ANSWER")
        first = await asked(worker, one)
        await answer(app, first, "red")
        before = (await app.data("{ notifications { nodes { id } } }"))["nodes"]
        second = await asked(worker, two, SAME)
        shown = await look(app, second)
        assert (shown["status"], shown["answer"], shown["answeredHow"]) == ("ANSWERED", ["Red"], "AUTOMATED")
        assert (shown["answeredBy"], shown["earlierAnswer"]["id"]) == (None, first)
        assert (await show(app, two))["status"] != "WAITING"
        assert (await app.data("{ notifications { nodes { id } } }"))["nodes"] == before
        beat = await worker.beat(two)
        assert [c["answers"] for c in beat["commands"] if c.get("answers")][-1] == [
            {"key": "0", "answer": ["Red"]}
        ]
        assert (await worker.complete(two))["status"] == "SUCCEEDED"
        assert await asked(worker, one) == first, "asking again with the same key changes nothing"
        third = await worker.ask(three, SAME, WORDS)
        assert [q["status"] for q in third["questions"]] == ["ANSWERED", "OPEN"]
        assert (await show(app, three))["status"] == "WAITING"
        assert (await look(app, third["questions"][0]["id"]))["earlierAnswer"]["id"] == first
        kinds = []
        async with app.follow(FEED, id=board, after="0") as hear:
            for _ in range(6):
                kinds.append((await hear())["questionFeed"]["kind"][8:])
        assert kinds == ["Asked", "Answered", "Asked", "Answered", "Asked", "Asked"]


async def test_an_answer_that_the_question_does_not_accept_is_only_shown(run):
    async with run() as app:
        _, _, worker, [one, two] = await at_work(app, 2, repeatedQuestions="ANSWER")
        first = await asked(worker, one, {**CHOICE, "type": "MULTI"})
        await answer(app, first, "red", "blue")
        second = await look(app, await asked(worker, two))
        assert (second["status"], second["earlierAnswer"]["answer"]) == ("OPEN", ["red", "blue"])


@pytest.mark.parametrize("why", ["HUMAN_REQUIRED", "CRITICAL", "permission"])
async def test_some_questions_need_a_person_who_reads_them(run, why):
    async with run() as app:
        _, cards, worker, [one, two] = await at_work(
            app, 2, strict=why == "HUMAN_REQUIRED", repeatedQuestions="ANSWER"
        )
        if why == "CRITICAL":
            await do(app, "updateCard", id=cards[1], priority="CRITICAL")
        question = {**CHOICE, "key": "leave"} if why == "permission" else CHOICE
        first = await asked(worker, one, question)
        second = await asked(worker, two, question)
        await answer(app, first, "red")
        assert (await look(app, second))["status"] == "OPEN", "not together"
        assert (await app.data(CANCEL, id=second))["status"] == "CANCELLED"
        third = await look(app, await asked(worker, two, question, key="again"))
        assert third["status"] == "OPEN", "not by the earlier answer"
        assert (third["earlierAnswer"] is None) == (why == "permission")


async def test_one_answer_closes_the_equal_questions_of_several_runs(run):
    async with run() as app:
        _, _, worker, runs = await at_work(app, 4)
        ids = [await asked(worker, one, SAME if n % 2 else CHOICE) for n, one in enumerate(runs[:3])]
        other = await asked(worker, runs[3], {**CHOICE, "text": "Which other colour?"})
        twice = await asked(worker, runs[1], {**CHOICE, "blocking": False}, key="twice")
        assert {(await show(app, one))["status"] for one in runs} == {"WAITING"}
        done = await answer(app, ids[1], "BLUE")
        assert done["answer"] == ["BLUE"]
        for id, words in ((ids[0], ["blue"]), (ids[2], ["blue"])):
            shown = await look(app, id)
            assert (shown["status"], shown["answer"], shown["answeredHow"]) == ("ANSWERED", words, "HUMAN")
            assert shown["earlierAnswer"]["id"] == ids[1]
            assert (await answer(app, id, "red"))["code"] == "CONFLICT", "the first answer holds"
        assert {(await show(app, one))["status"] for one in runs[:3]} == {"RUNNING"}
        assert (await look(app, other))["status"] == "OPEN"
        assert (await look(app, twice))["status"] == "OPEN", "of the same run"
        for one in runs[:3]:
            assert (await worker.complete(one))["status"] == "SUCCEEDED"


async def test_asking_and_answering_cost_the_same_however_many_were_answered_before(run):
    async with run() as app:
        _, _, worker, [_, two] = await at_work(app, 2)
        counts = []
        for n in range(5):
            with app.counting() as statements:
                id = await asked(worker, two, {**CHOICE, "blocking": False}, key=f"k{n}")
            counts.append(len(statements))
            with app.counting() as statements:
                await answer(app, id, "red")
            counts.append(len(statements))
        assert counts[2:4] == counts[4:6] == counts[6:8] == counts[8:10], counts
