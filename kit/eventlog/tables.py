"""The tables of the event log: a `topic` counts its events, an `event` has a number on its topic.

The numbers of a topic are dense and follow commit order, because `NUMBER` locks the topic's row until COMMIT. A
sequence or an identity column cannot do this: its numbers are taken before COMMIT, and a reader that has seen 8
would never get a 7 that commits later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id

# An identity column would be BIGINT on PostgreSQL; SQLite knows one integer.
Number = BigInteger().with_variant(Integer(), "sqlite")


class Topic(Base):
    """A topic, with the numbers of its newest and its oldest event."""

    __tablename__ = "topic"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    epoch: Mapped[str] = mapped_column(String(16))  # renewed after a restore, which invalidates old cursors
    last: Mapped[int] = mapped_column(Number)  # number of the newest event
    lowest: Mapped[int] = mapped_column(Number, server_default="1")  # number of the oldest kept


class Event(Base):
    """An event on one topic. Never changed after COMMIT."""

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
    tenant: Mapped[str | None] = mapped_column(Id)  # None on copies, so that an audit log has the event once
    subject: Mapped[str | None] = mapped_column(Id)  # the id of what it happened to; None on copies
    request_id: Mapped[str | None] = mapped_column(String(64))
    correlation_id: Mapped[str | None] = mapped_column("batch", Id)  # shared by the events of one bulk change
    data: Mapped[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Beside:
    """A table that is pruned with a log, though its rows have no time of their own.

    owner: the column with the id of a row's owner.
    ended: makes the condition that the owner of a row ended before a moment.
    """

    owner: Any
    ended: Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True, eq=False)
class Log:
    """A table of rows that are numbered by topic, and followed by number.

    table:   has `topic` and `seq`, its key.
    page:    rows of one read.
    ring:    rows of a topic that are cached while it has followers.
    beside:  a table that is pruned with it.
    columns: the columns that are read, by the names that readers know; all of the table's if None.
    """

    table: Any
    page: int = 100
    ring: int = 256
    beside: Beside | None = None
    columns: Sequence[Any] | None = None


EVENT_COLUMNS = tuple(
    column.label("correlation_id") if column.name == "batch" else column for column in Event.__table__.c
)
EVENTS = Log(Event.__table__, columns=EVENT_COLUMNS)

# Takes `n` numbers and locks the topic until COMMIT. PostgreSQL and SQLite alike.
NUMBER = text(
    "INSERT INTO topic (name, epoch, last) VALUES (:topic, :epoch, :n)"
    " ON CONFLICT (name) DO UPDATE SET last = topic.last + :n RETURNING last"
)
