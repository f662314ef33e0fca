"""Runs: what an agent is asked to do on a card, how far it is, and what came out.

A run is a job of the queue under the same id: the queue knows who has it and for how long (its attempts), the
run knows what it is about. Both change in one transaction. `STATUS` says which status follows which.
"""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.eventlog.tables import Number
from kit.ids import maker
from models.card import Priority
from models.columns import Editable, Ordered, Stamped, enum_column

MAX_PROFILES = 5  # siblings started together
MAX_ACTIVE = 20  # active runs of one card
MAX_EVENTS = 250  # in one report
MAX_DATA = 65_536  # bytes of one event's data, as JSON
MAX_TEXT = 262_144  # characters of one event's text
MAX_FILES = 500  # kept of a result's list of files
MAX_COMMITS = 100
MAX_PATCH = 524_288  # characters
MAX_WARNINGS = 50
MAX_INSTRUCTION_LENGTH = 20_000  # characters
MAX_SUMMARY_LENGTH = 20_000
RUN_PASS = "run"  # noqa: S105 - what the signed pass of a run is for
RUN_PREFIX = "sbr_"  # how a run's own credential begins


class RunKind(enum.StrEnum):
    CODE = "CODE"
    PLAN = "PLAN"
    REVIEW = "REVIEW"
    TEST = "TEST"
    INTEGRATE = "INTEGRATE"
    DOCUMENT = "DOCUMENT"
    BREAKDOWN = "BREAKDOWN"


class RunStatus(enum.StrEnum):
    QUEUED = "QUEUED"
    CLAIMED = "CLAIMED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


ACTIVE = (RunStatus.QUEUED, RunStatus.CLAIMED, RunStatus.RUNNING, RunStatus.WAITING)
TERMINAL = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED)
_ENDS = frozenset(TERMINAL)

# Which status follows which. What is not here never happens; the end is final.
STATUS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.CLAIMED, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.CLAIMED: frozenset({RunStatus.RUNNING, RunStatus.WAITING, RunStatus.QUEUED}) | _ENDS,
    RunStatus.RUNNING: frozenset({RunStatus.WAITING, RunStatus.QUEUED}) | _ENDS,
    RunStatus.WAITING: frozenset({RunStatus.RUNNING, RunStatus.QUEUED}) | _ENDS,
    RunStatus.SUCCEEDED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}


class WaitReason(enum.StrEnum):
    QUESTION = "QUESTION"
    APPROVAL = "APPROVAL"
    DECISION = "DECISION"
    CI = "CI"
    CHILDREN = "CHILDREN"


class RunOutcome(enum.StrEnum):
    CHANGES = "CHANGES"
    NO_CHANGES = "NO_CHANGES"
    AGENT_COMMITTED = "AGENT_COMMITTED"


class FailureCode(enum.StrEnum):
    AGENT_ERROR = "AGENT_ERROR"
    TIMEOUT = "TIMEOUT"
    SILENT = "SILENT"
    LEASE_EXPIRED = "LEASE_EXPIRED"
    EXPIRED = "EXPIRED"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    POLICY_VIOLATION = "POLICY_VIOLATION"
    WORKSPACE_ERROR = "WORKSPACE_ERROR"
    SESSION_LOST = "SESSION_LOST"
    QUESTION_EXPIRED = "QUESTION_EXPIRED"
    CHECK_FAILED = "CHECK_FAILED"
    REJECTED = "REJECTED"
    LIMIT_REACHED = "LIMIT_REACHED"


class PermissionLevel(enum.StrEnum):
    """How freely an agent may act, from least strict to most."""

    AUTONOMOUS = "AUTONOMOUS"
    SUPERVISED = "SUPERVISED"
    HUMAN_REQUIRED = "HUMAN_REQUIRED"


def stricter(one: PermissionLevel, other: PermissionLevel) -> PermissionLevel:
    return max(one, other, key=list(PermissionLevel).index)


class AgentState(enum.StrEnum):
    """What agents are doing on a card. Derived from its newest run, never stored."""

    IDLE = "IDLE"
    QUEUED = "QUEUED"
    STARTING = "STARTING"
    PLANNING = "PLANNING"
    WORKING = "WORKING"
    WAITING_TOOL = "WAITING_TOOL"
    WAITING_INPUT = "WAITING_INPUT"
    BLOCKED = "BLOCKED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class WhyNotRunningCode(enum.StrEnum):
    """Why a run is not running."""

    BLOCKED = "BLOCKED"
    WIP_LIMIT = "WIP_LIMIT"
    BOARD_ARCHIVED = "BOARD_ARCHIVED"
    CARD_ARCHIVED = "CARD_ARCHIVED"
    NO_CAPABLE_WORKER = "NO_CAPABLE_WORKER"
    LIMIT_REACHED = "LIMIT_REACHED"
    DUE_LATER = "DUE_LATER"
    IN_QUEUE = "IN_QUEUE"
    LEASE_HELD = "LEASE_HELD"
    WAITS = "WAITS"
    STOPPING = "STOPPING"


class CommandKind(enum.StrEnum):
    STOP = "STOP"
    CONCLUDE = "CONCLUDE"
    ANSWER = "ANSWER"


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
    held_by: Mapped[str | None] = mapped_column(String(20))  # the gate that keeps a queued run: a MoveGate
    priority: Mapped[Priority] = mapped_column(Ordered(Priority))
    permission: Mapped[PermissionLevel] = mapped_column(enum_column(PermissionLevel))
    profile_id: Mapped[str | None] = mapped_column(Id)  # this and what follows may be gone: they say what was
    executor: Mapped[str | None] = mapped_column(String(40))  # None: whatever the worker has
    instruction: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(Id)
    retry_of: Mapped[str | None] = mapped_column(Id)
    retries: Mapped[int] = mapped_column(default=0)  # how many runs stand before it in that chain
    batch_id: Mapped[str | None] = mapped_column(Id)  # shared by runs that were started together
    place: Mapped[int | None]  # in the batch; a run that takes up another one takes its place
    chosen_at: Mapped[
        datetime | None
    ]  # when a person chose it before its card's others; at most one of a card is
    base_ref: Mapped[str | None] = mapped_column(String(200))
    session_id: Mapped[str | None] = mapped_column(Id)
    worker_id: Mapped[str | None] = mapped_column(Id)  # the last
    attempt: Mapped[int] = mapped_column(default=0)  # number of the newest: the fencing token
    snapshot: Mapped[dict[str, Any] | None]  # what its agent is given, frozen when it is first claimed
    created_by: Mapped[str | None] = mapped_column(Id)  # a user or a key; None: the board's rule

    queued_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]
    stop_reason: Mapped[str | None] = mapped_column(String(500))
    reported_at: Mapped[datetime | None]  # when its agent last said anything, or its wait ended
    progress: Mapped[dict[str, Any] | None]  # the little that a board shows
    progress_told_at: Mapped[datetime | None]

    branch: Mapped[str | None] = mapped_column(String(300))
    head_sha: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[RunOutcome | None] = mapped_column(enum_column(RunOutcome))
    summary: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any] | None]  # files, commits, warnings, metrics
    patch: Mapped[str | None] = mapped_column(Text)
    exit_code: Mapped[int | None]
    failure_code: Mapped[FailureCode | None] = mapped_column(enum_column(FailureCode))
    failure_reason: Mapped[str | None] = mapped_column(Text)


class RunEvent(Base):
    """One line of a run's log. Numbered as events are, by the run's topic; its own table, because it is large."""

    __tablename__ = "run_event"

    topic: Mapped[str] = mapped_column(String(100), primary_key=True)
    seq: Mapped[int] = mapped_column(Number, primary_key=True)
    attempt: Mapped[int]
    type: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(10))
    agent: Mapped[str | None] = mapped_column(String(200))  # the sub-agent that said it
    text: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class RunReport(Base):
    """A batch of events that was taken: sent again, it is not taken again."""

    __tablename__ = "run_report"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    last_seq: Mapped[int] = mapped_column(Number)
    digest: Mapped[str] = mapped_column(String(64))  # of the batch: the same key with another one is refused


class RunLive(Base):
    """What an agent is saying just now, since the last part of it that was kept. Rewritten, and gone in the end."""

    __tablename__ = "run_live"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    item: Mapped[str] = mapped_column(String(200), primary_key=True)
    part: Mapped[int]  # number of the kept part that will hold this text
    type: Mapped[str] = mapped_column(String(20))
    agent: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(Text)


class RunCommand(Stamped, Base):
    """Something a worker is to do about a run it holds. Told until it is acknowledged."""

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
