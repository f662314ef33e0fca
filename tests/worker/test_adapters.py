"""What the agent programs really printed (tests/data/worker, recorded by test_programs.py), understood again."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.events import AgentEvent, AgentResult, EventType, QuestionItem, QuestionOption
from protocol.rows import from_row, to_row
from worker.programs import ADAPTERS, ShellCommand
from worker.programs.adapter import ProgramTask, answered, cut, shorten

DATA = Path(__file__).parent.parent / "data" / "worker"
STREAMS = sorted(DATA.glob("*/*.jsonl"))
NAMES = ["claude_code", "codex", "gemini", "opencode"]
DONE = "Done: hello.txt says hello."


def play(name, lines):
    executor = ADAPTERS[name]()
    return executor, [event for line in lines for event in executor.read(line)]


def lines_of(path):
    return path.read_text().splitlines()


@pytest.mark.parametrize("path", STREAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_stream_is_understood(path):
    executor, events = play(path.parent.name, lines_of(path))
    assert [e.text for e in events if e.type == EventType.WARNING and e.code == "UNREADABLE"] == []
    assert not [e for e in events if e.type == EventType.OUTPUT and e.stream == "STDOUT"]
    rows = json.loads(json.dumps([to_row(event) for event in events]))
    assert [from_row(row) for row in rows] == events
    if executor.ended and executor.ended.ok:
        assert executor.ended.summary
        assert executor.session
        assert executor.tools == {}


STORY = {
    "claude_code": "STATUS THINKING OUTPUT TOOL_STARTED TOOL_FINISHED FILE OUTPUT USAGE STATUS",
    "codex": "STATUS WARNING STATUS THINKING OUTPUT TOOL_STARTED TOOL_FINISHED OUTPUT USAGE STATUS",
    "gemini": "STATUS OUTPUT OUTPUT TOOL_STARTED TOOL_FINISHED FILE OUTPUT OUTPUT OUTPUT USAGE STATUS",
    "opencode": "STATUS STATUS THINKING OUTPUT TOOL_STARTED TOOL_FINISHED FILE USAGE STATUS OUTPUT USAGE STATUS",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_story_of_four_programs(name):
    executor, events = play(name, lines_of(DATA / name / "writes.jsonl"))
    shown = [e for e in events if not getattr(e, "chunk", False) or name == "gemini"]
    if name == "opencode":  # which finishes its parts in no promised order
        assert sorted(e.type for e in shown) == sorted(STORY[name].split())
    else:
        assert " ".join(e.type for e in shown) == STORY[name]
    assert executor.ended == AgentResult(ok=True, summary=DONE)


def test_every_type_of_event_has_a_stream_or_a_test():
    seen = {event.type for path in STREAMS for event in play(path.parent.name, lines_of(path))[1]}
    elsewhere = {
        "PROMPT",
        "ATTEMPT",
        "KNOWLEDGE",
        "PROGRESS",
        "LIMIT",
        "DIFF",
    }  # the worker's, the server's, and below
    assert {t.value for t in EventType} - elsewhere <= seen


@pytest.mark.parametrize(
    ("name", "said", "row"),
    [
        (
            "claude_code",
            {
                "type": "rate_limit_event",
                "rate_limit_info": {
                    "status": "rejected",
                    "rateLimitType": "five_hour",
                    "resetsAt": 1795321697,
                    "utilization": 1.0,
                },
            },
            {
                "type": "LIMIT",
                "data": {"state": "HIT", "window": "five_hour", "resets_at": 1795321697, "used": 1.0},
            },
        ),
        (
            "claude_code",
            {
                "type": "system",
                "subtype": "compact_boundary",
                "compact_metadata": {"trigger": "auto", "pre_tokens": 9, "post_tokens": 3},
            },
            {
                "type": "STATUS",
                "data": {"state": "COMPACTED", "reason": "auto", "tokens_before": 9, "tokens_after": 3},
            },
        ),
        (
            "claude_code",
            {"type": "tool_progress", "tool_use_id": "t", "tool_name": "Bash", "elapsed_time_seconds": 31},
            {"type": "PROGRESS", "text": "Bash has run for 31 s", "data": {"tool": "t"}},
        ),
        (
            "codex",
            {
                "type": "item.completed",
                "item": {
                    "id": "i",
                    "type": "collab_tool_call",
                    "tool": "wait",
                    "receiver_thread_ids": ["th"],
                    "agents_states": {"th": {"status": "errored", "message": "broke"}},
                },
            },
            {
                "type": "SUBAGENT",
                "text": "broke",
                "agent": "th",
                "data": {"phase": "FAILED", "name": "wait", "session": "th", "tool": "i"},
            },
        ),
        (
            "gemini",
            {"type": "error", "severity": "error", "message": "Maximum session turns exceeded"},
            {"type": "ERROR", "text": "Maximum session turns exceeded"},
        ),
    ],
)
def test_what_the_streams_do_not_hold(name, said, row):
    _, [event] = play(name, [json.dumps(said)])
    assert to_row(event) == row


@pytest.mark.parametrize("path", STREAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_broken_streams_break_nothing(path):
    """Lines lost, swapped, cut off, and with any value replaced by another."""
    chance = random.Random(path.name)
    for _ in range(20):
        lines = lines_of(path)
        chance.shuffle(lines)
        lines = [harm(line, chance) for line in lines]
        _, events = play(path.parent.name, lines)
        assert all(isinstance(event, AgentEvent) for event in events)
        json.dumps([to_row(event) for event in events], allow_nan=False)


def harm(line, chance):
    if chance.random() < 0.2:
        return line[: chance.randrange(len(line) + 1)]
    said = json.loads(line)
    place, key = said, None
    while isinstance(place, dict | list) and place:
        holder, key = place, chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        place = holder[key]
        if chance.random() < 0.3:
            break
    holder[key] = chance.choice([None, 3, 1e400, 10**30, "x", [], {}, [None], {"type": []}, True])
    return json.dumps(said)


KEYS = st.sampled_from(["type", "item", "part", "message", "subtype"])
OBJECTS = st.recursive(st.none() | st.text(max_size=5), lambda v: st.dictionaries(KEYS, v), max_leaves=6)
LINES = st.text(max_size=40) | OBJECTS.map(json.dumps)


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=60, deadline=None)
@given(LINES)
def test_no_line_breaks_an_executor(name, line):
    for event in ADAPTERS[name]().read(line):
        json.dumps(to_row(event))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_program_is_started_with(name, tmp_path):
    tools = {"signalbox": {"url": "http://127.0.0.1:1/mcp", "headers": {"Authorization": "Bearer s3cr3t"}}}
    private = tmp_path / "private"
    private.mkdir()
    about = {"model": "m-1", "instructions": "Be kind", "tools": tools, "private": private}
    work = ProgramTask(run="r", prompt="--help\nme", session="s-1", **about)
    start = ADAPTERS[name]().start(work, tmp_path)
    text = " ".join(start.argv)
    assert "s-1" in start.argv
    assert "m-1" in start.argv
    assert "--help" not in start.argv  # a prompt is never taken for an option
    assert b"--help\\nme" in start.stdin or b"--help\nme" in start.stdin
    assert b"Be kind" in start.stdin or "Be kind" in start.files["instructions.md"]
    assert "Be kind" not in text
    assert "s3cr3t" not in text
    if start.prepare:
        start.prepare({"HOME": str(tmp_path)})
    made = [path.read_text() for path in tmp_path.rglob("*.json")]
    assert "s3cr3t" in "".join([*made, *start.files.values(), *start.env.values()]), "its tools need it"


@pytest.mark.parametrize(
    ("name", "free", "supervised", "strict"),
    [
        ("claude_code", "default", "acceptEdits", "default"),
        ("codex", "workspace-write", "workspace-write", "read-only"),
        ("gemini", "yolo", "auto_edit", "default"),
    ],
)
def test_a_program_is_let_do_as_much_as_its_run_may(name, free, supervised, strict, tmp_path):
    option = {"claude_code": "--permission-mode", "codex": "--sandbox", "gemini": "--approval-mode"}[name]
    found = []
    for how in ({}, {"supervised": True}, {"supervised": True, "strict": True}):
        argv = ADAPTERS[name]().start(ProgramTask(run="r", prompt="p", **how), tmp_path).argv
        found.append(argv[argv.index(option) + 1])
    assert found == [free, supervised, strict]


def test_opencode_is_let_do_as_much_as_its_run_may(tmp_path):
    found = []
    for how in ({}, {"supervised": True}, {"supervised": True, "strict": True}):
        start = ADAPTERS["opencode"]().start(ProgramTask(run="r", prompt="p", **how), tmp_path)
        config = json.loads(start.env.get("OPENCODE_CONFIG_CONTENT", "{}"))
        found.append(("--auto" in start.argv, config.get("permission", {}).get("edit")))
    assert found == [(True, None), (False, None), (False, "ask")]


@pytest.mark.parametrize("strict", [False, True])
def test_claude_asks_a_person_when_it_is_supervised(strict, tmp_path):
    claude = ADAPTERS["claude_code"]()
    claude.start(ProgramTask(run="r", prompt="p", supervised=True, strict=strict), tmp_path)
    request = {"subtype": "can_use_tool", "tool_name": "Edit", "input": {"file_path": "a.txt"}}
    [asked] = claude.read(json.dumps({"type": "control_request", "request_id": "1", "request": request}))
    assert (asked.type, asked.decision, asked.text) == ("APPROVAL", "ASKED", "a.txt")
    assert claude.outgoing == []


def test_a_command_reads_its_answers_as_lines():
    command = ShellCommand()
    command.read(
        '::signalbox {"type": "QUESTION", "data": {"key": "q", "asks": [{"key": "0", "text": "Which?"}]}}'
    )
    said = json.loads(command.answer("q", {"0": ["a", "b"]}))
    words = answered([QuestionItem(key="0", text="Which?")], {"0": ["a", "b"]})
    assert said == {"answer": "q", "answers": {"0": ["a", "b"]}, "text": words}
    assert command.answer("q", {}) is None


def test_long_text_keeps_its_beginning_and_its_end():
    assert cut("a" * 9 + "b" * 9, 4) == "aa\n… 14 characters left out …\nbb"
    assert shorten("a  b\nc", 4) == "a b…"
    assert QuestionOption(label="x").label == "x"
