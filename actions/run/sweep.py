"""What time does to runs: leases, limits and questions that ran out. Any server process sweeps, several at once."""

import asyncio
import logging
import random
from collections import defaultdict
from datetime import datetime

from sqlalchemy import select

from actions.question import expire_questions
from actions.run.change import apply, runs_of
from models.actor import ActorKind
from models.board import Board
from models.question import Question, QuestionStatus
from runtime import queue
from runtime.database import Unavailable, utcnow
from runtime.feed import By, Feed

log = logging.getLogger("signalbox.sweep")

EVERY = 1.0  # seconds between two looks
BATCH = 100  # of what is due, in one look


async def keep_sweeping(feed: Feed) -> None:
    """Sweep for ever. A database that does not answer costs a look; one that has begun is ended before we are."""
    since: datetime | None = None
    while True:
        looking = asyncio.create_task(sweep(feed, since))
        try:
            since = await asyncio.shield(looking)
        except asyncio.CancelledError:
            await asyncio.gather(looking, return_exceptions=True)
            raise
        except Unavailable:
            log.warning("not swept: the database does not answer")
        except Exception:
            log.exception("not swept")
        await asyncio.sleep(EVERY * random.uniform(0.7, 1.3))  # noqa: S311 - so that processes take turns


async def sweep(feed: Feed, since: datetime | None = None) -> datetime:
    """Apply what is due now, board by board, each in its own transaction. Returns when it looked."""
    now = utcnow()
    async with feed.database.write() as tx:
        due = await queue.overdue(tx)
        expired = Question.status == QuestionStatus.OPEN, Question.expires_at <= now
        asked = select(Question.board_id).where(*expired).distinct().limit(BATCH)
        boards = set(await tx.scalars(asked))
    jobs: dict[str | None, list[str]] = defaultdict(list)
    for id, scope in due:
        jobs[scope].append(id)
    for board_id in sorted({*boards, *(scope for scope in jobs if scope is not None)}):
        await _sweep_board(feed, board_id, jobs.get(board_id, []))
    async with feed.begin(By(ActorKind.SYSTEM)) as tx:
        await queue.rouse_due(tx, since)
    return now


async def _sweep_board(feed: Feed, board_id: str, ids: list[str]) -> None:
    async with feed.begin(By(ActorKind.SYSTEM)) as tx:
        board = await tx.scalar(select(Board).where(Board.id == board_id).with_for_update())
        if board is None:
            return
        if ids:
            await runs_of(tx, ids)
            swept = await queue.sweep(tx, only=ids)
            await apply(tx, board, swept.transitions)
        await expire_questions(tx, board)
