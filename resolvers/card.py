"""Reads of cards: relations, pages and computed fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import select
from strawberry import ID, Parent

from actions.revision import SNAPSHOTS
from actions.stage_facts import facts_of
from auth.permissions import WRITERS, role_in, sees_card
from kit.db.database import utcnow
from kit.eventlog.tables import Event
from models.board import Board, BoardColumn
from models.card import MAX_REVISIONS, Card, CardOrder
from models.group import Group
from models.stage import MoveGate, Reason, Stage, reasons_against
from resolvers.board import BOARD, COLUMN
from resolvers.card_filter import CardFilter, filter_clauses, order_of, ungrouped
from resolvers.context import Info
from resolvers.group import StoryMap
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

MAX_CARDS = 500  # cards of a board in one page
FirstOfBoard = Annotated[int | None, "Page size from the top, 1 to 500; default 50."]
Filter = Annotated[CardFilter | None, "Only cards that match. Default: those that are not archived."]

CARD = Relation(
    select(Card.__table__),
    Card.id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    viewer_independent=True,
)
CHILDREN_OF_CARD = Relation(
    select(Card.__table__).order_by(Card.number),
    Card.parent_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    many=True,
    viewer_independent=True,
)
REVISIONS_OF_CARD = PaginatedQuery(
    "card.revisions",
    select(Event.__table__).where(Event.kind.in_(SNAPSHOTS)),
    Event.subject,
    lambda actor: Event.subject.in_(select(Card.id).where(sees_card(actor, Card.board_id, Card.id))),
)
NEWEST = Order("NEWEST", ((Event.at, True), (Event.seq, True)))

_CARDS = select(Card.__table__).join(BoardColumn, BoardColumn.id == Card.column_id)
CARDS = PaginatedQuery("cards", _CARDS, None, lambda actor: sees_card(actor, Card.board_id, Card.id))
CARDS_OF_BOARD = PaginatedQuery(
    "board.cards", _CARDS, Card.board_id, lambda actor: sees_card(actor, Card.board_id, Card.id)
)
CARDS_OF_GROUP = PaginatedQuery(
    "group.cards", _CARDS, Card.group_id, lambda actor: sees_card(actor, Card.board_id, Card.id)
)
NOT_ARCHIVED = filter_clauses(CardFilter())
CARDS_OF_COLUMN = PaginatedQuery(
    "column.cards", _CARDS, Card.column_id, lambda actor: sees_card(actor, Card.board_id, Card.id)
)


async def card(info: Info, id: Annotated[ID, "The card."]) -> Card | None:
    """One card, or null if there is none that you may see."""
    row: Card | None = await info.context.load(CARD, id)
    return row


async def cards(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,
    order_by: Annotated[CardOrder, "The order."] = CardOrder.CREATED,
) -> Page:
    """Cards of all boards that you may see."""
    return await _cards(info, CARDS, None, PageArgs(first, after, last, before), filter, order_by)


async def cards_of_board(
    root: Parent[Board],
    info: Info,
    first: FirstOfBoard = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,
    order_by: Annotated[CardOrder, "The order."] = CardOrder.BOARD,
) -> Page:
    """Its cards, column by column from the top."""
    page = PageArgs(first, after, last, before, MAX_CARDS)
    return await _cards(info, CARDS_OF_BOARD, root.id, page, filter, order_by)


async def cards_of_column(
    root: Parent[BoardColumn],
    info: Info,
    first: FirstOfBoard = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,
    order_by: Annotated[CardOrder, "The order."] = CardOrder.BOARD,
) -> Page:
    """Its cards, from the top."""
    page = PageArgs(first, after, last, before, MAX_CARDS)
    return await _cards(info, CARDS_OF_COLUMN, root.id, page, filter, order_by)


async def cards_of_group(
    root: Parent[Group],
    info: Info,
    first: FirstOfBoard = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,
    order_by: Annotated[CardOrder, "The order."] = CardOrder.BOARD,
) -> Page:
    """The cards directly in it, column by column from the top."""
    page = PageArgs(first, after, last, before, MAX_CARDS)
    return await _cards(info, CARDS_OF_GROUP, root.id, page, filter, order_by)


async def ungrouped_cards(
    root: Parent[StoryMap],
    info: Info,
    first: FirstOfBoard = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """The cards that are in no group and not archived, column by column from the top."""
    page, order = PageArgs(first, after, last, before, MAX_CARDS), order_of(CardOrder.BOARD)
    where = [*NOT_ARCHIVED, ungrouped()]
    return await load_page(info.context, CARDS_OF_BOARD, order, page, root.board_id, where, "ungrouped")


async def _cards(
    info: Info,
    query: PaginatedQuery,
    parent: str | None,
    page: PageArgs,
    filter: CardFilter | None,
    order: CardOrder,
) -> Page:
    context = info.context
    assert context.actor, "it raises where nobody signed in, before a filter is read"
    where = NOT_ARCHIVED if filter is None else filter_clauses(filter)
    return await load_page(
        context, query, order_of(order), page, parent, where, repr(filter), is_default_filter=filter is None
    )


@batched(BOARD, "board_id", "number")
def name_of_card(root: Card, board: Board | None) -> str:
    """The name that people use, `WEB-42`: the board's key and the card's number."""
    return f"{board.key if board else ''}-{root.number}"


@batched(COLUMN, "column_id")
def stage_of_card(root: Card, column: BoardColumn) -> Stage:
    """The stage of its column."""
    return column.stage


def _column_if_late(card: Card) -> str | None:
    return None if card.due_on is None or card.due_on >= utcnow().date() else card.column_id


@batched(COLUMN, _column_if_late, "due_on", "column_id")
def overdue(root: Card, column: BoardColumn | None) -> bool:
    """True if it was due before today (UTC) and is not done."""
    return bool(column and column.stage is not Stage.DONE)


@dataclass(frozen=True)
class Move:
    stage: Stage
    reasons: list[Reason]

    @property
    def allowed(self) -> bool:
        return not self.reasons


async def moves_of_card(root: Parent[Card], info: Info) -> list[Move]:
    """For each stage, whether you may move the card there now, and the reasons against it."""

    async def load(cards: list[Card]) -> list[list[Move]]:
        if info.context.actor.run_id is not None:  # the cards that block it stay hidden from it
            never = [Reason(MoveGate.FORBIDDEN, "An agent does not move its card")]
            return [[Move(stage, never) for stage in Stage] for _ in cards]
        boards = [await info.context.load(BOARD, id) for id in {card.board_id for card in cards}]
        visible = {board.id: board for board in boards if board}
        roles = select(Board.id, role_in(info.context.actor, Board.workspace_id)).where(Board.id.in_(visible))
        writable = {id for id, role in await info.context.read(roles) if role in WRITERS}
        every = await facts_of(info.context.read, visible, cards, writable=writable)
        return [[Move(stage, reasons_against(facts, stage)) for stage in Stage] for facts in every]

    moves: list[Move] = await info.context.loaders.through("moves", load).load(root)
    return moves


async def allowed_stages(root: Parent[Card], info: Info) -> list[Stage]:
    """The stages that you may move it to now, in the order of the board: the short form of `moves`."""
    return [move.stage for move in await moves_of_card(root, info) if move.allowed]


async def revisions_of_card(
    root: Parent[Card],
    info: Info,
    first: Annotated[int, "Number of the newest revisions, 1 to 50."] = 20,
) -> Sequence[object]:
    """The card before each change, newest first. Moves and updates make revisions."""
    page = PageArgs(first, most=MAX_REVISIONS)
    return (await load_page(info.context, REVISIONS_OF_CARD, NEWEST, page, root.id)).rows
