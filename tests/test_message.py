"""Messages: said, edited and taken back by who may, paged from both ends, and the timeline they share."""

import pytest

from tests.board import MESSAGE, card, do, reads, told


async def post(app, card_id, body, actor=""):
    return await do(app, "postMessage", f"... on Message {{ {MESSAGE} }}", actor, cardId=card_id, body=body)


async def test_a_message_is_said_edited_and_taken_back(run):
    async with run() as app:
        board, [id] = await app.has_board("Ship it")
        said = await post(app, id, "  **First**  ")
        assert said["body"] == "**First**"
        assert said["author"] == {"kind": "USER", "name": "owner"}
        assert (said["editedAt"], said["version"]) == (None, 1)
        edited = await do(app, "editMessage", f"... on Message {{ {MESSAGE} }}", id=said["id"], body="Second")
        assert (edited["body"], edited["version"]) == ("Second", 2)
        assert edited["editedAt"]
        assert (await card(app, id, "messageCount"))["messageCount"] == 1
        gone = await do(app, "deleteMessage", f"... on Message {{ {MESSAGE} }}", id=said["id"])
        assert (gone["body"], gone["version"]) == ("", 3)
        assert gone["deletedAt"]
        again = await do(app, "deleteMessage", "... on Message { version }", id=said["id"])
        assert again["version"] == 3, "twice is once"
        refused = await do(app, "editMessage", id=said["id"], body="Third")
        assert refused["__typename"] == "Conflict"
        left = await card(app, id, "messageCount messages { totalCount nodes { body deletedAt } }")
        assert left["messageCount"] == 0
        assert left["messages"] == {"totalCount": 1, "nodes": [{"body": "", "deletedAt": gone["deletedAt"]}]}
        kinds = [e["kind"] for e in await told(app, board)]
        assert kinds[2:] == ["MessagePosted", "MessageEdited", "MessageDeleted"]


@pytest.mark.parametrize("body", ["", "   ", "x" * 10_001, "bell \u0007"])
async def test_what_a_message_cannot_be(run, body):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        refused = await post(app, id, body)
        assert refused["__typename"] == "Invalid"
        assert refused["issues"][0]["path"] == "body"
        said = await post(app, id, "x" * 10_000)
        refused = await do(app, "editMessage", id=said["id"], body=body)
        assert refused["__typename"] == "Invalid"
        assert (await card(app, id, "messages { nodes { version } }"))["messages"]["nodes"] == [
            {"version": 1}
        ]


async def test_messages_are_paged_from_both_ends(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        for number in range(7):
            await post(app, id, str(number))

        async def page(arguments):
            shown = f"messages({arguments}) {{ nodes {{ body }} {INFO} }}"
            found = (await card(app, id, shown))["messages"]
            info = found["pageInfo"]
            return (
                "".join(n["body"] for n in found["nodes"]),
                info["hasPreviousPage"],
                info["hasNextPage"],
                info,
            )

        assert (await page("first: 3"))[:3] == ("012", False, True)
        after = (await page("first: 3"))[3]["endCursor"]
        assert (await page(f'first: 3, after: "{after}"'))[:3] == ("345", True, True)
        assert (await page("last: 3"))[:3] == ("456", True, False)
        before = (await page("last: 3"))[3]["startCursor"]
        assert (await page(f'last: 3, before: "{before}"'))[:3] == ("123", True, True)
        assert (await page(f'last: 4, before: "{before}"'))[:3] == ("0123", False, True)
        assert (await page("first: 7"))[:3] == ("0123456", False, False)


INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
TIMELINE = """timeline(first: $first, after: $after) { pageInfo { hasNextPage endCursor }
  nodes { __typename at actor { kind name }
    ... on TimelineChange { kind: type about changes { field before after } }
    ... on TimelineMessage { message { body } } } }"""
ASK = f"query($id: ID!, $first: Int, $after: String) {{ card(id: $id) {{ {TIMELINE} }} }}"


async def test_the_timeline_merges_changes_and_messages_newest_first(run):
    async with run() as app:
        _, [id, other] = await app.has_board("Ship it", "Other")
        await post(app, id, "What about it?")
        await do(app, "updateCard", id=id, title="Ship that", priority="HIGH")
        await do(app, "moveCard", id=id, destination={"stage": "TODO"})
        await post(app, id, "Go!")
        await do(app, "addSubtask", cardId=id, title="Pack")
        await do(app, "linkCards", cardId=id, targetId=other, kind="BLOCKS")
        await post(app, other, "not here")
        found = (await app.data(ASK, id=id))["timeline"]
        assert not found["pageInfo"]["hasNextPage"]
        shown = [n.get("kind") or n["message"]["body"] for n in found["nodes"]]
        assert shown == [
            "CardLinked",
            "SubtaskCreated",
            "Go!",
            "CardMoved",
            "CardUpdated",
            "What about it?",
            "CardCreated",
        ]
        assert {(n["actor"]["kind"], n["actor"]["name"]) for n in found["nodes"]} == {("USER", "owner")}
        assert found["nodes"][1]["about"] == "Pack"
        assert found["nodes"][0]["changes"] == [{"field": "blocks", "before": None, "after": other}]
        assert found["nodes"][3]["changes"][0] == {"field": "stage", "before": "BACKLOG", "after": "TODO"}
        assert found["nodes"][4]["changes"] == [
            {"field": "title", "before": "Ship it", "after": "Ship that"},
            {"field": "priority", "before": "MEDIUM", "after": "HIGH"},
        ]
        pages, after = [], None
        while True:
            part = (await app.data(ASK, id=id, first=2, after=after))["timeline"]
            pages.append([n.get("kind") or n["message"]["body"] for n in part["nodes"]])
            after = part["pageInfo"]["endCursor"]
            if not part["pageInfo"]["hasNextPage"]:
                break
        assert [len(page) for page in pages] == [2, 2, 2, 1]
        assert [one for page in pages for one in page] == shown, "nothing is skipped or shown twice"


async def test_the_timeline_costs_the_same_for_many_cards(run):
    async with run() as app:
        board, ids = await app.has_board(*(f"card {n}" for n in range(12)))
        for id in ids:
            await post(app, id, "one")
            await do(app, "updateCard", id=id, title="new")
        cards = f"cards(first: $n) {{ nodes {{ {TIMELINE} }} }}"
        query = f"query($id: ID!, $n: Int!, $first: Int, $after: String) {{ board(id: $id) {{ {cards} }} }}"
        counts = set()
        for n in (2, 12):
            with app.counting() as statements:
                cards = (await app.data(query, id=board, n=n, first=5))["cards"]["nodes"]
            assert [len(c["timeline"]["nodes"]) for c in cards] == [3] * n
            counts.add(len(reads(statements)))
        print("statements of the timelines of several cards:", counts)
        assert counts == {5}, "board, cards, timelines, messages, names"


@pytest.mark.parametrize("first", [0, 51, -1])
async def test_the_timeline_has_its_bounds(run, first):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        answer = await app.ask(ASK, id=id, first=first)
        assert answer["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "LIMIT_EXCEEDED")


async def test_a_message_is_its_authors_and_an_admin_may_take_it_back(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        await app.has_user("ann")
        await app.has_user("bob")
        await app.has_user("vic", "VIEWER")
        said = await post(app, id, "Mine", "ann")
        assert said["author"] == {"kind": "USER", "name": "ann"}
        assert (await post(app, id, "Mine", "vic"))["__typename"] == "Forbidden"
        for actor in ("", "bob", "vic"):
            refused = await do(app, "editMessage", actor=actor, id=said["id"], body="Yours")
            assert refused["__typename"] == "Forbidden", actor or "an admin"
        for actor in ("bob", "vic"):
            assert (await do(app, "deleteMessage", actor=actor, id=said["id"]))["__typename"] == "Forbidden"
        gone = await do(app, "deleteMessage", f"... on Message {{ {MESSAGE} }}", id=said["id"])
        assert (gone["body"], gone["author"]["name"]) == ("", "ann"), "the admin took it back"
