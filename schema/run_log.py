"""The log of a run: an object type for each type of event, the items of its feed, and its operations."""

from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry
from pydantic_core import PydanticUndefined
from strawberry import ID
from strawberry.scalars import JSON

import actions.report
from auth.permissions import Access
from kit.eventlog.event_log import START, Cursor
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import apply_descriptions
from models.run import FailureCode, RunOutcome, RunStatus
from protocol.events import (
    EVENTS,
    AgentStatus,
    ContributionKind,
    DecisionState,
    EventType,
    FileChange,
    LifecyclePhase,
    LimitState,
    LogLevel,
    OutputStream,
    PromptOrigin,
    TodoState,
    ToolKind,
    ToolStatus,
)
from resolvers import replay as replays
from resolvers import run_log as logs
from schema.fields import mutation, query_field, result_type, subscription
from schema.page import Connection
from schema.refusal import Conflict, LeaseLost


def _cursor(root: Any) -> str:
    return str(Cursor(root.epoch, root.seq)) if root.epoch else START


@strawberry.interface(
    description="An item of a run's feed: a line of its log, a chunk of open text, or the end."
)
class RunFeedItem:
    seq: int = strawberry.field(
        description="For a line, its number, without gaps; else the number of the last line."
    )
    cursor: str = strawberry.field(
        resolver=_cursor, description="Pass it as `after` to continue after this item."
    )
    at: datetime = strawberry.field(description="When the server received it.")


def _type(root: Any) -> EventType:
    return EventType(root.type)


def _level(root: Any) -> LogLevel:
    return LogLevel(root.level)


@strawberry.interface(description="A line of the log of a run.")
class RunLine(RunFeedItem):
    type: EventType = strawberry.field(resolver=_type, description="The type.")
    level: LogLevel = strawberry.field(resolver=_level, description="The level.")
    attempt: int = strawberry.field(description="The attempt.")
    agent: str | None = strawberry.field(description="The sub-agent; null: the main agent.")
    text: str = strawberry.field(description="The text.")


# The defaults of absent fields, by type and name.
SILENT: dict[EventType, dict[str, Any]] = {
    kind: {name: field.default for name, field in event.model_fields.items()}
    for kind, event in EVENTS.items()
}


MAX_INT = 2**31 - 1  # of GraphQL's Int; programs may report more


def line_field(name: str, text: str, kind: Callable[[Any], Any] | None = None, *, empty: Any = None) -> Any:
    """Make a field of a line that reads `name` of its event; `empty` is the value for empty text."""

    def resolve(root: Any) -> Any:
        value = root.data.get(name)
        if value is None:
            value = SILENT[root.type].get(name)
        if value in ("", None, PydanticUndefined):
            return empty
        if kind is not None:
            return kind(value)
        return max(-MAX_INT, min(value, MAX_INT)) if isinstance(value, int) else value

    return strawberry.field(resolver=resolve, description=text)


def line_list_field(name: str, text: str, size: int) -> Any:
    """Make a field of a line that reads a list of objects."""

    def resolve(root: Any) -> Any:
        return root.data.get(name, [])

    return strawberry.field(resolver=resolve, description=text, directives=[list_size(size, slicing=())])


def has_field(name: str, text: str, default: Any = None) -> Any:
    """Make a field of an object in such a list."""

    def resolve(root: Any) -> Any:
        return root.get(name, default)

    return strawberry.field(resolver=resolve, description=text)


ITEMS: list[type] = []  # the types of all items


def _is_line(value: Any) -> bool:
    return not isinstance(value, logs.Chunk | logs.RunLogEnd)


def line(kind: EventType) -> Any:
    """Make the object type of one type of event. Its values are rows of the log."""

    def wrap(cls: Any) -> Any:
        cls.is_type_of = classmethod(lambda cls, value, info: _is_line(value) and value.type == kind)
        apply_descriptions(cls)
        made = strawberry.type(cls, description=cls.__doc__)
        ITEMS.append(made)
        return made

    return wrap


TOOL = "The tool call that it belongs to."
AGENT = "The sub-agent; null: the main agent."
ITEM = "Key of the text that it is a part of."
PART = (
    "Number of the part of the item, from 0. A second part 0 replaces the item: the program corrected itself."
)


@line(EventType.STATUS)
class RunStatusLine(RunLine):
    """The agent program changed its state."""

    state: AgentStatus = line_field("state", "The state.", AgentStatus)
    reason: str | None = line_field("reason", "The reason.")
    session: str | None = line_field("session", "The program's own id of the conversation.")
    model: str | None = line_field("model", "The model.")
    mode: str | None = line_field("mode", "The mode.")
    tokens_before: float | None = line_field(
        "tokens_before", "Tokens in its context before; null if unknown.", float
    )
    tokens_after: float | None = line_field(
        "tokens_after", "Tokens in its context after; null if unknown.", float
    )


@line(EventType.PROMPT)
class RunPrompt(RunLine):
    """A prompt for the agent."""

    origin: PromptOrigin = line_field("origin", "The origin of the prompt.", PromptOrigin)


@line(EventType.OUTPUT)
class RunOutput(RunLine):
    """Output of the agent or of a command. The parts of an item, concatenated, are its text."""

    item: str = line_field("item", ITEM, empty="")
    part: int = line_field("part", PART)
    stream: OutputStream | None = line_field("stream", "The stream.", OutputStream)
    tool: str | None = line_field("tool", TOOL)


@line(EventType.THINKING)
class RunThinking(RunLine):
    """Thinking of the agent."""

    item: str = line_field("item", ITEM, empty="")
    part: int = line_field("part", PART)


@line(EventType.TOOL_STARTED)
class RunToolStarted(RunLine):
    """A tool call started. The text is one line for people: the command, the path, the question."""

    tool: str | None = line_field("tool", "Id of the tool call.")
    name: str | None = line_field("name", "The tool.")
    kind: ToolKind = line_field("kind", "The kind of tool.", ToolKind)
    input: JSON = strawberry.field(resolver=lambda root: root.data.get("input", {}), description="The input.")


@line(EventType.TOOL_FINISHED)
class RunToolFinished(RunLine):
    """A tool call finished. The text is its output, truncated at the end."""

    tool: str | None = line_field("tool", "Id of the tool call.")
    name: str | None = line_field("name", "The tool.")
    result: ToolStatus = line_field("status", "The outcome.", ToolStatus)
    exit_code: int | None = line_field("exit_code", "Exit code of a command.")


@line(EventType.FILE)
class RunFileChanged(RunLine):
    """A file was changed. `files` of the run has the final changes."""

    path: str = line_field("path", "The path.", empty="")
    change: FileChange = line_field("change", "The change.", FileChange)
    moved_from: str | None = line_field("moved_from", "The path before.")
    additions: int | None = line_field("additions", "Number of lines added.")
    deletions: int | None = line_field("deletions", "Number of lines deleted.")
    tool: str | None = line_field("tool", TOOL)


@line(EventType.DIFF)
class RunDiff(RunLine):
    """The changes so far were counted. `diff` of the run has them."""

    file_count: int = line_field("files", "Number of changed files.")
    addition_count: int = line_field("additions", "Number of lines added.")
    deletion_count: int = line_field("deletions", "Number of lines deleted.")


@strawberry.type(description="An item of an agent's to-do list.")
class RunTodoItem:
    text: str = has_field("text", "The task.", "")
    state: TodoState = strawberry.field(
        resolver=lambda root: TodoState(root.get("state", TodoState.PENDING)), description="The state."
    )
    key: str = has_field("key", "The program's own id of it; may be empty.", "")


@line(EventType.TODO)
class RunTodo(RunLine):
    """The whole to-do list of the agent. The text is a plan in prose."""

    items: list[RunTodoItem] = line_list_field("items", "The items, in order.", 10)


@line(EventType.PROGRESS)
class RunProgressLine(RunLine):
    """Progress of an activity. The text is one line."""

    percent: float | None = line_field("percent", "The completed share, in percent.")
    step: int | None = line_field("step", "Number of the current step.")
    steps: int | None = line_field("steps", "Number of steps.")
    tool: str | None = line_field("tool", TOOL)


@line(EventType.COMMIT)
class RunCommitLine(RunLine):
    """A lasting contribution, such as a commit. The text is its title."""

    what: ContributionKind = line_field("what", "The kind of contribution.", ContributionKind)
    sha: str | None = line_field("sha", "Id of a commit.")
    url: str | None = line_field("url", "The URL.")
    files: int | None = line_field("files", "Number of files changed.")
    additions: int | None = line_field("additions", "Number of lines added.")
    deletions: int | None = line_field("deletions", "Number of lines deleted.")


@line(EventType.SUBAGENT)
class RunSubagent(RunLine):
    """A sub-agent starts, continues or ends."""

    phase: LifecyclePhase = line_field("phase", "The phase.", LifecyclePhase)
    name: str | None = line_field("name", "The name.")
    session: str | None = line_field("session", "The program's own id of its conversation.")
    tool: str | None = line_field("tool", TOOL)


@strawberry.type(description="An option of a question.")
class RunAskOption:
    label: str = has_field("label", "The option.", "")
    description: str = has_field("description", "The meaning of the option.", "")


@strawberry.type(description="One of several questions that are asked together.")
class RunAsk:
    key: str = has_field("key", "Key of the question in the answer.", "")
    text: str = has_field("text", "The question.", "")
    header: str = has_field("header", "A title of a word or two.", "")
    multiple: bool = has_field("multiple", "Whether several options may be chosen.", False)
    other: bool = has_field("other", "Whether other text is accepted.", True)
    options: list[RunAskOption] = strawberry.field(
        resolver=lambda root: root.get("options", []),
        description="The options.",
        directives=[list_size(4, slicing=())],
    )


@line(EventType.QUESTION)
class RunQuestion(RunLine):
    """Questions to people: once when asked together, and once for each when closed, with the answer as the text."""

    key: str = line_field("key", "Key of the questions that are asked together.", empty="")
    decision: DecisionState = line_field("decision", "The state of the decision.", DecisionState)
    blocking: bool = line_field("blocking", "Whether the agent waits for the answer.")
    asks: list[RunAsk] = line_list_field("asks", "The questions.", 2)


@line(EventType.APPROVAL)
class RunApproval(RunLine):
    """A request for permission. The text is one line for people."""

    key: str = line_field("key", "Key of the request.", empty="")
    decision: DecisionState = line_field("decision", "The state of the decision.", DecisionState)
    name: str | None = line_field("name", "The tool.")
    tool: str | None = line_field("tool", TOOL)
    input: JSON = strawberry.field(
        resolver=lambda root: root.data.get("input", {}), description="The input of the tool."
    )
    reason: str | None = line_field("reason", "The reason for the decision.")
    by: str | None = line_field("by", "The person or rule that decided.")


@line(EventType.KNOWLEDGE)
class RunKnowledge(RunLine):
    """A piece of knowledge. The text states it."""

    topic: str | None = line_field("kind", "The kind of knowledge: FACT, or the agent's own term.")
    evidence: str | None = line_field("evidence", "The evidence.")


@line(EventType.USAGE)
class RunUsage(RunLine):
    """Tokens and cost of this process in total, not since the last line."""

    input_tokens: float = line_field("input_tokens", "Tokens read, including cached ones.", float)
    output_tokens: float = line_field("output_tokens", "Tokens written.", float)
    cached_tokens: float = line_field("cached_tokens", "Tokens read from the provider's cache.", float)
    reasoning_tokens: float = line_field("reasoning_tokens", "Tokens of reasoning.", float)
    cost_usd: float | None = line_field("cost_usd", "Cost in US dollars, if the program reports it.")
    context_window: float | None = line_field("context_window", "Size of its context, in tokens.", float)
    context_used: float | None = line_field("context_used", "Tokens in its context.", float)
    model: str | None = line_field("model", "The model.")


@line(EventType.LIMIT)
class RunLimit(RunLine):
    """A rate limit of the model's provider."""

    limit: LimitState = line_field("state", "The state of the limit.", LimitState)
    window: str | None = line_field("window", "The time window, in the provider's own term.")
    resets_at: float | None = line_field("resets_at", "When it is reset, in seconds since 1970.")
    used: float | None = line_field("used", "The used share, 0 to 1.")


@line(EventType.WARNING)
class RunWarning(RunLine):
    """A warning."""

    code: str | None = line_field("code", "The kind, for programs.")


@line(EventType.ERROR)
class RunError(RunLine):
    """An error."""

    code: str | None = line_field("code", "The kind, for programs.")
    retryable: bool = line_field("retryable", "Whether a retry may help.")


@line(EventType.ATTEMPT)
class RunAttempt(RunLine):
    """An attempt starts or ends."""

    number: int = line_field("number", "The number of the attempt.")
    phase: LifecyclePhase = line_field("phase", "The phase.", LifecyclePhase)
    reason: str | None = line_field("reason", "The reason.")


@result_type(logs.Chunk)
class RunChunk(RunFeedItem):
    """A chunk of open text, which is not stored yet. It has no number: its `seq` is that of the last line.

    Append `text` to the first `offset` characters (Unicode code points) of this item's part. The line that stores
    the part has all of its text. Discard open text when a new attempt starts.
    """

    type: Annotated[EventType, "OUTPUT or THINKING."]
    agent: Annotated[str | None, AGENT]
    attempt: Annotated[int, "The attempt."]
    item: Annotated[str, ITEM]
    part: Annotated[int, PART]
    offset: Annotated[int, "Number of characters of the part before this chunk."]
    text: Annotated[str, "The text of the chunk."]
    stream: OutputStream | None = strawberry.field(
        resolver=lambda root: OutputStream(root.stream) if root.stream else None,
        description="The stream.",
    )
    tool: Annotated[str | None, TOOL]


@result_type(logs.RunLogEnd)
class RunEnded(RunFeedItem):
    """The end of the run, at `at`, and of its feed."""

    status: Annotated[RunStatus, "The final status."]
    outcome: Annotated[RunOutcome | None, "Whether anything was changed."]
    summary: Annotated[str | None, "Summary of the work, by the agent."]
    failure_code: Annotated[FailureCode | None, "The cause of its failure."]
    reason: Annotated[str | None, "The cause for people; or the reason it was stopped."]


ITEMS += [RunChunk, RunEnded]


@strawberry.type(description="Statistics of one agent of a run.")
class RunAgent:
    agent: str | None = strawberry.field(description=AGENT)
    count: int = strawberry.field(description="Number of its lines.")
    first_at: datetime = strawberry.field(description="Time of its first line.")
    last_at: datetime = strawberry.field(description="Time of its last line.")


@strawberry.type(description="The fields of a run about its log.")
class RunLog:
    """`Run` inherits these fields."""

    events: Connection[RunLine] = query_field(logs.events_of_run, directives=[list_size(50)])
    agents: list[RunAgent] = query_field(logs.agents_of_run, directives=[list_size(3, slicing=())])
    seq: int = query_field(logs.seq_of_run)
    cursor: str = query_field(logs.cursor_of_run)


@result_type(actions.report.Reported)
class RunReported:
    """The result of a report."""

    run_id: Annotated[ID, "The run."]
    last_seq: Annotated[int, "Number of the last line of its log, including this report."]
    duplicate: Annotated[bool, "Whether a report with this key was stored before; then nothing was appended."]


@strawberry.type
class LogMutation:
    report_run_events = mutation(
        actions.report.report_run_events, RunReported, LeaseLost, Conflict, requires=Access.WORKER
    )


@strawberry.type
class LogSubscription:
    run_feed: AsyncGenerator[RunFeedItem, None] = subscription(logs.run_feed)
    replay_run: AsyncGenerator[RunFeedItem, None] = subscription(replays.replay_run)
