"""Reminders: of cards that are due, on their day in the zone of each person, and of stale pull requests.

A reminder has a cause, so each person gets it once, whatever the number of processes and rounds.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select

from actions.notice import NoticeText, notify_of, people_of
from kit.completion import complete
from kit.db.database import Unavailable, utcnow
from kit.db.transaction import Author
from kit.eventlog.event_log import EventLog
from models.account import User
from models.actor import ActorKind
from models.automation import automation_of
from models.board import Board, BoardColumn
from models.card import Card, CardAssignee
from models.notice import NotificationType
from models.preferences import preferences_of
from models.pull_request import CardPullRequest, PullRequest, PullRequestState
from models.stage import Stage
from models.watch import Watch, WatchLevel
from models.workspace import Membership

log = logging.getLogger("signalbox.reminder")

INTERVAL_SECONDS = 300.0
HOUR = 8  # of the person's day, from which reminders come
DAYS_OVERDUE = 1  # a card that is overdue is told of once, on the day after
MAX_ROWS_PER_PAGE = 500


async def remind_periodically(event_log: EventLog) -> None:
    """Remind for ever. Any number of processes may do so at once."""
    while True:
        await asyncio.sleep(INTERVAL_SECONDS * random.uniform(0.7, 1.3))  # noqa: S311 - so that processes alternate
        try:
            await complete(remind_of_due_cards(event_log, utcnow()))
            await complete(remind_of_stale_pull_requests(event_log, utcnow()))
        except Unavailable:
            log.warning("no reminder: the database does not answer")
        except Exception:
            log.exception("no reminder")


async def remind_of_due_cards(event_log: EventLog, now: datetime) -> None:
    """Notify the assignees and watchers of the cards that are due today, or were yesterday, where they live."""
    after = ("", "")
    today = now.date()
    days = Card.due_on >= today - timedelta(days=2), Card.due_on <= today + timedelta(days=1)
    is_concerned = or_(
        CardAssignee.user_id == User.id,
        and_(Watch.user_id == User.id, Watch.level == WatchLevel.WATCHING),
    )
    query = (
        select(Card.id, Card.title, Card.number, Card.due_on, User.id.label("user_id"), User.preferences)
        .add_columns(Board.id.label("board_id"), Board.key, Board.workspace_id)
        .join(Board, Board.id == Card.board_id)
        .join(BoardColumn, BoardColumn.id == Card.column_id)
        .outerjoin(CardAssignee, CardAssignee.card_id == Card.id)
        .outerjoin(Watch, Watch.card_id == Card.id)
        .join(User, is_concerned)
        .join(Membership, and_(Membership.user_id == User.id, Membership.workspace_id == Board.workspace_id))
        .where(
            *days, BoardColumn.stage != Stage.DONE, Card.archived_at.is_(None), Board.archived_at.is_(None)
        )
        .distinct()
        .order_by(Card.id, User.id)
        .limit(MAX_ROWS_PER_PAGE)
    )
    while True:
        later = or_(Card.id > after[0], and_(Card.id == after[0], User.id > after[1]))
        rows = await event_log.database.read(query.where(later))
        due = [(row, text) for row in rows if (text := _reminder_of(row, now)) is not None]
        if due:
            await _remind(event_log, due)
        if len(rows) < MAX_ROWS_PER_PAGE:
            return
        after = rows[-1].id, rows[-1].user_id


def _reminder_of(row: Any, now: datetime) -> str | None:
    """Return what a person is told of a card at this moment of its day; None for nothing."""
    local = now.astimezone(ZoneInfo(preferences_of(row.preferences).time_zone))
    if local.hour < HOUR:
        return None
    days = (local.date() - row.due_on).days
    if days == 0:
        return "is due today"
    return "is overdue" if days == DAYS_OVERDUE else None


async def _remind(event_log: EventLog, due: Sequence[tuple[Any, str]]) -> None:
    groups: dict[tuple[str, str], list[Any]] = {}
    for row, text in due:
        groups.setdefault((row.id, text), []).append(row)
    async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        for (card_id, text), rows in groups.items():
            card = rows[0]
            await notify_of(
                tx,
                [row.user_id for row in rows],
                [NoticeText(NotificationType.WARNING, f"{card.key}-{card.number} {text}: {card.title}")],
                workspace_id=card.workspace_id,
                board_id=card.board_id,
                card_id=card_id,
                cause=f"{text} {card_id} {card.due_on}",
            )


async def remind_of_stale_pull_requests(event_log: EventLog, now: datetime) -> None:
    """Notify the people of a card once its pull request was left alone for the days of its board's automation."""
    last = ""
    at = PullRequest.host_updated_at
    query = (
        select(PullRequest.id, PullRequest.number, PullRequest.title, at.label("at"))
        .add_columns(Card.id.label("card_id"), Card.created_by, Card.number.label("card_number"))
        .add_columns(Board.id.label("board_id"), Board.key, Board.workspace_id, Board.automation)
        .join(CardPullRequest, CardPullRequest.pull_request_id == PullRequest.id)
        .join(Card, Card.id == CardPullRequest.card_id)
        .join(Board, Board.id == Card.board_id)
        .where(PullRequest.state.in_((PullRequestState.OPEN, PullRequestState.DRAFT)))
        .where(at < now - timedelta(days=1), Board.archived_at.is_(None), Card.archived_at.is_(None))
        .order_by(PullRequest.id, Card.id)
        .limit(MAX_ROWS_PER_PAGE)
    )
    while True:
        rows = await event_log.database.read(query.where(PullRequest.id > last))
        stale = [
            row for row in rows if row.at < now - timedelta(days=automation_of(row.automation).stale_days)
        ]
        if stale:
            async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
                for row in stale:
                    card = await tx.get_one(Card, row.card_id)
                    days = automation_of(row.automation).stale_days
                    title = f"Pull request #{row.number} of {row.key}-{row.card_number} is stale: {row.title}"
                    await notify_of(
                        tx,
                        await people_of(tx, card),
                        [NoticeText(NotificationType.STALE_PR, title, f"Nothing happened for {days} days.")],
                        workspace_id=row.workspace_id,
                        board_id=row.board_id,
                        card_id=row.card_id,
                        cause=f"stale {row.id} {row.at.isoformat()}",
                    )
        if len(rows) < MAX_ROWS_PER_PAGE:
            return
        last = rows[-1].id
