"""Knowledge of a card: kinds with their evidence, states that people decide, what agents may write."""

from tests.board import card, do, reads, told
from tests.tenants import two  # noqa: F401 - a fixture
from tests.test_agent_access import at_work

ITEM = "... on KnowledgeItem { id kind text state origin evidence confidence version run { id } }"


async def add(app, id, text, kind="REQUIREMENT", **input):
    return await do(app, "addKnowledge", ITEM, cardId=id, text=text, kind=kind, **input)


async def texts(app, id):
    return [one["text"] for one in (await card(app, id, "knowledge { text }"))["knowledge"]]


async def test_a_card_says_what_is_required_known_and_assumed(run):
    async with run() as app:
        board, [id] = await app.has_board("Pay")
        need = await add(app, id, "Cards are accepted\nin three currencies")
        fact = await add(app, id, "The bank answers in 2 s", "FACT", evidence="bank.log", confidence=0.9)
        guess = await add(app, id, "Nobody pays in yen", "ASSUMPTION", position={"top": True})
        assert (need["state"], need["origin"], need["evidence"], need["run"]) == (
            "DRAFT",
            "HUMAN",
            None,
            None,
        )
        assert (fact["evidence"], fact["confidence"]) == ("bank.log", 0.9)
        assert await texts(app, id) == [guess["text"], need["text"], fact["text"]]
        done = await do(app, "updateKnowledge", ITEM, id=guess["id"], state="REJECTED", ifVersion=1)
        assert (done["state"], done["version"]) == ("REJECTED", 2)
        turned = await do(
            app, "updateKnowledge", ITEM, id=fact["id"], kind="ASSUMPTION", evidence=None, confidence=None
        )
        assert (turned["kind"], turned["evidence"], turned["confidence"]) == ("ASSUMPTION", None, None)
        await do(app, "moveKnowledge", id=fact["id"], position={"before": need["id"]})
        await do(app, "deleteKnowledge", id=guess["id"])
        assert await texts(app, id) == [fact["text"], need["text"]]
        shown = """kind ... on KnowledgeEvent { title knowledgeKind item { id } card { id } }
          ... on KnowledgeUpdated { changes { field before after } }"""
        events = (await told(app, board, shown))[2:]
        assert [(one["kind"], one["title"]) for one in events] == [
            ("KnowledgeAdded", "Cards are accepted"),
            ("KnowledgeAdded", fact["text"]),
            ("KnowledgeAdded", guess["text"]),
            ("KnowledgeUpdated", guess["text"]),
            ("KnowledgeUpdated", fact["text"]),
            ("KnowledgeMoved", fact["text"]),
            ("KnowledgeDeleted", guess["text"]),
        ]
        assert events[3]["changes"] == [{"field": "state", "before": "DRAFT", "after": "REJECTED"}]
        assert events[2]["item"] is None, "it is gone by now"
        timeline = "timeline(first: 50) { nodes { ... on TimelineChange { type about } } }"
        found = (await card(app, id, timeline))["timeline"]["nodes"]
        assert {"type": "KnowledgeAdded", "about": "Cards are accepted"} in found


BAD = [
    ({"text": " "}, "text"),
    ({"text": "x" * 5_001}, "text"),
    ({"text": "a\u0007b"}, "text"),
    ({"text": "x", "kind": "FACT"}, "evidence"),
    ({"text": "x", "kind": "FACT", "evidence": " "}, "evidence"),
    ({"text": "x", "kind": "FACT", "evidence": "x" * 5_001}, "evidence"),
    ({"text": "x", "kind": "ASSUMPTION", "evidence": "x"}, "evidence"),
    ({"text": "x", "confidence": 1.1}, "confidence"),
    ({"text": "x", "confidence": -0.1}, "confidence"),
    ({"text": "x", "position": {"after": "knowledge_00000000000000000000000000"}}, "position.after"),
]


async def test_what_knowledge_cannot_be(run):
    async with run() as app:
        _, [id] = await app.has_board("Pay")
        fact = await add(app, id, "known", "FACT", evidence="seen")
        for input, path in BAD:
            refused = await add(app, id, **input)
            assert refused["issues"][0]["path"] == path, input
        for input, path in (
            ({"kind": "REQUIREMENT"}, "evidence"),
            ({"evidence": None}, "evidence"),
            ({"text": None}, "text"),
            ({"state": None}, "state"),
        ):
            refused = await do(app, "updateKnowledge", id=fact["id"], **input)
            assert refused["issues"][0]["path"] == path, input
        for field in ("updateKnowledge", "deleteKnowledge"):
            assert (await do(app, field, id=fact["id"], ifVersion=7))["version"] == 1
        assert await texts(app, id) == ["known"]


async def test_a_card_has_at_most_100_of_them(run):
    async with run() as app:
        _, [id] = await app.has_board("Pay")
        adds = " ".join(
            f'a{n}: addKnowledge(input: {{cardId: $c, kind: REQUIREMENT, text: "{n}"}}) {{ __typename }}'
            for n in range(25)
        )
        for _ in range(4):
            await app.ask(f"mutation($c: ID!) {{ {adds} }}", c=id)
        assert (await add(app, id, "more"))["__typename"] == "Conflict"
        assert await texts(app, id) == [str(n) for n in range(25)] * 4


async def test_an_agent_writes_drafts_and_decides_nothing(two):  # noqa: F811
    async with two() as (app, home, _):
        _, run, agent = await at_work(app, home)
        mine, ann = home.ids["card"], home.actor("ann")
        wrote = await do(app, "addKnowledge", ITEM, agent, cardId=mine, kind="ASSUMPTION", text="perhaps")
        assert (wrote["origin"], wrote["state"], wrote["run"]) == ("AGENT", "DRAFT", {"id": run})
        for field, input in (
            ("addKnowledge", {"cardId": mine, "kind": "ASSUMPTION", "text": "x", "state": "APPROVED"}),
            ("addKnowledge", {"cardId": home.ids["next"], "kind": "ASSUMPTION", "text": "x"}),
            ("updateKnowledge", {"id": wrote["id"], "state": "APPROVED"}),
            ("updateKnowledge", {"id": home.ids["knowledge"], "text": "x"}),
            ("moveKnowledge", {"id": home.ids["knowledge"]}),
            ("deleteKnowledge", {"id": home.ids["knowledge"]}),
        ):
            assert (await do(app, field, "", agent, **input))["code"] in ("FORBIDDEN", "NOT_FOUND"), field
        better = await do(app, "updateKnowledge", ITEM, agent, id=wrote["id"], text="surely", confidence=1)
        assert better["text"] == "surely"
        await do(app, "updateKnowledge", "", ann, id=wrote["id"], state="APPROVED")
        for field, input in (("updateKnowledge", {"text": "no"}), ("deleteKnowledge", {})):
            assert (await do(app, field, "", agent, id=wrote["id"], **input))["code"] == "FORBIDDEN"
        kept = await card(app, mine, "knowledge { text state }", ann)
        assert {"text": "surely", "state": "APPROVED"} in kept["knowledge"]


async def test_the_knowledge_of_many_cards_is_one_statement(run):
    look = (
        "query($id: ID!) { board(id: $id) { cards { nodes { knowledge { text } plannedFiles { path } } } } }"
    )
    async with run() as app:
        board, ids = await app.has_board(*"abcde")
        for id in ids:
            await add(app, id, "one")
            await do(app, "addPlannedFile", cardId=id, path="a.py")
        with app.counting() as statements:
            found = await app.data(look, id=board)
        shown = {"knowledge": [{"text": "one"}], "plannedFiles": [{"path": "a.py"}]}
        assert found["cards"]["nodes"] == [shown] * 5
        assert len(reads(statements)) == 4, statements
