"""Signs of life of workers: whatever a worker says counts, not its heartbeats alone.

A report extends the leases of the runs it is about, and says so on their attempts. A claim and the end of a run are
noted on the worker itself, but not more often than MIN_NOTE_SECONDS.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, update

from kit.db.clock import database_now
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.queue import Attempt
from models.worker import HEARTBEAT_INTERVAL_SECONDS, MAX_MISSED_HEARTBEATS, Worker

MIN_NOTE_SECONDS = 5.0


async def note_worker(tx: Transaction, worker_id: str | None, *clauses: ColumnElement[bool]) -> None:
    """Note that a worker was heard just now.

    Waits for nobody, so it may be called whatever is held: a worker that another transaction holds is heard there.
    """
    moment = utcnow()
    stale = Worker.heard_at < moment - timedelta(seconds=MIN_NOTE_SECONDS)
    mine = select(Worker.id).where(Worker.id == worker_id, Worker.deregistered_at.is_(None), stale, *clauses)
    free = mine.with_for_update(skip_locked=True).scalar_subquery()
    options = {"synchronize_session": False}
    await tx.execute(
        update(Worker).where(Worker.id.in_(free)).values(heard_at=moment), execution_options=options
    )


def is_alive(worker: Any = Worker) -> ColumnElement[bool]:
    """Whether a worker is there: it was heard in the last beats, or about a run that it holds."""
    since = utcnow() - timedelta(seconds=HEARTBEAT_INTERVAL_SECONDS * MAX_MISSED_HEARTBEATS)
    spoke = and_(Attempt.worker_id == worker.id, Attempt.ended_at.is_(None), Attempt.heartbeat_at > since)
    return and_(worker.deregistered_at.is_(None), or_(worker.heard_at > since, exists().where(spoke)))


async def holds_lease(tx: Transaction, worker_id: str) -> bool:
    """Whether a worker holds a run whose lease has not run out."""
    held = Attempt.worker_id == worker_id, Attempt.ended_at.is_(None), Attempt.lease_until > database_now()
    found: Sequence[Any] = (await tx.scalars(select(Attempt.job_id).where(*held).limit(1))).all()
    return bool(found)
