"""Claude Code: `claude -p` with JSON lines in both directions.

Standard input stays open: the prompt, answers, decisions and the interrupt are lines of its control protocol
(`--permission-prompt-tool stdio`, as its SDK uses it). Questions (AskUserQuestion) and permissions both arrive as
`can_use_tool` requests. Source: @anthropic-ai/claude-code 2.1.197 and the types of its SDK.
"""

import json
import re
from pathlib import Path
from typing import Any, ClassVar

from protocol.events import (
    AgentEvent,
    AgentFailure,
    AgentResult,
    AgentStatus,
    AgentWarning,
    ApprovalRequested,
    Contribution,
    DecisionState,
    FileChange,
    FileChanged,
    LifecyclePhase,
    LimitState,
    LogLevel,
    OutputText,
    ProgressReported,
    ProviderLimit,
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
from worker.programs import claude_control as control
from worker.programs.adapter import (
    MAX_TOOL_SECONDS,
    WRAP_UP,
    Json,
    ProgramAdapter,
    ProgramStart,
    ProgramTask,
    ask_of,
    bounded,
    cut,
    shorten,
    text_of,
    title,
)

KINDS = {
    "Read": ToolKind.READ,
    "Edit": ToolKind.EDIT,
    "Write": ToolKind.EDIT,
    "NotebookEdit": ToolKind.EDIT,
    "Glob": ToolKind.SEARCH,
    "Grep": ToolKind.SEARCH,
    "MultiEdit": ToolKind.EDIT,
    "LS": ToolKind.READ,
    "NotebookRead": ToolKind.READ,
    "BashOutput": ToolKind.READ,
    "TaskOutput": ToolKind.READ,
    "KillShell": ToolKind.EXECUTE,
    "KillBash": ToolKind.EXECUTE,
    "TaskStop": ToolKind.EXECUTE,
    "Bash": ToolKind.EXECUTE,
    "WebFetch": ToolKind.FETCH,
    "WebSearch": ToolKind.FETCH,
    "Task": ToolKind.DELEGATE,
    "Agent": ToolKind.DELEGATE,
    "AskUserQuestion": ToolKind.ASK,
}
TODO = {
    "pending": TodoState.PENDING,
    "in_progress": TodoState.IN_PROGRESS,
    "completed": TodoState.DONE,
    "deleted": TodoState.CANCELLED,
}
SILENT_KINDS = ("control_response", "keep_alive", "prompt_suggestion", "tool_use_summary", "queue-operation")
SILENT_SUBTYPES = (
    "files_persisted",
    "hook_progress",
    "hook_started",
    "local_command_output",
    "session_state_changed",
    "thinking_tokens",
    "elicitation_complete",
    "turn_duration",
)
SETTLE_SECONDS = 1.0  # between the end of the last background task and the turn it starts
RETRYABLE = {"rate_limit", "overloaded", "server_error", "timeout", "connection_error"}
SHELL_TASKS = ("local_bash", "bash", "shell")
INSTRUCTIONS, SERVERS = "instructions.md", "mcp.json"  # files of one process
TOO_LONG = "This is too long for Signalbox. Do it in smaller parts."
FIRST_TYPE = re.compile(r'"type"\s*:\s*"(\w+)"')
REQUEST_ID = re.compile(r'"request_id"\s*:\s*"([^"\\]+)"')
RESULT_OF = re.compile(r'"tool_use_id"\s*:\s*"([^"\\]+)"')


class ClaudeCode(ProgramAdapter):
    name: ClassVar[str] = "claude_code"
    program: ClassVar[str] = "claude"
    asks: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._supervised = False
        self._requests: dict[str, Json] = {}  # open requests
        self._message: dict[str, str] = {}  # id of the current message, by agent
        self._blocks: dict[str, int] = {}  # count of whole blocks, by message
        self._todo: dict[str, TodoItem] = {}
        self._titles: dict[str, str] = {}  # titles of tasks being created, by tool call
        self._skip = 0  # number of results of interrupted turns to skip
        self._limits: dict[str, LimitState] = {}  # the last state of each window
        self._servers: frozenset[str] = frozenset()  # names of Signalbox's MCP servers
        self._tasks: dict[str, str] = {}  # tool calls of running sub-agents, by task
        self._agents: dict[str, str] = {}  # a sub-agent's name, by the tool call that started it

    def start(self, work: ProgramTask, folder: Path) -> ProgramStart:
        self._supervised = work.supervised or work.strict
        self._servers = frozenset(work.tools)
        argv = [
            "claude",
            "-p",
            "--input-format",
            "stream-json",
            "--output-format",
            "stream-json",
            "--verbose",
        ]
        argv += ["--include-partial-messages", "--permission-prompt-tool", "stdio"]
        argv += ["--permission-mode", "acceptEdits" if work.supervised and not work.strict else "default"]
        argv += ["--model", work.model] if work.model else []
        argv += ["--resume", work.session] if work.session else []
        files: dict[str, str] = {}  # other users can read command lines
        if work.instructions:
            files[INSTRUCTIONS] = work.instructions
            argv += ["--append-system-prompt-file", str(work.private / INSTRUCTIONS)]
        if work.tools:
            servers = {name: {"type": "http", **server} for name, server in work.tools.items()}
            files[SERVERS] = json.dumps({"mcpServers": servers})
            argv += ["--mcp-config", str(work.private / SERVERS), "--strict-mcp-config"]
        env = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
        env |= {"MCP_TOOL_TIMEOUT": str(MAX_TOOL_SECONDS * 1000)} if work.tools else {}
        return ProgramStart(
            argv=argv, env=env, stdin=control.user_message(work.prompt), keep_stdin=True, files=files
        )

    def answer(self, key: str, answers: dict[str, list[str]]) -> bytes | None:
        request = self._requests.pop(key, None)
        if request is None:
            return None
        data = {
            question["question"]: ", ".join(answers.get(str(n), []))
            for n, question in enumerate(request["input"].get("questions", []))
        }
        return control.allow_request(key, {**request["input"], "answers": data})

    def decide(self, key: str, *, allow: bool, note: str = "") -> bytes | None:
        request = self._requests.pop(key, None)
        if request is None:
            return None
        if allow:
            return control.allow_request(key, request["input"])
        return control.deny_request(key, note or "A person refused this.")

    def conclude(self) -> bytes | None:
        return self.tell(WRAP_UP, interrupts=True)

    def tell(self, text: str, *, interrupts: bool) -> bytes | None:
        if self.ended:
            return None
        self._skip += interrupts
        return control.interrupt_request() * interrupts + control.user_message(text)

    def read_json(self, data: Json) -> list[AgentEvent]:
        read = getattr(self, f"on_{data.get('type')}", None)
        if read is None and data.get("type") not in SILENT_KINDS:
            return self.warn_unknown(data.get("type"), data)
        return read(data) if read else []

    def on_system(self, data: Json) -> list[AgentEvent]:
        read = getattr(self, f"system_{data.get('subtype')}", None)
        kind = data.get("subtype")
        if read is None and kind not in SILENT_SUBTYPES:
            return self.warn_unknown(f"system {kind}", data)
        return read(data) if read else []

    def system_init(self, data: Json) -> list[AgentEvent]:
        self.ended = None  # printed at the start of each turn
        if self.session == data["session_id"]:
            return []  # repeated for each message
        return [
            StatusChanged(
                state=AgentStatus.STARTED,
                session=data["session_id"],
                model=data.get("model", ""),
                mode=data.get("permissionMode", ""),
            )
        ]

    def system_status(self, data: Json) -> list[AgentEvent]:
        if data.get("compact_result") == "failed":
            return [
                _warning(
                    "COMPACTION_FAILED", "The conversation could not be compacted", data.get("compact_error")
                )
            ]
        if data.get("status") == "compacting":
            return [ProgressReported(text="Summarising the conversation")]
        if mode := data.get("permissionMode"):
            return [StatusChanged(state=AgentStatus.CHANGED, mode=mode)]
        return []

    def system_compact_boundary(self, data: Json) -> list[AgentEvent]:
        about = data.get("compact_metadata", {})
        return [
            StatusChanged(
                state=AgentStatus.COMPACTED,
                reason=about.get("trigger", ""),
                tokens_before=about.get("pre_tokens"),
                tokens_after=about.get("post_tokens"),
            )
        ]

    def on_conversation_reset(self, data: Json) -> list[AgentEvent]:
        return [StatusChanged(state=AgentStatus.RESET, session=data.get("new_conversation_id", ""))]

    def system_api_retry(self, data: Json) -> list[AgentEvent]:
        reason = f"{data.get('error')} ({data.get('error_status')})"
        text = f"Attempt {data.get('attempt')} of {data.get('max_retries')}"
        state = StatusChanged(state=AgentStatus.RETRYING, reason=reason, text=text, level=LogLevel.WARNING)
        if data.get("error") == "rate_limit" and "" not in self._limits:
            self._limits[""] = LimitState.HIT
            return [state, ProviderLimit(state=LimitState.HIT, text=reason, level=LogLevel.WARNING)]
        return [state]

    def on_rate_limit_event(self, data: Json) -> list[AgentEvent]:
        about = data["rate_limit_info"]
        states = {"allowed_warning": LimitState.NEAR, "rejected": LimitState.HIT}
        window = about.get("rateLimitType") or ""
        state = states.get(about.get("status"), LimitState.CLEARED)
        if self._limits.get(window, LimitState.CLEARED) == state:
            return []
        self._limits[window] = state
        return [
            ProviderLimit(
                state=state,
                window=window,
                resets_at=about.get("resetsAt"),
                used=about.get("utilization"),
            )
        ]

    def system_background_tasks_changed(self, data: Json) -> list[AgentEvent]:
        """Replace the set of background tasks. While one runs, the end of a turn is not final."""
        live = [task for task in data["tasks"] if not task.get("ambient")]
        self.background = {str(task.get("task_id") or task.get("id") or n) for n, task in enumerate(live)}
        self._settle()
        return []

    def _settle(self) -> None:
        if self.background:
            self.settle_seconds = SETTLE_SECONDS

    def system_task_started(self, data: Json) -> list[AgentEvent]:
        if data.get("is_backgrounded"):
            self.background.add(data["task_id"])
            self._settle()
        if data.get("task_type", "local_agent") in SHELL_TASKS:
            return []  # a command, not an agent
        call = data.get("tool_use_id") or data["task_id"]
        self._tasks[data["task_id"]] = call
        self._agents[call] = data.get("subagent_type") or data["task_id"]
        return [self._subagent(data, LifecyclePhase.STARTED)]

    def system_task_progress(self, data: Json) -> list[AgentEvent]:
        is_agent = data["task_id"] in self._tasks
        return [self._subagent(data, LifecyclePhase.PROGRESS)] if is_agent else []

    def system_task_updated(self, data: Json) -> list[AgentEvent]:
        status = (data.get("patch") or {}).get("status")
        if status not in ("killed", "failed", "stopped"):
            return []
        self.background.discard(data["task_id"])
        call = self._tasks.pop(data["task_id"], None)
        text = f"The task was {status}" if status != "failed" else "The task failed"
        about = {"description": text, **data, "tool_use_id": call}
        return [self._subagent(about, LifecyclePhase.FAILED)] if call else []

    def system_task_notification(self, data: Json) -> list[AgentEvent]:
        self.background.discard(data["task_id"])
        if self._tasks.pop(data["task_id"], None) is None:
            return []  # a command, or already ended
        return [
            self._subagent(
                data,
                LifecyclePhase.ENDED if data.get("status") == "completed" else LifecyclePhase.FAILED,
            )
        ]

    def _subagent(self, data: Json, phase: LifecyclePhase) -> SubagentChanged:
        call = data.get("tool_use_id") or data["task_id"]
        return SubagentChanged(
            agent=call,
            phase=phase,
            name=self._agents.get(call, ""),
            session=data["task_id"],
            tool=call,
            text=shorten(data.get("summary") or data.get("description") or ""),
        )

    def system_permission_denied(self, data: Json) -> list[AgentEvent]:
        return [
            ApprovalRequested(
                key=data["tool_use_id"],
                decision=DecisionState.DENIED,
                name=data["tool_name"],
                tool=data["tool_use_id"],
                reason=data.get("message", ""),
                by=data.get("decision_reason_type", "rule"),
            )
        ]

    def system_model_refusal_fallback(self, data: Json) -> list[AgentEvent]:
        model = str(data.get("fallback_model") or "")
        warning = _warning("MODEL_FALLBACK", "The model refused", data.get("content"))
        return [warning, StatusChanged(state=AgentStatus.CHANGED, model=model)]

    def system_notification(self, data: Json) -> list[AgentEvent]:
        key, text = str(data.get("key", "")), str(data.get("text", ""))
        if "error" in key or data.get("priority") == "immediate":
            return [_warning("NOTIFICATION", text)]
        return [ProgressReported(text=shorten(text))]

    def system_hook_response(self, data: Json) -> list[AgentEvent]:
        if data.get("outcome") != "error" and not data.get("exit_code"):
            return []
        words = data.get("stderr") or data.get("output") or data.get("stdout")
        return [_warning("HOOK_FAILED", f"The hook {data.get('hook_name')} failed", words)]

    def system_session_writes_lost(self, data: Json) -> list[AgentEvent]:
        return [_warning("SESSION_NOT_SAVED", "The session could not be saved", data.get("error_code"))]

    def on_auth_status(self, data: Json) -> list[AgentEvent]:
        return [_warning("AUTHENTICATION", "Authentication", data["error"])] if data.get("error") else []

    def system_informational(self, data: Json) -> list[AgentEvent]:
        if data.get("level") in ("warning", "error"):
            return [_warning("AGENT_WARNING", str(data.get("content", "")))]
        return [ProgressReported(text=shorten(str(data.get("content", ""))))]

    def on_tool_progress(self, data: Json) -> list[AgentEvent]:
        seconds = data.get("elapsed_time_seconds", 0)
        text = f"{data.get('tool_name')} has run for {seconds:.0f} s"
        return [
            ProgressReported(
                text=text, tool=data.get("tool_use_id", ""), agent=data.get("parent_tool_use_id") or ""
            )
        ]

    def on_stream_event(self, data: Json) -> list[AgentEvent]:
        event, agent = data["event"], data.get("parent_tool_use_id") or ""
        if event["type"] == "message_start":
            self._message[agent] = event["message"]["id"]
        if event["type"] != "content_block_delta":
            return []
        delta, item = event["delta"], f"{self._message.get(agent, '')}.{event['index']}"
        if delta["type"] == "text_delta":
            return [OutputText(text=delta["text"], item=item, chunk=True, agent=agent)]
        if delta["type"] == "thinking_delta":
            return [ThinkingText(text=delta["thinking"], item=item, chunk=True, agent=agent)]
        return []

    def on_assistant(self, data: Json) -> list[AgentEvent]:
        message, agent = data["message"], data.get("parent_tool_use_id") or ""
        self.ended = self.ended if agent else None
        events: list[AgentEvent] = []
        if not data.get("error") and "" in self._limits:  # the provider answers again
            del self._limits[""]
            events.append(ProviderLimit(state=LimitState.CLEARED))
        for block in message["content"]:
            count = self._blocks.get(agent + message["id"], 0)  # whole blocks come without their index
            self._blocks[agent + message["id"]] = count + 1
            events += self._block(block, f"{message['id']}.{count}", agent)
        if data.get("error"):
            code = str(data["error"])
            text = text_of(message["content"])
            events = [
                AgentFailure(text=cut(text), code=code.upper(), retryable=code in RETRYABLE, agent=agent)
            ]
        return events

    def _block(self, block: Json, item: str, agent: str) -> list[AgentEvent]:
        if block["type"] == "text":
            return [OutputText(text=block["text"], item=item, agent=agent)]
        if block["type"] == "thinking":
            return [ThinkingText(text=block["thinking"], item=item, agent=agent)] if block["thinking"] else []
        if block["type"].endswith("_tool_result"):
            return [self._server_result(block, agent)]
        if block["type"] not in ("tool_use", "server_tool_use", "mcp_tool_use"):
            kind = block["type"]
            return [] if kind == "redacted_thinking" else self.warn_unknown(f"block {kind}", block)
        name, input = block["name"], block.get("input") or {}
        tool_kind = KINDS.get(name, ToolKind.MCP if name.startswith("mcp__") else ToolKind.OTHER)
        started = ToolStarted(
            tool=block["id"], name=name, kind=tool_kind, input=bounded(input), text=title(input), agent=agent
        )
        return [started, *self._plan(block["id"], name, input, agent)]

    def _server_result(self, block: Json, agent: str) -> ToolFinished:
        """Convert the result of a tool that the provider ran."""
        content = block.get("content")
        is_error = bool(block.get("is_error")) or (isinstance(content, dict) and "error_code" in content)
        status = ToolStatus.FAILED if is_error else ToolStatus.SUCCEEDED
        tool, text = block["tool_use_id"], cut(json.dumps(content, ensure_ascii=False))
        name = self.tools.get(tool, "") or block["type"].removesuffix("_tool_result")
        return ToolFinished(tool=tool, name=name, status=status, text=text, agent=agent)

    def _plan(self, tool: str, name: str, input: Json, agent: str) -> list[AgentEvent]:
        """Convert to-do lists: older programs write whole lists, newer ones single tasks."""
        if name == "TodoWrite":
            items = [
                TodoItem(text=str(t.get("content", "")), state=TODO.get(t.get("status"), TodoState.PENDING))
                for t in input.get("todos", [])
            ]
            return [TodoList(items=tuple(items), agent=agent)]
        if name == "ExitPlanMode" and input.get("plan"):
            return [TodoList(text=cut(str(input["plan"])), agent=agent)]
        if name == "TaskCreate":
            self._titles[tool] = str(input.get("subject", ""))
        if name == "TaskUpdate" and (known := self._todo.get(str(input.get("taskId")))):
            state = TODO.get(input.get("status", ""), known.state)
            text = str(input.get("subject") or known.text)
            self._todo[known.key] = TodoItem(key=known.key, text=text, state=state)
            return [TodoList(items=tuple(self._todo.values()))]
        return []

    def on_user(self, data: Json) -> list[AgentEvent]:
        content, agent = data["message"]["content"], data.get("parent_tool_use_id") or ""
        if not isinstance(content, list):
            return []
        results = [block for block in content if block.get("type") == "tool_result"]
        out: list[AgentEvent] = []
        if data.get("isSynthetic") and "hook feedback" in (text := text_of(content)):
            out.append(_warning("HOOK_FEEDBACK", text))
        for block in results:
            out += self._tool_result(block, data.get("tool_use_result"), agent)
        return out

    def _tool_result(self, block: Json, result: Any, agent: str) -> list[AgentEvent]:
        tool, text = block["tool_use_id"], text_of(block.get("content"))
        name = self.tools.get(tool, "")
        status = ToolStatus.SUCCEEDED
        if block.get("is_error"):
            status = ToolStatus.DENIED if result == "User rejected tool use" else ToolStatus.FAILED
        out: list[AgentEvent] = [
            ToolFinished(tool=tool, name=name, status=status, text=cut(text), agent=agent)
        ]
        if status != ToolStatus.SUCCEEDED or not isinstance(result, dict):
            return out
        if name in ("Write", "Edit", "MultiEdit", "NotebookEdit") and result.get("filePath"):
            out.append(_changed(result, tool, agent))
        if name == "TaskCreate" and (task := result.get("task")):
            key = str(task.get("id"))
            self._todo[key] = TodoItem(key=key, text=self._titles.pop(tool, "") or str(task.get("subject")))
            out.append(TodoList(items=tuple(self._todo.values())))
        if made := (result.get("gitOperation") or {}).get("commit"):
            out.append(Contribution(sha=made.get("sha", ""), agent=agent))
        return out

    def read_broken(self, line: str) -> list[AgentEvent]:
        """Refuse a request, or end a tool, whose line was too long to be parsed."""
        kind = FIRST_TYPE.search(line)
        if kind and kind[1] == "control_request" and (key := REQUEST_ID.search(line)):
            self.outgoing.append(control.deny_request(key[1], TOO_LONG))
        if kind and kind[1] == "user" and (tool := RESULT_OF.search(line)):
            name = self.tools.get(tool[1], "")
            return self._watch([ToolFinished(tool=tool[1], name=name, text=TOO_LONG)])
        if kind and kind[1] == "result" and '"is_error":false' in line.replace(" ", ""):
            self.ended = AgentResult(ok=True)
        return []

    def on_control_request(self, data: Json) -> list[AgentEvent]:
        request, key = data["request"], data["request_id"]
        if self.is_shortened:
            self.outgoing.append(control.deny_request(key, TOO_LONG))
            return []
        if request["subtype"] != "can_use_tool":
            refusal = {"subtype": "error", "request_id": key, "error": "not supported by this client"}
            self.outgoing.append(control.response_line(refusal))
            return []
        name, input = request["tool_name"], request["input"]
        self._requests[key] = request
        if name == "AskUserQuestion":
            asks = tuple(ask_of(str(n), item) for n, item in enumerate(input.get("questions", [])))
            return [QuestionRaised(key=key, asks=asks)]
        if not self._supervised or self._is_ours(name):
            del self._requests[key]
            self.outgoing.append(control.allow_request(key, input))
            return []
        return [
            ApprovalRequested(
                key=key,
                name=name,
                tool=request.get("tool_use_id", ""),
                input=bounded(input),
                text=title(input),
                reason=request.get("decision_reason") or "",
            )
        ]

    def _is_ours(self, tool: str) -> bool:
        """Return whether a tool belongs to Signalbox's MCP server, which needs no permission."""
        return any(tool.startswith(f"mcp__{server}__") for server in self._servers)

    def on_control_cancel_request(self, data: Json) -> list[AgentEvent]:
        request = self._requests.pop(data["request_id"], None)
        if request is None:
            return []
        if request["tool_name"] == "AskUserQuestion":
            return [QuestionRaised(key=data["request_id"], decision=DecisionState.EXPIRED)]
        return [
            ApprovalRequested(
                key=data["request_id"], decision=DecisionState.EXPIRED, name=request["tool_name"]
            )
        ]

    def on_result(self, data: Json) -> list[AgentEvent]:
        # Some versions count a resumed session whole in `modelUsage`; `usage` has this process without sub-agents.
        usage = self.without_earlier(_usage(data), _usage({"usage": data.get("usage")}))
        if self._skip and data.get("subtype") != "success":
            self._skip -= 1
            return [usage, *self.tool_ends(ToolStatus.STOPPED)]
        self._skip = 0
        text = str(
            data.get("result") or "; ".join(data.get("errors") or []) or data.get("terminal_reason") or ""
        )
        if data.get("subtype") == "success" and not data.get("is_error"):
            self.ended = AgentResult(ok=True, summary=text)
            return [
                usage,
                StatusChanged(state=AgentStatus.IDLE, reason=data.get("terminal_reason", "completed")),
            ]
        status = data.get("api_error_status")
        retryable = status in (408, 409, 429) or (isinstance(status, int) and status >= 500)
        lost = "No conversation found" in text
        code = "SESSION_LOST" if lost else "AGENT_ERROR"
        kind = data.get("subtype")  # "success" is what it calls a provider that refused, too
        reason = shorten(text if kind == "success" else f"{kind}: {text}", 1000)
        self.ended = AgentResult.failed(reason, code, retryable=retryable or lost)
        return [usage, AgentFailure(text=reason, code=code, retryable=retryable or lost)]


def _changed(result: Json, tool: str, agent: str) -> FileChanged:
    lines = [line for hunk in result.get("structuredPatch") or [] for line in hunk.get("lines", [])]
    added = sum(line.startswith("+") for line in lines)
    if result.get("type") == "create":
        added = len(str(result.get("content", "")).splitlines())
    return FileChanged(
        path=result["filePath"],
        change=FileChange.ADD if result.get("type") == "create" else FileChange.EDIT,
        additions=added,
        deletions=sum(line.startswith("-") for line in lines),
        tool=tool,
        agent=agent,
    )


def _usage(data: Json) -> TokenUsage:
    models = data.get("modelUsage") or {}
    used = data.get("usage") or {}
    cached = sum(m.get("cacheReadInputTokens", 0) for m in models.values())
    made = sum(m.get("cacheCreationInputTokens", 0) for m in models.values())
    if not models:  # older versions
        cached, made = used.get("cache_read_input_tokens", 0), used.get("cache_creation_input_tokens", 0)
        models = {
            "": {"inputTokens": used.get("input_tokens", 0), "outputTokens": used.get("output_tokens", 0)}
        }
    first: tuple[str, Json] = next(iter(models.items()), ("", {}))
    return TokenUsage(
        input_tokens=sum(m.get("inputTokens", 0) for m in models.values()) + cached + made,
        output_tokens=sum(m.get("outputTokens", 0) for m in models.values()),
        cached_tokens=cached,
        cost_usd=data.get("total_cost_usd"),
        context_window=first[1].get("contextWindow"),
        model=first[0],
    )


def _warning(code: str, text: str, detail: object = None) -> AgentWarning:
    return AgentWarning(text=shorten(f"{text}: {detail}" if detail else text, 1000), code=code)
