"""Whom a run concerns hears of it: who asked for it, who made its card, and the card's assignees.

Whatever is said at once is one insert, for any number of people.
"""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from actions.notice import Said, notify_of, people_of
from models.board import Board
from models.card import Card
from models.notice import NotificationType
from models.run import FailureCode, Run, RunStatus

BODY = 2_000  # characters
GIVEN_UP = (FailureCode.ATTEMPTS_EXHAUSTED, FailureCode.LEASE_EXPIRED)  # after several attempts


async def hear(
    tx: AsyncSession,
    board: Board,
    card: Card,
    run: Run | None,
    said: Iterable[Said],
    *,
    question_id: str | None = None,
    but: str | None = None,
) -> None:
    """Tell them, `but` whoever did it. A title names the card where it says {}, and ends with what it is called.

    Without a run those are told whom the card concerns.
    """
    name = f"{board.key}-{card.number}"
    titled = [Said(one.type, f"{one.title.format(name)}: {card.title}", one.body[:BODY]) for one in said]
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


def ended(run: Run, kept_from_review: str | None = None, *, is_reviewed: bool = False) -> list[Said]:
    """What there is to say of a run's end: how it ended, and what people should do about it."""
    if run.status is RunStatus.FAILED:
        reason = run.failure_reason or ""
        said = [Said(NotificationType.RUN_FAILED, "A run failed on {}", reason)]
        if run.failure_code in GIVEN_UP:
            said.append(warning("{} was given up", reason))
        return said
    summary = run.summary or ""
    said = [Said(NotificationType.RUN_SUCCEEDED, "{} was worked on", summary)]
    if kept_from_review is not None:
        said.append(warning("{} does not go to REVIEW", kept_from_review))
    elif is_reviewed:
        said.append(Said(NotificationType.REVIEW_REQUESTED, "{} waits for your review", summary))
    return said


def went_back(reason: str) -> Said:
    return Said(NotificationType.CARD_MOVED, "{} went back to TODO", reason)


def warning(title: str, body: str) -> Said:
    return Said(NotificationType.WARNING, title, body)
