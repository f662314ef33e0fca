"""Reviews by people and by agents: threads on lines, carried over and told to the next run; findings and fixes."""

from tests.board import card, do, told
from tests.test_approval import SHA
from tests.test_diff import file, report
from tests.work import hand, queued, set_policy, start

OTHER = "b" * 40
THREAD = """... on ReviewThread { id path line side lineText outdated run { id } resolvedAt
  comments { body author { kind } } finding { id } }"""
THREADS = f"reviewThreads {{ nodes {{ {THREAD.removeprefix('... on ReviewThread {').removesuffix('}')} }} }}"
FINDING = {"path": "a.txt", "lineStart": 2, "severity": "HIGH", "category": "BUG", "title": "Off by one"}
FINDINGS = (
    "... on ReportedFindings { findings { id path lineStart lineEnd severity run { id } targetRun { id } } }"
)
OLD = ["one", "two", "three"]
NEW = ["one", "TWO", "three"]


async def worked(app, policy=None, lines=NEW, **result):
    """A board, its card in REVIEW, the worker, and the run with its final diff."""
    board, [id] = await app.has_board("Paint")
    if policy:
        await set_policy(app, board, **policy)
    worker = await hand(app)
    made = await queued(app, id)
    await worker.take()
    await report(worker, made, file("a.txt", OLD, lines), final=True)
    await worker.complete(made, branch="signalbox/x", headSha=SHA, sessionId="talk", **result)
    return board, id, worker, made


async def comment(app, run, line=2, path="a.txt", body="Why?", **more):
    return await do(app, "createReviewThread", THREAD, runId=run, path=path, line=line, body=body, **more)


async def test_a_thread_is_on_a_line_that_the_diff_shows(run):
    async with run() as app:
        board, id, _, made = await worked(app)
        thread = await comment(app, made)
        assert (thread["line"], thread["lineText"], thread["run"]) == (2, "TWO", {"id": made})
        assert (await comment(app, made, side="OLD"))["lineText"] == "two"
        assert (await comment(app, made, line=None))["lineText"] == ""
        for bad, path in (({"line": 4}, "line"), ({"path": "b.txt"}, "path"), ({"body": " "}, "body")):
            refused = await comment(app, made, **bad)
            assert [issue["path"] for issue in refused["issues"]] == [path]
        replied = await do(app, "replyToThread", THREAD, id=thread["id"], body="Because")
        assert [one["body"] for one in replied["comments"]] == ["Why?", "Because"]
        for resolved in (True, True, False):
            changed = await do(app, "resolveThread", THREAD, id=thread["id"], resolved=resolved)
            assert (changed["resolvedAt"] is not None) == resolved
        events = [event["kind"] for event in await told(app, board)]
        assert events[-6:] == [
            "ReviewThreadOpened",
            "ReviewThreadOpened",
            "ReviewThreadOpened",
            "ReviewThreadReplied",
            "ReviewThreadResolved",
            "ReviewThreadReopened",
        ]
        shown = await card(app, id, "reviewThreads(resolved: false) { nodes { id } }")
        assert len(shown["reviewThreads"]["nodes"]) == 3


async def test_a_run_without_a_diff_has_no_lines(run):
    async with run() as app:
        _, [id] = await app.has_board("Paint")
        worker = await hand(app)
        made = await queued(app, id)
        await worker.take()
        assert (await comment(app, made))["code"] == "CONFLICT"


async def test_threads_are_told_to_the_next_run_and_carried_over(run):
    async with run() as app:
        board, id, worker, made = await worked(app)
        stays = await comment(app, made)
        goes = await comment(app, made, line=3, body="And this")
        await do(app, "rejectCard", id=id, feedback="Please mend")
        fix = await worker.take()
        [run_] = (await card(app, id, "runs(first: 1) { nodes { id instruction } }"))["runs"]["nodes"]
        assert run_["instruction"] == (
            "Please mend\n\nOpen comments of the review:\n"
            "- a.txt:2\n  > TWO\n  Why?\n- a.txt:3\n  > three\n  And this"
        )
        await report(worker, fix, file("a.txt", OLD, ["zero", "half", "one", "TWO", "THREE"]), final=True)
        await worker.complete(fix, branch="signalbox/x", headSha=OTHER)
        shown = {one["id"]: one for one in (await card(app, id, THREADS))["reviewThreads"]["nodes"]}
        assert (shown[stays["id"]]["line"], shown[stays["id"]]["run"]["id"]) == (4, fix)
        assert not shown[stays["id"]]["outdated"]
        assert (shown[goes["id"]]["line"], shown[goes["id"]]["run"]["id"]) == (3, made)
        assert shown[goes["id"]]["outdated"]
        carried = [
            event["outdated"]
            for event in await told(app, board, "kind ... on ReviewThreadCarriedOver { outdated }")
            if event["kind"] == "ReviewThreadCarriedOver"
        ]
        assert carried == [False, True]


async def test_a_review_has_a_verdict(run):
    async with run() as app:
        shown = "... on SubmittedReview { card { stage } threads { path line } }"
        gated = {"approvals": [{"kind": "MERGE", "by": "PERSON"}]}
        _, id, worker, made = await worked(app, gated)
        empty = await do(app, "submitReview", shown, runId=made, verdict="COMMENT")
        assert empty["issues"][0]["path"] == "body"
        bad = [{"path": "a.txt", "line": 1, "body": "x"}, {"path": "a.txt", "line": 9, "body": "y"}]
        refused = await do(app, "submitReview", shown, runId=made, verdict="COMMENT", comments=bad)
        assert refused["issues"][0]["path"] == "comments.1.line"
        assert (await card(app, id, THREADS))["reviewThreads"]["nodes"] == []
        back = await do(
            app, "submitReview", shown, runId=made, verdict="REQUEST_CHANGES", comments=bad[:1], body="No"
        )
        assert (back["card"]["stage"], back["threads"]) == ("TODO", [{"path": "a.txt", "line": 1}])
        fix = await worker.take()
        await worker.complete(fix, branch="signalbox/x", headSha=OTHER)
        old = await do(app, "submitReview", shown, runId=made, verdict="APPROVE")
        assert old["code"] == "CONFLICT", "another commit stands on the card"
        assert (await do(app, "moveCard", id=id, destination={"stage": "DONE"}))["code"] == "STAGE_REFUSED"
        done = await do(app, "submitReview", shown, runId=fix, verdict="APPROVE", body="Fine")
        assert done["card"]["stage"] == "REVIEW"
        assert (await do(app, "moveCard", id=id, destination={"stage": "DONE"}))["__typename"] == "Card"


async def reviewing(app, worker, id):
    review = await start(app, id, kind="REVIEW")
    await worker.take()
    return review


async def find(worker, review, *findings, **more):
    given = {"lease": worker.leases[review], "findings": list(findings), **more}
    return await do(worker.app, "reportFindings", FINDINGS, worker.actor, **given)


async def test_findings_become_threads_and_name_the_run_that_mended_them(run):
    async with run() as app:
        board, id, worker, made = await worked(app)
        review = await reviewing(app, worker, id)
        found = await find(
            worker, review, FINDING, {**FINDING, "lineStart": None, "severity": "INFO"}, score=0.4
        )
        assert found["findings"][0]["targetRun"] == {"id": made}
        ids = [one["id"] for one in found["findings"]]
        await worker.complete(review, "Two things")
        shown = await app.data("query($id: ID!) { run(id: $id) { score findings { id } } }", id=review)
        assert (shown["score"], [one["id"] for one in shown["findings"]]) == (0.4, ids)
        threads = (await card(app, id, THREADS))["reviewThreads"]["nodes"]
        assert [(one["line"], one["finding"]["id"]) for one in threads] == [(2, ids[0]), (None, ids[1])]
        assert threads[0]["comments"][0]["body"].startswith("**HIGH BUG: Off by one**")
        fix = await do(
            app, "createFixRun", "... on Run { id branch retryOf { id } }", runId=made, findingIds=ids[:1]
        )
        assert (fix["branch"], fix["retryOf"]) == ("signalbox/x", {"id": made})
        [claim] = await worker.claim()
        assert claim["work"]["sessionId"] == "talk"
        assert "a.txt:2 HIGH BUG: Off by one" in claim["work"]["prompt"]
        await worker.complete(fix["id"], branch="signalbox/x", headSha=OTHER)
        query = "query($id: ID!) { node(id: $id) { ... on ReviewFinding { resolvedByRun { id } fixRun { id } } } }"
        assert await app.data(query, id=ids[0]) == {
            "resolvedByRun": {"id": fix["id"]},
            "fixRun": {"id": fix["id"]},
        }
        assert await app.data(query, id=ids[1]) == {"resolvedByRun": None, "fixRun": None}
        threads = (await card(app, id, THREADS))["reviewThreads"]["nodes"]
        assert [one["resolvedAt"] is not None for one in threads] == [True, False]
        reviews = [
            event
            for event in await told(
                app, board, "kind ... on ReviewCompleted { score findings severe verdict }"
            )
            if event["kind"] == "ReviewCompleted"
        ]
        assert [(one["score"], one["findings"], one["severe"]) for one in reviews] == [(0.4, 2, 1)]


async def test_bad_findings_are_refused_whole(run):
    async with run() as app:
        _, id, worker, made = await worked(app)
        _, _, _, foreign = await worked(app)
        review = await reviewing(app, worker, id)
        for bad, path in (
            ({"lineStart": 99}, "findings.1.lineStart"),
            ({"lineEnd": 99}, "findings.1.lineEnd"),
            ({"lineEnd": 1}, "findings.1.lineEnd"),
            ({"path": "never.txt"}, "findings.1.path"),
            ({"title": " "}, "findings.1.title"),
        ):
            refused = await find(worker, review, FINDING, {**FINDING, **bad})
            assert [issue["path"] for issue in refused["issues"]] == [path], bad
        assert (await find(worker, review, {**FINDING, "runId": foreign}))["code"] == "NOT_FOUND"
        assert (await find(worker, review, FINDING, score=1.5))["issues"][0]["path"] == "score"
        assert (await find(worker, review, *[FINDING] * 51))["code"] == "INVALID"
        assert (await card(app, id, THREADS))["reviewThreads"]["nodes"] == []
        again = await do(app, "createFixRun", runId=made, findingIds=["finding_none"])
        assert again["code"] == "NOT_FOUND"


async def test_a_review_is_of_its_own_cards_runs(run):
    async with run() as app:
        board, id, worker, _ = await worked(app)
        created = await do(app, "createCard", "... on Card { id }", boardId=board, title="Other")
        other = await queued(app, created["id"])
        await worker.take()
        await report(worker, other, file("a.txt", OLD, NEW), final=True)
        await worker.complete(other, branch="signalbox/y", headSha=OTHER)
        review = await reviewing(app, worker, id)
        refused = await find(worker, review, {**FINDING, "runId": other})
        assert (refused["code"], refused["conflict"]) == ("CONFLICT", other)
        found = (await find(worker, review, FINDING))["findings"]
        wrong = await do(app, "createFixRun", runId=other, findingIds=[found[0]["id"]])
        assert wrong["code"] == "NOT_FOUND"
        test = await start(app, created["id"], kind="TEST")
        await set_policy(app, board, concurrency=5)
        await worker.take()
        assert (await find(worker, test, FINDING))["code"] == "CONFLICT", "it is no review"
