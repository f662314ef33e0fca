"""Reads of planned files."""

from sqlalchemy import select

from auth.permissions import sees_card
from models.planned_file import PlannedFile
from resolvers.loaders import Relation

PLANNED_FILE = Relation[PlannedFile | None](
    select(PlannedFile.__table__),
    PlannedFile.id,
    lambda actor: sees_card(actor, PlannedFile.board_id, PlannedFile.card_id),
    viewer_independent=True,
)
PLANNED_FILES_OF_CARD = Relation(
    select(PlannedFile.__table__).order_by(PlannedFile.rank, PlannedFile.id),
    PlannedFile.card_id,
    lambda actor: sees_card(actor, PlannedFile.board_id, PlannedFile.card_id),
    many=True,
    viewer_independent=True,
)
