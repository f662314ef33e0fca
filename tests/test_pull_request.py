"""Pull requests: opened once, edited, linked, found by their branch, synchronized, and moving their cards."""

import pytest
from sqlalchemy import update

from actions.pull_request_sync import enqueue_due_polls
from kit.db.database import utcnow
from models.pull_request import MAX_PULL_REQUESTS, PullRequest, rolled_up
from tests.github_host import EXAMPLES, Reply, github
from tests.pulls import BRANCH, HEAD, LOOPBACK, PULL, change, hosted, until
from tests.test_approval import MERGE, decide, request
from tests.work import set_policy

AT = "2030-01-01T00:00:00Z"
MERGED = {"state": "closed", "merged_at": AT, "updated_at": AT}


def check_run(id, name, conclusion=None, **more):
    example = EXAMPLES["get /repos/{owner}/{repo}/commits/{ref}/check-runs"]["check_runs"][0]
    status = "completed" if conclusion else "in_progress"
    app = {**(example["app"] or {}), "slug": "github-actions"}
    return {**example, "id": id, "name": name, "status": status, "conclusion": conclusion, "app": app, **more}


def test_a_failure_outweighs_what_is_pending():
    assert rolled_up([]) is None
    assert rolled_up(["SUCCESS", "SKIPPED"]) == "SUCCESS"
    assert rolled_up(["SUCCESS", "PENDING"]) == "PENDING"
    for failure in ("FAILURE", "ERROR"):
        assert rolled_up(["SUCCESS", "PENDING", failure]) == "FAILURE"


async def test_it_is_opened_with_a_text_made_of_the_card(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        made = await at.changes("createPullRequest", cardId=at.card, draft=True)
        assert (made["state"], made["number"], made["origin"]) == ("PENDING", None, "GENERATED")
        pull = await at.pull()
        assert (pull["state"], pull["number"], pull["headBranch"]) == ("DRAFT", 1, BRANCH)
        assert (pull["title"], pull["baseBranch"], pull["headSha"]) == ("WEB-1: Paint", "main", HEAD)
        assert "Painted it red." in pull["body"]
        again = await at.changes("createPullRequest", cardId=at.card)
        assert again["id"] == made["id"] == pull["id"]
        assert len(host.calls("POST", ".*/pulls")) == 1


async def test_a_given_text_is_kept_and_edited(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        made = await at.changes("createPullRequest", cardId=at.card, title="  Red ", body="It is red.")
        assert (made["title"], made["body"], made["origin"]) == ("Red", "It is red.", "GIVEN")
        early = await at.changes("updatePullRequest", id=made["id"], title="Redder")
        assert early["__typename"] in ("Conflict", "PullRequest")  # the job may have been faster
        await at.pull()
        edited = await at.changes("updatePullRequest", id=made["id"], title="Reddest", body="")
        assert edited["title"] == "Reddest"

        async def is_told():
            return (at.remote.pulls[1]["title"], at.remote.pulls[1]["body"]) == ("Reddest", "")

        await until(is_told)
        await at.changes("regeneratePullRequestText", id=made["id"], text="TITLE")

        async def is_generated():
            return (at.remote.pulls[1]["title"], at.remote.pulls[1]["body"]) == ("WEB-1: Paint", "")

        await until(is_generated)
        assert (await at.changes("updatePullRequest", id=made["id"], ifVersion=1, title="x"))[
            "code"
        ] == "STALE"
        wrong = await at.changes("updatePullRequest", id=made["id"], title=" ")
        assert wrong["issues"] == [{"path": "title"}]


async def test_a_lost_answer_opens_no_second_one(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        host.faults = [None, Reply(is_lost=True)]  # the look, then the opening, which has its effect
        await at.changes("createPullRequest", cardId=at.card)
        await at.pull(lambda pull: pull["error"])
        pull = (await at.look())["pullRequests"][0]
        assert (pull["state"], len(at.remote.pulls)) == ("PENDING", 1)
        await at.changes("syncPullRequest", id=pull["id"])
        pull = await at.pull()
        assert (pull["state"], pull["error"], len(at.remote.pulls)) == ("OPEN", None, 1)
        assert len(host.calls("POST", ".*/pulls")) == 1


async def test_a_host_that_refuses_is_told(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        del at.remote.branches[BRANCH]
        await at.changes("createPullRequest", cardId=at.card)
        pull = await at.pull(lambda pull: pull["error"])
        assert (pull["state"], pull["number"]) == ("PENDING", None)
        assert pull["error"] == "The request was refused with 422: Validation Failed head is invalid"


async def test_what_cannot_be_opened(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, work=False)
        assert (await at.changes("createPullRequest", cardId=at.card))["code"] == "CONFLICT"
        for branch in ("--exec=x", "a..b", "main", ""):
            given = {"cardId": at.card, "headBranch": branch}
            told = await at.changes("createPullRequest", **given)
            assert told["code"] in ("INVALID", "CONFLICT"), branch
        _, [other] = await app.has_board("Other", name="App")
        assert (await at.changes("createPullRequest", cardId=other, headBranch="x"))["code"] == "CONFLICT"
        assert host.calls("POST", ".*") == []


async def test_it_is_linked_by_url_and_number_and_unlinked(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, work=False)
        at.remote.branches["topic"] = "d" * 40
        host.open(at.remote, head="topic", title="By hand")
        url = f"{host.url}/acme/web/pull/1"
        linked = await at.changes("linkPullRequest", cardId=at.card, url=url)
        assert (linked["state"], linked["origin"], linked["number"]) == ("PENDING", "LINKED", 1)
        pull = await at.pull(lambda pull: pull["state"] == "OPEN")
        assert (pull["title"], pull["headBranch"], pull["url"]) == ("By hand", "topic", url)
        again = await at.changes("linkPullRequest", cardId=at.card, number=1)
        assert again["id"] == linked["id"]
        for wrong in (
            f"{host.url}/acme/web",
            "https://github.com/acme/other/pull/1",
            "file:///x/y/pull/1",
            "",
        ):
            told = await at.changes("linkPullRequest", cardId=at.card, url=wrong)
            assert told["code"] in ("INVALID", "CONFLICT"), wrong
        assert (await at.changes("linkPullRequest", cardId=at.card))["code"] == "INVALID"
        await at.changes("unlinkPullRequest", cardId=at.card, pullRequestId=linked["id"])
        await at.changes("unlinkPullRequest", cardId=at.card, pullRequestId=linked["id"])
        assert (await at.look())["pullRequests"] == []


async def test_it_is_found_by_the_branch_of_a_run(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        host.open(at.remote, head=BRANCH, title="By hand")
        await at.changes("discoverPullRequests", cardId=at.card)
        pull = await at.pull()
        assert (pull["origin"], pull["state"], pull["title"]) == ("DISCOVERED", "OPEN", "By hand")


async def test_a_sync_knows_approvals_and_ci_and_the_logs_of_failed_jobs(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        at.remote.checks[HEAD] = [check_run(1, "lint", "success"), check_run(2, "unit")]
        review = EXAMPLES["get /repos/{owner}/{repo}/pulls/{pull_number}/reviews"][0]
        users = [{**review["user"], "id": n} for n in (1, 2)]
        at.remote.reviews[1] = [
            {**review, "state": "CHANGES_REQUESTED", "user": users[0]},
            {**review, "state": "APPROVED", "user": users[1]},
            {**review, "state": "APPROVED", "user": users[0]},
            {**review, "state": "COMMENTED", "user": users[0]},
        ]
        made = await at.changes("createPullRequest", cardId=at.card)
        pull = await at.pull(lambda pull: pull["ci"])
        assert (pull["ci"], pull["approvals"], pull["mergeable"], pull["commits"]) == ("PENDING", 2, True, 1)
        at.remote.checks[HEAD][1] = check_run(2, "unit", "failure")
        at.remote.logs["2"] = "x" * 5_000 + "1 failed"
        at.remote.statuses[HEAD] = [
            {**EXAMPLES["get /repos/{owner}/{repo}/commits/{ref}/status"]["statuses"][0], "context": "old-ci"}
        ]
        await at.changes("syncPullRequest", id=made["id"])
        await at.pull(lambda pull: pull["ci"] == "FAILURE")
        ask = "query($id: ID!) { card(id: $id) { checks { nodes { name kind status output } } } }"

        async def has_log():
            checks = {check["name"]: check for check in (await app.data(ask, id=at.card))["checks"]["nodes"]}
            return checks if checks.get("unit", {}).get("status") == "FAILED" else None

        checks = await until(has_log)
        assert {name: check["status"] for name, check in checks.items()} == {
            "lint": "PASSED",
            "unit": "FAILED",
            "old-ci": "PASSED",
        }
        assert checks["unit"]["output"].endswith("1 failed")
        assert len(checks["unit"]["output"]) == 2_000
        logs = len(host.calls("GET", ".*/logs"))
        await at.changes("syncPullRequest", id=made["id"])
        seen = len(host.calls("GET", ".*/check-runs"))

        async def is_asked():
            return len(host.calls("GET", ".*/check-runs")) > seen

        await until(is_asked)
        assert len(host.calls("GET", ".*/logs")) == logs  # a log is read once


async def test_an_open_one_is_polled_with_its_etag(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        made = await at.changes("createPullRequest", cardId=at.card)
        ask = f"query($id: ID!) {{ node(id: $id) {{ ... on PullRequest {{ {PULL} syncedAt }} }} }}"

        async def is_synced():
            return (await app.data(ask, id=made["id"]))["syncedAt"]

        await until(is_synced)
        assert await enqueue_due_polls(app.services.event_log) == 0  # not before its time
        at.remote.pulls[1] |= MERGED
        async with app.begin() as tx:
            await tx.execute(update(PullRequest).values(poll_at=utcnow()))
        assert await enqueue_due_polls(app.services.event_log) == 1
        await at.pull(lambda pull: pull["state"] == "MERGED")
        reads = host.calls("GET", "/repos/acme/web/pulls/1")
        assert reads[-1].headers["if-none-match"].startswith("W/")
        async with app.begin() as tx:
            await tx.execute(
                update(PullRequest).where(PullRequest.poll_at.is_not(None)).values(poll_at=utcnow())
            )
        assert await enqueue_due_polls(app.services.event_log) == 0  # a merge is final


async def test_it_moves_its_card_once_and_the_move_can_be_undone(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        made = await at.changes("createPullRequest", cardId=at.card)
        await at.stands("REVIEW")
        await at.pull()
        at.remote.pulls[1] |= MERGED
        await at.changes("syncPullRequest", id=made["id"])
        await at.stands("DONE")
        undone = await at.changes("undoPullRequestMove", cardId=at.card)
        assert undone["stage"] == "REVIEW"
        assert (await at.changes("undoPullRequestMove", cardId=at.card))["code"] == "CONFLICT"
        at.remote.pulls[1] |= {"title": "After", "updated_at": "2030-01-01T00:00:01Z"}
        await at.changes("syncPullRequest", id=made["id"])
        await at.pull(lambda pull: pull["title"] == "After")
        assert (await at.look())["stage"] == "REVIEW"


async def test_a_board_says_where_its_cards_go(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        told = await at.changes("updateBoardAutomation", boardId=at.board, opened=None, merged="BACKLOG")
        assert told["issues"] == [{"path": "merged"}]
        told = await at.changes(
            "updateBoardAutomation", boardId=at.board, opened=None, merged=None, staleDays=3
        )
        assert told["automation"] == {"opened": None, "merged": None, "anyMerged": False, "staleDays": 3}
        before = (await at.look())["stage"]
        made = await at.changes("createPullRequest", cardId=at.card)
        await at.pull()
        at.remote.pulls[1] |= MERGED
        await at.changes("syncPullRequest", id=made["id"])
        await at.pull(lambda pull: pull["state"] == "MERGED")
        ask = "query($id: ID!) { workspace(id: $id) { jobs { nodes { kind status } } } }"

        async def is_over():
            jobs = (await app.data(ask, id=await app.home()))["jobs"]["nodes"]
            moves = [job for job in jobs if job["kind"] == "pull_request.move"]
            return len(moves) == 2 and all(job["status"] == "DONE" for job in moves)

        await until(is_over)
        assert (await at.look())["stage"] == before


async def test_events_are_on_the_feed_of_the_board(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        made = await at.changes("createPullRequest", cardId=at.card)
        await at.pull()
        feed = """subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { event { kind: __typename
          ... on PullRequestEvent { number state pullRequestSha cardId pullRequest { id } } } } }"""
        async with app.follow(feed, id=at.board) as hear:
            heard = []
            while len(heard) < 2:
                one = (await hear())["boardFeed"]
                heard += [one] if "pullRequest" in one else []
        assert [one["kind"] for one in heard] == ["PullRequestLinked", "PullRequestOpened"]
        assert (heard[1]["number"], heard[1]["state"], heard[1]["cardId"]) == (1, "OPEN", at.card)
        assert heard[1]["pullRequest"]["id"] == made["id"]


@pytest.mark.parametrize("count", [2, 20])
async def test_a_board_of_cards_is_read_with_a_fixed_number_of_statements(run, count):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, work=False)
        add = "mutation($i: CreateCardInput!) { createCard(input: $i) { ... on Card { id } } }"
        for n in range(count):
            card = (await app.data(add, i={"boardId": at.board, "title": f"C{n}"}))["id"]
            await at.changes("linkPullRequest", cardId=card, number=n + 1)
        ask = """query($id: ID!) { board(id: $id) { cards(first: 50) { nodes { title
          pullRequests { number } } } } }"""
        with app.counting() as statements:
            nodes = (await app.data(ask, id=at.board))["cards"]["nodes"]
        assert sum(len(node["pullRequests"]) for node in nodes) == count
        assert len(statements) == 4, statements  # the session, the board, its cards, their pull requests


async def test_a_card_has_a_bound(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host, work=False)
        for n in range(MAX_PULL_REQUESTS):
            assert (await at.changes("linkPullRequest", cardId=at.card, number=n + 1))["number"] == n + 1
        assert (await at.changes("linkPullRequest", cardId=at.card, number=99))["code"] == "CONFLICT"
        assert (await change(app, "linkPullRequest", cardId=at.card, number=0))["issues"] == [
            {"path": "number"}
        ]


async def test_an_approval_of_the_work_opens_no_pull_request_of_another_branch(run):
    async with github() as host, run(**LOOPBACK) as app:
        at = await hosted(app, host)
        at.remote.branches["other"] = "b" * 40
        await set_policy(app, at.board, approvals=[{**MERGE, "kind": "CREATE_PR"}])
        assert (await at.changes("createPullRequest", cardId=at.card))["code"] == "GATE_CLOSED"
        await decide(app, (await request(app, at.card, "CREATE_PR"))["id"])
        other = await at.changes("createPullRequest", cardId=at.card, headBranch="other")
        assert other["code"] == "GATE_CLOSED", other
        assert (await at.changes("createPullRequest", cardId=at.card))["state"] == "PENDING"
