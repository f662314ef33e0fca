"""Codex: `codex exec --json`, one JSON line for each thread, turn and item.

Text arrives whole, not in chunks. It takes no input while it works: an answer or a request to wrap up resumes the
thread. Source: @openai/codex 0.169.0 and the types of its SDK.
"""

import json
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
    LifecyclePhase,
    OutputStream,
    OutputText,
    QuestionRaised,
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
    ask_of,
    bounded,
    cut,
    shorten,
    text_of,
)

CHANGES = {"add": FileChange.ADD, "update": FileChange.EDIT, "delete": FileChange.DELETE}
STATUS = {
    "completed": ToolStatus.SUCCEEDED,
    "failed": ToolStatus.FAILED,
    "declined": ToolStatus.DENIED,
}
RETRYABLE = (
    "429",
    "500",
    "502",
    "503",
    "504",
    "overloaded",
    "rate limit",
    "stream disconnected",
    "timed out",
)


class Codex(ProgramAdapter):
    name: ClassVar[str] = "codex"
    program: ClassVar[str] = "codex"

    def __init__(self) -> None:
        super().__init__()
        self._last = ""  # its last message, used as the summary
        self._outputs: dict[str, int] = {}  # characters already reported, by running command
        self._denied = ""  # the last call that was refused for want of a permission
        self._is_strict = False

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        self._is_strict = work.strict
        argv = ["codex", "exec"]
        for name, value in {**_settings(work), **_tools(work.tools)}.items():
            argv += ["-c", f"{name}={value}"]
        sandbox = "read-only" if work.strict else work.options.get("sandbox", "workspace-write")
        argv += ["--json", "--skip-git-repo-check", "--sandbox", sandbox, "--cd", str(folder)]
        argv += ["--model", work.model] if work.model else []
        argv += ["resume", work.session] if work.session else []
        prompt = f"{work.instructions}\n\n{work.prompt}" if work.instructions else work.prompt
        env = {server_key(name): _bearer(server) for name, server in work.tools.items()}
        return ProgramStart(argv=[*argv, "-"], env=env, stdin=prompt.encode())

    def read_json(self, payload: Json) -> list[AgentEvent]:
        kind = payload.get("type", "")
        if kind == "thread.started":
            return [StatusChanged(state=AgentStatus.STARTED, session=payload["thread_id"])]
        if kind == "turn.started":
            self.ended = None
            return [StatusChanged(state=AgentStatus.WORKING)]
        if kind == "turn.completed":
            self.ended = self._judge()
            return [
                self.without_earlier(_usage(payload.get("usage") or {})),  # of the whole session
                StatusChanged(state=AgentStatus.IDLE, reason="completed"),
            ]
        if kind == "turn.failed":
            return [self._failed(str(payload["error"].get("message", "")))]
        if kind == "error":
            return self._error(str(payload.get("message", "")))
        if kind == "request_user_input":
            asks = tuple(ask_of(str(q.get("id") or n), q) for n, q in enumerate(payload.get("questions", [])))
            return [QuestionRaised(key=payload["call_id"], asks=asks)]
        if kind.startswith("item.") and "item" in payload:
            return self._item(kind.removeprefix("item."), payload["item"])
        return self.warn_unknown(kind or ("msg" if "msg" in payload else "no type"), payload)

    def finish(self, code: int, stderr: str) -> None:
        """Detect a lost session, which is reported on standard error only."""
        if self.ended is None and "no rollout found" in stderr:
            self.ended = AgentResult.failed("The session is lost", "SESSION_LOST", retryable=True)

    def _judge(self) -> AgentResult:
        """Decide a completed turn. It cannot ask people, so a refused call means unfinished work."""
        if self._denied:
            return AgentResult.failed(
                f"The agent was denied permission for {self._denied}", "POLICY_VIOLATION"
            )
        return AgentResult(ok=True, summary=self._last)

    def _error(self, text: str) -> list[AgentEvent]:
        """Ignore errors that announce a retry; a final failure also sends turn.failed."""
        if text.startswith("Reconnecting"):
            return [StatusChanged(state=AgentStatus.RETRYING, reason=shorten(text, 500))]
        return [AgentWarning(text=shorten(text, 1000), code="AGENT_WARNING")]

    def _failed(self, text: str) -> AgentFailure:
        retryable = any(word in text.lower() for word in RETRYABLE)
        self.ended = AgentResult.failed(shorten(text, 1000), retryable=retryable)
        return AgentFailure(text=shorten(text, 1000), retryable=retryable)

    def _item(self, stage: str, item: Json) -> list[AgentEvent]:
        kind = item.get("type")
        if kind is None and "item_type" in item:
            return self.warn_unknown("item_type", item)  # from a version that is too old
        read = getattr(self, f"on_{kind}", None)
        return read(stage, item) if read else self.warn_unknown(f"item {kind}", item)

    def on_agent_message(self, stage: str, item: Json) -> list[AgentEvent]:
        if stage != "completed":
            return []
        output = OutputText(text=item["text"], item=item["id"])
        self._last = output.text
        return [output]

    def on_reasoning(self, stage: str, item: Json) -> list[AgentEvent]:
        return [ThinkingText(text=item["text"], item=item["id"])] if stage == "completed" else []

    def on_plan(self, stage: str, item: Json) -> list[AgentEvent]:
        return [TodoList(text=cut(item["text"]))] if stage == "completed" else []

    def on_error(self, stage: str, item: Json) -> list[AgentEvent]:
        return [AgentWarning(text=shorten(item["message"], 1000), code="AGENT_WARNING")]

    def on_todo_list(self, stage: str, item: Json) -> list[AgentEvent]:
        items = [
            TodoItem(text=t["text"], state=TodoState.DONE if t.get("completed") else TodoState.PENDING)
            for t in item["items"]
        ]
        return [TodoList(items=tuple(items))]

    def on_command_execution(self, stage: str, item: Json) -> list[AgentEvent]:
        if stage == "started":
            command = item["command"]
            return [self._tool(item, "shell", ToolKind.EXECUTE, command, {"command": command})]
        if stage == "updated":
            return self._command_output(item)
        return [self._done(item, item.get("aggregated_output") or "", item.get("exit_code"))]

    def _command_output(self, item: Json) -> list[AgentEvent]:
        """Return a command's output since its last update. Each update repeats the whole output."""
        output, reported = item.get("aggregated_output") or "", self._outputs.get(item["id"], 0)
        if len(output) <= reported:
            return []
        self._outputs[item["id"]] = len(output)
        text = cut(output[reported:])
        stream = OutputStream.STDOUT
        return [OutputText(text=text, item=item["id"], chunk=True, tool=item["id"], stream=stream)]

    def on_file_change(self, stage: str, item: Json) -> list[AgentEvent]:
        paths = ", ".join(change["path"] for change in item["changes"])
        started = self._tool(item, "apply_patch", ToolKind.EDIT, paths, {})
        if stage == "started":
            return [started]
        out: list[AgentEvent] = [] if item["id"] in self.tools else [started]
        out.append(self._done(item, ""))
        if item.get("status") == "completed":
            out += [
                FileChanged(
                    path=c["path"], change=CHANGES.get(c.get("kind"), FileChange.EDIT), tool=item["id"]
                )
                for c in item["changes"]
            ]
        return out

    def on_mcp_tool_call(self, stage: str, item: Json) -> list[AgentEvent]:
        if stage == "started":
            input = item.get("arguments")
            name = f"{item['server']}.{item['tool']}"
            return [self._tool(item, name, ToolKind.MCP, "", input if isinstance(input, dict) else {})]
        if stage != "completed":
            return []
        failed = (item.get("error") or {}).get("message")
        return [self._done(item, failed or text_of((item.get("result") or {}).get("content")))]

    def on_web_search(self, stage: str, item: Json) -> list[AgentEvent]:
        if stage == "started":
            return [self._tool(item, "web_search", ToolKind.FETCH, item.get("query", ""), {})]
        return [self._done({"status": "completed", **item}, item.get("query", ""))]

    def on_collab_tool_call(self, stage: str, item: Json) -> list[AgentEvent]:
        """Convert sub-agents. They are threads of their own; only their start and end are reported."""
        phase = LifecyclePhase.STARTED if stage == "started" else LifecyclePhase.PROGRESS
        states = item.get("agents_states") or {}
        ended = {
            "completed": LifecyclePhase.ENDED,
            "errored": LifecyclePhase.FAILED,
            "shutdown": LifecyclePhase.ENDED,
        }
        name, text = str(item.get("tool", "")), str(item.get("prompt") or "")
        out: list[AgentEvent] = []
        is_begun = item["id"] in self.tools
        if not is_begun and (stage == "started" or not item.get("receiver_thread_ids")):
            out.append(self._tool(item, name, ToolKind.DELEGATE, text, {}))
            is_begun = True
        out += [
            SubagentChanged(
                agent=thread,
                session=thread,
                tool=item["id"],
                name=str(item.get("tool", "")),
                phase=ended.get((states.get(thread) or {}).get("status", ""), phase),
                text=shorten((states.get(thread) or {}).get("message") or item.get("prompt") or ""),
            )
            for thread in item.get("receiver_thread_ids", [])
        ]
        return [*out, self._done(item, "")] if stage == "completed" and is_begun else out

    def _tool(self, item: Json, name: str, kind: ToolKind, text: str, input: Json) -> ToolStarted:
        return ToolStarted(tool=item["id"], name=name, kind=kind, text=shorten(text), input=bounded(input))

    def _done(self, item: Json, text: str, exit_code: int | None = None) -> ToolFinished:
        name = self.tools.get(item["id"], "") or str(item.get("type", ""))
        is_refused = item.get("status") == "declined" or (
            item.get("type") == "file_change" and item.get("status") == "failed"
        )
        if is_refused and self._is_strict:
            self._denied = shorten(f"{name}: {item.get('command') or text}")
        return ToolFinished(
            tool=item["id"],
            name=self.tools.get(item["id"], ""),
            status=STATUS.get(item.get("status", ""), ToolStatus.FAILED),
            text=cut(text),
            exit_code=exit_code,
        )


def _usage(used: Json) -> TokenUsage:
    return TokenUsage(
        input_tokens=used.get("input_tokens", 0),
        output_tokens=used.get("output_tokens", 0),
        cached_tokens=used.get("cached_input_tokens", 0),
        reasoning_tokens=used.get("reasoning_output_tokens", 0),
    )


def _settings(work: ProgramTask) -> dict[str, str]:
    """Pass on options named `config.<name>`; `provider_url` sets another model server."""
    given = {
        name.removeprefix("config."): value
        for name, value in work.options.items()
        if name.startswith("config.")
    }
    settings = {"approval_policy": '"never"', **given}
    if url := work.options.get("provider_url"):
        key = work.options.get("provider_key", "OPENAI_API_KEY")
        provider = {"name": '"own"', "base_url": json.dumps(url), "env_key": json.dumps(key)}
        settings |= {f"model_providers.own.{name}": value for name, value in provider.items()}
        settings |= {"model_providers.own.wire_api": '"responses"', "model_provider": '"own"'}
    return settings


def server_key(name: str) -> str:
    return f"SIGNALBOX_TOOLS_{name.upper()}_KEY"


def _bearer(server: Json) -> str:
    return str((server.get("headers") or {}).get("Authorization", "")).removeprefix("Bearer ")


def _tools(tools: Json) -> dict[str, str]:
    """Configure MCP servers. The key is passed in the environment, which other users cannot read."""
    out: dict[str, str] = {}
    for name, server in tools.items():
        out[f"mcp_servers.{name}.url"] = json.dumps(server["url"])
        out[f"mcp_servers.{name}.bearer_token_env_var"] = json.dumps(server_key(name))
        out[f"mcp_servers.{name}.tool_timeout_sec"] = str(MAX_TOOL_SECONDS)
    return out
