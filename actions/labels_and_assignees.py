"""What marks a card: the people it is assigned to, and its labels. Doing either twice changes nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from actions.notice import create_notices
from auth.locking import lock_card
from kit.db.transaction import Transaction
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

ASSIGNEES, LABELS = "people it is assigned to", "labels"


async def assign_card(tx: Transaction, actor: Actor, card_id: str, user_id: str) -> Card:
    """Assign a card to a member of its workspace, who is told."""
    board, card = await lock_card(tx, actor, card_id)
    if await tx.get(CardAssignee, (card.id, user_id)) is not None:
        return card
    await _member(tx, board, user_id)
    await _room(tx, CardAssignee, card, MAX_ASSIGNEES, ASSIGNEES)
    _assign(tx, board, card, user_id)
    if user_id != actor.id:
        title = f"{board.key}-{card.number} was assigned to you"
        about = {"workspace_id": board.workspace_id, "board_id": board.id, "card_id": card.id}
        await create_notices(tx, [user_id], NotificationType.ASSIGNED, title, card.title, **about)
    return card


def assign_new_card(tx: Transaction, board: Board, card: Card, user_ids: Sequence[str]) -> None:
    """Assign a new card to members, who are held as its board is. They hear of it, and are not notified."""
    if len(user_ids) > MAX_ASSIGNEES:
        raise _no_room(MAX_ASSIGNEES, ASSIGNEES)
    for user_id in user_ids:
        _assign(tx, board, card, user_id)


async def unassign_card(tx: Transaction, actor: Actor, card_id: str, user_id: str) -> Card:
    """Take a card from somebody, who is told; also from those who are no members any more."""
    board, card = await lock_card(tx, actor, card_id)
    row = await tx.get(CardAssignee, (card.id, user_id))
    if row is None:
        await _member(tx, board, user_id)
        return card
    await tx.delete(row)
    _emit_assignee(tx, board, card, user_id, AssigneeRemoved, Unassigned)
    return card


async def add_label(tx: Transaction, actor: Actor, card_id: str, label_id: str) -> Card:
    """Put a label of the workspace on a card."""
    board, card = await lock_card(tx, actor, card_id)
    label = await _label(tx, board, label_id)
    if await tx.get(CardLabel, (card.id, label.id)) is not None:
        return card
    await _room(tx, CardLabel, card, MAX_LABELS, LABELS)
    _add_label(tx, board, card, label)
    return card


def label_new_card(tx: Transaction, board: Board, card: Card, labels: Sequence[Label]) -> None:
    """Put labels on a new card; they are held as its board is."""
    if len(labels) > MAX_LABELS:
        raise _no_room(MAX_LABELS, LABELS)
    for label in labels:
        _add_label(tx, board, card, label)


async def remove_label(tx: Transaction, actor: Actor, card_id: str, label_id: str) -> Card:
    """Take a label off a card."""
    board, card = await lock_card(tx, actor, card_id)
    label = await _label(tx, board, label_id)
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


async def _member(tx: Transaction, board: Board, user_id: str) -> None:
    """Raise NotFound unless the user is a member. The membership is held, so it cannot end meanwhile."""
    mine = Membership.workspace_id == board.workspace_id, Membership.user_id == user_id
    if await tx.scalar(select(Membership.id).where(*mine).with_for_update(read=True)) is None:
        raise NotFound(user_id)


async def _label(tx: Transaction, board: Board, id: str) -> Label:
    """A label of the board's workspace, held so that it cannot be deleted meanwhile. Raises NotFound."""
    mine = Label.id == id, Label.workspace_id == board.workspace_id
    label: Label | None = await tx.scalar(select(Label).where(*mine).with_for_update(read=True))
    if label is None:
        raise NotFound(id)
    return label


async def _room(tx: Transaction, kind: Any, card: Card, most: int, what: str) -> None:
    """Raise Conflict when the card has as many as it may have. The board is held, so nobody adds meanwhile."""
    count = await tx.scalar(select(func.count()).select_from(kind).where(kind.card_id == card.id))
    if (count or 0) >= most:
        raise _no_room(most, what)


def _no_room(most: int, what: str) -> Conflict:
    return Conflict(f"A card has at most {most} {what}")
