"""Links between cards. What blocks what has no circle: the board's lock makes looking and adding one step."""

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.news import tell_board
from actions.reach import reach_cards, reach_link
from actions.run.change import reopen
from models.actor import Actor
from models.card import MOST_LINKS, CardLink, LinkKind
from models.event import EventKind
from models.refusal import Conflict, Invalid


async def link_cards(
    tx: AsyncSession, actor: Actor, card_id: str, target_id: str, kind: LinkKind
) -> CardLink:
    """Say that a card blocks, is related to, or duplicates another of its board.

    Two cards have at most one link, whichever way it points. Raises Conflict for a second one, for a circle
    of BLOCKS, and when either card has as many links as it may have.
    """
    if card_id == target_id:
        raise Invalid(("targetId", "is the card itself"))
    board, [card, target] = await reach_cards(tx, actor, [card_id, target_id])
    for one, other in ((card.id, target.id), (target.id, card.id)):
        of_one = or_(CardLink.card_id == one, CardLink.target_id == one)
        if await tx.scalar(select(func.count()).select_from(CardLink).where(of_one)) == MOST_LINKS:
            raise Conflict(f"A card has at most {MOST_LINKS} links", one)
        one_way = CardLink.card_id == one, CardLink.target_id == other
        if (known := await tx.scalar(select(CardLink).where(*one_way))) is not None:
            raise Conflict(f"The cards are linked already: {known.kind}", known.id)
    if kind is LinkKind.BLOCKS and await _leads(tx, target.id, card.id):
        raise Conflict("The other card blocks this one, if only through others", target.id)
    link = CardLink(board_id=board.id, card_id=card.id, target_id=target.id, kind=kind)
    tx.add(link)
    await tx.flush()  # generates link.id
    told = {"link_id": link.id, "card_id": card.id, "target_id": target.id, "link_kind": kind}
    tell_board(tx, board, EventKind.CARD_LINKED, card.id, **told)
    return link


async def unlink_cards(tx: AsyncSession, actor: Actor, id: str) -> CardLink:
    """Take a link away. Answers it as it was."""
    board, link = await reach_link(tx, actor, id)
    await tx.delete(link)
    told = {
        "link_id": link.id,
        "card_id": link.card_id,
        "target_id": link.target_id,
        "link_kind": link.kind,
    }
    tell_board(tx, board, EventKind.CARD_UNLINKED, link.card_id, **told)
    await tx.flush()
    await reopen(tx, board)
    return link


async def _leads(tx: AsyncSession, start: str, end: str) -> bool:
    """Whether `start` blocks `end`, if only through others."""
    blocks = CardLink.kind == LinkKind.BLOCKS
    step = select(CardLink.target_id.label("id")).where(CardLink.card_id == start, blocks)
    reached = step.cte("reached", recursive=True)
    onward = select(CardLink.target_id).join(reached, CardLink.card_id == reached.c.id).where(blocks)
    reached = reached.union(onward)
    return await tx.scalar(select(reached.c.id).where(reached.c.id == end).limit(1)) is not None
