"""The little that a board shows of a run: how far it is, what it works on, and what it waits for.

Kept on the run as JSON, and derived from nothing but the lines of its log, in their order.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from runtime.vocabulary import (
    Event,
    Output,
    Progress,
    State,
    Status,
    Subagent,
    Thinking,
    Todo,
    TodoState,
    ToolFinished,
    ToolStarted,
    Type,
    Usage,
    clean,
)

LINE = 200  # characters of one line
MOST_TOOLS = 20  # that run at once and are remembered
TOLD = 1.0  # seconds between two times that a board is told

Kept = dict[str, Any]


def progressed(before: Kept | None, events: Iterable[Event], at: datetime) -> Kept:
    """What is to be shown after these events."""
    now = {name: value for name, value in (before or {}).items() if name != WARNED}
    for event in events:
        if step := STEPS.get(event.type):
            now["agent"] = clean(event.agent)[:LINE] or None
            step(now, event, at)
    return now


def _todo(now: Kept, event: Todo, at: datetime) -> None:
    items = [item for item in event.items if item.state is not TodoState.CANCELLED]
    now["todos_done"] = sum(item.state is TodoState.DONE for item in items)
    now["todos_total"] = len(items)
    now["task"] = next((line(i.text) for i in items if i.state is TodoState.IN_PROGRESS), None)


def _started(now: Kept, event: ToolStarted, at: datetime) -> None:
    tool = {
        "id": clean(event.tool)[:LINE],
        "name": line(event.name),
        "text": line(event.text),
        "since": at.isoformat(),
    }
    others = [one for one in now.get("tools", ()) if one["id"] != tool["id"]]
    now["tools"] = [*others, tool][-MOST_TOOLS:]
    now["activity"] = tool["text"] or tool["name"]


def _finished(now: Kept, event: ToolFinished, at: datetime) -> None:
    id = clean(event.tool)[:LINE]
    now["tools"] = [one for one in now.get("tools", ()) if one["id"] != id]


def _progress(now: Kept, event: Progress, at: datetime) -> None:
    now |= {"percent": event.percent, "step": event.step, "steps": event.steps}
    now["activity"] = line(event.text) or now.get("activity")


def _status(now: Kept, event: Status, at: datetime) -> None:
    if event.agent:
        return  # a sub-agent's end is not the run's
    now["state"] = event.state.value
    if event.state in (State.STARTED, State.IDLE, State.ENDED):
        now["tools"] = []
    if event.state in (State.IDLE, State.ENDED):
        now["finish_reason"] = line(event.reason) or None


def _usage(now: Kept, event: Usage, at: datetime) -> None:
    now |= {"input_tokens": event.input_tokens, "output_tokens": event.output_tokens}
    for name in ("cost_usd", "context_window", "context_used"):
        if getattr(event, name) is not None:
            now[name] = getattr(event, name)


def _text(now: Kept, event: Output | Thinking | Subagent, at: datetime) -> None:
    now["activity"] = line(event.text.rstrip().rpartition("\n")[2]) or now.get("activity")


STEPS: dict[Type, Callable[[Kept, Any, datetime], None]] = {
    Type.TODO: _todo,
    Type.TOOL_STARTED: _started,
    Type.TOOL_FINISHED: _finished,
    Type.PROGRESS: _progress,
    Type.STATUS: _status,
    Type.USAGE: _usage,
    Type.OUTPUT: _text,
    Type.THINKING: _text,
    Type.SUBAGENT: _text,
}


WARNED = "warned"  # people were told that it says nothing; gone as soon as it says something
HIDDEN = ("tools", "untold", WARNED)  # `untold`: it changed since the board was told


def shown(kept: Kept | None) -> Kept:
    """What a board is told: the tool that was started last stands for those that run."""
    now = {name: value for name, value in (kept or {}).items() if name not in HIDDEN and value is not None}
    if tools := (kept or {}).get("tools"):
        now |= {"tool": tools[-1]["name"], "tool_text": tools[-1]["text"], "tool_since": tools[-1]["since"]}
    return now


def line(text: str) -> str:
    """One line of text, cut off where it is long."""
    text = " ".join(clean(text[: 4 * LINE]).split())
    return text if len(text) <= LINE else text[: LINE - 1] + "…"
