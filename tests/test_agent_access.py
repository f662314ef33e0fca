"""What an agent may, under its run's own credential: everything there is, asked by it.

The tables are tests/tenants.py; here stands what of them is its own card's. Whatever is added to the schema is
asked too: what is not said here must be refused, and show nothing.
"""

import json

import pytest

from models.run import RUN_PREFIX
from tests.client import Closed, Refused
from tests.tenants import ANYONE, MUTATIONS, SUBSCRIPTIONS
from tests.test_tenancy import following, leaks, questions, strings
from tests.work import ANSWER, POLICY, Hand, in_todo

# What hangs on the card, and the little of its board that goes with it. Who wrote and made something is named.
ITS_OWN = {
    "board",
    "column",
    "other",
    "card",
    "subtask",
    "step",
    "message",
    "file",
    "link",
    "conversation",
    "admin",
    "group",
    "activity",
    "sprint",
    "running",
    "knowledge",
    "guess",
    "planned",
    "folder",
    "approval",
    "document",
    "doclink",
    "pull",
}
# Named by their ids only: whose board it is, the other end of its card's link, who works and worked on it.
NAMED = {"workspace", "next", "worker"}
# What it may change: with this input, or with that of the table.
MAY = {
    "createCard": {"boardId": "$board", "title": "% part", "parentId": "$card"},
    "createCards": {"boardId": "$board", "cards": [{"title": "% part", "parentId": "$card"}]},
    "updateCard": None,
    "addSubtask": None,
    "updateSubtask": None,
    "moveSubtask": None,
    "setPhases": None,
    "deleteSubtask": None,
    "addKnowledge": None,
    "addPlannedFile": None,
    "postMessage": None,
    "attachFile": None,
    "uploadFile": None,
    "createFile": None,
    "askAsAgent": None,
    "proposePlan": None,
}
NO = {"FORBIDDEN", "NOT_FOUND"}


async def at_work(app, home, card="card"):
    """A run on a card of a tenant, held by its worker: the worker, the claim, and the agent's actor."""
    ann = home.actor("ann")
    await app.data(POLICY, ann, input={"boardId": home.ids["board"], "leaseSeconds": 3600, "concurrency": 0})
    given = {"workspaceId": home.ids["workspace"], "executors": ["SCRIPTED"], "maxConcurrent": 50}
    made = await home.mutate("registerWorker", {**given, "name": f"hand for {card}"}, ann)
    worker = Hand(app, made["id"], ann)
    await in_todo(app, home.ids[card], ann)
    claims = {claim["run"]["card"]["id"]: claim for claim in await worker.claim(10)}
    claim, actor = claims[home.ids[card]], home.actor(f"agent of {card}")
    app.tokens[actor] = f"Bearer {claim['work']['agentToken']}"
    return worker, claim["run"]["id"], actor


async def code_of(app, query, actor, **variables):
    answer = await app.ask(query, actor, **variables)
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else None


def hidden(home):
    """Ids and words that no answer may have."""
    ids = [id for name, id in home.ids.items() if isinstance(id, str) and name not in ITS_OWN | NAMED]
    words = ["workspace", "next", "parent", "child", "worked", "sibling", "worker", "vic", "max", "says"]
    return [*ids, *(f"{home.mark} {word}" for word in words)]


async def test_it_sees_its_card_and_no_other(two):
    async with two() as (app, home, away):
        _, _, agent = await at_work(app, home)
        shown = []
        for name, query, _ in questions(home):
            answer = await app.ask(query, agent)
            text = json.dumps(answer)
            assert [one for one in hidden(home) if one in text and one not in query] == [], name
            assert leaks(away, answer) == [], name
            shown += [name] * (home.ids["card"] in text)
        assert {"node", "card", "cards", "Card", "Subtask", "Message", "CardLink", "runs"} <= set(shown)


async def test_two_agents_see_a_card_each(two):
    look = (
        "query($id: ID!) { card(id: $id) { id title subtasks { id } links { id } messages { totalCount } } }"
    )
    async with two() as (app, home, _):
        agents = {card: (await at_work(app, home, card))[2] for card in ("card", "next", "parent")}
        for mine, agent in agents.items():
            for card in agents:
                seen = await app.data(look, agent, id=home.ids[card])
                assert (seen and seen["title"]) == (f"canary {card}" if card == mine else None), (mine, card)


async def test_anything_by_its_id(two):
    async with two() as (app, home, away):
        _, run, agent = await at_work(app, home)
        ask = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        ids = {name: id for name, id in home.ids.items() if isinstance(id, str) and name != "admin"}
        found = await app.data(ask, agent, ids=[*ids.values()])
        seen = {name for name, one in zip(ids, found, strict=True) if one is not None}
        assert seen == ITS_OWN - {"admin"}
        assert await app.data(ask, agent, ids=[*away.ids.values()][:20]) == [None] * 20
        viewer = await app.data(
            "{ viewer { kind run { id card { title } } user { id } apiKey { id } } }", agent
        )
        assert viewer["run"] == {"id": run, "card": {"title": "canary card"}}
        assert (viewer["kind"], viewer["user"], viewer["apiKey"]) == ("AGENT", None, None)


async def test_it_counts_and_lists_its_own_card_only(two):
    async with two() as (app, home, _):
        _, run, agent = await at_work(app, home)
        look = """query($id: ID!) { board(id: $id) { name workspace { id } openCardCount cards { totalCount }
            columns { cardCount cards { nodes { id } } } runs { nodes { id } } policy { instructions } } }"""
        board = await app.data(look, agent, id=home.ids["board"])
        assert (board["openCardCount"], board["cards"]["totalCount"], board["workspace"]) == (1, 1, None)
        assert sum(column["cardCount"] for column in board["columns"]) == 1
        assert [one["id"] for one in board["runs"]["nodes"]] == [run]
        moves = await app.data(
            "query($id: ID!) { card(id: $id) { allowedStages } }", agent, id=home.ids["card"]
        )
        assert moves == {"allowedStages": []}


async def test_it_changes_its_card_and_nothing_else(two):
    async with two() as (app, home, _):
        _, _, agent = await at_work(app, home)
        wrong = []
        for name, case in MUTATIONS.items():
            answer = await home.mutate(name, home.fill(MAY.get(name) or case.input), agent)
            allowed = {case.answer} if name in MAY else NO
            if case.who != ANYONE and answer.get("code") not in allowed:
                wrong.append((name, answer))
        assert wrong == []


MAY_NOT = [
    ("updateCard", {"id": "$card", "destination": {"stage": "DONE"}}),
    ("updateCard", {"id": "$card", "destination": {"columnId": "$other"}}),
    ("updateCard", {"id": "$card", "priority": "CRITICAL"}),
    ("updateCard", {"id": "$next", "title": "%"}),
    ("createCard", {"boardId": "$board", "title": "%"}),
    ("createCard", {"boardId": "$board", "title": "%", "parentId": "$parent"}),
    (
        "createCard",
        {"boardId": "$board", "title": "%", "parentId": "$card", "destination": {"stage": "TODO"}},
    ),
    ("createCard", {"boardId": "$sibling", "title": "%", "parentId": "$card"}),
    ("addSubtask", {"cardId": "$next", "title": "%"}),
    ("updateSubtask", {"id": "$siblingSubtask", "completed": True}),
    ("postMessage", {"cardId": "$next", "body": "%"}),
    ("editMessage", {"id": "$message", "body": "%"}),
    ("deleteMessage", {"id": "$message"}),
    ("answerQuestion", {"id": "$question", "text": "%"}),
]


async def test_what_it_may_not(two):
    async with two() as (app, home, _):
        _, _, agent = await at_work(app, home)
        for mutation, input in MAY_NOT:
            answer = await home.mutate(mutation, home.fill(input), agent)
            assert answer.get("code") in NO, (mutation, input, answer)
            assert leaks(home, answer, strings(home.fill(input))) == [], (mutation, input)


async def test_it_follows_its_run_only(two):
    async with two() as (app, home, _):
        _, run, agent = await at_work(app, home)
        for name, arguments in SUBSCRIPTIONS.items():
            async with app.follow(
                following(name, home.fill(arguments), "{ __typename }"), agent, after="0"
            ) as hear:
                with pytest.raises(Refused) as refused:
                    await hear(5)
                assert refused.value.code in NO, name
        mine = f'subscription {{ runFeed(runId: "{run}", after: "0") {{ __typename }} }}'
        async with app.follow(mine, agent) as hear:
            assert (await hear())["runFeed"]


async def test_its_credential_ends_with_its_attempt(two):
    look = "{ viewer { kind } }"
    async with two() as (app, home, _):
        worker, run, agent = await at_work(app, home)
        assert await code_of(app, look, agent) is None
        async with app.follow(f'subscription {{ runFeed(runId: "{run}") {{ __typename }} }}', agent) as hear:
            await worker.say("releaseRun", run)
            assert await code_of(app, look, agent) == "UNAUTHENTICATED"
            with pytest.raises(Closed, match="4403"):
                [one async for one in hear]
        [claim] = [one for one in await worker.claim(10) if one["run"]["id"] == run]
        again = claim["work"]["agentToken"]
        assert await code_of(app, look, agent) == "UNAUTHENTICATED"  # the one before stays ended
        app.tokens[agent] = f"Bearer {again}"
        assert await code_of(app, look, agent) is None
        for wrong in (again[:-2] + "xx", again.removeprefix(RUN_PREFIX), f"{RUN_PREFIX}nonsense", RUN_PREFIX):
            app.tokens[agent] = f"Bearer {wrong}"
            assert await code_of(app, look, agent) == "UNAUTHENTICATED"
        app.tokens[agent] = app.tokens[home.actor("ann")].replace("Bearer ", f"Bearer {RUN_PREFIX}")
        assert await code_of(app, look, agent) == "UNAUTHENTICATED"


async def test_what_it_did_is_told_as_its_program(two):
    async with two() as (app, home, _):
        _, run, agent = await at_work(app, home)
        await home.mutate("postMessage", home.fill({"cardId": "$card", "body": "from the agent"}), agent)
        ask = "query($id: ID!) { card(id: $id) { messages(last: 1) { nodes { author { kind actorId name } } } } }"
        card = await app.data(ask, home.actor("ann"), id=home.ids["card"])
        assert card["messages"]["nodes"][0]["author"] == {"kind": "AGENT", "actorId": run, "name": "Agent"}


async def test_it_asks_and_is_answered(two):
    ask = """mutation($input: AskAsAgentInput!) { askAsAgent(input: $input) { __typename
        ... on Questions { questions { id status } } ... on Refusal { code } } }"""
    look = "query($key: String!) { awaitAnswers(key: $key) { key status answer } }"
    async with two() as (app, home, _):
        _, run, agent = await at_work(app, home)
        given = {"key": "k", "questions": [{"key": "0", "text": "Red?"}]}
        [question] = (await app.data(ask, agent, input=given))["questions"]
        assert (await app.data(ask, agent, input=given))["questions"] == [question]
        other = {**given, "questions": [{"key": "0", "text": "Blue?"}]}
        assert (await app.data(ask, agent, input=other))["code"] == "CONFLICT"
        assert await app.data(look, agent, key="k") == [{"key": "0", "status": "OPEN", "answer": None}]
        state = "query($id: ID!) { run(id: $id) { status } }"
        assert await app.data(state, home.actor("ann"), id=run) == {"status": "WAITING"}
        answer = {"id": question["id"], "text": "Yes"}
        assert (await home.mutate("answerQuestion", answer, agent))["code"] == "FORBIDDEN"
        await app.data(ANSWER, home.actor("ann"), input=answer)
        assert await app.data(look, agent, key="k") == [{"key": "0", "status": "ANSWERED", "answer": ["Yes"]}]
        assert await app.data(state, home.actor("ann"), id=run) == {"status": "RUNNING"}
        assert await app.data(look, home.actor("ann"), key="k") == []
