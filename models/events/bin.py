"""Events of the bin of a board."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import BoardEvent


class BinEmptied(BoardEvent):
    """The deleted cards of a board were deleted for good."""

    board_id: Annotated[Id, "The board."]
    card_count: Annotated[int, "Number of those cards."]
