"""Questions that were answered before: shown, repeated, answered together, and when only a person may answer."""

import time

import pytest

from models.answer_rule import is_text_match
from tests.board import do, told
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


RULE = """... on AnswerRule { id name pattern answer enabled rank version
  questionTypes runKinds cardTypes stages labelIds }"""
RULES = "query($id: ID!) { board(id: $id) { answerRules { id name } } }"
TRY = "query($id: ID!) { testAnswerRule(id: $id) { question { id text } answer } }"
RULED = """query($id: ID!) { node(id: $id) { ... on Question { status answer answeredHow answeredBy { username }
  answerRule { name } } } }"""


async def rule(app, board, name="Colours", **input):
    return await do(app, "createAnswerRule", RULE, boardId=board, name=name, **input)


async def ruled(app, id):
    found = await app.data(RULED, id=id)
    return found["status"], found["answer"], found["answerRule"] and found["answerRule"]["name"]


async def test_the_first_rule_that_matches_answers_at_once_and_says_so(run):
    async with run() as app:
        board, _, worker, [one, two] = await at_work(app, 2, repeatedQuestions="ANSWER")
        await rule(app, board, "Not a choice", pattern="colour", answer=["green"])
        await rule(app, board, "Off", pattern="colour", answer=["red"], enabled=False)
        third = await rule(app, board, "Blue", pattern="WHICH  *?", answer=["BLUE"])
        await rule(app, board, "Last", questionTypes=["SINGLE"], answer=["red"])
        before = (await app.data("{ notifications { nodes { id } } }"))["nodes"]
        first = await asked(worker, one)
        shown = await app.data(RULED, id=first)
        assert shown == {
            "status": "ANSWERED",
            "answer": ["blue"],
            "answeredHow": "AUTOMATED",
            "answeredBy": None,
            "answerRule": {"name": "Blue"},
        }
        assert (await app.data("{ notifications { nodes { id } } }"))["nodes"] == before
        assert (await show(app, one))["status"] != "WAITING"
        [command] = [c for c in (await worker.beat(one))["commands"] if c.get("answers")]
        assert command["answers"] == [{"key": "0", "answer": ["blue"]}]
        await do(app, "deleteAnswerRule", id=third["id"])
        assert await ruled(app, first) == ("ANSWERED", ["blue"], None), "it stays"
        second = await asked(worker, two)
        assert await ruled(app, second) == ("ANSWERED", ["red"], "Last")
        assert (await look(app, second))["earlierAnswer"] is None, "answers of rules are not repeated"


async def test_a_rule_looks_at_the_kind_and_the_card(run):
    async with run() as app:
        board, cards, worker, [one, two] = await at_work(app, 2)
        home = await app.home()
        label = await do(
            app, "createLabel", "... on Label { id }", workspaceId=home, name="ui", colour="#00AA00"
        )
        await do(app, "addLabel", cardId=cards[1], labelId=label["id"])
        kind = (await app.data("query($id: ID!) { run(id: $id) { kind } }", id=one))["kind"]
        conditions = [
            ({"labelIds": [label["id"]]}, (False, True)),
            ({"runKinds": [kind]}, (True, True)),
            ({"runKinds": ["REVIEW"]}, (False, False)),
            ({"cardTypes": ["FEATURE"], "stages": ["IN_PROGRESS"]}, (True, True)),
            ({"cardTypes": ["BUG"]}, (False, False)),
            ({"stages": ["PLAN"]}, (False, False)),
            ({"questionTypes": ["TEXT"]}, (False, False)),
            ({"questionTypes": ["SINGLE"], "pattern": "COLOUR"}, (True, True)),
        ]
        for n, (given, expected) in enumerate(conditions):
            made = await rule(app, board, **given)
            for run_id, matches in zip((one, two), expected, strict=True):
                id = await asked(worker, run_id, {**CHOICE, "blocking": False}, key=f"k{n}")
                status, answer, by = await ruled(app, id)
                assert (status == "ANSWERED") is matches, (given, status)
                assert (answer, by) == ((["blue"], "Colours") if matches else (None, None)), "the recommended"
                if not matches:
                    assert (await app.data(CANCEL, id=id))["status"] == "CANCELLED"
            await do(app, "deleteAnswerRule", id=made["id"])


@pytest.mark.parametrize("why", ["HUMAN_REQUIRED", "CRITICAL", "permission", "people"])
async def test_no_rule_answers_for_a_person(run, why):
    async with run() as app:
        board, cards, worker, [_, two] = await at_work(app, 2, strict=why == "HUMAN_REQUIRED")
        made = await rule(app, board, pattern="*", answer=["red"])
        if why == "CRITICAL":
            await do(app, "updateCard", id=cards[1], priority="CRITICAL")
        if why == "people":
            given = {"cardId": cards[1], "text": CHOICE["text"], "options": CHOICE["options"]}
            id = (await app.data(PEOPLE, input=given))["id"]
        else:
            id = await asked(worker, two, {**CHOICE, "key": "leave"} if why == "permission" else CHOICE)
        assert (await ruled(app, id))[0] == "OPEN"
        assert await app.data(TRY, id=made["id"]) == []


async def test_a_trial_says_what_a_rule_would_have_answered(run):
    async with run() as app:
        board, _, worker, [one, _] = await at_work(app, 2)
        for n in range(55):
            id = await asked(worker, one, {**CHOICE, "blocking": False, "text": f"Colour {n}?"}, key=f"k{n}")
            assert (await app.data(CANCEL, id=id))["status"] == "CANCELLED"
        made = await rule(app, board, pattern="colour*0?", answer=["red"], enabled=False)
        with app.counting() as statements:
            found = await app.data(TRY, id=made["id"])
        assert [one["question"]["text"] for one in found] == [f"Colour {n}?" for n in (50, 40, 30, 20, 10)]
        assert {tuple(one["answer"]) for one in found} == {("red",)}
        assert len(statements) <= 4, statements
        assert await app.data(TRY, id="rule_00000000000000000000000000") is None


BAD_RULES = [
    ({}, "pattern"),
    ({"pattern": "x", "name": " "}, "name"),
    ({"pattern": "x", "name": "x" * 101}, "name"),
    ({"pattern": "x" * 501}, "pattern"),
    ({"pattern": "a\u0007b"}, "pattern"),
    ({"pattern": "x", "answer": []}, "answer"),
    ({"pattern": "x", "answer": [" "]}, "answer.0"),
    ({"pattern": "x", "answer": ["a", "a"]}, "answer"),
    ({"pattern": "x", "answer": ["x" * 10_001]}, "answer.0"),
    ({"pattern": "x", "answer": [str(n) for n in range(13)]}, "answer"),
    ({"stages": ["TODO", "TODO"]}, "stages"),
    ({"labelIds": [f"label_{n:026}" for n in range(21)]}, "labelIds"),
    ({"pattern": "x", "position": {"after": "rule_00000000000000000000000000"}}, "position.after"),
]


async def test_what_a_rule_cannot_be(run):
    async with run() as app:
        board, _ = await app.has_board()
        for input, path in BAD_RULES:
            refused = await rule(app, board, **input)
            assert refused["issues"][0]["path"] == path, input
        missing = await rule(app, board, labelIds=["label_00000000000000000000000000"])
        assert missing["code"] == "NOT_FOUND"
        made = await rule(app, board, pattern="x")
        refused = await do(app, "updateAnswerRule", id=made["id"], pattern="")
        assert refused["issues"][0]["path"] == "pattern"
        assert (await do(app, "deleteAnswerRule", id=made["id"], ifVersion=7))["version"] == 1
        for n in range(99):
            await rule(app, board, f"rule {n}", pattern="x")
        assert (await rule(app, board, pattern="x"))["__typename"] == "Conflict"
        assert len((await app.data(RULES, id=board))["answerRules"]) == 100


async def test_rules_are_changed_and_reordered_with_their_events(run):
    async with run() as app:
        board, _ = await app.has_board()
        one, two = [await rule(app, board, name, pattern="x") for name in ("one", "two")]
        await do(app, "moveAnswerRule", id=two["id"], position={"top": True})
        done = await do(
            app,
            "updateAnswerRule",
            RULE,
            id=one["id"],
            name="uno",
            answer=["y"],
            stages=["TODO"],
            ifVersion=1,
        )
        assert (done["name"], done["answer"], done["stages"], done["version"]) == ("uno", ["y"], ["TODO"], 2)
        back = await do(app, "updateAnswerRule", RULE, id=one["id"], answer=None)
        assert back["answer"] is None
        names = [one["name"] for one in (await app.data(RULES, id=board))["answerRules"]]
        assert names == ["two", "uno"]
        await do(app, "deleteAnswerRule", id=two["id"])
        shown = "kind ... on AnswerRuleEvent { ruleId name rule { name } }"
        events = [one for one in await told(app, board, shown) if one["kind"].startswith("AnswerRule")]
        assert [(one["kind"][10:], one["name"]) for one in events] == [
            ("Created", "one"),
            ("Created", "two"),
            ("Moved", "two"),
            ("Updated", "uno"),
            ("Updated", "uno"),
            ("Deleted", "two"),
        ]
        assert events[-1]["rule"] is None


def test_a_pattern_is_a_part_or_with_stars_the_whole_and_never_slow():
    for text, pattern, matches in (
        ("tabs or spaces?", "OR", True),
        ("tabs or spaces?", "", True),
        ("tabs or spaces?", "tabs * spaces?", True),
        ("tabs or spaces?", "tabs * spaces", False),
        ("tabs or spaces?", "*or*", True),
        ("aba", "ab*ba", False),
        ("abba", "ab*ba", True),
        ("a.c", "a?c", False),
        ("(a+)+$", "(a+)+$", True),
        ("straße", "STRASSE", False),
        ("strasse", "STRAßE", True),
    ):
        assert is_text_match(text, pattern) is matches, (text, pattern)
    began = time.perf_counter()
    for _ in range(100):
        assert not is_text_match("a" * 10_000, "*a" * 249 + "*b")
    assert time.perf_counter() - began < 1
