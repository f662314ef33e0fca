"""The interface of a program adapter: how one agent program is started, parsed, answered and stopped.

An adapter does no I/O. A new one is created for every process: it builds the command line, reads the output line
by line, and keeps `session`, the running `tools` and `ended`, the result if the program exited now. A program that
goes on after its result resets `ended`. Bytes for its standard input are collected in `outgoing`. Output that an
adapter does not understand becomes OUTPUT or a WARNING, never an exception, because programs change their output
in every release.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from protocol.events import (
    MAX_NUMBER,
    PERMISSION_KEY,
    AgentEvent,
    AgentResult,
    AgentWarning,
    ApprovalRequested,
    OutputStream,
    OutputText,
    QuestionItem,
    QuestionOption,
    QuestionRaised,
    StatusChanged,
    TokenUsage,
    ToolFinished,
    ToolStarted,
    ToolStatus,
)
from protocol.rows import faults_of
from protocol.text import plain

MAX_TOOL_SECONDS = 86_400  # a tool of Signalbox may wait for a person
MAX_TEXT = 16_384  # characters of a tool's output
MAX_INPUT = 4_096  # characters of one value of a tool's input
MAX_LINE = 200  # characters of a line shown to people
WRAP_UP = "Wrap up now: bring what you have into a working state, commit it, and end with a short summary."
ALLOW = "Allow"  # the positive answer to the question about a permission
COUNTED = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProgramTask:
    """The task of an agent program."""

    run: str
    prompt: str
    session: str = ""  # the session to resume; empty: a new one
    model: str = ""
    supervised: bool = False  # a person decides actions other than edits in the folder
    strict: bool = False  # a person decides edits too; without a way to ask, they are denied
    instructions: str = ""  # system instructions: the board's context, the agent's persona
    tools: Json = field(default_factory=dict)  # MCP servers by name: {"url": …, "headers": {…}}
    env: dict[str, str] = field(
        default_factory=dict, repr=False
    )  # credentials with which the program calls the API
    options: dict[str, str] = field(default_factory=dict)  # options of the program: see docs/agents.md
    private: Path = Path()  # private folder of the process, for `ProgramStart.files`


@dataclass(frozen=True, kw_only=True)
class ProgramStart:
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)  # added to the worker's environment
    stdin: bytes = b""
    keep_stdin: bool = False  # keep standard input open until the work has ended
    files: dict[str, str] = field(
        default_factory=dict, repr=False
    )  # created in `ProgramTask.private`: name to text
    prepare: Callable[[Mapping[str, str]], None] | None = None  # called with the environment before the start


class ProgramAdapter:
    name: ClassVar[str]
    program: ClassVar[str]  # executable in PATH
    asks: ClassVar[bool] = False  # takes answers while it runs; other programs are resumed with them

    def __init__(self) -> None:
        self.session = ""
        self.ended: AgentResult | None = None
        self.outgoing: list[bytes] = []
        self.tools: dict[str, str] = {}  # running tools: call id to name
        self.background: set[str] = set()  # background tasks that will resume the program after its result
        self.earlier = TokenUsage()  # usage of the resumed session before this process
        self.settle_seconds = 0.0  # quiet time after the result before its input is closed
        self.is_shortened = False  # the current line has shortened strings
        self._unknown: set[str] = set()  # unknown kinds of lines already reported

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        raise NotImplementedError

    def read(self, line: str) -> list[AgentEvent]:
        """Parse one line of standard output."""
        line = line.rstrip("\r\n")
        if not line.strip():
            return []
        try:
            payload = json.loads(line)
        except (ValueError, RecursionError):
            return self.read_text(line)
        if not isinstance(payload, dict):
            return self.read_text(line)
        try:
            return self._watch(self.read_json(payload))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            text = f"{self.name} printed something unexpected ({_reason(error)}): {shorten(line)}"
            return [AgentWarning(text=text, code="UNREADABLE")]

    def warn_unknown(self, kind: object, line: Json) -> list[AgentEvent]:
        """Return a WARNING, once for each unknown kind of line."""
        name = shorten(str(kind))
        if name in self._unknown:
            return []
        self._unknown.add(name)
        text = f"{self.name} printed an unknown kind of line, {name}: {shorten(json.dumps(line))}"
        return [AgentWarning(text=text, code="UNKNOWN_KIND")]

    def read_shortened(self, line: str) -> list[AgentEvent]:
        """Parse a line that was too long. If it is JSON, its strings are shortened."""
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
        """Parse the beginning of a line whose rest is lost."""
        return []

    def read_text(self, line: str) -> list[AgentEvent]:
        """Convert a line that is not JSON, printed outside of the protocol."""
        return [OutputText(text=f"{line}\n", item="stdout", stream=OutputStream.STDOUT, chunk=True)]

    def read_json(self, payload: Json) -> list[AgentEvent]:
        raise NotImplementedError

    def finish(self, code: int, stderr: str) -> None:
        """Handle the exit. A program that reports by its exit code only sets `ended` here."""

    def answer(self, key: str, answers: dict[str, list[str]]) -> bytes | None:
        """Return the input that answers a question, or None: then it is stopped and resumed with `answered`."""
        return None

    def decide(self, key: str, *, allow: bool, note: str = "") -> bytes | None:
        """Return the input that decides an approval, or None if the program takes none."""
        return None

    def conclude(self) -> bytes | None:
        """Return the input that asks for an early end, or None: then it is stopped and resumed with WRAP_UP."""
        return None

    def tell(self, text: str, *, interrupts: bool) -> bytes | None:
        """Return the input that gives the program a message, or None: then its session is resumed with it."""
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

    def without_earlier(self, total: TokenUsage, least: TokenUsage | None = None) -> TokenUsage:
        """Subtract the earlier usage of the session from a program's total of it.

        Returns the total as it is if that gives less than `least`: the program counts this process only.
        """
        own = {name: getattr(total, name) - getattr(self.earlier, name) for name in COUNTED}
        if min(own.values()) < 0 or (least and any(own[name] < getattr(least, name) for name in COUNTED)):
            return total
        if total.cost_usd is not None and self.earlier.cost_usd is not None:
            own["cost_usd"] = max(0.0, total.cost_usd - self.earlier.cost_usd)
        return total.model_copy(update=own)

    def tool_ends(self, status: ToolStatus) -> list[AgentEvent]:
        """Return the ends of the tools that are still running."""
        open, self.tools = self.tools, {}
        return [ToolFinished(tool=tool, name=name, status=status) for tool, name in open.items()]


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{path} {message}" for path, message in faults_of(error))
    return repr(error)


def answered(asks: tuple[QuestionItem, ...] | list[QuestionItem], answers: dict[str, list[str]]) -> str:
    """Build the prompt that resumes a session whose questions were answered."""
    lines = [f"- {ask.text}\n  Answer: {', '.join(answers.get(ask.key, [])) or 'none'}" for ask in asks]
    return "\n".join(["Your questions were answered:", *lines, "Go on with your work."])


def ask_of(key: str, payload: Json) -> QuestionItem:
    """Parse a question in the format of Claude Code, Codex and OpenCode."""
    options = payload.get("options") or []
    return QuestionItem(
        key=key,
        text=str(payload.get("question") or payload.get("text") or ""),
        header=str(payload.get("header") or ""),
        options=tuple(
            QuestionOption(label=str(o.get("label", "")), description=str(o.get("description") or ""))
            for o in options
        ),
        multiple=bool(payload.get("multiSelect") or payload.get("multiple")),
    )


def bounded(value: Any, depth: int = 4) -> Any:
    """Reduce a tool's input to the size of an event."""
    if isinstance(value, str):
        return cut(value, MAX_INPUT)
    if isinstance(value, dict):
        few = list(value.items())[:50]
        return {str(key): bounded(entry, depth - 1) for key, entry in few} if depth else "…"
    if isinstance(value, list):
        return [bounded(entry, depth - 1) for entry in value[:50]] if depth else "…"
    if isinstance(value, bool) or value is None:
        return value
    return value if isinstance(value, int | float) and abs(value) < MAX_NUMBER else str(value)


def cut(text: str, limit: int = MAX_TEXT) -> str:
    """Cut the middle out of a long text; errors stand at its end."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def shorten(text: str, limit: int = MAX_LINE) -> str:
    """Shorten a text to one line."""
    line = " ".join(plain(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def title(input: Json) -> str:
    """Return one line that describes a tool's input."""
    for name in ("command", "cmd", "file_path", "filePath", "path", "pattern", "query", "url", "description"):
        value = input.get(name)
        if isinstance(value, list):
            value = " ".join(map(str, value))
        if isinstance(value, str) and value:
            return shorten(value)
    return ""


def text_of(content: Any) -> str:
    """Return the text of a tool's result: a string, or a list of blocks."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            str(entry.get("text", "")) if isinstance(entry, dict) else str(entry) for entry in content
        )
    return "" if content is None else json.dumps(content, ensure_ascii=False)


def permission_question(approval: ApprovalRequested) -> QuestionRaised:
    """Build the question whether an agent may use a tool."""
    ask = QuestionItem(
        key=PERMISSION_KEY,
        header="Permission",
        text=f"May the agent use {approval.name or 'a tool'}? {approval.text or approval.reason}".strip(),
        options=(QuestionOption(label=ALLOW), QuestionOption(label="Deny")),
    )
    return QuestionRaised(key=approval.key, asks=(ask,))
