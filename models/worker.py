"""Agent profiles, the workers that run agents, and the conversations of agent programs."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Json
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column
from models.refusal import Invalid
from models.run import PermissionLevel

MAX_PROFILES = 100  # of a workspace
MAX_WORKERS = 200  # of a workspace that are not deregistered
MAX_CAPABILITIES = 50
MAX_AT_ONCE = 100  # runs of one worker
HEARTBEAT_INTERVAL_SECONDS = 15.0  # interval of a worker's heartbeats
MAX_MISSED_HEARTBEATS = 3  # heartbeats, after which a worker is OFFLINE
SESSION_IDLE_AFTER = timedelta(minutes=30)  # an unused conversation is IDLE after this time
SESSION_MAX_AGE = timedelta(hours=4)  # an older conversation is TERMINATED
MAX_PERSONA_LENGTH = 20_000  # characters
MAX_OPTIONS = 50
MAX_OPTION_LENGTH = 2_000  # characters of one option's value
METRICS = 8_192  # bytes, as JSON
CAPABILITY = re.compile(r"[a-z0-9][a-z0-9.+#_-]{0,39}")


class AgentProgram(DescribedEnum):
    """The agent program of a run."""

    CLAUDE_CODE = "CLAUDE_CODE", "Claude Code."
    CODEX = "CODEX", "Codex."
    GEMINI = "GEMINI", "Gemini CLI."
    OPENCODE = "OPENCODE", "OpenCode."
    COMMAND = "COMMAND", "A custom command."
    SCRIPTED = "SCRIPTED", "A recorded session that is replayed."


class AgentRole(DescribedEnum):
    """The role of an agent."""

    CODER = "CODER", "Writes code."
    PLANNER = "PLANNER", "Plans."
    REVIEWER = "REVIEWER", "Reviews work."
    TESTER = "TESTER", "Tests."
    INTEGRATOR = "INTEGRATOR", "Merges work."


class Skill(DescribedEnum):
    """The level of a capability, from lowest to highest."""

    BEGINNER = "BEGINNER", "The lowest level."
    INTERMEDIATE = "INTERMEDIATE", "The second level."
    ADVANCED = "ADVANCED", "The third level."
    EXPERT = "EXPERT", "The highest level."


class WorkerStatus(DescribedEnum):
    """The status of a worker, derived from its heartbeats and its runs."""

    IDLE = "IDLE", "It holds no run."
    BUSY = "BUSY", "At least one of its runs is at work."
    WAITING = "WAITING", "It holds runs, and all of them wait."
    ERROR = "ERROR", "It reports an error."
    OFFLINE = "OFFLINE", "It missed three heartbeats (45 seconds), or was deregistered."


class SessionStatus(DescribedEnum):
    """The status of an agent session."""

    ACTIVE = "ACTIVE", "It was used in the last 30 minutes."
    IDLE = "IDLE", "It was not used in the last 30 minutes, and can be resumed."
    TERMINATED = "TERMINATED", "It was ended, or is older than four hours; it cannot be resumed."


class AgentProfile(Editable, Base):
    """The configuration of an agent: its program, model, persona and permission."""

    __tablename__ = "agent_profile"
    __table_args__ = (UniqueConstraint("workspace_id", "name_folded"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("profile"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = mapped_column(String(160))
    role: Mapped[AgentRole] = mapped_column(enum_column(AgentRole), default=AgentRole.CODER)
    executor: Mapped[AgentProgram] = mapped_column(enum_column(AgentProgram, "executor"))
    model: Mapped[str | None] = mapped_column(String(100))
    persona: Mapped[str | None] = mapped_column(Text)  # the start of the agent's prompt
    options: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # of the agent program: texts by name
    permission: Mapped[PermissionLevel] = mapped_column(
        enum_column(PermissionLevel), default=PermissionLevel.AUTONOMOUS
    )
    capabilities: Mapped[list[str]] = mapped_column(Json, default=list)  # a worker must have all of them
    max_concurrent: Mapped[int | None]  # runs at once on all boards; None: no limit
    enabled: Mapped[bool] = mapped_column(default=True)


class Worker(Editable, Base):
    """A program that claims runs and executes them."""

    __tablename__ = "worker"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("worker"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    owner_id: Mapped[str] = mapped_column(Id)  # the key or person that registered it
    board_id: Mapped[str | None] = mapped_column(
        ForeignKey("board.id", ondelete="SET NULL")
    )  # its only board
    name: Mapped[str] = mapped_column(String(100))
    program: Mapped[str] = mapped_column(String(100), default="")  # name and version, as reported
    machine: Mapped[str | None] = mapped_column(String(64))  # its workers resume each other's sessions
    executors: Mapped[list[str]]
    kinds: Mapped[list[str]] = mapped_column(Json, default=list)  # kinds of runs; empty: all
    capabilities: Mapped[list[str]] = mapped_column(Json, default=list)  # each with every level it reaches
    skills: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # level by capability, as reported
    repositories: Mapped[list[str] | None] = mapped_column(Json)  # host/owner/name; None: any
    max_concurrent: Mapped[int] = mapped_column(default=1)
    metrics: Mapped[dict[str, Any] | None]  # as last reported
    error: Mapped[str | None] = mapped_column(String(500))  # as last reported
    heard_at: Mapped[datetime]
    deregistered_at: Mapped[datetime | None]


class AgentSession(Editable, Base):
    """A conversation of an agent program. It can be resumed by its worker and others of its machine."""

    __tablename__ = "agent_session"
    __table_args__ = (
        UniqueConstraint("worker_id", "external_id"),
        Index("ix_agent_session_card_id", "card_id"),
        Index("ix_agent_session_board_id", "board_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("chat"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    worker_id: Mapped[str] = mapped_column(ForeignKey("worker.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("agent_session.id", ondelete="SET NULL"))
    external_id: Mapped[str] = mapped_column(String(200))  # the program's own id of it
    executor: Mapped[str] = mapped_column(String(40))
    agent: Mapped[str | None] = mapped_column(String(200))
    usage: Mapped[dict[str, Any] | None]  # tokens and cost of the whole conversation, as its worker reported
    active_at: Mapped[datetime]
    terminated_at: Mapped[datetime | None]


def skills_of(path: str, given: Iterable[tuple[str, Skill]]) -> dict[str, Skill]:
    """Return the highest given level of each capability. Raises Invalid."""
    levels, skills = list(Skill), dict[str, Skill]()
    for index, (name, level) in enumerate(given):
        folded = name.strip().lower()
        if not CAPABILITY.fullmatch(folded):
            raise Invalid((f"{path}.{index}.name", "must have 1 to 40 letters, digits, and . + # _ -"))
        skills[folded] = max(skills.get(folded, level), level, key=levels.index)
    if len(skills) > MAX_CAPABILITIES:
        raise Invalid((path, f"must name at most {MAX_CAPABILITIES}, not {len(skills)}"))
    return skills


def needs(skills: dict[str, Skill]) -> list[str]:
    """Return the requirements of a run in the form that the queue compares."""
    return sorted(f"{name}:{level}" for name, level in skills.items())


def reaches(skills: dict[str, Skill]) -> list[str]:
    """Return the offer of a worker in the form that the queue compares. A level includes all lower ones."""
    levels = list(Skill)
    return sorted(
        f"{name}:{level}" for name, best in skills.items() for level in levels[: levels.index(best) + 1]
    )


def needed(needs: list[str]) -> dict[str, Skill]:
    """Return the levels by capability of requirements that `needs` made."""
    split = (need.rpartition(":") for need in needs)
    return {name: Skill(level) for name, _, level in split}


def is_offline(heard_at: datetime, now: datetime) -> bool:
    return now - heard_at >= timedelta(seconds=HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)


def status_of(
    worker: Any, held: int, waiting: int, now: datetime, spoke_at: datetime | None = None
) -> WorkerStatus:
    """Return the status of a worker that holds `held` runs, of which `waiting` wait.

    `spoke_at` is the time of its last report about one of them."""
    heard_at = worker.heard_at if spoke_at is None else max(worker.heard_at, spoke_at)
    if worker.deregistered_at is not None or is_offline(heard_at, now):
        return WorkerStatus.OFFLINE
    if worker.error is not None:
        return WorkerStatus.ERROR
    if held == 0:
        return WorkerStatus.IDLE
    return WorkerStatus.WAITING if held == waiting else WorkerStatus.BUSY


def session_status(session: Any, now: datetime) -> SessionStatus:
    if session.terminated_at is not None or now - session.created_at >= SESSION_MAX_AGE:
        return SessionStatus.TERMINATED
    return SessionStatus.IDLE if now - session.active_at >= SESSION_IDLE_AFTER else SessionStatus.ACTIVE


def program_of(executor: str | None, worker: Any) -> str:
    """Return the program that a worker executes a run with: the required one, else the worker's first."""
    return executor or next(iter(worker.executors), "")


def reusable(session: Any, now: datetime) -> bool:
    """Whether a conversation can be resumed on its worker."""
    return session_status(session, now) is not SessionStatus.TERMINATED
