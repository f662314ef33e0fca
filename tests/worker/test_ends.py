"""A program's only end is its exit: stand-ins that go on after they were done, say too much, or hardly anything."""

import os
import sys
from dataclasses import replace

import pytest

from protocol.events import (
    AgentResult,
    AgentWarning,
    ApprovalRequested,
    FileChanged,
    OutputStream,
    OutputText,
    SubagentChanged,
    ToolFinished,
    ToolStarted,
    ToolStatus,
)
from worker.process import Agent, ProcessLimits
from worker.programs import ADAPTERS
from worker.programs.adapter import ProgramTask

pytestmark = pytest.mark.processes

LIMITS = ProcessLimits(silence=20, wall=60, grace=0.4, line=100_000)
QUIET = 1.5  # seconds: longer than the grace, and than a short limit of silence

BEGIN = f"""#!{sys.executable}
import json, os, select, sys, time

def say(**said):
    print(json.dumps(said), flush=True)

def is_input_open():
    while select.select([0], [], [], 0)[0]:
        if not os.read(0, 65536):
            return False
    return True

def until_input_ends():
    while os.read(0, 65536):
        pass
"""


async def play(tmp_path, name, script, limits=LIMITS, on=None, **work):
    """Run a stand-in for a program; what it says, and the outcome."""
    program = tmp_path / "bin" / ADAPTERS[name].program
    program.parent.mkdir()
    program.write_text(BEGIN + script)
    program.chmod(0o755)
    folder, events = tmp_path / "folder", []
    folder.mkdir()
    agent = Agent(ADAPTERS[name](), ProgramTask(run="run_1", prompt="Do it", **work), folder, limits)

    async def hear(event):
        events.append(event)
        if on:
            on(agent, event)

    outcome = await agent.run(hear, {"PATH": f"{program.parent}:{os.environ['PATH']}"})
    return outcome, events


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def codes(events):
    return [event.code for event in of(events, AgentWarning)]


FINISH = "say(type='step_finish', sessionID='s', part={'id': 'p', 'reason': %r, 'tokens': {}})\n"
TEXT = "say(type='text', sessionID='s', part={'id': 'p', 'text': %r})\n"
START = "say(type='step_start', sessionID='s', part={})\n"


@pytest.mark.parametrize("reason", ["stop", "unknown", "other", "length", "error"])
async def test_opencode_goes_on_after_a_step_of_any_reason(tmp_path, reason):
    script = START + TEXT % "Half done" + FINISH % reason
    script += f"time.sleep({QUIET})\nopen('late.txt', 'w').write('late')\n"
    outcome, _ = await play(tmp_path, "opencode", script + START + TEXT % "All done" + FINISH % "stop")
    assert (outcome.ended.ok, outcome.ended.summary, outcome.exit_code) == (True, "All done", 0)
    assert (tmp_path / "folder" / "late.txt").read_text() == "late"


@pytest.mark.parametrize("reason", [None, "", "stop", "other", "unknown"])
async def test_opencode_is_done_when_it_exits_well(tmp_path, reason):
    step = "say(type='step_finish', sessionID='s', part={'id': 'p'})\n" if reason is None else FINISH % reason
    outcome, events = await play(tmp_path, "opencode", START + TEXT % "All done." + step)
    assert (outcome.ended.ok, outcome.ended.summary) == (True, "All done."), outcome
    assert codes(events) == []


@pytest.mark.parametrize("reason", ["length", "content-filter", "error"])
async def test_opencode_fails_when_its_last_answer_was_broken_off(tmp_path, reason):
    outcome, _ = await play(tmp_path, "opencode", START + FINISH % reason)
    assert (outcome.ended.ok, outcome.ended.reason) == (False, f"The model stopped: {reason}")


async def test_opencode_gets_over_an_error(tmp_path):
    """Its context was too long: it says an error, compacts, and goes on."""
    error = "say(type='error', sessionID='s', error={'name': 'ContextOverflowError', 'data': {}})\n"
    script = START + error + START + TEXT % "Done" + FINISH % "stop"
    outcome, _ = await play(tmp_path, "opencode", script)
    assert outcome.ended.ok, outcome


INIT = "say(type='system', subtype='init', session_id='s', model='m')\n"
RESULT = "say(type='result', subtype='success', is_error=False, result=%r)\n"
TASKS = "say(type='system', subtype='background_tasks_changed', tasks=%r)\n"
SHELL = [{"task_id": "b1", "task_type": "local_bash", "description": "make"}]
AMBIENT = [{"task_id": "a1", "task_type": "monitor", "ambient": True}]


async def test_claude_is_idle_while_a_task_runs_in_its_background(tmp_path):
    script = INIT + TASKS % SHELL + RESULT % "Waiting for make"
    script += f"time.sleep({QUIET})\nassert is_input_open()\nopen('late.txt', 'w').write('late')\n"
    script += TASKS % [] + INIT + RESULT % "Made" + "until_input_ends()\n"
    outcome, events = await play(tmp_path, "claude_code", script)
    assert (outcome.ended.ok, outcome.ended.summary, outcome.exit_code) == (True, "Made", 0), outcome
    assert (tmp_path / "folder" / "late.txt").exists()
    assert codes(events) == []


async def test_claude_knows_its_background_from_the_tasks_themselves(tmp_path):
    """Older versions tell each task, and no list of them."""
    task = "say(type='system', subtype=%r, task_id='b1', task_type='local_bash', is_backgrounded=True)\n"
    script = INIT + task % "task_started" + RESULT % "Waiting"
    script += f"time.sleep({QUIET})\nassert is_input_open()\n"
    script += task % "task_notification" + INIT + RESULT % "Made" + "until_input_ends()\n"
    outcome, _ = await play(tmp_path, "claude_code", script)
    assert (outcome.ended.ok, outcome.ended.summary, outcome.exit_code) == (True, "Made", 0), outcome


@pytest.mark.parametrize("tasks", [[], AMBIENT])
async def test_claudes_input_is_closed_when_nothing_is_left_to_do(tmp_path, tasks):
    script = INIT + TASKS % tasks + RESULT % "Done" + "until_input_ends()\nopen('left.txt', 'w')\n"
    outcome, events = await play(tmp_path, "claude_code", script)
    assert (outcome.ended.ok, outcome.exit_code) == (True, 0)
    assert (tmp_path / "folder" / "left.txt").exists()
    assert codes(events) == []


async def test_a_background_that_never_ends_is_ended_and_said(tmp_path):
    script = INIT + TASKS % SHELL + RESULT % "The server runs" + "time.sleep(600)\n"
    outcome, events = await play(tmp_path, "claude_code", script, replace(LIMITS, background=1))
    assert (outcome.ended.ok, outcome.ended.summary) == (True, "The server runs")
    assert codes(events) == ["LINGERED"]


async def test_one_that_does_not_leave_is_ended_and_keeps_its_result(tmp_path):
    for name, said in (("claude_code", INIT + RESULT % "Done"), ("opencode", START + FINISH % "length")):
        (tmp_path / name).mkdir()
        limits = replace(LIMITS, silence=1)
        outcome, events = await play(tmp_path / name, name, said + "time.sleep(600)\n", limits)
        assert (outcome.ended.summary or outcome.ended.reason) in ("Done", "The model stopped: length")
        assert codes(events) == ["LINGERED"]


async def test_a_stop_while_a_task_runs_in_its_background_is_no_success(tmp_path):
    def on(agent, event):
        if getattr(event, "state", "") == "IDLE":
            agent.stop(AgentResult.failed("The worker is leaving", "RELEASED"))

    script = INIT + TASKS % SHELL + RESULT % "Waiting for make" + "time.sleep(600)\n"
    outcome, _ = await play(tmp_path, "claude_code", script, on=on)
    assert outcome.ended.code == "RELEASED"


HUGE = "'x' * 300_000"
REQUEST = """
say(type='control_request', request_id='r1', request={'subtype': 'can_use_tool', 'tool_name': 'Write',
    'input': {'file_path': 'a.txt', 'content': %s}, 'tool_use_id': 't1'})
said = b''
while not said.endswith(b'\\n') or b'behavior' not in said:
    more = os.read(0, 65536)
    assert more, 'nobody answered'
    said += more
answer = json.loads(said.splitlines()[-1])['response']['response']
"""


@pytest.mark.parametrize("content", [HUGE, "[n for n in range(60_000)]", "'\\\\u00e9\\\\\\\\\"' * 60_000"])
async def test_a_request_that_is_too_long_is_denied_with_a_reason(tmp_path, content):
    script = INIT + REQUEST % content + "say(type='result', subtype='success', is_error=False,"
    script += "result=answer['behavior'] + ': ' + answer['message'])\n"
    outcome, events = await play(tmp_path, "claude_code", script)
    assert outcome.ended.summary == "deny: This is too long for Signalbox. Do it in smaller parts."
    assert codes(events) == ["LINE_TOO_LONG"]
    assert of(events, ApprovalRequested) == []


async def test_a_request_of_two_million_bytes_is_no_trouble(tmp_path):
    script = INIT + REQUEST % "'x' * 2_000_000" + RESULT % "Done" + "assert answer['behavior'] == 'allow'\n"
    outcome, events = await play(tmp_path, "claude_code", script, ProcessLimits(grace=0.4))
    assert (outcome.ended.ok, outcome.exit_code, codes(events)) == (True, 0, [])


async def test_results_that_are_too_long_are_understood(tmp_path):
    script = (
        INIT
        + f"""
use = {{'type': 'tool_use', 'id': 't1', 'name': 'Write', 'input': {{'file_path': 'a.txt'}}}}
say(type='assistant', message={{'id': 'm1', 'content': [use]}})
done = {{'type': 'tool_result', 'content': {HUGE}, 'tool_use_id': 't1'}}
say(type='user', message={{'content': [done]}},
    tool_use_result={{'type': 'create', 'content': {HUGE}, 'filePath': 'a.txt'}})
say(type='result', subtype='success', result={HUGE}, is_error=False, total_cost_usd=0.5)
"""
    )
    outcome, events = await play(tmp_path, "claude_code", script)
    assert (outcome.ended.ok, outcome.ended.summary[:9]) == (True, "x" * 9), outcome
    assert [(e.tool, e.status) for e in of(events, ToolFinished)] == [("t1", ToolStatus.SUCCEEDED)]
    assert [event.path for event in of(events, FileChanged)] == ["a.txt"]
    assert codes(events) == ["LINE_TOO_LONG"] * 2


async def test_a_summary_that_is_too_long_is_understood(tmp_path):
    script = "print('::signalbox ' + json.dumps({'complete': 'y' * 300_000}))\n"
    outcome, _ = await commanded(tmp_path, script)
    assert (outcome.ended.ok, outcome.ended.summary[:5]) == (True, "yyyyy")


async def commanded(tmp_path, script, limits=LIMITS):
    path = tmp_path / "script.py"
    path.write_text(BEGIN + script)
    path.chmod(0o755)
    events = []

    async def hear(event):
        events.append(event)

    work = ProgramTask(run="run_1", prompt="Do it", options={"command": str(path)})
    return await Agent(ADAPTERS["command"](), work, tmp_path, limits).run(hear), events


async def test_codex_that_waits_for_its_agents_is_not_silent(tmp_path):
    script = f"""
def item(stage, id, tool, **more):
    say(type='item.' + stage, item={{'id': id, 'type': 'collab_tool_call', 'tool': tool, **more}})
say(type='thread.started', thread_id='t')
item('started', 'i1', 'wait', receiver_thread_ids=['c1'], agents_states={{}}, status='in_progress')
time.sleep({QUIET})
item('completed', 'i1', 'wait', receiver_thread_ids=['c1'], status='completed',
    agents_states={{'c1': {{'status': 'completed', 'message': '3 files'}}}})
say(type='turn.completed', usage={{}})
"""
    outcome, events = await play(tmp_path, "codex", script, replace(LIMITS, silence=QUIET / 2))
    assert outcome.ended.ok, outcome
    assert [event.tool for event in of(events, ToolStarted)] == ["i1"]
    assert [event.status for event in of(events, ToolFinished)] == [ToolStatus.SUCCEEDED]
    assert [event.phase for event in of(events, SubagentChanged)] == ["STARTED", "ENDED"]


async def test_standard_error_is_a_sign_of_life(tmp_path):
    script = "for n in range(12):\n    print(n, file=sys.stderr, flush=True)\n    time.sleep(0.2)\n"
    outcome, events = await commanded(tmp_path, script, replace(LIMITS, silence=QUIET / 2))
    assert outcome.ended.ok, outcome
    said = "".join(event.text for event in of(events, OutputText) if event.stream == OutputStream.STDERR)
    assert said.split() == [str(n) for n in range(12)]


async def test_standard_error_is_logged_to_its_end_and_bounded(tmp_path):
    script = "sys.stderr.write('é' * 2_000_000 + 'why')\nsys.exit(3)\n"
    outcome, events = await commanded(tmp_path, script)
    said = "".join(event.text for event in of(events, OutputText) if event.stream == OutputStream.STDERR)
    assert set(said) == {"é"}
    assert 1_000_000 < len(said.encode()) < 1_200_000
    assert codes(events) == ["STDERR_TOO_LONG"]
    assert outcome.ended.reason.endswith("éwhy") or outcome.ended.reason.endswith("…")
    assert outcome.stderr.endswith("why")


async def test_a_program_that_fails_after_it_completed_is_told(tmp_path):
    outcome, events = await play(tmp_path, "opencode", START + FINISH % "stop" + "sys.exit(7)\n")
    assert (outcome.ended.ok, outcome.exit_code) == (True, 7)
    assert [event.text for event in of(events, AgentWarning)] == [
        "It exited with 7 although it had completed"
    ]
