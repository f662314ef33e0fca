"""Whom a run concerns hears of it: who asked for it, who made its card, and the card's assignees.

Whatever is said at once is one insert, for any number of people.
"""

from collections.abc import Iterable

from actions.notice import NoticeText, notify_of, people_of
from kit.db.transaction import Transaction
from models.board import Board
from models.card import Card
from models.notice import NotificationType
from models.run import FailureCode, Run, RunStatus

BODY = 2_000  # characters
GIVEN_UP = (FailureCode.ATTEMPTS_EXHAUSTED, FailureCode.LEASE_EXPIRED)  # after several attempts


async def notify_run_people(
    tx: Transaction,
    board: Board,
    card: Card,
    run: Run | None,
    said: Iterable[NoticeText],
    *,
    question_id: str | None = None,
    but: str | None = None,
) -> None:
    """Tell them, `but` whoever did it. A title names the card where it says {}, and ends with what it is called.

    Without a run those are told whom the card concerns.
    """
    name = f"{board.key}-{card.number}"
    titled = [
        NoticeText(one.type, f"{one.title.format(name)}: {card.title}", one.body[:BODY]) for one in said
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
    )


def notify_ended(
    run: Run, kept_from_review: str | None = None, *, is_reviewed: bool = False
) -> list[NoticeText]:
    """What there is to say of a run's end: how it ended, and what people should do about it."""
    if run.status is RunStatus.FAILED:
        reason = run.failure_reason or ""
        said = [NoticeText(NotificationType.RUN_FAILED, "A run failed on {}", reason)]
        if run.failure_code in GIVEN_UP:
            said.append(notify_stuck("{} was given up", reason))
        return said
    said = [NoticeText(NotificationType.RUN_SUCCEEDED, "{} was worked on", run.summary or "")]
    return said + notify_review(run, kept_from_review) if is_reviewed else said


def notify_review(run: Run, kept: str | None) -> list[NoticeText]:
    """What there is to say of a card that goes to REVIEW, or is kept from it."""
    if kept is not None:
        return [notify_stuck("{} does not go to REVIEW", kept)]
    return [NoticeText(NotificationType.REVIEW_REQUESTED, "{} waits for your review", run.summary or "")]


def notify_sent_back(reason: str) -> NoticeText:
    return NoticeText(NotificationType.CARD_MOVED, "{} went back to TODO", reason)


def notify_stuck(title: str, body: str) -> NoticeText:
    return NoticeText(NotificationType.WARNING, title, body)
