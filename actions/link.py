"""Changes to links between cards.

BLOCKS links have no cycle: the lock of the board makes the check and the insertion one step.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Annotated

from sqlalchemy import func, or_, select

from actions.run.change import reopen
from auth.locking import lock_cards, lock_link
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.card import MAX_LINKS, CardLink, LinkKind
from models.events.card import CardLinked, CardUnlinked
from models.refusal import Conflict, Invalid

SAME_CARD = "targetId", "is the card itself"
TOO_MANY = f"A card has at most {MAX_LINKS} links"
CYCLE = "The target blocks this card already, directly or through others"


async def link_cards(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card."],
    target_id: Annotated[Id, "Another card of the same board."],
    kind: Annotated[LinkKind, "The relation of the card to the target."],
) -> CardLink:
    """Link two cards: the card blocks the target, is related to it, or duplicates it.

    Raises Conflict if they are linked already in either direction, for a cycle of BLOCKS, or if either card has 50
    links.
    """
    if card_id == target_id:
        raise Invalid(SAME_CARD)
    board, [card, target] = await lock_cards(tx, actor, [card_id, target_id])
    for one, other in ((card.id, target.id), (target.id, card.id)):
        of_one = or_(CardLink.card_id == one, CardLink.target_id == one)
        if await tx.scalar(select(func.count()).select_from(CardLink).where(of_one)) == MAX_LINKS:
            raise Conflict(TOO_MANY, one)
        same = CardLink.card_id == one, CardLink.target_id == other
        if (existing := await tx.scalar(select(CardLink).where(*same))) is not None:
            raise _linked(existing.kind, existing.id)
    if kind is LinkKind.BLOCKS and await _blocks(tx, target.id, card.id):
        raise Conflict(CYCLE, target.id)
    link = _link(tx, board, card.id, target.id, kind)
    await tx.flush()  # the next link is checked against it
    return link


def link_new_cards(tx: Transaction, board: Board, ties: Sequence[tuple[str, str, LinkKind]]) -> None:
    """Link new cards, each `(card, target, kind)`, of a board that the caller holds, as `link_cards` does.

    They have no other links, so no statement is needed. Raises Invalid, Conflict.
    """
    links: dict[frozenset[str], CardLink] = {}
    of_card, blockers = Counter[str](), defaultdict[str, set[str]](set)
    for card, target, kind in ties:
        pair = frozenset((card, target))
        if card == target:
            raise Invalid(SAME_CARD)
        if pair in links:
            raise _linked(links[pair].kind, links[pair].id)
        if kind is LinkKind.BLOCKS:
            blockers[target].add(card)
        of_card.update(pair)
        links[pair] = _link(tx, board, card, target, kind)
    for card, count in of_card.items():
        if count > MAX_LINKS:
            raise Conflict(TOO_MANY, card)
    try:
        TopologicalSorter(blockers).prepare()
    except CycleError as error:
        raise Conflict(CYCLE, error.args[1][0]) from None


def _linked(kind: LinkKind, id: str) -> Conflict:
    return Conflict(f"The cards are linked already: {kind}", id)


def _link(tx: Transaction, board: Board, card_id: str, target_id: str, kind: LinkKind) -> CardLink:
    link = CardLink(id=new_id("link"), board_id=board.id, card_id=card_id, target_id=target_id, kind=kind)
    tx.add(link)
    tx.emit(board, CardLinked(card_id=card_id, link_id=link.id, link_kind=kind, target_id=target_id))
    return link


async def unlink_cards(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The link."]) -> CardLink:
    """Delete a link between two cards. Returns the link as it was."""
    board, link = await lock_link(tx, actor, id)
    await tx.delete(link)
    unlinked = CardUnlinked(
        card_id=link.card_id, link_id=link.id, link_kind=link.kind, target_id=link.target_id
    )
    tx.emit(board, unlinked)
    await tx.flush()
    await reopen(tx, board)
    return link


async def _blocks(tx: Transaction, start: str, end: str) -> bool:
    """Return whether `start` blocks `end`, directly or through others."""
    blocks = CardLink.kind == LinkKind.BLOCKS
    step = select(CardLink.target_id.label("id")).where(CardLink.card_id == start, blocks)
    reached = step.cte("reached", recursive=True)
    onward = select(CardLink.target_id).join(reached, CardLink.card_id == reached.c.id).where(blocks)
    reached = reached.union(onward)
    return await tx.scalar(select(reached.c.id).where(reached.c.id == end).limit(1)) is not None
