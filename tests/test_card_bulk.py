"""Many cards at once: alike, all or none, in a fixed number of statements."""

import pytest

from tests.board import do

LOOK = """query($id: ID!) { board(id: $id) { seq cards(first: 100) { nodes {
  id title description type priority size storyPoints dueOn labels { name } assignees { username } } } } }"""
FEED = """subscription($id: ID!, $after: String!) { boardFeed(boardId: $id, after: $after) {
  correlationId event { kind: __typename ... on CardsUpdated { cardIds } } } }"""
LABEL = "... on Label { id }"


async def bulk(app, ids, actor="", **input):
    return await do(app, "bulkUpdateCards", "... on Cards { cards { id } }", actor, ids=ids, **input)


async def seen(app, board):
    return (await app.data(LOOK, id=board))["cards"]["nodes"]


async def label(app, name):
    made = await do(app, "createLabel", LABEL, workspaceId=await app.home(), name=name, colour="#112233")
    return made["id"]


async def test_every_field_of_many_cards(run):
    async with run() as app:
        board, ids = await app.has_board("One", "Two", "Three")
        await do(app, "updateCard", id=ids[0], storyPoints=3, dueOn="2026-12-30", description="Text")
        answer = await bulk(
            app,
            ids,
            type="BUG",
            priority="HIGH",
            size="LARGE",
            storyPoints={"add": 2},
            dueOn={"shiftDays": 7},
            title={"prefix": "[web] ", "suffix": "!"},
            description={"suffix": " and more"},
        )
        assert [card["id"] for card in answer["cards"]] == ids
        cards = await seen(app, board)
        assert [card["title"] for card in cards] == ["[web] One!", "[web] Two!", "[web] Three!"]
        assert {(c["type"], c["priority"], c["size"]) for c in cards} == {("BUG", "HIGH", "LARGE")}
        assert [c["storyPoints"] for c in cards] == [5, None, None]
        assert [c["dueOn"] for c in cards] == ["2027-01-06", None, None]
        assert [c["description"] for c in cards] == ["Text and more", "and more", "and more"]
        await bulk(app, ids, storyPoints={"set": 8}, dueOn={"clear": True})
        assert {(c["storyPoints"], c["dueOn"]) for c in await seen(app, board)} == {(8, None)}


async def test_labels_and_assignees_are_added_removed_and_replaced(run):
    async with run() as app:
        board, ids = await app.has_board("One", "Two")
        red, blue = [await label(app, name) for name in ("red", "blue")]
        ann = await app.has_user("ann")
        await do(app, "addLabel", cardId=ids[0], labelId=red)

        async def names():
            return [[one["name"] for one in card["labels"]] for card in await seen(app, board)]

        await bulk(app, ids, labels={"add": [red, blue]}, assignees={"add": [ann, app.owner.id]})
        assert [sorted(one) for one in await names()] == [["blue", "red"]] * 2
        await bulk(app, ids, labels={"remove": [red]})
        assert await names() == [["blue"]] * 2
        await bulk(app, ids, labels={"replace": [red]}, assignees={"replace": []})
        assert await names() == [["red"]] * 2
        assert [card["assignees"] for card in await seen(app, board)] == [[], []]
        notices = await app.data("{ notifications(first: 5) { nodes { type title } } }", "ann")
        assert notices["nodes"] == [{"type": "ASSIGNED", "title": "2 cards of Web were assigned to you"}]


async def test_the_events_share_an_id_and_one_event_ends_them(run):
    async with run() as app:
        board, ids = await app.has_board("One", "Two", "Three")
        await do(app, "updateCard", id=ids[2], priority="HIGH")
        after = (await app.data("query($id: ID!) { board(id: $id) { cursor } }", id=board))["cursor"]
        await bulk(app, ids, priority="HIGH")
        async with app.follow(FEED, id=board, after=after) as hear:
            items = [(await hear())["boardFeed"] for _ in range(3)]
        assert [item["kind"] for item in items] == ["CardUpdated", "CardUpdated", "CardsUpdated"]
        assert items[-1]["cardIds"] == ids[:2], "one had that priority already"
        assert len({item["correlationId"] for item in items}) == 1


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"title": {"suffix": "x" * 300}}, "ids.0.title"),
        ({"storyPoints": {"add": 99}}, "ids.1.storyPoints"),
        ({"storyPoints": {"set": 100}}, "ids.0.storyPoints"),
        ({"storyPoints": {"clear": False}}, "storyPoints.clear"),
        ({"dueOn": {"shiftDays": 100_000}}, "dueOn.shiftDays"),
        ({"dueOn": {"shiftDays": -3_000}}, "ids.1.dueOn"),
        ({"labels": {"add": []}}, "labels.add"),
        ({}, "ids"),
    ],
)
async def test_a_bad_value_of_one_card_changes_none(run, input, path):
    async with run() as app:
        board, ids = await app.has_board("One", "Two")
        await do(app, "updateCard", id=ids[1], storyPoints=5, dueOn="1971-01-01")
        before = await app.data(LOOK, id=board)
        answer = (
            await bulk(app, ids, priority="LOW" if input else None, **input)
            if input
            else await bulk(app, ids)
        )
        assert [issue["path"] for issue in answer.get("issues", ())] == [path], answer
        assert await app.data(LOOK, id=board) == before


async def test_what_is_not_there_or_too_much_is_refused(run):
    async with run() as app:
        board, ids = await app.has_board("One", "Two")
        _, [elsewhere] = await app.has_board("Else", name="Other")
        stranger = await app.has_user("eve", role=None)
        before = await app.data(LOOK, id=board)
        refused = [
            await bulk(app, [ids[0], elsewhere], priority="LOW"),
            await bulk(app, ids, labels={"add": ["label_none"]}),
            await bulk(app, ids, assignees={"add": [stranger]}),
            await bulk(app, ids, groupId="group_none"),
            await bulk(app, [ids[0], ids[0]], priority="LOW"),
            await bulk(app, [f"card_{n}" for n in range(101)], priority="LOW"),
            await bulk(app, ids, labels={"replace": [await label(app, f"l{n}") for n in range(21)]}),
        ]
        kinds = [one["__typename"] for one in refused]
        assert kinds == ["NotFound"] * 4 + ["Invalid"] * 2 + ["Conflict"]
        assert await app.data(LOOK, id=board) == before


async def test_statements_do_not_grow_with_the_cards(run):
    async with run() as app:
        _, ids = await app.has_board(*(f"Card {n}" for n in range(60)))
        red = await label(app, "red")
        ann = await app.has_user("ann")
        counts = []
        for some in (ids[:2], ids[2:]):
            with app.counting() as statements:
                await bulk(app, some, priority="LOW", labels={"add": [red]}, assignees={"add": [ann]})
            counts.append(len(statements))
        assert counts[1] <= counts[0] + 1, counts
