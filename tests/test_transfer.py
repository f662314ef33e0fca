"""Boards in and out of files: what is carried over, what is told, and that a bad file changes nothing."""

import asyncio
import copy
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from actions.transfer import native_format
from actions.transfer.board_file import UnreadableFile
from actions.transfer.export_board import export_board
from actions.transfer.file import MAX_FILE_BYTES, parse
from actions.transfer.import_board import import_board
from actions.transfer.report import report, report_of_export
from actions.transfer.stage_names import STAGES, stage_named
from models.refusal import Refusal
from models.stage import Law, Stage, StageRefused
from tests.board import do, told
from tests.terminal import Terminal
from tests.test_start import CLEAN, begin
from tests.warm import Warm

DATA = Path(__file__).parent / "data"
BOARD = """query($id: ID!) { board(id: $id) { name description law
  columns { name stage wipLimit }
  cards(first: 100) { nodes { number title description type priority dueOn column { name }
    labels { name colour } assignees { username } subtasks { title completed phase }
    messages(first: 10) { nodes { body author { name } createdAt } } } } } }"""


async def brought(app, name, **options):
    """Import one of our sample files as the owner; Ann is a member."""
    parcel = parse((DATA / name).read_bytes(), name) if isinstance(name, str) else name
    if "board_id" not in options:
        options = {"workspace_id": await app.home()} | options
    async with app.begin(app.owner) as tx:
        made = await import_board(tx, app.owner, parcel, **options)
    return made, report(parcel, made)


async def taken(app, id):
    snapshot = app.services.database.snapshot()
    parcel = await export_board(snapshot.read, app.owner, id)
    await snapshot.close()
    return parcel


async def exported(app, id):
    return native_format.write_native(await taken(app, id))


async def test_a_trello_board(run):
    async with run() as app:
        await app.has_user("ann")
        told, said = await brought(app, "trello.json")
        board = await app.data(BOARD, id=told.board.id)
        assert (board["name"], board["law"]) == ("Platform work", "FREE")
        assert board["description"] == "What the platform team does.\nUpdated weekly."
        assert [(c["name"], c["stage"]) for c in board["columns"]] == [
            ("Parking lot", "BACKLOG"),
            ("To Do", "TODO"),
            ("In Progress", "IN_PROGRESS"),
            ("Done 🎉", "DONE"),
        ]
        cards = {card["title"]: card for card in board["cards"]["nodes"]}
        assert list(cards) == [
            "Perhaps one day",
            "First in its list",
            "Rotate the certificates",
            "Move the log store",
            "Write the runbook",
        ]
        card = cards["Rotate the certificates"]
        assert card["dueOn"] == "2024-07-01"
        assert card["labels"] == [{"name": "Bug", "colour": "#EB5A46"}, {"name": "Ops", "colour": "#61BD4F"}]
        assert card["assignees"] == [{"username": "ann"}]
        assert [(s["phase"], s["title"], s["completed"]) for s in card["subtasks"]] == [
            ("Prepare", "List the old ones", True),
            ("Prepare", "Order new ones", False),
            ("Rollout", "Tell everybody", False),
        ]
        messages = [(m["author"]["name"], m["body"]) for m in card["messages"]["nodes"]]
        assert sorted(messages) == [
            ("Signalbox", "**elsewhere9**:\n\nWhich vendor?"),
            ("ann", "They are in the vault."),
        ]
        assert {m["createdAt"][:10] for m in card["messages"]["nodes"]} == {"2024-06-01", "2024-06-02"}
        assert cards["First in its list"]["labels"] == [{"name": "sky", "colour": "#00C2E0"}]
        for line in (
            "7 cards",
            "2 of them archived",
            "3 subtasks",
            "2 comments",
            "1  attachments",
            "1  votes",
            "1  custom fields",
            "1  closed lists (their cards are archived)",
            "1  labels that no card carries",
            "1  assignments of people who are not members here",
            "1  due dates ticked as complete",
            "1  entries of Trello's own history",
            "the list “Parking lot” is read as stage BACKLOG",
        ):
            assert line in said, said


async def test_github_issues(run):
    async with run() as app:
        await app.has_user("ann")
        told, said = await brought(app, "github.json")
        board = await app.data(BOARD, id=told.board.id)
        assert board["name"] == "octo/hello"
        cards = [(c["title"], c["column"]["name"], c["type"], c["priority"]) for c in board["cards"]["nodes"]]
        assert cards == [
            ("Hello", "Backlog", "FEATURE", "MEDIUM"),
            ("Crash when the list is empty", "Backlog", "BUG", "HIGH"),
            ("Say how to install it", "Done", "DOCS", "MEDIUM"),
        ]
        crash = board["cards"]["nodes"][1]
        link = "GitHub issue [#7](https://github.com/octo/hello/issues/7)"
        assert crash["description"] == f"Steps:\n\n1. Start\n2. Look\n\n{link}"
        assert crash["assignees"] == [{"username": "ann"}]
        assert {label["colour"] for label in crash["labels"]} == {"#D73A4A", "#FF0000"}
        for line in ("1  pull requests", "3  comments", "1  milestones", "2  reactions", "1  locked"):
            assert line in said


NAMES = {
    "urgent": "CRITICAL",
    "Critical": "CRITICAL",
    "HIGH": "HIGH",
    "normal": "MEDIUM",
    "Medium": "MEDIUM",
    "low": "LOW",
    "None": "NONE",
}


@pytest.mark.parametrize("source", ["trello", "github", "ours"])
async def test_a_priority_may_have_other_names(run, source):
    trello = {
        "name": "P",
        "lists": [{"id": "l", "name": "Todo", "pos": 1}],
        "labels": [{"id": name, "name": name, "color": "red"} for name in NAMES],
        "cards": [
            {"id": name, "name": name, "pos": n, "idList": "l", "idLabels": [name]}
            for n, name in enumerate(NAMES)
        ],
        "checklists": [],
        "actions": [],
    }
    github = [
        {
            "number": n,
            "title": name,
            "state": "open",
            "labels": [{"name": f"priority: {name}", "color": "ff0000"}],
        }
        for n, name in enumerate(NAMES, 1)
    ]
    ours = {
        "format": "signalbox/1",
        "board": {"name": "P", "law": "FREE", "columns": [{"name": "Todo", "stage": "TODO"}]},
        "cards": [
            {"title": name, "number": n, "column": 1, "priority": f" {name} "}
            for n, name in enumerate(NAMES, 1)
        ],
    }
    async with run() as app:
        text = json.dumps({"trello": trello, "github": github, "ours": ours}[source])
        told, _ = await brought(app, parse(text.encode(), "x"))
        cards = (await app.data(BOARD, id=told.board.id))["cards"]["nodes"]
        assert {card["title"]: card["priority"] for card in cards} == NAMES


def test_a_priority_nobody_knows_is_refused():
    ours = {
        "format": "signalbox/1",
        "board": {"name": "P", "columns": [{"name": "Todo", "stage": "TODO"}]},
        "cards": [{"title": "x", "number": 1, "column": 1, "priority": "hihg"}],
    }
    with pytest.raises(
        UnreadableFile, match="must be one of NONE, LOW, MEDIUM, HIGH, CRITICAL, or urgent or normal"
    ):
        parse(json.dumps(ours).encode(), "x")


async def test_our_own_file_comes_back_the_same(run):
    async with run() as app:
        await app.has_user("ann")
        first, _ = await brought(app, "trello.json", law=Law.PIPELINE)
        cards = await app.data(BOARD.replace("number", "id number"), id=first.board.id)
        one, two, three = [card["id"] for card in cards["cards"]["nodes"]][:3]
        for change in (
            f'linkCards(input: {{cardId: "{one}", targetId: "{two}", kind: BLOCKS}})',
            f'setParentCard(input: {{id: "{three}", parentId: "{one}"}})',
            f'updateCard(input: {{id: "{two}", size: LARGE, storyPoints: 8, priority: CRITICAL}})',
            f'moveCard(input: {{id: "{three}", position: {{before: "{two}"}}}})',
        ):
            assert "errors" not in await app.ask(f"mutation {{ {change} {{ __typename }} }}")
        text = await exported(app, first.board.id)
        other = await app.data(
            'mutation { createWorkspace(input: {name: "Other"}) { ... on Workspace { id } } }'
        )
        await app.data(
            'mutation($id: ID!) { addMember(input: {workspaceId: $id, username: "ann"}) { __typename } }',
            id=other["id"],
        )
        again, _ = await brought(app, parse(text.encode(), "x"), workspace_id=other["id"])
        assert again.board.id != first.board.id
        assert await exported(app, again.board.id) == text, (
            "same bytes; it has no ids, and the times of comments are kept"
        )
        assert json.loads(text)["board"]["law"] == "PIPELINE"
        numbers = [card["number"] for card in json.loads(text)["cards"]]
        assert sorted(numbers) == list(range(1, 8)) != numbers


async def test_what_strangers_said_comes_back_the_same(run):
    async with run() as app:
        bob = await app.has_user("bob")
        comments = [
            {"at": "2024-01-01T00:00:00Z", "author": author, "body": body, "kind": kind}
            for author, body, kind in (
                ("bob", "I was here", "COMMENT"),
                ("bob", "x" * 10_000, "FEEDBACK"),
                ("some  body **:", "**bold**:\n\nand more", "COMMENT"),
                (None, "The system's own", "STATUS"),
            )
        ]
        first, _ = await brought(app, parse(ours(cards=[CARD | {"comments": comments}]), "x"))
        members = "{ workspaces { nodes { members { nodes { id user { id } } } } } }"
        [home] = (await app.data(members))["nodes"]
        [member] = [m["id"] for m in home["members"]["nodes"] if m["user"]["id"] == bob]
        assert (await do(app, "removeMember", id=member))["__typename"] == "Membership"
        text = await exported(app, first.board.id)
        said = json.loads(text)["cards"][0]["comments"]
        assert [one["author"] for one in said] == ["bob", "bob", "some body **:", None]
        assert [one["body"] for one in said] == [one["body"] for one in comments]
        again, report = await brought(app, parse(text.encode(), "x"))
        assert (await exported(app, again.board.id)).replace('"key": "X2"', '"key": "X"') == text
        assert "3  authors of comments who are not members here (named in the text)" in report
        shown = "author { kind name user { id } } kind body"
        [card] = (await app.data(BOARD.replace("body author { name }", shown), id=again.board.id))["cards"][
            "nodes"
        ]
        assert {one["author"]["kind"] for one in card["messages"]["nodes"]} == {"SYSTEM"}, (
            "nobody else's words"
        )
        assert card["messages"]["nodes"][0]["body"] == "**bob**:\n\nI was here"


async def test_an_import_notifies_nobody(run):
    async with run() as app:
        await app.has_user("ann")
        first, _ = await brought(app, parse(large(3), "x"))
        cards = (await app.data(BOARD, id=first.board.id))["cards"]["nodes"]
        assert cards[0]["assignees"] == [{"username": "ann"}]
        assert cards[0]["messages"]["nodes"][0]["body"].startswith("@ann")
        found = await app.data("{ notifications(first: 5) { nodes { type title } } }", "ann")
        assert found["nodes"] == []


async def test_an_export_says_what_is_not_in_its_file(run):
    async with run() as app:
        board, [card, _] = await app.has_board("Do it", "Later", autoDispatch=True)
        assert report_of_export(await taken(app, (await app.has_board("Plain", name="B"))[0])) == ""
        message = await do(app, "postMessage", "... on Message { id }", cardId=card, body="Oh")
        await do(app, "deleteMessage", id=message["id"])
        await do(app, "moveCard", id=card, destination={"stage": "TODO"})
        await do(app, "archiveBoard", id=board)
        assert report_of_export(await taken(app, board)).splitlines() == [
            "Not in the file:",
            "      1  deleted comments",
            "      1  runs of agents, with their logs",
            "      1  settings of how agents work (the board's policy)",
            "      1  that the board is archived",
        ]


def large(count):
    """A board of ours with so many cards, and everything that hangs on cards on each."""
    lanes = ["BACKLOG", "TODO", "IN_PROGRESS", "DONE"]
    cards = [
        {
            "number": count - n,
            "column": n * len(lanes) // count + 1,
            "title": f"Card {n}",
            "parent": count - n + 1 if n % 3 else None,
            "archived": n % 5 == 0,
            "labels": ["one", "two"],
            "assignees": ["ann"],
            "subtasks": [{"title": "Do it", "completed": n % 2 == 0, "phase": "Build"}, {"title": "Look"}],
            "comments": [{"author": "ann", "at": "2024-01-01T00:00:00Z", "body": f"@ann said {n}"}] * 2,
        }
        for n in range(count)
    ]
    return ours(
        board={"name": "Large", "law": "FREE", "columns": [{"name": s, "stage": s} for s in lanes]},
        labels=[{"name": name, "colour": "#112233"} for name in ("one", "two")],
        cards=cards,
        links=[{"card": n, "target": n + 1, "kind": "BLOCKS"} for n in range(1, count)],
    )


async def test_many_cards_are_brought_in_as_many_statements_as_few(run, figure):
    async with run() as app:
        await app.has_user("ann")
        await brought(app, parse(large(2), "x"))  # the labels are there, and what is asked is compiled
        counted = {}
        for count in (20, 200):
            with app.counting() as statements:
                first, _ = await brought(app, parse(large(count), "x"))
            counted[count] = len(statements)
            made = {"cards": count, "subtasks": 2 * count, "comments": 2 * count, "links": count - 1}
            assert first.made == made | {"of them archived": count // 5}
        figure(statements=counted)
        assert counted[200] - counted[20] < 10, "1,000 rows at a time: each kind once more, and the events"


async def test_what_an_import_makes_is_told(run):
    async with run() as app:
        await app.has_user("ann")
        first, _ = await brought(app, parse(large(10), "x"))
        events = await told(app, first.board.id, "kind correlationId")
        assert Counter(event["kind"] for event in events) == {
            "BoardCreated": 1,
            "CardCreated": 10,
            "CardArchived": 2,
            "CardUpdated": 6,
            "CardLinked": 9,
            "LabelAdded": 20,
            "AssigneeAdded": 10,
            "SubtaskCreated": 20,
            "MessagePosted": 20,
        }
        shown = "title version archivedAt parent { title } subtaskCount { done total } blocks { title }"
        cards = f"cards(orderBy: CREATED, filter: F) {{ nodes {{ {shown} }} }}"
        query = f"query($id: ID!) {{ board(id: $id) {{ {cards} }} }}"
        found = []
        for archived in ("true", "false"):
            asked = query.replace("F)", f"{{archived: {archived}}})")
            found += (await app.data(asked, id=first.board.id))["cards"]["nodes"]
        cards = {card["title"]: card for card in found}
        assert [card["title"] for card in found] == [f"Card {n}" for n in (5, 0, 9, 8, 7, 6, 4, 3, 2, 1)]
        assert cards["Card 4"]["parent"] == {"title": "Card 3"}
        assert cards["Card 4"]["blocks"] == [{"title": "Card 3"}]
        assert cards["Card 4"]["subtaskCount"] == {"done": 1, "total": 2}
        assert [cards[f"Card {n}"]["version"] for n in (0, 3, 4, 5)] == [2, 1, 2, 3]


async def test_cards_come_to_a_board_there_is_in_their_order(run):
    async with run() as app:
        board, _ = await app.has_board("Here before", autoDispatch=True)
        file = json.loads(large(8))
        for card in file["cards"]:
            card["column"] = 2 if card["column"] > 2 else card["column"]
        await brought(app, parse(json.dumps(file).encode(), "x"), board_id=board)
        shown = "number title archivedAt column { stage } runs { nodes { kind } }"
        cards = await app.data(
            f"query($id: ID!) {{ board(id: $id) {{ cards(first: 50) {{ nodes {{ {shown} }} }} }} }}", id=board
        )
        nodes = cards["cards"]["nodes"]
        standing = [(card["number"], card["title"], card["column"]["stage"]) for card in nodes]
        assert standing == [
            (1, "Here before", "BACKLOG"),
            (8, "Card 1", "BACKLOG"),
            (7, "Card 2", "TODO"),
            (6, "Card 3", "TODO"),
            (5, "Card 4", "TODO"),
            (3, "Card 6", "TODO"),
            (2, "Card 7", "TODO"),
        ]
        assert [len(card["runs"]["nodes"]) for card in nodes] == [0, 0, 1, 1, 1, 1, 1], (
            "the board's rule holds"
        )


async def everything(app):
    """How much there is of what an import makes."""
    tables = ("board", "board_column", "card", "label", "subtask", "message", "event")
    async with app.begin() as tx:
        return [await (await tx.connection()).scalar(count(table)) for table in tables]


def count(table):
    from sqlalchemy import text

    return text(f"SELECT count(*) FROM {table}")


async def test_the_law_of_a_board_there_is_refuses(run):
    async with run() as app:
        board, _ = await app.has_board("Do it")
        before = await everything(app)
        parcel = parse((DATA / "trello.json").read_bytes(), "x")
        with pytest.raises(StageRefused) as refused:
            await brought(app, parcel, board_id=board)
        assert (refused.value.at, refused.value.to) == (Stage.BACKLOG, Stage.IN_PROGRESS)
        assert refused.value.__notes__ == ["card “Move the log store”"]
        assert await everything(app) == before, "nothing was written"
        parcel.cards = [
            card for card in parcel.cards if parcel.columns[card.column].stage in (Stage.TODO, Stage.BACKLOG)
        ]
        told, _ = await brought(app, parcel, board_id=board)
        assert told.made["cards"] == 3


def changed(path, value):
    """Our sample file with one thing in it changed."""
    whole = json.loads((DATA / "trello.json").read_text())
    target = whole
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return json.dumps(whole).encode()


OWN = {
    "format": "signalbox/1",
    "board": {"name": "X", "columns": [{"name": "A", "stage": "TODO"}]},
    "cards": [],
}


def ours(**parts):
    return json.dumps(copy.deepcopy(OWN) | parts).encode()


CARD = {"number": 1, "column": 1, "title": "A"}
BEYOND, BEFORE = "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"  # in UTC they have no year
SAID = {"author": "ann", "at": BEYOND, "body": "Late"}
CHAIN = [CARD | {"number": n} for n in range(1, 103)]
MARKS = [{"name": f"label {n}", "colour": "#112233"} for n in range(201)]


def tie(card, target, kind="BLOCKS"):
    return {"card": card, "target": target, "kind": kind}


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"", "is not JSON"),
        (b"hello", "is not JSON"),
        (b"\xff\xfe{}", "is not text in UTF-8"),
        (b"[" * 100_000, "nests too deep"),
        (b'{"format": "signalbox/1", "board": NaN}', "is not JSON: NaN is no number"),
        (b" " * (MAX_FILE_BYTES + 1), "is larger than 64 MB"),
        (b"42", "is no Trello board"),
        (b"{}", "is no Trello board"),
        (b"[]", "is an empty list"),
        (b"[1]", "[0] must be an object, not a whole number"),
        (b'[{"title": "x"}]', "[0].state must be text, not missing"),
        (
            b'[{"state": "open", "number": true, "title": "x"}]',
            "[0].number must be a whole number",
        ),
        (changed(["cards"], 7), "cards must be a list, not a whole number"),
        (changed(["cards", 1, "name"], None), "cards[1].name must be text, not missing"),
        (changed(["cards", 0, "pos"], "top"), "cards[0].pos must be a number, not text"),
        (changed(["cards", 0, "due"], "soon"), "cards[0].due must be a moment"),
        (changed(["cards", 0, "due"], BEYOND), "cards[0].due must be a moment"),
        (changed(["actions", 0, "date"], BEFORE), "actions[0].date must be a moment"),
        (ours(cards=[CARD | {"comments": [SAID]}]), "cards[0].comments[0].at must be a moment"),
        (changed(["cards", 0, "idLabels"], [[]]), "cards[0].idLabels[0] must be text, not a list"),
        (
            changed(["checklists", 0, "checkItems"], {"a": 1}),
            "checklists[0].checkItems must be a list",
        ),
        (changed(["actions", 0, "data"], []), "actions[0].data must be an object, not a list"),
        (b'{"format": "signalbox/9"}', "has format 'signalbox/9'; this program reads signalbox/1"),
        (b'{"format": ["x"]}', "has format"),
        (ours(board=None), "board must be an object, not missing"),
        (ours(board={"name": "X", "columns": []}), "board.columns must name one column or more"),
        (ours(cards=[CARD | {"column": 2}]), "cards[0].column must be 1 to 1"),
        (ours(cards=[CARD, CARD]), "cards must have different numbers"),
        (ours(cards=[CARD | {"parent": 9}]), "card 1 has the parent 9, which is not in the file"),
        (ours(cards=[CARD | {"type": "EPIC"}]), "cards[0].type must be one of FEATURE, BUG"),
        (
            ours(links=[{"card": 1, "target": 2, "kind": "BLOCKS"}]),
            "links name card 1, which is not in the file",
        ),
        (ours(cards=[CARD | {"number": n} for n in range(1, 2_100)]), "has 2099 cards; 2000 is the most"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_bad_file_is_one_clear_line(raw, line):
    with pytest.raises(UnreadableFile) as error:
        parse(raw, "x")
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "parts",
    [
        {"cards": [CARD | {"title": ""}]},
        {"cards": [CARD | {"storyPoints": 100}]},
        {"cards": [CARD | {"labels": ["nobody told"]}]},
        {"cards": [CARD, CARD | {"number": 2, "title": "x" * 256}]},
        {"cards": [CARD | {"subtasks": [{"title": "s"}] * 101}]},
        {"cards": [CARD | {"parent": 1}]},
        {"labels": [{"name": "a", "colour": "red"}], "cards": [CARD | {"labels": ["a"]}]},
        {"board": {"name": "", "columns": [{"name": "A", "stage": "TODO"}]}},
        {"board": {"name": "X", "columns": [{"name": "A", "stage": "TODO", "wipLimit": 0}]}},
        {"board": {"name": "X", "columns": [{"name": "A", "stage": "TODO"}] * 21}},
        {"cards": CHAIN[:3], "links": [tie(1, 2), tie(2, 3), tie(3, 1)]},
        {"cards": CHAIN[:2], "links": [tie(1, 2), tie(2, 1, "RELATED")]},
        {"cards": CHAIN[:2], "links": [tie(1, 1, "RELATED")]},
        {"cards": CHAIN, "links": [tie(1, n, "RELATED") for n in range(2, 53)]},
        {"cards": [CHAIN[0] | {"parent": 3}, CHAIN[1] | {"parent": 1}, CHAIN[2] | {"parent": 2}]},
        {"cards": [CHAIN[0], *(card | {"parent": 1} for card in CHAIN[1:102])]},
        {"labels": MARKS[:21], "cards": [CARD | {"labels": [mark["name"] for mark in MARKS[:21]]}]},
        {
            "labels": MARKS,
            "cards": [CARD | {"number": n, "labels": [MARKS[n - 1]["name"]]} for n in range(1, 202)],
        },
        {"cards": [CARD | {"comments": [{"body": " "}]}]},
        {"cards": [CARD | {"comments": [{"body": "x" * 10_001}]}]},
        {
            "cards": [
                CARD
                | {
                    "subtasks": [
                        {"title": "a", "phase": "A", "phaseOrder": 1},
                        {"title": "b", "phaseOrder": 2},
                    ]
                }
            ]
        },
        {"board": OWN["board"] | {"key": "A\0"}},
        {"board": OWN["board"] | {"key": "\ud800"}},
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_the_actions_refuse_leaves_nothing(run, parts):
    async with run() as app:
        await app.home()
        before = await everything(app)
        with pytest.raises(Refusal):
            await brought(app, parse(ours(**parts), "x"))
        assert await everything(app) == before


async def test_unknown_fields_are_passed_over_and_a_key_is_taken_once(run):
    async with run() as app:
        parcel = ours(cards=[CARD | {"mood": "good"}], board=OWN["board"] | {"key": "ABC"}, more={"a": [1]})
        first, _ = await brought(app, parse(parcel, "x"))
        second, said = await brought(app, parse(parcel, "x"))
        assert (first.board.key, second.board.key) == ("ABC", "X")
        assert "another board has the key ABC" in said
        third, said = await brought(app, parse(parcel.replace(b"ABC", b"abc"), "x"))
        assert third.board.key == "X2", "it is the same key in small letters"


def test_names_of_lists_mean_stages():
    assert [stage_named(name) for name in ("To-Do", "DOING", "In review", "✅ Done", "Sprint 12")] == [
        Stage.TODO,
        Stage.IN_PROGRESS,
        Stage.REVIEW,
        Stage.DONE,
        None,
    ]
    words = " ".join(STAGES.values()).split()
    assert len(words) == len(set(words))


@pytest.mark.processes
async def test_the_command_line(tmp_path):
    status, out, err = await begin(tmp_path, "migrate")
    assert (status, err) == (0, "")
    (tmp_path / "bad.json").write_text('{"name": "x", "lists": 1, "cards": []}')
    status, out, err = await begin(tmp_path, "import", "bad.json")
    assert (status, out, err) == (2, "", "signalbox: bad.json lists must be a list, not a whole number\n")
    status, out, err = await begin(tmp_path, "import", str(DATA / "trello.json"))
    assert (status, err) == (0, ""), "no bar where nobody looks"
    assert out.startswith("a Trello board: ")
    board = out.splitlines()[0].rsplit(", ", 1)[1].rstrip(")")
    status, out, err = await begin(tmp_path, "export", board)
    assert (status, json.loads(out)["format"], err) == (0, "signalbox/1", "")
    status, out, err = await begin(tmp_path, "import", str(DATA / "trello.json"), "--board", "board_nowhere")
    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.processes
async def test_who_waits_for_an_import_sees_how_far_it_is(tmp_path):
    assert (await begin(tmp_path, "migrate"))[0] == 0
    out = tmp_path / "out"
    with Terminal() as terminal:
        file, wide = str(DATA / "trello.json"), {"TERM": "xterm", "COLUMNS": "80"}
        process = Warm("import", file, cwd=tmp_path, env=CLEAN | wide, stdout=out, stderr=terminal.path)
        assert await asyncio.to_thread(process.wait, 60) == 0
        shown = terminal.shown()
    [count] = re.findall(r"(\d+) cards", out.read_text())
    assert "importing" in shown
    assert f"{count}/{count}" in shown, "it comes to its end"
    assert "importing" not in out.read_text()
