"""Reads of knowledge items."""

from sqlalchemy import select

from auth.permissions import sees_card
from models.knowledge import KnowledgeItem
from resolvers.loaders import Relation

KNOWLEDGE = Relation[KnowledgeItem | None](
    select(KnowledgeItem.__table__),
    KnowledgeItem.id,
    lambda actor: sees_card(actor, KnowledgeItem.board_id, KnowledgeItem.card_id),
    viewer_independent=True,
)
KNOWLEDGE_OF_CARD = Relation(
    select(KnowledgeItem.__table__).order_by(KnowledgeItem.rank, KnowledgeItem.id),
    KnowledgeItem.card_id,
    lambda actor: sees_card(actor, KnowledgeItem.board_id, KnowledgeItem.card_id),
    many=True,
    viewer_independent=True,
)
