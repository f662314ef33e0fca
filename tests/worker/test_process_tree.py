"""All that an agent program starts ends with it, however it hides: no session, double fork or nohup helps."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from protocol.events import AgentResult
from tests.pace import leeway
from tests.worker.test_process import is_alive, until
from worker.process import Agent, ProcessLimits
from worker.programs import ADAPTERS
from worker.programs.adapter import ProgramTask
from worker.worktree import hold

ROOT = Path(__file__).parent.parent.parent
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a subreaper"),
    pytest.mark.processes,
]
LIMITS = ProcessLimits(silence=60, wall=120, grace=1)

# Each hides a writer: it appends to `written` until it is ended, deaf to what can be ignored.
WRITER = "trap '' HUP INT TERM; echo $$ >> ../pids; while :; do echo x >> written; sleep 0.05; done"
HIDDEN = {
    "setsid": "setsid sh ../writer",
    "double fork": "(sh ../writer &) &",
    "nohup": "nohup sh ../writer >/dev/null 2>&1 &",
    "double fork in a session of its own": "(setsid sh -c '(sh ../writer &) &' &) &",
    "all descriptors closed": f"""{sys.executable} -c "
import os, sys
if os.fork(): sys.exit()
os.setsid()
if os.fork(): os._exit(0)
os.closerange(0, 256)
os.execvp('sh', ['sh', '../writer'])" """,
}
STREAMS = {
    "claude_code": '{"type": "result", "subtype": "success", "is_error": false, "result": "Done"}',
    "codex": '{"type": "turn.completed", "usage": {}}',
    "gemini": '{"type": "result", "status": "success"}',
    "opencode": '{"type": "step_finish", "sessionID": "s", "part": {"reason": "stop"}}',
    "command": "done",
}
CASES = [("command", hide) for hide in HIDDEN] + [(name, "setsid") for name in STREAMS if name != "command"]


def put(tmp_path, name, hide, then):
    """A stand-in for an agent program, beside the folder it works in, and the environment that finds it."""
    folder, bin = tmp_path / "folder", tmp_path / "bin"
    for path in (folder, bin):
        path.mkdir()
    (tmp_path / "writer").write_text(WRITER)
    (tmp_path / "pids").touch()
    # It goes on only when its writer writes: one that has not begun yet hides nothing.
    wait = "while [ ! -s ../pids ] || [ ! -s written ]; do sleep 0.05; done; echo ready >&2"
    backgrounded = hide if hide.rstrip().endswith("&") else f"{hide} &"
    script = f"#!/bin/sh\n{backgrounded}\n{wait}\n{then}\n"
    for program in ("claude", "codex", "gemini", "opencode", "work"):
        (bin / program).write_text(script)
        (bin / program).chmod(0o755)
    return folder, {"PATH": f"{bin}:{os.environ['PATH']}"}


def left(tmp_path):
    return [pid for pid in map(int, (tmp_path / "pids").read_text().split()) if is_alive(pid)]


def agent_of(name, folder, held=()):
    work = ProgramTask(run="run_1", prompt="Do it", options={"command": "work"})
    return Agent(ADAPTERS[name](), work, folder, LIMITS, held=held)


async def nothing(event):
    pass


def takes(folder):
    """Take the folder as the next attempt does, if it is free."""
    lock = hold(folder)
    if lock is not None:
        os.close(lock)
    return lock is not None


@pytest.mark.parametrize(("name", "hide"), CASES)
async def test_nothing_outlives_a_success(tmp_path, name, hide):
    folder, env = put(tmp_path, name, HIDDEN[hide], f"echo '{STREAMS[name]}'")
    outcome = await agent_of(name, folder).run(nothing, env)
    assert outcome.ended.ok, outcome
    assert left(tmp_path) == []


@pytest.mark.parametrize(("name", "hide"), CASES)
async def test_nothing_outlives_a_stop(tmp_path, name, hide):
    folder, env = put(tmp_path, name, HIDDEN[hide], "exec sleep 600")
    agent = agent_of(name, folder)
    running = asyncio.create_task(agent.run(nothing, env))
    await until(lambda: left(tmp_path) and (folder / "written").exists())
    agent.stop(AgentResult.failed("A person stopped the run", "CANCELLED"))
    outcome = await asyncio.wait_for(running, leeway(30))
    assert outcome.ended.code == "CANCELLED"
    assert left(tmp_path) == []


WORKER = """
import asyncio, sys
from pathlib import Path
from tests.worker.test_process_tree import agent_of, nothing
from worker.worktree import hold
folder = Path(sys.argv[2])
lock = hold(folder)
asyncio.run(agent_of(sys.argv[1], folder, held=(lock,)).run(nothing))
"""


@pytest.mark.parametrize(("name", "hide"), CASES)
async def test_nothing_outlives_a_killed_worker_nor_writes_where_the_next_attempt_works(tmp_path, name, hide):
    folder, env = put(tmp_path, name, HIDDEN[hide], "exec sleep 600")
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, name, str(folder)], cwd=ROOT, env=os.environ | env
    )
    await until(lambda: left(tmp_path) and (folder / "written").exists())
    assert not takes(folder)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    await until(lambda: takes(folder))
    assert left(tmp_path) == []


@pytest.mark.parametrize("hide", [name for name in HIDDEN if name != "all descriptors closed"])
async def test_a_folder_is_held_until_the_last_writer_is_gone_even_if_its_leash_is_killed(tmp_path, hide):
    folder, env = put(tmp_path, "command", HIDDEN[hide], "exec sleep 600")
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, "command", str(folder)], cwd=ROOT, env=os.environ | env
    )
    await until(lambda: left(tmp_path) and (folder / "written").exists())
    leash = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()[0]
    os.kill(int(leash), signal.SIGKILL)
    worker.kill()
    worker.wait()
    [pid] = left(tmp_path)
    try:
        assert not takes(folder), "somebody still writes here"
    finally:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: takes(folder))
