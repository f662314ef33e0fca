"""Reads of memory."""

from typing import Any

from sqlalchemy import ColumnElement, false, select

from auth.permissions import sees_board
from models.actor import Actor
from models.memory import Memory
from resolvers.loaders import Relation


def _sees_memory(actor: Actor) -> ColumnElement[bool]:
    """An agent of a run reads the memory that its prompt has, and no more."""
    return false() if actor.card_id is not None else sees_board(actor, Memory.board_id)


MEMORY = Relation[Any](select(Memory.__table__), Memory.id, _sees_memory)
MEMORIES_OF_BOARD = Relation(
    select(Memory.__table__).order_by(Memory.created_at, Memory.id), Memory.board_id, _sees_memory, many=True
)
