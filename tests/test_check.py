"""Checks of a commit: the newest result of each, bounded output, and who may report them."""

from protocol.globs import is_match, matching
from tests.board import do, told
from tests.work import at_work, hand, queued, set_policy

SHA, OTHER = "a" * 40, "b" * 40
CHECKS = """... on RecordedChecks { checks {
  id kind name status exitCode output sha seconds finishedAt run { id } } }"""
UNIT = {"kind": "UNIT", "name": "tests", "command": "true"}


async def report(worker, run, *checks, sha=SHA, **lease):
    given = {"lease": {**worker.leases[run], **lease}, "sha": sha, "checks": list(checks)}
    return await do(worker.app, "reportChecks", CHECKS, worker.actor, **given)


def result(name="tests", kind="UNIT", status="PASSED", **more):
    return {"kind": kind, "name": name, "status": status, **more}


async def test_a_commit_has_one_result_of_each_check(run):
    async with run() as app:
        board, card, worker, id = await at_work(app)
        told_before = len(await told(app, board))
        first = await report(
            worker, id, result(status="FAILED", exitCode=1, output="no", seconds=1.5), result("style", "LINT")
        )
        assert [(one["name"], one["status"]) for one in first["checks"]] == [
            ("style", "PASSED"),
            ("tests", "FAILED"),
        ]
        assert first["checks"][1]["run"] == {"id": id}
        again = await report(worker, id, result(exitCode=0))
        assert [(one["name"], one["status"]) for one in again["checks"]] == [
            ("style", "PASSED"),
            ("tests", "PASSED"),
        ]
        assert again["checks"][1]["id"] == first["checks"][1]["id"]
        assert (await report(worker, id, result(exitCode=0)))["checks"] == again["checks"], "nothing changed"
        events = (
            await told(app, board, "kind ... on ChecksRecorded { sha pending passed failed run { id } }")
        )[told_before:]
        assert events == [
            {"kind": "ChecksRecorded", "sha": SHA, "pending": 0, "passed": 1, "failed": 1, "run": {"id": id}},
            {"kind": "ChecksRecorded", "sha": SHA, "pending": 0, "passed": 2, "failed": 0, "run": {"id": id}},
        ]
        await report(worker, id, result(status="PENDING"), sha=OTHER)
        shown = await app.data(
            "query($id: ID!) { card(id: $id) { checks { nodes { sha status finishedAt } } } }", id=card
        )
        assert [(one["sha"], one["status"]) for one in shown["checks"]["nodes"]] == [
            (OTHER, "PENDING"),
            (SHA, "PASSED"),
            (SHA, "PASSED"),
        ]
        assert shown["checks"]["nodes"][0]["finishedAt"] is None


async def test_the_output_keeps_its_head_and_its_tail(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        output = "begin\x1b[31m\n" + "ü" * 100_000 + "\nthe end\x01"
        [check] = (await report(worker, id, result(output=output)))["checks"]
        assert len(check["output"].encode()) <= 65_536
        assert check["output"].startswith("begin\nü")
        assert check["output"].endswith("the end")
        assert "bytes are left out" in check["output"]


async def test_a_report_is_refused_whole(run):
    async with run() as app:
        _, card, worker, id = await at_work(app)
        lost = await report(worker, id, result(), token="another")
        assert lost["code"] == "LEASE_LOST"
        for checks, path in (
            ([result(), result(status="FAILED")], "checks"),
            ([result(), result("")], "checks.1.name"),
            ([result(seconds=-1)], "checks.0.seconds"),
            ([], "checks"),
            ([result(str(n)) for n in range(101)], "checks"),
        ):
            refused = await report(worker, id, *checks)
            assert [issue["path"] for issue in refused["issues"]] == [path]
        assert (await report(worker, id, result(), sha="HEAD"))["issues"][0]["path"] == "sha"
        for n in range(2):
            await report(worker, id, *(result(f"{n}-{m}") for m in range(50)))
        assert (await report(worker, id, result("one more")))["code"] == "INVALID"
        shown = await app.data(
            "query($id: ID!) { card(id: $id) { checks(first: 100) { nodes { name } } } }", id=card
        )
        assert len(shown["checks"]["nodes"]) == 100


async def test_the_checks_of_twenty_commits_are_kept(run):
    async with run() as app:
        _, card, worker, id = await at_work(app)
        for n in range(23):
            await report(worker, id, result(), sha=f"{n:040x}")
        shown = await app.data(
            "query($id: ID!) { card(id: $id) { checks(first: 100) { nodes { sha } } } }", id=card
        )
        assert [one["sha"] for one in shown["checks"]["nodes"]] == [f"{n:040x}" for n in range(22, 2, -1)]


async def test_the_work_order_names_the_commands_of_the_first_claim(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        ci = {"kind": "CI", "name": "build"}
        await set_policy(app, board, checks=[{**UNIT, "seconds": 5}, ci], forbiddenPaths=["*.pem"])
        worker = await hand(app)
        id = await queued(app, card)
        await worker.take()
        await set_policy(app, board, checks=[])
        await worker.say("releaseRun", id)
        query = """mutation($input: ClaimRunsInput!) { claimRuns(input: $input) { ... on Claims { claims { work {
          checks { kind name command seconds } firstPaths } } } } }"""
        [claim] = (await app.data(query, input={"workerId": worker.id}))["claims"]
        assert claim["work"] == {"checks": [{**UNIT, "seconds": 5}], "firstPaths": ["*.pem"]}


async def test_a_run_that_changed_a_forbidden_path_fails(run):
    async with run() as app:
        _, _, worker, id = await at_work(app, {"forbiddenPaths": ["secrets/**", "*.pem"]})
        files = [{"path": "a.py"}, {"path": "deploy/Key.PEM", "change": "MOVE", "movedFrom": "secrets/x"}]
        done = await worker.complete(id, files=files, branch="signalbox/x", headSha=SHA)
        assert (done["status"], done["failureCode"]) == ("FAILED", "POLICY_VIOLATION")
        assert done["failureReason"] == "It changed what the board forbids: deploy/Key.PEM, secrets/x"
        assert (done["branch"], done["card"]["stage"]) == ("signalbox/x", "IN_PROGRESS"), "its work is kept"


async def test_the_rules_of_the_first_claim_hold_too(run):
    async with run() as app:
        board, _, worker, id = await at_work(app, {"forbiddenPaths": ["*.pem"]})
        await set_policy(app, board, forbiddenPaths=[])
        done = await worker.complete(id, files=[{"path": "x.pem"}])
        assert done["failureCode"] == "POLICY_VIOLATION"


def test_globs():
    table = [
        ("a/b.pem", "*.pem", True),
        ("a/.github/w.yml", ".github", True),
        ("src/db/x.sql", "src/**/x.sql", True),
        ("src/x.sql", "src/**/x.sql", True),
        ("lib/src/x.sql", "src/**/x.sql", False),
        ("src/a/b/c", "src/**", True),
        ("migrations/a/1.sql", "migrations/*", True),
        ("a/migrations/1", "migrations/*", False),
        ("a/migrations/1", "**/migrations/*", True),
        (".GitHub/x", ".github/", True),
        ("a/b", "**", True),
        ("a/b", "a/c", False),
        ("a", "a/b", False),
        ("a/b\nc", "a/*", True),
    ]
    for path, glob, expected in table:
        assert is_match(path, glob) is expected, (path, glob)
    assert not matching(["a" * 4_000], ["*a" * 90 + "b"]), "it ends"


async def test_a_policy_with_gates_is_validated(run):
    async with run() as app:
        board, _ = await app.has_board()
        for field, value, path in (
            ("checks", [UNIT, UNIT], "checks"),
            ("checks", [{**UNIT, "seconds": 0}], "checks.0.seconds"),
            ("checks", [{**UNIT, "name": " "}], "checks.0.name"),
            ("checks", [{**UNIT, "name": str(n)} for n in range(21)], "checks"),
            ("forbiddenPaths", ["a/../b"], "forbiddenPaths.0"),
            ("protectedPaths", ["x" * 201], "protectedPaths.0"),
            ("protectedPaths", ["a", "a"], "protectedPaths"),
            ("approvals", [{"kind": "MERGE"}, {"kind": "MERGE"}], "approvals"),
            ("reviewLimit", 1_001, "reviewLimit"),
        ):
            refused = await do(app, "updateBoardPolicy", boardId=board, **{field: value})
            assert [issue["path"] for issue in refused["issues"]] == [path], (field, value)
        shown = """... on Board { policy { checks { kind name command seconds } forbiddenPaths approvals { kind by }
          protectedPaths reviewLimit } }"""
        given = {
            "checks": [UNIT],
            "forbiddenPaths": ["*.pem"],
            "protectedPaths": [".github/"],
            "approvals": [{"kind": "MERGE"}],
            "reviewLimit": 3,
        }
        kept = await do(app, "updateBoardPolicy", shown, boardId=board, **given)
        assert kept["policy"] == given | {
            "checks": [{**UNIT, "seconds": 600}],
            "approvals": [{"kind": "MERGE", "by": "PERSON"}],
        }
        cleared = await do(app, "updateBoardPolicy", shown, boardId=board, **dict.fromkeys(given))
        assert cleared["policy"] == {**{name: [] for name in given}, "reviewLimit": 0}
