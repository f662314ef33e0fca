"""Who may go on to see what is followed: asked in one statement for all who follow it in this process.

A follower looks again before each page, and when it was woken or polls. What a follower was woken for is seen by
a look that began after that; one that only polls takes what another saw shortly before.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, literal, select

from kit.db.database import Database, Keys, among
from kit.single_flight import SingleFlight
from models.actor import Actor
from models.board import Board
from models.run import Run
from models.workspace import Membership, Workspace

if TYPE_CHECKING:
    pass

Who = Callable[[str, Collection[str]], Select[Any]]  # of what, and which people; no row if it is gone


def _of(people: Collection[str]) -> Any:
    return among(Membership.user_id, literal(list(people), Keys()))


def of_board(id: str, people: Collection[str]) -> Select[Any]:
    mine = and_(Membership.workspace_id == Board.workspace_id, _of(people))
    return select(Membership.user_id).select_from(Board).outerjoin(Membership, mine).where(Board.id == id)


def of_run(id: str, people: Collection[str]) -> Select[Any]:
    mine = and_(Membership.workspace_id == Board.workspace_id, _of(people))
    query = select(Membership.user_id).select_from(Run).join(Board, Board.id == Run.board_id)
    return query.outerjoin(Membership, mine).where(Run.id == id)


def of_workspace(id: str, people: Collection[str]) -> Select[Any]:
    mine = and_(Membership.workspace_id == Workspace.id, _of(people))
    query = select(Membership.user_id).select_from(Workspace).outerjoin(Membership, mine)
    return query.where(Workspace.id == id)


def can_see(actor: Actor, seeing: Collection[str | None]) -> bool:
    """Whether an actor who saw something still does, by what `Who` found. A key lives as long as what it is for."""
    return actor.id in seeing if actor.is_person else bool(seeing)


class AccessCheck:
    """Who of the followers of one thing may see it."""

    def __init__(self, database: Database, who: Who, id: str) -> None:
        self._database, self._who, self._id = database, who, id
        self.followers: Counter[str] = Counter()  # by the actor's id
        self._known: frozenset[str] = frozenset()  # the followers of the last look
        self._seeing: frozenset[str | None] = frozenset()
        self._look = SingleFlight(self._ask)

    async def has(self, actor: Actor, *, age: float = 0) -> bool:
        """Whether an actor who saw it still does."""
        await self._look(age=age if actor.id in self._known else 0)
        return can_see(actor, self._seeing)

    async def _ask(self) -> None:
        known = frozenset(self.followers)
        rows = await self._database.read(self._who(self._id, sorted(known)))
        self._known, self._seeing = known, frozenset(row[0] for row in rows)


class SubscriberAccess:
    """What is followed in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sights: dict[tuple[Who, str], AccessCheck] = {}

    @contextmanager
    def of(self, who: Who, id: str, actor: Actor) -> Iterator[AccessCheck]:
        """The sight of one thing, for a follower of it; kept while there is one."""
        sight = self._sights.get((who, id))
        if sight is None:
            sight = self._sights[who, id] = AccessCheck(self._database, who, id)
        sight.followers[actor.id] += 1
        try:
            yield sight
        finally:
            sight.followers[actor.id] -= 1
            sight.followers += Counter()  # without those who left
            if not sight.followers:
                del self._sights[who, id]
