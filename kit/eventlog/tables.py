"""What happened, as rows: a `topic` counts its events, an `event` has its number there.

The numbers of a topic are dense and follow commit order, because `NUMBER` locks the topic's row until
COMMIT. A sequence or an identity column would not do: its numbers are taken before COMMIT, so a reader
that saw 8 would never be shown a 7 that commits later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id

# An identity column would be BIGINT on PostgreSQL; SQLite knows one integer.
Number = BigInteger().with_variant(Integer(), "sqlite")


class Topic(Base):
    """One feed: how far it is, and from where it is kept."""

    __tablename__ = "topic"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    epoch: Mapped[str] = mapped_column(String(16))  # another one after a restore: old cursors say so
    last: Mapped[int] = mapped_column(Number)  # number of the newest event
    lowest: Mapped[int] = mapped_column(Number, server_default="1")  # number of the oldest kept


class Event(Base):
    """One thing that happened, on one topic. Never changed after COMMIT."""

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "subject", "at"),  # the history of one thing
        Index("ix_event_tenant_at", "tenant", "at"),  # the audit log of a tenant
    )

    topic: Mapped[str] = mapped_column(String(100), primary_key=True)
    seq: Mapped[int] = mapped_column(Number, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[str | None] = mapped_column(Id)
    tenant: Mapped[str | None] = mapped_column(Id)  # None on copies, so that an audit tells it once
    subject: Mapped[str | None] = mapped_column(Id)  # what it happened to; None on copies
    request_id: Mapped[str | None] = mapped_column(String(64))
    batch: Mapped[str | None] = mapped_column(Id)  # shared by what one bulk change did
    data: Mapped[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Beside:
    """A table that goes with a log, though its rows have no time of their own.

    owner: the column that says whose a row is.
    ended: the condition that the owner of a row ended before a moment.
    """

    owner: Any
    ended: Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True, eq=False)
class Log:
    """A table of rows that are numbered by topic, and followed by their numbers.

    table:  has `topic` and `seq`, its key.
    page:   rows that are read at once.
    ring:   rows of a topic that are kept in memory while somebody follows it.
    beside: what is forgotten with it.
    """

    table: Any
    page: int = 100
    ring: int = 256
    beside: Beside | None = None


EVENTS = Log(Event.__table__)

# Takes `n` numbers and locks the topic until COMMIT. PostgreSQL and SQLite alike.
NUMBER = text(
    "INSERT INTO topic (name, epoch, last) VALUES (:topic, :epoch, :n)"
    " ON CONFLICT (name) DO UPDATE SET last = topic.last + :n RETURNING last"
)
