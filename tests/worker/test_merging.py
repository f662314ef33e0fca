"""Merges as people ask for them: a real server, real workers, real git. Each is done once, whoever is killed."""

import asyncio
import contextlib
import http.server
import os
import subprocess
import threading
import time

import pytest

from tests.worker.live import RUN, Live
from tests.worker.test_live import END

pytestmark = pytest.mark.slow("a server and worker of processes, leases that must expire")

TASK = """... on BranchTask { id status kind fault reason resultSha headSha runId
  conflicts { path base ours theirs resolved side } }
  ... on Refusal { code message } ... on Invalid { issues { path message } }"""
CARD = """query($id: ID!) { card(id: $id) { stage mergeConflicts { path resolved }
  branchTask { id status kind fault reason resultSha runId
    conflicts { path base ours theirs resolved side } } } }"""
AUTHOR = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
AGENT = "git config user.name A; git config user.email a@b.c;"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def kind(request):
    return request.param


@pytest.fixture
async def live(serve, tmp_path):
    found = Live(await serve(), tmp_path)
    yield found
    await found.end()


def git(folder, *words, check=True):
    done = subprocess.run(["git", "-C", str(folder), *AUTHOR, *words], capture_output=True, text=True)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.strip()


class Backend(http.server.BaseHTTPRequestHandler):
    """`git http-backend` as a web server runs it."""

    root = ""

    def log_message(self, *_):
        pass

    def do_POST(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        env = os.environ | {"GIT_PROJECT_ROOT": self.root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path}
        env |= {"QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": "ann"}
        env |= {"CONTENT_TYPE": self.headers.get("content-type") or "", "CONTENT_LENGTH": str(len(body))}
        env |= {"HTTP_CONTENT_ENCODING": self.headers.get("content-encoding") or ""}
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST


@contextlib.contextmanager
def served(folder):
    """The address of an empty repository that is served over HTTP."""
    subprocess.run(["git", "init", "-q", "--bare", str(folder / "web.git")], check=True)
    subprocess.run(["git", "-C", str(folder / "web.git"), "config", "http.receivepack", "true"], check=True)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Here", (Backend,), {"root": str(folder)})
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/web.git"
    server.shutdown()
    server.server_close()


async def do(live, mutation, card, **input):
    name = mutation[0].upper() + mutation[1:]
    query = f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ __typename {TASK} }} }}"
    return await live.ask(query, input={"cardId": card, **input})


async def reviewed(live, command="echo new > new.txt", title="Say hello"):
    """A card in REVIEW, whose branch has a commit; its id and the run."""
    id = await live.start("COMMAND", command=command, title=title)
    run = await live.until(id, *END)
    assert run["status"] == "SUCCEEDED", run
    return (await live.ask("query($id: ID!) { run(id: $id) { cardId } }", id=id))["cardId"], run


async def settled(live, card, *statuses, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        found = await live.ask(CARD, id=card)
        if found["branchTask"] and found["branchTask"]["status"] in statuses:
            return found
        assert time.monotonic() < deadline, (
            found,
            await live.ask(RUN, id=found["branchTask"]["runId"]),
            [one.errors.read_text() for one in live.workers],
        )
        await asyncio.sleep(0.2)


FINAL = ("SUCCEEDED", "FAILED", "ABORTED", "CONFLICTED")


@pytest.mark.parametrize("strategy", ["MERGE", "SQUASH", "REBASE"])
async def test_a_reviewed_card_is_merged_and_done(live, strategy):
    await live.begin()
    live.worker(executors="command")
    two = "echo a > a.txt; git add -A; git commit -qm One; echo b > b.txt; git add -A; git commit -qm Two"
    card, run = await reviewed(live, f"{AGENT} {two}")
    (live.repository / "own.txt").write_text("meanwhile\n")
    git(live.repository, "add", "-A")
    git(live.repository, "commit", "-qm", "Meanwhile")
    before = git(live.repository, "rev-parse", "main")
    started = await do(live, "mergeCard", card, strategy=strategy, ifHead=run["headSha"])
    assert started["status"] == "ACTIVE", started
    found = await settled(live, card, *FINAL)
    task = found["branchTask"]
    assert (task["status"], found["stage"]) == ("SUCCEEDED", "DONE"), found
    tip = git(live.repository, "rev-parse", "main")
    assert tip == task["resultSha"]
    subjects = git(live.repository, "log", "--first-parent", "--format=%s", f"{before}..main").split("\n")
    expected = {"MERGE": 1, "SQUASH": 1, "REBASE": 2}[strategy]
    assert len(subjects) == expected, subjects
    parents = git(live.repository, "rev-list", "--parents", "-n1", "main").split()
    assert len(parents) == (3 if strategy == "MERGE" else 2)
    if strategy == "REBASE":
        assert subjects == ["Two", "One"]
        assert git(live.repository, "log", "-1", "--format=%an") == "A", "commits keep their authors"
    names = {path.name for path in live.repository.iterdir()} - {".git"}
    assert names == {"readme.md", "a.txt", "b.txt", "own.txt"}, "the clean checkout came forward"
    assert git(live.repository, "status", "--porcelain") == ""


async def test_what_cannot_be_merged_is_refused_and_changes_nothing(live):
    await live.begin()
    live.worker(executors="command")
    card, run = await reviewed(live, "echo mine > readme.md")
    before = git(live.repository, "rev-parse", "main")
    refused = await do(live, "mergeCard", card, ifHead="0" * 40)
    assert (refused["code"], run["headSha"] in refused["message"]) == ("CONFLICT", True)
    (live.repository / "readme.md").write_text("uncommitted\n")
    await do(live, "mergeCard", card)
    found = await settled(live, card, *FINAL)
    assert (found["branchTask"]["status"], found["branchTask"]["fault"]) == ("FAILED", "CHECKOUT_DIRTY"), (
        found
    )
    assert "readme.md" in found["branchTask"]["reason"]
    assert (live.repository / "readme.md").read_text() == "uncommitted\n"
    git(live.repository, "checkout", "-q", "readme.md")
    git(live.repository, "update-ref", f"refs/heads/{run['branch']}", before)
    await do(live, "mergeCard", card)
    found = await settled(live, card, *FINAL)
    assert (found["branchTask"]["fault"], found["stage"]) == ("HEAD_MOVED", "REVIEW"), found
    assert git(live.repository, "rev-parse", "main") == before


async def test_conflicts_are_shown_resolved_and_completed(live):
    await live.begin()
    live.worker(executors="command")
    files = "echo theirs > readme.md; echo theirs > a.txt; echo theirs > b.txt"
    for name in ("a.txt", "b.txt"):
        (live.repository / name).write_text("base\n")
    git(live.repository, "add", "-A")
    git(live.repository, "commit", "-qm", "Files")
    card, _ = await reviewed(live, files)
    for name in ("readme.md", "a.txt", "b.txt"):
        (live.repository / name).write_text("ours\n")
    git(live.repository, "commit", "-qam", "Ours")
    before = git(live.repository, "rev-parse", "main")
    await do(live, "mergeCard", card, strategy="SQUASH")
    found = await settled(live, card, *FINAL)
    assert (found["branchTask"]["status"], found["stage"]) == ("CONFLICTED", "REVIEW"), found
    shown = {
        one["path"]: (one["base"], one["ours"], one["theirs"]) for one in found["branchTask"]["conflicts"]
    }
    assert shown["a.txt"] == ("base\n", "ours\n", "theirs\n")
    assert set(shown) == {"readme.md", "a.txt", "b.txt"}
    assert git(live.repository, "rev-parse", "main") == before
    assert git(live.repository, "status", "--porcelain") == ""
    refused = await do(live, "resolveConflicts", card, resolutions=[{"path": "../x", "side": "OURS"}])
    assert refused["issues"][0]["path"] == "resolutions.0.path"
    given = [{"path": "a.txt", "side": "OURS"}, {"path": "b.txt", "side": "THEIRS"}]
    assert (await do(live, "resolveConflicts", card, resolutions=given))["status"] == "CONFLICTED"
    refused = await do(live, "completeMerge", card)
    assert (refused["code"], "readme.md" in refused["message"]) == ("CONFLICT", True)
    given = [{"path": "readme.md", "content": "both\n"}]
    await do(live, "resolveConflicts", card, resolutions=given)
    # The base moves once more, in another file: the resolutions still hold.
    (live.repository / "more.txt").write_text("more\n")
    git(live.repository, "add", "-A")
    git(live.repository, "commit", "-qm", "More")
    assert (await do(live, "completeMerge", card))["status"] == "ACTIVE"
    found = await settled(live, card, *FINAL)
    assert (found["branchTask"]["status"], found["stage"]) == ("SUCCEEDED", "DONE"), found
    contents = [(live.repository / name).read_text() for name in ("readme.md", "a.txt", "b.txt")]
    assert contents == ["both\n", "ours\n", "theirs\n"]


async def test_an_aborted_merge_leaves_everything_as_it_was(live):
    await live.begin()
    live.worker(executors="command")
    card, _ = await reviewed(live, "echo theirs > readme.md")
    (live.repository / "readme.md").write_text("ours\n")
    git(live.repository, "commit", "-qam", "Ours")
    before = git(live.repository, "for-each-ref", "refs/heads")
    await do(live, "mergeCard", card)
    await settled(live, card, "CONFLICTED")
    again = await do(live, "mergeCard", card)
    assert again["code"] == "CONFLICT", again
    assert (await do(live, "abortMerge", card))["status"] == "ABORTED"
    assert git(live.repository, "for-each-ref", "refs/heads") == before
    assert (await live.ask(CARD, id=card))["mergeConflicts"] == []
    assert (await do(live, "abortMerge", card))["code"] == "CONFLICT"
    assert (await do(live, "mergeCard", card))["status"] == "ACTIVE", "it can be merged again"


async def merges_of(live, card):
    return git(live.repository, "log", "--format=%H", "--grep=Signalbox-Task:", "main").split()


@pytest.mark.parametrize("phase", ["before", "noted", "moved"])
async def test_a_merge_is_done_once_if_its_worker_is_killed(live, phase):
    """Before it begins, with its result noted, and after the branch moved but not the checkout."""
    await live.begin()
    live.worker("agent", executors="command")
    card, _ = await reviewed(live)
    live.workers[0].kill()
    stop = live.folder / "stop"
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True).stdout.strip()
    marks = {"before": "merge-tree", "noted": "update-ref -m", "moved": "read-tree -m -u"}
    (live.folder / "bin").mkdir()
    wrapper = live.folder / "bin" / "git"
    wrapper.write_text(f"""#!/bin/sh
case "$*" in *"{marks[phase]}"*) [ -e {stop} ] || {{ touch {stop}; exec sleep 60; }};; esac
exec {real} "$@"
""")
    wrapper.chmod(0o755)
    first = live.worker("first", executors="command", PATH=f"{wrapper.parent}:{os.environ['PATH']}")
    await do(live, "mergeCard", card, strategy="SQUASH")
    deadline = time.monotonic() + 60
    while not stop.exists():
        assert time.monotonic() < deadline, first.errors.read_text()
        await asyncio.sleep(0.05)
    assert len(await merges_of(live, card)) == (phase == "moved")
    first.kill()
    live.worker("second", executors="command")
    found = await settled(live, card, *FINAL)
    assert (found["branchTask"]["status"], found["stage"]) == ("SUCCEEDED", "DONE"), found
    assert await merges_of(live, card) == [found["branchTask"]["resultSha"]]
    assert git(live.repository, "status", "--porcelain") == "", "the checkout came forward"
    assert (live.repository / "new.txt").read_text() == "new\n"


async def test_cards_of_two_workers_are_merged_one_after_the_other(live):
    await live.begin()
    live.worker("one", executors="command")
    live.worker("two", executors="command")
    cards = [await reviewed(live, f"echo {n} > {n}.txt", title=f"Card {n}") for n in range(3)]
    for card, _ in cards:
        assert (await do(live, "mergeCard", card))["status"] == "ACTIVE"
    for card, _ in cards:
        found = await settled(live, card, *FINAL)
        assert (found["branchTask"]["status"], found["stage"]) == ("SUCCEEDED", "DONE"), found
    assert len(await merges_of(live, None)) == 3
    assert {path.name for path in live.repository.iterdir()} >= {"0.txt", "1.txt", "2.txt"}


async def test_a_branch_is_created_rebased_and_pushed_over_http(live, tmp_path):
    await live.begin()
    live.worker(executors="command")
    card, run = await reviewed(live)
    branch = run["branch"]
    await do(live, "pushBranch", card)
    found = await settled(live, card, *FINAL)
    assert found["branchTask"]["fault"] == "NO_REMOTE", found
    with served(tmp_path / "hosted") as url:
        git(live.repository, "remote", "add", "origin", url)
        live.workers[0].kill()
        live.worker(
            "two", executors="command"
        )  # it reads the configuration when it first uses the repository
        for _ in range(2):
            await do(live, "pushBranch", card)
            found = await settled(live, card, *FINAL)
            assert found["branchTask"]["status"] == "SUCCEEDED", found
        hosted = tmp_path / "hosted" / "web.git"
        assert git(hosted, "rev-parse", branch) == run["headSha"]
        (live.repository / "own.txt").write_text("meanwhile\n")
        git(live.repository, "add", "-A")
        git(live.repository, "commit", "-qm", "Meanwhile")
        await do(live, "syncBranch", card)
        found = await settled(live, card, *FINAL)
        assert found["branchTask"]["status"] == "SUCCEEDED", found
        head = git(live.repository, "rev-parse", branch)
        assert git(live.repository, "rev-parse", f"{branch}^") == git(live.repository, "rev-parse", "main")
        await do(live, "pushBranch", card)
        found = await settled(live, card, *FINAL)
        assert (found["branchTask"]["status"], git(hosted, "rev-parse", branch)) == ("SUCCEEDED", head), found
        # Another person pushes to the branch: it is not overwritten.
        git(hosted, "update-ref", f"refs/heads/{branch}", git(hosted, "rev-parse", f"{branch}^"))
        git(
            hosted,
            "update-ref",
            f"refs/heads/{branch}",
            git(hosted, "commit-tree", f"{branch}^{{tree}}", "-m", "x"),
        )
        await do(live, "pushBranch", card)
        found = await settled(live, card, *FINAL)
        assert (found["branchTask"]["status"], found["branchTask"]["fault"]) == ("FAILED", "PUSH_REJECTED"), (
            found
        )
    await do(live, "createBranch", card, name="topic/one")
    assert (await settled(live, card, *FINAL))["branchTask"]["status"] == "SUCCEEDED"
    assert git(live.repository, "rev-parse", "topic/one") == git(live.repository, "rev-parse", "main")
    await do(live, "createBranch", card, name="topic/one")
    assert (await settled(live, card, *FINAL))["branchTask"]["fault"] == "BRANCH_EXISTS"
    refused = await do(live, "createBranch", card, name="--upload-pack=x")
    assert refused["issues"][0]["path"] == "name"
