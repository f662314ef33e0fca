"""Worktrees on a real git: isolated, unique, never losing work."""

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from protocol.events import AgentResult
from tests.warm import Warm
from tests.worker import cutting
from tests.worker.live import ROOT
from worker.process import Agent, ProcessLimits
from worker.programs import ShellCommand
from worker.programs.adapter import ProgramTask
from worker.startup import WorkerStartError, find_repository
from worker.worktree import Unmerged, WorkspaceError, Worktree, filled, git, is_free, tidy

pytestmark = pytest.mark.processes


def run_git(folder, *words):
    return subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    run_git(folder, "init", "-q", "-b", "main")
    run_git(folder, "config", "user.name", "Ann")
    run_git(folder, "config", "user.email", "ann@example.com")
    (folder / "readme.md").write_text("hello\n")
    (folder / "picture").write_bytes(bytes(range(256)))
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-qm", "Begin")
    return folder


@pytest.fixture
def trees():
    """What was cut and nobody let go of."""
    held = []
    yield held
    for tree in held:
        tree.let_go()


@pytest.fixture
def cut(repository, trees):
    async def cut(run="run_1", root="work", **more):
        names = {"card": "WEB-1", "slug": "Add a: greeting!"}
        where = repository.parent / root
        trees.append(await Worktree.cut(repository, where, run, names=names, **more))
        return trees[-1]

    return cut


@pytest.fixture
def let_go(trees):
    def let_go(tree):
        trees.remove(tree)
        tree.let_go()

    return let_go


def branches(repository):
    listed = run_git(repository, "for-each-ref", "--format=%(refname:short)", "refs/heads/signalbox")
    return listed.split()


async def test_a_run_works_apart_from_the_users_checkout(cut, repository):
    tree = await cut()
    assert tree.branch == "signalbox/WEB-1-Add-a-greeting"
    (tree.folder / "readme.md").write_text("hello\nworld\n")
    (tree.folder / "new ünïcode\tname.txt").write_text("1\n2\n")
    (tree.folder / "picture").write_bytes(b"\0" * 10)
    assert await tree.commit_rest("Say more\n\nBecause.") is True
    assert await tree.commit_rest("Nothing") is False
    diff = await tree.diff()
    assert {(f.path, f.additions, f.deletions) for f in diff.files} == {
        ("readme.md", 1, 0),
        ("new ünïcode\tname.txt", 2, 0),
        ("picture", None, None),
    }
    assert (diff.additions, diff.deletions, diff.is_cut) == (3, 0, False)
    assert "+world" in diff.patch
    [commit] = await tree.commits()
    assert (commit.subject, commit.sha) == ("Say more", await tree.head())
    assert (repository / "readme.md").read_text() == "hello\n"
    assert run_git(repository, "status", "--porcelain") == ""


async def test_a_rename_is_one_file(cut, repository):
    tree = await cut()
    (tree.folder / "readme.md").rename(tree.folder / "README")
    await tree.commit_rest("Rename")
    assert [f.path for f in (await tree.diff()).files] == ["README"]


async def test_many_runs_of_one_card_get_branches_of_their_own(cut, repository):
    trees = await asyncio.gather(*(cut(f"run_{n}") for n in range(8)))
    assert len({tree.branch for tree in trees}) == len({tree.folder for tree in trees}) == 8
    assert len(branches(repository)) == 8


async def test_a_run_that_goes_on_finds_its_folder_and_its_base_again(cut, let_go, repository):
    tree = await cut()
    (tree.folder / "a").write_text("a")
    await tree.commit_rest("A")
    run_git(repository, "merge", "-q", "--no-ff", "-m", "Merge", tree.branch)
    let_go(tree)
    again = await cut(attempt=2)
    assert again == tree
    assert [f.path for f in (await again.diff()).files] == ["a"]


async def test_another_run_goes_on_with_the_same_branch(cut, let_go):
    tree = await cut()
    (tree.folder / "a").write_text("a")
    await tree.commit_rest("A")
    let_go(tree)
    other = await cut("run_2", branch=tree.branch)
    assert (other.branch, (other.folder / "a").read_text()) == (tree.branch, "a")
    assert [c.subject for c in await other.commits()] == ["A"]


async def test_a_folder_goes_when_its_branch_has_everything(cut, let_go, repository):
    tree = await cut()
    (tree.folder / "new.txt").write_text("precious")
    with pytest.raises(Unmerged):
        await tree.remove()
    assert (tree.folder / "new.txt").exists()
    await tree.commit_rest("Keep it")
    await tree.remove()
    let_go(tree)
    assert not tree.folder.exists()
    assert run_git(repository, "worktree", "list").count("\n") == 1
    assert run_git(repository, "show", f"{tree.branch}:new.txt") == "precious"
    again = await cut(attempt=2)  # the run goes on after all
    assert again == tree
    assert [f.path for f in (await again.diff()).files] == ["new.txt"]
    assert branches(repository) == [tree.branch]


async def test_commits_off_the_branch_are_not_lost_either(cut, repository):
    tree = await cut()
    run_git(tree.folder, "checkout", "-q", "--detach")
    (tree.folder / "new.txt").write_text("precious")
    await tree.commit_rest("Astray")
    with pytest.raises(Unmerged):
        await tree.remove()


async def test_what_nobody_came_back_to_goes_unless_it_is_held_or_not_committed(cut, let_go, repository):
    idle, dirty, held, young = [await cut(f"run_{n}") for n in range(4)]
    (idle.folder / "a").write_text("a")
    await idle.commit_rest("A")
    (dirty.folder / "new.txt").write_text("precious")
    theirs = repository.parent / "work" / "theirs"
    run_git(repository, "worktree", "add", "-q", str(theirs))
    for tree in (idle, dirty, young):
        let_go(tree)
    for folder in (idle.folder, dirty.folder, held.folder, theirs):
        os.utime(folder, (0, 0))
    (theirs.with_name("run_9.gone")).mkdir()  # its worker was killed while it removed it
    await tidy(repository.parent / "work")
    assert sorted(path.name for path in theirs.parent.iterdir() if path.is_dir()) == [
        *("run_1", "run_2", "run_3"),
        "theirs",
    ]
    assert await cut("run_0", attempt=2) == idle


async def test_a_folder_that_is_held_is_not_worked_in_twice(cut, let_go, repository):
    """Its holder was frozen, and its agent writes on: what it committed goes on elsewhere."""
    frozen = await cut()
    (frozen.folder / "a").write_text("a")
    await frozen.commit_rest("A")
    (frozen.folder / "half").write_text("not done")
    second = await cut(attempt=2, patience=0)
    assert (second.folder.name, second.branch, second.base) == ("run_1.2", f"{frozen.branch}-2", frozen.base)
    assert [f.path for f in (await second.diff()).files] == ["a"]
    (frozen.folder / "b").write_text("b")
    await frozen.commit_rest("Writes on")
    (second.folder / "c").write_text("c")
    await second.commit_rest("C")
    assert [f.path for f in (await second.diff()).files] == ["a", "c"]
    let_go(frozen)
    let_go(second)
    third = await cut(attempt=3)
    assert third == second, "the newest goes on, not the one that was left behind"
    assert run_git(repository, "show", f"{frozen.branch}:half") == "not done"


async def test_a_folder_that_is_let_go_in_time_is_waited_for(cut, let_go):
    tree = await cut()
    waiting = asyncio.create_task(cut(attempt=2))
    await asyncio.wait([waiting], timeout=0.3)
    assert not waiting.done()
    let_go(tree)
    assert await waiting == tree


async def test_a_folder_is_held_until_nothing_of_its_program_is_left(cut, let_go):
    """So it is when its worker is killed: what the worker held is closed at once, the program takes its time."""
    tree = await cut()
    begun = asyncio.Event()

    async def hear(event):
        begun.set()

    work = ProgramTask(
        run="run_1", prompt="Do it", options={"command": "trap '' TERM INT; echo begun; sleep 600"}
    )
    agent = Agent(ShellCommand(), work, tree.folder, ProcessLimits(grace=1), held=(tree.lock,))
    playing = asyncio.create_task(agent.run(hear))
    await begun.wait()
    let_go(tree)
    beside = await cut(attempt=2, patience=0)
    assert beside.folder.name == "run_1.2"
    assert not is_free(tree.folder)
    agent.stop(AgentResult.failed("The test ends"))
    await playing
    assert is_free(tree.folder)


async def test_a_branch_that_somebody_works_on_is_not_moved(cut, repository):
    tree = await cut()
    elsewhere = await cut(root="other")  # the same run, at a worker with folders of its own
    assert elsewhere.branch == f"{tree.branch}-2"
    run_git(repository, "checkout", "-q", "-b", "review")
    assert (await cut("run_2", branch="review")).branch == "review-2"


async def test_an_agent_may_leave_its_branch(cut, let_go):
    tree = await cut()
    run_git(tree.folder, "checkout", "-q", "--detach")
    (tree.folder / "a").write_text("a")
    await tree.commit_rest("Astray")
    (tree.folder / "b").write_text("b")
    let_go(tree)
    again = await cut(attempt=2)
    assert (again.branch, again.base) == (f"{tree.branch}-2", tree.base)
    assert [c.subject for c in await again.commits()] == ["Astray"]
    assert (again.folder / "b").read_text() == "b"


KILLS = """#!/bin/sh
# The git that a worker finds: at its call number AT the worker is killed, before git runs or after it.
count=$(($(cat "$COUNT" 2>/dev/null || echo 0) + 1)); echo $count > "$COUNT"
[ "$count $WHEN" = "$AT before" ] && kill -9 $PPID
"$GIT" "$@"; code=$?
[ "$count $WHEN" = "$AT after" ] && kill -9 $PPID
exit $code
"""


@pytest.fixture
def a_worker(repository, tmp_path):
    """Begins a process that makes the worktree of run_1."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(KILLS)
    program.chmod(0o755)

    def begin(**more):
        env = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "GIT": shutil.which("git")}
        env |= {"COUNT": str(tmp_path / "count"), "AT": "0", "WHEN": ""} | more
        for left in ("count", "said"):
            (tmp_path / left).unlink(missing_ok=True)
        words = (str(repository), str(tmp_path / "work"))
        return Warm(*words, main=cutting.main, env=env, stdout=tmp_path / "said")

    return begin


async def made_well(cut, let_go, repository, tmp_path):
    """The next attempt makes it as if nothing had happened; then all is undone."""
    tree = await cut(attempt=2)
    assert (tree.folder / "readme.md").read_text() == "hello\n"
    assert (tree.folder.name, await tree.is_clean()) == ("run_1", True)
    assert os.path.samestat(os.fstat(tree.lock), tree.folder.stat()), "it is held"
    assert tree.base == run_git(repository, "rev-parse", "main").strip()
    found = branches(repository)
    await tree.remove()
    let_go(tree)
    for lock in (repository / ".git" / "refs").rglob("*.lock"):
        lock.unlink()
    for ref in run_git(repository, "for-each-ref", "--format=%(refname)", "refs/signalbox").split():
        run_git(repository, "update-ref", "-d", ref)
    for name in found:
        run_git(repository, "branch", "-q", "-D", name)
    return tree.branch, found


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_may_be_killed_at_any_command_of_git(
    cut, let_go, a_worker, when, repository, tmp_path
):
    for at in range(1, 50):
        code = a_worker(AT=str(at), WHEN=when).wait(60)
        branch, found = await made_well(cut, let_go, repository, tmp_path)
        assert found == [branch] == ["signalbox/WEB-1-Add-a-greeting"], at
        if code == 0:
            break
    assert 5 < at < 49


async def begun(worker, said):
    deadline = time.monotonic() + 60
    while not (said.exists() and said.read_text()):
        assert worker.poll() is None
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def killed_at_random(a_worker, times, spread, said):
    for _ in range(times):
        worker = a_worker()
        await begun(worker, said)
        await asyncio.sleep(random.uniform(0, spread))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, 9)
        worker.wait(60)
        yield


@pytest.mark.parametrize("times", [4, pytest.param(200, marks=pytest.mark.long)])
async def test_git_may_be_killed_with_its_worker(cut, let_go, a_worker, times, repository, tmp_path):
    for n in range(50):
        (repository / f"file {n}").write_text("text\n" * 1000)
    run_git(repository, "add", "-A")
    run_git(repository, "commit", "-qm", "More")
    worker = a_worker()
    await begun(worker, tmp_path / "said")
    began = time.monotonic()
    assert worker.wait(60) == 0
    spread = time.monotonic() - began
    await made_well(cut, let_go, repository, tmp_path)
    async for _ in killed_at_random(a_worker, times, spread, tmp_path / "said"):
        await made_well(cut, let_go, repository, tmp_path)


async def test_a_branch_that_a_killed_git_left_locked_goes_on_in_another(cut, let_go, repository):
    tree = await cut()
    (tree.folder / "a").write_text("a")
    await tree.commit_rest("A")
    await tree.remove()
    let_go(tree)
    (repository / ".git" / "refs" / "heads" / f"{tree.branch}.lock").write_text("")
    again = await cut(attempt=2)
    assert (again.branch, (again.folder / "a").read_text()) == (f"{tree.branch}-2", "a")
    assert os.path.samestat(os.fstat(again.lock), again.folder.stat()), "it is held"
    beside = await cut(attempt=3, patience=0)
    assert beside.folder.name == "run_1.3"


async def test_what_a_killed_git_left_half_written_stops_nobody(cut, let_go, repository):
    """Git reads all worktrees before it makes or removes one, and gives up at the first that is not whole."""
    tree, half = await cut(), repository / ".git" / "worktrees" / "run_2"

    def leave():
        half.mkdir(parents=True, exist_ok=True)
        (half / "gitdir").write_text(f"{tree.folder.parent}/run_2/.git\n")
        (half / "commondir").write_text("")

    leave()
    await tree.remove()
    let_go(tree)
    leave()
    assert (await cut("run_3", branch=tree.branch)).branch == tree.branch
    leave()
    assert (await cut("run_2")).folder == tree.folder.with_name("run_2")


@pytest.mark.parametrize("left", ["nothing", ".git"])
async def test_a_folder_that_was_never_finished_is_made_again(cut, left, repository):
    folder = repository.parent / "work" / "run_1"
    folder.mkdir(parents=True)
    if left != "nothing":
        (folder / left).write_text(f"gitdir: {repository}/.git/worktrees/run_1\n")
    assert (await cut()).folder == folder


@pytest.mark.parametrize(
    "template",
    [
        "-f",
        "--upload-pack=evil",
        "a..b",
        "a b",
        "a~1",
        "a\nb",
        "refs/heads/x",
        "HEAD",
        "x.lock",
        "@{-1}",
        "@",
        "",
        "a" * 300,
    ],
)
async def test_a_hostile_branch_is_refused(cut, repository, template):
    with pytest.raises(WorkspaceError):
        await cut("run_x", branch=template) if template else await cut("run_x", template="//")
    assert not (repository.parent / "work" / "run_x").exists()


@pytest.mark.parametrize("run", ["../x", "/etc", "", ".", "a/b", "-x", "a\0b", "x" * 99])
async def test_a_hostile_folder_is_refused(cut, repository, run):
    with pytest.raises(WorkspaceError):
        await cut(run)


@pytest.mark.parametrize("base", ["nowhere", "--output=/tmp/x", "HEAD:readme.md", "-q"])
async def test_a_base_that_is_no_commit_is_refused(cut, repository, base):
    with pytest.raises(WorkspaceError):
        await cut(base=base)


def test_names_become_words_that_a_branch_can_hold():
    assert filled("{who}/{card}-{slug}", {"card": "WEB-1", "slug": "../../$(rm -rf ~)"}) == "WEB-1-rm-rf"


async def test_places_that_are_no_repository_are_told(cut, repository, tmp_path):
    with pytest.raises(WorkspaceError, match="not a git repository"):
        await Worktree.cut(tmp_path / "nowhere", tmp_path / "work", "run_1")
    empty = tmp_path / "empty"
    empty.mkdir()
    run_git(empty, "init", "-q")
    with pytest.raises(WorkspaceError, match="has no commit"):
        await Worktree.cut(empty, tmp_path / "work", "run_1")
    (tmp_path / "work" / "run_7").mkdir(parents=True)
    (tmp_path / "work" / "run_7" / "mine").write_text("mine")
    with pytest.raises(WorkspaceError):
        await cut("run_7")


async def test_nothing_of_the_repository_is_executed(cut, repository, tmp_path):
    witness = tmp_path / "witness"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {witness}\n")
    evil.chmod(0o755)
    for hook in ("pre-commit", "post-commit", "post-checkout", "commit-msg", "reference-transaction"):
        (repository / ".git" / "hooks" / hook).write_text(evil.read_text())
        (repository / ".git" / "hooks" / hook).chmod(0o755)
    for setting in ("core.fsmonitor", "diff.external", "core.pager", "diff.evil.textconv"):
        run_git(repository, "config", setting, str(evil))
    tree = await cut()
    (tree.folder / ".gitattributes").write_text("* diff=evil\n")
    await tree.commit_rest("Quietly")
    await tree.diff()
    await tree.commits()
    assert not witness.exists()


async def test_a_large_patch_is_cut_and_git_is_ended(cut, repository):
    tree = await cut()
    (tree.folder / "large.txt").write_text("line of text\n" * 400_000)
    await tree.commit_rest("Large")
    diff = await tree.diff()
    assert (diff.is_cut, diff.additions) == (True, 400_000)
    assert len(diff.patch.encode()) == 1_048_576


async def test_an_error_of_git_is_one_sentence(cut, repository):
    with pytest.raises(WorkspaceError, match=r"^git rev-parse: [^\n]+$"):
        await git(repository, "rev-parse", "--verify", "nonsense")


async def test_a_patch_is_the_same_whatever_its_reader_set_up(cut, repository):
    for setting in (
        "noprefix true",
        "mnemonicPrefix true",
        "context 0",
        "renames false",
        "orderFile /dev/null",
    ):
        run_git(repository, "config", *f"diff.{setting}".split())
    run_git(repository, "config", "core.abbrev", "4")
    run_git(repository, "config", "diff.relative", "true")
    tree = await cut()
    (tree.folder / "readme.md").rename(tree.folder / "README")
    (tree.folder / "new").write_text("text\n")
    await tree.commit_rest("Work")
    patch = (await tree.diff()).patch
    assert "diff --git a/new b/new\n" in patch
    assert "rename from readme.md\nrename to README\n" in patch
    [index] = [line for line in patch.split("\n") if line.startswith("index ")]
    assert len(index.split()[1]) == 82, "whole names"


async def test_a_subject_of_any_characters_is_told(cut, repository):
    tree = await cut()
    run_git(tree.folder, "commit", "-q", "--allow-empty", "-m", "One\x1ftwo\x1ethree")
    assert [commit.subject for commit in await tree.commits()] == ["One\x1ftwo\x1ethree"]


async def test_a_branch_that_takes_the_place_of_ours_is_named(cut, repository):
    run_git(repository, "branch", "signalbox")
    with pytest.raises(WorkspaceError, match="'refs/heads/signalbox' exists"):
        await cut()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_the_owner_of_a_repository_is_told_as_git_tells_it(cut, repository, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (repository, repository / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(WorkspaceError, match="dubious ownership"):
        await cut()
    with pytest.raises(WorkerStartError, match="dubious ownership"):
        find_repository(repository)


async def test_a_worker_works_in_the_repository_that_it_is_told(repository, tmp_path, monkeypatch):
    other = tmp_path / "other"
    run_git(tmp_path, "init", "-q", str(other))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert find_repository(repository) == repository


async def test_an_agent_works_in_its_folder_whatever_the_worker_was_told(cut, tmp_path, monkeypatch):
    tree = await cut()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    said = []

    async def hear(event):
        said.append(getattr(event, "text", ""))

    work = ProgramTask(run="run_1", prompt="Do it", options={"command": "git rev-parse --show-toplevel"})
    await Agent(ShellCommand(), work, tree.folder, ProcessLimits(grace=1), held=(tree.lock,)).run(hear)
    assert str(tree.folder) in "".join(said)


REMOVE = """import asyncio, os, sys, pathlib
from worker.worktree import tidy
os.setuid(int(sys.argv[2]))
asyncio.run(tidy(pathlib.Path(sys.argv[1])))
"""


async def test_read_only_caches_are_removed(tmp_path):
    """As somebody who is not root: to root nothing is read-only."""
    root = Path(tempfile.mkdtemp(prefix="signalbox-"))
    try:
        cache = root / "run_1.gone" / "cache" / "module"
        cache.mkdir(parents=True)
        (cache / "file").write_text("text")
        for folder in (cache, cache.parent):
            folder.chmod(0o555)
        nobody = 65534 if os.geteuid() == 0 else os.geteuid()
        for path in [root, *root.rglob("*")]:
            os.chown(path, nobody, -1)
        words = [sys.executable, "-c", REMOVE, str(root), str(nobody)]
        env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run(words, cwd=ROOT, env=env, check=True)
        assert [path.name for path in root.iterdir()] == []
    finally:
        subprocess.run(["chmod", "-R", "u+rwx", str(root)], check=False)
        shutil.rmtree(root)
