"""Reads of tasks on branches."""

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from auth.permissions import sees_card
from models.actor import Actor
from models.branch_task import OPEN, BranchTask
from resolvers.loaders import Relation


def _sees(actor: Actor):  # type: ignore[no-untyped-def]
    return sees_card(actor, BranchTask.board_id, BranchTask.card_id)


BRANCH_TASK = Relation[BranchTask | None](
    select(BranchTask.__table__), BranchTask.id, _sees, viewer_independent=True
)
_newer = aliased(BranchTask)
LAST_BRANCH_TASK_OF_CARD = Relation[BranchTask | None](
    select(BranchTask.__table__).where(
        BranchTask.id
        == select(func.max(_newer.id)).where(_newer.card_id == BranchTask.card_id).scalar_subquery()
    ),
    BranchTask.card_id,
    _sees,
    viewer_independent=True,
)
OPEN_BRANCH_TASK_OF_CARD = Relation[BranchTask | None](
    select(BranchTask.__table__).where(BranchTask.status.in_(OPEN)),
    BranchTask.card_id,
    _sees,
    viewer_independent=True,
)
