"""The history of a card: what it said before each change, and giving that back."""

from datetime import date
from typing import Any

from sqlalchemy import select

from actions.card import update_card
from actions.move import Placement
from auth.locking import lock_card
from kit.db.transaction import Transaction
from kit.eventlog.tables import Event
from models.actor import Actor
from models.board import BoardColumn
from models.card import IMAGE_FIELDS, Card, CardSize, CardType, Priority
from models.events.card import CardMoved, CardUpdated
from models.refusal import NotFound
from models.stage import Stage
from models.topic import board_topic

# What keeps an image of the card as it was before.
SNAPSHOTS = (CardUpdated.kind, CardMoved.kind)

READERS: dict[str, Any] = {
    "type": CardType,
    "priority": Priority,
    "size": lambda value: value and CardSize(value),
    "due_on": lambda value: value and date.fromisoformat(value),
}


async def restore_card_revision(
    tx: Transaction, actor: Actor, card_id: str, seq: int, *, if_version: int | None = None
) -> Card:
    """Give a card back what it said before event `seq` of its board.

    What it says now becomes a revision itself. Its column comes back too, at the end, if the law of stages
    allows the move; where the column is gone, the first of its stage stands in.
    """
    board, card = await lock_card(tx, actor, card_id)
    mine = Event.topic == board_topic(board.id), Event.subject == card.id, Event.kind.in_(SNAPSHOTS)
    data = await tx.scalar(select(Event.data).where(*mine, Event.seq == seq))
    if data is None:
        raise NotFound(str(seq))
    before = data["before"]
    changes = {name: kept(before, name) for name in IMAGE_FIELDS if name != "column_id"}
    if changes["parent_id"] is not None and await tx.get(Card, changes["parent_id"]) is None:
        changes["parent_id"] = None
    place = None
    if before["column_id"] != card.column_id:
        there = await tx.get(BoardColumn, before["column_id"])
        place = Placement(column_id=there.id) if there else Placement(stage=Stage(before["stage"]))
    return await update_card(tx, actor, card.id, changes, place=place, if_version=if_version)


def kept(before: dict[str, Any], name: str) -> Any:
    """One field of a card's image, as the card had it."""
    return READERS.get(name, _as_is)(before[name])


def _as_is(value: Any) -> Any:
    return value
