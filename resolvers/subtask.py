"""Reads of subtasks."""

from typing import NamedTuple

from sqlalchemy import case, func, select

from auth.permissions import sees_card
from models.card import Subtask
from resolvers.loaders import Relation


class Progress(NamedTuple):
    """The number of a card's subtasks, done and in all."""

    done: int
    total: int


SUBTASK = Relation(
    select(Subtask.__table__),
    Subtask.id,
    lambda actor: sees_card(actor, Subtask.board_id, Subtask.card_id),
    viewer_independent=True,
)
SUBTASKS_OF_CARD = Relation(
    select(Subtask.__table__).order_by(Subtask.phase_order, Subtask.rank, Subtask.id),
    Subtask.card_id,
    lambda actor: sees_card(actor, Subtask.board_id, Subtask.card_id),
    many=True,
    viewer_independent=True,
)
SUBTASK_COUNT = Relation(
    select(func.sum(case((Subtask.completed, 1), else_=0)).label("done"), func.count().label("total")),
    Subtask.card_id,
    lambda actor: sees_card(actor, Subtask.board_id, Subtask.card_id),
    group=True,
    missing=Progress(0, 0),
    viewer_independent=True,
)
