"""The progress of a run, as a board shows it: how far it is, its current activity and its running tool.

Stored on the run as JSON, and derived only from the lines of its log, in order.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from protocol.events import (
    AgentEvent,
    AgentStatus,
    EventType,
    OutputText,
    ProgressReported,
    StatusChanged,
    SubagentChanged,
    ThinkingText,
    TodoList,
    TodoState,
    TokenUsage,
    ToolFinished,
    ToolStarted,
)
from protocol.text import clean

MAX_LINE_LENGTH = 200  # characters
MAX_TOOLS = 20  # running tools that are stored
MIN_INTERVAL_SECONDS = 1.0  # between two events of progress on the board

Kept = dict[str, Any]


def progressed(before: Kept | None, events: Iterable[AgentEvent], at: datetime) -> Kept:
    """Return the progress after these events."""
    now = {name: value for name, value in (before or {}).items() if name != WARNED_KEY}
    for event in events:
        if step := STEPS.get(event.type):
            now["agent"] = clean(event.agent)[:MAX_LINE_LENGTH] or None
            step(now, event, at)
    return now


def _todo(now: Kept, event: TodoList, at: datetime) -> None:
    items = [item for item in event.items if item.state is not TodoState.CANCELLED]
    now["todos_done"] = sum(item.state is TodoState.DONE for item in items)
    now["todos_total"] = len(items)
    now["task"] = next((progress_line(i.text) for i in items if i.state is TodoState.IN_PROGRESS), None)


def _started(now: Kept, event: ToolStarted, at: datetime) -> None:
    tool = {
        "id": clean(event.tool)[:MAX_LINE_LENGTH],
        "name": progress_line(event.name),
        "text": progress_line(event.text),
        "since": at.isoformat(),
    }
    others = [one for one in now.get("tools", ()) if one["id"] != tool["id"]]
    now["tools"] = [*others, tool][-MAX_TOOLS:]
    now["activity"] = tool["text"] or tool["name"]


def _finished(now: Kept, event: ToolFinished, at: datetime) -> None:
    id = clean(event.tool)[:MAX_LINE_LENGTH]
    now["tools"] = [one for one in now.get("tools", ()) if one["id"] != id]


def _progress(now: Kept, event: ProgressReported, at: datetime) -> None:
    now |= {"percent": event.percent, "step": event.step, "steps": event.steps}
    now["activity"] = progress_line(event.text) or now.get("activity")


def _status(now: Kept, event: StatusChanged, at: datetime) -> None:
    if event.agent:
        return  # the end of a sub-agent is not that of the run
    now["state"] = event.state.value
    if event.state in (AgentStatus.STARTED, AgentStatus.IDLE, AgentStatus.ENDED):
        now["tools"] = []
    if event.state in (AgentStatus.IDLE, AgentStatus.ENDED):
        now["finish_reason"] = progress_line(event.reason) or None


def _usage(now: Kept, event: TokenUsage, at: datetime) -> None:
    now |= {"input_tokens": event.input_tokens, "output_tokens": event.output_tokens}
    for name in ("cost_usd", "context_window", "context_used"):
        if getattr(event, name) is not None:
            now[name] = getattr(event, name)


def _text(now: Kept, event: OutputText | ThinkingText | SubagentChanged, at: datetime) -> None:
    now["activity"] = progress_line(event.text.rstrip().rpartition("\n")[2]) or now.get("activity")


STEPS: dict[EventType, Callable[[Kept, Any, datetime], None]] = {
    EventType.TODO: _todo,
    EventType.TOOL_STARTED: _started,
    EventType.TOOL_FINISHED: _finished,
    EventType.PROGRESS: _progress,
    EventType.STATUS: _status,
    EventType.USAGE: _usage,
    EventType.OUTPUT: _text,
    EventType.THINKING: _text,
    EventType.SUBAGENT: _text,
}


WARNED_KEY = "warned"  # people were warned of its silence; removed by its next report
HIDDEN = ("tools", "untold", WARNED_KEY)  # `untold`: changed since the last event on the board


def shown(kept: Kept | None) -> Kept:
    """Return the progress that a board shows; the newest running tool stands for all."""
    now = {name: value for name, value in (kept or {}).items() if name not in HIDDEN and value is not None}
    if tools := (kept or {}).get("tools"):
        now |= {"tool": tools[-1]["name"], "tool_text": tools[-1]["text"], "tool_since": tools[-1]["since"]}
    return now


def progress_line(text: str) -> str:
    """Return text as one line of at most MAX_LINE_LENGTH characters."""
    text = " ".join(clean(text[: 4 * MAX_LINE_LENGTH]).split())
    return text if len(text) <= MAX_LINE_LENGTH else text[: MAX_LINE_LENGTH - 1] + "…"
