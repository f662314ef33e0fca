"""Files of Trello and GitHub as their users have them: losses are counted, odd entries do not refuse a board."""

import json

import pytest

from actions.transfer.file import parse
from models.board import MAX_COLUMNS
from models.stage import Stage
from tests.test_start import begin
from tests.test_transfer import BOARD, brought

LIST = {"id": "l1", "name": "To Do", "pos": 1, "closed": False}


def trello(*cards, **parts):
    """An export of one list with these cards."""
    whole = {"name": "B", "lists": [LIST], "labels": [], "members": [], "checklists": [], "actions": []}
    rows = [
        {"id": f"c{n}", "name": f"C{n}", "idList": "l1", "pos": n} | card for n, card in enumerate(cards, 1)
    ]
    return json.dumps(whole | {"cards": rows} | parts).encode()


def issue(number=1, **parts):
    """An issue as the REST API gives it, without an author."""
    address = "https://github.com/o/r/issues"
    own = {"number": number, "title": f"T{number}", "state": "open", "html_url": f"{address}/{number}"}
    return own | {"labels": [], "assignees": [], "body": None, "comments": 0} | parts


def issues(*rows):
    return json.dumps(rows).encode()


def comment(text="hello", card="c1", **parts):
    own = {
        "type": "commentCard",
        "date": "2012-02-05T23:21:32.437Z",
        "data": {"text": text, "card": {"id": card}},
    }
    return own | parts


async def imported(app, raw, **options):
    """Import a file; the board as a client sees it, and the report."""
    result, text = await brought(app, parse(raw, "x", **options))
    return await app.data(BOARD, id=result.board.id), text


AMY = {"id": "m1", "username": "amy"}
LABELS = [
    {"id": f"b{n}", "name": name, "color": color}
    for n, (name, color) in enumerate([("bug", "red"), ("bug", "green"), ("", "red"), ("", "red_dark")])
]
ITEM = {"id": "i", "name": "x", "state": "complete"}


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (trello({"badges": {"comments": 7}}), ["7  comments that the file lacks"]),
        (
            trello(
                {"idLabels": ["zz"]},
                checklists=[{"id": "k", "idCard": "gone", "name": "K", "checkItems": [ITEM]}],
                actions=[comment(card="gone", memberCreator=AMY)],
            ),
            [
                "1  labels of cards that are not in the file",
                "1  checklists of cards that are not in the file",
                "1  comments of cards that are not in the file",
                "checklist items 1, comments 1",
            ],
        ),
        (
            trello({"idLabels": [label["id"] for label in LABELS]}, labels=LABELS),
            ["1  labels whose name another has", "3 labels"],
        ),
        (trello({"cover": {"color": "red"}}), ["1  covers"]),
        (
            issues(
                issue(state="closed", state_reason="not_planned"),
                issue(2, state="closed", state_reason="duplicate"),
            ),
            ["1  reasons why issues are closed: not planned", "1  reasons why issues are closed: duplicate"],
        ),
        (issues(issue(), issue()), ["1  issues that the file has more than once", "1 cards", "issues 2"]),
        (issues(issue(sub_issues_summary={"total": 2})), ["2  sub-issues that the file does not name"]),
        (issues(issue(user={"login": "amy"})), ["1  authors of issues"]),
        (issues(issue(type={"name": "Spike"})), ["1  types of issues"]),
        (
            issues(issue(parent_issue_url="https://api.github.com/repos/o/r/issues/9")),
            ["1  parents that are not"],
        ),
    ],
    ids=lambda value: value[0][:30] if isinstance(value, list) else "",
)
async def test_what_is_merged_skipped_or_missing_is_counted(run, raw, lines):
    async with run() as app:
        await app.home()
        _, text = await imported(app, raw)
        assert "Everything was carried over" not in text
        for line in lines:
            assert line in text, text


@pytest.mark.parametrize("raw", [trello({}), issues(issue())], ids=["trello", "github"])
async def test_everything_was_carried_over_where_it_was(run, raw):
    async with run() as app:
        await app.home()
        assert (await imported(app, raw))[1].endswith("Everything was carried over.")


async def test_links_of_attachments_are_under_the_description(run):
    rows = [
        {"name": "Spec", "url": "https://example.org/spec"},
        {"name": "a](b", "url": "https://example.org/x"},
        {"name": "Run", "url": "javascript:alert(1)"},
    ]
    async with run() as app:
        await app.home()
        board, text = await imported(app, trello({"desc": "Words", "attachments": rows}))
        assert board["cards"]["nodes"][0]["description"] == (
            "Words\n\nAttachments:\n- [Spec](https://example.org/spec)\n- [a\\](b](https://example.org/x)\n"
            "- Run: javascript:alert(1)"
        )
        assert "3  attachments (they are links under the description, not copies)" in text


async def test_a_long_description_keeps_its_links(run):
    attachment = {"name": "Spec", "url": "https://example.org/spec"}
    async with run() as app:
        await app.home()
        board, text = await imported(app, trello({"desc": "x" * 60_000, "attachments": [attachment]}))
        description = board["cards"]["nodes"][0]["description"]
        assert len(description) == 50_000
        assert description.endswith("x…\n\nAttachments:\n- [Spec](https://example.org/spec)")
        assert "1  descriptions cut at" in text


async def test_comments_have_the_authors_that_the_file_knows(run):
    actions = [
        comment("hello", idMemberCreator="m1"),
        comment("who", idMemberCreator="m9", date="2012-02-06T00:00:00Z"),
        comment("copied", type="copyCommentCard", memberCreator=AMY, date="2012-02-07T00:00:00Z"),
    ]
    async with run() as app:
        await app.has_user("amy")
        board, text = await imported(app, trello({}, members=[AMY], actions=actions))
        messages = board["cards"]["nodes"][0]["messages"]["nodes"]
        assert sorted((m["author"]["name"], m["body"]) for m in messages) == [
            ("Signalbox", "who"),
            ("amy", "copied"),
            ("amy", "hello"),
        ]
        assert "1  authors of comments that are not in the file" in text


@pytest.mark.parametrize(
    ("own", "parts"),
    [
        ({"idLabels": ["b1"], "labels": [{"id": "b1", "name": "Urgent", "color": "red"}]}, {}),
        ({"labels": [{"name": "Urgent", "color": "red"}]}, {}),
        ({"labels": [{"name": "", "color": "red"}]}, {"labelNames": {"red": "Urgent"}}),
    ],
    ids=["by id", "no id", "names by color"],
)
async def test_labels_of_older_exports_are_in_the_cards(run, own, parts):
    async with run() as app:
        await app.home()
        board, _ = await imported(app, trello(own, **parts))
        [card] = board["cards"]["nodes"]
        assert card["labels"] == [{"name": "Urgent", "colour": "#EB5A46"}]
        assert card["priority"] == "CRITICAL"


ONE, TWO = json.dumps(issue()), json.dumps(issue(2))


@pytest.mark.parametrize(
    "text",
    [
        f"[{ONE}]\n[{TWO}]\n",
        f"[[{ONE}], [{TWO}]]",
        f"{ONE}\n{TWO}",
        json.dumps([issue(pull_request=None), issue(2, pull_request=None)]),
        json.dumps({"total_count": 2, "incomplete_results": False, "items": [issue(), issue(2)]}),
    ],
    ids=["pages joined", "slurped", "lines", "null pull request", "search"],
)
async def test_pages_of_issues_in_any_packing(run, text):
    async with run() as app:
        await app.home()
        board, report = await imported(app, text.encode())
        assert [card["title"] for card in board["cards"]["nodes"]] == ["T1", "T2"]
        assert "pull requests" not in report


async def test_issues_of_the_command_line(run):
    row = {
        "number": 1,
        "title": "A",
        "state": "CLOSED",
        "stateReason": "NOT_PLANNED",
        "url": "https://github.com/o/r/issues/1",
        "labels": [{"id": "LA_1", "name": "bug", "description": "", "color": "d73a4a"}],
        "assignees": [{"id": "U1", "login": "amy", "name": ""}],
        "body": "x",
        "comments": [
            {"author": {"login": "amy"}, "body": "hello", "createdAt": "2024-01-02T03:04:05Z"},
            {"author": None, "body": "of a deleted account", "createdAt": "2024-01-03T03:04:05Z"},
        ],
    }
    async with run() as app:
        await app.has_user("amy")
        board, text = await imported(app, issues(row))
        assert board["name"] == "o/r"
        [card] = board["cards"]["nodes"]
        assert (card["column"]["name"], card["type"], card["assignees"]) == (
            "Done",
            "BUG",
            [{"username": "amy"}],
        )
        assert card["description"] == "x\n\nGitHub issue [#1](https://github.com/o/r/issues/1)"
        messages = {(m["author"]["name"], m["body"], m["createdAt"][:10]) for m in card["messages"]["nodes"]}
        assert messages == {
            ("amy", "hello", "2024-01-02"),
            ("Signalbox", "of a deleted account", "2024-01-03"),
        }
        assert "1  reasons why issues are closed: not planned" in text
        assert "1  authors of comments that are not in the file" in text


async def test_sub_issues_are_children(run):
    parent = "https://api.github.com/repos/o/r/issues/3"
    rows = [issue(3, sub_issues_summary={"total": 1}), issue(4, parent_issue_url=parent)]
    circle = [issue(n, parent_issue_url=parent[:-1] + str(m)) for n, m in ((5, 6), (6, 5))]
    async with run() as app:
        await app.home()
        board = await brought(app, parse(issues(*rows, *circle), "x"))
        query = "query($id: ID!) { board(id: $id) { cards(first: 9) { nodes { title parent { title } } } } }"
        cards = (await app.data(query, id=board[0].board.id))["cards"]["nodes"]
        parents = {card["title"]: card["parent"] and card["parent"]["title"] for card in cards}
        assert parents == {"T3": None, "T4": "T3", "T5": "T6", "T6": None}
        assert "1  parents in a circle" in board[1]


async def test_odd_entries_are_mended(run):
    cards = [
        {"name": "\u200e \u200e"},
        {"name": "\u202eturned"},
        {"name": "x" * 300, "due": "0100-01-01T12:00:00Z"},
        {"idLabels": ["odd"], "idMembers": [f"m{n}" for n in range(30)]},
    ]
    checklist = {"id": "k", "idCard": "c1", "name": "\u200b", "checkItems": [ITEM | {"name": "\u200b"}]}
    raw = trello(
        *cards,
        name="\u200b",
        lists=[LIST | {"name": "\u200b", "softLimit": 5_000}],
        labels=[{"id": "odd", "name": "\ufdfa" * 50, "color": None}],
        checklists=[checklist],
        actions=[comment(" ", memberCreator=AMY), comment("hi", memberCreator={"username": "\u200b"})],
    )
    async with run() as app:
        await app.home()
        board, text = await imported(app, raw)
        assert board["name"] == "Imported"
        titles = [card["title"] for card in board["cards"]["nodes"]]
        assert titles == ["(no title)", "turned", "x" * 254 + "…", "C4"]
        for line in (
            "1  titles without a visible character",
            "1  titles that turned the direction of writing",
            "1  titles cut at 255 characters",
            "1  due dates before 1970",
            "1  lists without a visible name",
            "1  checklist items without a visible character",
            "1  comments without text",
            "1  authors without a visible name",
            "1  WIP limits that are not 1 to 1000",
            "10  people beyond the first 20 of a card",
        ):
            assert line in text, text


async def test_lists_beyond_the_columns_of_a_board_go_into_others(run):
    lists = [LIST | {"id": f"l{n}", "name": f"L{n}", "pos": n} for n in range(1, 23)]
    async with run() as app:
        await app.home()
        raw = trello({}, {"idList": "l21"}, {"idList": "l22"}, lists=lists)
        board, text = await imported(app, raw, stages={"L22": Stage.DONE, "L3": Stage.DONE})
        assert len(board["columns"]) == MAX_COLUMNS
        places = [(card["title"], card["column"]["name"]) for card in board["cards"]["nodes"]]
        assert places == [("C1", "L1"), ("C3", "L3"), ("C2", "L20")]
        assert "2  lists beyond 20 columns" in text
        assert "the cards of the list “L21” are in “L20”" in text


async def test_more_labels_than_a_workspace_holds(run):
    rows = [issue(n, labels=[f"label {n}", f"label {n % 7}"]) for n in range(1, 251)]
    async with run() as app:
        await app.home()
        board, text = await imported(app, issues(*rows))
        assert board["cards"]["nodes"][0]["labels"]
        assert "200 labels" in text
        assert "51  labels beyond 200 in the workspace (of the fewest cards)" in text


NAMES = {
    "Ready for QA": "REVIEW",
    "Verifying": "REVIEW",
    "Testing/Review": "REVIEW",
    "Ready to merge": "REVIEW",
    "Current Sprint 1 Backlog": "TODO",
    "Product Backlog": "BACKLOG",
    "To Do (Sprint 4)": "TODO",
    "TODO ✅": "TODO",
    "Doing 🚧": "IN_PROGRESS",
    "In Progress (WIP)": "IN_PROGRESS",
    "Blocked": "IN_PROGRESS",
    "Done!": "DONE",
    "Done - March": "DONE",
    "Not started": "TODO",
    "Won't do": "DONE",
    "Erledigt": "DONE",
    "En cours": "IN_PROGRESS",
    "完了": "DONE",
    "Definition of done": "BACKLOG",
    "Live events": "BACKLOG",
}


async def test_the_words_of_a_list_are_its_stage(run):
    lists = [LIST | {"id": name, "name": name, "pos": n} for n, name in enumerate(NAMES)]
    async with run() as app:
        await app.home()
        board, text = await imported(app, trello(lists=lists))
        assert {column["name"]: column["stage"] for column in board["columns"]} == NAMES
        assert "the list “Live events” is read as stage BACKLOG (--stage changes it)" in text
        assert "the list “Ready for QA” is read as stage REVIEW" in text
        assert "“En cours”" not in text


async def test_the_command_line_has_a_zone_and_stages(tmp_path):
    assert (await begin(tmp_path, "migrate"))[0] == 0
    due = [{"due": "2026-03-01T23:30:00.000Z"}, {"due": "2026-03-01T05:00:00.000Z"}]
    lists = [LIST, LIST | {"id": "l2", "name": "Parking lot = far", "pos": 2}]
    (tmp_path / "file.json").write_bytes(trello(*due, lists=lists))

    async def days(*options, **environment):
        status, out, err = await begin(tmp_path, "import", "file.json", *options, **environment)
        assert (status, err) == (0, "")
        board = out.splitlines()[0].rsplit(", ", 1)[1].rstrip(")")
        file = json.loads((await begin(tmp_path, "export", board))[1])
        return [card["dueOn"] for card in file["cards"]], file["board"]["columns"], out

    found, columns, out = await days("--zone", "Europe/Berlin", "--stage", "parking lot = FAR=in-progress")
    assert found == ["2026-03-02", "2026-03-01"]
    assert columns[1]["stage"] == "IN_PROGRESS"
    assert "due times are read as days in the time zone Europe/Berlin" in out
    assert "2  hours of due dates" in out
    found, columns, out = await days(TZ="America/Los_Angeles")
    assert found == ["2026-03-01", "2026-02-28"]
    assert columns[1]["stage"] == "BACKLOG"
    assert "in the time zone America/Los_Angeles" in out
    for options, line in (
        (("--zone", "Mars/Base"), "--zone 'Mars/Base' is no time zone"),
        (("--stage", "Parking"), "--stage 'Parking' must be NAME=STAGE"),
        (("--stage", "Nowhere=DONE"), "file.json has no list “Nowhere” for --stage; its lists are “To Do”"),
    ):
        status, out, err = await begin(tmp_path, "import", "file.json", *options)
        assert (status, out) == (2, "")
        assert line in err
