"""Links between cards, parents, labels and people on them: bounded, unique, without circles, told."""

import asyncio
import itertools

import pytest

from actions.validation import folded
from models.account import User
from models.card import CardLabel
from models.workspace import Label, Membership, Role
from tests.board import card, do, told

LINK = "... on CardLink { id kind card { id } target { id } }"


async def blocks(app, one, other, kind="BLOCKS"):
    return await do(app, "linkCards", LINK, cardId=one, targetId=other, kind=kind)


async def test_a_link_is_seen_from_both_sides_and_told(run):
    async with run() as app:
        board, [a, b, c] = await app.has_board("a", "b", "c")
        made = await blocks(app, a, b)
        await blocks(app, c, a, "RELATED")
        shown = "blocks { id } blockedBy { id } links { kind cardId targetId }"
        assert await card(app, a, shown) == {
            "blocks": [{"id": b}],
            "blockedBy": [],
            "links": [
                {"kind": "BLOCKS", "cardId": a, "targetId": b},
                {"kind": "RELATED", "cardId": c, "targetId": a},
            ],
        }
        assert (await card(app, b, shown))["blockedBy"] == [{"id": a}]
        found = await app.data("query($id: ID!) { node(id: $id) { __typename id } }", id=made["id"])
        assert found == {"__typename": "CardLink", "id": made["id"]}
        gone = await do(app, "unlinkCards", LINK, id=made["id"])
        assert gone["kind"] == "BLOCKS"
        assert (await do(app, "unlinkCards", id=made["id"]))["__typename"] == "NotFound"
        assert (await card(app, b, shown))["blockedBy"] == []
        events = (
            await told(app, board, "kind ... on CardLinkEvent { linkKind cardId targetId link { id } }")
        )[4:]
        assert [(e["kind"], e["linkKind"], e["cardId"], e["targetId"]) for e in events] == [
            ("CardLinked", "BLOCKS", a, b),
            ("CardLinked", "RELATED", c, a),
            ("CardUnlinked", "BLOCKS", a, b),
        ]


async def test_what_cannot_be_linked(run):
    async with run() as app:
        _, [a, b, c, d] = await app.has_board(*"abcd")
        _, [far] = await app.has_board("far", name="Other")
        assert (await blocks(app, a, a))["issues"][0]["path"] == "targetId"
        first = await blocks(app, a, b)
        for again in (await blocks(app, a, b), await blocks(app, b, a, "RELATED")):
            assert (again["__typename"], again["conflict"]) == ("Conflict", first["id"])
        await blocks(app, b, c)
        await blocks(app, c, d)
        for circle in (await blocks(app, c, a), await blocks(app, d, a)):
            assert circle["__typename"] == "Conflict"
        assert (await blocks(app, d, a, "RELATED"))["__typename"] == "CardLink", "only BLOCKS has no circles"
        assert (await blocks(app, a, far))["missing"] == far
        assert (await blocks(app, far, a))["missing"] == a
        unknown = await app.ask(
            "mutation($a: ID!) { linkCards(input: {cardId: $a, targetId: $a, kind: HATES}) { __typename } }",
            a=a,
        )
        assert unknown["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_ten_at_once_close_no_circle(run):
    async with run() as app:
        _, ids = await app.has_board(*"abcde")
        ring = [*itertools.pairwise(ids), (ids[-1], ids[0])]
        answers = await asyncio.gather(*(blocks(app, a, b) for a, b in ring + [(b, a) for a, b in ring]))
        made = [(a["card"]["id"], a["target"]["id"]) for a in answers if a["__typename"] == "CardLink"]
        assert {a["__typename"] for a in answers} == {"CardLink", "Conflict"}
        order = {id: set() for id in ids}
        for one, other in made:
            order[one].add(other)
        while free := [id for id, others in order.items() if not others]:
            order = {id: others - set(free) for id, others in order.items() if id not in free}
        assert not order, "a circle was closed"


async def test_a_card_has_at_most_50_links(run):
    async with run() as app:
        _, ids = await app.has_board("hub", *(str(n) for n in range(51)))
        for other in ids[1:51]:
            await blocks(app, ids[0], other)
        assert (await blocks(app, ids[51], ids[0], "RELATED"))["__typename"] == "Conflict"
        assert len((await card(app, ids[0], "links { id }"))["links"]) == 50


async def test_parents_stand_on_one_board_without_circles(run):
    async with run() as app:
        _, [a, b, c] = await app.has_board(*"abc")
        _, [far] = await app.has_board("far", name="Other")

        async def put(id, parent):
            return await do(app, "setParentCard", "... on Card { parent { id } }", id=id, parentId=parent)

        assert (await put(b, a))["parent"] == {"id": a}
        await put(c, b)
        assert (await put(a, c))["__typename"] == "Conflict"
        assert (await put(a, a))["__typename"] == "Conflict"
        assert (await put(a, far))["missing"] == far
        assert (await card(app, a, "children { id }"))["children"] == [{"id": b}]
        refused = await do(app, "deleteCard", id=b)
        assert (refused["__typename"], refused["conflict"]) == ("Conflict", c)
        assert (await do(app, "deleteCard", id=b, detachChildren=True))["__typename"] == "Card"
        assert await card(app, c, "parent { id } version") == {"parent": None, "version": 3}


async def has_label(app, name, workspace=None):
    async with app.begin() as tx:
        label = Label(
            workspace_id=workspace or await app.home(), name=name, name_folded=folded(name), colour="#00FF00"
        )
        tx.add(label)
        await tx.flush()
        return label.id


async def has_person(app, name, workspace=None):
    async with app.begin() as tx:
        user = User(username=name, username_folded=folded(name))
        tx.add(user)
        await tx.flush()
        if workspace:
            tx.add(Membership(workspace_id=workspace, user_id=user.id, role=Role.MEMBER))
        return user.id


async def test_labels_are_put_on_and_taken_off_once(run):
    async with run() as app:
        board, [id] = await app.has_board("Ship it")
        red, blue = await has_label(app, "Red"), await has_label(app, "blue")
        shown = "... on Card { version labels { name } }"
        await do(app, "addLabel", cardId=id, labelId=red)
        await do(app, "addLabel", cardId=id, labelId=red)
        both = await do(app, "addLabel", shown, cardId=id, labelId=blue)
        assert both["labels"] == [{"name": "blue"}, {"name": "Red"}]
        assert both["version"] == 1, "a label is not the card's own text"
        await do(app, "removeLabel", cardId=id, labelId=red)
        left = await do(app, "removeLabel", shown, cardId=id, labelId=red)
        assert left["labels"] == [{"name": "blue"}]
        events = (await told(app, board, "kind ... on CardLabelEvent { label { name } }"))[2:]
        assert [(e["kind"], e["label"]["name"]) for e in events] == [
            ("LabelAdded", "Red"),
            ("LabelAdded", "blue"),
            ("LabelRemoved", "Red"),
        ]


async def test_a_label_of_another_workspace_is_not_found(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        async with app.begin() as tx:
            from models.workspace import Workspace

            other = Workspace(name="Other")
            tx.add(other)
            await tx.flush()
        foreign = await has_label(app, "Foreign", other.id)
        for field in ("addLabel", "removeLabel"):
            assert (await do(app, field, cardId=id, labelId=foreign))["missing"] == foreign
        assert (await card(app, id, "labels { id }"))["labels"] == []


async def test_a_card_has_at_most_20_labels_and_people(run):
    async with run() as app:
        home = await app.home()
        _, [id] = await app.has_board("Ship it")
        for field, key, has in (
            ("addLabel", "labelId", lambda n: has_label(app, n)),
            ("assignCard", "userId", lambda n: has_person(app, n, home)),
        ):
            for n in range(20):
                assert (await do(app, field, cardId=id, **{key: await has(f"x{n}")}))["__typename"] == "Card"
            assert (await do(app, field, cardId=id, **{key: await has("x20")}))["__typename"] == "Conflict"


async def test_members_are_assigned_and_told(run):
    async with run() as app:
        board, [id] = await app.has_board("Ship it")
        me = (await app.data("{ boards { nodes { workspace { id } } } }")) and app.owner.id
        ann, stranger = await has_person(app, "ann", await app.home()), await has_person(app, "zed")
        query = """subscription { userFeed(after: "0") { event { kind: __typename
              ... on AssignmentEvent { title card { id } } } } }"""
        for user in (ann, me, me):
            answer = await do(
                app, "assignCard", "... on Card { assignees { username } }", cardId=id, userId=user
            )
        assert answer["assignees"] == [{"username": "ann"}, {"username": "owner"}]
        assert (await do(app, "assignCard", cardId=id, userId=stranger))["missing"] == stranger
        assert (await do(app, "unassignCard", cardId=id, userId=stranger))["missing"] == stranger
        await do(app, "unassignCard", cardId=id, userId=me)
        async with app.follow(query) as hear:
            kinds = []
            while not kinds or kinds[-1] != "Unassigned":
                event = (await hear())["userFeed"]
                kinds.append(event["kind"])
            assert event == {"kind": "Unassigned", "title": "Ship it", "card": {"id": id}}
            assert kinds.count("Assigned") == 1
        events = (await told(app, board, "kind ... on CardAssigneeEvent { user { username } }"))[2:]
        assert [(e["kind"], e["user"]["username"]) for e in events] == [
            ("AssigneeAdded", "ann"),
            ("AssigneeAdded", "owner"),
            ("AssigneeRemoved", "owner"),
        ]


@pytest.mark.parametrize("prefix", ["board", "card", "label", "nonsense"])
async def test_an_id_of_another_kind_is_not_found(run, prefix):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        wrong = f"{prefix}_00000000000000000000000000"
        for field, input in (
            ("addSubtask", {"cardId": wrong, "title": "x"}),
            ("updateSubtask", {"id": wrong, "title": "x"}),
            ("postMessage", {"cardId": wrong, "body": "x"}),
            ("editMessage", {"id": wrong, "body": "x"}),
            ("unlinkCards", {"id": wrong}),
            ("addLabel", {"cardId": id, "labelId": wrong}),
            ("assignCard", {"cardId": id, "userId": wrong}),
            ("moveCards", {"ids": [wrong]}),
            ("createCards", {"boardId": wrong, "cards": [{"title": "x"}]}),
        ):
            answer = await do(app, field, **input)
            assert (answer["__typename"], answer["missing"]) == ("NotFound", wrong), field


async def test_a_deleted_card_takes_everything_with_it(run):
    async with run() as app:
        board, [a, b] = await app.has_board("a", "b")
        await blocks(app, a, b)
        await do(app, "addLabel", cardId=a, labelId=await has_label(app, "Red"))
        await do(app, "addSubtask", cardId=a, title="x")
        await do(app, "postMessage", cardId=a, body="x")
        assert (await do(app, "deleteCard", id=a))["__typename"] == "Card"
        assert await card(app, b, "blockedBy { id } links { id }") == {"blockedBy": [], "links": []}
        async with app.begin() as tx:
            from sqlalchemy import select

            assert await tx.scalar(select(CardLabel.card_id)) is None
        kinds = [e["kind"] for e in await told(app, board, "kind ... on CardEvent { card { id } }")]
        assert kinds[-1] == "CardDeleted"
