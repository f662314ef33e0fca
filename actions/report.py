"""What an agent says while it works, taken once: kept in its run's log, or only shown.

A report is a batch under a key. It holds the run, so reports of one run follow one another and the numbers of
its log are dense. The statements it takes are a fixed number, whatever it holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, bindparam, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from actions.reach import reach_log
from actions.run.change import started, tell
from models import words
from models.actor import Actor
from models.board import Board
from models.event import EventKind, run_topic
from models.log import RUN_LOG, Line, Row, digest, gather, kept, read_report
from models.policy import policy_of
from models.progress import TOLD, progressed, shown
from models.refusal import Conflict, LeaseLost
from models.run import MOST_TEXT, TERMINAL, Run, RunLive, RunReport, RunStatus
from runtime import queue
from runtime.database import Json, utcnow
from runtime.feed import append
from runtime.queue import Ticket
from runtime.vocabulary import Event, Output, Thinking

# A chunk of the same part goes behind what was said of it; another part begins anew.
SAY = text(
    "INSERT INTO run_live (run_id, item, part, type, agent, data, text)"
    " VALUES (:run_id, :item, :part, :type, :agent, :data, :text)"
    " ON CONFLICT (run_id, item) DO UPDATE SET part = excluded.part,"
    " text = CASE WHEN run_live.part = excluded.part"
    " THEN substr(run_live.text || excluded.text, 1, :most) ELSE excluded.text END,"
    " data = CASE WHEN run_live.part = excluded.part THEN run_live.data ELSE excluded.data END"
).bindparams(bindparam("data", type_=Json), bindparam("most", MOST_TEXT, type_=Integer()))


@dataclass(frozen=True)
class Reported:
    """A report that was taken; `duplicate`: before, so nothing was appended now."""

    run_id: str
    last_seq: int
    duplicate: bool


async def report(tx: AsyncSession, actor: Actor, lease: Ticket, key: str, events: Sequence[Row]) -> Reported:
    """Take what an agent said, written as `runtime.vocabulary.wire` does.

    A report that was taken is answered as taken when it comes again with its key, also after the lease has ended.
    Raises Invalid, NotFound, Forbidden, Conflict where the key came with other events, and LeaseLost.
    """
    key = words.line("key", key, 100)
    lines = read_report(events)
    run = await reach_log(tx, actor, lease.id)
    if (taken := await _taken(tx, run.id, key, lines)) is not None:
        return taken
    seconds = policy_of(run.policy).lease_seconds
    if run.status in TERMINAL or not await queue.heartbeats(tx, [lease], active=True, lease=seconds):
        raise LeaseLost(run.id, lease.attempt)
    at = utcnow()
    board = Board(id=run.board_id, workspace_id=run.workspace_id)  # as much of it as telling needs
    if run.status is RunStatus.CLAIMED:
        await started(tx, board, await tx.get_one(Run, run.id))
    rows = kept(lines, lease.attempt, at)
    last = await append(tx, RUN_LOG, run_topic(run.id), rows)
    await tx.execute(insert(RunReport).values(run_id=run.id, key=key, last_seq=last, digest=digest(lines)))
    await _say(tx, run.id, lease.attempt, lines, last - len(rows))
    await _progress(tx, board, run, [line.event for line in lines if line.is_kept], at)
    return Reported(run.id, last, duplicate=False)


async def _taken(tx: AsyncSession, run_id: str, key: str, lines: Iterable[Line]) -> Reported | None:
    """What was answered when this report came before."""
    mine = RunReport.run_id == run_id, RunReport.key == key
    before = (await tx.execute(select(RunReport.last_seq, RunReport.digest).where(*mine))).one_or_none()
    if before is None:
        return None
    if before.digest != digest(lines):
        raise Conflict("That key was used for other events of this run", run_id)
    return Reported(run_id, before.last_seq, duplicate=True)


async def _say(tx: AsyncSession, run_id: str, attempt: int, lines: Sequence[Line], after: int) -> None:
    """Show what is being said, and no longer what was kept."""
    if not any(isinstance(line.event, Output | Thinking) for line in lines):
        return
    ended, open_ = gather(lines, after)
    if ended:
        await tx.execute(delete(RunLive).where(RunLive.run_id == run_id, RunLive.item.in_(ended)))
    if open_:
        await tx.execute(SAY, [saying.stored(run_id, item, attempt) for item, saying in open_.items()])


async def _progress(tx: AsyncSession, board: Board, run: Any, events: Sequence[Event], at: datetime) -> None:
    """Keep how far the run is; tell the board, but not more than once a second."""
    values: dict[str, Any] = {"reported_at": at}
    before = run.progress or {}
    now = progressed(before, events, at)
    if now != before or before.get("untold"):
        values["progress"] = now
        now["untold"] = is_early = _is_early(run, at)
        if not is_early:
            values["progress_told_at"] = at
            tell(tx, board, run, EventKind.RUN_PROGRESS, progress=shown(now))
    await tx.execute(update(Run).where(Run.id == run.id).values(values))


def _is_early(run: Any, at: datetime) -> bool:
    told = run.progress_told_at
    # The first report tells that the run was started; that is enough.
    return run.status is RunStatus.CLAIMED or bool(told and at - told < timedelta(seconds=TOLD))
