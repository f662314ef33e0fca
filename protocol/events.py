"""Events an agent program reports: one vocabulary over every program, shared by server and worker.

An adapter turns the program's own output into these events, the worker reports them as rows (protocol/rows.py), and
clients need no knowledge of any program. docs/agents.md maps the output of each program to events. Every event is
validated when it is created, wherever it comes from: a wrong field raises pydantic's ValidationError, a ValueError.

Unfinished text comes as chunks (`chunk=True`), which are shown and not kept. The whole text follows as one or more
parts that are kept: joined, they equal the joined chunks. A second part 0 of an item replaces what came earlier.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field
from pydantic_core import PydanticCustomError

from protocol.protocol_enum import ProtocolEnum
from protocol.text import clean, clean_json

PERMISSION_KEY = "leave"  # of the question by which a worker asks for a permission
MAX_NUMBER = 2**53  # JavaScript rounds greater integers
COMMIT_ID = re.compile(r"(?:[0-9a-fA-F]{4,64})?")
WEB_ADDRESS = re.compile(r"(?:https?://[^\s\x00-\x1f\x7f]+)?")


def _check_commit_id(value: str) -> str:
    if value.__class__ is str and not COMMIT_ID.fullmatch(value):
        raise PydanticCustomError("commit_id", "must be a commit id: 4 to 64 hexadecimal digits")
    return value


def _check_web_address(value: str) -> str:
    if value.__class__ is str and not WEB_ADDRESS.fullmatch(value):
        raise PydanticCustomError("web_address", "must be an address that begins with https:// or http://")
    return value


Text = Annotated[str, Field(strict=True), BeforeValidator(clean)]
CommitId = Annotated[Text, BeforeValidator(_check_commit_id)]
WebAddress = Annotated[Text, BeforeValidator(_check_web_address)]
Object = Annotated[dict[str, Any], BeforeValidator(clean_json)]
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0, lt=MAX_NUMBER)]
Integer = Annotated[int, Field(strict=True, gt=-MAX_NUMBER, lt=MAX_NUMBER)]
Amount = Annotated[float, Field(strict=True, ge=0, lt=MAX_NUMBER, allow_inf_nan=False)]


class EventType(ProtocolEnum):
    """The type of a line of a run's log."""

    STATUS = "STATUS", "The agent program changed its state."
    PROMPT = "PROMPT", "A prompt for the agent."
    OUTPUT = "OUTPUT", "Output of the agent or of a command."
    THINKING = "THINKING", "Thinking of the agent."
    TOOL_STARTED = "TOOL_STARTED", "A tool call started."
    TOOL_FINISHED = "TOOL_FINISHED", "A tool call finished."
    FILE = "FILE", "A file was changed."
    DIFF = "DIFF", "The changes so far were counted."
    TODO = "TODO", "The agent's to-do list."
    PROGRESS = "PROGRESS", "Progress of an activity."
    COMMIT = "COMMIT", "A lasting contribution: a commit, a pull request, an artifact."
    SUBAGENT = "SUBAGENT", "A sub-agent started, continues or ended."
    QUESTION = "QUESTION", "A question was asked or closed."
    APPROVAL = "APPROVAL", "Permission was requested, given or denied."
    KNOWLEDGE = "KNOWLEDGE", "A piece of knowledge."
    USAGE = "USAGE", "Tokens and cost so far."
    LIMIT = "LIMIT", "A rate limit of the provider is near, reached or cleared."
    WARNING = "WARNING", "A warning."
    ERROR = "ERROR", "An error."
    ATTEMPT = "ATTEMPT", "An attempt started or ended."


class LogLevel(ProtocolEnum):
    """The severity of a line."""

    DEBUG = "DEBUG", "Details for debugging."
    INFO = "INFO", "Normal operation."
    WARNING = "WARNING", "A possible problem."
    ERROR = "ERROR", "A failure."
    CRITICAL = "CRITICAL", "A failure that stops the work."


class AgentStatus(ProtocolEnum):
    """The state of the agent's program."""

    QUEUED = "QUEUED", "It waits for its turn."
    STARTED = "STARTED", "It was started."
    WORKING = "WORKING", "It works."
    WAITING = "WAITING", "It waits for a person; see the reason."
    RETRYING = "RETRYING", "It repeats a request to the provider."
    CHANGED = "CHANGED", "Its model or mode was changed."
    COMPACTED = "COMPACTED", "Its context was summarized."
    RESET = "RESET", "Its context was emptied."
    IDLE = "IDLE", "Its turn ended, which is not the run's completion."
    ENDED = "ENDED", "It has ended."


class PromptOrigin(ProtocolEnum):
    """The source of a prompt."""

    HUMAN = "HUMAN", "A person."
    AGENT = "AGENT", "Another agent."
    SCHEDULE = "SCHEDULE", "A schedule."
    SYSTEM = "SYSTEM", "Signalbox."


class OutputStream(ProtocolEnum):
    """The source of output."""

    ANSWER = "ANSWER", "The agent's answer."
    STDOUT = "STDOUT", "Standard output of a command."
    STDERR = "STDERR", "Standard error of a command."


class ToolKind(ProtocolEnum):
    """The kind of work of a tool."""

    READ = "READ", "Reads files."
    EDIT = "EDIT", "Changes files."
    SEARCH = "SEARCH", "Searches."
    EXECUTE = "EXECUTE", "Runs a command."
    FETCH = "FETCH", "Reads from the network."
    THINK = "THINK", "Thinks or plans."
    DELEGATE = "DELEGATE", "Delegates to a sub-agent."
    ASK = "ASK", "Asks a person."
    MCP = "MCP", "A tool of an MCP server."
    OTHER = "OTHER", "Any other kind."


class ToolStatus(ProtocolEnum):
    """The result of a tool call."""

    SUCCEEDED = "SUCCEEDED", "It succeeded."
    FAILED = "FAILED", "It failed."
    DENIED = "DENIED", "It was not allowed."
    STOPPED = "STOPPED", "It was stopped."


class FileChange(ProtocolEnum):
    """The kind of change of a file."""

    ADD = "ADD", "It was added."
    EDIT = "EDIT", "It was edited."
    MOVE = "MOVE", "It was moved."
    DELETE = "DELETE", "It was deleted."


class TodoState(ProtocolEnum):
    """The state of an item of the agent's list."""

    PENDING = "PENDING", "Not started."
    IN_PROGRESS = "IN_PROGRESS", "In progress."
    DONE = "DONE", "Done."
    CANCELLED = "CANCELLED", "Cancelled."


class LifecyclePhase(ProtocolEnum):
    """The phase of an activity."""

    STARTED = "STARTED", "It started."
    PROGRESS = "PROGRESS", "It continues."
    ENDED = "ENDED", "It has ended."
    FAILED = "FAILED", "It failed."


class DecisionState(ProtocolEnum):
    """The state of a question or of a request for permission."""

    ASKED = "ASKED", "It was asked."
    ANSWERED = "ANSWERED", "It was answered."
    ALLOWED = "ALLOWED", "It was allowed."
    DENIED = "DENIED", "It was denied."
    EXPIRED = "EXPIRED", "Nobody answered in time."
    CANCELLED = "CANCELLED", "It was withdrawn, or its run or attempt ended."


class LimitState(ProtocolEnum):
    """The state of a limit of the provider."""

    NEAR = "NEAR", "It is near."
    HIT = "HIT", "It is reached: the provider refuses requests until it is reset."
    CLEARED = "CLEARED", "It no longer applies."


class ContributionKind(ProtocolEnum):
    """The kind of a contribution."""

    COMMIT = "COMMIT", "A commit."
    PULL_REQUEST = "PULL_REQUEST", "A pull request."
    ARTIFACT = "ARTIFACT", "A file or page outside of the commits."


class EventPart(BaseModel):
    """A structured value. Unknown fields, of a newer version, are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class QuestionOption(EventPart):
    label: Text
    description: Text = ""
    recommended: Flag = False


class QuestionItem(EventPart):
    """One question of a group. `key` identifies it in the answer."""

    key: Text
    text: Text
    header: Text = ""
    options: tuple[QuestionOption, ...] = ()
    multiple: Flag = False
    other: Flag = True  # whether other text is accepted
    default: Text = ""  # the answer if nobody answers in time


class TodoItem(EventPart):
    text: Text
    state: TodoState = TodoState.PENDING
    key: Text = ""


class AgentEvent(EventPart):
    type: EventType
    text: Text = ""
    agent: Text = ""  # the sub-agent; empty for the main agent
    level: LogLevel = LogLevel.INFO


class StatusChanged(AgentEvent):
    type: Literal[EventType.STATUS] = EventType.STATUS
    state: AgentStatus
    reason: Text = ""
    session: Text = ""  # the program's own id of the conversation, to resume it
    model: Text = ""
    mode: Text = ""
    tokens_before: Count | None = None
    tokens_after: Count | None = None


class PromptGiven(AgentEvent):
    type: Literal[EventType.PROMPT] = EventType.PROMPT
    origin: PromptOrigin = PromptOrigin.SYSTEM


class OutputText(AgentEvent):
    type: Literal[EventType.OUTPUT] = EventType.OUTPUT
    item: Text = ""
    chunk: Flag = False
    part: Count = 0
    stream: OutputStream = OutputStream.ANSWER
    tool: Text = ""  # the tool call that printed it


class ThinkingText(AgentEvent):
    type: Literal[EventType.THINKING] = EventType.THINKING
    item: Text = ""
    chunk: Flag = False
    part: Count = 0


class ToolStarted(AgentEvent):
    """`text` is one line for people: the command, the path or the query."""

    type: Literal[EventType.TOOL_STARTED] = EventType.TOOL_STARTED
    tool: Text
    name: Text
    kind: ToolKind = ToolKind.OTHER
    input: Object = Field(default_factory=dict)


class ToolFinished(AgentEvent):
    """`text` is the output, truncated at the end."""

    type: Literal[EventType.TOOL_FINISHED] = EventType.TOOL_FINISHED
    tool: Text
    name: Text = ""
    status: ToolStatus = ToolStatus.SUCCEEDED
    exit_code: Integer | None = None


class FileChanged(AgentEvent):
    type: Literal[EventType.FILE] = EventType.FILE
    path: Text
    change: FileChange
    moved_from: Text = ""
    additions: Count | None = None
    deletions: Count | None = None
    tool: Text = ""


class DiffReported(AgentEvent):
    """The size of all changes so far."""

    type: Literal[EventType.DIFF] = EventType.DIFF
    files: Count
    additions: Count
    deletions: Count


class TodoList(AgentEvent):
    """The whole current to-do list. `text` is a plan in prose."""

    type: Literal[EventType.TODO] = EventType.TODO
    items: tuple[TodoItem, ...] = ()


class ProgressReported(AgentEvent):
    """The current activity in one line, with its progress if known."""

    type: Literal[EventType.PROGRESS] = EventType.PROGRESS
    percent: Amount | None = None
    step: Count | None = None
    steps: Count | None = None
    tool: Text = ""


class Contribution(AgentEvent):
    """A lasting contribution: a commit, a pull request, an artifact. `text` is its title."""

    type: Literal[EventType.COMMIT] = EventType.COMMIT
    what: ContributionKind = ContributionKind.COMMIT
    sha: CommitId = ""
    url: WebAddress = ""
    files: Count | None = None
    additions: Count | None = None
    deletions: Count | None = None


class SubagentChanged(AgentEvent):
    type: Literal[EventType.SUBAGENT] = EventType.SUBAGENT
    phase: LifecyclePhase
    name: Text = ""
    session: Text = ""
    tool: Text = ""


class QuestionRaised(AgentEvent):
    """Questions to people. For an answered question, `text` is the answer."""

    type: Literal[EventType.QUESTION] = EventType.QUESTION
    key: Text
    asks: tuple[QuestionItem, ...] = ()
    decision: DecisionState = DecisionState.ASKED
    blocking: Flag = True


class ApprovalRequested(AgentEvent):
    """A request for permission. `text` is one line for people."""

    type: Literal[EventType.APPROVAL] = EventType.APPROVAL
    key: Text
    decision: DecisionState = DecisionState.ASKED
    name: Text = ""
    tool: Text = ""
    input: Object = Field(default_factory=dict)
    reason: Text = ""
    by: Text = ""


class KnowledgeFound(AgentEvent):
    type: Literal[EventType.KNOWLEDGE] = EventType.KNOWLEDGE
    kind: Text = "FACT"
    evidence: Text = ""


class TokenUsage(AgentEvent):
    """Tokens and cost of this process in total, not since the last report. `input_tokens` includes cached ones."""

    type: Literal[EventType.USAGE] = EventType.USAGE
    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_tokens: Count = 0
    reasoning_tokens: Count = 0
    cost_usd: Amount | None = None
    context_window: Count | None = None
    context_used: Count | None = None
    model: Text = ""


class ProviderLimit(AgentEvent):
    """A rate limit of the model's provider."""

    type: Literal[EventType.LIMIT] = EventType.LIMIT
    state: LimitState
    window: Text = ""
    resets_at: Amount | None = None  # seconds since 1970
    used: Amount | None = None  # 0 to 1


class AgentWarning(AgentEvent):
    type: Literal[EventType.WARNING] = EventType.WARNING
    code: Text = ""
    level: LogLevel = LogLevel.WARNING


class AgentFailure(AgentEvent):
    type: Literal[EventType.ERROR] = EventType.ERROR
    code: Text = "AGENT_ERROR"
    retryable: Flag = False
    level: LogLevel = LogLevel.ERROR


class AttemptChanged(AgentEvent):
    type: Literal[EventType.ATTEMPT] = EventType.ATTEMPT
    number: Count
    phase: LifecyclePhase
    reason: Text = ""


Event = Annotated[
    StatusChanged
    | PromptGiven
    | OutputText
    | ThinkingText
    | ToolStarted
    | ToolFinished
    | FileChanged
    | DiffReported
    | TodoList
    | ProgressReported
    | Contribution
    | SubagentChanged
    | QuestionRaised
    | ApprovalRequested
    | KnowledgeFound
    | TokenUsage
    | ProviderLimit
    | AgentWarning
    | AgentFailure
    | AttemptChanged,
    Discriminator("type"),
]
EVENTS: dict[EventType, type[AgentEvent]] = {
    event.model_fields["type"].default: event for event in AgentEvent.__subclasses__()
}
SPOKEN = (OutputText, ThinkingText)  # events that can be chunks


def is_ephemeral(event: AgentEvent) -> bool:
    """Whether an event is shown to followers of the run, and not stored."""
    return isinstance(event, SPOKEN) and event.chunk


class AgentResult(EventPart):
    """The result that an agent reports. A run succeeds only with one whose `ok` is true."""

    ok: Flag
    summary: Text = ""
    code: Text = ""
    reason: Text = ""
    retryable: Flag = False

    @classmethod
    def failed(cls, reason: str, code: str = "AGENT_ERROR", *, retryable: bool = False) -> Self:
        return cls(ok=False, code=code, reason=reason, retryable=retryable)
