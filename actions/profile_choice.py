"""Which agent profile works a card where a run names none: the card's own, else its board's default.

Naming one is judged here, for cards and boards. A profile that is switched off begins nothing: not by itself,
and not instead of it a run that nobody chose, which might be allowed more.
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
    """The profiles that a change names, held before the board is."""

    def __init__(self, profiles: Iterable[AgentProfile]) -> None:
        self.by_id = {profile.id: profile for profile in profiles}

    def judge(self, board: Board, id: str | None, *, before: str | None = None) -> None:
        """Raise NotFound for a profile of another workspace, Conflict for one that is switched off."""
        if id is None or id == before:
            return
        if self.by_id[id].workspace_id != board.workspace_id:
            raise NotFound(id)
        require_enabled(self.by_id[id])


async def profiles_by_id(tx: Transaction, actor: Actor, *ids: str | None) -> NamedProfiles:
    """Hold the profiles that are named: to be called before anything of a board is held. Raises NotFound."""
    distinct = sorted({id for id in ids if id is not None})
    return NamedProfiles([await lock_profile_for_reference(tx, actor, id) for id in distinct])


def require_enabled(profile: AgentProfile) -> AgentProfile:
    """Raise Conflict for a profile that is switched off."""
    if not profile.enabled:
        raise Conflict(f"The agent profile {profile.name} is switched off", profile.id)
    return profile


async def profiles_of(tx: Transaction, board: Board, cards: Sequence[Card]) -> dict[str, AgentProfile]:
    """The profiles of cards of one board, by the ids of those that have one. At most one statement."""
    default = board_policy_of(board.policy).agent_profile_id
    chosen = {card.id: card.agent_profile_id or default for card in cards}
    ids = {id for id in chosen.values() if id is not None}
    query = select(AgentProfile).where(
        AgentProfile.id.in_(ids), AgentProfile.workspace_id == board.workspace_id
    )
    found = {profile.id: profile for profile in await tx.scalars(query)} if ids else {}
    return {card: found[id] for card, id in chosen.items() if id in found}


async def clear_profile(tx: Transaction, profile: AgentProfile) -> set[str]:
    """Take a profile off every card and board that names it. The caller holds it and its workspace.

    Boards that named it are told here. For cards the word that the profile is gone stands for all, so nothing else
    of them changes: returned are the boards they are on, which must hear it.
    """
    mine = select(Board).where(Board.workspace_id == profile.workspace_id).order_by(Board.id)
    those = (
        Card.agent_profile_id == profile.id,
        Card.board_id.in_(mine.with_only_columns(Board.id).order_by(None)),
    )
    taken_off = update(Card).where(*those).values(agent_profile_id=None, updated_at=Card.updated_at)
    named_by = set(await tx.scalars(taken_off.returning(Card.board_id)))
    policies = (await tx.execute(mine.with_only_columns(Board.id, Board.policy))).all()
    ids = [id for id, policy in policies if board_policy_of(policy).agent_profile_id == profile.id]
    boards = await tx.scalars(mine.where(Board.id.in_(ids)).with_for_update()) if ids else ()
    for board in list(boards):
        board.policy = changed_policy(board.policy, {"agent_profile_id": None})
        board.version += 1
        changes = {"agent_profile_id": [profile.id, None]}
        emit_board_event(tx, board, BoardPolicyUpdated(**board_facts(board), changes=changes))
    return named_by
