"""Checks in the worktree: real exit codes, bounded output, and nothing left of a check that misbehaves."""

import asyncio
import resource
import subprocess
import time
from pathlib import Path

import pytest

from tests.worker.live import Live
from worker.checks import CheckRunner, RequiredCheck

SHOW = """query($id: ID!) { run(id: $id) { status failureCode headSha branch checks {
  name status exitCode output sha seconds } card { stage gate { code name } } } }"""


def check(command, seconds=20, name="it"):
    return RequiredCheck(kind="UNIT", name=name, command=command, seconds=seconds)


async def run_one(folder, command, seconds=20):
    [done] = await CheckRunner(folder).run([check(command, seconds)])
    return done


def is_alive(mark):
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            try:
                if (
                    mark.encode() in (path / "cmdline").read_bytes()
                    and (path / "stat").read_text().split()[2] != "Z"
                ):
                    return True
            except OSError:
                continue
    return False


async def gone(mark, seconds=10):
    deadline = time.monotonic() + seconds
    while is_alive(mark):
        assert time.monotonic() < deadline, f"{mark} lives"
        await asyncio.sleep(0.05)


async def test_a_check_tells_its_exit_code_and_its_output(tmp_path):
    done = await run_one(tmp_path, "echo good; echo bad >&2")
    assert (done.status, done.exit_code, done.output) == ("PASSED", 0, "good\nbad\n")
    done = await run_one(tmp_path, "pwd; exit 3")
    assert (done.status, done.exit_code, done.output) == ("FAILED", 3, f"{tmp_path}\n")
    done = await run_one(tmp_path, "kill -SEGV $$")
    assert (done.status, done.exit_code) == ("FAILED", 139)


async def test_a_check_that_never_ends_is_ended_with_all_it_started(tmp_path):
    begun = time.monotonic()
    mark = "sleep 98760.25"
    done = await run_one(
        tmp_path, f"trap '' TERM; setsid nohup {mark} >/dev/null 2>&1 & echo on; {mark}", seconds=1
    )
    assert (done.status, done.output) == ("ERROR", "on\n\nIt took longer than 1 s and was ended")
    assert time.monotonic() - begun < 10
    await gone(mark.replace(" ", "\0"))


async def test_a_check_that_leaves_a_process_behind_leaves_none(tmp_path):
    mark = "sleep 98761.25"
    done = await run_one(tmp_path, f"setsid {mark} & (setsid {mark} &) ; echo done")
    assert (done.status, done.output) == ("PASSED", "done\n")
    await gone(mark.replace(" ", "\0"))


async def test_a_gigabyte_of_output_is_read_and_cut(tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = await run_one(
        tmp_path, "echo begin; head -c 1000000000 /dev/zero | tr '\\0' x; echo; echo the end", 120
    )
    assert done.status == "PASSED", done
    assert len(done.output) < 65_536
    assert done.output.startswith("begin\nx")
    assert done.output.endswith("x\nthe end\n")
    assert "999,9" in done.output, "it says how much is left out"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kilobytes"


async def test_a_stopped_runner_skips_what_is_left(tmp_path):
    runner = CheckRunner(tmp_path)
    running = asyncio.create_task(runner.run([check("echo on > begun; sleep 98762"), check("touch never")]))
    deadline = time.monotonic() + 10
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    runner.stop("A person stopped it")
    done = await running
    assert [(one.status, one.output.strip()) for one in done] == [("SKIPPED", "A person stopped it")] * 2
    assert not (tmp_path / "never").exists()


@pytest.fixture
async def live(serve, tmp_path):
    found = Live(await serve(), tmp_path)
    yield found
    await found.end()


@pytest.mark.slow("a server and a worker of processes")
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_worker_runs_the_checks_of_the_work_it_committed(live):
    checks = [
        {"kind": "UNIT", "name": "greets", "command": "grep -q precious new.txt && touch left-over"},
        {"kind": "LINT", "name": "style", "command": "echo untidy; exit 7"},
        {"kind": "E2E", "name": "slow", "command": "sleep 98763", "seconds": 1},
    ]
    await live.begin(checks=checks, silenceSeconds=2)
    id = await live.start("COMMAND", command="cat; echo precious > new.txt; echo all done", stdin="close")
    live.worker()
    run = await live.until(id, "SUCCEEDED", "FAILED")
    assert run["status"] == "SUCCEEDED", run
    shown = await live.ask(SHOW, id=id)
    found = {one["name"]: (one["status"], one["exitCode"], one["sha"]) for one in shown["checks"]}
    sha = shown["headSha"]
    assert found["greets"] == ("PASSED", 0, sha)
    assert found["style"] == ("FAILED", 7, sha)
    assert found["slow"][0] == "ERROR"
    assert [one["output"] for one in shown["checks"] if one["name"] == "style"] == ["untidy"]
    assert shown["card"]["stage"] == "REVIEW"
    assert {(one["code"], one["name"]) for one in shown["card"]["gate"]} == {
        ("CHECK_FAILED", "slow"),
        ("CHECK_FAILED", "style"),
    }
    words = ("git", "-C", str(live.repository), "ls-tree", "--name-only", shown["branch"])
    files = subprocess.run(words, capture_output=True, text=True)
    assert files.stdout.split() == ["new.txt", "readme.md"], "what a check leaves is not committed"
    deadline = time.monotonic() + 20
    while list((live.folder / "worktrees").glob("run_*")):
        assert time.monotonic() < deadline, "its folder is removed all the same"
        await asyncio.sleep(0.1)
