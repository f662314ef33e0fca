"""How the people and labels on a card are answered, and the adapters of their changes."""

from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID

import actions.labels_and_assignees
from auth.permissions import sees_card
from models.account import User
from models.card import CardAssignee, CardLabel
from models.workspace import Label
from resolvers.context import Info
from resolvers.loaders import Relation

LABELS_OF_CARD = Relation(
    select(Label.__table__)
    .join(CardLabel, CardLabel.label_id == Label.id)
    .order_by(Label.name_folded, Label.id),
    CardLabel.card_id,
    lambda actor: sees_card(actor, CardLabel.board_id, CardLabel.card_id),
    many=True,
    alike=True,
)
ASSIGNEES_OF_CARD = Relation(
    select(User.__table__)
    .join(CardAssignee, CardAssignee.user_id == User.id)
    .order_by(User.username_folded, User.id),
    CardAssignee.card_id,
    lambda actor: sees_card(actor, CardAssignee.board_id, CardAssignee.card_id),
    many=True,
    alike=True,
)


async def assign_card(
    info: Info,
    card_id: Annotated[ID, "Which card."],
    user_id: Annotated[ID, "A member of the card's workspace."],
) -> Any:
    """Assign a card to somebody, who is told. Doing it twice changes nothing."""
    async with info.context.transaction() as tx:
        return await actions.labels_and_assignees.assign_card(tx, info.context.actor, card_id, user_id)


async def unassign_card(
    info: Info,
    card_id: Annotated[ID, "Which card."],
    user_id: Annotated[ID, "To whom it is assigned."],
) -> Any:
    """Take a card from somebody, who is told. Doing it twice changes nothing."""
    async with info.context.transaction() as tx:
        return await actions.labels_and_assignees.unassign_card(tx, info.context.actor, card_id, user_id)


async def add_label(
    info: Info,
    card_id: Annotated[ID, "Which card."],
    label_id: Annotated[ID, "A label of the card's workspace."],
) -> Any:
    """Put a label on a card. Doing it twice changes nothing."""
    async with info.context.transaction() as tx:
        return await actions.labels_and_assignees.add_label(tx, info.context.actor, card_id, label_id)


async def remove_label(
    info: Info,
    card_id: Annotated[ID, "Which card."],
    label_id: Annotated[ID, "Which label."],
) -> Any:
    """Take a label off a card. Doing it twice changes nothing."""
    async with info.context.transaction() as tx:
        return await actions.labels_and_assignees.remove_label(tx, info.context.actor, card_id, label_id)
