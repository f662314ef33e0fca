"""The review limits of boards: no work is begun while too many cards wait for a review."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from models.board import BoardColumn
from models.card import Card, CardAssignee
from models.policy import board_policy_of
from models.stage import ColumnState, MoveGate, Reason, Stage

Read = Callable[[Any], Awaitable[Sequence[Any]]]


async def load_review_gates(
    read: Read, boards: Mapping[str, Any], lanes: Mapping[str, Sequence[ColumnState]], cards: Sequence[Any]
) -> dict[str, list[Reason]]:
    """Load the reasons against beginning work on each card: at most two statements, none without a limit."""
    policies = {id: board_policy_of(board.policy) for id, board in boards.items()}
    reasons: dict[str, list[Reason]] = {}
    for card in cards:
        limit = policies[card.board_id].review_limit
        waiting = sum(lane.count for lane in lanes[card.board_id] if lane.stage is Stage.REVIEW)
        if limit and waiting > limit:
            text = f"{waiting} cards wait for a review; work is begun when at most {limit} wait"
            reasons[card.id] = [Reason(MoveGate.REVIEW_LIMIT, text, limit=limit, count=waiting)]
    limited = [card for card in cards if policies[card.board_id].review_limit_per_person]
    if not limited:
        return reasons
    assignees = await read(
        select(CardAssignee.card_id, CardAssignee.user_id).where(
            CardAssignee.card_id.in_([card.id for card in limited])
        )
    )
    counts = await _count_reviews(
        read, {card.board_id for card in limited}, {row.user_id for row in assignees}
    )
    by_card = {card.id: card for card in limited}
    for row in assignees:
        board_id = by_card[row.card_id].board_id
        limit, waiting = policies[board_id].review_limit_per_person, counts.get((board_id, row.user_id), 0)
        if waiting > limit and row.card_id not in reasons:
            text = (
                f"{waiting} cards of an assignee wait for a review; work is begun when at most {limit} wait"
            )
            reasons[row.card_id] = [Reason(MoveGate.REVIEW_LIMIT, text, limit=limit, count=waiting)]
    return reasons


async def _count_reviews(read: Read, board_ids: set[str], user_ids: set[str]) -> dict[tuple[str, str], int]:
    """Count the unarchived cards in REVIEW that are assigned to each person, by board."""
    if not user_ids:
        return {}
    query = (
        select(Card.board_id, CardAssignee.user_id, func.count().label("waiting"))
        .join(Card, Card.id == CardAssignee.card_id)
        .join(BoardColumn, BoardColumn.id == Card.column_id)
        .where(
            CardAssignee.user_id.in_(user_ids),
            Card.board_id.in_(board_ids),
            Card.archived_at.is_(None),
            BoardColumn.stage == Stage.REVIEW,
        )
        .group_by(Card.board_id, CardAssignee.user_id)
    )
    return {(row.board_id, row.user_id): row.waiting for row in await read(query)}
