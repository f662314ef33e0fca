"""Small streams of unusual lines: each is reported as what it is, once; and no damaged stream breaks an adapter."""

import json
import random
from pathlib import Path

import pytest

from protocol.events import AgentEvent, EventType, LimitState
from protocol.rows import to_row
from worker.programs import ADAPTERS
from worker.programs.adapter import ProgramTask

DATA = Path(__file__).parent.parent / "data" / "worker"
STREAMS = sorted(DATA.glob("*/*.jsonl")) + sorted(DATA.glob("*/reported/*.jsonl"))
MUTATIONS = 10_000
MUTATIONS_PER_STREAM = 25


def play(name, *lines):
    adapter = ADAPTERS[name]()
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return adapter, [event for line in texts for event in adapter.read(line)]


def recorded(name, stream):
    return play(name, *(DATA / name / "reported" / f"{stream}.jsonl").read_text().splitlines())


def of(events, type_):
    return [event for event in events if event.type == type_]


def test_a_shell_command_is_no_subagent():
    adapter, events = recorded("claude_code", "localbash")
    assert of(events, EventType.SUBAGENT) == []
    assert adapter.tools == {}


def test_a_killed_task_ends_its_subagent():
    _, events = recorded("claude_code", "taskkilled")
    assert [event.phase for event in of(events, EventType.SUBAGENT)] == ["STARTED", "FAILED"]


def test_a_tool_of_the_provider_ends_with_its_result():
    adapter, events = recorded("claude_code", "servertool")
    [finished] = of(events, EventType.TOOL_FINISHED)
    assert (finished.tool, finished.name, finished.status) == ("st1", "web_search", "SUCCEEDED")
    assert adapter.tools == {}


def test_refusals_hooks_fallbacks_and_failed_compaction_are_warnings():
    _, events = recorded("claude_code", "refusal")
    assert [event.code for event in of(events, EventType.WARNING)] == [
        "MODEL_FALLBACK",
        "NOTIFICATION",
        "HOOK_FEEDBACK",
        "HOOK_FAILED",
        "COMPACTION_FAILED",
        "SESSION_NOT_SAVED",
        "AGENT_WARNING",
        "AUTHENTICATION",
    ]
    assert "small" in [event.model for event in of(events, EventType.STATUS)]


def test_a_result_without_usage_by_model_counts_its_tokens():
    _, events = recorded("claude_code", "oldusage")
    [usage] = of(events, EventType.USAGE)
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (240, 200, 7)


def test_a_limit_is_hit_once_and_cleared_once():
    retry = {"type": "system", "subtype": "api_retry", "error": "rate_limit", "error_status": 429}
    answer = {"type": "assistant", "message": {"id": "m", "content": [{"type": "text", "text": "a"}]}}
    _, events = play("claude_code", retry, retry, retry, answer, answer)
    assert [event.state for event in of(events, EventType.LIMIT)] == [LimitState.HIT, LimitState.CLEARED]
    info = {"status": "allowed", "rateLimitType": "five_hour"}
    allowed = {"type": "rate_limit_event", "rate_limit_info": info}
    rejected = {"type": "rate_limit_event", "rate_limit_info": {**info, "status": "rejected"}}
    _, events = play("claude_code", allowed, rejected, rejected, allowed, allowed)
    assert [event.state for event in of(events, EventType.LIMIT)] == [LimitState.HIT, LimitState.CLEARED]


def test_cumulative_output_is_reported_once_as_standard_output():
    _, events = recorded("codex", "cumul")
    outputs = of(events, EventType.OUTPUT)
    assert [(event.text, event.stream) for event in outputs] == [("one\n", "STDOUT"), ("two\n", "STDOUT")]


def test_an_mcp_call_in_progress_has_not_failed():
    item = {"id": "i", "type": "mcp_tool_call", "server": "s", "tool": "t", "status": "in_progress"}
    _, events = play("codex", {"type": "item.started", "item": item}, {"type": "item.updated", "item": item})
    assert [event.type for event in events] == [EventType.TOOL_STARTED]


def test_forms_of_old_versions_are_one_warning_with_their_first_line():
    _, events = recorded("codex", "legacy")
    [warning] = of(events, EventType.WARNING)
    assert warning.code == "UNKNOWN_KIND"
    assert "command_execution" in warning.text
    _, events = play("codex", *[{"id": str(n), "msg": {"type": "task_started"}} for n in range(3)])
    assert [event.code for event in events] == ["UNKNOWN_KIND"]


def test_synthetic_text_is_not_the_agents():
    part = {"id": "p", "text": "The following was summarised", "synthetic": True}
    adapter, events = play("opencode", {"type": "text", "part": part})
    assert events == []
    assert adapter._last == ""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MultiEdit", "EDIT"),
        ("NotebookEdit", "EDIT"),
        ("LS", "READ"),
        ("KillShell", "EXECUTE"),
        ("BashOutput", "READ"),
    ],
)
def test_tools_of_claude_have_a_kind(name, kind):
    content = [{"type": "tool_use", "id": "t", "name": name, "input": {}}]
    _, [started] = play("claude_code", {"type": "assistant", "message": {"id": "m", "content": content}})
    assert started.kind == kind


@pytest.mark.parametrize("name", ["claude_code", "codex", "gemini", "opencode"])
def test_an_unknown_kind_is_one_warning_per_kind(name):
    lines = [{"type": kind, "n": n} for kind in ("quantum", "warp") for n in range(3)]
    _, events = play(name, *lines)
    assert [(event.type, event.code) for event in events] == [("WARNING", "UNKNOWN_KIND")] * 2


def test_people_need_not_allow_our_own_tools(tmp_path):
    tools = {"signalbox": {"url": "http://127.0.0.1:1/mcp"}}
    claude = ADAPTERS["claude_code"]()
    claude.start(ProgramTask(run="r", prompt="p", supervised=True, tools=tools), tmp_path)
    ours = {"subtype": "can_use_tool", "tool_name": "mcp__signalbox__ask_question", "input": {}}
    assert claude.read(json.dumps({"type": "control_request", "request_id": "1", "request": ours})) == []
    assert b'"allow"' in claude.outgoing.pop()
    other = {**ours, "tool_name": "mcp__other__ask_question"}
    [asked] = claude.read(json.dumps({"type": "control_request", "request_id": "2", "request": other}))
    assert asked.decision == "ASKED"


def test_supervised_opencode_is_restrained(tmp_path):
    start = ADAPTERS["opencode"]().start(ProgramTask(run="r", prompt="p", supervised=True), tmp_path)
    permission = json.loads(start.env["OPENCODE_CONFIG_CONTENT"])["permission"]
    assert permission == {"bash": "ask", "webfetch": "ask", "external_directory": "ask"}


def strict(name, tmp_path, *lines):
    adapter = ADAPTERS[name]()
    adapter.start(ProgramTask(run="r", prompt="p", supervised=True, strict=True), tmp_path)
    for line in lines:
        adapter.read(json.dumps(line))
    return adapter.ended


def test_a_denied_run_ends_as_a_policy_violation(tmp_path):
    denied = {"id": "i", "type": "command_execution", "command": "make", "status": "declined"}
    allowed = {**denied, "status": "completed", "exit_code": 0}
    item = {"type": "item.completed", "item": denied}
    done = {"type": "turn.completed", "usage": {}}
    assert strict("codex", tmp_path, item, done).code == "POLICY_VIOLATION"
    patch = {**item, "item": {"id": "k", "type": "file_change", "changes": [], "status": "failed"}}
    assert strict("codex", tmp_path, patch, done).code == "POLICY_VIOLATION"
    assert strict("codex", tmp_path, {**item, "item": allowed}, done).ok
    use = {"type": "tool_use", "tool_name": "replace", "tool_id": "1", "parameters": {"file_path": "a"}}
    refused = {
        "type": "tool_result",
        "tool_id": "1",
        "status": "error",
        "error": {"type": "policy_violation", "message": "denied"},
    }
    done = {"type": "result", "status": "success"}
    assert strict("gemini", tmp_path, use, refused, done).code == "POLICY_VIOLATION"
    assert strict("gemini", tmp_path, use, {**refused, "status": "success"}, done).ok


def mutate(lines, chance):
    """Drop, double, move, truncate, join, or lengthen one line."""
    place = chance.randrange(len(lines))
    match chance.randrange(6):
        case 0:
            del lines[place]
        case 1:
            lines.insert(place, lines[place])
        case 2:
            lines.insert(chance.randrange(len(lines)), lines.pop(place))
        case 3:
            lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
        case 4:
            lines[place] += chance.choice(lines)
        case 5:
            lines[place] = lines[place].replace('":"', '":"' + "x" * 5_000, 1).replace(": ", ": -", 1)
    return lines or ["{}"]


def test_no_mutation_of_a_stream_breaks_an_adapter():
    chance = random.Random(20)
    for _ in range(MUTATIONS // MUTATIONS_PER_STREAM):
        path = chance.choice(STREAMS)
        name = path.relative_to(DATA).parts[0]
        lines = path.read_text().splitlines()
        for _ in range(MUTATIONS_PER_STREAM):
            lines = mutate(lines, chance)
        adapter, events = play(name, *lines)
        adapter.finish(0, "")
        assert all(isinstance(event, AgentEvent) for event in [*events, *adapter.tool_ends("STOPPED")])
        json.dumps([to_row(event) for event in events], allow_nan=False)
