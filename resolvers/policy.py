"""Reads of a board's policy."""

from strawberry import Parent

from models.board import Board
from models.policy import BoardPolicy, board_policy_of


async def policy_of_board(root: Parent[Board]) -> BoardPolicy:
    """Its policy for agents: the stored values and the defaults."""
    return board_policy_of(root.policy)
