"""The choice of an agent profile: a run without one uses its card's, or else its board's default.

Cards and boards may reference only enabled profiles of their workspace. A disabled profile starts no run; no other
profile replaces it, since that one might have more permissions.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, update

from actions.events import emit_board_event
from actions.policy_values import changed_policy
from auth.locking import lock_profile_for_reference
from kit.db.transaction import Transaction
from models.actor import Actor
from models.board import Board
from models.card import Card
from models.events.board import BoardPolicyUpdated, board_facts
from models.policy import board_policy_of
from models.refusal import Conflict, NotFound
from models.worker import AgentProfile


class NamedProfiles:
    """The profiles that a change references, locked before the board is."""

    def __init__(self, profiles: Iterable[AgentProfile]) -> None:
        self.by_id = {profile.id: profile for profile in profiles}

    def judge(self, board: Board, id: str | None, *, before: str | None = None) -> None:
        """Raise NotFound for a profile of another workspace, Conflict for a disabled one."""
        if id is None or id == before:
            return
        if self.by_id[id].workspace_id != board.workspace_id:
            raise NotFound(id)
        require_enabled(self.by_id[id])


async def profiles_by_id(tx: Transaction, actor: Actor, *ids: str | None) -> NamedProfiles:
    """Lock the referenced profiles. The caller holds no lock of a board yet. Raises NotFound."""
    distinct = sorted({id for id in ids if id is not None})
    return NamedProfiles([await lock_profile_for_reference(tx, actor, id) for id in distinct])


def require_enabled(profile: AgentProfile) -> AgentProfile:
    """Return the profile. Raises Conflict if it is disabled."""
    if not profile.enabled:
        raise Conflict(f"The agent profile {profile.name} is disabled", profile.id)
    return profile


async def profiles_of(tx: Transaction, board: Board, cards: Sequence[Card]) -> dict[str, AgentProfile]:
    """Read the profiles of cards of one board, by card id, without cards that have none. At most one statement."""
    default = board_policy_of(board.policy).agent_profile_id
    chosen = {card.id: card.agent_profile_id or default for card in cards}
    ids = {id for id in chosen.values() if id is not None}
    query = select(AgentProfile).where(
        AgentProfile.id.in_(ids), AgentProfile.workspace_id == board.workspace_id
    )
    by_id = {profile.id: profile for profile in await tx.scalars(query)} if ids else {}
    return {card: by_id[id] for card, id in chosen.items() if id in by_id}


async def clear_profile(tx: Transaction, profile: AgentProfile) -> set[str]:
    """Remove a profile from every card and board that references it. The caller holds its and its workspace's lock.

    Emits a policy change for each such board. Cards get no event: the deletion of the profile covers them.
    Returns the ids of the boards of these cards, which need that event.
    """
    boards_of_workspace = select(Board).where(Board.workspace_id == profile.workspace_id).order_by(Board.id)
    board_ids = boards_of_workspace.with_only_columns(Board.id).order_by(None)
    referencing = update(Card).where(Card.agent_profile_id == profile.id, Card.board_id.in_(board_ids))
    clearing = referencing.values(agent_profile_id=None, updated_at=Card.updated_at)
    boards_of_cards = set(await tx.scalars(clearing.returning(Card.board_id)))
    policies = (await tx.execute(boards_of_workspace.with_only_columns(Board.id, Board.policy))).all()
    ids = [id for id, policy in policies if board_policy_of(policy).agent_profile_id == profile.id]
    boards = await tx.scalars(boards_of_workspace.where(Board.id.in_(ids)).with_for_update()) if ids else ()
    for board in list(boards):
        board.policy = changed_policy(board.policy, {"agent_profile_id": None})
        board.version += 1
        changes = {"agent_profile_id": [profile.id, None]}
        emit_board_event(tx, board, BoardPolicyUpdated(**board_facts(board), changes=changes))
    return boards_of_cards
