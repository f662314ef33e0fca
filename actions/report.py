"""What an agent says while it works, taken once: kept in its run's log, or only shown.

A report is a batch under a key. It holds the run, so reports of one run follow one another and the numbers of
its log are dense. Any report takes the same number of statements: actions/report_statements.py.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from actions import validation
from actions.report_statements import SAY, TAKE
from actions.run.change import emit_run_event, started, store_lines
from actions.run.progress import MIN_INTERVAL_SECONDS, progressed, shown
from actions.run_log import Line, Row, Saying, digest, gather, kept, read_report
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


@dataclass(frozen=True)
class Reported:
    """A report that was taken; `duplicate`: before, so nothing was appended now."""

    run_id: str
    last_seq: int
    duplicate: bool


async def report_run_events(
    tx: Transaction, actor: Actor, lease: Ticket, key: str, events: Sequence[Row]
) -> Reported:
    """Take what an agent said, written as `protocol.events.to_row` does.

    A report that was taken is answered as taken when it comes again with its key, also after the lease has ended.
    Raises Invalid, NotFound, Forbidden, Conflict where the key came with other events, and LeaseLost.
    """
    key = validation.single_line("key", key, 100)
    lines = read_report(events)
    run = await lock_run_log(tx, actor, lease.id)
    said = _said(run, lines, utcnow())
    if run.status in TERMINAL:
        taken = await _before(tx, run.id, key)
    elif queue.is_postgres(tx):
        taken = await _at_once(tx, run, lease, key, said)
    else:
        taken = await _in_steps(tx, run, lease, key, said)
    if taken is None:
        raise LeaseLost(run.id, lease.attempt)
    last, before = taken
    if before is not None:
        if before != digest(lines):
            raise Conflict("That key was used for other events of this run", run.id)
        return Reported(run.id, last, duplicate=True)
    await _tell(tx, run, lease, said, last)
    return Reported(run.id, last, duplicate=False)


@dataclass(frozen=True)
class KnownReport:
    """What a report comes to: its lines, what it ends and leaves being said, and how far the run is after it."""

    lines: list[Line]
    kept: int
    at: datetime
    ended: set[str]
    open: dict[str, Saying]
    progress: dict[str, Any] | None  # None: as it was
    told_at: datetime | None  # None: the board is told nothing


def _said(run: Any, lines: list[Line], at: datetime) -> KnownReport:
    events = [line.event for line in lines if line.is_kept]
    before = run.progress or {}
    now = progressed(before, events, at)
    is_new = now != before or before.get("untold")
    if is_new:
        now["untold"] = _is_early(run, at)
    told_at = at if is_new and not now["untold"] else None
    return KnownReport(lines, len(events), at, *gather(lines), now if is_new else None, told_at)


# What each of these takes is the number of the report's last line; and of one that was taken before, its digest.
Taken = tuple[int, str | None]


async def _at_once(tx: Transaction, run: Any, lease: Ticket, key: str, said: KnownReport) -> Taken | None:
    """Take a report in one statement. None: the lease is lost."""
    values = {
        "run": run.id,
        "attempt": lease.attempt,
        "hash": queue.hash_token(lease.token),
        "lease": board_policy_of(run.policy).lease_seconds,
        "key": key,
        "digest": digest(said.lines),
        "topic": run_topic(run.id),
        "epoch": new_epoch(),
        "n": said.kept,
        "lines": kept(said.lines),
        "at": said.at,
        "ended": sorted(said.ended),
        "progress": None if said.progress is None else json.dumps(said.progress),
        "told_at": said.told_at,
    }
    rows = await TAKE.rows(tx, values)
    if not rows:
        return None
    tx.notify(run_topic(run.id))
    last, before = rows[0]
    return last, before


async def _in_steps(tx: Transaction, run: Any, lease: Ticket, key: str, said: KnownReport) -> Taken | None:
    """The same for a database that does one thing in a statement."""
    if (before := await _before(tx, run.id, key)) is not None:
        return before
    seconds = board_policy_of(run.policy).lease_seconds
    if not await queue.heartbeats(tx, [lease], active=True, lease=seconds):
        return None
    last = await store_lines(tx, run.id, lease.attempt, said.lines, said.at)
    remembered = {"run_id": run.id, "key": key, "last_seq": last, "digest": digest(said.lines)}
    await tx.execute(insert(RunReport).values(remembered))
    if said.ended:
        await tx.execute(delete(RunLive).where(RunLive.run_id == run.id, RunLive.item.in_(said.ended)))
    values: dict[str, Any] = {"reported_at": said.at}
    values |= {} if said.progress is None else {"progress": said.progress}
    values |= {} if said.told_at is None else {"progress_told_at": said.told_at}
    await tx.execute(update(Run).where(Run.id == run.id).values(values))
    return last, None


async def _before(tx: Transaction, run_id: str, key: str) -> Taken | None:
    """What was answered when this report came before."""
    mine = RunReport.run_id == run_id, RunReport.key == key
    row = (await tx.execute(select(RunReport.last_seq, RunReport.digest).where(*mine))).one_or_none()
    return None if row is None else (row.last_seq, row.digest)


async def _tell(tx: Transaction, run: Any, lease: Ticket, said: KnownReport, last: int) -> None:
    """Show what is being said; tell the board how far the run is, but not more than once a second."""
    board = Board(id=run.board_id, workspace_id=run.workspace_id)  # as much of it as telling needs
    if run.status is RunStatus.CLAIMED:
        await started(tx, board, await tx.get_one(Run, run.id))
    if said.open:
        first = last - said.kept
        rows = [saying.stored(run.id, item, lease.attempt, first) for item, saying in said.open.items()]
        await tx.execute(SAY, rows)
    if said.told_at is not None:
        emit_run_event(tx, board, RunProgressed(**run_facts(run), progress=shown(said.progress)))


def _is_early(run: Any, at: datetime) -> bool:
    told = run.progress_told_at
    # The first report tells that the run was started; that is enough.
    return run.status is RunStatus.CLAIMED or bool(
        told and at - told < timedelta(seconds=MIN_INTERVAL_SECONDS)
    )
