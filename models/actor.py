"""The actor of a request, as its credential describes it.

A person sees the workspaces it is a member of, a key sees its workspace or one board of it, and an agent with its
run's own credential sees one card.
"""

from dataclasses import dataclass, field
from datetime import datetime

from kit.described_enum import DescribedEnum


class ActorKind(DescribedEnum):
    """The kind of an actor."""

    USER = "USER", "A person."
    AGENT = "AGENT", "An agent or another program with an API key."
    WORKER = "WORKER", "A worker."
    SYSTEM = "SYSTEM", "Signalbox itself."


class Scope(DescribedEnum):
    """The scope of an API key."""

    WRITE = "WRITE", "Allows everything that a member may do."
    READ = "READ", "Allows reading only."
    WORKER = "WORKER", "Allows claiming and executing runs."


@dataclass(frozen=True)
class Actor:
    kind: ActorKind
    id: str  # of the user, the key or the run
    workspace_id: str | None = None  # where a key belongs; None for people, who may have several
    board_id: str | None = None  # the only board a key sees
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    session_id: str | None = None  # family of the login this access token came from
    expires_at: datetime | None = None
    card_id: str | None = None  # the only card a run sees
    attempt: int | None = None  # of the run: its credential is good while this one is open

    @property
    def is_person(self) -> bool:
        return self.kind is ActorKind.USER

    @property
    def run_id(self) -> str | None:
        """The id of the run whose agent this is; None for any other actor."""
        return self.id if self.card_id is not None else None

    @property
    def may_write(self) -> bool:
        """Whether this kind of credential may write at all; the role decides the rest."""
        return self.is_person or Scope.WRITE in self.scopes

    @property
    def may_work(self) -> bool:
        """Whether this kind of credential may claim runs and report on them. A run's own credential may not."""
        return self.card_id is None and (self.may_write or Scope.WORKER in self.scopes)
