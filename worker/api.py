"""What a worker needs of the public API: the words between them, and nothing of how they travel.

Every report names its lease: the run, the number of the attempt, and its token. `Stale` means that somebody else
has the run now, or that it ended: whatever the worker still knows changes nothing any more. worker/client.py
speaks these words over GraphQL.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from protocol.events import QuestionItem
from worker.worktree import Diff, Made

Row = dict[str, Any]


class LeaseLost(Exception):
    """The lease is not ours any more."""


class ServerUnreachable(Exception):
    """The server did not answer. It may or may not have heard; asking again is safe.

    `after` is how many seconds it wants to be left alone, where it said so; `restarts`, that it is about to end.
    """

    after: float = 0.0
    restarts: bool = False


class ServerRejected(Exception):
    """The server understood and said no. The same again would be refused again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Registering the same name again is the same worker."""

    name: str
    version: str
    executors: tuple[str, ...]
    at_once: int = 1
    capabilities: dict[str, str] = field(default_factory=dict)  # name to level


@dataclass(frozen=True, kw_only=True)
class LeaseTicket:
    run: str
    attempt: int
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ClaimedWork:
    """A run that is ours, and everything it was given when it was claimed."""

    lease: LeaseTicket
    executor: str
    prompt: str
    whole: str = ""  # what a new conversation is told, where `session` turns out to be lost; empty: the same
    repository: str = ""  # a folder on this machine; empty: the worker's own
    base: str = "HEAD"
    branch: str = ""  # go on with this branch
    branch_template: str = "signalbox/{card}-{slug}"
    names: dict[str, str] = field(default_factory=dict)  # card, slug: for the template
    session: str = ""
    model: str = ""
    instructions: str = ""
    supervised: bool = False
    strict: bool = False  # supervised in each step
    keeps_files: bool = False  # its agent was told to change no file, so nothing it leaves is committed
    options: dict[str, str] = field(default_factory=dict)
    tools: Row = field(default_factory=dict, repr=False)  # MCP servers by name
    env: dict[str, str] = field(default_factory=dict, repr=False)  # what lets a program ask the API itself
    silence: float = 300.0  # seconds
    wall: float = 3600.0  # seconds
    lease_seconds: float = 60.0


@dataclass(frozen=True, kw_only=True)
class WorkerCommand:
    """Delivered at least once; acknowledged when it was carried out."""

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
class Decide(WorkerCommand):
    key: str
    allow: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class LeaseState:
    """A sign of life for one lease, and whether its agent showed one too since the last."""

    lease: LeaseTicket
    active: bool = False


@dataclass(frozen=True, kw_only=True)
class HeartbeatAnswer:
    """What a heartbeat was answered: runs whose leases are lost, and commands."""

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
    warnings: tuple[str, ...] = ()  # what people should know about the work


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What was done until then is reported too: work is kept."""

    code: str
    reason: str
    retryable: bool
    result: FinishedWork | None = None


class WorkerApi(Protocol):
    async def register(self, worker: Registration) -> str: ...

    async def deregister(self, worker: str) -> None: ...

    async def claim(self, worker: str, most: int) -> list[ClaimedWork]:
        """Claim up to `most` runs; waits a while on the server's side when there is none."""
        ...

    def commands(self, worker: str) -> AsyncIterator[WorkerCommand]:
        """Commands as they come. It may end at any time; heartbeats carry the same commands."""
        ...

    async def acknowledge(self, lease: LeaseTicket, command: str) -> None: ...

    async def heartbeat(self, worker: str, beats: Sequence[LeaseState]) -> HeartbeatAnswer:
        """Extend every lease at once."""
        ...

    async def report(self, lease: LeaseTicket, key: str, events: Sequence[Row]) -> None:
        """Append events once, however often the same key comes. Raises Stale."""
        ...

    async def ask(
        self, lease: LeaseTicket, key: str, asks: Sequence[QuestionItem], session: str, *, blocking: bool
    ) -> dict[str, list[str]] | None:
        """Ask a person. The run waits from now on; the answer comes as a command, here or to its next worker.

        What an attempt before this one asked with the same key may be answered already: then this is the answer.
        """
        ...

    async def complete(self, lease: LeaseTicket, result: FinishedWork) -> None: ...

    async def fail(self, lease: LeaseTicket, failure: Failure) -> None: ...

    async def stopped(self, lease: LeaseTicket, result: FinishedWork | None) -> None:
        """Confirm that the run was stopped as a person wished."""
        ...

    async def release(self, lease: LeaseTicket, reason: str, session: str) -> None:
        """Give the attempt back: it is no failure."""
        ...
