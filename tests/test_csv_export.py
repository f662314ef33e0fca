"""CSV for spreadsheets: the cards of a filter, cells that no spreadsheet computes, and the velocity report."""

import csv
import io

from tests.board import do

CARDS = "query($id: ID!, $filter: CardFilter) { cardsCsv(boardId: $id, filter: $filter) }"


async def rows(app, board, actor="", **filter):
    text = await app.data(CARDS, actor, id=board, filter=filter or None)
    return None if text is None else list(csv.DictReader(io.StringIO(text, newline="")))


async def test_the_cards_of_a_filter_with_what_belongs_to_them(run):
    async with run() as app:
        board, [first, _] = await app.has_board("One, two", 'Say "hi"\n')
        made = await do(
            app,
            "createLabel",
            "... on Label { id }",
            workspaceId=await app.home(),
            name="red",
            colour="#112233",
        )
        await do(app, "addLabel", cardId=first, labelId=made["id"])
        await do(app, "assignCard", cardId=first, userId=app.owner.id)
        await do(
            app,
            "updateCard",
            id=first,
            storyPoints=3,
            dueOn="2026-12-30",
            priority="HIGH",
            description="a\nb",
        )
        one, two = await rows(app, board)
        shown = ["name", "title", "labels", "assignees", "priority", "stage", "description"]
        assert [one[name] for name in shown] == [
            "WEB-1",
            "One, two",
            "red",
            "owner",
            "HIGH",
            "BACKLOG",
            "a\nb",
        ]
        assert (one["story points"], one["due on"], two["title"]) == ("3", "2026-12-30", 'Say "hi"')
        assert [row["name"] for row in await rows(app, board, labelIds=[made["id"]])] == ["WEB-1"]
        with app.counting() as statements:
            await rows(app, board)
        assert len(statements) <= 6, statements


async def test_no_spreadsheet_computes_a_cell(run):
    async with run() as app:
        titles = ["=1+1", "+1", "-1", "@SUM(A1)", "fine = 1"]
        board, _ = await app.has_board(*titles)
        assert [row["title"] for row in await rows(app, board)] == [f"'{t}" for t in titles[:4]] + titles[4:]


async def test_a_board_that_one_may_not_see_is_null(run):
    async with run() as app:
        board, _ = await app.has_board("One")
        await app.has_user("eve", role=None)
        assert await rows(app, board, "eve") is None
        answer = await app.ask("query($id: ID!) { velocityCsv(boardId: $id) }", "eve", id=board)
        assert answer == {"data": {"velocityCsv": None}}
        answer = await app.data("query($id: ID!) { velocityCsv(boardId: $id) }", id=board)
        assert answer == "sprint,completed at,committed points,completed points,average,forecast\r\n"
