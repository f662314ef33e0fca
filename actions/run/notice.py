"""Notifications of a run: to its requester, the creator of its card and the assignees of the card.

Notifications of one change take one INSERT, for any number of people.
"""

from collections.abc import Iterable

from actions.notice import NoticeText, notify_of, people_of
from kit.db.transaction import Transaction
from models.board import Board
from models.card import Card
from models.notice import NotificationType
from models.run import FailureCode, Run, RunStatus

MAX_BODY_LENGTH = 2_000  # characters
FINAL_FAILURES = (FailureCode.ATTEMPTS_EXHAUSTED, FailureCode.LEASE_EXPIRED)  # after several attempts


async def notify_run_people(
    tx: Transaction,
    board: Board,
    card: Card,
    run: Run | None,
    notices: Iterable[NoticeText],
    *,
    question_id: str | None = None,
    but: str | None = None,
    cause: str | None = None,
) -> None:
    """Notify the people that a run concerns, except the user `but`. Without a run, those that the card concerns.

    In each title, {} is replaced by the name of the card, and its title is appended.
    """
    name = f"{board.key}-{card.number}"
    titled = [
        NoticeText(notice.type, f"{notice.title.format(name)}: {card.title}", notice.body[:MAX_BODY_LENGTH])
        for notice in notices
    ]
    if not titled:
        return
    await notify_of(
        tx,
        [user for user in await people_of(tx, card, run) if user != but],
        titled,
        workspace_id=board.workspace_id,
        board_id=board.id,
        card_id=card.id,
        run_id=run.id if run else None,
        question_id=question_id,
        cause=cause,
    )


def notify_ended(
    run: Run, kept_from_review: str | None = None, *, is_reviewed: bool = False
) -> list[NoticeText]:
    """Return the notices of a run's end: its outcome, and what people should do."""
    if run.status is RunStatus.FAILED:
        reason = run.failure_reason or ""
        notices = [NoticeText(NotificationType.RUN_FAILED, "A run failed on {}", reason)]
        if run.failure_code in FINAL_FAILURES:
            notices.append(notify_stuck("{} was given up", reason))
        return notices
    notices = [NoticeText(NotificationType.RUN_SUCCEEDED, "{} was worked on", run.summary or "")]
    return notices + notify_review(run, kept_from_review) if is_reviewed else notices


def notify_review(run: Run, kept: str | None) -> list[NoticeText]:
    """Return the notices of a card that goes to REVIEW, or may not go there."""
    if kept is not None:
        return [notify_stuck("{} does not go to REVIEW", kept)]
    return [NoticeText(NotificationType.REVIEW_REQUESTED, "{} waits for your review", run.summary or "")]


def notify_sent_back(reason: str) -> NoticeText:
    return NoticeText(NotificationType.CARD_MOVED, "{} went back to TODO", reason)


def notify_stuck(title: str, body: str) -> NoticeText:
    return NoticeText(NotificationType.WARNING, title, body)
