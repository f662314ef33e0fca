"""Sweeps of runs: expired leases, time limits and questions, and silent agents.

Every server process sweeps; concurrent sweeps are safe.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from actions.question import expire_questions
from actions.run.change import apply_transitions, card_of, lock_runs
from actions.run.notice import notify_run_people, notify_stuck
from actions.run.progress import WARNED_KEY, shown
from actions.stage_facts import LIVE
from kit import queue
from kit.db.database import Unavailable, utcnow
from kit.db.transaction import Author, Transaction
from kit.eventlog.event_log import EventLog
from models.actor import ActorKind
from models.board import Board
from models.policy import BOUNDS, board_policy_of
from models.question import Question, QuestionStatus
from models.run import Run, RunStatus

log = logging.getLogger("signalbox.sweep")

MIN_STUCK = timedelta(minutes=BOUNDS["stuck_minutes"][0])  # the shortest silence that a board may warn of
LAST_REPORT_AT = func.coalesce(Run.reported_at, Run.started_at, type_=Run.reported_at.type)
WAS_WARNED = Run.progress[WARNED_KEY].as_string().is_not(None)
SWEEP_INTERVAL_SECONDS = 1.0
SWEEP_BATCH_SIZE = 100  # boards with expired questions in one sweep


async def sweep_periodically(event_log: EventLog) -> None:
    """Sweep forever. An unavailable database skips a sweep; cancellation waits for the running one."""
    since: datetime | None = None
    while True:
        await asyncio.sleep(SWEEP_INTERVAL_SECONDS * random.uniform(0.7, 1.3))  # noqa: S311 - so that processes alternate
        sweeping = asyncio.create_task(sweep(event_log, since))
        try:
            since = await asyncio.shield(sweeping)
        except asyncio.CancelledError:
            await asyncio.gather(sweeping, return_exceptions=True)
            raise
        except Unavailable:
            log.warning("not swept: the database does not answer")
        except Exception:
            log.exception("not swept")


async def sweep(event_log: EventLog, since: datetime | None = None) -> datetime:
    """Apply everything that is due, each board in its own transaction. Returns the time of the sweep."""
    now = utcnow()
    async with event_log.database.write() as tx:
        due = await queue.overdue(tx)
        silent = await _silent(tx, now)
        expired = Question.status == QuestionStatus.OPEN, Question.expires_at <= now
        boards_of_expired = select(Question.board_id).where(*expired).distinct().limit(SWEEP_BATCH_SIZE)
        boards = set(await tx.scalars(boards_of_expired))
    jobs: dict[str | None, list[str]] = defaultdict(list)
    for id, scope in due:
        jobs[scope].append(id)
    for board_id in sorted({*boards, *silent, *(scope for scope in jobs if scope is not None)}):
        await _sweep_board(event_log, board_id, jobs.get(board_id, []), silent.get(board_id, []))
    async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        if jobs[None]:  # jobs of the server, which belong to no board
            await queue.sweep(tx, only=jobs[None])
        await queue.notify_due(tx, since)
    return now


async def _silent(tx: Transaction, now: datetime) -> dict[str, list[str]]:
    """Return the runs, by board, whose agents are silent for too long and of which no one was warned."""
    query = (
        select(Run.id, Run.board_id, LAST_REPORT_AT.label("last_report_at"), Board.policy)
        .join(Board, Board.id == Run.board_id)
        .where(
            Run.status.in_(LIVE),
            Run.status == RunStatus.RUNNING,
            now - MIN_STUCK >= LAST_REPORT_AT,
            ~WAS_WARNED,
        )
    )
    by_board: dict[str, list[str]] = defaultdict(list)
    for row in await tx.execute(query):
        if now - row.last_report_at > timedelta(minutes=board_policy_of(row.policy).stuck_minutes):
            by_board[row.board_id].append(row.id)
    return by_board


async def _warn(tx: Transaction, board: Board, ids: Sequence[str]) -> None:
    """Warn people once of a silent agent; again only after its next report."""
    now, minutes = utcnow(), board_policy_of(board.policy).stuck_minutes
    for run in await lock_runs(tx, ids):
        last_report_at, kept = run.reported_at or run.started_at, run.progress or {}
        is_silent = last_report_at is not None and now - last_report_at > timedelta(minutes=minutes)
        if run.status is not RunStatus.RUNNING or not is_silent or WARNED_KEY in kept:
            continue
        run.progress = {**kept, WARNED_KEY: True}
        tool = shown(kept).get("tool_text") or shown(kept).get("tool")
        body = f"For more than {minutes} minutes." + (f" It waits for its tool: {tool}" if tool else "")
        await notify_run_people(
            tx, board, await card_of(tx, run), run, [notify_stuck("The agent on {} says nothing", body)]
        )


async def _sweep_board(event_log: EventLog, board_id: str, ids: list[str], silent: list[str]) -> None:
    async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        board = await tx.scalar(select(Board).where(Board.id == board_id).with_for_update())
        if board is None:
            return
        if ids:
            await lock_runs(tx, ids)
            swept = await queue.sweep(tx, only=ids)
            await apply_transitions(tx, board, swept.transitions)
        await expire_questions(tx, board)
        if silent:
            await _warn(tx, board, silent)
