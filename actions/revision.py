"""Revisions of a card: its fields before each change, and restoring them."""

from datetime import date
from typing import Annotated, Any

from sqlalchemy import select

from actions.card import change_card
from actions.move import DestinationInput
from auth.locking import lock_card
from kit.db.transaction import Transaction
from kit.eventlog.tables import Event
from kit.graphql.arguments import Id, IfVersion
from models.actor import Actor
from models.board import BoardColumn
from models.card import IMAGE_FIELDS, Card, CardSize, CardType, Priority
from models.events.card import CardMoved, CardUpdated
from models.group import Group
from models.refusal import NotFound
from models.stage import Stage
from models.topic import board_topic

# Events that hold the card as it was before them.
SNAPSHOTS = (CardUpdated.kind, CardMoved.kind)

NOT_RESTORED = {"column_id", "sprint_id"}  # a column by a move; a sprint may be completed since
READERS: dict[str, Any] = {
    "type": CardType,
    "priority": Priority,
    "size": lambda value: value and CardSize(value),
    "due_on": lambda value: value and date.fromisoformat(value),
}


async def restore_card_revision(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card."],
    revision: Annotated[int, "The revision's `seq`."],
    if_version: IfVersion = None,
) -> Card:
    """Restore the fields of a card from before a change. Its present fields become a revision.

    It also moves back to the end of the column it was in, or to the first of that stage if the column is gone.
    Raises Stale, StageRefused if the law of stages refuses the move, or Conflict for a parent. Then nothing was
    changed.
    """
    board, card = await lock_card(tx, actor, card_id)
    of_card = Event.topic == board_topic(board.id), Event.subject == card.id, Event.kind.in_(SNAPSHOTS)
    data = await tx.scalar(select(Event.data).where(*of_card, Event.seq == revision))
    if data is None:
        raise NotFound(str(revision))
    before = data["before"]
    stored = [
        name for name in IMAGE_FIELDS if name in before and name not in NOT_RESTORED
    ]  # older ones have less
    changes = {name: field_of_image(before, name) for name in stored}
    for name, table in (("parent_id", Card), ("group_id", Group)):
        if changes.get(name) is not None and await tx.get(table, changes[name]) is None:
            changes[name] = None
    destination = None
    if before["column_id"] != card.column_id:
        column = await tx.get(BoardColumn, before["column_id"])
        destination = (
            DestinationInput(column_id=column.id)
            if column
            else DestinationInput(stage=Stage(before["stage"]))
        )
    return await change_card(tx, actor, card.id, changes, destination, if_version=if_version)


def field_of_image(before: dict[str, Any], name: str) -> Any:
    """Return one field of a card's image as the card had it."""
    return READERS.get(name, _as_is)(before.get(name))


def _as_is(value: Any) -> Any:
    return value
