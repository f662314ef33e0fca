"""Reads of the labels and assignees of cards."""

from sqlalchemy import select

from auth.permissions import sees_card
from models.account import User
from models.card import CardAssignee, CardLabel
from models.workspace import Label
from resolvers.loaders import Relation

LABELS_OF_CARD = Relation(
    select(Label.__table__)
    .join(CardLabel, CardLabel.label_id == Label.id)
    .order_by(Label.name_folded, Label.id),
    CardLabel.card_id,
    lambda actor: sees_card(actor, CardLabel.board_id, CardLabel.card_id),
    many=True,
    viewer_independent=True,
)
ASSIGNEES_OF_CARD = Relation(
    select(User.__table__)
    .join(CardAssignee, CardAssignee.user_id == User.id)
    .order_by(User.username_folded, User.id),
    CardAssignee.card_id,
    lambda actor: sees_card(actor, CardAssignee.board_id, CardAssignee.card_id),
    many=True,
    viewer_independent=True,
)
