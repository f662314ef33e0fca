"""The context of a board: what agents are told, variables of their environment, and secrets that stay secret."""

import json

import pytest
from sqlalchemy import text

from actions.connection import require_keys
from auth.secrets import SecretLost, Secrets
from tests.board import do, told
from tests.work import hand, in_todo, queued, set_policy, start

TEXTS = (
    "overview techStack conventions testing api infrastructure environments deployment communication design"
)
SHOWN = f"""... on Board {{ version context {{ {TEXTS} version personas {{ name text }}
  variables {{ name value isSecret hint }} }} }}"""
READ = f"query($id: ID!) {{ board(id: $id) {{ {SHOWN.removeprefix('... on Board {')} }}"
SECRET = "sk-live-0123456789abcdef"
CLAIM = """mutation($input: ClaimRunsInput!) { claimRuns(input: $input) { ... on Claims { claims {
  run { id } work { prompt variables { name value } } } } } }"""
PARTS = "query($id: ID!) { run(id: $id) { prompt promptParts { name characters leftOut } } }"


async def change(app, board, actor="", **input):
    return await do(app, "updateBoardContext", SHOWN, actor, boardId=board, **input)


async def context(app, board, actor=""):
    return (await app.data(READ, actor, id=board))["context"]


async def claimed(app, worker):
    answer = await app.data(CLAIM, input={"workerId": worker.id})
    return answer["claims"][0]


async def test_fields_are_merged_and_cleared(run):
    async with run() as app:
        board, _ = await app.has_board()
        empty = await context(app, board)
        assert {empty[name] for name in TEXTS.split()} == {""}
        assert (empty["personas"], empty["variables"], empty["version"]) == ([], [], 0)
        await app.has_user("max")
        ann = {"name": "Ann", "text": "Types with one hand"}
        first = await change(app, board, "max", overview=" A shop ", techStack="Elm", personas=[ann])
        assert first["context"]["overview"] == "A shop"
        second = (await change(app, board, techStack=None, testing="make test"))["context"]
        assert (second["overview"], second["techStack"], second["testing"]) == ("A shop", "", "make test")
        assert (second["personas"], second["version"]) == ([ann], 2)
        same = (await change(app, board, testing="make test", ifVersion=2))["context"]
        assert same["version"] == 2, "what changes nothing is no change"
        assert (await change(app, board, testing="no", ifVersion=1))["code"] == "STALE"
        for wrong, path in (
            ({"api": "x" * 20_001}, "api"),
            ({"techStack": "x" * 20_001}, "techStack"),
            ({"personas": [{"name": " "}]}, "personas.0.name"),
            ({"personas": [ann] * 21}, "personas"),
        ):
            refused = await change(app, board, overview="lost?", **wrong)
            assert [issue["path"] for issue in refused["issues"]] == [path]
        assert await context(app, board) == second
        heard = await told(app, board, "kind ... on BoardContextUpdated { fields variables }")
        heard = [one for one in heard if one["kind"] == "BoardContextUpdated"]
        assert [one["fields"] for one in heard] == [
            ["overview", "tech_stack", "personas"],
            ["tech_stack", "testing"],
        ]


async def test_a_secret_variable_is_given_to_the_worker_and_read_back_by_nobody(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        given = [{"name": "STRIPE_KEY", "value": SECRET, "secret": True}, {"name": "STAGE", "value": "test"}]
        answers = [await change(app, board, setVariables=given)]
        answers.append(await context(app, board))
        assert answers[1]["variables"] == [
            {"name": "STAGE", "value": "test", "isSecret": False, "hint": None},
            {"name": "STRIPE_KEY", "value": None, "isSecret": True, "hint": "cdef"},
        ]
        answers += await told(app, board, "kind ... on BoardContextUpdated { fields variables }")
        audit = """query($id: ID!) { workspace(id: $id) { auditLog { nodes { __typename
          changes { field before after } } } } }"""
        answers.append(await app.data(audit, id=await app.home()))
        worker = await hand(app)
        id = await queued(app, card)
        claim = await claimed(app, worker)
        assert claim["work"]["variables"] == [
            {"name": "STAGE", "value": "test"},
            {"name": "STRIPE_KEY", "value": SECRET},
        ]
        answers += [claim["work"]["prompt"], await app.data(PARTS, id=id)]
        assert SECRET not in json.dumps(answers)
        for table in ("board_context", "event", "run"):
            rows = await app.services.database.read(text(f"SELECT * FROM {table}"))
            assert SECRET not in str([tuple(row) for row in rows]), table
        await change(app, board, removeVariables=["STRIPE_KEY", "NOTHING"])
        assert [one["name"] for one in (await context(app, board))["variables"]] == ["STAGE"]


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("PATH", "/tmp", "name"),
        ("LD_PRELOAD", "x.so", "name"),
        ("SIGNALBOX_TOKEN", "x", "name"),
        ("GIT_SSH_COMMAND", "x", "name"),
        ("NODE_OPTIONS", "x", "name"),
        ("ANTHROPIC_BASE_URL", "x", "name"),
        ("lower", "x", "name"),
        ("A=B", "x", "name"),
        ("", "x", "name"),
        ("A" * 101, "x", "name"),
        ("A", "", "value"),
        ("A", "x" * 4_001, "value"),
        ("A", "a\u0001", "value"),
    ],
)
async def test_no_variable_changes_what_programs_run(run, name, value, path):
    async with run() as app:
        board, _ = await app.has_board()
        refused = await change(app, board, setVariables=[{"name": name, "value": value}])
        assert [issue["path"] for issue in refused["issues"]] == [f"setVariables.0.{path}"]
        assert (await context(app, board))["variables"] == []


async def test_only_admins_set_variables(run):
    async with run() as app:
        board, _ = await app.has_board()
        await app.has_user("max")
        refused = await change(app, board, "max", overview="x", setVariables=[{"name": "A", "value": "b"}])
        assert refused["code"] == "FORBIDDEN"
        assert (await context(app, board))["version"] == 0
        many = [{"name": f"A{n}", "value": "b"} for n in range(101)]
        assert (await change(app, board, setVariables=many))["code"] == "INVALID"
        await change(app, board, setVariables=many[:60])
        assert (await change(app, board, setVariables=many[41:]))["code"] == "CONFLICT"


async def test_agents_are_told_of_the_context_and_the_linked_documents(run):
    """Frozen at the first claim; parts have their sizes."""
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        await change(app, board, conventions="Use tabs.", personas=[{"name": "Ann", "text": "Left-handed"}])
        guide = {"home": {"boardId": board}, "title": "Colours", "content": "Blue is #00f.", "kind": "GUIDE"}
        made = await do(app, "createDocument", "... on Document { id }", **guide)
        link = {"documentId": made["id"], "role": "CONSTRAINS", "usageHint": "Whenever you paint"}
        await do(app, "linkDocument", target={"boardId": board}, **link)
        page = {
            "home": {"boardId": board},
            "title": "Page",
            "uri": "https://example.org/a",
            "locator": "#top",
        }
        page = await do(app, "createDocument", "... on Document { id }", **page)
        await do(app, "linkDocument", documentId=page["id"], target={"cardId": card})
        worker = await hand(app)
        id = await queued(app, card)
        told_first = (await claimed(app, worker))["work"]["prompt"]
        for words in (
            "## Conventions\nUse tabs.",
            "## A user: Ann\nLeft-handed",
            "## Colours (GUIDE): the work must comply with it\nUse: Whenever you paint\nBlue is #00f.",
            "## Page (DOC): for reference\nWhere: https://example.org/a #top",
        ):
            assert words in told_first
        assert told_first.index("## Page") < told_first.index("## Colours"), "the card's own first"
        shown = await app.data(PARTS, id=id)
        assert shown["prompt"] == told_first
        assert [part["name"] for part in shown["promptParts"]] == ["TASK", "CARD", "CONTEXT", "DOCUMENTS"]
        sizes = [part["characters"] for part in shown["promptParts"]]
        assert sum(sizes) + 2 * (len(sizes) - 1) == len(told_first)
        await change(app, board, conventions="Use spaces.")
        await do(app, "deleteDocument", id=made["id"])
        assert (await app.data(PARTS, id=id))["prompt"] == told_first


async def test_a_budget_says_what_was_left_out(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        await set_policy(app, board, promptLength=10_000)
        await change(app, board, overview="o" * 3_000, design="d" * 8_000)
        for title, length in (("Big", 9_000), ("Small", 100)):
            given = {"home": {"boardId": board}, "title": title, "content": "x" * length}
            made = await do(app, "createDocument", "... on Document { id }", **given)
            await do(app, "linkDocument", documentId=made["id"], target={"boardId": board})
        worker = await hand(app)
        await in_todo(app, card)
        id = await start(app, card)
        prompt = (await claimed(app, worker))["work"]["prompt"]
        assert len(prompt) < 10_300
        assert "Left out of context for their length: Design" in prompt
        assert "Left out of documents for their length: Big" in prompt
        assert "## Small" in prompt
        parts = (await app.data(PARTS, id=id))["promptParts"]
        assert {part["name"]: part["leftOut"] for part in parts if part["leftOut"]} == {
            "CONTEXT": ["Design"],
            "DOCUMENTS": ["Big"],
        }


async def test_a_variable_whose_key_is_gone_keeps_a_server_from_starting(run):
    async with run() as app:
        board, _ = await app.has_board()
        await change(app, board, setVariables=[{"name": "A", "value": SECRET, "secret": True}])
        await require_keys(app.services.database.read, app.services.secrets)
        with pytest.raises(SecretLost, match="SECRET_KEY"):
            await require_keys(app.services.database.read, Secrets(["another key"]))
