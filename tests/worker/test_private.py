"""What a program is told is its own: not on a command line, not in a file that others may read, not left behind."""

import asyncio
import json
import os
import re
import stat
import sys
from pathlib import Path

import pytest

from protocol.events import AgentResult, QuestionRaised
from tests.worker.test_process import shell, until
from worker.process import Agent, ProcessLimits
from worker.programs import ADAPTERS
from worker.programs.adapter import ProgramTask

pytestmark = pytest.mark.processes

DOCS = Path(__file__).parent.parent.parent / "docs" / "agents.md"
SERVER = {"url": "http://127.0.0.1:1/mcp", "headers": {"Authorization": "Bearer s3cr3t"}}
NAMES = ["claude_code", "codex", "gemini", "opencode", "command"]
LOOK = f"""#!{sys.executable}
import json, os, sys, time
home = os.environ.get('GEMINI_CLI_HOME', '')
words = [*sys.argv, *os.environ.values()] + [os.path.join(home, '.gemini', 'settings.json')] * bool(home)
files = [word for word in words if '/signalbox-' in word and os.path.isfile(word)]
seen = {{'files': files, 'texts': [open(name).read() for name in files],
        'modes': [os.stat(name).st_mode for name in files],
        'folders': [os.stat(os.path.dirname(name)).st_mode for name in files]}}
json.dump(seen, open('seen.part', 'w'))
os.rename('seen.part', 'seen')
time.sleep(600)
"""


def command_lines():
    """Every command line on the machine, as `ps` reads them."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue  # it has ended meanwhile


@pytest.mark.skipif(sys.platform != "linux", reason="command lines are read from /proc")
@pytest.mark.parametrize("name", NAMES)
async def test_what_a_program_is_told_cannot_be_read_by_others(tmp_path, name):
    for program in ("claude", "codex", "gemini", "opencode", "look"):
        (tmp_path / program).write_text(LOOK)
        (tmp_path / program).chmod(0o755)
    work = ProgramTask(
        run="run_1",
        prompt="Pr0mpt",
        instructions="1nstructions",
        tools={"signalbox": SERVER},
        options={"command": "exec look"},
    )
    agent = Agent(ADAPTERS[name](), work, tmp_path, ProcessLimits(grace=1))

    async def nothing(event):
        pass

    path = f"{tmp_path}:{os.environ['PATH']}"
    running = asyncio.create_task(agent.run(nothing, {"PATH": path, "HOME": str(tmp_path)}))
    await until(lambda: (tmp_path / "seen").exists())
    said = b"\n".join(command_lines())
    agent.stop(AgentResult.failed("seen", "CANCELLED"))
    await running
    assert not [word for word in (b"s3cr3t", b"1nstructions", b"Pr0mpt") if word in said]
    seen = json.loads((tmp_path / "seen").read_text())
    assert {stat.S_IMODE(mode) for mode in seen["modes"]} <= {0o600}
    assert {stat.S_IMODE(mode) for mode in seen["folders"]} <= {0o700}
    assert not [file for file in seen["files"] if Path(file).parent.exists()], "nothing is left behind"
    if name in ("claude_code", "gemini"):  # the others get it by their environment
        assert "s3cr3t" in "".join(seen["texts"])


async def test_a_commands_input_has_answers_only(tmp_path):
    """The example of the docs, word for word."""
    lines = DOCS.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("    read -r answer"))
    example = "\n".join(line.strip() for line in lines[at - 2 : at + 1])
    assert example.count("::signalbox") == 2

    def on(agent, event):
        if isinstance(event, QuestionRaised):
            assert agent.answer(event.key, {"0": ["yes"]})

    outcome, events = await shell(tmp_path, f'{example}\nprintf "%s\\n" "$answer"', on=on)
    assert next(event.type for event in events) == "PROGRESS"
    told = json.loads(outcome.ended.summary)
    assert (told["answer"], told["answers"]) == ("q", {"0": ["yes"]})
    promised = re.search(r"# (\{.*\})", lines[at])[1]
    assert list(json.loads(promised)) == list(told)
    assert told["text"].startswith(json.loads(promised)["text"].rstrip(" …").rstrip(":"))


@pytest.mark.parametrize(
    ("stdin", "want"), [({}, ""), ({"stdin": "prompt"}, "Do it\n"), ({"stdin": "close"}, "Do it\n")]
)
async def test_a_command_gets_its_prompt_on_its_input_only_when_it_asks(tmp_path, stdin, want):
    outcome, _ = await shell(
        tmp_path, 'timeout 1 cat > input; cat "$SIGNALBOX_PROMPT_FILE" > file; echo done', **stdin
    )
    assert outcome.ended.ok
    assert ((tmp_path / "input").read_text(), (tmp_path / "file").read_text()) == (want, "Do it")


async def test_an_input_that_there_is_not_is_named(tmp_path):
    outcome, _ = await shell(tmp_path, "true", stdin="nope")
    assert outcome.ended.code == "WORKSPACE_ERROR"
    assert outcome.ended.reason == "the option `stdin` can be answers, prompt, close, not 'nope'"


async def test_a_prompt_of_any_length_is_in_its_file(tmp_path):
    work = ProgramTask(
        run="r", prompt="p" * 3_000_000, options={"command": 'wc -c < "$SIGNALBOX_PROMPT_FILE"'}
    )

    async def nothing(event):
        pass

    outcome = await Agent(ADAPTERS["command"](), work, tmp_path, ProcessLimits(grace=1)).run(nothing)
    assert outcome.ended.summary == "3000000"


@pytest.mark.parametrize(
    "said", ['{"model": "m", // mine\n "mcpServers": {"own": {"url": "http://x"}} /* ! */}', None]
)
async def test_gemini_keeps_its_users_settings_and_sessions(tmp_path, said):
    home, folder = tmp_path / "home", tmp_path / "folder"
    (home / ".gemini").mkdir(parents=True)
    folder.mkdir()
    if said:
        (home / ".gemini" / "settings.json").write_text(said)
    (home / ".gemini" / "oauth_creds.json").write_text("mine")
    (tmp_path / "gemini").write_text("""#!/bin/sh
cd "$GEMINI_CLI_HOME/.gemini"; cat settings.json > "$OLDPWD/settings"; cat oauth_creds.json; echo s > tmp/session
""")
    (tmp_path / "gemini").chmod(0o755)

    async def nothing(event):
        pass

    work = ProgramTask(run="run_1", prompt="Do it", tools={"signalbox": SERVER})
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(home)}
    await Agent(ADAPTERS["gemini"](), work, folder, ProcessLimits(grace=1)).run(nothing, env)
    seen = json.loads((folder / "settings").read_text())
    assert set(seen["mcpServers"]) == ({"own", "signalbox"} if said else {"signalbox"})
    assert seen.get("model") == ("m" if said else None)
    assert (home / ".gemini" / "tmp" / "session").read_text() == "s\n"
    assert (home / ".gemini" / "oauth_creds.json").read_text() == "mine"
    if said:
        assert (home / ".gemini" / "settings.json").read_text() == said


async def test_settings_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").write_text("{oops")
    (tmp_path / "gemini").touch(0o755)

    async def nothing(event):
        pass

    work = ProgramTask(run="run_1", prompt="Do it", tools={"signalbox": SERVER})
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    outcome = await Agent(ADAPTERS["gemini"](), work, tmp_path, ProcessLimits(grace=1)).run(nothing, env)
    assert outcome.ended.code == "WORKSPACE_ERROR"
    assert "settings.json cannot be read" in outcome.ended.reason
