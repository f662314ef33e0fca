"""What can be done to how a board lets agents work. Its limit is kept where the queue holds it: as a cap."""

from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from actions.choice import named
from actions.news import tell_of_board
from actions.reach import reach_board
from models.actor import Actor
from models.board import Board
from models.event import EventKind
from models.policy import changed_policy, policy_of
from runtime.queue import scope_cap, set_cap


async def update_board_policy(
    tx: AsyncSession, actor: Actor, board_id: str, changes: dict[str, Any], *, if_version: int | None = None
) -> Board:
    """Change how agents work on a board; None puts a value back to its default. An admin's to change.

    Raises Stale, Invalid, and Conflict for an agent profile that is switched off.
    """
    profiles = await named(tx, actor, changes.get("agent_profile_id"))
    board = await reach_board(tx, actor, board_id, admin=True)
    board.expect(if_version)
    before = asdict(policy_of(board.policy))
    profiles.judge(board, changes.get("agent_profile_id"), before=before["agent_profile_id"])
    stored = changed_policy(board.policy, changes)
    after = asdict(policy_of(stored))
    told = {name: [before[name], after[name]] for name in after if after[name] != before[name]}
    if stored != board.policy:
        board.policy, board.version = stored, board.version + 1
    if told:
        tell_of_board(tx, board, EventKind.BOARD_POLICY_UPDATED, changes=told)
    if "concurrency" in told:
        await keep_cap(tx, board)
    return board


async def keep_cap(tx: AsyncSession, board: Board) -> None:
    """Let the queue hold as many runs of the board at once as its policy says; 0 is no limit."""
    most = policy_of(board.policy).concurrency or None
    await set_cap(tx, scope_cap(board.id), most, tenant=board.workspace_id)
