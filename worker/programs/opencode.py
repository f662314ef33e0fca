"""OpenCode: `opencode run --format json`, one JSON line for each finished part of a message.

Text arrives whole. A tool is reported when it has ended, so its start and end are sent together. In this mode it
denies its own question tool; questions need Signalbox's tools. An answer or a request to wrap up resumes the
session. Source: opencode-ai 1.18.33.
"""

import json
from pathlib import Path
from typing import ClassVar

from protocol.events import (
    AgentEvent,
    AgentFailure,
    AgentResult,
    AgentStatus,
    ApprovalRequested,
    DecisionState,
    FileChange,
    FileChanged,
    LifecyclePhase,
    OutputText,
    StatusChanged,
    SubagentChanged,
    ThinkingText,
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
    title,
)

KINDS = {
    "read": ToolKind.READ,
    "list": ToolKind.READ,
    "write": ToolKind.EDIT,
    "edit": ToolKind.EDIT,
    "patch": ToolKind.EDIT,
    "apply_patch": ToolKind.EDIT,
    "glob": ToolKind.SEARCH,
    "grep": ToolKind.SEARCH,
    "bash": ToolKind.EXECUTE,
    "webfetch": ToolKind.FETCH,
    "websearch": ToolKind.FETCH,
    "task": ToolKind.DELEGATE,
    "question": ToolKind.ASK,
}
TODO = {
    "pending": TodoState.PENDING,
    "in_progress": TodoState.IN_PROGRESS,
    "completed": TodoState.DONE,
    "cancelled": TodoState.CANCELLED,
}
BROKEN_OFF = ("length", "content-filter", "error")  # finish reasons of incomplete answers
REJECTED = "rejected permission"


class OpenCode(ProgramAdapter):
    name: ClassVar[str] = "opencode"
    program: ClassVar[str] = "opencode"

    def __init__(self) -> None:
        super().__init__()
        self._last = ""
        self._tokens = {"input": 0, "output": 0, "reasoning": 0, "cached": 0}
        self._cost = 0.0
        self._denied = ""

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        argv = ["opencode", "run", "--format", "json", "--thinking"]
        argv += [] if work.supervised or work.strict else ["--auto"]
        argv += ["--model", work.model] if work.model else []
        argv += ["--session", work.session] if work.session else []
        prompt = f"{work.instructions}\n\n{work.prompt}" if work.instructions else work.prompt
        # It uses PWD instead of its working directory.
        env = {"PWD": str(folder), "OPENCODE_DISABLE_AUTOUPDATE": "1"}
        if work.tools or work.supervised or work.strict or "config" in work.options:
            env["OPENCODE_CONFIG_CONTENT"] = json.dumps(_config(work))
        return ProgramStart(argv=argv, env=env, stdin=prompt.encode())

    def read_json(self, payload: Json) -> list[AgentEvent]:
        out: list[AgentEvent] = []
        if payload.get("sessionID") and not self.session:
            out.append(StatusChanged(state=AgentStatus.STARTED, session=payload["sessionID"]))
        read = getattr(self, f"on_{payload.get('type')}", None)
        return [*out, *(read(payload) if read else self.warn_unknown(payload.get("type"), payload))]

    def on_step_start(self, payload: Json) -> list[AgentEvent]:
        self.ended = None  # it continues after a tool, a compaction or an unusable answer
        return [StatusChanged(state=AgentStatus.WORKING)]

    def on_text(self, payload: Json) -> list[AgentEvent]:
        if payload["part"].get("synthetic") or payload["part"].get("ignored"):
            return []  # text of the program, not of the agent
        output = OutputText(text=payload["part"]["text"], item=payload["part"]["id"])
        self._last = output.text
        return [output]

    def on_reasoning(self, payload: Json) -> list[AgentEvent]:
        return [ThinkingText(text=payload["part"]["text"], item=payload["part"]["id"])]

    def on_tool_use(self, payload: Json) -> list[AgentEvent]:
        part = payload["part"]
        state, name, tool = part["state"], part["tool"], part["callID"]
        input, about = state.get("input") or {}, state.get("metadata") or {}
        ok = state["status"] == "completed"
        denied = REJECTED in str(state.get("error", ""))
        status = ToolStatus.SUCCEEDED if ok else ToolStatus.DENIED if denied else ToolStatus.FAILED
        kind = KINDS.get(name, ToolKind.OTHER)
        line = shorten(state.get("title") or "") or title(input)
        out: list[AgentEvent] = [
            ToolStarted(tool=tool, name=name, kind=kind, text=line, input=bounded(input))
        ]
        if name == "task":
            session = str(about.get("sessionId") or tool)
            phase = LifecyclePhase.ENDED if ok else LifecyclePhase.FAILED
            agent = str(input.get("subagent_type") or "")
            out += [
                SubagentChanged(agent=session, session=session, name=agent, tool=tool, phase=p, text=line)
                for p in (LifecyclePhase.STARTED, phase)
            ]
        if name == "todowrite" and ok:
            out.append(_todo(input.get("todos") or about.get("todos") or []))
        if denied:
            self._denied = f"{name}: {line}"
            decision = DecisionState.DENIED
            out.append(
                ApprovalRequested(key=tool, tool=tool, name=name, text=line, decision=decision, by="rule")
            )
        text = cut(str(state.get("output") if ok else state.get("error") or ""))
        code = about.get("exit") if isinstance(about.get("exit"), int) else None
        out.append(ToolFinished(tool=tool, name=name, status=status, text=text, exit_code=code))
        if ok and kind == ToolKind.EDIT and input.get("filePath"):
            out.append(_changed(name, input, about, tool))
        return out

    def on_step_finish(self, payload: Json) -> list[AgentEvent]:
        part = payload["part"]
        used = part.get("tokens") or {}
        cache = used.get("cache") or {}
        self._tokens["input"] += used.get("input", 0) + cache.get("read", 0) + cache.get("write", 0)
        self._tokens["cached"] += cache.get("read", 0)
        self._tokens["output"] += used.get("output", 0)
        self._tokens["reasoning"] += used.get("reasoning", 0)
        self._cost += part.get("cost") or 0
        usage = TokenUsage(
            input_tokens=self._tokens["input"],
            output_tokens=self._tokens["output"],
            cached_tokens=self._tokens["cached"],
            reasoning_tokens=self._tokens["reasoning"],
            cost_usd=self._cost,
            context_used=used.get("total"),
        )
        reason = part.get("reason", "")
        if reason == "tool-calls":
            return [usage]
        if reason in BROKEN_OFF:
            self.ended = AgentResult.failed(f"The model stopped: {reason}")
        else:
            self.ended = AgentResult(ok=True, summary=self._last)
        return [usage, StatusChanged(state=AgentStatus.IDLE, reason=reason)]

    def on_error(self, payload: Json) -> list[AgentEvent]:
        error = payload.get("error") or {}
        data = error.get("data") or {}
        text = shorten(f"{error.get('name')}: {data.get('message') or error.get('message') or ''}", 1000)
        retryable = bool(data.get("isRetryable")) or data.get("statusCode") in (
            408,
            429,
            500,
            502,
            503,
            504,
            529,
        )
        self.ended = AgentResult.failed(text, retryable=retryable)
        return [AgentFailure(text=text, retryable=retryable)]

    def finish(self, code: int, stderr: str) -> None:
        """Detect a lost session, reported on standard error only, and a denied action, after which it just
        exits."""
        if self.ended is None and "Session not found" in stderr:
            self.ended = AgentResult.failed("The session is lost", "SESSION_LOST", retryable=True)
        if self.ended is None and self._denied:
            self.ended = AgentResult.failed(
                f"The agent was denied permission for {self._denied}", "POLICY_VIOLATION"
            )


def _todo(todos: list[Json]) -> TodoList:
    items = [
        TodoItem(text=str(t.get("content", "")), state=TODO.get(t.get("status", ""), TodoState.PENDING))
        for t in todos
    ]
    return TodoList(items=tuple(items))


def _changed(name: str, input: Json, about: Json, tool: str) -> FileChanged:
    diff = about.get("filediff") or {}
    is_new = name == "write" and about.get("exists") is False
    return FileChanged(
        path=str(input["filePath"]),
        change=FileChange.ADD if is_new else FileChange.EDIT,
        additions=diff.get("additions"),
        deletions=diff.get("deletions"),
        tool=tool,
    )


def _config(work: ProgramTask) -> Json:
    config: Json = json.loads(work.options.get("config", "{}"))
    servers = {
        name: {
            "type": "remote",
            "enabled": True,
            "url": s["url"],
            "headers": s.get("headers") or {},
            "timeout": MAX_TOOL_SECONDS * 1000,
        }
        for name, s in work.tools.items()
    }
    if work.strict or work.supervised:  # without `strict`, edits in the folder are allowed
        restrained = (
            ("edit", "bash", "webfetch") if work.strict else ("bash", "webfetch", "external_directory")
        )
        config["permission"] = dict.fromkeys(restrained, "ask")
    return {**config, "mcp": {**config.get("mcp", {}), **servers}} if servers else config
