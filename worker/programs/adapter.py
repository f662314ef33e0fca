"""What an executor is: how one agent program is started, understood, answered and stopped.

An executor does no I/O. It is made anew for every process, says how to start it, is fed its lines, and keeps what
they told: `session`, `tools` that run, and `ended`: how it would end if it exited now. A program that goes on after
it was done takes that back. Bytes for the program's input gather in `outgoing`. What it does not understand becomes
OUTPUT or a WARNING, never an exception: programs change their words with every release.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from protocol.events import (
    MAX_NUMBER,
    AgentEvent,
    AgentResult,
    AgentWarning,
    OutputStream,
    OutputText,
    QuestionItem,
    QuestionOption,
    StatusChanged,
    ToolFinished,
    ToolStarted,
    ToolStatus,
)
from protocol.rows import faults_of
from protocol.text import plain

MAX_TOOL_SECONDS = 86_400  # seconds one of our tools may take: it may wait for a person
MAX_TEXT = 16_384  # characters of a tool's output
MAX_INPUT = 4_096  # characters of one value of a tool's input
MAX_LINE = 200  # characters of one line for a person
WRAP_UP = "Wrap up now: bring what you have into a working state, commit it, and end with a short summary."
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProgramTask:
    """What a run asks of an agent program."""

    run: str
    prompt: str
    session: str = ""  # the conversation to go on with
    model: str = ""
    supervised: bool = False  # a person decides what the program wants to do outside of its folder's files
    strict: bool = False  # and about these; what a program cannot ask is denied
    instructions: str = ""  # rules beside the prompt: the board's context, the agent's persona
    tools: Json = field(default_factory=dict)  # MCP servers by name: {"url": …, "headers": {…}}
    env: dict[str, str] = field(default_factory=dict, repr=False)  # what a program asks the API itself with
    options: dict[str, str] = field(default_factory=dict)  # of this executor: see docs/agents.md
    private: Path = Path()  # a folder for this process alone, for `Start.files`


@dataclass(frozen=True, kw_only=True)
class ProgramStart:
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)  # beside the worker's own
    stdin: bytes = b""
    keep_stdin: bool = False  # until the program's work ended
    files: dict[str, str] = field(default_factory=dict, repr=False)  # made in `Work.private`: name to text
    prepare: Callable[[Mapping[str, str]], None] | None = (
        None  # called with the environment, before it is started
    )


class ProgramAdapter:
    name: ClassVar[str]
    program: ClassVar[str]  # what is looked for in PATH
    asks: ClassVar[bool] = False  # can be answered while it runs; others are resumed with the answer

    def __init__(self) -> None:
        self.session = ""
        self.ended: AgentResult | None = None
        self.outgoing: list[bytes] = []
        self.tools: dict[str, str] = {}  # tools that run now, and their names
        self.background: set[str] = set()  # tasks that go on after it was done, and will wake it
        self.settle_seconds = 0.0  # of quiet after it was done before its input is closed
        self.is_shortened = False  # strings of the line that is read
        self._unknown: set[str] = set()  # kinds of lines that were warned about

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        raise NotImplementedError

    def read(self, line: str) -> list[AgentEvent]:
        """Understand one line of the program's standard output."""
        line = line.rstrip("\r\n")
        if not line.strip():
            return []
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return self.read_text(line)
        if not isinstance(said, dict):
            return self.read_text(line)
        try:
            return self._watch(self.read_json(said))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            text = f"{self.name} printed something unexpected ({_reason(error)}): {shorten(line)}"
            return [AgentWarning(text=text, code="UNREADABLE")]

    def warn_unknown(self, kind: object, line: Json) -> list[AgentEvent]:
        """One WARNING for each kind of line that this version does not know."""
        name = shorten(str(kind))
        if name in self._unknown:
            return []
        self._unknown.add(name)
        text = f"{self.name} printed an unknown kind of line, {name}: {shorten(json.dumps(line))}"
        return [AgentWarning(text=text, code="UNKNOWN_KIND")]

    def read_shortened(self, line: str) -> list[AgentEvent]:
        """Understand a line that was too long; if it is JSON, its strings are shortened."""
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            return self.read_broken(line)
        self.is_shortened = True
        try:
            return self.read(line)
        finally:
            self.is_shortened = False

    def read_broken(self, line: str) -> list[AgentEvent]:
        """Understand the beginning of a line of which nothing else is left."""
        return []

    def read_text(self, line: str) -> list[AgentEvent]:
        """A line that is no JSON: somebody printed past the protocol."""
        return [OutputText(text=f"{line}\n", item="stdout", stream=OutputStream.STDOUT, chunk=True)]

    def read_json(self, said: Json) -> list[AgentEvent]:
        raise NotImplementedError

    def finish(self, code: int, stderr: str) -> None:
        """The program exited. A program whose exit code is its only word sets `ended` here."""

    def answer(self, key: str, answers: dict[str, list[str]]) -> bytes | None:
        """Bytes that answer a question, or None: then it is stopped and resumed with `answered`."""
        return None

    def decide(self, key: str, *, allow: bool, note: str = "") -> bytes | None:
        """Bytes that decide an approval, or None when it cannot be told."""
        return None

    def conclude(self) -> bytes | None:
        """Bytes that ask for an early end, or None: then it is stopped and resumed with WRAP_UP."""
        return None

    def _watch(self, events: list[AgentEvent]) -> list[AgentEvent]:
        for event in events:
            if isinstance(event, ToolStarted):
                self.tools[event.tool] = event.name
            elif isinstance(event, ToolFinished):
                self.tools.pop(event.tool, None)
            elif isinstance(event, StatusChanged) and event.session and not event.agent:
                self.session = event.session
        return events

    def tool_ends(self, status: ToolStatus) -> list[AgentEvent]:
        """The end of tools that the program left open."""
        open, self.tools = self.tools, {}
        return [ToolFinished(tool=tool, name=name, status=status) for tool, name in open.items()]


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{path} {message}" for path, message in faults_of(error))
    return repr(error)


def answered(asks: tuple[QuestionItem, ...] | list[QuestionItem], answers: dict[str, list[str]]) -> str:
    """The prompt that goes on with a conversation whose question was answered meanwhile."""
    lines = [f"- {ask.text}\n  Answer: {', '.join(answers.get(ask.key, [])) or 'none'}" for ask in asks]
    return "\n".join(["Your questions were answered:", *lines, "Go on with your work."])


def ask_of(key: str, said: Json) -> QuestionItem:
    """A question in the shape that Claude Code, Codex and OpenCode share."""
    options = said.get("options") or []
    return QuestionItem(
        key=key,
        text=str(said.get("question") or said.get("text") or ""),
        header=str(said.get("header") or ""),
        options=tuple(
            QuestionOption(label=str(o.get("label", "")), description=str(o.get("description") or ""))
            for o in options
        ),
        multiple=bool(said.get("multiSelect") or said.get("multiple")),
    )


def bounded(value: Any, depth: int = 4) -> Any:
    """A tool's input, small enough to be an event."""
    if isinstance(value, str):
        return cut(value, MAX_INPUT)
    if isinstance(value, dict):
        few = list(value.items())[:50]
        return {str(key): bounded(one, depth - 1) for key, one in few} if depth else "…"
    if isinstance(value, list):
        return [bounded(one, depth - 1) for one in value[:50]] if depth else "…"
    if isinstance(value, bool) or value is None:
        return value
    return value if isinstance(value, int | float) and abs(value) < MAX_NUMBER else str(value)


def cut(text: str, most: int = MAX_TEXT) -> str:
    """The beginning and the end of a long text: errors stand at the end."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def shorten(text: str, most: int = MAX_LINE) -> str:
    """One line of a text."""
    line = " ".join(plain(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def title(input: Json) -> str:
    """One line that says what a tool was asked."""
    for name in ("command", "cmd", "file_path", "filePath", "path", "pattern", "query", "url", "description"):
        value = input.get(name)
        if isinstance(value, list):
            value = " ".join(map(str, value))
        if isinstance(value, str) and value:
            return shorten(value)
    return ""


def text_of(content: Any) -> str:
    """The text in what a tool gave back: a string, or a list of blocks."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(one.get("text", "")) if isinstance(one, dict) else str(one) for one in content)
    return "" if content is None else json.dumps(content, ensure_ascii=False)
