"""The bin: deleted cards are in no list, and come back as they were."""

from sqlalchemy import text

from actions.purge import purge
from tests.board import card, do, dump, told

BIN = """query($id: ID!, $first: Int) { board(id: $id) { bin(first: $first) { totalCount nodes {
  cardId number title stage deletedBy { name } } } } }"""
WHOLE = """id number name title description type priority size storyPoints dueOn approvedAt archivedAt rank columnId
  createdAt createdBy { name } parent { id } group { title } sprint { name } labels { name } assignees { username }
  links { id } blocks { id } subtasks { id title completed phase phaseOrder }
  knowledge { id kind text state } plannedFiles { id path intent status }
  messages(first: 20) { nodes { id body createdAt author { name } } }"""


async def binned(app, board, first=20, actor=""):
    return (await app.data(BIN, actor, id=board, first=first))["bin"]


async def restore(app, id, actor=""):
    return await do(app, "restoreCard", "... on Card { id column { name stage } }", actor, id=id)


async def has_whole_card(app):
    board, [one, two, three] = await app.has_board("One", "Two", "Three")
    made = await do(
        app, "createLabel", "... on Label { id }", workspaceId=await app.home(), name="red", colour="#112233"
    )
    group = await do(app, "createGroup", "... on Group { id }", boardId=board, title="Checkout")
    sprint = await do(
        app, "createSprint", "... on Sprint { id }", boardId=board, name="49", startsOn="2026-11-30",
        endsOn="2026-12-11",
    )  # fmt: skip
    await do(
        app, "updateCard", id=two, description="Text", type="BUG", priority="CRITICAL", size="LARGE",
        storyPoints=5, dueOn="2026-12-24", groupId=group["id"], sprintId=sprint["id"],
    )  # fmt: skip
    await do(app, "setParentCard", id=two, parentId=one)
    await do(app, "addLabel", cardId=two, labelId=made["id"])
    await do(app, "assignCard", cardId=two, userId=app.owner.id)
    await do(app, "linkCards", cardId=two, targetId=three, kind="BLOCKS")
    await do(app, "linkCards", cardId=one, targetId=two, kind="RELATED")
    for title, phase in (("a", "Early"), ("b", "Late"), ("c", None)):
        await do(app, "addSubtask", cardId=two, title=title, phase=phase)
    subtask = (await card(app, two, "subtasks { id }"))["subtasks"][1]["id"]
    await do(app, "updateSubtask", id=subtask, completed=True)
    await do(app, "postMessage", cardId=two, body="Hello")
    await do(app, "addKnowledge", cardId=two, kind="REQUIREMENT", text="It must")
    await do(app, "addPlannedFile", cardId=two, path="src/main.py", intent="New")
    return board, one, two, three, made["id"]


async def test_a_deleted_card_is_in_no_list_and_comes_back_whole(run):
    async with run() as app:
        board, _, two, _, _ = await has_whole_card(app)
        before, all_before = await card(app, two, WHOLE), await dump(app, board)
        for name in ("knowledge", "plannedFiles", "subtasks", "labels", "assignees", "links", "blocks"):
            assert before[name], name
        assert (await do(app, "deleteCard", id=two))["__typename"] == "Card"
        assert await card(app, two, "id") is None
        assert [one["title"] for one in (await dump(app, board))["cards"]["nodes"]] == ["One", "Three"]
        [entry] = (await binned(app, board))["nodes"]
        assert (entry["cardId"], entry["number"], entry["title"], entry["stage"]) == (
            two,
            2,
            "Two",
            "BACKLOG",
        )
        assert entry["deletedBy"] is not None
        back = await restore(app, two)
        assert back["id"] == two, back
        assert await card(app, two, WHOLE) == before
        ids = [one["id"] for one in (await dump(app, board))["cards"]["nodes"]]
        assert ids == [one["id"] for one in all_before["cards"]["nodes"]]
        assert (await binned(app, board))["totalCount"] == 0
        assert (await restore(app, two))["code"] == "NOT_FOUND"
        assert (await told(app, board))[-1]["kind"] == "CardCreated"


async def test_what_is_gone_is_left_out(run):
    async with run() as app:
        board, one, two, three, label = await has_whole_card(app)
        await do(app, "deleteCard", id=two)
        await do(app, "deleteCard", id=one)
        await do(app, "deleteCard", id=three)
        await do(app, "deleteLabel", id=label)
        assert [e["cardId"] for e in (await binned(app, board, 2))["nodes"]] == [three, one], (
            "last deleted first"
        )
        assert (await restore(app, two))["id"] == two
        shown = await card(app, two, WHOLE)
        assert (shown["parent"], shown["labels"], shown["links"], shown["blocks"]) == (None, [], [], [])
        assert len(shown["subtasks"]) == 3
        assert (await restore(app, three))["id"] == three
        assert (await card(app, two, "links { id }"))["links"] == [], "it came back while the other was gone"


async def test_a_full_column_refuses_and_a_deleted_one_is_replaced(run):
    async with run() as app:
        board, [_, two] = await app.has_board("One", "Two")
        lane = await do(
            app, "createColumn", "... on Column { id }", boardId=board, name="Ideas", stage="BACKLOG"
        )
        await do(app, "moveCard", id=two, destination={"columnId": lane["id"]})
        await do(app, "deleteColumn", id=lane["id"], deleteCards=True)
        backlog = next(c["id"] for c in (await dump(app, board))["columns"] if c["stage"] == "BACKLOG")
        await do(app, "updateColumn", id=backlog, wipLimit=1)
        before = await dump(app, board)
        answer = await restore(app, two)
        assert [reason["code"] for reason in answer["reasons"]] == ["WIP_LIMIT"], answer
        assert await dump(app, board) == before
        await do(app, "updateColumn", id=backlog, wipLimit=2)
        assert (await restore(app, two))["column"]["stage"] == "BACKLOG"


async def test_the_bin_is_emptied_by_admins_and_by_time(run):
    async with run() as app:
        board, ids = await app.has_board("One", "Two")
        await app.has_user("ann")
        await do(app, "deleteCard", id=ids[0])
        assert (await do(app, "emptyBin", "", "ann", boardId=board))["code"] == "FORBIDDEN"
        assert (await do(app, "emptyBin", boardId=board))["__typename"] == "Board"
        assert (await binned(app, board))["totalCount"] == 0
        assert (await told(app, board))[-1]["kind"] == "BinEmptied"
        await do(app, "deleteCard", id=ids[1])
        await purge(app.services.database)
        assert (await binned(app, board))["totalCount"] == 1
        async with app.services.database.engine.begin() as connection:
            await connection.execute(text("UPDATE bin_entry SET created_at = '2026-01-01 00:00:00'"))
        await purge(app.services.database)
        assert (await restore(app, ids[1]))["code"] == "NOT_FOUND"
