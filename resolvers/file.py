"""Reads of files."""

from typing import Protocol

from sqlalchemy import ColumnElement, and_, func, or_, select

from auth.permissions import sees_card, sees_workspace
from models.actor import Actor
from models.card import Card
from models.file import File
from resolvers.loaders import Relation, batched


def sees_file(actor: Actor) -> ColumnElement[bool]:
    """The actor may see a file: of a card that it may see, or one that it uploaded and attached to nothing yet."""
    own = and_(File.card_id.is_(None), File.author_id == actor.id, sees_workspace(actor, File.workspace_id))
    return or_(sees_card(actor, File.board_id, File.card_id), own)


FILE = Relation[File | None](select(File.__table__), File.id, sees_file)
FILES_OF_CARD = Relation(
    select(File.__table__).order_by(File.id),
    File.card_id,
    lambda actor: sees_card(actor, File.board_id, File.card_id),
    many=True,
    viewer_independent=True,
)
FILES_OF_MESSAGE = Relation(
    select(File.__table__).order_by(File.id),
    File.message_id,
    lambda actor: sees_card(actor, File.board_id, File.card_id),
    many=True,
    viewer_independent=True,
)
FILE_COUNT = Relation(
    select(func.count().label("count")),
    File.card_id,
    lambda actor: sees_card(actor, File.board_id, File.card_id),
    group=True,
    viewer_independent=True,
)


class Count(Protocol):
    """A row of FILE_COUNT."""

    count: int


@batched(FILE_COUNT, "id")
def file_count(root: Card, row: Count | None) -> int:
    """The number of files on it and on its messages."""
    return row.count if row else 0
