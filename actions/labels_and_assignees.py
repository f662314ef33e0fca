"""Changes to the labels and assignees of cards. Repeating one changes nothing."""

from collections.abc import Sequence
from typing import Annotated

from sqlalchemy import func, select

from actions.notice import create_notices
from auth.locking import lock_card
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from models.actor import Actor
from models.board import Board
from models.card import MAX_ASSIGNEES, MAX_LABELS, Card, CardAssignee, CardLabel
from models.events.card import (
    Assigned,
    AssigneeAdded,
    AssigneeRemoved,
    AssignmentEvent,
    CardAssigneeEvent,
    LabelAdded,
    LabelRemoved,
    Unassigned,
)
from models.notice import NotificationType
from models.refusal import Conflict, NotFound
from models.topic import user_scope
from models.workspace import Label, Membership

CardId = Annotated[Id, "The card."]
LIMITS = {CardAssignee: MAX_ASSIGNEES, CardLabel: MAX_LABELS}
TOO_MANY = {
    CardAssignee: f"A card has at most {MAX_ASSIGNEES} assignees",
    CardLabel: f"A card has at most {MAX_LABELS} labels",
}


async def assign_card(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: CardId,
    user_id: Annotated[Id, "A member of the card's workspace."],
) -> Card:
    """Assign a card to a person, who is notified. Repeating it changes nothing.

    Raises Conflict if it is assigned to 20 people already.
    """
    board, card = await lock_card(tx, actor, card_id)
    if await tx.get(CardAssignee, (card.id, user_id)) is not None:
        return card
    await _require_member(tx, board, user_id)
    await _require_room(tx, CardAssignee, card)
    _assign(tx, board, card, user_id)
    if user_id != actor.id:
        title = f"{board.key}-{card.number} was assigned to you"
        about = {"workspace_id": board.workspace_id, "board_id": board.id, "card_id": card.id}
        await create_notices(tx, [user_id], NotificationType.ASSIGNED, title, card.title, **about)
    return card


def assign_new_card(tx: Transaction, board: Board, card: Card, user_ids: Sequence[str]) -> None:
    """Assign a new card to members, whom the caller holds with its board. They are not notified.

    Raises Conflict for too many.
    """
    if len(user_ids) > MAX_ASSIGNEES:
        raise Conflict(TOO_MANY[CardAssignee])
    for user_id in user_ids:
        _assign(tx, board, card, user_id)


async def unassign_card(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: CardId,
    user_id: Annotated[Id, "The assignee, who may have left the workspace."],
) -> Card:
    """Unassign a card from a person. Repeating it changes nothing."""
    board, card = await lock_card(tx, actor, card_id)
    row = await tx.get(CardAssignee, (card.id, user_id))
    if row is None:
        await _require_member(tx, board, user_id)
        return card
    await tx.delete(row)
    _emit_assignee(tx, board, card, user_id, AssigneeRemoved, Unassigned)
    return card


async def add_label(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: CardId,
    label_id: Annotated[Id, "A label of the card's workspace."],
) -> Card:
    """Add a label to a card. Repeating it changes nothing.

    Raises Conflict if the card has 20 labels already.
    """
    board, card = await lock_card(tx, actor, card_id)
    label = await _lock_label(tx, board, label_id)
    if await tx.get(CardLabel, (card.id, label.id)) is not None:
        return card
    await _require_room(tx, CardLabel, card)
    _add_label(tx, board, card, label)
    return card


def label_new_card(tx: Transaction, board: Board, card: Card, labels: Sequence[Label]) -> None:
    """Add labels to a new card; the caller holds them with its board. Raises Conflict for too many."""
    if len(labels) > MAX_LABELS:
        raise Conflict(TOO_MANY[CardLabel])
    for label in labels:
        _add_label(tx, board, card, label)


async def remove_label(
    tx: Transaction, actor: Actor, *, card_id: CardId, label_id: Annotated[Id, "The label."]
) -> Card:
    """Remove a label from a card. Repeating it changes nothing."""
    board, card = await lock_card(tx, actor, card_id)
    label = await _lock_label(tx, board, label_id)
    row = await tx.get(CardLabel, (card.id, label.id))
    if row is not None:
        await tx.delete(row)
        tx.emit(board, LabelRemoved(card_id=card.id, label_id=label.id, name=label.name))
    return card


def _assign(tx: Transaction, board: Board, card: Card, user_id: str) -> None:
    tx.add(CardAssignee(card_id=card.id, user_id=user_id, board_id=board.id))
    _emit_assignee(tx, board, card, user_id, AssigneeAdded, Assigned)


def _add_label(tx: Transaction, board: Board, card: Card, label: Label) -> None:
    tx.add(CardLabel(card_id=card.id, label_id=label.id, board_id=board.id))
    tx.emit(board, LabelAdded(card_id=card.id, label_id=label.id, name=label.name))


def _emit_assignee(
    tx: Transaction,
    board: Board,
    card: Card,
    user_id: str,
    on_board: type[CardAssigneeEvent],
    to_user: type[AssignmentEvent],
) -> None:
    tx.emit(board, on_board(card_id=card.id, user_id=user_id))
    tx.emit(user_scope(user_id), to_user(board_id=board.id, card_id=card.id, title=card.title))


async def _require_member(tx: Transaction, board: Board, user_id: str) -> None:
    """Raise NotFound unless the user is a member. The membership is locked, so that it cannot end meanwhile."""
    member = Membership.workspace_id == board.workspace_id, Membership.user_id == user_id
    if await tx.scalar(select(Membership.id).where(*member).with_for_update(read=True)) is None:
        raise NotFound(user_id)


async def _lock_label(tx: Transaction, board: Board, id: str) -> Label:
    """Lock a label of the board's workspace, so that it cannot be deleted meanwhile. Raises NotFound."""
    of_workspace = Label.id == id, Label.workspace_id == board.workspace_id
    label: Label | None = await tx.scalar(select(Label).where(*of_workspace).with_for_update(read=True))
    if label is None:
        raise NotFound(id)
    return label


async def _require_room(tx: Transaction, model: type[CardAssignee] | type[CardLabel], card: Card) -> None:
    """Raise Conflict if the card has as many as it may have. The caller holds the board."""
    count = await tx.scalar(select(func.count()).select_from(model).where(model.card_id == card.id))
    if (count or 0) >= LIMITS[model]:
        raise Conflict(TOO_MANY[model])
