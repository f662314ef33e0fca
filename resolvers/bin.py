"""Reads of the bin of a board."""

from typing import Any

from sqlalchemy import select
from strawberry import Parent

from auth.permissions import sees_card
from models.bin import BinEntry
from models.board import Board
from resolvers.context import Info
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

SHOWN: tuple[Any, ...] = (
    BinEntry.card_id,
    BinEntry.board_id,
    BinEntry.number,
    BinEntry.title,
    BinEntry.stage,
    BinEntry.deleted_by,
    BinEntry.created_at,
)
BIN_OF_BOARD = PaginatedQuery(
    "board.bin",
    select(*SHOWN),  # without the rows of the card
    BinEntry.board_id,
    lambda actor: sees_card(actor, BinEntry.board_id, BinEntry.card_id),
)
NEWEST = Order("NEWEST", ((BinEntry.created_at, True), (BinEntry.card_id, True)))


async def bin_of_board(
    root: Parent[Board],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """Its deleted cards, last deleted first."""
    return await load_page(info.context, BIN_OF_BOARD, NEWEST, PageArgs(first, after, last, before), root.id)
