"""Questions: what may be asked and answered, what becomes of those nobody answers, and who hears of them live."""

from tests.test_run import until
from tests.work import ANSWER, CHOICE, MOVE, WORDS, hand, queued, set_policy, show

OPEN = "{ questions { nodes { id text blocking run { id } card { id } } } }"
CARDS = "query($id: ID!) { board(id: $id) { cards { nodes { id } } } }"
CANCEL = (
    """mutation($id: ID!) { cancelQuestion(input: {id: $id}) { __typename ... on Question { status } } }"""
)
PEOPLE = """mutation($input: AskQuestionInput!) { askQuestion(input: $input) { __typename
  ... on Question { id key type blocking runId status answer expiresAt options { label } }
  ... on Refusal { code } ... on Invalid { issues { path } } } }"""
ABOUT = "... on QuestionEvent { questionId runId: askingRunId question { text status } }"
FEED = f"""subscription($id: ID!, $after: String) {{
  questionFeed(boardId: $id, after: $after) {{ seq cursor event {{ kind: __typename {ABOUT} }} }} }}"""
INBOX = f"""subscription($id: ID!, $after: String) {{
  workspaceFeed(workspaceId: $id, after: $after) {{ seq cursor
  event {{ kind: __typename {ABOUT} }} }} }}"""
MULTI = {**CHOICE, "type": "MULTI"}
FREE = {**CHOICE, "allowOther": True}

BAD_QUESTIONS = [  # what is asked together, and where it is wrong
    ([], "questions"),
    ([{**WORDS, "key": f"{n}"} for n in range(5)], "questions"),
    ([WORDS, WORDS], "questions"),
    ([{**WORDS, "key": ""}], "questions.0.key"),
    ([WORDS, {**CHOICE, "text": " "}], "questions.1.text"),
    ([{**WORDS, "text": "x" * 10_001}], "questions.0.text"),
    ([{**WORDS, "header": "x" * 41}], "questions.0.header"),
    ([{**CHOICE, "options": [{"label": f"{n}"} for n in range(13)]}], "questions.0.options"),
    ([{**CHOICE, "options": [{"label": "red"}, {"label": "red"}]}], "questions.0.options"),
    ([{**CHOICE, "options": [{"label": ""}]}], "questions.0.options.0.label"),
    ([{**CHOICE, "options": []}], "questions.0.options"),
    ([{**MULTI, "options": []}], "questions.0.options"),
    ([{**CHOICE, "default": ["green"]}], "questions.0.default"),
    ([{**CHOICE, "default": ["red", "blue"]}], "questions.0.default"),
    ([{**FREE, "default": ["red", "or green"]}], "questions.0.default"),
    ([{**MULTI, "default": []}], "questions.0.default"),
]
ANSWERS = [  # question, options, text, and the answer, or where it is wrong
    (CHOICE, ["red"], None, ["red"]),
    (CHOICE, ["green"], None, "options.0"),
    (CHOICE, ["red", "blue"], None, "options"),
    (CHOICE, [], None, "options"),
    (CHOICE, [], "green", "text"),
    (FREE, [], " green ", ["green"]),
    (FREE, ["red"], "green", "options"),
    (MULTI, ["blue", "red"], None, ["blue", "red"]),
    (MULTI, ["red", "red"], None, "options"),
    (MULTI, ["red"], "green", "text"),
    (MULTI, [], None, "options"),
    ({**MULTI, "allowOther": True}, ["red"], "green", ["red", "green"]),
    (WORDS, [], "Stop\nhere", ["Stop\nhere"]),
    (WORDS, [], "  ", "options"),
    (WORDS, ["red"], None, "options.0"),
    (WORDS, [], "x" * 10_000, ["x" * 10_000]),
    (WORDS, [], "x" * 10_001, "text"),
    ({**CHOICE, "type": "TEXT"}, ["red"], "as wine", ["red", "as wine"]),
]


async def has_run(app, **policy):
    """A run that a worker has: its board, the worker, and its id."""
    board, [card] = await app.has_board("Paint")
    await set_policy(app, board, **policy)
    worker = await hand(app)
    await queued(app, card)
    return board, worker, await worker.take()


async def test_what_may_not_be_asked(run):
    async with run() as app:
        _, worker, id = await has_run(app)
        for asked, path in BAD_QUESTIONS:
            refused = await worker.ask(id, *asked)
            assert refused["code"] == "INVALID", asked
            assert refused["issues"][0]["path"] == path
        for seconds in (0, 2_592_001):
            refused = await worker.ask(id, WORDS, expiresInSeconds=seconds)
            assert refused["issues"][0]["path"] == "expiresInSeconds"
        shown = await show(app, id)
        assert (shown["status"], shown["questions"]) == ("CLAIMED", [])


async def test_what_is_an_answer(run):
    async with run() as app:
        _, worker, id = await has_run(app)
        for place, (question, options, text, expected) in enumerate(ANSWERS):
            asked = await worker.ask(id, {**question, "blocking": False}, key=f"{place}")
            [one] = asked["questions"]
            answer = await app.data(ANSWER, input={"id": one["id"], "options": options, "text": text})
            if isinstance(expected, list):
                assert (answer.get("answer"), answer["status"]) == (expected, "ANSWERED"), question
            else:
                assert answer["code"] == "INVALID", (question, options, text)
                assert answer["issues"][0]["path"] == expected
                assert (await app.data(CANCEL, id=one["id"]))["status"] == "CANCELLED"


async def test_nothing_waits_for_a_question_that_does_not_block(run):
    async with run() as app:
        _, worker, id = await has_run(app)
        asked = await worker.ask(id, {**WORDS, "blocking": False})
        [one] = (await app.data(OPEN))["nodes"]
        assert (one["blocking"], one["run"]["id"]) == (False, id)
        assert (await show(app, id))["status"] == "CLAIMED"
        await app.data(ANSWER, input={"id": asked["questions"][0]["id"], "text": "Stop"})
        [command] = (await worker.beat(id))["commands"]
        assert (command["kind"], command["answers"]) == ("ANSWER", [{"key": "1", "answer": ["Stop"]}])
        assert (await worker.complete(id))["status"] == "SUCCEEDED"


async def test_without_a_default_a_run_continues_without_an_answer(run):
    async with run() as app:
        _, worker, id = await has_run(app, questionExpiry="CONTINUE")
        await worker.ask(id, CHOICE, expiresInSeconds=1)
        went = await until(app, id, lambda run: run["status"] == "RUNNING")
        assert [(one["status"], one["answer"]) for one in went["questions"]] == [("EXPIRED", None)]
        [command] = (await worker.beat(id))["commands"]
        assert command["answers"] == [{"key": "0", "answer": []}]
        assert (await worker.complete(id))["status"] == "SUCCEEDED"


async def test_a_question_that_is_held_is_answered_whenever_somebody_does(run):
    async with run() as app:
        _, worker, id = await has_run(app, questionExpiry="HOLD")
        await worker.ask(id, CHOICE, expiresInSeconds=1)
        await until(app, id, lambda run: run["attempts"][0]["outcome"] == "RELEASED")
        [one] = (await app.data(OPEN))["nodes"]
        answered = await app.data(ANSWER, input={"id": one["id"], "options": ["blue"]})
        assert answered["run"]["status"] == "QUEUED"
        [claim] = await worker.claim()
        assert claim["run"]["id"] == id
        assert "  blue" in claim["work"]["prompt"]


async def test_people_ask_about_a_card_while_they_plan(run):
    async with run() as app:
        await app.has_user("max")
        _, [card] = await app.has_board("Paint")
        given = {"cardId": card, "text": "Which colours?", "type": "MULTI", "options": MULTI["options"]}
        asked = await app.data(PEOPLE, "max", input=given)
        assert (asked["blocking"], asked["runId"], asked["expiresAt"]) == (False, None, None)
        [one] = (await app.data(OPEN))["nodes"]
        assert one == {
            "id": asked["id"],
            "text": "Which colours?",
            "blocking": False,
            "run": None,
            "card": {"id": card},
        }
        heard = await app.data("{ notifications { nodes { type title questionId } } }")
        assert heard["nodes"] == [
            {"type": "QUESTION_ASKED", "title": "A question about WEB-1: Paint", "questionId": asked["id"]}
        ]
        assert await app.data("{ notifications { nodes { id } } }", "max") == {"nodes": []}
        assert (await app.data(MOVE, input={"id": card, "destination": {"stage": "TODO"}}))["stage"] == "TODO"
        answer = {"id": asked["id"], "options": ["red", "blue"]}
        assert (await app.data(ANSWER, input=answer))["status"] == "ANSWERED"
        assert (await app.data(ANSWER, "max", input=answer))["code"] == "CONFLICT"
        assert (await app.data(OPEN))["nodes"] == []
        look = "query($id: ID!) { card(id: $id) { questions { nodes { answer answeredBy { username } } } } }"
        [kept] = (await app.data(look, id=card))["questions"]["nodes"]
        assert kept["answer"] == ["red", "blue"]
        refused = await app.data(PEOPLE, input={**given, "options": [], "allowOther": False})
        assert refused["issues"] == [{"path": "options"}]
        for _ in range(20):
            await app.data(PEOPLE, input={"cardId": card, "text": "Again?"})
        assert (await app.data(PEOPLE, input={"cardId": card, "text": "Again?"}))["code"] == "CONFLICT"


async def test_the_inbox_says_who_asks(run):
    inbox = "{ questions { nodes { text run { id } askedBy { kind name user { username } } } } }"
    async with run() as app:
        await app.has_user("max")
        board, worker, id = await has_run(app)
        [card] = [one["id"] for one in (await app.data(CARDS, id=board))["cards"]["nodes"]]
        await worker.ask(id, WORDS)
        await app.data(PEOPLE, "max", input={"cardId": card, "text": "Which colours?"})
        agent, person = (await app.data(inbox))["nodes"]
        assert agent["askedBy"] == {"kind": "AGENT", "name": "Agent", "user": None}
        assert agent["run"] == {"id": id}
        who = {"kind": "USER", "name": "max", "user": {"username": "max"}}
        assert person == {"text": "Which colours?", "run": None, "askedBy": who}


async def test_a_question_of_people_expires_when_they_say_so(run):
    status = "query($id: ID!) { node(id: $id) { ... on Question { status } } }"
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        async with app.follow(FEED, id=board, after="0") as hear:
            given = {"cardId": card, "text": "Today?", "expiresInSeconds": 1}
            asked = await app.data(PEOPLE, input=given)
            kinds = [(await hear())["questionFeed"]["kind"] for _ in range(2)]
            assert kinds == ["QuestionAsked", "QuestionExpired"]
        assert await app.data(status, id=asked["id"]) == {"status": "EXPIRED"}


async def test_the_feed_of_questions_tells_them_alone_and_goes_on_after_a_cursor(run):
    async with run() as app:
        board, worker, id = await has_run(app)
        async with app.follow(FEED, id=board, after="0") as hear:
            first = await worker.ask(id, CHOICE)
            told = (await hear())["questionFeed"]
            assert (told["kind"], told["questionId"]) == ("QuestionAsked", first["questions"][0]["id"])
            assert (told["runId"], told["question"]["text"]) == (id, "Which colour?")
        await app.data(ANSWER, input={"id": told["questionId"], "options": ["red"]})
        await worker.report(id, "1", {"type": "OUTPUT", "text": "At it"})
        await worker.ask(id, WORDS, key="other")
        async with app.follow(FEED, id=board, after=told["cursor"]) as hear:
            missed = [(await hear())["questionFeed"] for _ in range(2)]
            assert [one["kind"] for one in missed] == ["QuestionAnswered", "QuestionAsked"]
            assert missed[0]["questionId"] == told["questionId"]
            assert missed[1]["question"] == {"text": WORDS["text"], "status": "OPEN"}
            assert told["seq"] < missed[0]["seq"] < missed[1]["seq"]
            await app.data(CANCEL, id=missed[1]["questionId"])
            assert (await hear())["questionFeed"]["kind"] == "QuestionCancelled"


async def of_questions(hear):
    """The next event of a workspace that is about a question."""
    while "questionId" not in (event := (await hear())["workspaceFeed"]):
        pass
    return event


async def test_the_feed_of_the_workspace_is_the_live_inbox_of_all_its_boards(run):
    async with run() as app:
        cards = [(await app.has_board("Paint", name=name))[1][0] for name in ("Web", "Api")]
        worker = await hand(app)
        home = await app.home()
        async with app.follow(INBOX, id=home, after="0") as hear:
            told = []
            for card in cards:
                id = await queued(app, card)
                await worker.take()
                await worker.ask(id, WORDS)
                told.append(await of_questions(hear))
            assert [one["kind"] for one in told] == ["QuestionAsked"] * 2
            assert told[1]["seq"] == told[0]["seq"] + 1, "dense: what is missed is known"
            inbox = [one["id"] for one in (await app.data(OPEN))["nodes"]]
            assert [one["questionId"] for one in told] == inbox
            await app.data(ANSWER, input={"id": inbox[0], "text": "Stop"})
            closed = await of_questions(hear)
            assert (closed["kind"], closed["questionId"]) == ("QuestionAnswered", inbox[0])
        async with app.follow(INBOX, id=home, after=told[0]["cursor"]) as hear:
            kinds = [(await hear())["workspaceFeed"]["kind"] for _ in range(2)]
            assert kinds == ["QuestionAsked", "QuestionAnswered"]
