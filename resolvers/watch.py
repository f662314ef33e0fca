"""Reads of a person's watches."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, select

from auth.permissions import sees_board
from models.actor import Actor
from models.watch import Watch
from resolvers.context import Info
from resolvers.loaders import Relation


def _sees(actor: Actor) -> ColumnElement[bool]:
    return and_(Watch.user_id == actor.id, sees_board(actor, Watch.board_id))


WATCH = Relation[Watch | None](select(Watch.__table__), Watch.id, _sees)
WATCHES_OF_USER = Relation[Sequence[Watch]](
    select(Watch.__table__).order_by(Watch.id), Watch.user_id, _sees, many=True
)


async def watches(info: Info) -> Sequence[Watch]:
    """The boards and cards that you watch or mute, oldest first. At most 500; empty for a key."""
    return await info.context.load(WATCHES_OF_USER, info.context.actor.id)
