"""Gemini CLI: `gemini -o stream-json`, the smallest set of events of the four programs.

Text arrives in chunks only, and thoughts are not shown. It takes no input while it works: an answer or a request to
wrap up resumes the session, which it finds in the same folder only. Source: @google/gemini-cli 0.61.0.
"""

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from protocol.events import (
    AgentEvent,
    AgentFailure,
    AgentResult,
    AgentStatus,
    AgentWarning,
    FileChange,
    FileChanged,
    OutputText,
    StatusChanged,
    TodoItem,
    TodoList,
    TodoState,
    TokenUsage,
    ToolFinished,
    ToolKind,
    ToolStarted,
    ToolStatus,
)
from worker.programs.adapter import (
    MAX_TOOL_SECONDS,
    Json,
    ProgramAdapter,
    ProgramStart,
    ProgramTask,
    bounded,
    cut,
    shorten,
    text_of,
    title,
)

KINDS = {
    "read_file": ToolKind.READ,
    "read_many_files": ToolKind.READ,
    "list_directory": ToolKind.READ,
    "write_file": ToolKind.EDIT,
    "replace": ToolKind.EDIT,
    "glob": ToolKind.SEARCH,
    "search_file_content": ToolKind.SEARCH,
    "grep_search": ToolKind.SEARCH,
    "run_shell_command": ToolKind.EXECUTE,
    "web_fetch": ToolKind.FETCH,
    "google_web_search": ToolKind.FETCH,
    "ask_user": ToolKind.ASK,
}
TODO = {
    "pending": TodoState.PENDING,
    "in_progress": TodoState.IN_PROGRESS,
    "completed": TodoState.DONE,
    "cancelled": TodoState.CANCELLED,
}
HOME, SETTINGS = ".gemini", "settings.json"
SESSION_FOLDERS = ("tmp", "history")  # folders of sessions, which must outlive the process
COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
RETRYABLE = ("429", "500", "502", "503", "504", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "fetch failed")


class Gemini(ProgramAdapter):
    name: ClassVar[str] = "gemini"
    program: ClassVar[str] = "gemini"

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0
        self._texts: list[str] = []  # text since the last tool, used as the summary
        self._inputs: dict[str, Json] = {}
        self._is_strict = False
        self._denied = ""  # the last call that was refused for want of a permission

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        self._is_strict = work.strict
        argv = ["gemini", "--output-format", "stream-json", "--skip-trust"]
        mode = "default" if work.strict else "auto_edit" if work.supervised else "yolo"
        argv += ["--approval-mode", mode]
        argv += ["--model", work.model] if work.model else []
        argv += ["--resume", work.session] if work.session else []
        prompt = f"{work.instructions}\n\n{work.prompt}" if work.instructions else work.prompt
        env = {"GEMINI_CLI_TRUST_WORKSPACE": "true", "NO_COLOR": "1"}
        if not work.tools:
            return ProgramStart(argv=argv, env=env, stdin=prompt.encode())
        env["GEMINI_CLI_HOME"] = str(work.private)
        prepare = partial(_make_home, work.private, settings(work.tools, own_key=False))
        return ProgramStart(argv=argv, env=env, stdin=prompt.encode(), prepare=prepare)

    def read_json(self, payload: Json) -> list[AgentEvent]:
        read = getattr(self, f"on_{payload.get('type')}", None)
        return read(payload) if read else self.warn_unknown(payload.get("type"), payload)

    def on_init(self, payload: Json) -> list[AgentEvent]:
        return [
            StatusChanged(
                state=AgentStatus.STARTED, session=payload["session_id"], model=payload.get("model", "")
            )
        ]

    def on_message(self, payload: Json) -> list[AgentEvent]:
        if payload.get("role") != "assistant":
            return []
        output = OutputText(
            text=payload["content"], item=f"message-{self._turn}", chunk=bool(payload.get("delta"))
        )
        self._texts.append(output.text)
        return [output]

    def on_tool_use(self, payload: Json) -> list[AgentEvent]:
        self._turn += 1
        self._texts.clear()
        name, input = payload["tool_name"], payload.get("parameters") or {}
        kind = KINDS.get(name, ToolKind.MCP if name.startswith("mcp_") else ToolKind.OTHER)
        self._inputs[payload["tool_id"]] = input
        started = ToolStarted(
            tool=payload["tool_id"], name=name, kind=kind, input=bounded(input), text=title(input)
        )
        return [started, *_todo(name, input)]

    def on_tool_result(self, payload: Json) -> list[AgentEvent]:
        tool, ok = payload["tool_id"], payload.get("status") == "success"
        name, input = self.tools.get(tool, ""), self._inputs.pop(tool, {})
        error = payload.get("error") or {}
        denied = not ok and error.get("type") in ("policy_violation", "execution_denied", "cancelled")
        status = ToolStatus.SUCCEEDED if ok else ToolStatus.DENIED if denied else ToolStatus.FAILED
        if denied and self._is_strict:
            self._denied = shorten(f"{name}: {title(input)}")
        text = cut(text_of(payload.get("output")) or str(error.get("message") or ""))
        out: list[AgentEvent] = [ToolFinished(tool=tool, name=name, status=status, text=text)]
        if ok and KINDS.get(name) == ToolKind.EDIT and input.get("file_path"):
            change = FileChange.ADD if name == "write_file" else FileChange.EDIT
            out.append(FileChanged(path=str(input["file_path"]), change=change, tool=tool))
        return out

    def on_error(self, payload: Json) -> list[AgentEvent]:
        text = shorten(str(payload.get("message", "")), 1000)
        if payload.get("severity") == "warning":
            return [AgentWarning(text=text, code="AGENT_WARNING")]
        return [AgentFailure(text=text, retryable=any(word in text for word in RETRYABLE))]

    def on_result(self, payload: Json) -> list[AgentEvent]:
        stats = payload.get("stats") or {}
        read, written = stats.get("input_tokens", 0), stats.get("output_tokens", 0)
        usage = TokenUsage(
            input_tokens=read,
            output_tokens=written,
            cached_tokens=stats.get("cached", 0),
            reasoning_tokens=max(
                0, stats.get("total_tokens", 0) - read - written
            ),  # neither read nor written
            model=next(iter(stats.get("models") or {}), ""),
        )
        if payload.get("status") == "success" and self._denied:
            text = f"The agent was denied permission for {self._denied}"
            self.ended = AgentResult.failed(text, "POLICY_VIOLATION")
            return [usage, StatusChanged(state=AgentStatus.IDLE, reason="denied")]
        if payload.get("status") == "success":
            self.ended = AgentResult(ok=True, summary="".join(self._texts))
            return [usage, StatusChanged(state=AgentStatus.IDLE, reason="completed")]
        error = payload.get("error") or {}
        text = shorten(f"{error.get('type')}: {error.get('message')}", 1000)
        self.ended = AgentResult.failed(text, retryable=any(word in text for word in RETRYABLE))
        return [usage, AgentFailure(text=text, retryable=self.ended.retryable)]

    def finish(self, code: int, stderr: str) -> None:
        """Detect a lost session, which is reported on standard error only."""
        if self.ended is None and "resuming session" in stderr:
            self.ended = AgentResult.failed("The session is lost", "SESSION_LOST", retryable=True)


def _todo(name: str, input: Json) -> list[AgentEvent]:
    if name != "write_todos":
        return []
    items = [
        TodoItem(text=str(t.get("description", "")), state=TODO.get(t.get("status"), TodoState.PENDING))
        for t in input.get("todos", [])
    ]
    return [TodoList(items=tuple(items))]


def _make_home(private: Path, ours: str, env: Mapping[str, str]) -> None:
    """Create a home for one process: links to the user's own, with Signalbox's servers added to its settings.

    The program reads servers from its settings only, and system settings from root's files only. Raises ValueError
    if the user's settings cannot be read.
    """
    theirs, home = Path(env.get("HOME", "~")).expanduser() / HOME, private / HOME
    home.mkdir(mode=0o700)
    for name in SESSION_FOLDERS:
        (theirs / name).mkdir(parents=True, exist_ok=True)
    for path in theirs.iterdir():
        if path.name != SETTINGS:
            (home / path.name).symlink_to(path)
    payload: Json = json.loads(ours)
    if (theirs / SETTINGS).exists():
        text = COMMENT.sub(lambda match: match[1] or "", (theirs / SETTINGS).read_text(encoding="utf-8"))
        try:
            own = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{theirs / SETTINGS} cannot be read: {error}") from error
        payload = {**own, "mcpServers": {**own.get("mcpServers", {}), **payload["mcpServers"]}}
    (home / SETTINGS).touch(0o600)
    (home / SETTINGS).write_text(json.dumps(payload), encoding="utf-8")


def settings(tools: Json, *, own_key: bool) -> str:
    """Return the settings file with MCP servers, which can be configured nowhere else."""
    servers = {
        name: {
            "httpUrl": server["url"],
            "headers": server.get("headers") or {},
            "trust": True,
            "timeout": MAX_TOOL_SECONDS * 1000,
        }
        for name, server in tools.items()
    }
    payload: Json = {"mcpServers": servers, "general": {"enableAutoUpdate": False}}
    payload |= {"privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False}}
    if own_key:
        payload["security"] = {"auth": {"selectedType": "gemini-api-key"}}
    return json.dumps(payload)
