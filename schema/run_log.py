"""What clients hear of an agent at work: one object type for each type of the vocabulary, and how a log is read."""

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
    Origin,
    OutputStream,
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


@strawberry.interface(description="An item of a run's feed: a line of its log, text being said, or its end.")
class RunFeedItem:
    seq: int = strawberry.field(
        description="Of a line, its number: the one before plus one. Of anything else, the last line's."
    )
    cursor: str = strawberry.field(
        resolver=_cursor, description="Pass it as `after` to go on behind this item."
    )
    at: datetime = strawberry.field(description="When the server took it.")


def _type(root: Any) -> EventType:
    return EventType(root.type)


def _level(root: Any) -> LogLevel:
    return LogLevel(root.level)


@strawberry.interface(description="A line of a run's log.")
class RunLine(RunFeedItem):
    type: EventType = strawberry.field(resolver=_type, description="What it is.")
    level: LogLevel = strawberry.field(resolver=_level, description="How much it matters.")
    attempt: int = strawberry.field(description="In which attempt it was said.")
    agent: str | None = strawberry.field(description="Which sub-agent said it; null for the run's own.")
    text: str = strawberry.field(description="What it says, in words.")


# What a line says by leaving it out, by type and name.
SILENT: dict[EventType, dict[str, Any]] = {
    kind: {name: field.default for name, field in event.model_fields.items()}
    for kind, event in EVENTS.items()
}


MAX_INT = 2**31 - 1  # that an Int can be; what programs say can be anything


def line_field(name: str, text: str, kind: Callable[[Any], Any] | None = None, *, empty: Any = None) -> Any:
    """A field of a line: what its event says under this name; `empty` for empty text."""

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
    """A field of a line that is a list of things, each with words of its own."""

    def resolve(root: Any) -> Any:
        return root.data.get(name, [])

    return strawberry.field(resolver=resolve, description=text, directives=[list_size(size, slicing=())])


def has_field(name: str, text: str, default: Any = None) -> Any:
    """A field of a thing in such a list."""

    def resolve(root: Any) -> Any:
        return root.get(name, default)

    return strawberry.field(resolver=resolve, description=text)


ITEMS: list[type] = []  # the type of every item


def _is_line(value: Any) -> bool:
    return not isinstance(value, logs.Chunk | logs.RunLogEnd)


def line(kind: EventType) -> Any:
    """Make the type of one type of line: its values are rows of the log."""

    def wrap(cls: Any) -> Any:
        cls.is_type_of = classmethod(lambda cls, value, info: _is_line(value) and value.type == kind)
        apply_descriptions(cls)
        made = strawberry.type(cls, description=cls.__doc__)
        ITEMS.append(made)
        return made

    return wrap


TOOL = "The tool call it belongs to."
AGENT = "Which sub-agent; null for the run's own agent."
ITEM = "Names the piece of text it is a part of."
PART = "Which part of the item, from 0. A second part 0 begins it anew: the program corrected itself."


@line(EventType.STATUS)
class RunStatusLine(RunLine):
    """What the agent's program does, or has become."""

    state: AgentStatus = line_field("state", "What it does.", AgentStatus)
    reason: str | None = line_field("reason", "Why.")
    session: str | None = line_field("session", "The program's own name for the conversation.")
    model: str | None = line_field("model", "Which model.")
    mode: str | None = line_field("mode", "In which mode.")
    tokens_before: float | None = line_field("tokens_before", "Tokens of its context before.", float)
    tokens_after: float | None = line_field("tokens_after", "Tokens of its context after.", float)


@line(EventType.PROMPT)
class RunPrompt(RunLine):
    """What the agent was told."""

    origin: Origin = line_field("origin", "By whom.", Origin)


@line(EventType.OUTPUT)
class RunOutput(RunLine):
    """What the agent said, or a command printed. The parts of an item, put together, are its text."""

    item: str = line_field("item", ITEM, empty="")
    part: int = line_field("part", PART)
    stream: OutputStream | None = line_field("stream", "Where it comes from.", OutputStream)
    tool: str | None = line_field("tool", TOOL)


@line(EventType.THINKING)
class RunThinking(RunLine):
    """What the agent thought."""

    item: str = line_field("item", ITEM, empty="")
    part: int = line_field("part", PART)


@line(EventType.TOOL_STARTED)
class RunToolStarted(RunLine):
    """A tool is used. The text is one line for a person: the command, the path, the question."""

    tool: str | None = line_field("tool", "Names this use, until it is finished.")
    name: str | None = line_field("name", "Which tool.")
    kind: ToolKind = line_field("kind", "What kind of work it does.", ToolKind)
    input: JSON = strawberry.field(
        resolver=lambda root: root.data.get("input", {}), description="What it was given."
    )


@line(EventType.TOOL_FINISHED)
class RunToolFinished(RunLine):
    """A tool is done. The text is what came out, its end cut off when long."""

    tool: str | None = line_field("tool", "Names this use.")
    name: str | None = line_field("name", "Which tool.")
    result: ToolStatus = line_field("status", "How it ended.", ToolStatus)
    exit_code: int | None = line_field("exit_code", "Of a command.")


@line(EventType.FILE)
class RunFileChanged(RunLine):
    """A file was changed. What the run changed in the end stands in its result."""

    path: str = line_field("path", "Which file.", empty="")
    change: FileChange = line_field("change", "What was done.", FileChange)
    moved_from: str | None = line_field("moved_from", "Where it was before.")
    additions: int | None = line_field("additions", "Lines added.")
    deletions: int | None = line_field("deletions", "Lines deleted.")
    tool: str | None = line_field("tool", TOOL)


@strawberry.type(description="An item of an agent's own list.")
class RunTodoItem:
    text: str = has_field("text", "What is to be done.", "")
    state: TodoState = strawberry.field(
        resolver=lambda root: TodoState(root.get("state", TodoState.PENDING)), description="How far it is."
    )
    key: str = has_field("key", "The program's own name for it; empty where it has none.", "")


@line(EventType.TODO)
class RunTodo(RunLine):
    """The agent's whole list as it is now. The text is a plan in words."""

    items: list[RunTodoItem] = line_list_field("items", "In their order.", 10)


@line(EventType.PROGRESS)
class RunProgressLine(RunLine):
    """How far along something is, in one line."""

    percent: float | None = line_field("percent", "How much is done.")
    step: int | None = line_field("step", "At which step.")
    steps: int | None = line_field("steps", "Of how many.")
    tool: str | None = line_field("tool", TOOL)


@line(EventType.COMMIT)
class RunCommitLine(RunLine):
    """Something that stays. The text is its title."""

    what: ContributionKind = line_field("what", "What it is.", ContributionKind)
    sha: str | None = line_field("sha", "Of a commit.")
    url: str | None = line_field("url", "Where it is found.")
    files: int | None = line_field("files", "Files changed.")
    additions: int | None = line_field("additions", "Lines added.")
    deletions: int | None = line_field("deletions", "Lines deleted.")


@line(EventType.SUBAGENT)
class RunSubagent(RunLine):
    """A sub-agent begins, goes on or ends."""

    phase: LifecyclePhase = line_field("phase", "Where it stands.", LifecyclePhase)
    name: str | None = line_field("name", "What it is called.")
    session: str | None = line_field("session", "The program's own name for its conversation.")
    tool: str | None = line_field("tool", TOOL)


@strawberry.type(description="One answer that is offered.")
class RunAskOption:
    label: str = has_field("label", "The answer.", "")
    description: str = has_field("description", "What it means.", "")


@strawberry.type(description="One of the questions that are asked together.")
class RunAsk:
    key: str = has_field("key", "Names it in the answer.", "")
    text: str = has_field("text", "The question.", "")
    header: str = has_field("header", "A word or two.", "")
    multiple: bool = has_field("multiple", "Whether several options may be chosen.", False)
    other: bool = has_field("other", "Whether other text is taken too.", True)
    options: list[RunAskOption] = strawberry.field(
        resolver=lambda root: root.get("options", []),
        description="The answers that are offered.",
        directives=[list_size(4, slicing=())],
    )


@line(EventType.QUESTION)
class RunQuestion(RunLine):
    """Questions to people: as they are asked together, and each as it is closed, with the answer as the text."""

    key: str = line_field("key", "Names what is asked together.", empty="")
    decision: DecisionState = line_field("decision", "How far it is.", DecisionState)
    blocking: bool = line_field("blocking", "Whether the agent waits.")
    asks: list[RunAsk] = line_list_field("asks", "The questions.", 2)


@line(EventType.APPROVAL)
class RunApproval(RunLine):
    """Permission for one thing. The text is one line for a person."""

    key: str = line_field("key", "Names what is asked.", empty="")
    decision: DecisionState = line_field("decision", "How far it is.", DecisionState)
    name: str | None = line_field("name", "Which tool wants to be used.")
    tool: str | None = line_field("tool", TOOL)
    input: JSON = strawberry.field(
        resolver=lambda root: root.data.get("input", {}), description="What the tool would be given."
    )
    reason: str | None = line_field("reason", "Why it was decided so.")
    by: str | None = line_field("by", "Who decided.")


@line(EventType.KNOWLEDGE)
class RunKnowledge(RunLine):
    """Something was learnt: the text says what."""

    topic: str | None = line_field("kind", "What kind of knowledge: FACT, or the agent's own word.")
    evidence: str | None = line_field("evidence", "What it is based on.")


@line(EventType.USAGE)
class RunUsage(RunLine):
    """Tokens and money so far in this process, not since the last line."""

    input_tokens: float = line_field("input_tokens", "Tokens read, the cached ones included.", float)
    output_tokens: float = line_field("output_tokens", "Tokens written.", float)
    cached_tokens: float = line_field("cached_tokens", "Tokens read from the provider's cache.", float)
    reasoning_tokens: float = line_field("reasoning_tokens", "Tokens of thought.", float)
    cost_usd: float | None = line_field("cost_usd", "US dollars, where the program says so.")
    context_window: float | None = line_field("context_window", "Tokens its context may have.", float)
    context_used: float | None = line_field("context_used", "Tokens its context has.", float)
    model: str | None = line_field("model", "Which model.")


@line(EventType.LIMIT)
class RunLimit(RunLine):
    """A limit of the provider, not ours."""

    limit: LimitState = line_field("state", "How it stands.", LimitState)
    window: str | None = line_field("window", "Of which time: the provider's own word.")
    resets_at: float | None = line_field("resets_at", "When it is over: seconds since 1970.")
    used: float | None = line_field("used", "How much of it is used: 0 to 1.")


@line(EventType.WARNING)
class RunWarning(RunLine):
    """Something is not as it should be."""

    code: str | None = line_field("code", "Which kind of thing, for programs.")


@line(EventType.ERROR)
class RunError(RunLine):
    """Something went wrong."""

    code: str | None = line_field("code", "Which kind of thing, for programs.")
    retryable: bool = line_field("retryable", "Whether trying again may help.")


@line(EventType.ATTEMPT)
class RunAttempt(RunLine):
    """An attempt begins or ends."""

    number: int = line_field("number", "Which.")
    phase: LifecyclePhase = line_field("phase", "Where it stands.", LifecyclePhase)
    reason: str | None = line_field("reason", "Why.")


@result_type(logs.Chunk)
class RunChunk(RunFeedItem):
    """Text that is being said just now, and not kept yet. It is not numbered: its `seq` is the last line's.

    Put `text` behind the first `offset` characters (Unicode code points) you have of this item's part. The line
    that keeps the part has all of its text. When a new attempt begins, forget what was not kept.
    """

    type: Annotated[EventType, "OUTPUT or THINKING."]
    agent: Annotated[str | None, AGENT]
    attempt: Annotated[int, "In which attempt it is said."]
    item: Annotated[str, ITEM]
    part: Annotated[int, PART]
    offset: Annotated[int, "How many characters of the part came before."]
    text: Annotated[str, "What was said since."]
    stream: OutputStream | None = strawberry.field(
        resolver=lambda root: OutputStream(root.stream) if root.stream else None,
        description="Where it comes from.",
    )
    tool: Annotated[str | None, TOOL]


@result_type(logs.RunLogEnd)
class RunEnded(RunFeedItem):
    """The run has ended, and with this item its feed. `at` is when."""

    status: Annotated[RunStatus, "How it ended."]
    outcome: Annotated[RunOutcome | None, "What it brought."]
    summary: Annotated[str | None, "What was done, as its agent says."]
    failure_code: Annotated[FailureCode | None, "Why it failed."]
    reason: Annotated[str | None, "The same for people; or why it was stopped."]


ITEMS += [RunChunk, RunEnded]


@strawberry.type(description="How much one agent of a run said.")
class RunAgent:
    agent: str | None = strawberry.field(description=AGENT)
    count: int = strawberry.field(description="How many lines.")
    first_at: datetime = strawberry.field(description="When the first was said.")
    last_at: datetime = strawberry.field(description="When the last was said.")


@strawberry.type(description="What every run shows of its log.")
class RunLog:
    """The log's own fields of a run: `Run` inherits them."""

    events: Connection[RunLine] = query_field(logs.events_of_run, directives=[list_size(50)])
    agents: list[RunAgent] = query_field(logs.agents_of_run, directives=[list_size(3, slicing=())])
    seq: int = query_field(logs.seq_of_run)
    cursor: str = query_field(logs.cursor_of_run)


@result_type(actions.report.Reported)
class RunReported:
    """A batch of events was taken."""

    run_id: Annotated[ID, "Of which run."]
    last_seq: Annotated[int, "Number of the last line of its log, with this batch."]
    duplicate: Annotated[bool, "Whether it was taken before, under the same key: then nothing was appended."]


@strawberry.type
class LogMutation:
    report_run_events = mutation(
        logs.report_run_events, RunReported, LeaseLost, Conflict, requires=Access.WORKER
    )


@strawberry.type
class LogSubscription:
    run_feed: AsyncGenerator[RunFeedItem, None] = subscription(logs.run_feed)
    replay_run: AsyncGenerator[RunFeedItem, None] = subscription(replays.replay_run)
