"""Questions in the log of their run, whoever asks and answers; and those that only a person may end."""

from tests.conftest import MAKE_KEY
from tests.work import ANSWER, CHOICE, REFUSED, WORDS, about_run, at_work, hand, queued, set_policy, show

CANCEL = (
    f"mutation($input: CancelQuestionInput!) {{ cancelQuestion(input: $input) {{ __typename {REFUSED} }} }}"
)
AS_AGENT = f"""mutation($input: AskAsAgentInput!) {{ askAsAgent(input: $input) {{ __typename
  ... on Questions {{ questions {{ id }} }} {REFUSED} }} }}"""
FEED = """subscription($id: ID!, $after: String) { runFeed(runId: $id, after: $after) { __typename seq
  ... on RunQuestion { text key decision blocking asks { key text multiple other options { label description } } }
} }"""
DECISIONS = """query($id: ID!) { run(id: $id) { events(first: 100, types: [QUESTION]) { nodes {
  ... on RunQuestion { text key decision asks { key text } } } } } }"""


async def lines(hear, count):
    """The next lines about questions."""
    heard = []
    while len(heard) < count:
        item = (await hear())["runFeed"]
        heard += [item] * (item["__typename"] == "RunQuestion")
    return heard


async def decisions(app, run):
    nodes = (await app.data(DECISIONS, id=run))["events"]["nodes"]
    return [(one["key"], one["decision"], [ask["key"] for ask in one["asks"]], one["text"]) for one in nodes]


async def until(app, run, count):
    """What the log says of questions, as soon as it says so much."""
    async with app.follow(FEED, id=run, after="0") as hear:
        await lines(hear, count)
    return await decisions(app, run)


async def test_what_is_asked_and_answered_is_in_the_runs_log(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        async with app.follow(FEED, id=id, after="0") as hear:
            asked = await worker.ask(id, CHOICE, {**WORDS, "type": "MULTI", "options": [{"label": "stop"}]})
            await worker.ask(id, CHOICE, {**WORDS, "type": "MULTI", "options": [{"label": "stop"}]})
            first, second = [one["id"] for one in asked["questions"]]
            [line] = await lines(hear, 1)
            options = [{"label": "red", "description": ""}, {"label": "blue", "description": "as the sea"}]
            assert line | {"seq": 0} == {
                "__typename": "RunQuestion",
                "seq": 0,
                "text": "",
                "key": "q",
                "decision": "ASKED",
                "blocking": True,
                "asks": [
                    {
                        "key": "0",
                        "text": "Which colour?",
                        "multiple": False,
                        "other": False,
                        "options": options,
                    },
                    {
                        "key": "1",
                        "text": "What shall it say?",
                        "multiple": True,
                        "other": True,
                        "options": [{"label": "stop", "description": ""}],
                    },
                ],
            }
            await app.data(ANSWER, input={"id": second, "options": ["stop"], "text": "Go slowly"})
            await worker.say("releaseRun", id)  # nobody is there when the other one is answered
            await app.data(ANSWER, input={"id": first, "options": ["red"]})
            closed = await lines(hear, 2)
        assert [(one["decision"], one["text"]) for one in closed] == [
            ("ANSWERED", "stop; Go slowly"),
            ("ANSWERED", "red"),
        ]
        assert [ask["key"] for one in closed for ask in one["asks"]] == ["1", "0"]


async def test_what_an_agent_asks_by_itself_is_there_too(run):
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        id = await queued(app, card)
        [claim] = await worker.claim()
        app.tokens["agent"] = f"Bearer {claim['work']['agentToken']}"
        for _ in range(2):  # asked again, it is not said again
            asked = await app.data(AS_AGENT, "agent", input={"key": "tool", "questions": [WORDS]})
        await app.data(ANSWER, input={"id": asked["questions"][0]["id"], "text": "Stop"})
        assert await decisions(app, id) == [("tool", "ASKED", ["1"], ""), ("tool", "ANSWERED", ["1"], "Stop")]


async def test_how_else_a_question_ends_is_there(run):
    async with run() as app:
        board, cards = await app.has_board("expires", "is taken back", "is stopped")
        await set_policy(app, board, concurrency=0, questionExpiry="CONTINUE")
        worker = await hand(app)
        ids = [await queued(app, card) for card in cards]
        await worker.claim(3)
        await worker.ask(ids[0], {**WORDS, "default": ["Go"]}, expiresInSeconds=1)
        asked = await worker.ask(ids[1], WORDS)
        assert (await app.data(CANCEL, input={"id": asked["questions"][0]["id"]}))["__typename"] == "Question"
        await worker.ask(ids[2], WORDS)
        await app.data(about_run("stopRun"), input={"id": ids[2]})
        for id, end in zip(ids, (("EXPIRED", "Go"), ("CANCELLED", ""), ("CANCELLED", "")), strict=True):
            assert await until(app, id, 2) == [("q", "ASKED", ["1"], ""), ("q", end[0], ["1"], end[1])]


async def test_a_question_too_large_for_a_line_is_told_briefly(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        options = [{"label": f"{n} " + "é" * 197, "description": "é" * 1_000} for n in range(12)]
        large = {"text": "é" * 10_000, "type": "SINGLE", "options": options, "default": [options[0]["label"]]}
        asked = await worker.ask(id, *({"key": str(n), **large} for n in range(4)))
        assert asked["__typename"] == "Questions", asked
        async with app.follow(FEED, id=id, after="0") as hear:
            [line] = await lines(hear, 1)
        assert [len(ask["text"]) for ask in line["asks"]] == [500] * 4
        assert line["asks"][3]["options"][11] == {"label": options[11]["label"], "description": ""}


async def test_how_freely_an_agent_may_act_is_told_to_its_worker(run):
    make = """mutation($input: CreateAgentProfileInput!) { createAgentProfile(input: $input) {
      ... on AgentProfile { id } ... on Refusal { message } } }"""
    async with run() as app:
        board, cards = await app.has_board("One", "Two", "Three")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        given = {"workspaceId": await app.home(), "name": "Careful", "executor": "SCRIPTED"}
        profile = (await app.data(make, input={**given, "permission": "HUMAN_REQUIRED"}))["id"]
        await queued(app, cards[0])
        await queued(app, cards[1], profileIds=[profile])
        await queued(app, cards[2], profileIds=[profile], permission="SUPERVISED")
        told = [one["work"] for one in await worker.claim(3)]
        assert [(work["permission"], work["supervised"]) for work in told] == [
            ("AUTONOMOUS", False),
            ("HUMAN_REQUIRED", True),
            ("SUPERVISED", True),
        ]


async def test_a_person_is_required(run):
    """No key ends the question, no default, no lapse of time. Under another permission each of them may."""
    async with run() as app:
        board, cards = await app.has_board("needs a person", "does not", "has time")
        await set_policy(app, board, concurrency=0, questionExpiry="CONTINUE")
        given = {"workspaceId": await app.home(), "name": "bot", "scopes": ["WRITE"]}
        app.tokens["bot"] = f"Bearer {(await app.data(MAKE_KEY, input=given))['secret']}"
        worker = await hand(app)
        ids = [await queued(app, cards[0], permission="HUMAN_REQUIRED")]
        ids += [await queued(app, card, permission="SUPERVISED") for card in cards[1:]]
        await worker.claim(3)
        late = {**WORDS, "default": ["Go"]}
        asked = [await worker.ask(id, late, expiresInSeconds=1) for id in ids[:2]]
        asked.append(await worker.ask(ids[2], {**WORDS, "text": "And after that?"}))
        strict, _, other = [one["questions"][0]["id"] for one in asked]
        for query, input in ((ANSWER, {"id": strict, "text": "Stop"}), (CANCEL, {"id": strict})):
            assert (await app.data(query, "bot", input=input))["code"] == "FORBIDDEN"
        answered = await app.data(ANSWER, "bot", input={"id": other, "text": "Stop"})
        assert (answered["status"], answered["answeredHow"]) == ("ANSWERED", "AUTOMATED")
        assert (await until(app, ids[1], 2))[1][1] == "EXPIRED"  # they expired together
        held = await show(app, ids[0])
        assert (held["status"], held["questions"][0]["status"]) == ("WAITING", "OPEN")
        answered = await app.data(ANSWER, input={"id": strict, "text": "Stop"})
        assert (answered["status"], answered["answer"]) == ("ANSWERED", ["Stop"])
