"""How approvals and gates are read."""

from typing import Annotated

from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

from actions.gate import load_gates, load_works
from auth.permissions import sees_card
from kit.graphql.types import input_type
from models.actor import Actor
from models.approval import Approval, ApprovalKind, ApprovalStatus
from models.card import Card
from models.gate import GateReason
from resolvers.board import BOARD
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page


def _sees_card_of_approval(actor: Actor) -> ColumnElement[bool]:
    return sees_card(actor, Approval.board_id, Approval.card_id)


APPROVAL = Relation[Approval | None](
    select(Approval.__table__), Approval.id, _sees_card_of_approval, viewer_independent=True
)
APPROVALS = PaginatedQuery("approvals", select(Approval.__table__), None, _sees_card_of_approval)
APPROVALS_OF_CARD = PaginatedQuery(
    "card.approvals", select(Approval.__table__), Approval.card_id, _sees_card_of_approval
)
OLDEST = Order("OLDEST", ((Approval.id, False),))
NEWEST = Order("NEWEST", ((Approval.id, True),))
STEPS = (ApprovalKind.MERGE, ApprovalKind.CREATE_PR, ApprovalKind.PLAN)


@input_type
class ApprovalFilter:
    """Conditions on approvals, all of which must hold. Without `status`, pending approvals match."""

    board_id: Annotated[ID | None, "On this board."] = None
    card_id: Annotated[ID | None, "About this card."] = None
    kind: Annotated[list[ApprovalKind] | None, "Of one of these steps."] = None
    status: Annotated[list[ApprovalStatus] | None, "In one of these states; default: PENDING."] = None


async def approvals(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[ApprovalFilter | None, "Only approvals that match; default: pending ones."] = None,
) -> Page:
    """Approvals of all boards that you may see, oldest first; without a filter, the pending ones."""
    filter = filter or ApprovalFilter()
    where: list[ColumnElement[bool]] = [Approval.status.in_(filter.status or [ApprovalStatus.PENDING])]
    if filter.board_id is not None:
        where.append(Approval.board_id == filter.board_id)
    if filter.card_id is not None:
        where.append(Approval.card_id == filter.card_id)
    if filter.kind is not None:
        where.append(Approval.kind.in_(filter.kind))
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, APPROVALS, OLDEST, page, None, where, repr(filter))


async def approvals_of_card(
    root: Parent[Card],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """The approvals about it, newest first, pending and decided."""
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, APPROVALS_OF_CARD, NEWEST, page, root.id)


async def is_stale(root: Parent[Approval], info: Info) -> bool:
    """Whether new commits replaced the commit that it is for. Then it counts for nothing."""

    async def load(card_ids: list[str]) -> list[str | None]:
        works = await load_works(info.context.read, card_ids)
        return [works[id].head if id in works else None for id in card_ids]

    if root.kind == ApprovalKind.PLAN:
        return False
    head = await info.context.loaders.through("work heads", load).load(root.card_id)
    return (head or "") != root.head


async def gate_of_card(
    root: Parent[Card],
    info: Info,
    kind: Annotated[ApprovalKind, "The step; TOOL has no gate of a card."] = ApprovalKind.MERGE,
) -> list[GateReason]:
    """The reasons why a step may not be taken with its work now; empty if its gate is open."""

    async def load(cards: list[Card]) -> list[dict[ApprovalKind, list[GateReason]]]:
        boards = [await info.context.load(BOARD, id) for id in {card.board_id for card in cards}]
        visible = {board.id: board for board in boards if board}
        mine = [card for card in cards if card.board_id in visible]
        gates = await load_gates(info.context.read, visible, mine, STEPS)
        return [gates.get(card.id, {}) for card in cards]

    gates: dict[ApprovalKind, list[GateReason]] = await info.context.loaders.through("gates", load).load(root)
    return gates.get(kind, [])
