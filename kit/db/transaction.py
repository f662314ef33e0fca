"""A transaction: one session, its author, and what follows from it once it commits.

Writers receive a `Transaction`, never a bare session. Events that are emitted in it are numbered and stored just
before COMMIT; topics that are notified in it are published after COMMIT. A rollback drops both.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Author:
    """The actor that a transaction acts for; every event of the transaction names it."""

    kind: str
    id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that waits for its sequence number."""

    topic: str
    kind: str
    at: datetime
    tenant: str | None
    subject: str | None
    batch: str | None
    data: dict[str, Any]


class Transaction(AsyncSession):
    """A database session with an author, events to number and topics to notify."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.author: Author | None = None
        self.pending_events: list[PendingEvent] = []
        self.topics_to_notify: set[str] = set()

    def notify(self, topic: str) -> None:
        """Wake everyone who listens to `topic` after COMMIT, without an event."""
        self.topics_to_notify.add(topic)
