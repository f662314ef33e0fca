"""Reads of schedules of cards."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, false, select
from strawberry import Parent

from actions.card_schedule import times_after
from auth.permissions import sees_board
from kit.db.database import utcnow
from models.actor import Actor
from models.card_schedule import UPCOMING, CardSchedule
from resolvers.loaders import Relation


def _sees_schedules(actor: Actor) -> ColumnElement[bool]:
    """An agent of a run sees its card, and no schedules."""
    return false() if actor.card_id is not None else sees_board(actor, CardSchedule.board_id)


SCHEDULE = Relation[CardSchedule | None](
    select(CardSchedule.__table__),
    CardSchedule.id,
    _sees_schedules,
    viewer_independent=True,
)
SCHEDULES_OF_BOARD = Relation[Sequence[CardSchedule]](
    select(CardSchedule.__table__).order_by(CardSchedule.id),
    CardSchedule.board_id,
    _sees_schedules,
    many=True,
    viewer_independent=True,
)


async def upcoming_times(root: Parent[CardSchedule]) -> list[datetime]:
    """Its next three times, in UTC; none while it is switched off."""
    if not root.is_enabled:
        return []
    return list(islice(times_after(root.cron, root.time_zone, utcnow()), UPCOMING))
