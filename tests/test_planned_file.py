"""Planned files of a card: confined paths, the status that follows what people do, what agents may propose."""

import pytest

from actions.planned_file import planned_path
from models.refusal import Invalid
from tests.board import card, do, told
from tests.tenants import two  # noqa: F401 - a fixture
from tests.test_agent_access import at_work

FILE = "... on PlannedFile { id path kind action module intent contract status version run { id } }"


async def add(app, id, path, actor="", **input):
    return await do(app, "addPlannedFile", FILE, actor, cardId=id, path=path, **input)


async def paths(app, id):
    return [one["path"] for one in (await card(app, id, "plannedFiles { path }"))["plannedFiles"]]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("src/pay.py", "src/pay.py"),
        (" ./src/pay.py ", "src/pay.py"),
        ("././/a", "a"),
        ("src/pay/", "src/pay/"),
        ("src/pay//", "src/pay/"),
        ("a b/ü.md", "a b/ü.md"),
        (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
    ],
)
def test_a_path_is_normalized(text, kept):
    assert planned_path("path", text) == kept


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "/",
            "./",
            "..",
            "../x",
            "a/../b",
            "a/..",
            "./../x",
            "/etc/passwd",
            "//x",
            "a//b",
            "a/./b",
        ),
        *("C:/x", "C:\\x", ".git/config", "a/.GIT/x", "a\0b", "a\nb", "a\tb", "a\x1bb", "x" * 501, "\ud800"),
    ],
)
def test_a_path_stays_in_the_repository(text):
    with pytest.raises(Invalid):
        planned_path("path", text)


async def test_a_planned_file_is_proposed_edited_and_approved(run):
    async with run() as app:
        board, [id] = await app.has_board("Pay")
        made = await add(
            app,
            id,
            "./src/pay.py",
            kind="CODE",
            action="CREATE",
            module="pay",
            intent="Pay.",
            contract="pay()",
        )
        assert (made["path"], made["status"], made["run"]) == ("src/pay.py", "PROPOSED", None)
        assert (made["module"], made["intent"], made["contract"]) == ("pay", "Pay.", "pay()")
        same = await do(app, "updatePlannedFile", FILE, id=made["id"], intent="Pay.")
        assert (same["status"], same["version"]) == ("PROPOSED", 1), "nothing differs"
        edited = await do(app, "updatePlannedFile", FILE, id=made["id"], intent="Pay it.", contract=None)
        assert (edited["status"], edited["contract"]) == ("EDITED", None)
        done = await do(app, "updatePlannedFile", FILE, id=made["id"], status="APPROVED")
        assert done["status"] == "APPROVED"
        other = await add(app, id, "docs/", kind="DOCS", position={"before": made["id"]})
        assert await paths(app, id) == ["docs/", "src/pay.py"]
        await do(app, "movePlannedFile", id=other["id"])
        assert await paths(app, id) == ["src/pay.py", "docs/"]
        await do(app, "deletePlannedFile", id=other["id"])
        shown = "kind ... on PlannedFileEvent { title file { id } }"
        assert [(one["kind"], one["title"]) for one in (await told(app, board, shown))[2:]] == [
            ("PlannedFileAdded", "src/pay.py"),
            ("PlannedFileUpdated", "src/pay.py"),
            ("PlannedFileUpdated", "src/pay.py"),
            ("PlannedFileAdded", "docs/"),
            ("PlannedFileMoved", "docs/"),
            ("PlannedFileDeleted", "docs/"),
        ]


BAD = [
    ({"path": "../x"}, "path"),
    ({"path": "a", "module": " "}, "module"),
    ({"path": "a", "module": "x" * 101}, "module"),
    ({"path": "a", "intent": "x" * 2_001}, "intent"),
    ({"path": "a", "contract": "x" * 10_001}, "contract"),
    ({"path": "a", "position": {"before": "plannedfile_00000000000000000000000000"}}, "position.before"),
]


async def test_what_a_planned_file_cannot_be(run):
    async with run() as app:
        _, [id] = await app.has_board("Pay")
        first, second = await add(app, id, "one"), await add(app, id, "two")
        for input, path in BAD:
            assert (await add(app, id, **input))["issues"][0]["path"] == path, input
        taken = await add(app, id, "./one")
        assert (taken["__typename"], taken["conflict"]) == ("Conflict", first["id"])
        taken = await do(app, "updatePlannedFile", id=second["id"], path="one")
        assert (taken["__typename"], taken["conflict"]) == ("Conflict", first["id"])
        assert (await do(app, "updatePlannedFile", FILE, id=first["id"], path="./one"))["version"] == 1
        assert (await do(app, "updatePlannedFile", id=first["id"], path="x", ifVersion=9))["version"] == 1
        assert await paths(app, id) == ["one", "two"]


async def test_an_agent_proposes_and_approves_nothing(two):  # noqa: F811
    async with two() as (app, home, _):
        _, run, agent = await at_work(app, home)
        mine, ann = home.ids["card"], home.actor("ann")
        file = await add(app, mine, "src/agent.py", agent)
        assert (file["status"], file["run"]) == ("PROPOSED", {"id": run})
        for field, input in (
            ("addPlannedFile", {"cardId": mine, "path": "x", "status": "APPROVED"}),
            ("addPlannedFile", {"cardId": home.ids["next"], "path": "x"}),
            ("updatePlannedFile", {"id": file["id"], "status": "APPROVED"}),
            ("updatePlannedFile", {"id": home.ids["planned"], "intent": "x"}),
            ("deletePlannedFile", {"id": home.ids["planned"]}),
            ("approveCard", {"id": mine}),
        ):
            assert (await do(app, field, "", agent, **input))["code"] in ("FORBIDDEN", "NOT_FOUND"), field
        again = await do(app, "updatePlannedFile", FILE, agent, id=file["id"], intent="mine")
        assert (again["intent"], again["status"]) == ("mine", "PROPOSED")
        await do(app, "updatePlannedFile", "", ann, id=file["id"], intent="better")
        refused = await do(app, "updatePlannedFile", "", agent, id=file["id"], intent="mine")
        assert refused["code"] == "FORBIDDEN", "a person edited it"
