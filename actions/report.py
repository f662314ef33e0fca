"""Reports: what an agent says while it works, stored in the log of its run or only shown.

A report is a batch of events under an idempotency key. It locks the run, so the reports of a run are serialized
and its log is numbered without gaps. Every report takes the same number of statements: see
actions/report_statements.py.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

from sqlalchemy import delete, insert, select, update

from actions import validation
from actions.agent_session import MAX_EXTERNAL_ID_LENGTH
from actions.lease import Lease
from actions.report_statements import SAY, TAKE
from actions.run.change import emit_run_event, mark_started, store_lines
from actions.run.finish import keep_session
from actions.run.progress import MIN_INTERVAL_SECONDS, progressed, shown
from actions.run_log import Report, ReportedRow, lines_as_json, read_report
from auth.locking import lock_run_log
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.eventlog.event_log import new_epoch
from kit.queue import Ticket
from models.actor import Actor
from models.board import Board
from models.events.run import RunProgressed, run_facts
from models.policy import board_policy_of
from models.refusal import Conflict, LeaseLost
from models.run import TERMINAL, Run, RunLive, RunReport, RunStatus
from models.topic import run_topic
from protocol.events import StatusChanged

MAX_KEY_LENGTH = 100  # characters


@dataclass(frozen=True)
class Reported:
    """The result of a report. A duplicate appended nothing."""

    run_id: str
    last_seq: int
    duplicate: bool


class ReportingRun(Protocol):
    """The columns of a run that a report reads."""

    @property
    def id(self) -> str: ...
    @property
    def board_id(self) -> str: ...
    @property
    def workspace_id(self) -> str: ...
    @property
    def status(self) -> RunStatus: ...
    @property
    def progress(self) -> dict[str, Any] | None: ...
    @property
    def progress_told_at(self) -> datetime | None: ...
    @property
    def policy(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class ProgressUpdate:
    """The change of a run's progress by a report."""

    progress: dict[str, Any] | None  # None: unchanged
    told_at: datetime | None  # when the board is told; None: not now


async def report_run_events(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the run."],
    key: Annotated[str, "Idempotency key of the report, 1 to 100 characters."],
    events: Annotated[list[ReportedRow], "1 to 250 events, in order."],
) -> Reported:
    """Report events of the agent of a run. Send one report after the other, each until it is answered.

    A repeated report appends nothing and returns the first result, also after the lease has ended. Chunks of text
    (`chunk: true`) are shown to followers of the run, and dropped once the part that holds them is stored. Raises
    LeaseLost if the lease is not held, and Conflict if the key was used for other events.
    """
    key = validation.single_line("key", key, MAX_KEY_LENGTH)
    report = Report(read_report(events))
    run: ReportingRun = await lock_run_log(tx, actor, lease.id)
    at = utcnow()
    change = _progress_after(run, report, at)
    if run.status in TERMINAL:
        stored = await _previous(tx, run.id, key)
    elif queue.is_postgres(tx):
        stored = await _store_in_one_statement(tx, run, lease, key, report, change, at)
    else:
        stored = await _store_in_steps(tx, run, lease, key, report, change, at)
    if stored is None:
        raise LeaseLost(run.id, lease.attempt)
    last_seq, digest = stored
    if digest is not None:
        if digest != report.digest:
            raise Conflict("That key was used for other events of this run", run.id)
        return Reported(run.id, last_seq, duplicate=True)
    await _publish(tx, run, lease, report, change, last_seq)
    return Reported(run.id, last_seq, duplicate=False)


def _progress_after(run: ReportingRun, report: Report, at: datetime) -> ProgressUpdate:
    before = run.progress or {}
    now = progressed(before, [line.event for line in report.kept], at)
    if now == before and not before.get("untold"):
        return ProgressUpdate(None, None)
    now["untold"] = _is_early(run, at)
    return ProgressUpdate(now, None if now["untold"] else at)


def _is_early(run: ReportingRun, at: datetime) -> bool:
    """Whether the board was told less than a second ago, or is told by RUN_STARTED."""
    told_at = run.progress_told_at
    interval = timedelta(seconds=MIN_INTERVAL_SECONDS)
    return run.status is RunStatus.CLAIMED or (told_at is not None and at - told_at < interval)


# The number of the report's last line; and for a repeated report, the digest of the first.
Stored = tuple[int, str | None]


async def _store_in_one_statement(
    tx: Transaction,
    run: ReportingRun,
    lease: Ticket,
    key: str,
    report: Report,
    change: ProgressUpdate,
    at: datetime,
) -> Stored | None:
    """Store a report on PostgreSQL. Returns None if the lease is lost."""
    values = {
        "run": run.id,
        "attempt": lease.attempt,
        "hash": queue.hash_token(lease.token),
        "lease": board_policy_of(run.policy).lease_seconds,
        "key": key,
        "digest": report.digest,
        "topic": run_topic(run.id),
        "epoch": new_epoch(),
        "n": len(report.kept),
        "lines": lines_as_json(report.kept),
        "at": at,
        "ended": sorted(report.closed),
        "progress": None if change.progress is None else json.dumps(change.progress),
        "told_at": change.told_at,
    }
    rows = await TAKE.rows(tx, values)
    if not rows:
        return None
    tx.notify(run_topic(run.id))
    last_seq, digest = rows[0]
    return last_seq, digest


async def _store_in_steps(
    tx: Transaction,
    run: ReportingRun,
    lease: Ticket,
    key: str,
    report: Report,
    change: ProgressUpdate,
    at: datetime,
) -> Stored | None:
    """Store a report on SQLite, which cannot change several tables in one statement."""
    if (previous := await _previous(tx, run.id, key)) is not None:
        return previous
    seconds = board_policy_of(run.policy).lease_seconds
    if not await queue.heartbeats(tx, [lease], active=True, lease=seconds):
        return None
    last_seq = await store_lines(tx, run.id, lease.attempt, report.kept, at)
    row = {"run_id": run.id, "key": key, "last_seq": last_seq, "digest": report.digest}
    await tx.execute(insert(RunReport).values(row))
    if report.closed:
        await tx.execute(delete(RunLive).where(RunLive.run_id == run.id, RunLive.item.in_(report.closed)))
    values: dict[str, Any] = {"reported_at": at}
    values |= {} if change.progress is None else {"progress": change.progress}
    values |= {} if change.told_at is None else {"progress_told_at": change.told_at}
    await tx.execute(update(Run).where(Run.id == run.id).values(values))
    return last_seq, None


async def _previous(tx: Transaction, run_id: str, key: str) -> Stored | None:
    """Return the result of the first report with the key, if there was one."""
    is_same = RunReport.run_id == run_id, RunReport.key == key
    row = (await tx.execute(select(RunReport.last_seq, RunReport.digest).where(*is_same))).one_or_none()
    return None if row is None else (row.last_seq, row.digest)


async def _publish(
    tx: Transaction, run: Any, lease: Ticket, report: Report, change: ProgressUpdate, last_seq: int
) -> None:
    """Show the open text, tell the board the progress at most once a second, and store a new conversation."""
    board = Board(id=run.board_id, workspace_id=run.workspace_id)  # as much of it as events need
    if run.status is RunStatus.CLAIMED:
        await mark_started(tx, board, await tx.get_one(Run, run.id))
    if report.open:
        first = last_seq - len(report.kept)
        rows = [text.stored(run.id, item, lease.attempt, first) for item, text in report.open.items()]
        await tx.execute(SAY, rows)
    if change.told_at is not None:
        emit_run_event(tx, board, RunProgressed(**run_facts(run), progress=shown(change.progress)))
    if session := _session_of(report):
        await keep_session(tx, await tx.get_one(Run, run.id), session)


def _session_of(report: Report) -> str | None:
    """Return the conversation that a report names last; an attempt whose worker is killed resumes it."""
    events = [line.event for line in report.kept]
    named = [e.session for e in events if isinstance(e, StatusChanged) and e.session and not e.agent]
    return (
        named[-1] if named and len(named[-1]) <= MAX_EXTERNAL_ID_LENGTH and named[-1].isprintable() else None
    )
