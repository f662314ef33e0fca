"""The ready gate of a card: approving it, and taking the approval back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import func, literal_column, select, union_all

from actions.changes import apply_changes
from actions.stage_facts import reader
from auth.locking import lock_card
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion
from models.actor import Actor
from models.card import Card
from models.events.card import CardApprovalWithdrawn, CardApproved
from models.knowledge import KnowledgeItem, KnowledgeKind
from models.planned_file import PlannedFile
from models.policy import board_policy_of
from models.question import Question, QuestionStatus
from models.readiness import NotReady, Preparation, check_readiness
from models.review import ReviewState

Read = Callable[[Any], Awaitable[Sequence[Any]]]


async def preparation_of(read: Read, card_ids: list[str]) -> dict[str, Preparation]:
    """Load the preparation of cards in one statement for any number of them."""

    def counted(name: str, kind: Any, *where: Any) -> Any:
        query = select(kind.card_id, literal_column(f"'{name}'").label("what"), func.count().label("count"))
        return query.where(kind.card_id.in_(card_ids), *where).group_by(kind.card_id)

    is_requirement = KnowledgeItem.kind == KnowledgeKind.REQUIREMENT
    rows = await read(
        union_all(
            counted(
                "requirements", KnowledgeItem, is_requirement, KnowledgeItem.state != ReviewState.REJECTED
            ),
            counted("planned_files", PlannedFile),
            counted("open_questions", Question, Question.status == QuestionStatus.OPEN),
            counted("drafts", KnowledgeItem, KnowledgeItem.state == ReviewState.DRAFT),
        )
    )
    counts = {id: dict.fromkeys(Preparation.__dataclass_fields__, 0) for id in card_ids}
    for row in rows:
        counts[row.card_id][row.what] = row[2]
    return {id: Preparation(**of_card) for id, of_card in counts.items()}


async def approve_card(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The card."], if_version: IfVersion = None
) -> Card:
    """Approve a card: it is ready to be worked on. Approving twice changes nothing.

    Raises Stale, or NotReady with the checks of `card.readiness` if one of them is not met.
    """
    board, card = await lock_card(tx, actor, id)
    card.expect(if_version)
    if card.approved_at is not None:
        return card
    has = await preparation_of(reader(tx), [card.id])
    checks = check_readiness(board_policy_of(board.policy), has[card.id])
    if not all(check.met for check in checks):
        raise NotReady(card.id, checks)
    stamp_approval(card, utcnow(), actor.id)
    tx.emit(board, CardApproved(card_id=card.id))
    return card


async def withdraw_approval(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The card."], if_version: IfVersion = None
) -> Card:
    """Take the approval of a card back. It stays where it is. Without an approval nothing changes. Raises Stale."""
    board, card = await lock_card(tx, actor, id)
    card.expect(if_version)
    if card.approved_at is not None:
        stamp_approval(card, None, None)
        tx.emit(board, CardApprovalWithdrawn(card_id=card.id))
    return card


def stamp_approval(card: Card, at: datetime | None, by: str | None) -> None:
    apply_changes(card, {"approved_at": at, "approved_by": by})
