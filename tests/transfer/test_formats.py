"""CSV, Markdown, Beads and Vibe Kanban files: each is detected by its content, and its report is true."""

import io
import json
import zipfile

import pytest

from actions.transfer.board_file import UnreadableFile
from actions.transfer.file import parse
from tests.test_start import begin
from tests.test_transfer import DATA, brought

BOARD = """query($id: ID!) { board(id: $id) { name columns { name stage }
  cards(first: 50) { nodes { title description type priority storyPoints dueOn column { name } parent { title }
    labels { name colour } assignees { username } subtasks { title completed } blocks { title }
    messages(first: 10) { nodes { body author { name } createdAt } } } } } }"""


async def imported(app, raw, name="x"):
    """Import a file; the board, its cards by title, and the report."""
    result, text = await brought(app, parse(raw, name))
    board = await app.data(BOARD, id=result.board.id)
    return board, {card["title"]: card for card in board["cards"]["nodes"]}, text


def columns_of(board):
    return [(column["name"], column["stage"]) for column in board["columns"]]


def messages_of(card):
    return [(m["author"]["name"], m["body"], m["createdAt"][:10]) for m in card["messages"]["nodes"]]


JIRA = """\
Summary,Issue key,Issue id,Issue Type,Status,Project name,Priority,Assignee,Due date,Labels,Labels,Description,\
Custom field (Story Points),Parent,Parent key,Outward issue link (Blocks),Attachment,Comment,Comment,Watchers
Pay by card,WEB-1,10001,Story,Selected for Development,Website,Highest,ann,31/Jan/26 12:00 AM,shop,money,"Line one

Line, two",5.0,,,WEB-2,31/Jan/26 9:00 AM;ann;plan.pdf;https://jira.example/plan.pdf,\
31/Jan/26 9:30 AM;ann;Which bank?,just text,3
Refund,WEB-2,10002,Bug,In Review,Website,Low,,,,,,2.5,10001,WEB-1,,,,,
Refund,WEB-2,10002,Bug,In Review,Website,Low,,,,,,,,,,,,,
"""


async def test_issues_of_jira(run):
    async with run() as app:
        await app.has_user("ann")
        board, cards, text = await imported(app, JIRA.encode())
        assert text.startswith("Jira issues: ")
        assert "2 cards, " in text
        assert board["name"] == "Website"
        assert columns_of(board) == [("Selected for Development", "TODO"), ("In Review", "REVIEW")]
        card = cards["Pay by card"]
        assert (card["type"], card["priority"], card["storyPoints"]) == ("FEATURE", "CRITICAL", 5)
        assert card["dueOn"] == "2026-01-31"
        assert card["assignees"] == [{"username": "ann"}]
        assert [label["name"] for label in card["labels"]] == ["money", "shop"]
        assert card["description"] == (
            "Line one\n\nLine, two\n\nWEB-1\n\nAttachments:\n- [plan.pdf](https://jira.example/plan.pdf)"
        )
        assert card["blocks"] == [{"title": "Refund"}]
        assert ("ann", "Which bank?", "2026-01-31") in messages_of(card)
        assert cards["Refund"]["parent"] == {"title": "Pay by card"}
        assert cards["Refund"]["type"] == "BUG"
        for line in (
            "1  issues that the file has more than once",
            "1  attachments (they are links",
            "1  estimates that are no whole number",
            "1  values of the column “Watchers”",
            "1  authors of comments that are not in the file",
            "Read: rows 3, comments 2, links 1",
        ):
            assert line in text, text


LINEAR = """\
"ID","Team","Title","Description","Status","Estimate","Priority","Project","Assignee","Labels","Due Date",\
"Parent issue"
"ENG-1","Eng","Faster feed","","Todo","3","Urgent","","ann","Bug, Feed","2026-02-01T00:00:00.000Z",""
"ENG-2","Eng","Cache","","Canceled","","No priority","","","","","ENG-1"
"""
GITLAB = """\
Title,Description,Issue ID,URL,State,Author,Author Username,Assignee,Assignee Username,Confidential,Locked,\
Due Date,Labels
Crash,It stops,7,https://gitlab.com/o/r/-/issues/7,Open,Bo,bo,Ann Example,ann,No,No,2026-03-01,"bug,ui"
Other,,7,https://gitlab.com/o/s/-/issues/7,Closed,Bo,bo,,,Yes,No,,
"""


async def test_issues_of_linear(run):
    async with run() as app:
        await app.has_user("ann")
        board, cards, text = await imported(app, LINEAR.encode())
        assert text.startswith("Linear issues: ")
        assert columns_of(board) == [("Todo", "TODO"), ("Canceled", "DONE")]
        card = cards["Faster feed"]
        assert (card["priority"], card["storyPoints"], card["dueOn"]) == ("CRITICAL", 3, "2026-02-01")
        assert cards["Cache"]["priority"] == "NONE"
        assert cards["Cache"]["parent"] == {"title": "Faster feed"}
        assert "2  values of the column “Team”" in text


async def test_issues_of_gitlab(run):
    async with run() as app:
        await app.has_user("ann")
        board, cards, text = await imported(app, GITLAB.encode())
        assert text.startswith("GitLab issues: ")
        assert "2 cards, " in text
        assert columns_of(board) == [("Open", "TODO"), ("Closed", "DONE")]
        assert cards["Crash"]["assignees"] == [{"username": "ann"}]
        assert cards["Crash"]["description"] == "It stops\n\n[7](https://gitlab.com/o/r/-/issues/7)"
        assert "1  values of the column “Confidential”" in text
        assert "2  values of the column “Author”" in text


@pytest.mark.parametrize(
    "text",
    ["sep=;\nTask;State\nA;Doing\n", "\ufeffname\tstatus\nA\tDoing\n", "Title,Status,\r\nA,Doing,\r\n,,\r\n"],
    ids=["semicolons", "tabs", "empty"],
)
async def test_a_spreadsheet(run, text):
    async with run() as app:
        await app.home()
        board, cards, _ = await imported(app, text.encode(), "plan")
        assert (board["name"], columns_of(board), list(cards)) == ("plan", [("Doing", "IN_PROGRESS")], ["A"])


TASKS = """\
# Launch

Some words.

## To Do

- [ ] Write the page
  It has a price.
    - [x] Draft
    - [ ] Proof
- [x] Buy the domain

## Done

- [x] Choose a name

## Marketing

1. [ ] Tell the press
* [-] Posters

```
- [ ] no task
```
"""


async def test_a_markdown_task_list(run):
    async with run() as app:
        await app.home()
        board, cards, text = await imported(app, TASKS.encode())
        assert board["name"] == "Launch"
        assert columns_of(board) == [("To Do", "TODO"), ("Done", "DONE")]
        assert {title: card["column"]["name"] for title, card in cards.items()} == {
            "Write the page": "To Do",
            "Tell the press": "To Do",
            "Posters": "To Do",
            "Buy the domain": "Done",
            "Choose a name": "Done",
        }
        page = cards["Write the page"]
        assert page["description"] == "It has a price."
        subtasks = [(subtask["title"], subtask["completed"]) for subtask in page["subtasks"]]
        assert subtasks == [("Draft", True), ("Proof", False)]
        assert [label["name"] for label in cards["Tell the press"]["labels"]] == ["Marketing"]
        for line in (
            "Read: tasks 5, nested tasks 2",
            "1  tasks with another mark than [ ] and [x]",
            "1  completed tasks of other lists (they are in Done)",
            "4  lines of text outside tasks",
            "headings that name no stage are labels",
        ):
            assert line in text, text


async def test_a_plain_task_list_is_carried_over_whole(run):
    async with run() as app:
        await app.home()
        _, cards, text = await imported(app, b"- [ ] A\n- [x] B\n")
        assert {title: card["column"]["name"] for title, card in cards.items()} == {"A": "To do", "B": "Done"}
        assert text.endswith("Everything was carried over.")


def bead(number, **parts):
    own = {
        "id": f"bd-{number}",
        "title": f"Bead {number}",
        "status": "open",
        "priority": 2,
        "issue_type": "task",
    }
    return own | {"created_at": "2025-01-01T00:00:00Z"} | parts


def depends(number, target, kind):
    return {"issue_id": f"bd-{number}", "depends_on_id": f"bd-{target}", "type": kind}


BEADS = [
    bead(1, issue_type="epic", description="All of it", design="Small", acceptance_criteria="It runs"),
    bead(
        2,
        status="in_progress",
        priority=0,
        issue_type="bug",
        assignee="ann",
        labels=["core"],
        comments=[{"id": 1, "author": "ann", "text": "Seen", "created_at": "2025-01-02T00:00:00Z"}],
        dependencies=[depends(2, 1, "parent-child"), depends(2, 3, "blocks"), depends(2, 9, "blocks")],
    ),
    bead(
        3,
        status="closed",
        close_reason="Fixed",
        dependencies=[depends(3, 2, "blocks"), depends(3, 1, "waits-for")],
    ),
    bead(4, status="tombstone"),
    bead(3),
]


async def test_issues_of_beads(run):
    async with run() as app:
        await app.has_user("ann")
        lines = "\n".join(json.dumps(row) for row in BEADS)
        board, cards, text = await imported(app, lines.encode(), "issues")
        assert text.startswith("Beads issues: ")
        assert "3 cards, " in text
        assert columns_of(board) == [("Open", "TODO"), ("In progress", "IN_PROGRESS"), ("Closed", "DONE")]
        two = cards["Bead 2"]
        assert (two["type"], two["priority"], two["assignees"]) == ("BUG", "CRITICAL", [{"username": "ann"}])
        assert two["parent"] == {"title": "Bead 1"}
        assert messages_of(two) == [("ann", "Seen", "2025-01-02")]
        assert cards["Bead 3"]["blocks"] == [{"title": "Bead 2"}]
        assert cards["Bead 3"]["description"] == "Beads issue bd-3\nClosed: Fixed"
        assert cards["Bead 1"]["description"] == (
            "All of it\n\n## Design\n\nSmall\n\n## Acceptance criteria\n\nIt runs\n\nBeads issue bd-1"
        )
        for line in (
            "1  issues that the file has more than once",
            "1  deleted issues",
            "1  links to issues that are not in the file",
            "1  links that block in a circle",
            "1  dependencies “waits-for”",
            "1  types of issues",
        ):
            assert line in text, text


VIBE = {
    "issues.csv": "Issue ID,Title,Description,Status,Priority,Project,Assignee(s),Labels,Creator,Created,Updated,"
    "Start Date,Due Date,Completed,Parent Issue\n"
    "VK-1,Login,,In progress,Urgent,App,ann,ui,Ann,2026-01-01T00:00:00+00:00,,,2026-02-01T00:00:00+00:00,,\n"
    "VK-2,Form,,To do,,App,,,,,,,,,VK-1\n",
    "tags.csv": 'Project,Tag Name,Color\nApp,ui,"0 100% 50%"\n',
    "relationships.csv": "Issue ID,Related Issue ID,Type,Created\nVK-2,VK-1,Blocking,2026-01-01T00:00:00+00:00\n",
    "comments.csv": "Issue ID,Author,Message,Created,Updated\n"
    "VK-1,ann,Hello,2026-01-03T00:00:00+00:00,\nVK-9,,x,,\n",
    "attachments.csv": "Issue ID,Filename,Content Type,Size (bytes),File Path in ZIP\n"
    "VK-1,a.png,image/png,3,attachments/VK-1/a.png\n",
    "pull_requests.csv": "Issue ID(s),PR URL,PR Number,Status,Merged At,Target Branch\nVK-1,https://x/1,1,Open,,main\n",
}


def archive(tables):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in tables.items():
            file.writestr(name, text)
    return buffer.getvalue()


async def test_an_export_of_vibe_kanban(run):
    async with run() as app:
        await app.has_user("ann")
        board, cards, text = await imported(app, archive(VIBE))
        assert text.startswith("a Vibe Kanban export: ")
        assert "2 cards, " in text
        assert (board["name"], columns_of(board)) == (
            "App",
            [("To do", "TODO"), ("In progress", "IN_PROGRESS")],
        )
        login = cards["Login"]
        assert login["labels"] == [{"name": "ui", "colour": "#FF0000"}]
        assert (login["priority"], login["dueOn"]) == ("CRITICAL", "2026-02-01")
        assert messages_of(login) == [("ann", "Hello", "2026-01-03")]
        assert login["description"] == "VK-1\n\nAttachments:\n- attachments/VK-1/a.png"
        assert cards["Form"]["blocks"] == [{"title": "Login"}]
        assert cards["Form"]["parent"] == {"title": "Login"}
        for line in (
            "1  comments of issues that are not in the file",
            "1  attachments (files of the ZIP",
            "1  pull requests",
            "1  values of the column “Creator”",
        ):
            assert line in text, text


@pytest.mark.parametrize("is_wrapped", [True, False], ids=["response", "list"])
async def test_tasks_of_a_local_vibe_kanban(run, is_wrapped):
    states = ["todo", "inprogress", "inreview", "done", "cancelled"]
    tasks = [{"id": s, "project_id": "p", "title": s, "description": None, "status": s} for s in states]
    async with run() as app:
        await app.home()
        raw = json.dumps({"success": True, "data": tasks} if is_wrapped else tasks).encode()
        board, _, text = await imported(app, raw)
        assert columns_of(board) == [
            ("To do", "TODO"),
            ("In progress", "IN_PROGRESS"),
            ("In review", "REVIEW"),
            ("Done", "DONE"),
            ("Cancelled", "DONE"),
        ]
        assert text.endswith("Everything was carried over.")


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"PK\x03\x04nothing", "is a broken ZIP"),
        (archive({"a.txt": "x"}), "is a ZIP without issues.csv"),
        (b"Title,Status\n", "is a table without rows"),
        (b"a,b\n1,2\n", "is not JSON"),
        (b'{"id": "bd-1", "title": 7, "issue_type": "bug"}', "[0].title must be text"),
        (b"\0title,status\n", "is a table without rows"),
    ],
)
def test_a_bad_file_is_one_line(raw, line):
    with pytest.raises(UnreadableFile) as error:
        parse(raw, "x")
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


async def test_the_statements_of_an_import_do_not_grow_with_its_rows(run, figure):
    async with run() as app:
        await app.home()
        await brought(app, parse(b"Title,Status\nA,Todo\n", "x"))
        counted = {}
        for count in (20, 200):
            header = "ID,Title,Status,Labels,Comment,Parent,Blocks\n"
            rows = (f"{n},T{n},{'Todo' if n % 2 else 'Doing'},one,hi,{n - 1},{n + 1}\n" for n in range(count))
            with app.counting() as statements:
                await brought(app, parse((header + "".join(rows)).encode(), "x"))
            counted[count] = len(statements)
        figure(statements=counted)
        assert counted[200] - counted[20] < 10


async def test_the_command_line_reads_every_format(tmp_path):
    assert (await begin(tmp_path, "migrate"))[0] == 0
    for name in ("jira.csv", "tasks.md", "beads.jsonl", "gh.json"):
        status, out, err = await begin(tmp_path, "import", str(DATA / "import" / name))
        assert (status, err) == (0, ""), name
        assert "\nRead: " in out
