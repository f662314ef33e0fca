"""Runs: the work of an agent on a card, its progress and its result.

A run is a job of the queue with the same id. The queue stores its attempts: the workers and their leases. The run
stores the work. Both change in one transaction. `STATUS` has the allowed changes of status.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.eventlog.tables import Number
from kit.ids import maker
from models.card import Priority
from models.columns import Editable, Ordered, Stamped, enum_column

MAX_PROFILES = 5  # siblings started together
MAX_ACTIVE = 20  # active runs of one card
MAX_EVENTS = 250  # in one report
MAX_DATA = 65_536  # bytes of one event's data, as JSON
MAX_TEXT = 262_144  # characters of one event's text
MAX_FILES = 500  # stored of a result's list of files
MAX_COMMITS = 100
MAX_PATCH = 524_288  # characters
MAX_WARNINGS = 50
MAX_UNDELIVERED = 20  # messages to the agent of a run that its worker has not acknowledged
MAX_INSTRUCTION_LENGTH = 20_000  # characters
MAX_SUMMARY_LENGTH = 20_000
RUN_PASS = "run"  # noqa: S105 - the purpose of a run's signed token
RUN_PREFIX = "sbr_"  # the prefix of a run's own credential


class RunKind(DescribedEnum):
    """The kind of work of a run."""

    CODE = "CODE", "Change the code as the card asks."
    PLAN = "PLAN", "Plan the card: its steps become subtasks."
    REVIEW = "REVIEW", "Review the work on the card."
    TEST = "TEST", "Test the work on the card."
    INTEGRATE = "INTEGRATE", "Merge the work with its base branch."
    DOCUMENT = "DOCUMENT", "Write the documentation that the card asks for."
    BREAKDOWN = "BREAKDOWN", "Break the card down into smaller ones."


class RunStatus(DescribedEnum):
    """The status of a run. The last three are final."""

    QUEUED = "QUEUED", "It waits for a worker."
    CLAIMED = "CLAIMED", "A worker holds it; its agent has not reported yet."
    RUNNING = "RUNNING", "Its agent is at work."
    WAITING = "WAITING", "It waits; see `waitReason`."
    SUCCEEDED = "SUCCEEDED", "It succeeded."
    FAILED = "FAILED", "It failed for good; see `failureCode`."
    CANCELLED = "CANCELLED", "It was stopped."


ACTIVE = (RunStatus.QUEUED, RunStatus.CLAIMED, RunStatus.RUNNING, RunStatus.WAITING)
TERMINAL = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED)
_ENDS = frozenset(TERMINAL)

# The allowed changes of status. The last three statuses are final.
STATUS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.CLAIMED, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.CLAIMED: frozenset({RunStatus.RUNNING, RunStatus.WAITING, RunStatus.QUEUED}) | _ENDS,
    RunStatus.RUNNING: frozenset({RunStatus.WAITING, RunStatus.QUEUED}) | _ENDS,
    RunStatus.WAITING: frozenset({RunStatus.RUNNING, RunStatus.QUEUED}) | _ENDS,
    RunStatus.SUCCEEDED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}


class WaitReason(DescribedEnum):
    """The reason why a run waits. Only QUESTION and DECISION are in use; the others are reserved."""

    QUESTION = "QUESTION", "An answer to a question or to a request for permission."
    APPROVAL = "APPROVAL", "An approval. Reserved."
    DECISION = "DECISION", "A decision of a person, because its agent changed nothing."
    CI = "CI", "Checks. Reserved."
    CHILDREN = "CHILDREN", "Other runs. Reserved."


class RunOutcome(DescribedEnum):
    """Whether a run changed anything."""

    CHANGES = "CHANGES", "It changed something, and its worker committed the rest."
    NO_CHANGES = "NO_CHANGES", "It changed nothing."
    AGENT_COMMITTED = "AGENT_COMMITTED", "It changed something, and its agent committed all of it."


class FailureCode(DescribedEnum):
    """The reason why a run failed."""

    AGENT_ERROR = "AGENT_ERROR", "Its agent reported an error, or ended without a result."
    TIMEOUT = "TIMEOUT", "It exceeded a time limit."
    SILENT = "SILENT", "Its agent was silent for too long."
    LEASE_EXPIRED = "LEASE_EXPIRED", "Its workers were lost too often."
    EXPIRED = "EXPIRED", "No worker claimed it in time."
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED", "It reached its maximum number of attempts."
    POLICY_VIOLATION = "POLICY_VIOLATION", "It did, or needed, something forbidden."
    WORKSPACE_ERROR = (
        "WORKSPACE_ERROR",
        "Its worker lacked the program, the repository or the branch.",
    )
    SESSION_LOST = "SESSION_LOST", "Its agent session no longer exists."
    QUESTION_EXPIRED = "QUESTION_EXPIRED", "Nobody answered its question in time."
    CHECK_FAILED = (
        "CHECK_FAILED",
        "A required check failed. Only workers report it, with `failRun`.",
    )
    REJECTED = (
        "REJECTED",
        "A person rejected it. Only workers report it, with `failRun`.",
    )
    LIMIT_REACHED = (
        "LIMIT_REACHED",
        "The provider's limit was reached. Only workers report it.",
    )


class PermissionLevel(DescribedEnum):
    """The freedom of an agent to act without asking, from least strict to strictest."""

    AUTONOMOUS = "AUTONOMOUS", "The agent may do everything that its program allows."
    SUPERVISED = "SUPERVISED", "Changes need permission."
    HUMAN_REQUIRED = (
        "HUMAN_REQUIRED",
        "Only people decide about steps and close questions; defaults do not apply.",
    )


def stricter(one: PermissionLevel, other: PermissionLevel) -> PermissionLevel:
    return max(one, other, key=list(PermissionLevel).index)


class AgentState(DescribedEnum):
    """The state of the agents on a card, derived from its newest run."""

    IDLE = "IDLE", "No agent is at work or requested."
    QUEUED = "QUEUED", "A run waits for a worker."
    STARTING = "STARTING", "A worker holds the run; its agent starts."
    PLANNING = "PLANNING", "An agent plans the card."
    WORKING = "WORKING", "An agent is at work."
    WAITING_TOOL = "WAITING_TOOL", "An agent waits for a tool: a command, a download."
    WAITING_INPUT = "WAITING_INPUT", "An agent waits for an answer."
    BLOCKED = "BLOCKED", "An agent waits for something else."
    SUCCEEDED = "SUCCEEDED", "The last run succeeded."
    FAILED = "FAILED", "The last run failed."
    CANCELLED = "CANCELLED", "The last run was stopped."


class WhyNotRunningCode(DescribedEnum):
    """The reason why a run is not running."""

    BLOCKED = "BLOCKED", "Cards that block its card are not done."
    WIP_LIMIT = "WIP_LIMIT", "The column that its card would enter is full."
    REVIEW_LIMIT = "REVIEW_LIMIT", "Too many cards wait for a review."
    BOARD_ARCHIVED = "BOARD_ARCHIVED", "The board is archived."
    CARD_ARCHIVED = "CARD_ARCHIVED", "The card is archived."
    NO_CAPABLE_WORKER = "NO_CAPABLE_WORKER", "No worker that can execute it is online."
    LIMIT_REACHED = "LIMIT_REACHED", "The limit of the board or of its profile is reached."
    DUE_LATER = "DUE_LATER", "It failed and is retried later."
    IN_QUEUE = "IN_QUEUE", "It waits for its turn."
    LEASE_HELD = "LEASE_HELD", "A worker holds it, and its agent has not reported yet."
    WAITS = "WAITS", "It waits; see `waitReason`."
    STOPPING = "STOPPING", "It was asked to stop."


class CommandKind(DescribedEnum):
    """A command to a worker about a run that it holds."""

    STOP = "STOP", "Stop the agent, keep its work, then confirm."
    CONCLUDE = "CONCLUDE", "Let the agent wrap up and finish."
    ANSWER = "ANSWER", "Give the agent the answers that it waits for."
    MESSAGE = "MESSAGE", "Give the agent a message of a person."


class MessageMode(DescribedEnum):
    """The time at which an agent at work gets a message."""

    QUEUE = "QUEUE", "After its current turn."
    INTERRUPT = "INTERRUPT", "At once: its current turn is interrupted."


_ACTIVE_SQL = "status IN ('QUEUED', 'CLAIMED', 'RUNNING', 'WAITING')"


class Run(Editable, Base):
    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_card_id", "card_id"),
        Index("ix_run_board_id_status", "board_id", "status"),
        Index("ix_run_batch_id", "batch_id", "place"),
        Index(
            "uq_run_chosen_card",
            "card_id",
            unique=True,
            sqlite_where=text("chosen_at IS NOT NULL"),
            postgresql_where=text("chosen_at IS NOT NULL"),
        ),
        Index(
            "ix_run_active_card",
            "card_id",
            sqlite_where=text(_ACTIVE_SQL),
            postgresql_where=text(_ACTIVE_SQL),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("run"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    kind: Mapped[RunKind] = mapped_column(enum_column(RunKind))
    status: Mapped[RunStatus] = mapped_column(enum_column(RunStatus), default=RunStatus.QUEUED)
    wait_reason: Mapped[WaitReason | None] = mapped_column(enum_column(WaitReason))
    held_by: Mapped[str | None] = mapped_column(String(20))  # the MoveGate that holds back a queued run
    priority: Mapped[Priority] = mapped_column(Ordered(Priority))
    permission: Mapped[PermissionLevel] = mapped_column(enum_column(PermissionLevel))
    profile_id: Mapped[str | None] = mapped_column(Id)  # of a row that may be deleted, as are the ids below
    executor: Mapped[str | None] = mapped_column(String(40))  # None: any
    instruction: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(Id)
    retry_of: Mapped[str | None] = mapped_column(Id)
    retries: Mapped[int] = mapped_column(default=0)  # number of runs before it in that chain
    batch_id: Mapped[str | None] = mapped_column(Id)  # shared by runs that were started together
    place: Mapped[int | None]  # in the batch; a retry takes the place of its run
    chosen_at: Mapped[datetime | None]  # time of a person's choice; at most one run of a card is chosen
    base_ref: Mapped[str | None] = mapped_column(String(200))
    session_id: Mapped[str | None] = mapped_column(Id)
    workspace_ref: Mapped[str | None] = mapped_column(Id)  # the run whose folder and branch it goes on with
    worker_id: Mapped[str | None] = mapped_column(Id)  # the newest attempt's
    attempt: Mapped[int] = mapped_column(default=0)  # number of the newest attempt: the fencing token
    snapshot: Mapped[dict[str, Any] | None]  # the work order, frozen at the first claim
    created_by: Mapped[str | None] = mapped_column(Id)  # a user or a key; None: the board's rule

    queued_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]
    stop_reason: Mapped[str | None] = mapped_column(String(500))
    reported_at: Mapped[datetime | None]  # time of its agent's last report, or of the end of its last wait
    progress: Mapped[dict[str, Any] | None]  # RunProgress as JSON
    progress_told_at: Mapped[datetime | None]

    branch: Mapped[str | None] = mapped_column(String(300))
    head_sha: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[RunOutcome | None] = mapped_column(enum_column(RunOutcome))
    summary: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any] | None]  # files, commits, warnings, metrics
    patch: Mapped[str | None] = mapped_column(Text)
    exit_code: Mapped[int | None]
    score: Mapped[float | None]  # of a REVIEW run: of the reviewed work, 0 to 1
    failure_code: Mapped[FailureCode | None] = mapped_column(enum_column(FailureCode))
    failure_reason: Mapped[str | None] = mapped_column(Text)


class RunLogLine(Base):
    """A line of a run's log, numbered by the run's topic. It has a table of its own because of its size."""

    __tablename__ = "run_event"

    topic: Mapped[str] = mapped_column(String(100), primary_key=True)
    seq: Mapped[int] = mapped_column(Number, primary_key=True)
    attempt: Mapped[int]
    type: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(10))
    agent: Mapped[str | None] = mapped_column(String(200))  # the sub-agent; None for the main agent
    text: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class RunReport(Base):
    """A stored report of events. A repeated report with its key is not stored again."""

    __tablename__ = "run_report"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    last_seq: Mapped[int] = mapped_column(Number)
    digest: Mapped[str] = mapped_column(String(64))  # of the batch: the same key with another one is refused


class RunLive(Base):
    """The open text of an agent since the last stored part. It is overwritten, and deleted at the end."""

    __tablename__ = "run_live"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    item: Mapped[str] = mapped_column(String(200), primary_key=True)
    part: Mapped[int]  # number of the kept part that will hold this text
    type: Mapped[str] = mapped_column(String(20))
    agent: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(Text)


class RunCommand(Stamped, Base):
    """An instruction to a worker about a run it holds. It is sent until it is acknowledged."""

    __tablename__ = "run_command"
    __table_args__ = (UniqueConstraint("run_id", "attempt", "key"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("command"))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    attempt: Mapped[int]  # for whoever holds this attempt, and for nobody after
    kind: Mapped[CommandKind] = mapped_column(enum_column(CommandKind))
    key: Mapped[str] = mapped_column(String(100))  # of the questions that were answered; else the kind
    data: Mapped[dict[str, Any]]
    acknowledged_at: Mapped[datetime | None]


def may_become(was: RunStatus, now: RunStatus) -> bool:
    return now in STATUS[was]
