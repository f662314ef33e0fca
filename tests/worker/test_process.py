"""Agent programs as real subprocesses, well behaved and otherwise."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.events import AgentResult, EventType, OutputText, QuestionRaised, StatusChanged
from protocol.rows import to_row
from tests.pace import leeway
from worker.lines import Lines, TooLong
from worker.process import Agent, ProcessLimits
from worker.programs import Scripted, ShellCommand
from worker.programs.adapter import ProgramTask

pytestmark = pytest.mark.processes

QUICK = ProcessLimits(silence=5, wall=10, grace=1, line=100_000)


async def play(folder, steps, *, limits=QUICK, on=None, session="", prompt="Do it"):
    recording = folder / "recording.jsonl"
    recording.write_text("\n".join(json.dumps(step) for step in steps))
    work = ProgramTask(
        run="run_1", prompt=prompt, session=session, options={"recording": str(recording), "speed": "20"}
    )
    return await run(Agent(Scripted(), work, folder, limits), on)


async def shell(folder, command, *, limits=QUICK, on=None, env=None, **options):
    work = ProgramTask(run="run_1", prompt="Do it", options={"command": command, **options})
    return await run(Agent(ShellCommand(), work, folder, limits), on, env)


async def run(agent, on=None, env=None):
    events = []

    async def hear(event):
        events.append(event)
        if on:
            on(agent, event)

    return await agent.run(hear, env), events


def is_alive(pid):
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, 0)
        return not Path("/proc/self").exists() or ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    return False


async def until(check, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_a_recording_plays_and_completes(tmp_path):
    outcome, events = await play(
        tmp_path,
        [
            {"type": "TODO", "data": {"items": [{"text": "Write"}, {"text": "Test", "state": "DONE"}]}},
            {"say": "I will write a file."},
            {"write": "a/hello.txt", "text": "hello\n"},
            {"run": "cat a/hello.txt"},
            {"complete": "Said hello"},
            {"print": "never played"},
        ],
    )
    assert outcome.ended == AgentResult(ok=True, summary="Said hello")
    assert (outcome.exit_code, outcome.session) == (0, "run_1:recording:0")
    assert (tmp_path / "a" / "hello.txt").read_text() == "hello\n"
    kinds = [event.type for event in events if event.type != EventType.OUTPUT]
    assert kinds == [
        EventType(k)
        for k in [
            "STATUS",
            "TODO",
            "TOOL_STARTED",
            "TOOL_FINISHED",
            "FILE",
            "TOOL_STARTED",
            "TOOL_FINISHED",
            "STATUS",
        ]
    ]
    said = "".join(e.text for e in events if isinstance(e, OutputText) and e.chunk)
    assert said == "I will write a file."


async def test_a_question_waits_for_its_answer(tmp_path):
    def on(agent, event):
        if isinstance(event, QuestionRaised):
            assert agent.waiting == {event.key}
            assert agent.answer(event.key, {"0": ["ahoy"]})
            assert not agent.answer(event.key, {"0": ["twice"]})

    steps = [{"ask": [{"key": "0", "text": "Which?"}]}, {"complete": "Said {answer}"}]
    outcome, events = await play(tmp_path, steps, on=on)
    assert outcome.ended.summary == "Said ahoy"
    assert [
        to_row(e)["data"]["reason"] for e in events if isinstance(e, StatusChanged) and e.reason == "QUESTION"
    ]


async def test_a_session_goes_on_where_it_asked(tmp_path):
    steps = [{"print": "once"}, {"ask": [{"key": "0", "text": "Which?"}]}, {"complete": "Said {answer}"}]
    outcome, _ = await play(
        tmp_path,
        steps,
        on=lambda a, e: isinstance(e, QuestionRaised) and a.stop(AgentResult.failed("gone", "RELEASED")),
    )
    assert (outcome.ended.code, outcome.session) == ("RELEASED", "run_1:recording:2")
    outcome, events = await play(
        tmp_path, steps, session=outcome.session, prompt="Your answer:\n- Which?\n  ahoy"
    )
    assert outcome.ended.summary == "Said ahoy"
    assert "once" not in "".join(e.text for e in events)


async def test_a_command_is_an_agent(tmp_path):
    half = '{"type": "PROGRESS", "text": "half", "data": {"percent": 50}}'
    command = (
        f"""echo "$SIGNALBOX_PROMPT" > prompt; head -1 > input; pwd; echo '::signalbox {half}'; echo done"""
    )
    outcome, events = await shell(tmp_path, command, stdin="prompt")
    assert outcome.ended == AgentResult(ok=True, summary="done")
    assert (tmp_path / "prompt").read_text() == (tmp_path / "input").read_text() == "Do it\n"
    assert [(e.type, e.text) for e in events] == [
        (EventType.OUTPUT, f"{tmp_path}\n"),
        (EventType.PROGRESS, "half"),
        (EventType.OUTPUT, "done\n"),
    ]


BROKEN = [
    ("echo half; exit 3", {}, "AGENT_ERROR", "The command exited with 3: half"),
    ("echo why >&2; exit 1", {}, "AGENT_ERROR", "The command exited with 1: why"),
    ("echo fine", {"complete": "explicit"}, "AGENT_ERROR", "The agent exited without completing"),
    ("kill -9 $$", {}, "AGENT_ERROR", "The command exited with 137"),
    ("", {}, "WORKSPACE_ERROR", "the program `command` needs the option `command`, a shell command"),
]


@pytest.mark.parametrize(("command", "options", "code", "reason"), BROKEN)
async def test_a_broken_program_is_a_clear_failure(tmp_path, command, options, code, reason):
    outcome, _ = await shell(tmp_path, command, **options)
    assert (outcome.ended.ok, outcome.ended.code, outcome.ended.reason) == (False, code, reason)


async def test_a_program_that_is_missing_is_named(tmp_path):
    outcome, _ = await shell(tmp_path, "true", env={"PATH": str(tmp_path)})
    assert outcome.ended.code == "WORKSPACE_ERROR"
    assert outcome.ended.reason == "sh is not installed on this worker (program command)"


async def test_exit_0_without_completing_is_a_failure(tmp_path):
    outcome, _ = await play(tmp_path, [{"say": "I am done!"}, {"exit": 0}])
    assert outcome.ended == AgentResult.failed("The agent exited without completing")


async def test_garbage_and_a_line_of_10_mb_do_no_harm(tmp_path):
    garbage = [
        '{"type":',
        "[]",
        "null",
        '{"type": "TODO", "data": {"items": 3}}',
        '{"type": "NEW"}',
        "\x00\x1b[31m",
        "{" * 5000,
    ]
    steps = [*({"print": text} for text in garbage), {"line": 10_000_000}, {"complete": "Anyway"}]
    began = time.monotonic()
    outcome, events = await play(tmp_path, steps)
    assert outcome.ended == AgentResult(ok=True, summary="Anyway")
    long = [e.text for e in events if e.type == EventType.WARNING and "too long" in e.text]
    assert len(long) == 1
    assert "10,000,000 bytes" in long[0]
    assert max(len(json.dumps(to_row(e))) for e in events) < 40_000
    assert time.monotonic() - began < leeway(5)


async def test_silence_ends_a_program(tmp_path):
    outcome, _ = await play(tmp_path, [{"hang": True}], limits=replace(QUICK, silence=0.5))
    assert (outcome.ended.code, outcome.ended.retryable) == ("SILENT", True)


async def test_a_tool_that_runs_is_not_silence(tmp_path):
    limits = replace(QUICK, silence=1)
    steps = [{"run": "sleep 2"}, {"complete": "Patient"}]
    outcome, _ = await play(tmp_path, steps, limits=limits)
    assert outcome.ended == AgentResult(ok=True, summary="Patient")


async def test_a_program_that_never_ends_is_ended(tmp_path):
    limits = replace(QUICK, wall=0.7)
    outcome, _ = await shell(tmp_path, "while :; do echo tick; sleep 0.05; done", limits=limits)
    assert (outcome.ended.code, outcome.ended.reason) == ("TIMEOUT", "The attempt took longer than 0.7 s")


async def test_waiting_for_a_person_is_neither_silence_nor_work(tmp_path):
    limits = replace(QUICK, silence=1.2, wall=1.2)
    loop = asyncio.get_running_loop()

    def on(agent, event):
        if isinstance(event, QuestionRaised):
            loop.call_later(2, agent.answer, event.key, {"0": ["late"]})

    outcome, _ = await play(
        tmp_path, [{"ask": [{"key": "0", "text": "?"}]}, {"complete": "{answer}"}], limits=limits, on=on
    )
    assert outcome.ended == AgentResult(ok=True, summary="late")


async def test_a_program_that_will_not_stop_is_killed_with_all_it_started(tmp_path):
    child = "(trap '' INT TERM; echo $BASHPID > child; exec sleep 60)"
    command = f"trap '' INT TERM; {child} & echo $$ > own; echo ready; wait; sleep 60"
    (tmp_path / "run").write_text(command)

    def on(agent, event):
        if event.text == "ready\n":
            agent.stop(AgentResult.failed("A person stopped the run", "CANCELLED"))

    began = time.monotonic()
    outcome, _ = await shell(tmp_path, "exec bash run", on=on)
    assert outcome.ended == AgentResult.failed("A person stopped the run", "CANCELLED")
    assert 0.9 < time.monotonic() - began < leeway(4)
    for name in ("own", "child"):
        pid = int((tmp_path / name).read_text())
        await until(lambda pid=pid: not is_alive(pid))


async def test_a_polite_program_is_stopped_politely(tmp_path):
    def on(agent, event):
        if event.text == "ready\n":
            agent.stop(AgentResult.failed("stop", "CANCELLED"))

    limits = replace(QUICK, grace=8)
    began = time.monotonic()
    outcome, _ = await shell(
        tmp_path,
        "trap 'echo saved > saved; exit 0' INT; echo ready; while :; do sleep 0.05; done",
        on=on,
        limits=limits,
    )
    assert outcome.ended.code == "CANCELLED"
    assert (tmp_path / "saved").exists()
    assert time.monotonic() - began < leeway(3)


async def test_what_a_program_leaves_behind_is_ended(tmp_path):
    outcome, _ = await shell(tmp_path, "sleep 60 & echo $! > left; echo done")
    assert outcome.ended.ok
    pid = int((tmp_path / "left").read_text())
    await until(lambda: not is_alive(pid))


async def test_one_that_left_its_group_does_not_hold_the_worker(tmp_path):
    began = time.monotonic()
    outcome, _ = await shell(tmp_path, "setsid sleep 8 & echo done")
    assert outcome.ended.ok
    assert time.monotonic() - began < leeway(4)


async def test_a_killed_worker_takes_its_agent_along(tmp_path):
    code = """
import asyncio, sys
from pathlib import Path
from worker.programs import ShellCommand
from worker.programs.adapter import ProgramTask
from worker.process import Agent
async def hear(event): pass
work = ProgramTask(run="r", prompt="", options={"command": "echo $$ > pid; exec sleep 60"})
asyncio.run(Agent(ShellCommand(), work, Path(sys.argv[1])).run(hear))
"""
    root = Path(__file__).parent.parent.parent
    worker = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=root)
    await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    pid = int((tmp_path / "pid").read_text())
    assert is_alive(pid)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    await until(lambda: not is_alive(pid))


async def test_a_large_prompt_meets_a_program_that_does_not_read(tmp_path):
    command = "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 60000; echo; echo over"
    work = ProgramTask(run="r", prompt="p" * 3_000_000, options={"command": command})
    outcome, _ = await run(Agent(ShellCommand(), work, tmp_path, QUICK))
    assert outcome.ended.summary == "over"


async def test_a_slow_listener_slows_the_program_and_loses_nothing(tmp_path):
    work = ProgramTask(run="r", prompt="", options={"command": "seq 1 9000"})
    heard = []

    async def hear(event):
        if len(heard) % 3000 == 0:
            await asyncio.sleep(0.2)
        heard.append(event.text)

    outcome = await Agent(ShellCommand(), work, tmp_path, QUICK).run(hear)
    assert outcome.ended.ok
    assert "".join(heard) == "".join(f"{n}\n" for n in range(1, 9001))


async def test_the_workers_secrets_stay_with_the_worker(tmp_path):
    env = {"PATH": os.environ["PATH"], "SIGNALBOX_KEY": "s3cr3t", "HOME": "/home/ann"}
    _, events = await shell(tmp_path, "env", env=env)
    text = "".join(e.text for e in events)
    assert "s3cr3t" not in text
    assert "HOME=/home/ann" in text


@given(st.lists(st.binary(max_size=40)), st.integers(1, 30), st.integers(1, 50))
def test_lines_are_the_same_however_they_arrive(parts, most, step):
    data = b"\n".join(parts)
    lines = Lines(most)
    got = [line for at in range(0, len(data), step) for line in lines.feed(data[at : at + step])]
    got += list(lines.close())
    want = data.split(b"\n")
    want = want[:-1] if want[-1] == b"" else want
    assert [line.size if isinstance(line, TooLong) else line for line in got] == [
        len(line) if len(line) > most else line.decode(errors="replace") for line in want
    ]
