"""What clients hear of an agent at work: one object type for each type of the vocabulary, and how a log is read."""

import dataclasses
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

import actions.report
from models.run import FailureCode, RunOutcome, RunStatus
from resolvers import log as logs
from resolvers import replay as replays
from runtime.feed import START, Cursor
from runtime.transport.describe import describe
from runtime.transport.sizes import list_size
from runtime.vocabulary import (
    EVENTS,
    Change,
    Decision,
    Level,
    LimitState,
    Origin,
    Phase,
    Produced,
    State,
    Stream,
    TodoState,
    ToolKind,
    ToolStatus,
    Type,
)
from schema.error import Conflict, LeaseLost
from schema.page import Connection
from schema.view import answer, ask, do, hear


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


def _type(root: Any) -> Type:
    return Type(root.type)


def _level(root: Any) -> Level:
    return Level(root.level)


@strawberry.interface(description="A line of a run's log.")
class RunLine(RunFeedItem):
    type: Type = strawberry.field(resolver=_type, description="What it is.")
    level: Level = strawberry.field(resolver=_level, description="How much it matters.")
    attempt: int = strawberry.field(description="In which attempt it was said.")
    agent: str | None = strawberry.field(description="Which sub-agent said it; null for the run's own.")
    text: str = strawberry.field(description="What it says, in words.")


# What a line says by leaving it out, by type and name.
SILENT: dict[Type, dict[str, Any]] = {
    kind: {field.name: field.default for field in dataclasses.fields(event)} for kind, event in EVENTS.items()
}


MOST = 2**31 - 1  # that an Int can be; what programs say can be anything


def says(name: str, text: str, kind: Callable[[Any], Any] | None = None, *, empty: Any = None) -> Any:
    """A field of a line: what its event says under this name; `empty` for empty text."""

    def resolve(root: Any) -> Any:
        value = root.data.get(name)
        if value is None:
            value = SILENT[root.type].get(name)
        if value in ("", None, dataclasses.MISSING):
            return empty
        if kind is not None:
            return kind(value)
        return max(-MOST, min(value, MOST)) if isinstance(value, int) else value

    return strawberry.field(resolver=resolve, description=text)


def lists(name: str, text: str, size: int) -> Any:
    """A field of a line that is a list of things, each with words of its own."""

    def resolve(root: Any) -> Any:
        return root.data.get(name, [])

    return strawberry.field(resolver=resolve, description=text, directives=[list_size(size, slicing=())])


def has(name: str, text: str, default: Any = None) -> Any:
    """A field of a thing in such a list."""

    def resolve(root: Any) -> Any:
        return root.get(name, default)

    return strawberry.field(resolver=resolve, description=text)


ITEMS: list[type] = []  # the type of every item


def _is_line(value: Any) -> bool:
    return not isinstance(value, logs.Chunk | logs.Ended)


def line(kind: Type) -> Any:
    """Make the type of one type of line: its values are rows of the log."""

    def wrap(cls: Any) -> Any:
        cls.is_type_of = classmethod(lambda cls, value, info: _is_line(value) and value.type == kind)
        describe(cls)
        made = strawberry.type(cls, description=cls.__doc__)
        ITEMS.append(made)
        return made

    return wrap


TOOL = "The tool call it belongs to."
AGENT = "Which sub-agent; null for the run's own agent."
ITEM = "Names the piece of text it is a part of."
PART = "Which part of the item, from 0. A second part 0 begins it anew: the program corrected itself."


@line(Type.STATUS)
class RunStatusLine(RunLine):
    """What the agent's program does, or has become."""

    state: State = says("state", "What it does.", State)
    reason: str | None = says("reason", "Why.")
    session: str | None = says("session", "The program's own name for the conversation.")
    model: str | None = says("model", "Which model.")
    mode: str | None = says("mode", "In which mode.")
    tokens_before: float | None = says("tokens_before", "Tokens of its context before.", float)
    tokens_after: float | None = says("tokens_after", "Tokens of its context after.", float)


@line(Type.PROMPT)
class RunPrompt(RunLine):
    """What the agent was told."""

    origin: Origin = says("origin", "By whom.", Origin)


@line(Type.OUTPUT)
class RunOutput(RunLine):
    """What the agent said, or a command printed. The parts of an item, put together, are its text."""

    item: str = says("item", ITEM, empty="")
    part: int = says("part", PART)
    stream: Stream | None = says("stream", "Where it comes from.", Stream)
    tool: str | None = says("tool", TOOL)


@line(Type.THINKING)
class RunThinking(RunLine):
    """What the agent thought."""

    item: str = says("item", ITEM, empty="")
    part: int = says("part", PART)


@line(Type.TOOL_STARTED)
class RunToolStarted(RunLine):
    """A tool is used. The text is one line for a person: the command, the path, the question."""

    tool: str | None = says("tool", "Names this use, until it is finished.")
    name: str | None = says("name", "Which tool.")
    kind: ToolKind = says("kind", "What kind of work it does.", ToolKind)
    input: JSON = strawberry.field(
        resolver=lambda root: root.data.get("input", {}), description="What it was given."
    )


@line(Type.TOOL_FINISHED)
class RunToolFinished(RunLine):
    """A tool is done. The text is what came out, its end cut off when long."""

    tool: str | None = says("tool", "Names this use.")
    name: str | None = says("name", "Which tool.")
    result: ToolStatus = says("status", "How it ended.", ToolStatus)
    exit_code: int | None = says("exit_code", "Of a command.")


@line(Type.FILE)
class RunFileChanged(RunLine):
    """A file was changed. What the run changed in the end stands in its result."""

    path: str = says("path", "Which file.", empty="")
    change: Change = says("change", "What was done.", Change)
    moved_from: str | None = says("moved_from", "Where it was before.")
    additions: int | None = says("additions", "Lines added.")
    deletions: int | None = says("deletions", "Lines deleted.")
    tool: str | None = says("tool", TOOL)


@strawberry.type(description="An item of an agent's own list.")
class RunTodoItem:
    text: str = has("text", "What is to be done.", "")
    state: TodoState = strawberry.field(
        resolver=lambda root: TodoState(root.get("state", TodoState.PENDING)), description="How far it is."
    )
    key: str = has("key", "The program's own name for it; empty where it has none.", "")


@line(Type.TODO)
class RunTodo(RunLine):
    """The agent's whole list as it is now. The text is a plan in words."""

    items: list[RunTodoItem] = lists("items", "In their order.", 10)


@line(Type.PROGRESS)
class RunProgressLine(RunLine):
    """How far along something is, in one line."""

    percent: float | None = says("percent", "How much is done.")
    step: int | None = says("step", "At which step.")
    steps: int | None = says("steps", "Of how many.")
    tool: str | None = says("tool", TOOL)


@line(Type.COMMIT)
class RunCommitLine(RunLine):
    """Something that stays. The text is its title."""

    what: Produced = says("what", "What it is.", Produced)
    sha: str | None = says("sha", "Of a commit.")
    url: str | None = says("url", "Where it is found.")
    files: int | None = says("files", "Files changed.")
    additions: int | None = says("additions", "Lines added.")
    deletions: int | None = says("deletions", "Lines deleted.")


@line(Type.SUBAGENT)
class RunSubagent(RunLine):
    """A sub-agent begins, goes on or ends."""

    phase: Phase = says("phase", "Where it stands.", Phase)
    name: str | None = says("name", "What it is called.")
    session: str | None = says("session", "The program's own name for its conversation.")
    tool: str | None = says("tool", TOOL)


@strawberry.type(description="One answer that is offered.")
class RunAskOption:
    label: str = has("label", "The answer.", "")
    description: str = has("description", "What it means.", "")


@strawberry.type(description="One of the questions that are asked together.")
class RunAsk:
    key: str = has("key", "Names it in the answer.", "")
    text: str = has("text", "The question.", "")
    header: str = has("header", "A word or two.", "")
    multiple: bool = has("multiple", "Whether several options may be chosen.", False)
    other: bool = has("other", "Whether other text is taken too.", True)
    options: list[RunAskOption] = strawberry.field(
        resolver=lambda root: root.get("options", []),
        description="The answers that are offered.",
        directives=[list_size(4, slicing=())],
    )


@line(Type.QUESTION)
class RunQuestion(RunLine):
    """Questions to people: as they are asked together, and each as it is closed, with the answer as the text."""

    key: str = says("key", "Names what is asked together.", empty="")
    decision: Decision = says("decision", "How far it is.", Decision)
    blocking: bool = says("blocking", "Whether the agent waits.")
    asks: list[RunAsk] = lists("asks", "The questions.", 2)


@line(Type.APPROVAL)
class RunApproval(RunLine):
    """Permission for one thing. The text is one line for a person."""

    key: str = says("key", "Names what is asked.", empty="")
    decision: Decision = says("decision", "How far it is.", Decision)
    name: str | None = says("name", "Which tool wants to be used.")
    tool: str | None = says("tool", TOOL)
    input: JSON = strawberry.field(
        resolver=lambda root: root.data.get("input", {}), description="What the tool would be given."
    )
    reason: str | None = says("reason", "Why it was decided so.")
    by: str | None = says("by", "Who decided.")


@line(Type.KNOWLEDGE)
class RunKnowledge(RunLine):
    """Something was learnt: the text says what."""

    topic: str | None = says("kind", "What kind of knowledge: FACT, or the agent's own word.")
    evidence: str | None = says("evidence", "What it is based on.")


@line(Type.USAGE)
class RunUsage(RunLine):
    """Tokens and money so far in this process, not since the last line."""

    input_tokens: float = says("input_tokens", "Tokens read, the cached ones included.", float)
    output_tokens: float = says("output_tokens", "Tokens written.", float)
    cached_tokens: float = says("cached_tokens", "Tokens read from the provider's cache.", float)
    reasoning_tokens: float = says("reasoning_tokens", "Tokens of thought.", float)
    cost_usd: float | None = says("cost_usd", "US dollars, where the program says so.")
    context_window: float | None = says("context_window", "Tokens its context may have.", float)
    context_used: float | None = says("context_used", "Tokens its context has.", float)
    model: str | None = says("model", "Which model.")


@line(Type.LIMIT)
class RunLimit(RunLine):
    """A limit of the provider, not ours."""

    limit: LimitState = says("state", "How it stands.", LimitState)
    window: str | None = says("window", "Of which time: the provider's own word.")
    resets_at: float | None = says("resets_at", "When it is over: seconds since 1970.")
    used: float | None = says("used", "How much of it is used: 0 to 1.")


@line(Type.WARNING)
class RunWarning(RunLine):
    """Something is not as it should be."""

    code: str | None = says("code", "Which kind of thing, for programs.")


@line(Type.ERROR)
class RunError(RunLine):
    """Something went wrong."""

    code: str | None = says("code", "Which kind of thing, for programs.")
    retryable: bool = says("retryable", "Whether trying again may help.")


@line(Type.ATTEMPT)
class RunAttempt(RunLine):
    """An attempt begins or ends."""

    number: int = says("number", "Which.")
    phase: Phase = says("phase", "Where it stands.", Phase)
    reason: str | None = says("reason", "Why.")


@answer(logs.Chunk)
class RunChunk(RunFeedItem):
    """Text that is being said just now, and not kept yet. It is not numbered: its `seq` is the last line's.

    Put `text` behind the first `offset` characters (Unicode code points) you have of this item's part. The line
    that keeps the part has all of its text. When a new attempt begins, forget what was not kept.
    """

    type: Annotated[Type, "OUTPUT or THINKING."]
    agent: Annotated[str | None, AGENT]
    attempt: Annotated[int, "In which attempt it is said."]
    item: Annotated[str, ITEM]
    part: Annotated[int, PART]
    offset: Annotated[int, "How many characters of the part came before."]
    text: Annotated[str, "What was said since."]
    stream: Stream | None = strawberry.field(
        resolver=lambda root: Stream(root.stream) if root.stream else None, description="Where it comes from."
    )
    tool: Annotated[str | None, TOOL]


@answer(logs.Ended)
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

    events: Connection[RunLine] = ask(logs.events_of_run, directives=[list_size(50)])
    agents: list[RunAgent] = ask(logs.agents_of_run, directives=[list_size(3, slicing=())])
    seq: int = ask(logs.seq_of_run)
    cursor: str = ask(logs.cursor_of_run)


@answer(actions.report.Reported)
class RunReported:
    """A batch of events was taken."""

    run_id: Annotated[ID, "Of which run."]
    last_seq: Annotated[int, "Number of the last line of its log, with this batch."]
    duplicate: Annotated[bool, "Whether it was taken before, under the same key: then nothing was appended."]


@strawberry.type
class LogMutation:
    report_run_events = do(logs.report_run_events, RunReported, LeaseLost, Conflict)


@strawberry.type
class LogSubscription:
    run_feed: AsyncGenerator[RunFeedItem, None] = hear(logs.run_feed)
    replay_run: AsyncGenerator[RunFeedItem, None] = hear(replays.replay_run)
