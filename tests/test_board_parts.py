"""The context, the answer rules and the documents of a board in its file."""

import copy
import json

import pytest

from actions.transfer.board_file import UnreadableFile
from actions.transfer.file import parse
from actions.transfer.report import report_of_export
from models.refusal import Refusal
from tests.board import do
from tests.test_transfer import brought, exported, taken

SECRET = "do-not-tell"
LOOK = """query($id: ID!) { board(id: $id) {
  context { overview personas { name text } variables { name value isSecret } }
  answerRules { name answer enabled labelIds }
  documentLinks { usageHint document { title } }
  cards { nodes { documentLinks { role document { title content tags } } } } } }"""


async def full(app):
    """A board with one of each, and what no file holds."""
    board, [card] = await app.has_board("Paint")
    home = await app.home()
    label = await do(
        app, "createLabel", "... on Label { id }", workspaceId=home, name="rare", colour="#00AA00"
    )
    await do(
        app,
        "updateBoardContext",
        boardId=board,
        overview="Walls\n\nand roofs",
        testing="pytest",
        personas=[{"name": "Ann", "text": "In a hurry"}],
        setVariables=[{"name": "OPEN", "value": "yes"}, {"name": "TOKEN", "value": SECRET, "secret": True}],
    )
    for name, more in (
        ("Second", {"pattern": "b"}),
        ("First", {"labelIds": [label["id"]], "position": {"top": True}}),
    ):
        await do(app, "createAnswerRule", boardId=board, name=name, answer=["x"], enabled=False, **more)
    group = await do(app, "createGroup", "... on Group { id }", boardId=board, title="Map")
    shown = "... on Document { id }"
    for title, fields in (
        ("Spec", {"content": "# Spec\n", "kind": "SPEC", "tags": ["a", "b"]}),
        ("Page", {"uri": "https://example.org/", "checksum": "a" * 64}),
        ("Ticket", {"integration": {"system": "JIRA", "key": "X-1"}}),
    ):
        made = await do(app, "createDocument", shown, home={"boardId": board}, title=title, **fields)
        for target in ({"cardId": card}, {"groupId": group["id"]}, {"boardId": board}):
            await do(
                app, "linkDocument", documentId=made["id"], target=target, role="CONSTRAINS", usageHint=title
            )
    await do(app, "updateDocument", id=made["id"], title="Ticket 1")
    return board


async def test_a_board_comes_back_with_its_context_rules_and_documents(run):
    async with run() as app:
        board = await full(app)
        text = await exported(app, board)
        assert SECRET not in text
        said = report_of_export(await taken(app, board))
        assert "1  secret variables" in said
        assert "1  earlier revisions of documents" in said
        made, _ = await brought(app, parse(text.encode(), "x.json"))
        again = (await exported(app, made.board.id)).replace(f'"key": "{made.board.key}"', '"key": "WEB"')
        assert again == text, "same bytes"
        found = await app.data(LOOK, id=made.board.id)
        assert found["context"]["variables"] == [{"name": "OPEN", "value": "yes", "isSecret": False}]
        assert [rule["name"] for rule in found["answerRules"]] == ["First", "Second"]
        assert len(found["documentLinks"]) == 3
        links = found["cards"]["nodes"][0]["documentLinks"]
        assert {link["document"]["title"] for link in links} == {"Spec", "Page", "Ticket 1"}


BAD = [
    (("documents", 0, "links", 0, "card"), 77, "card 77"),
    (("documents", 0, "links", 0, "group"), 9, "group"),
    (("documents", 0, "kind"), "NONE", "kind"),
    (("answerRules", 0, "stages"), ["NOWHERE"], "stages[0]"),
    (("context", "fields", "overview"), 7, "overview"),
    (("answerRules", 1, "pattern"), "", None),
    (("context", "variables", 0, "name"), "PATH", None),
    (("documents", 0, "tags"), ["a", "A"], None),
    (("documents", 1, "uri"), "javascript:x", None),
]


@pytest.mark.parametrize("case", range(len(BAD)))
async def test_a_bad_part_changes_nothing(run, case):
    path, value, place = BAD[case]
    async with run() as app:
        file = json.loads(await exported(app, await full(app)))
        row = bad = copy.deepcopy(file)
        for step in path[:-1]:
            row = row[step]
        row[path[-1]] = value
        before = len((await app.data("{ boards { nodes { id } } }"))["nodes"])
        with pytest.raises((UnreadableFile, Refusal)) as refused:
            await brought(app, parse(json.dumps(bad).encode(), "x.json"))
        assert place is None or place in str(refused.value)
        assert len((await app.data("{ boards { nodes { id } } }"))["nodes"]) == before
