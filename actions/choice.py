"""Which agent profile works a card where a run names none: the card's own, else its board's default.

Naming one is judged here, for cards and boards. A profile that is switched off begins nothing: not by itself,
and not instead of it a run that nobody chose, which might be allowed more.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from actions.news import tell_of_board
from actions.reach import reach_profile_to_name
from models.actor import Actor
from models.board import Board
from models.card import Card
from models.event import EventKind
from models.policy import changed_policy, policy_of
from models.refusal import Conflict, NotFound
from models.worker import AgentProfile


class Named:
    """The profiles that a change names, held before the board is."""

    def __init__(self, profiles: Iterable[AgentProfile]) -> None:
        self.by_id = {profile.id: profile for profile in profiles}

    def judge(self, board: Board, id: str | None, *, before: str | None = None) -> None:
        """Raise NotFound for a profile of another workspace, Conflict for one that is switched off."""
        if id is None or id == before:
            return
        if self.by_id[id].workspace_id != board.workspace_id:
            raise NotFound(id)
        usable(self.by_id[id])


async def named(tx: AsyncSession, actor: Actor, *ids: str | None) -> Named:
    """Hold the profiles that are named: to be called before anything of a board is held. Raises NotFound."""
    distinct = sorted({id for id in ids if id is not None})
    return Named([await reach_profile_to_name(tx, actor, id) for id in distinct])


def usable(profile: AgentProfile) -> AgentProfile:
    """Raise Conflict for a profile that is switched off."""
    if not profile.enabled:
        raise Conflict(f"The agent profile {profile.name} is switched off", profile.id)
    return profile


async def profiles_of(tx: AsyncSession, board: Board, cards: Sequence[Card]) -> dict[str, AgentProfile]:
    """The profiles of cards of one board, by the ids of those that have one. At most one statement."""
    default = policy_of(board.policy).agent_profile_id
    chosen = {card.id: card.agent_profile_id or default for card in cards}
    ids = {id for id in chosen.values() if id is not None}
    query = select(AgentProfile).where(
        AgentProfile.id.in_(ids), AgentProfile.workspace_id == board.workspace_id
    )
    found = {profile.id: profile for profile in await tx.scalars(query)} if ids else {}
    return {card: found[id] for card, id in chosen.items() if id in found}


async def forget(tx: AsyncSession, profile: AgentProfile) -> set[str]:
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
    ids = [id for id, policy in policies if policy_of(policy).agent_profile_id == profile.id]
    boards = await tx.scalars(mine.where(Board.id.in_(ids)).with_for_update()) if ids else ()
    for board in list(boards):
        board.policy = changed_policy(board.policy, {"agent_profile_id": None})
        board.version += 1
        changes = {"agent_profile_id": [profile.id, None]}
        tell_of_board(tx, board, EventKind.BOARD_POLICY_UPDATED, changes=changes)
    return named_by
