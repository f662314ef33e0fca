"""A transaction: one session, its author, and what follows from it once it commits.

Writers receive a `Transaction`, never a bare session. Events that are emitted in it are numbered and stored just
before COMMIT; topics that are notified in it are published after COMMIT. A rollback drops both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.orm.identity import IdentityMap

from kit.db.server_clock import CLOCK


@dataclass(frozen=True, slots=True)
class Author:
    """The actor that a transaction acts for; every event of the transaction names it."""

    kind: str
    id: str | None = None
    request_id: str | None = None


class EventScope(NamedTuple):
    """The home of an event: its topic, and the tenant in whose audit log it is."""

    id: str
    topic: str
    tenant_id: str | None

    @property
    def scope(self) -> "EventScope":
        return self


class HasScope(Protocol):
    """A row that is the home of events, or a scope itself."""

    @property
    def scope(self) -> EventScope: ...


class Emittable(Protocol):
    """An event before it is stored."""

    kind: ClassVar[str]  # the stored name

    @property
    def subject(self) -> str | None: ...

    def payload(self, rows: IdentityMap) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that waits for its sequence number. `tenant` and `subject` are those of the home copy only."""

    topic: str
    kind: str
    at: datetime
    tenant: str | None
    subject: str | None
    correlation_id: str | None
    data: dict[str, Any]


class FlushingSession(Session):
    """The session under a transaction; what follows from a flush listens to it."""


class Transaction(AsyncSession):
    """A database session with an author, events to number and topics to notify."""

    sync_session_class = FlushingSession

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.author: Author | None = None
        self.pending_events: list[PendingEvent] = []
        self.topics_to_notify: set[str] = set()

    def set_author(self, kind: str, id: str) -> None:
        """Name the actor where it becomes known only now: signing in starts without one."""
        self.author = replace(self.author or Author(kind), kind=kind, id=id)

    def emit(
        self, home: HasScope, event: Emittable, *, also: Iterable[str] = (), correlation_id: str | None = None
    ) -> None:
        """Append an event to the topic of `home`, and copies of it to the topics `also`.

        It is stored if and only if the transaction commits. Histories and audit logs leave the copies out.
        `correlation_id` is shared by the events of one bulk change.
        """
        scope = home.scope
        subject, data = event.subject or scope.id, event.payload(self.identity_map)
        self.append_event((scope.topic, *also), event.kind, scope.tenant_id, subject, data, correlation_id)

    def append_event(
        self,
        topics: Sequence[str],
        kind: str,
        tenant: str | None,
        subject: str | None,
        data: dict[str, Any],
        correlation_id: str | None = None,
    ) -> None:
        """Append an event as it is stored. The first topic is its home; the others get copies."""
        home, *copies = topics
        at = CLOCK.now()
        self.pending_events.append(PendingEvent(home, kind, at, tenant, subject, correlation_id, data))
        self.pending_events += [
            PendingEvent(topic, kind, at, None, None, correlation_id, data) for topic in copies
        ]

    def notify(self, topic: str) -> None:
        """Wake everyone who listens to `topic` after COMMIT, without an event."""
        self.topics_to_notify.add(topic)
