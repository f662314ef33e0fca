"""What can be done to how a board lets agents work. Its limit is kept where the queue holds it: as a cap."""

from dataclasses import asdict
from typing import Any

from actions.events import emit_board_event
from actions.policy_values import changed_policy
from actions.profile_choice import profiles_by_id
from auth.locking import lock_board
from kit.db.transaction import Transaction
from kit.queue import scope_cap, set_cap
from models.actor import Actor
from models.board import Board
from models.events.board import BoardPolicyUpdated, board_facts
from models.policy import board_policy_of


async def update_board_policy(
    tx: Transaction, actor: Actor, board_id: str, changes: dict[str, Any], *, if_version: int | None = None
) -> Board:
    """Change how agents work on a board; None puts a value back to its default. An admin's to change.

    Raises Stale, Invalid, and Conflict for an agent profile that is switched off.
    """
    profiles = await profiles_by_id(tx, actor, changes.get("agent_profile_id"))
    board = await lock_board(tx, actor, board_id, admin=True)
    board.expect(if_version)
    before = asdict(board_policy_of(board.policy))
    profiles.judge(board, changes.get("agent_profile_id"), before=before["agent_profile_id"])
    stored = changed_policy(board.policy, changes)
    after = asdict(board_policy_of(stored))
    told = {name: [before[name], after[name]] for name in after if after[name] != before[name]}
    if stored != board.policy:
        board.policy, board.version = stored, board.version + 1
    if told:
        emit_board_event(tx, board, BoardPolicyUpdated(**board_facts(board), changes=told))
    if "concurrency" in told:
        await keep_cap(tx, board)
    return board


async def keep_cap(tx: Transaction, board: Board) -> None:
    """Let the queue hold as many runs of the board at once as its policy says; 0 is no limit."""
    most = board_policy_of(board.policy).concurrency or None
    await set_cap(tx, scope_cap(board.id), most, tenant=board.workspace_id)
