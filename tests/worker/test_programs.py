"""The real agent programs against a scripted model: what they really print is what the executors understand.

A test is skipped where its program is not installed; docs/agents.md says how to install the four of them. Nothing
calls out: the model is on a loopback address, and it is also the proxy that refuses every other connection. With
SIGNALBOX_RECORD=1 what the programs print is kept as tests/data/worker/<program>/<test>.jsonl.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from protocol.events import (
    AgentResult,
    AgentStatus,
    ApprovalRequested,
    Contribution,
    DecisionState,
    FileChange,
    FileChanged,
    OutputStream,
    OutputText,
    ProviderLimit,
    QuestionRaised,
    StatusChanged,
    SubagentChanged,
    ThinkingText,
    TodoList,
    TodoState,
    TokenUsage,
    ToolFinished,
    ToolStarted,
    ToolStatus,
)
from tests.worker.model import Model
from worker.process import Agent, ProcessLimits
from worker.programs import ADAPTERS
from worker.programs.adapter import ProgramTask, answered
from worker.programs.gemini import settings
from worker.run import total_usage, usage_of

DATA = Path(__file__).parent.parent / "data" / "worker"
pytestmark = pytest.mark.long

PROGRAMS = os.environ.get("SIGNALBOX_PROGRAMS", "")  # a folder with the four programs, beside PATH
PATH = os.pathsep.join(filter(None, [PROGRAMS, os.environ["PATH"]]))
LIMITS = ProcessLimits(silence=60, wall=90, grace=5)
DONE = {"text": "Done: hello.txt says hello."}


class Program:
    """One agent program in a folder of its own, with a home of its own, and a model of ours."""

    def __init__(self, name, tmp_path, test):
        self.name, self.test, self.runs = name, test, 0
        self.home, self.folder = tmp_path / "home", tmp_path / "folder"
        for folder in (self.home, self.folder):
            folder.mkdir()
        for words in (
            ["init", "-q"],
            ["config", "user.name", "Ann"],
            ["config", "user.email", "ann@example.com"],
        ):
            subprocess.run(["git", "-C", str(self.folder), *words], check=True)
        self.program = ADAPTERS[name].program
        if shutil.which(self.program, path=PATH) is None:
            pytest.skip(f"{self.program} is not installed")

    def environment(self, model):
        env = {"PATH": PATH, "HOME": str(self.home), "LANG": "C.UTF-8", "TMPDIR": str(self.home)}
        env |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), model.url)
        env |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        if self.name == "claude_code":
            env |= {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "none"}
        if self.name == "codex":
            env |= {"CODEX_HOME": str(self.home / ".codex"), "OPENAI_API_KEY": "none"}
            (self.home / ".codex").mkdir(exist_ok=True)
        if self.name == "gemini":
            env |= {"GOOGLE_GEMINI_BASE_URL": model.url, "GEMINI_API_KEY": "none"}
            (self.home / ".gemini").mkdir(exist_ok=True)
            (self.home / ".gemini" / "settings.json").write_text(settings({}, own_key=True))
        if self.name == "opencode":
            env |= {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"}
            env |= {"OPENCODE_DISABLE_DEFAULT_PLUGINS": "1"}
        return env

    def options(self, model):
        if self.name == "codex":
            retries = {
                f"config.model_providers.own.{kind}_max_retries": "0" for kind in ("request", "stream")
            }
            return {"provider_url": f"{model.url}/v1", "sandbox": "danger-full-access", **retries} | {
                "config.tools.update_plan.enabled": "true"
            }
        if self.name == "opencode":
            own = {
                "npm": "@ai-sdk/openai-compatible",
                "name": "own",
                "models": {"scripted": {"name": "scripted"}},
            }
            own["options"] = {"baseURL": f"{model.url}/v1", "apiKey": "none"}
            config = {"provider": {"own": own}, "autoupdate": False, "share": "disabled"}
            config |= {"small_model": "own/scripted", "permission": {"bash": "ask"}}
            return {"config": json.dumps(config)}
        return {}

    async def run(
        self,
        script,
        *,
        on=None,
        prompt="Say hello in hello.txt",
        session="",
        supervised=False,
        earlier=None,
        **work,
    ):
        script = json.loads(json.dumps(script).replace("$FOLDER", str(self.folder)))
        models = {"codex": "gpt-5.1-codex", "gemini": "gemini-2.5-flash", "opencode": "own/scripted"}
        executor, events, lines = ADAPTERS[self.name](), [], []
        read, executor.earlier = executor.read, earlier or TokenUsage()

        def noted(line):
            lines.append(line)
            return read(line)

        async def hear(event):
            events.append(event)
            if on:
                on(agent, event)

        executor.read = noted
        with Model(script) as model:
            work = ProgramTask(
                run="run_1",
                prompt=prompt,
                session=session,
                supervised=supervised,
                model=models.get(self.name, ""),
                options=self.options(model),
                **work,
            )
            agent = Agent(executor, work, self.folder, LIMITS)
            outcome = await agent.run(hear, self.environment(model))
            self.asked = model.asked
        self.keep(lines)
        return outcome, events

    def keep(self, lines):
        self.runs += 1
        if not (os.environ.get("SIGNALBOX_RECORD") and lines):
            return
        path = DATA / self.name / f"{self.test}{f'-{self.runs}' if self.runs > 1 else ''}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{line}\n" for line in lines)
        for folder, name in ((self.folder, "/work"), (self.home, "/home/agent")):
            text = text.replace(str(folder), name).replace(
                str(folder).replace("/", "-"), name.replace("/", "-")
            )
        path.write_text(text)


@pytest.fixture
def program(request, tmp_path):
    test = request.node.originalname.removeprefix("test_") + (
        "-denied" if "False" in request.node.name else ""
    )
    return lambda name: Program(name, tmp_path, test)


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def write(name):
    tools = {
        "claude_code": {"name": "Write", "input": {"file_path": "$FOLDER/hello.txt", "content": "hello\n"}},
        "codex": {"name": "exec_command", "input": {"cmd": "echo hello > hello.txt"}},
        "gemini": {"name": "write_file", "input": {"file_path": "$FOLDER/hello.txt", "content": "hello\n"}},
        "opencode": {"name": "write", "input": {"filePath": "$FOLDER/hello.txt", "content": "hello\n"}},
    }
    return {"thinking": "A file is wanted.", "text": "I will write the file.", "tools": [tools[name]]}


NAMES = ["claude_code", "codex", "gemini", "opencode"]


@pytest.mark.parametrize("name", NAMES)
async def test_writes(program, name):
    program = program(name)
    outcome, events = await program.run([write(name), DONE])
    assert outcome.ended == AgentResult(ok=True, summary=DONE["text"])
    assert (outcome.exit_code, bool(outcome.session)) == (0, True)
    assert (program.folder / "hello.txt").read_text() == "hello\n"
    [started], [finished] = of(events, ToolStarted), of(events, ToolFinished)
    assert (started.tool, finished.status) == (finished.tool, ToolStatus.SUCCEEDED)
    said = [e.text for e in of(events, OutputText) if not e.chunk]
    if name == "gemini":
        said = "".join(e.text for e in of(events, OutputText) if e.chunk and e.stream == OutputStream.ANSWER)
        assert said == "I will write the file." + DONE["text"]
    else:
        assert said == ["I will write the file.", DONE["text"]]
        assert [e.text for e in of(events, ThinkingText) if not e.chunk] == ["A file is wanted."]
    usage = of(events, TokenUsage)[-1]
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (2400, 68, 2000)
    if name != "codex":
        assert [(Path(e.path).name, e.change) for e in of(events, FileChanged)] == [
            ("hello.txt", FileChange.ADD)
        ]


@pytest.mark.parametrize("name", NAMES)
async def test_three_runs_of_one_session_count_what_the_model_billed(program, name):
    """Some programs tell the usage of the whole session each time; what a run counts is its own."""
    program, session, earlier, counted = program(name), "", TokenUsage(), []
    for script in ([write(name), DONE], [DONE], [DONE]):
        outcome, events = await program.run(script, session=session, earlier=earlier)
        assert outcome.ended.ok, outcome
        usage, session = of(events, TokenUsage)[-1], outcome.session
        counted.append((usage.input_tokens, usage.output_tokens, usage.cached_tokens))
        earlier = usage_of(total_usage([earlier, usage]))
    assert counted == [(n * 1200, n * 34, n * 1000) for n in (2, 1, 1)]


@pytest.mark.parametrize("name", NAMES)
async def test_is_offered_our_tools(program, name, serve):
    """And told what the board says, by whatever way a program takes it."""
    server = await serve()
    url = f"{server.http.removesuffix('/graphql')}/mcp"
    program = program(name)
    tools = {"signalbox": {"url": url, "headers": {}}}
    outcome, _ = await program.run([DONE], tools=tools, instructions="UNMISTAKABLE")
    assert outcome.ended.ok, outcome
    body = json.dumps([body for _, body in program.asked if body.get("tools")][-1])
    assert "ask_question" in body
    assert "UNMISTAKABLE" in body


@pytest.mark.parametrize("name", NAMES)
async def test_goes_on(program, name):
    """A session is resumed, with the answer to a question as its next prompt."""
    program = program(name)
    first, _ = await program.run([{"text": "Which greeting?"}])
    said = answered([], {}) + " UNMISTAKABLE"
    second, _ = await program.run([{"text": "x"}, DONE], session=first.session, prompt=said)
    assert second.ended == AgentResult(ok=True, summary=DONE["text"])
    assert second.session == first.session
    body = json.dumps([body for _, body in program.asked if body.get("tools")][-1])
    assert "UNMISTAKABLE" in body
    assert "Which greeting?" in body


@pytest.mark.parametrize("name", NAMES)
async def test_session_is_lost(program, name):
    outcome, _ = await program(name).run([DONE], session="0199f2ac-0000-7000-8000-000000000000")
    assert (outcome.ended.ok, outcome.ended.code) == (False, "SESSION_LOST")


@pytest.mark.parametrize("name", NAMES)
async def test_tool_fails(program, name):
    tools = {
        "claude_code": {"name": "Bash", "input": {"command": "echo oh; exit 3", "description": "Try"}},
        "codex": {"name": "exec_command", "input": {"cmd": "echo oh; exit 3"}},
        "gemini": {"name": "read_file", "input": {"file_path": "$FOLDER/missing"}},
        "opencode": {"name": "read", "input": {"filePath": "$FOLDER/missing"}},
    }
    outcome, events = await program(name).run([{"tools": [tools[name]]}, DONE])
    [finished] = of(events, ToolFinished)
    assert finished.status == ToolStatus.FAILED
    assert outcome.ended.ok
    if name == "codex":
        assert (finished.exit_code, finished.text) == (3, "oh\n")


@pytest.mark.parametrize("name", ["claude_code", "codex", "opencode"])
async def test_keeps_a_list(program, name):
    lists = {
        "claude_code": [
            {"name": "TaskCreate", "input": {"subject": "Write it", "description": "Write the file"}},
            {"name": "TaskUpdate", "input": {"taskId": "1", "status": "completed"}},
        ],
        "codex": [
            {"name": "update_plan", "input": {"plan": [{"step": "Write it", "status": "pending"}]}},
            {"name": "update_plan", "input": {"plan": [{"step": "Write it", "status": "completed"}]}},
        ],
        "opencode": [
            {
                "name": "todowrite",
                "input": {"todos": [{"content": "Write it", "status": "pending", "priority": "high"}]},
            },
            {
                "name": "todowrite",
                "input": {"todos": [{"content": "Write it", "status": "completed", "priority": "high"}]},
            },
        ],
    }
    outcome, events = await program(name).run([*({"tools": [tool]} for tool in lists[name]), DONE])
    assert outcome.ended.ok
    states = [[(item.text, item.state) for item in todo.items] for todo in of(events, TodoList)]
    assert states[0] == [("Write it", TodoState.PENDING)]
    assert states[-1] == [("Write it", TodoState.DONE)]


@pytest.mark.parametrize("name", NAMES)
async def test_model_refuses(program, name):
    """A provider that answers 400 to everything: a clear failure, soon."""
    outcome, _ = await program(name).run([{"status": 400, "always": True}])
    assert not outcome.ended.ok
    assert outcome.ended.reason
    assert outcome.ended.code == "AGENT_ERROR"


async def test_claude_asks(program):
    program = program("claude_code")
    asks = {
        "question": "Which greeting?",
        "header": "Greeting",
        "multiSelect": False,
        "options": [{"label": "hello", "description": "plain"}, {"label": "ahoy", "description": "naval"}],
    }

    def on(agent, event):
        if isinstance(event, QuestionRaised):
            assert agent.answer(event.key, {"0": ["ahoy"]})

    outcome, events = await program.run(
        [{"tools": [{"name": "AskUserQuestion", "input": {"questions": [asks]}}]}, DONE], on=on
    )
    assert outcome.ended.ok
    [question] = of(events, QuestionRaised)
    [ask] = question.asks
    assert (ask.text, ask.header, [o.label for o in ask.options]) == (
        "Which greeting?",
        "Greeting",
        ["hello", "ahoy"],
    )
    assert "ahoy" in of(events, ToolFinished)[0].text


@pytest.mark.parametrize("allow", [True, False])
async def test_claude_is_supervised(program, allow):
    program = program("claude_code")

    def on(agent, event):
        if isinstance(event, ApprovalRequested):
            assert agent.decide(event.key, allow=allow, note="Not today")

    command = "git commit --allow-empty -m x"
    tool = {"name": "Bash", "input": {"command": command, "description": "Commit"}}
    outcome, events = await program.run([{"tools": [tool]}, DONE], on=on, supervised=True)
    assert outcome.ended.ok
    [approval] = of(events, ApprovalRequested)
    assert (approval.name, approval.text, approval.decision) == ("Bash", command, DecisionState.ASKED)
    [finished] = of(events, ToolFinished)
    assert (finished.status == ToolStatus.SUCCEEDED) is allow
    assert bool(of(events, Contribution)) is allow
    assert allow or "Not today" in finished.text


async def test_claude_delegates(program):
    agent = {"description": "Look", "prompt": "Look around", "subagent_type": "general-purpose"}
    script = [{"tools": [{"name": "Agent", "input": agent}]}, DONE]
    outcome, events = await program("claude_code").run(script)
    assert outcome.ended.ok
    assert of(events, SubagentChanged)[0].name == "general-purpose"
    assert of(events, SubagentChanged)[0].agent == of(events, ToolStarted)[0].tool


async def test_claude_concludes(program):
    """It is broken off in the middle of a tool, told to wrap up, and does."""
    told = []

    def on(agent, event):
        if isinstance(event, ToolStarted) and not told:
            told.append(agent.conclude())

    sleep = {"name": "Bash", "input": {"command": "sleep 60", "description": "Sleep"}}
    outcome, _ = await program("claude_code").run([{"tools": [sleep]}, DONE], on=on)
    assert told == [True]
    assert outcome.ended == AgentResult(ok=True, summary=DONE["text"])


async def test_claude_is_overloaded(program):
    outcome, events = await program("claude_code").run([{**DONE, "status": 529}])
    assert outcome.ended.ok
    assert [e.state for e in of(events, StatusChanged) if e.state == AgentStatus.RETRYING]
    assert not of(events, ProviderLimit)


async def test_codex_patches(program):
    program = program("codex")
    patch = "*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch\n"
    script = [
        {"tools": [{"name": "exec_command", "input": {"cmd": f"apply_patch <<'EOF'\n{patch}EOF\n"}}]},
        DONE,
    ]
    outcome, events = await program.run(script)
    assert outcome.ended.ok
    assert (program.folder / "new.txt").read_text() == "hello\n"
    assert [(Path(e.path).name, e.change) for e in of(events, FileChanged)] == [("new.txt", FileChange.ADD)]


async def test_opencode_is_supervised(program):
    tool = {"name": "bash", "input": {"command": "touch made", "description": "Make"}}
    program = program("opencode")
    outcome, events = await program.run([{"tools": [tool]}, DONE], supervised=True)
    [approval] = of(events, ApprovalRequested)
    assert (approval.decision, approval.name, approval.text) == (DecisionState.DENIED, "bash", "touch made")
    assert outcome.ended.reason == "The agent was denied permission for bash: touch made"
    assert not (program.folder / "made").exists()
    assert [e.status for e in of(events, ToolFinished)] == [ToolStatus.DENIED]
