"""Cards: made, changed, found again by every filter and in every order, and what they said before."""

import base64
import itertools
import json

from models.workspace import Label
from tests.board import card, do, dump, told
from tests.work import hand, start

FOUND = """query($id: ID!, $filter: CardFilter, $orderBy: CardOrder!) { board(id: $id) {
  cards(first: 500, filter: $filter, orderBy: $orderBy) { nodes { title } } } }"""


async def found(app, board, filter=None, order="CREATED"):
    data = await app.data(FOUND, id=board, filter=filter, orderBy=order)
    return "".join(node["title"] for node in data["cards"]["nodes"])


async def prepared(app):
    """Five cards, a to e, that differ in everything a filter asks for."""
    board, ids = await app.has_board(*"abcde")
    a, b, c, d, e = ids
    async with app.begin() as tx:
        label = Label(workspace_id=await app.home(), name="Red", name_folded="red", colour="#FF0000")
        tx.add(label)
        await tx.flush()
    await do(app, "updateCard", id=a, priority="HIGH", type="BUG", size="LARGE", dueOn="2001-01-01")
    await do(
        app,
        "updateCard",
        id=b,
        priority="LOW",
        dueOn="2999-01-01",
        description="Sanded 100% by HAND_made, ÄPFEL ἀγορά",
    )
    await do(app, "updateCard", id=c, priority="CRITICAL", size="SMALL", dueOn="2001-01-02")
    await do(app, "setParentCard", id=d, parentId=a)
    await do(app, "assignCard", cardId=b, userId=app.owner.id)
    await do(app, "addLabel", cardId=c, labelId=label.id)
    await do(app, "linkCards", cardId=a, targetId=d, kind="BLOCKS")
    for stage in ("TODO", "IN_PROGRESS", "REVIEW", "DONE"):
        await do(app, "moveCard", id=c, destination={"stage": stage})
    await do(app, "moveCard", id=b, destination={"stage": "TODO"})
    await do(app, "archiveCard", id=e)
    return board, ids, label.id


async def test_every_filter(run):
    async with run() as app:
        board, [a, _, c, _, _], label = await prepared(app)
        done, me = (await card(app, c, "columnId"))["columnId"], app.owner.id
        for filter, expected in (
            (None, "abcd"),
            ({}, "abcd"),
            ({"columnIds": [done]}, "c"),
            ({"columnIds": []}, ""),
            ({"stages": ["TODO", "DONE"]}, "bc"),
            ({"assigneeIds": [me]}, "b"),
            ({"unassigned": True}, "acd"),
            ({"unassigned": False}, "b"),
            ({"labelIds": [label]}, "c"),
            ({"priorities": ["HIGH", "CRITICAL"]}, "ac"),
            ({"types": ["BUG"]}, "a"),
            ({"sizes": ["SMALL", "LARGE"]}, "ac"),
            ({"parentId": a}, "d"),
            ({"overdue": True}, "a"),  # c was due as well, but is done
            ({"overdue": False}, "bcd"),
            ({"dueFrom": "2001-01-02"}, "bc"),
            ({"dueTo": "2001-01-01"}, "a"),
            ({"dueFrom": "2001-01-01", "dueTo": "2001-01-02"}, "ac"),
            ({"blocked": True}, "d"),
            ({"blocked": False}, "abc"),
            ({"archived": True}, "e"),
            ({"archived": False}, "abcd"),
            ({"all": [{"archived": True}]}, "e"),
            ({"no": {"archived": True}}, "abcd"),
            ({"no": {"archived": False}}, "e"),
            ({"any": [{"archived": True}, {"archived": False}]}, "abcde"),
            ({"any": [{"archived": True}, {"priorities": ["HIGH"]}]}, "ae"),
            ({"archived": True, "any": [{"archived": False}, {"text": "e"}]}, "e"),
            ({"text": "hand_MADE"}, "b"),
            ({"text": "äpfel ἈΓΟΡΆ"}, "b"),
            ({"text": "100%"}, "b"),
            ({"text": "1%0"}, ""),  # % and _ are themselves
            ({"text": "C"}, "c"),
            ({"any": [{"types": ["BUG"]}, {"stages": ["TODO"]}]}, "ab"),
            ({"any": []}, ""),
            ({"all": [{"priorities": ["HIGH", "LOW"]}, {"no": {"types": ["BUG"]}}]}, "b"),
            ({"all": []}, "abcd"),
            ({"no": {"any": [{"types": ["BUG"]}, {"stages": ["TODO"]}]}}, "cd"),
            ({"no": {"sizes": ["LARGE"]}}, "c"),  # the others have no size: unknown is not "not"
            ({"types": ["FEATURE"], "any": [{"blocked": True}, {"sizes": ["SMALL"]}]}, "cd"),
        ):
            assert await found(app, board, filter) == expected, filter


async def test_every_order(run):
    async with run() as app:
        board, _, _ = await prepared(app)
        for order, expected in (
            ("BOARD", "adbc"),
            ("CREATED", "abcd"),
            ("PRIORITY", "cadb"),
            ("DUE", "acbd"),
            ("UPDATED", "bcda"),
        ):
            assert await found(app, board, None, order) == expected, order


async def test_a_filter_nests_five_levels_deep(run):
    async with run() as app:
        board, _ = await app.has_board("a")
        deep = {"types": ["FEATURE"]}
        for _ in range(4):
            deep = {"no": deep}
        assert await found(app, board, deep) == "a"
        answer = await app.ask(FOUND, id=board, filter={"no": deep}, orderBy="BOARD")
        assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


PAGES = """query($id: ID!, $order: CardOrder!, $first: Int, $after: String, $last: Int, $before: String) {
  board(id: $id) { cards(orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
    nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }"""


async def test_pages_skip_nothing_and_show_nothing_twice_while_cards_move(run):
    async with run(points=1_000_000) as app:
        board, _ = await app.has_board()
        due = itertools.cycle([{}, {"dueOn": "2030-01-01"}, {"dueOn": "2030-01-02"}])
        cards = [{"title": str(n), "priority": ["LOW", "HIGH"][n % 2], **next(due)} for n in range(100)]
        made = await do(app, "createCards", "... on Cards { cards { id } }", boardId=board, cards=cards)
        ids = [one["id"] for one in made["cards"]]
        for order in ("BOARD", "CREATED", "UPDATED", "PRIORITY", "DUE"):
            for forward in (True, False):
                await turn_pages(app, board, ids, order, forward)


async def turn_pages(app, board, ids, order, forward):
    """Look at all cards, page by page, and move two after each."""
    seen, cursor, pages = [], None, 0
    moved, case = set(), f"{order}, {'forward' if forward else 'backward'}"
    while True:
        place = {"first": 17, "after": cursor} if forward else {"last": 17, "before": cursor}
        page = (await app.data(PAGES, id=board, order=order, **place))["cards"]
        got = [node["id"] for node in page["nodes"]]
        seen = seen + got if forward else got + seen
        info, pages = page["pageInfo"], pages + 1
        assert info["hasPreviousPage" if forward else "hasNextPage"] == (pages > 1), case
        if not info["hasNextPage" if forward else "hasPreviousPage"]:
            break
        cursor = info["endCursor" if forward else "startCursor"]
        for id in (ids[pages * 3], ids[99 - pages * 5]):
            moved.add(id)
            await do(app, "moveCard", id=id, position={"top" if pages % 2 == 0 else "bottom": True})
    still = [id for id in seen if id not in moved]
    assert len(set(still)) == len(still), f"shown twice: {case}"
    assert set(still) == set(ids) - moved, f"skipped: {case}"
    whole = (await app.data(PAGES, id=board, order=order, first=500))["cards"]["nodes"]
    assert still == [node["id"] for node in whole if node["id"] not in moved], f"one order for all: {case}"
    assert pages >= 6, case


def forged(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


async def test_a_cursor_of_another_field_or_order_is_refused(run):
    async with run() as app:
        board, _ = await app.has_board(*"abc")
        query = "{ boards(first: 1) { pageInfo { endCursor } } cards(first: 1) { pageInfo { endCursor } } }"
        others = (await app.ask(query))["data"]
        by_board = (await app.data(PAGES, id=board, order="BOARD", first=1))["cards"]["pageInfo"]["endCursor"]
        name = "board.cards:PRIORITY"
        for cursor in (
            others["boards"]["pageInfo"]["endCursor"],
            others["cards"]["pageInfo"]["endCursor"],
            by_board,  # of another order
            "",
            "nonsense",
            "ünïcode",
            forged(),
            forged(name),
            forged(name, "3", "card_x"),
            forged(name, True, "card_x"),
            forged(name, 2**40, "card_x"),
            forged(name, 3, 7),
            forged(name, 3, "a\u0000"),
            forged(name, 3, "\ud800"),
            base64.urlsafe_b64encode(b"[" * 9000).decode(),
            base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        ):
            answer = await app.ask(PAGES, id=board, order="PRIORITY", first=1, after=cursor)
            assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", cursor
        for order, bad in (
            ("UPDATED", "2020-01-01T00:00:00"),
            ("UPDATED", "9999-12-31T23:59:59-14:00"),
            ("UPDATED", "0001-01-01T00:00:00+14:00"),
            ("UPDATED", "soon"),
            ("DUE", "never"),
        ):
            cursor = forged(f"board.cards:{order}", bad, "card_x")
            answer = await app.ask(PAGES, id=board, order=order, first=1, after=cursor)
            assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", (order, bad)
        for sizes in ({"first": 0}, {"first": 501}, {"last": -1}, {"first": 1, "last": 1}):
            answer = await app.ask(PAGES, id=board, order="BOARD", **sizes)
            assert answer["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "LIMIT_EXCEEDED"), sizes


async def test_lists_of_one_operation_do_not_mix(run):
    """The cards of a board and those of its columns are read at once, each as if alone."""
    async with run() as app:
        board, ids = await app.has_board(*"abc")
        await do(app, "moveCard", id=ids[0], destination={"stage": "TODO"})
        page = "(first: 2, orderBy: BOARD) { totalCount nodes { title } }"
        query = f"query($id: ID!) {{ board(id: $id) {{ cards{page} columns {{ stage cards{page} }} }} }}"
        shown = await app.data(query, id=board)
        assert shown["cards"] == {"totalCount": 3, "nodes": [{"title": "b"}, {"title": "c"}]}
        lanes = {lane["stage"]: lane["cards"] for lane in shown["columns"]}
        assert lanes["BACKLOG"] == {"totalCount": 2, "nodes": [{"title": "b"}, {"title": "c"}]}
        assert lanes["TODO"] == {"totalCount": 1, "nodes": [{"title": "a"}]}


async def test_the_whole_is_counted_only_when_asked_for(run):
    async with run() as app:
        board, _ = await app.has_board(*"abc")
        query = "query($id: ID!) { board(id: $id) { cards(first: 1) { %s nodes { title } } } }"
        with app.counting() as statements:
            await app.data(query % "", id=board)
        assert not [s for s in statements if "count(" in s.lower()]
        with app.counting() as statements:
            assert (await app.data(query % "totalCount", id=board))["cards"]["totalCount"] == 3
        assert len([s for s in statements if "count(" in s.lower()]) == 1


NO_CARDS = [
    ({"title": ""}, "title"),
    ({"title": " \n "}, "title"),
    ({"title": "x" * 256}, "title"),
    ({"title": "a\u0007b"}, "title"),
    ({"title": "\u200b\u2060\ufeff"}, "title"),  # nothing of it is seen
    ({"title": "\u2800 \u3164\u0301"}, "title"),
    ({"title": "backwards \u202eis all that follows"}, "title"),
    ({"title": "\u2067\u202b one of two is closed \u202c"}, "title"),
    ({"title": "ok", "description": "x" * 50_001}, "description"),
    ({"title": "ok", "storyPoints": 100}, "storyPoints"),
    ({"title": "ok", "storyPoints": -1}, "storyPoints"),
    ({"title": "ok", "dueOn": "1969-12-31"}, "dueOn"),
]


async def test_what_a_card_cannot_be(run):
    async with run() as app:
        board, [id] = await app.has_board("Ship it")
        for input, path in NO_CARDS:
            for field, more in (("createCard", {"boardId": board}), ("updateCard", {"id": id})):
                refused = await do(app, field, **more, **input)
                assert refused["__typename"] == "Invalid", (field, input)
                assert refused["issues"][0]["path"] == path, (field, input)
            many = await do(app, "createCards", boardId=board, cards=[{"title": "fine"}, input])
            assert many["issues"][0]["path"] == f"cards.1.{path}", input
        assert await found(app, board) == "Ship it"
        assert (await card(app, id, "version"))["version"] == 1


TITLES = [
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0003fff0",  # a letter of tomorrow
    "\u2067\u05e2\u05d1\u05e8\u05d9\u05ea\u2069 and \u202binside\u202c",
    "\u2067it ends with the \u202eouter\u2069",
    "\u200f\u05e9\u05dc\u05d5\u05dd!",
    "\u0e40\u0e14\u0e34\u0e19",
    "?",
]


async def test_a_title_is_what_people_write_anywhere(run):
    async with run() as app:
        board, _ = await app.has_board(*TITLES)
        query = "query($id: ID!) { board(id: $id) { cards { nodes { title } } } }"
        assert [one["title"] for one in (await app.data(query, id=board))["cards"]["nodes"]] == TITLES


NO_VALUES = [
    'stage: "TODO"',
    "stage: LATER",
    'dueOn: "tomorrow"',
    'dueOn: "2020-02-30"',
    "priority: 3",
    "title: null",
]


async def test_what_is_no_value_of_its_type_is_refused_before_it_runs(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        for input in NO_VALUES:
            text = f'mutation {{ updateCard(input: {{id: "{id}", {input}}}) {{ __typename }} }}'
            answer = await app.ask(text)
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            kinds = answer["data"] and answer["data"]["updateCard"]["__typename"]
            refused = codes[:1] in (["GRAPHQL_VALIDATION_FAILED"], ["BAD_USER_INPUT"]) or kinds == "Invalid"
            assert refused, input
        assert (await card(app, id, "version title"))["version"] == 1


async def test_what_is_left_out_stays_and_null_clears(run):
    async with run() as app:
        board, [id] = await app.has_board("Ship it")
        await do(
            app, "updateCard", id=id, description="Text", size="SMALL", storyPoints=3, dueOn="2030-01-01"
        )
        shown = "title description size storyPoints dueOn version"
        await do(app, "updateCard", id=id, size=None, dueOn=None, description=None)
        assert await card(app, id, shown) == {
            "title": "Ship it",
            "description": "",
            "size": None,
            "storyPoints": 3,
            "dueOn": None,
            "version": 3,
        }
        same = await do(app, "updateCard", "... on Card { version }", id=id, storyPoints=3)
        assert same["version"] == 3, "what is so already is no change"
        stale = await do(app, "updateCard", id=id, title="New", ifVersion=2)
        assert (stale["__typename"], stale["version"]) == ("Stale", 3)
        kinds = [event["kind"] for event in await told(app, board)]
        assert kinds[2:] == ["CardUpdated", "CardUpdated"]


async def test_many_cards_are_made_in_their_order(run):
    async with run() as app:
        board, _ = await app.has_board("first")
        cards = [{"title": str(n)} for n in range(100)]
        shown = "... on Cards { cards { title number name column { stage } } }"
        made = await do(app, "createCards", shown, boardId=board, cards=cards, destination={"stage": "PLAN"})
        assert [one["title"] for one in made["cards"]] == [str(n) for n in range(100)]
        assert [one["number"] for one in made["cards"]] == list(range(2, 102))
        assert await found(app, board, None, "BOARD") == "first" + "".join(map(str, range(100)))
        batches = {e["correlationId"] for e in (await told(app, board, "correlationId"))[2:]}
        assert len(batches) == 1
        assert batches != {None}
        for cards in ([], [{"title": "x"}] * 101):
            assert (await do(app, "createCards", boardId=board, cards=cards))["__typename"] == "Invalid"


async def test_a_card_given_back_to_a_column_stands_at_its_end(run):
    order = "query($id: ID!) { board(id: $id) { cards(first: 10) { nodes { title column { stage } } } } }"
    async with run() as app:
        board, [first, *_] = await app.has_board("A", "B", "C")

        async def stand():
            nodes = (await app.data(order, id=board))["cards"]["nodes"]
            return [node["title"] for node in nodes if node["column"]["stage"] == "BACKLOG"]

        before = await stand()
        await do(app, "updateCard", id=first, title="A again")
        seq = (await card(app, first, "revisions(first: 1) { seq }"))["revisions"][0]["seq"]
        await do(app, "restoreCardRevision", cardId=first, revision=seq)
        assert await stand() == before, "it never left its column, so it stays where it was"
        await do(app, "moveCard", id=first, destination={"stage": "TODO"})
        assert await stand() == [title for title in before if title != "A"]
        await do(app, "restoreCardRevision", cardId=first, revision=seq)
        assert await stand() == [title for title in before if title != "A"] + ["A"]


async def test_revisions_say_what_was_and_give_it_back(run):
    async with run() as app:
        board, [id] = await app.has_board("First")
        await do(app, "updateCard", id=id, title="Second", priority="HIGH")
        await do(app, "moveCard", id=id, destination={"stage": "TODO"})
        await do(app, "updateCard", id=id, title="Third")
        shown = "revisions(first: 50) { seq title stage }"
        old = (await card(app, id, shown))["revisions"]
        assert [(r["title"], r["stage"]) for r in old] == [
            ("Second", "TODO"),
            ("Second", "BACKLOG"),
            ("First", "BACKLOG"),
        ]
        back = "... on Card { title priority column { stage } version }"
        said = "title description stage type priority size storyPoints dueOn parentId columnId"
        parent = (await do(app, "createCard", "... on Card { id }", boardId=board, title="Above"))["id"]
        given = {"type": "BUG", "size": "LARGE", "storyPoints": 3, "dueOn": "2030-01-02"}
        await do(app, "setParentCard", id=id, parentId=parent)
        await do(app, "updateCard", id=id, description="All of it", **given)
        stood = await card(app, id, "stage columnId")
        await do(
            app, "updateCard", id=id, title="Fourth", type="TEST", size=None, storyPoints=None, dueOn=None
        )
        [newest] = (await card(app, id, f"revisions(first: 1) {{ {said} }}"))["revisions"]
        kept = {"title": "Third", "description": "All of it", "priority": "HIGH", "parentId": parent}
        assert newest == kept | given | stood
        restored = await do(app, "restoreCardRevision", back, cardId=id, revision=old[-1]["seq"])
        assert restored["title"] == "First"
        assert restored["priority"] == "MEDIUM"
        assert restored["column"] == {"stage": "BACKLOG"}
        assert (await do(app, "restoreCardRevision", cardId=id, revision=1))["__typename"] == "NotFound"
        assert len((await card(app, id, "revisions(first: 2) { seq }"))["revisions"]) == 2
        for _ in range(60):
            await do(app, "moveCard", id=id)
        with app.counting() as statements:
            assert len((await card(app, id, shown))["revisions"]) == 50, "the newest 50"
        assert all("event" not in s or "LIMIT" in s or "place" in s for s in statements), "no more are read"
        assert (await app.ask(f'{{ card(id: "{id}") {{ revisions(first: 51) {{ seq }} }} }}'))["errors"]


async def test_who_made_ticked_and_changed_it_is_named(run):
    makers = "query($id: ID!) { board(id: $id) { cards(first: 100) { nodes { createdBy { kind name } } } } }"
    step = "... on Subtask { id completedBy { kind name user { username } } }"
    async with run() as app:
        max = await app.has_user("max")
        board, _ = await app.has_board("First")
        made = await do(app, "createCard", "... on Card { id }", "max", boardId=board, title="Second")
        named = (
            "createdBy { kind actorId name user { id } } revisions(first: 1) { actor { kind actorId name } }"
        )
        await do(app, "moveCard", id=made["id"], destination={"stage": "TODO"})
        await do(app, "updateCard", actor="max", id=made["id"], title="Other")
        shown = await card(app, made["id"], named)
        assert shown["createdBy"] == {"kind": "USER", "actorId": max, "name": "max", "user": {"id": max}}
        assert shown["revisions"] == [{"actor": {"kind": "USER", "actorId": max, "name": "max"}}]
        ticked = await do(app, "addSubtask", step, cardId=made["id"], title="Sand")
        assert ticked["completedBy"] is None
        ticked = await do(app, "updateSubtask", step, "max", id=ticked["id"], completed=True)
        assert ticked["completedBy"] == {"kind": "USER", "name": "max", "user": {"username": "max"}}
        worker = await hand(app)
        await start(app, made["id"])
        [claim] = await worker.claim()
        app.tokens["agent"] = f"Bearer {claim['work']['agentToken']}"
        await do(app, "updateSubtask", step, id=ticked["id"], completed=False)
        ticked = await do(app, "updateSubtask", step, "agent", id=ticked["id"], completed=True)
        assert ticked["completedBy"] == {"kind": "AGENT", "name": "Agent", "user": None}
        child = {"boardId": board, "title": "Part", "parentId": made["id"]}
        await do(app, "createCard", actor="agent", **child)
        counts = []
        for _ in range(2):
            with app.counting() as statements:
                nodes = (await app.data(makers, id=board))["cards"]["nodes"]
            counts.append(len(statements))
            for _ in range(5):
                await do(app, "createCard", boardId=board, title="More")
        assert counts[0] == counts[1], "however many cards"
        assert {"kind": "AGENT", "name": "Agent"} in [one["createdBy"] for one in nodes]


async def test_deleting_a_column_moves_its_cards_or_deletes_them(run):
    async with run() as app:
        board, [a, b] = await app.has_board(*"ab")
        lanes = (await app.data("query($id: ID!) { board(id: $id) { columns { id stage } } }", id=board))[
            "columns"
        ]
        lane = {one["stage"]: one["id"] for one in lanes}
        assert (await do(app, "deleteColumn", id=lane["BACKLOG"]))["__typename"] == "Conflict"
        both = await do(app, "deleteColumn", id=lane["BACKLOG"], moveCardsTo=lane["TODO"], deleteCards=True)
        assert both["__typename"] == "Invalid"
        assert (await do(app, "deleteColumn", id=lane["BACKLOG"], moveCardsTo=lane["TODO"]))[
            "__typename"
        ] == "Column"
        assert await found(app, board, {"stages": ["TODO"]}, "BOARD") == "ab"
        shown = "kind ... on CardMoved { cardId toStage } ... on ColumnDeleted { movedTo cardIds }"
        events = (await told(app, board, shown))[-3:]
        assert [(e["kind"], e.get("cardId"), e.get("toStage")) for e in events] == [
            ("CardMoved", a, "TODO"),
            ("CardMoved", b, "TODO"),
            ("ColumnDeleted", None, None),
        ]
        assert events[-1] == {"kind": "ColumnDeleted", "movedTo": lane["TODO"], "cardIds": [a, b]}
        assert (await card(app, a, "timeline { nodes { ... on TimelineChange { kind: type } } }"))[
            "timeline"
        ]["nodes"][0] == {"kind": "CardMoved"}
        assert (await do(app, "deleteColumn", id=lane["TODO"], deleteCards=True))["__typename"] == "Column"
        assert await found(app, board) == ""
        assert await card(app, a, "id") is None


async def test_cards_that_go_with_their_column_are_told_of_and_let_their_children_go_only_when_asked(run):
    async with run() as app:
        board, [parent, inner, child] = await app.has_board("Parent", "Inner", "Child")
        await do(app, "updateCard", id=parent, priority="HIGH")
        for id in (inner, child):
            await do(app, "setParentCard", id=id, parentId=parent)
        await do(app, "moveCard", id=child, destination={"stage": "TODO"})
        lane = (await card(app, parent, "columnId"))["columnId"]
        before = await dump(app, board)
        refused = await do(app, "deleteColumn", id=lane, deleteCards=True)
        assert (refused["__typename"], refused["conflict"]) == ("Conflict", child)
        assert await dump(app, board) == before, "nothing was changed"
        gone = await do(app, "deleteColumn", id=lane, deleteCards=True, detachChildren=True)
        assert gone["__typename"] == "Column"
        left = await card(app, child, "version parent { id } updatedAt")
        was = next(one for one in before["cards"]["nodes"] if one["id"] == child)
        assert (left["version"], left["parent"]) == (was["version"] + 1, None)
        assert left["updatedAt"] > was["updatedAt"]
        shown = """kind correlationId ... on CardEvent { cardId } ... on CardDeleted { title }
          ... on CardUpdated { changes { field before after } } ... on ColumnDeleted { movedTo cardIds }"""
        events = (await told(app, board, shown))[before["seq"] :]
        assert len({event.pop("correlationId") for event in events}) == 1
        change = {"field": "parentId", "before": parent, "after": None}
        assert events == [
            {"kind": "CardUpdated", "cardId": child, "changes": [change]},
            {"kind": "CardDeleted", "cardId": parent, "title": "Parent"},
            {"kind": "CardDeleted", "cardId": inner, "title": "Inner"},
            {"kind": "ColumnDeleted", "movedTo": None, "cardIds": [parent, inner]},
        ]
        audit = """{ workspaces { nodes { auditLog(first: 9, filter: {types: ["CardDeleted"]}) {
          nodes { subjectId name } } } } }"""
        nodes = (await app.data(audit))["nodes"][0]["auditLog"]["nodes"]
        assert {node["subjectId"]: node["name"] for node in nodes} == {parent: "Parent", inner: "Inner"}


async def test_children_of_a_deleted_card_are_told_of(run):
    async with run() as app:
        board, [parent, child] = await app.has_board("Parent", "Child")
        await do(app, "setParentCard", id=child, parentId=parent)
        seq = (await dump(app, board))["seq"]
        await do(app, "deleteCard", id=parent, detachChildren=True)
        events = (await told(app, board, "kind ... on CardEvent { cardId }"))[seq:]
        assert events == [
            {"kind": "CardUpdated", "cardId": child},
            {"kind": "CardDeleted", "cardId": parent},
        ]
