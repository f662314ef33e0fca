"""How links between cards are answered, and the adapters of their changes."""

import asyncio
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID, Parent

import actions.link
from auth.permissions import sees_card, sees_link
from models.card import Card, CardLink, LinkKind
from resolvers.context import Info
from resolvers.loaders import Relation, viewer_independent

LINK = Relation(
    select(CardLink.__table__),
    CardLink.id,
    lambda actor: sees_link(actor, CardLink.board_id, CardLink.card_id, CardLink.target_id),
    alike=True,
)
LINKS_FROM_CARD = Relation(
    select(CardLink.__table__).order_by(CardLink.id),
    CardLink.card_id,
    lambda actor: sees_link(actor, CardLink.board_id, CardLink.card_id, CardLink.target_id),
    many=True,
    alike=True,
)
LINKS_TO_CARD = Relation(
    select(CardLink.__table__).order_by(CardLink.id),
    CardLink.target_id,
    lambda actor: sees_link(actor, CardLink.board_id, CardLink.card_id, CardLink.target_id),
    many=True,
    alike=True,
)
BLOCKED_BY_CARD = Relation(
    select(Card.__table__)
    .join(CardLink, CardLink.target_id == Card.id)
    .where(CardLink.kind == LinkKind.BLOCKS)
    .order_by(Card.number),
    CardLink.card_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    many=True,
    alike=True,
)
BLOCKERS_OF_CARD = Relation(
    select(Card.__table__)
    .join(CardLink, CardLink.card_id == Card.id)
    .where(CardLink.kind == LinkKind.BLOCKS)
    .order_by(Card.number),
    CardLink.target_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    many=True,
    alike=True,
)


@viewer_independent
async def links_of_card(root: Parent[Any], info: Info) -> Any:
    """Its links with other cards, whichever way they point, oldest first."""
    load = info.context.load
    ways = await asyncio.gather(load(LINKS_FROM_CARD, root.id), load(LINKS_TO_CARD, root.id))
    return sorted((link for way in ways for link in way), key=lambda link: link.id)


async def link_cards(
    info: Info,
    card_id: Annotated[ID, "Which card."],
    target_id: Annotated[ID, "Which other card of the same board."],
    kind: Annotated[LinkKind, "What the card is to the other one."],
) -> Any:
    """Say that a card blocks, is related to, or duplicates another. Circles of BLOCKS are refused."""
    async with info.context.transaction() as tx:
        return await actions.link.link_cards(tx, info.context.actor, card_id, target_id, kind)


async def unlink_cards(info: Info, id: Annotated[ID, "Which link."]) -> Any:
    """Take a link between two cards away. Answers the link as it was."""
    async with info.context.transaction() as tx:
        return await actions.link.unlink_cards(tx, info.context.actor, id)
