"""Groups: the story map as a tree of two levels, and the cards in it through every change."""

from actions.transfer import native_format
from actions.transfer.export_board import export_board
from actions.transfer.file import parse
from actions.transfer.import_board import import_board
from tests.board import card, do, reads, told

MAP = """query($id: ID!) { board(id: $id) { map {
  workflows { ...G activities { ...G activities { id } cardCount cards { nodes { title } } } cardCount
    cards { nodes { title } } }
  ungrouped { nodes { title } } } } }
  fragment G on Group { title description colour }"""


async def group(app, board, title, **input):
    made = await do(app, "createGroup", "... on Group { id }", boardId=board, title=title, **input)
    assert made["__typename"] == "Group", made
    return made["id"]


async def shown(app, board):
    """The story map in short: workflows with activities, each with its cards; then the cards of none."""
    seen = (await app.data(MAP, id=board))["map"]

    def cards(of):
        titles = [one["title"] for one in of["cards"]["nodes"]]
        assert of["cardCount"] == len(titles)
        return titles

    def tree(of):
        assert not any(one["activities"] for one in of["activities"])
        return of["title"], cards(of), [(one["title"], cards(one)) for one in of["activities"]]

    return [tree(one) for one in seen["workflows"]], [one["title"] for one in seen["ungrouped"]["nodes"]]


async def mapped(app):
    """A board with the workflows Buy (Search, Pay) and Sell, and a card in each but Search."""
    board, ids = await app.has_board("find", "pay", "list", "loose")
    buy = await group(app, board, "Buy", colour="#00aaff")
    sell = await group(app, board, "Sell")
    pay = await group(app, board, "Pay", parentId=buy)
    search = await group(app, board, "Search", parentId=buy, position={"before": pay})
    for id, into in zip(ids, (buy, pay, sell), strict=False):
        put = await do(app, "setCardGroup", "... on Card { group { id } }", id=id, groupId=into)
        assert put["group"] == {"id": into}
    return board, ids, {"Buy": buy, "Sell": sell, "Pay": pay, "Search": search}


BEGIN = [("Buy", ["find"], [("Search", []), ("Pay", ["pay"])]), ("Sell", ["list"], [])]


async def test_the_map_is_a_tree_of_two_levels(run):
    async with run() as app:
        board, _, groups = await mapped(app)
        assert await shown(app, board) == (BEGIN, ["loose"])
        refused = await do(app, "createGroup", boardId=board, title="Deep", parentId=groups["Pay"])
        assert (refused["__typename"], refused["conflict"]) == ("Conflict", groups["Pay"])
        refused = await do(app, "moveGroup", id=groups["Buy"], parentId=groups["Sell"])
        assert refused["__typename"] == "Conflict", "it has activities"
        refused = await do(app, "moveGroup", id=groups["Sell"], parentId=groups["Sell"])
        assert refused["issues"][0]["path"] == "parentId"
        assert await shown(app, board) == (BEGIN, ["loose"])


async def test_a_group_moves_with_what_is_in_it(run):
    async with run() as app:
        board, _, groups = await mapped(app)
        await do(app, "moveGroup", id=groups["Sell"], position={"before": groups["Buy"]})
        assert (await shown(app, board))[0] == BEGIN[::-1]
        await do(app, "moveGroup", id=groups["Pay"], parentId=groups["Sell"])
        assert (await shown(app, board))[0] == [
            ("Sell", ["list"], [("Pay", ["pay"])]),
            ("Buy", ["find"], [("Search", [])]),
        ]
        await do(app, "moveGroup", id=groups["Pay"], parentId=None, position={"top": True})
        assert [one[:2] for one in (await shown(app, board))[0]] == [
            ("Pay", ["pay"]),
            ("Sell", ["list"]),
            ("Buy", ["find"]),
        ]
        refused = await do(app, "moveGroup", id=groups["Pay"], position={"after": groups["Search"]})
        assert refused["issues"][0]["path"] == "position.after", "that neighbor is in another workflow"


async def test_deleting_a_group_asks_what_becomes_of_its_cards(run):
    async with run() as app:
        board, ids, groups = await mapped(app)
        refused = await do(app, "deleteGroup", id=groups["Buy"])
        assert (refused["__typename"], refused["conflict"]) == ("Conflict", ids[0])
        assert "2 cards" in refused["message"]
        for cards in ({"moveTo": groups["Pay"]}, {"ungroup": False}):
            assert (await do(app, "deleteGroup", id=groups["Buy"], cards=cards))["__typename"] == "Invalid"
        elsewhere = await group(app, (await app.has_board(name="Other"))[0], "Far")
        missing = await do(app, "deleteGroup", id=groups["Buy"], cards={"moveTo": elsewhere})
        assert missing["missing"] == elsewhere
        assert await shown(app, board) == (BEGIN, ["loose"])
        gone = "... on DeletedGroup { cardCount group { title } }"
        deleted = await do(app, "deleteGroup", gone, id=groups["Buy"], cards={"moveTo": groups["Sell"]})
        assert (deleted["cardCount"], deleted["group"]) == (2, {"title": "Buy"})
        assert await shown(app, board) == ([("Sell", ["find", "pay", "list"], [])], ["loose"])
        await do(app, "deleteGroup", id=groups["Sell"], cards={"ungroup": True})
        assert await shown(app, board) == ([], ["find", "pay", "list", "loose"])
        empty = await group(app, board, "Empty")
        assert (await do(app, "deleteGroup", id=empty))["__typename"] == "DeletedGroup", "nothing to ask"


async def test_every_change_is_told(run):
    async with run() as app:
        board, ids, groups = await mapped(app)
        await do(app, "updateGroup", id=groups["Sell"], title="Offer", description="d", colour="#000000")
        await do(app, "moveGroup", id=groups["Pay"], parentId=groups["Sell"])
        await do(app, "deleteGroup", id=groups["Sell"], cards={"ungroup": True})
        shown_fields = """kind correlationId ... on GroupEvent { groupId group { id } }
          ... on GroupUpdated { changes { field before after } } ... on GroupMoved { parentId }
          ... on GroupDeleted { title activityIds cardIds movedTo }
          ... on CardUpdated { changed: changes { field before after } }"""
        events = (await told(app, board, shown_fields))[9:]
        kinds = ["CardUpdated"] * 3
        kinds += ["GroupUpdated", "GroupMoved", "CardUpdated", "CardUpdated", "GroupDeleted"]
        assert [one["kind"] for one in events] == kinds
        assert events[0]["changed"] == [{"field": "groupId", "before": None, "after": groups["Buy"]}]
        assert {one["field"] for one in events[3]["changes"]} == {"title", "description", "colour"}
        assert events[4]["parentId"] == groups["Sell"]
        last = events[-1]
        assert (last["title"], last["activityIds"], last["movedTo"]) == ("Offer", [groups["Pay"]], None)
        assert last["cardIds"] == [ids[1], ids[2]]
        assert last["group"] is None
        assert len({one["correlationId"] for one in events[-3:]}) == 1


BAD = [
    ({"title": " "}, "title"),
    ({"title": "x" * 101}, "title"),
    ({"title": "x", "colour": "red"}, "colour"),
    ({"title": "x", "colour": "#12345"}, "colour"),
    ({"title": "x", "description": "x" * 10_001}, "description"),
    ({"title": "x", "position": {"after": "group_00000000000000000000000000"}}, "position.after"),
]


async def test_what_a_group_cannot_be(run):
    async with run() as app:
        board, ids, groups = await mapped(app)
        for input, path in BAD:
            refused = await do(app, "createGroup", boardId=board, **input)
            assert refused["issues"][0]["path"] == path, input
        stale = await do(app, "updateGroup", id=groups["Buy"], title="x", ifVersion=9)
        assert (stale["__typename"], stale["version"]) == ("Stale", 1)
        other, _ = await app.has_board("far", name="Other")
        far = await group(app, other, "Far")
        for field, input in (
            ("setCardGroup", {"id": ids[0], "groupId": far}),
            ("updateCard", {"id": ids[0], "groupId": far}),
            ("createCard", {"boardId": board, "title": "x", "groupId": far}),
            ("createGroup", {"boardId": board, "title": "x", "parentId": far}),
            ("moveGroup", {"id": groups["Sell"], "parentId": far}),
        ):
            assert (await do(app, field, **input))["missing"] == far, field
        assert await shown(app, board) == (BEGIN, ["loose"])
        assert await shown(app, other) == ([("Far", [], [])], ["far"])


async def test_a_board_has_at_most_200_groups(run):
    async with run() as app:
        board, _ = await app.has_board()
        makes = " ".join(
            f'g{n}: createGroup(input: {{boardId: $b, title: "{n}"}}) {{ __typename }}' for n in range(25)
        )
        for _ in range(8):
            await app.ask(f"mutation($b: ID!) {{ {makes} }}", b=board)
        assert (await do(app, "createGroup", boardId=board, title="more"))["__typename"] == "Conflict"
        assert len((await shown(app, board))[0]) == 200


async def test_cards_are_found_by_their_group_and_come_back_to_it(run):
    async with run() as app:
        board, ids, groups = await mapped(app)
        find = "query($f: CardFilter) { cards(filter: $f) { nodes { title } } }"

        async def found(**filter):
            return [one["title"] for one in (await app.data(find, f=filter))["nodes"]]

        assert await found(groupIds=[groups["Buy"], groups["Sell"]]) == ["find", "list"]
        assert await found(ungrouped=True) == ["loose"]
        assert await found(ungrouped=False) == ["find", "pay", "list"]
        made = await do(
            app, "createCard", "... on Card { id groupId }", boardId=board, title="n", groupId=groups["Pay"]
        )
        assert made["groupId"] == groups["Pay"]
        moved = await do(app, "updateCard", "... on Card { groupId }", id=ids[0], groupId=None)
        assert moved["groupId"] is None
        seq = (await card(app, ids[0], "revisions(first: 1) { seq groupId }"))["revisions"][0]
        assert seq["groupId"] == groups["Buy"]
        restore = {"cardId": ids[0], "revision": seq["seq"]}
        back = await do(app, "restoreCardRevision", "... on Card { groupId }", **restore)
        assert back["groupId"] == groups["Buy"]
        await do(app, "deleteGroup", id=groups["Buy"], cards={"ungroup": True})
        back = await do(app, "restoreCardRevision", "... on Card { groupId }", **restore)
        assert back["groupId"] is None, "its group is gone"


async def test_a_map_of_many_groups_takes_as_many_statements_as_one_of_few(run, figure):
    async with run() as app:
        board, _, _ = await mapped(app)
        with app.counting() as few:
            await shown(app, board)
        for n in range(6):
            workflow = await group(app, board, f"W{n}")
            for k in range(4):
                into = await group(app, board, f"A{n}{k}", parentId=workflow)
                await do(app, "createCard", boardId=board, title=f"c{n}{k}", groupId=into)
        with app.counting() as many:
            await shown(app, board)
        assert len(reads(many)) == len(reads(few)), many
        figure(statements=len(reads(many)))


async def test_the_file_of_a_board_has_its_map(run):
    async with run() as app:
        board, _, _ = await mapped(app)

        async def exported(id):
            snapshot = app.services.database.snapshot()
            text = native_format.write_native(await export_board(snapshot.read, app.owner, id))
            await snapshot.close()
            return text

        text = await exported(board)
        async with app.begin(app.owner) as tx:
            file = parse(text.encode(), "x")
            made = await import_board(tx, app.owner, file, workspace_id=await app.home())
        assert await shown(app, made.board.id) == (BEGIN, ["loose"])
        assert (await exported(made.board.id)).replace(made.board.key, "WEB", 1) == text
