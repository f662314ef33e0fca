"""The part of the public API that a worker needs, independent of the transport.

Every report names its lease: the run, the attempt number and the token. `LeaseLost` means that another worker holds
the run or that the run has ended; then nothing the worker reports has an effect. worker/client.py implements
`WorkerApi` over GraphQL.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from protocol.events import QuestionItem
from worker.checks import FinishedCheck, RequiredCheck
from worker.workspace import WorkspaceRules
from worker.worktree import Diff, Made

Row = dict[str, Any]


class LeaseLost(Exception):
    """The worker does not hold the lease any more."""


class ServerUnreachable(Exception):
    """The server did not answer. It may have received the request; repeating the request is safe.

    `after` is the delay in seconds that the server asked for, else 0. `restarts` means that the server is shutting
    down.
    """

    after: float = 0.0
    restarts: bool = False


class ServerRejected(Exception):
    """The server refused the request. The same request would be refused again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A worker's registration. Registering a name again updates the same worker."""

    name: str
    version: str
    executors: tuple[str, ...]
    at_once: int = 1
    machine: str = ""  # workers with the same one resume each other's sessions
    capabilities: dict[str, str] = field(default_factory=dict)  # name to level


@dataclass(frozen=True, kw_only=True)
class LeaseTicket:
    run: str
    attempt: int
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """A conflict that people resolved: with a side, or with content."""

    path: str
    key: str  # the ids of the three versions
    side: str = ""  # OURS, THEIRS
    content: str = ""


@dataclass(frozen=True, kw_only=True)
class BranchWork:
    """A task on a branch that the worker does with git, without an agent."""

    id: str
    kind: str  # MERGE, SYNC, PUSH, CREATE
    strategy: str  # MERGE, SQUASH, REBASE
    branch: str
    base: str  # empty: the branch that the repository has checked out
    head: str = ""  # the expected tip of `branch`; empty: any
    message: str = ""
    resolutions: tuple[Resolution, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MergeConflict:
    """A file in conflict. A version that does not exist, is not text or is too long is None."""

    path: str
    key: str
    base: str | None = None
    ours: str | None = None
    theirs: str | None = None


@dataclass(frozen=True, kw_only=True)
class BranchResult:
    """The result of a task: a commit, conflicts, or a fault."""

    summary: str
    sha: str = ""
    conflicts: tuple[MergeConflict, ...] = ()
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class ClaimedWork:
    """A claimed run with its lease and all of its inputs."""

    lease: LeaseTicket
    executor: str
    prompt: str
    issue: Row = field(default_factory=dict)  # the card, in the terms of WORKFLOW.md
    task: BranchWork | None = None  # instead of an agent
    whole: str = ""  # prompt of a new session, if `session` is lost; empty: `prompt`
    repository: str = ""  # a folder on this machine; empty: the worker's repository
    base: str = "HEAD"
    branch: str = ""  # an existing branch to continue; empty: a new one
    branch_template: str = "signalbox/{card}-{slug}"
    names: dict[str, str] = field(default_factory=dict)  # `card` and `slug`, for `branch_template`
    session: str = ""
    session_usage: Row | None = None  # tokens and cost of that session until now
    workspace: str = ""  # names the folder; empty: the run
    model: str = ""
    instructions: str = ""
    supervised: bool = False
    strict: bool = False  # every step needs a person's decision
    keeps_files: bool = False  # the agent must not change files; nothing is committed for it
    options: dict[str, str] = field(default_factory=dict)
    tools: Row = field(default_factory=dict, repr=False)  # MCP servers by name
    env: dict[str, str] = field(
        default_factory=dict, repr=False
    )  # credentials with which the program calls the API
    silence: float = 300.0  # seconds
    wall: float = 3600.0  # seconds
    lease_seconds: float = 60.0
    rules: WorkspaceRules = field(default_factory=WorkspaceRules)
    checks: tuple[RequiredCheck, ...] = ()  # to run after the agent has ended
    first_paths: tuple[str, ...] = ()  # globs of paths to name first in a list that is cut


@dataclass(frozen=True, kw_only=True)
class WorkerCommand:
    """A command for a run. It is delivered at least once and acknowledged after it was executed."""

    id: str
    run: str


@dataclass(frozen=True, kw_only=True)
class Stop(WorkerCommand):
    reason: str = "A person stopped the run"


@dataclass(frozen=True, kw_only=True)
class Conclude(WorkerCommand):
    pass


@dataclass(frozen=True, kw_only=True)
class QuestionAnswer(WorkerCommand):
    key: str
    answers: dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class PersonMessage(WorkerCommand):
    body: str
    interrupts: bool = False  # else it waits for the end of the turn


@dataclass(frozen=True, kw_only=True)
class Decide(WorkerCommand):
    key: str
    allow: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class LeaseState:
    """A held lease, and whether its agent was active since the last heartbeat."""

    lease: LeaseTicket
    active: bool = False


@dataclass(frozen=True, kw_only=True)
class HeartbeatAnswer:
    """The answer to a heartbeat: the runs whose leases are lost, and pending commands."""

    lost: frozenset[str] = frozenset()
    commands: tuple[WorkerCommand, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FinishedWork:
    summary: str
    branch: str
    head: str
    outcome: str  # CHANGES, NO_CHANGES, AGENT_COMMITTED
    diff: Diff
    commits: tuple[Made, ...] = ()
    session: str = ""
    exit_code: int | None = None
    metrics: Row = field(default_factory=dict)
    session_usage: Row = field(default_factory=dict)  # of the whole session
    warnings: tuple[str, ...] = ()  # shown to people with the result


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failed attempt. `result` is the work done until then, which is kept."""

    code: str
    reason: str
    retryable: bool
    result: FinishedWork | None = None


class WorkerApi(Protocol):
    async def register(self, worker: Registration) -> str: ...

    async def deregister(self, worker: str) -> None: ...

    async def claim(self, worker: str, most: int) -> list[ClaimedWork]:
        """Claim up to `most` runs. The server waits for a while if there is none."""
        ...

    def commands(self, worker: str) -> AsyncIterator[WorkerCommand]:
        """Yield commands as they are given. The stream may end at any time; heartbeats carry the same commands."""
        ...

    async def acknowledge(self, lease: LeaseTicket, command: str) -> None: ...

    async def heartbeat(self, worker: str, beats: Sequence[LeaseState]) -> HeartbeatAnswer:
        """Extend all leases in one request."""
        ...

    async def report(self, lease: LeaseTicket, key: str, events: Sequence[Row]) -> None:
        """Append events. A repeated `key` appends nothing. Raises LeaseLost."""
        ...

    async def ask(
        self, lease: LeaseTicket, key: str, asks: Sequence[QuestionItem], session: str, *, blocking: bool
    ) -> dict[str, list[str]] | None:
        """Ask people and suspend the run. The answer arrives as a command, at this worker or at the run's next one.

        Returns the answers if an earlier attempt asked with the same key and was answered, else None.
        """
        ...

    async def lock_repository(self, lease: LeaseTicket) -> None:
        """Take or renew the repository's lock. Raises ServerRejected (CONFLICT) while another run holds it."""
        ...

    async def finish_task(self, lease: LeaseTicket, result: BranchResult) -> None: ...

    async def report_checks(self, lease: LeaseTicket, sha: str, checks: Sequence[FinishedCheck]) -> None:
        """Report results of checks of a commit. A repeated report changes nothing."""
        ...

    async def report_diff(self, lease: LeaseTicket, base: str, head: str, diff: Diff, *, final: bool) -> None:
        """Report the changes so far. Hunks that the server has are not sent again."""
        ...

    async def complete(self, lease: LeaseTicket, result: FinishedWork) -> None: ...

    async def fail(self, lease: LeaseTicket, failure: Failure) -> None: ...

    async def stopped(self, lease: LeaseTicket, result: FinishedWork | None) -> None:
        """Confirm that the run was stopped on request."""
        ...

    async def release(self, lease: LeaseTicket, reason: str, session: str) -> None:
        """Return the attempt to the queue. It does not count as a failure."""
        ...
