"""The changes of a run while its agent works: real git, the agent's own index untouched, memory bounded."""

import asyncio
import resource
import time

import pytest

from tests.worker.live import Live, made_repository
from worker.hunks import diff_files
from worker.worktree import Worktree

DIFF = """query($id: ID!) { run(id: $id) { status headSha diff { headSha isFinal fileCount additions deletions
  cutReason files { path change hunks cutReason } } } }"""


@pytest.fixture
async def tree(tmp_path):
    made = await Worktree.cut(made_repository(tmp_path / "repository"), tmp_path / "worktrees", "run_1")
    yield made
    made.let_go()


async def test_a_snapshot_has_what_is_in_the_folder_and_leaves_the_index(tree):
    (tree.folder / "new.txt").write_text("one\n")
    (tree.folder / 'q"uo\tte.txt').write_text("two\n")
    (tree.folder / "readme.md").unlink()
    (tree.folder / ".gitignore").write_text("ignored\n")
    (tree.folder / "ignored").write_text("never\n")
    await tree.git("add", "new.txt")
    before = await tree.git("status", "--porcelain", "-z")
    made = await tree.snapshot()
    assert await tree.git("status", "--porcelain", "-z") == before
    assert await tree.snapshot() == made, "equal folders have equal trees"
    files, hunks = diff_files(await tree.diff_to(made))
    found = {file["path"]: (file["change"], hunks[file["hash"]]) for file in files}
    assert found == {
        ".gitignore": ("ADD", "@@ -0,0 +1 @@\n+ignored"),
        "new.txt": ("ADD", "@@ -0,0 +1 @@\n+one"),
        'q"uo\tte.txt': ("ADD", "@@ -0,0 +1 @@\n+two"),
        "readme.md": ("DELETE", "@@ -1 +0,0 @@\n-hello"),
    }


async def test_a_repository_within_the_folder_runs_nothing(tree, tmp_path):
    inner = made_repository(tree.folder / "inner")
    trap = tmp_path / "trapped"
    (inner / ".git" / "config").write_text(f"[core]\n\tfsmonitor = touch {trap}\n")
    (tree.folder / "new.txt").write_text("one\n")
    files, _ = diff_files(await tree.diff_to(await tree.snapshot()))
    assert [file["path"] for file in files] == ["new.txt"]
    assert not trap.exists()


async def test_three_hundred_thousand_lines_are_told_as_cut(tree):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (tree.folder / "big.txt").write_text("".join(f"line {n}\n" for n in range(300_000)))
    for n in range(20):
        (tree.folder / f"z{n:02}.txt").write_text("x" * 40_000 + "\n")
    diff = await tree.diff_to(await tree.snapshot())
    files, hunks = diff_files(diff)
    assert diff.additions == 300_020
    assert (files[0]["path"], files[0]["additions"]) == ("big.txt", 300_000)
    assert files[0]["cutReason"] is not None
    assert {file["cutReason"] for file in files[1:]} <= {None, "DIFF_TOO_LARGE"}
    assert sum(map(len, hunks.values())) < 500_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000, "kilobytes"


@pytest.fixture
async def live(serve, tmp_path):
    found = Live(await serve(), tmp_path)
    yield found
    await found.end()


@pytest.mark.slow("a server and a worker of processes")
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_the_diff_is_seen_while_the_agent_works(live, tmp_path):
    await live.begin()
    go = tmp_path / "go"
    wait = f"until [ -e {go} ]; do sleep 0.1; done"
    command = f"cat; echo one > a.txt; echo begun; {wait}; echo two > b.txt; echo done"
    id = await live.start("COMMAND", command=command, stdin="close")
    live.worker()
    deadline = time.monotonic() + 60
    while not (shown := await live.ask(DIFF, id=id))["diff"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert shown["status"] == "RUNNING"
    assert [file["path"] for file in shown["diff"]["files"]] == ["a.txt"]
    assert not shown["diff"]["isFinal"]
    go.touch()
    await live.until(id, "SUCCEEDED")
    shown = await live.ask(DIFF, id=id)
    assert (shown["diff"]["isFinal"], shown["diff"]["headSha"]) == (True, shown["headSha"])
    assert [file["hunks"] for file in shown["diff"]["files"]] == [
        "@@ -0,0 +1 @@\n+one",
        "@@ -0,0 +1 @@\n+two",
    ]
