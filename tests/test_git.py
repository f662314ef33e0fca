"""Refs, templates, addresses, paths and ids of git: judged as git does, wherever the API takes one."""

import re
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actions import git
from models.refusal import Invalid
from tests.work import CLAIM, START, at_work, hand, queued, set_policy

pytestmark = pytest.mark.processes

POLICY = """mutation($input: UpdateBoardPolicyInput!) { updateBoardPolicy(input: $input) { __typename
  ... on Board { policy { branchTemplate baseBranch repository } } ... on Invalid { issues { path message } } } }"""
READ = "query($id: ID!) { board(id: $id) { version policy { branchTemplate baseBranch repository } } }"

BAD_REFS = [
    "-main",
    "--upload-pack=x",
    "--evil name",
    "a b",
    "a b/..",
    "../x",
    "a..b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "a//b",
    "/a",
    "a/",
    "a.",
    ".a",
    "a/.b",
    "a.lock",
    "a.lock/b",
    "@",
    "a@{1}",
    "a\tb",
    "a\nb",
    "a\x7f",
    "x" * 201,
]
BAD_TEMPLATES = [
    "{card:>100000000}",
    "{card!r}",
    "{card.__class__}",
    "{card[0]}",
    "{nothing}",
    "{}",
    "{0}",
    "{{card}}",
    "{card",
    "card}",
    "a b/..",
    "--x{card}",
    "{card}.lock",
    "{card}..{slug}",
    ".{slug}",
    "{slug}/",
    " ",
    *BAD_REFS,
]
BAD_REPOSITORIES = [
    "https://user:token@example.com/a.git",
    "https://token@example.com/a.git",
    "http://user:@example.com/a.git",
    "ssh://user:token@example.com/a.git",
    "user:token@example.com:a.git",
    "user:token@example.com/a.git",
    "--upload-pack=x",
    "-x",
    "file:///etc",
    "FILE:///etc",
    "file:/etc",
    "ext::sh -c touch% /tmp/x",
    "fd::17",
    "::x",
    "ftp://example.com/a",
    "javascript://x/a",
    "https://-oProxyCommand=x/a",
    "ssh://-oProxyCommand=x/a",
    "-oProxyCommand=x:a",
    "git@-oProxyCommand=x:a",
    "git@host:-x",
    "git@host:",
    "https://",
    "https:///a",
    "https://example.com",
    "https://example.com:99999/a",
    "https://exa mple.com/a",
    "x" * 501,
    "a\tb",
]
GOOD_REPOSITORIES = [
    "https://example.com/a/b.git",
    "http://example.com:8080/a",
    "ssh://git@example.com:2222/a",
    "git@example.com:a/b.git",
    "git://[::1]/a",
    "/srv/web",
    "../web",
    "C:\\web",
    "C:/web",
]
BAD_PATHS = ["../../etc/passwd", "/etc/passwd", "a/../../b", "a//b", "./a", "a/", "", "C:\\x", ".git/config"]

# Letters that matter to git more often than others.
NAMES = st.text(
    st.one_of(st.sampled_from(list("-./@{}~^:?*[\\ \t\n\x7fab0é")), st.characters(exclude_categories=["Cs"])),
    min_size=1,
    max_size=12,
) | st.lists(
    st.sampled_from(["a", ".", "/", ".lock", "@", "{", "HEAD", "-", ".."]), min_size=1, max_size=6
).map("".join)


def takes(judge, text):
    try:
        judge("x", text)
    except Invalid:
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(NAMES)
@example("@")
@example("HEAD")
@example("refs/heads/a")
@example("a.lock/b")
def test_refs_are_judged_as_git_does(text):
    if "\0" in text:
        assert not takes(git.validate_ref, text)
        return
    text = text.strip(" ")
    words = ["git", "check-ref-format", "--allow-onelevel", text]
    is_ref = not text.startswith("-") and subprocess.run(words, check=False).returncode == 0
    assert takes(git.validate_ref, text) is is_ref
    branch = ["git", "check-ref-format", "--branch", text]
    is_branch = subprocess.run(branch, check=False, capture_output=True).returncode == 0
    if takes(git.validate_branch, text):
        assert is_branch, text


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["{card}", "{slug}", "{run}", "a", "/", "-", ".", "@", ".lock", "{", "}"]), max_size=6
    ),
    st.from_regex(r"[A-Z][A-Z0-9]{0,9}-[1-9][0-9]{0,9}", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,10}(-[a-z0-9]{1,10}){0,3}", fullmatch=True),
)
def test_a_template_that_is_taken_names_branches_whatever_the_card(parts, card, slug):
    template = "".join(parts)
    if takes(git.validate_branch_template, template):
        given = {"card": card, "slug": slug, "run": "run_01abc"}
        name = re.sub(r"\{(\w+)\}", lambda found: given[found[1]], template.strip(" "))
        words = ["git", "check-ref-format", "--branch", name]
        assert subprocess.run(words, check=False, capture_output=True).returncode == 0, name


async def test_a_board_takes_only_what_git_takes(run):
    async with run() as app:
        board, _ = await app.has_board()
        before = await app.data(READ, id=board)
        every = (
            ("branchTemplate", BAD_TEMPLATES),
            ("baseBranch", BAD_REFS),
            ("repository", BAD_REPOSITORIES),
        )
        for field, values in every:
            for value in values:
                told = await app.data(POLICY, input={"boardId": board, field: value})
                assert told["__typename"] == "Invalid", (field, value)
                assert [issue["path"] for issue in told["issues"]] == [field], (field, value)
        assert await app.data(READ, id=board) == before, "what is refused changes nothing"
        for value in GOOD_REPOSITORIES:
            told = await app.data(POLICY, input={"boardId": board, "repository": f" {value} "})
            assert told["policy"]["repository"] == value
        for field in ("repository", "baseBranch"):
            told = await app.data(POLICY, input={"boardId": board, field: ""})
            assert told["policy"][field] == "", "the worker's own"


async def test_runs_begin_only_from_refs(run):
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        batch = """mutation($input: StartBatchInput!) { startBatch(input: $input) { __typename
          ... on Invalid { issues { path } } } }"""
        for value in BAD_REFS:
            told = await app.data(START, input={"cardId": card, "kind": "TEST", "baseRef": value})
            assert [issue["path"] for issue in told["issues"]] == ["baseRef"], value
            told = await app.data(batch, input={"cardIds": [card], "kind": "TEST", "baseRef": value})
            assert told == {"__typename": "Invalid", "issues": [{"path": "baseRef"}]}, value
        for value in ("HEAD", "origin/main", "v1.0", "0123abc"):
            told = await app.data(START, input={"cardId": card, "kind": "TEST", "baseRef": value})
            assert told["__typename"] == "Runs", value
            stop = "mutation($id: ID!) { stopRun(input: {id: $id}) { __typename } }"
            await app.data(stop, id=told["runs"][0]["id"])


REFUSED_RESULTS = [
    *(({"files": [{"path": path}]}, "result.files.0.path") for path in BAD_PATHS),
    ({"files": [{"path": "a"}, {"path": "b", "movedFrom": "../c"}]}, "result.files.1.movedFrom"),
    ({"files": [{"path": "a", "additions": -5}]}, "result.files.0.additions"),
    ({"files": [{"path": "a", "deletions": -1}]}, "result.files.0.deletions"),
    ({"files": [{"path": "a", "change": "EVIL"}]}, "result.files.0.change"),
    ({"commits": [{"sha": "abcd"}, {"sha": "zz"}]}, "result.commits.1.sha"),
    ({"commits": [{"sha": "--evil"}]}, "result.commits.0.sha"),
    ({"headSha": "zz"}, "result.headSha"),
    ({"headSha": "a" * 65}, "result.headSha"),
    *(({"branch": name}, "result.branch") for name in BAD_REFS if len(name) < 200),
    ({"branch": "HEAD"}, "result.branch"),
    ({"branch": "x" * 301}, "result.branch"),
    ({"metrics": {"inputTokens": -1}}, "result.metrics.inputTokens"),
    ({"metrics": {"models": [{"cost": -0.5}]}}, "result.metrics.models.0.cost"),
    ({"metrics": {"a": "x" * 9_000}}, "result.metrics"),
    ({"metrics": [1]}, "result.metrics"),
    ({"patch": "x" * 600_000}, "result.patch"),
]


async def test_how_a_run_ended_is_judged(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        for result, path in REFUSED_RESULTS:
            told = await worker.complete(id, **result)
            assert told["__typename"] == "Invalid", (result, told)
            assert [issue["path"] for issue in told["issues"]] == [path], told
            failed = await worker.say(
                "failRun", id, code="AGENT_ERROR", reason="It broke", result={"summary": "Done", **result}
            )
            assert [issue["path"] for issue in failed["issues"]] == [path], failed
        read = "query($id: ID!) { run(id: $id) { status branch headSha patch summary files { path } } }"
        nothing = {"branch": None, "headSha": None, "patch": None, "summary": None, "files": []}
        assert await app.data(read, id=id) == {"status": "CLAIMED", **nothing}
        file = {"path": "a dir/b\u001b.txt", "change": "MOVE", "movedFrom": "c", "additions": 0}
        told = await worker.complete(
            id, branch="signalbox/web-1", headSha="ABC123", patch="x" * 524_288, files=[file]
        )
        assert told["status"] == "SUCCEEDED"
        kept = await app.data(read, id=id)
        assert (kept["headSha"], kept["files"]) == ("abc123", [{"path": "a dir/b\ufffd.txt"}])


async def test_an_input_that_is_too_long_is_named(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        query = "mutation($input: CompleteRunInput!) { completeRun(input: $input) { __typename } }"
        files = [{"path": str(n)} for n in range(300)]
        result = {"summary": "Done", "files": files}
        answer = await app.ask(query, input={"lease": worker.leases[id], "result": result})
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert error["extensions"]["path"] == "input.result.files"


async def test_a_claim_is_given_what_was_judged(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        await set_policy(
            app, board, branchTemplate=" {run}/{slug} ", repository=" /srv/web ", baseBranch=" main "
        )
        worker = await hand(app)
        await queued(app, card)
        query = CLAIM.replace("baseRef card", "baseRef repository branchTemplate card")
        told = await app.data(query, input={"workerId": worker.id})
        work = told["claims"][0]["work"]
        assert (work["repository"], work["branchTemplate"], work["baseRef"]) == (
            "/srv/web",
            "{run}/{slug}",
            "main",
        )
