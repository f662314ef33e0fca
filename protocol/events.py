"""What an agent's run can say: one vocabulary over every agent program.

An executor turns each program's own words into these; the worker reports them; clients need no knowledge of any
program. Each event is small data that survives JSON: `to_row` writes one as a row of a run's log (type, level,
agent, text, data), `from_row` reads it back. docs/agents.md says which event stands for what of each program.

Text that is still being said comes as chunks (`chunk=True`): they are shown and forgotten. The whole text follows
as one or more parts that are kept, and the parts of an `item` put together are its chunks put together. A second
part 0 of an item begins it anew: the program corrected itself.
"""

import dataclasses
import enum
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Self

from protocol.described_enum import DescribedEnum

MAX_NUMBER = 2**53  # numbers beyond it are not the same in every language


class EventType(DescribedEnum):
    """The type of a line of a run's log; the line's own type says the same."""

    STATUS = "STATUS", "What the agent's program does, or has become."
    PROMPT = "PROMPT", "What the agent was told."
    OUTPUT = "OUTPUT", "What the agent says, or what a command prints."
    THINKING = "THINKING", "What the agent thinks."
    TOOL_STARTED = "TOOL_STARTED", "A tool is used."
    TOOL_FINISHED = "TOOL_FINISHED", "A tool is done."
    FILE = "FILE", "A file was changed."
    TODO = "TODO", "The agent's own list of what to do."
    PROGRESS = "PROGRESS", "How far along something is."
    COMMIT = "COMMIT", "Something that stays: a commit, a pull request, an artifact."
    SUBAGENT = "SUBAGENT", "A sub-agent begins, goes on or ends."
    QUESTION = "QUESTION", "A person is asked, or has answered."
    APPROVAL = "APPROVAL", "Permission is asked for, given or denied."
    KNOWLEDGE = "KNOWLEDGE", "Something was learnt."
    USAGE = "USAGE", "Tokens and money so far."
    LIMIT = "LIMIT", "A limit of the provider is near, hit or over."
    WARNING = "WARNING", "Something is not as it should be."
    ERROR = "ERROR", "Something went wrong."
    ATTEMPT = "ATTEMPT", "An attempt begins or ends."


class LogLevel(DescribedEnum):
    """The severity of a line."""

    DEBUG = "DEBUG", "To find out what is wrong."
    INFO = "INFO", "As usual."
    WARNING = "WARNING", "Worth a look."
    ERROR = "ERROR", "Something failed."
    CRITICAL = "CRITICAL", "Nothing goes on."


class AgentStatus(DescribedEnum):
    """The state of the agent's program."""

    QUEUED = "QUEUED", "It waits for its turn."
    STARTED = "STARTED", "It was started."
    WORKING = "WORKING", "It works."
    WAITING = "WAITING", "It waits for a person; the reason says for what."
    RETRYING = "RETRYING", "The provider is asked again."
    CHANGED = "CHANGED", "Its model or mode was changed."
    COMPACTED = "COMPACTED", "Its context was summarised."
    RESET = "RESET", "Its context was emptied."
    IDLE = "IDLE", "Its turn ended, which is not the run's completion."
    ENDED = "ENDED", "It has ended."


class Origin(DescribedEnum):
    """The source of a prompt."""

    HUMAN = "HUMAN", "A person."
    AGENT = "AGENT", "Another agent."
    SCHEDULE = "SCHEDULE", "A schedule."
    SYSTEM = "SYSTEM", "Signalbox."


class OutputStream(DescribedEnum):
    """The source of output."""

    ANSWER = "ANSWER", "The agent's own words."
    STDOUT = "STDOUT", "What a program prints."
    STDERR = "STDERR", "What a program prints as errors."


class ToolKind(DescribedEnum):
    """The kind of work of a tool."""

    READ = "READ", "Reads files."
    EDIT = "EDIT", "Changes files."
    SEARCH = "SEARCH", "Searches."
    EXECUTE = "EXECUTE", "Runs a command."
    FETCH = "FETCH", "Reads from the network."
    THINK = "THINK", "Thinks or plans."
    DELEGATE = "DELEGATE", "Gives work to a sub-agent."
    ASK = "ASK", "Asks a person."
    MCP = "MCP", "Another server's tool."
    OTHER = "OTHER", "Something else."


class ToolStatus(DescribedEnum):
    """The result of the use of a tool."""

    SUCCEEDED = "SUCCEEDED", "It did what it should."
    FAILED = "FAILED", "It failed."
    DENIED = "DENIED", "It was not allowed."
    STOPPED = "STOPPED", "It was cut short."


class FileChange(DescribedEnum):
    """The kind of change of a file."""

    ADD = "ADD", "It was made."
    EDIT = "EDIT", "It was changed."
    MOVE = "MOVE", "It was moved."
    DELETE = "DELETE", "It was deleted."


class TodoState(DescribedEnum):
    """The state of an item of the agent's list."""

    PENDING = "PENDING", "Not begun."
    IN_PROGRESS = "IN_PROGRESS", "Being done."
    DONE = "DONE", "Done."
    CANCELLED = "CANCELLED", "Not to be done any more."


class LifecyclePhase(DescribedEnum):
    """The phase of an activity."""

    STARTED = "STARTED", "It begins."
    PROGRESS = "PROGRESS", "It goes on."
    ENDED = "ENDED", "It has ended."
    FAILED = "FAILED", "It has failed."


class DecisionState(DescribedEnum):
    """The state of a question or of a request for permission."""

    ASKED = "ASKED", "It was asked."
    ANSWERED = "ANSWERED", "It was answered."
    ALLOWED = "ALLOWED", "It was allowed."
    DENIED = "DENIED", "It was denied."
    EXPIRED = "EXPIRED", "Nobody answered in time."
    CANCELLED = "CANCELLED", "It was taken back, or its run or attempt ended."


class LimitState(DescribedEnum):
    """The state of a limit of the provider."""

    NEAR = "NEAR", "It is near."
    HIT = "HIT", "It is reached: the provider answers no more for a while."
    CLEARED = "CLEARED", "It is over."


class ContributionKind(DescribedEnum):
    """The kind of a contribution."""

    COMMIT = "COMMIT", "A commit."
    PULL_REQUEST = "PULL_REQUEST", "A pull request."
    ARTIFACT = "ARTIFACT", "A file or page besides."


@dataclass(frozen=True, kw_only=True)
class QuestionOption:
    label: str
    description: str = ""
    recommended: bool = False


@dataclass(frozen=True, kw_only=True)
class QuestionItem:
    """One of the questions asked together. `key` names it in the answer."""

    key: str
    text: str
    header: str = ""
    options: tuple[QuestionOption, ...] = ()
    multiple: bool = False
    other: bool = True  # free text is taken too
    default: str = ""  # what may be taken when nobody answers


@dataclass(frozen=True, kw_only=True)
class TodoItem:
    text: str
    state: TodoState = TodoState.PENDING
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class AgentEvent:
    type: ClassVar[EventType]
    text: str = ""
    agent: str = ""  # the sub-agent that said it; empty for the run's own agent
    level: LogLevel = LogLevel.INFO

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True, kw_only=True)
class StatusChanged(AgentEvent):
    type = EventType.STATUS
    state: AgentStatus
    reason: str = ""
    session: str = ""  # the program's own name for the conversation: what it is resumed by
    model: str = ""
    mode: str = ""
    tokens_before: int | None = None
    tokens_after: int | None = None


@dataclass(frozen=True, kw_only=True)
class PromptGiven(AgentEvent):
    type = EventType.PROMPT
    origin: Origin = Origin.SYSTEM


@dataclass(frozen=True, kw_only=True)
class OutputText(AgentEvent):
    type = EventType.OUTPUT
    item: str = ""
    chunk: bool = False
    part: int = 0
    stream: OutputStream = OutputStream.ANSWER
    tool: str = ""  # the tool call whose output it is


@dataclass(frozen=True, kw_only=True)
class ThinkingText(AgentEvent):
    type = EventType.THINKING
    item: str = ""
    chunk: bool = False
    part: int = 0


@dataclass(frozen=True, kw_only=True)
class ToolStarted(AgentEvent):
    """`text` is one line for a person: the command, the path, the question."""

    type = EventType.TOOL_STARTED
    tool: str
    name: str
    kind: ToolKind = ToolKind.OTHER
    input: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ToolFinished(AgentEvent):
    """`text` is what came out, its end cut off when long."""

    type = EventType.TOOL_FINISHED
    tool: str
    name: str = ""
    status: ToolStatus = ToolStatus.SUCCEEDED
    exit_code: int | None = None


@dataclass(frozen=True, kw_only=True)
class FileChanged(AgentEvent):
    type = EventType.FILE
    path: str
    change: FileChange
    moved_from: str = ""
    additions: int | None = None
    deletions: int | None = None
    tool: str = ""


@dataclass(frozen=True, kw_only=True)
class TodoList(AgentEvent):
    """The whole list or plan as it is now; `text` is a plan in words."""

    type = EventType.TODO
    items: tuple[TodoItem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProgressReported(AgentEvent):
    """One line of what goes on, and how far along it is when that is known."""

    type = EventType.PROGRESS
    percent: float | None = None
    step: int | None = None
    steps: int | None = None
    tool: str = ""


@dataclass(frozen=True, kw_only=True)
class Contribution(AgentEvent):
    """Something that stays: a commit, a pull request, an artifact. `text` is its title."""

    type = EventType.COMMIT
    what: ContributionKind = ContributionKind.COMMIT
    sha: str = ""
    url: str = ""
    files: int | None = None
    additions: int | None = None
    deletions: int | None = None


@dataclass(frozen=True, kw_only=True)
class SubagentChanged(AgentEvent):
    type = EventType.SUBAGENT
    phase: LifecyclePhase
    name: str = ""
    session: str = ""
    tool: str = ""


@dataclass(frozen=True, kw_only=True)
class QuestionRaised(AgentEvent):
    """What people are asked; for one that was answered, `text` is the answer."""

    type = EventType.QUESTION
    key: str
    asks: tuple[QuestionItem, ...] = ()
    decision: DecisionState = DecisionState.ASKED
    blocking: bool = True


@dataclass(frozen=True, kw_only=True)
class ApprovalRequested(AgentEvent):
    """Permission for one thing. `text` is one line for a person."""

    type = EventType.APPROVAL
    key: str
    decision: DecisionState = DecisionState.ASKED
    name: str = ""
    tool: str = ""
    input: dict[str, Any] = dataclasses.field(default_factory=dict)
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class KnowledgeFound(AgentEvent):
    type = EventType.KNOWLEDGE
    kind: str = "FACT"
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class TokenUsage(AgentEvent):
    """Tokens and money so far in this process (not since the last report). `input_tokens` holds the cached ones."""

    type = EventType.USAGE
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = None
    context_window: int | None = None
    context_used: int | None = None
    model: str = ""


@dataclass(frozen=True, kw_only=True)
class ProviderLimit(AgentEvent):
    """The provider's limit, not ours."""

    type = EventType.LIMIT
    state: LimitState
    window: str = ""
    resets_at: float | None = None  # seconds since 1970
    used: float | None = None  # 0 to 1


@dataclass(frozen=True, kw_only=True)
class AgentWarning(AgentEvent):
    type = EventType.WARNING
    code: str = ""
    level: LogLevel = LogLevel.WARNING


@dataclass(frozen=True, kw_only=True)
class AgentFailure(AgentEvent):
    type = EventType.ERROR
    code: str = "AGENT_ERROR"
    retryable: bool = False
    level: LogLevel = LogLevel.ERROR


@dataclass(frozen=True, kw_only=True)
class AttemptChanged(AgentEvent):
    type = EventType.ATTEMPT
    number: int
    phase: LifecyclePhase
    reason: str = ""


EVENTS: dict[EventType, type[AgentEvent]] = {event.type: event for event in AgentEvent.__subclasses__()}
SPOKEN = (OutputText, ThinkingText)  # what can come in chunks
ROW = ("text", "agent", "level")  # columns of their own; everything else is `data`


def to_row(event: AgentEvent) -> dict[str, Any]:
    """Write an event as JSON's own types. Fields that say nothing are left out."""
    data = {name: value for name, value in _said(event) if name not in ROW}
    row: dict[str, Any] = {"type": event.type.value}
    row |= {"text": clean(event.text)} if event.text else {}
    row |= {"agent": clean(event.agent)} if event.agent else {}
    row |= {"level": event.level.value} if event.level != type(event).level else {}
    return row | ({"data": data} if data else {})


def from_row(row: dict[str, Any]) -> AgentEvent:
    """Read what `to_row` wrote. Raises ValueError for what is not an event."""
    try:
        kind = EVENTS[EventType(row["type"])]
        given = {name: row[name] for name in ROW if name in row} | row.get("data", {})
        event: AgentEvent = _build(kind, given)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {error}") from error
    return event


def check_types(said: Any) -> None:
    """Raise TypeError unless every field holds what it says. What programs print can be anything."""
    for name, hint in hints_of(said.__class__).items():
        value = getattr(said, name)
        # What is of the very class is right, and quickly seen; but a number has bounds besides.
        if (value.__class__ is not hint or hint in (int, float)) and not _fits(hint, value):
            raise TypeError(f"{type(said).__name__}.{name} cannot be {value!r:.80}")


@lru_cache
def hints_of(kind: Any) -> dict[str, Any]:
    """The type of each field, in order."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in _fields(kind)}


def _fits(hint: Any, value: Any) -> bool:
    if hint is int or hint is float:
        kinds = (int, float) if hint is float else int
        return isinstance(value, kinds) and not isinstance(value, bool) and abs(value) < MAX_NUMBER
    if isinstance(hint, types.UnionType):
        return any(_fits(one, value) for one in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, tuple):
            return False
        for one in value:
            check_types(one)
        return True
    return isinstance(value, typing.get_origin(hint) or hint)


def is_ephemeral(event: AgentEvent) -> bool:
    """Whether an event is shown to who is looking, and not kept."""
    return isinstance(event, SPOKEN) and event.chunk


def _said(said: Any) -> Iterator[tuple[str, Any]]:
    """The fields that say something, as JSON's own types."""
    for name, default in defaults_of(said.__class__):
        value = getattr(said, name)
        if value != default:
            yield name, _plain(value)


def _plain(value: Any) -> Any:
    if value.__class__ is str:
        return clean(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dict(_said(value))
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {clean(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, enum.Enum):
        return value.value
    return clean(value) if isinstance(value, str) else value


ESCAPES = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC: a window's title, a link
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, movements
    r"|\x1b[ -/]*[0-~]?"  # the others, and what was broken off
)
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def plain(text: str) -> str:
    """Text for a title or a summary: no escape sequences of terminals, and nothing that is not seen but acts."""
    return UNSEEN.sub("", ESCAPES.sub("", clean(text)).replace("\r\n", "\n")).strip()


def clean(text: str) -> str:
    """Text that every database and every JSON reader takes: no NUL, no half of a letter."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


@lru_cache
def defaults_of(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (field.name, field.default_factory() if callable(field.default_factory) else field.default)
        for field in _fields(kind)
    )


@lru_cache
def _fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


def _build(kind: Any, given: dict[str, Any]) -> Any:
    hints = hints_of(kind)
    return kind(**{name: _typed(hints[name], value) for name, value in given.items() if name in hints})


def _typed(hint: Any, value: Any) -> Any:
    if value.__class__ is hint:
        return value
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        return hint(value)
    if typing.get_origin(hint) is tuple:
        return tuple(_build(typing.get_args(hint)[0], one) for one in value)
    if hint is str:
        raise TypeError(f"text was expected, not {value!r}")
    return value


@dataclass(frozen=True, kw_only=True)
class AgentResult:
    """How an agent's own account of its work ended: the only way a run can succeed."""

    ok: bool
    summary: str = ""
    code: str = ""
    reason: str = ""
    retryable: bool = False

    def __post_init__(self) -> None:
        check_types(self)

    @classmethod
    def failed(cls, reason: str, code: str = "AGENT_ERROR", *, retryable: bool = False) -> Self:
        return cls(ok=False, code=code, reason=reason, retryable=retryable)
