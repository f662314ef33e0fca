"""Reads of links between cards."""

import asyncio

from sqlalchemy import select
from strawberry import Parent

from auth.permissions import sees_card, sees_link
from models.card import Card, CardLink, LinkKind
from resolvers.context import Info
from resolvers.loaders import Relation, viewer_independent

LINK = Relation(
    select(CardLink.__table__),
    CardLink.id,
    lambda actor: sees_link(actor, CardLink.board_id, CardLink.card_id, CardLink.target_id),
    viewer_independent=True,
)
LINKS_FROM_CARD = Relation(
    select(CardLink.__table__).order_by(CardLink.id),
    CardLink.card_id,
    lambda actor: sees_link(actor, CardLink.board_id, CardLink.card_id, CardLink.target_id),
    many=True,
    viewer_independent=True,
)
LINKS_TO_CARD = Relation(
    select(CardLink.__table__).order_by(CardLink.id),
    CardLink.target_id,
    lambda actor: sees_link(actor, CardLink.board_id, CardLink.card_id, CardLink.target_id),
    many=True,
    viewer_independent=True,
)
BLOCKED_BY_CARD = Relation(
    select(Card.__table__)
    .join(CardLink, CardLink.target_id == Card.id)
    .where(CardLink.kind == LinkKind.BLOCKS)
    .order_by(Card.number),
    CardLink.card_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    many=True,
    viewer_independent=True,
)
BLOCKERS_OF_CARD = Relation(
    select(Card.__table__)
    .join(CardLink, CardLink.card_id == Card.id)
    .where(CardLink.kind == LinkKind.BLOCKS)
    .order_by(Card.number),
    CardLink.target_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    many=True,
    viewer_independent=True,
)


@viewer_independent
async def links_of_card(root: Parent[Card], info: Info) -> list[CardLink]:
    """Its links with other cards in both directions, oldest first."""
    load = info.context.load
    directions = await asyncio.gather(load(LINKS_FROM_CARD, root.id), load(LINKS_TO_CARD, root.id))
    return sorted((link for links in directions for link in links), key=lambda link: link.id)
