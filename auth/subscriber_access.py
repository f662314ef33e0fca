"""The access of subscribers, checked again while they follow: one statement for all followers of one thing.

A follower checks before each page, and when it was woken or polls. After a wake the check is made anew; a poll
accepts a recent check by another follower.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select, and_, literal, select

from kit.db.database import Database, Keys, among
from kit.single_flight import SingleFlight
from models.actor import Actor
from models.board import Board
from models.run import Run
from models.workspace import Membership, Workspace

# Makes the query for the people, of those given, who may see the thing with this id; no row if it does not exist.
Who = Callable[[str, Collection[str]], Select[Any]]


def _of(people: Collection[str]) -> Any:
    return among(Membership.user_id, literal(list(people), Keys()))


def of_board(id: str, people: Collection[str]) -> Select[Any]:
    is_member = and_(Membership.workspace_id == Board.workspace_id, _of(people))
    return (
        select(Membership.user_id).select_from(Board).outerjoin(Membership, is_member).where(Board.id == id)
    )


def of_run(id: str, people: Collection[str]) -> Select[Any]:
    is_member = and_(Membership.workspace_id == Board.workspace_id, _of(people))
    query = select(Membership.user_id).select_from(Run).join(Board, Board.id == Run.board_id)
    return query.outerjoin(Membership, is_member).where(Run.id == id)


def of_workspace(id: str, people: Collection[str]) -> Select[Any]:
    is_member = and_(Membership.workspace_id == Workspace.id, _of(people))
    query = select(Membership.user_id).select_from(Workspace).outerjoin(Membership, is_member)
    return query.where(Workspace.id == id)


def can_see(actor: Actor, seeing: Collection[str | None]) -> bool:
    """Return whether an actor still has access, by the rows of `Who`. A key lives as long as what it is for."""
    return actor.id in seeing if actor.is_person else bool(seeing)


class AccessCheck:
    """The access of the followers of one thing."""

    def __init__(self, database: Database, who: Who, id: str) -> None:
        self._database, self._who, self._id = database, who, id
        self.followers: Counter[str] = Counter()  # by the id of the actor
        self._known: frozenset[str] = frozenset()  # the followers at the last check
        self._seeing: frozenset[str | None] = frozenset()
        self._check = SingleFlight(self._read)

    async def has(self, actor: Actor, *, age: float = 0) -> bool:
        """Return whether an actor that had access still has it, checked at most `age` seconds ago."""
        await self._check(age=age if actor.id in self._known else 0)
        return can_see(actor, self._seeing)

    async def _read(self) -> None:
        known = frozenset(self.followers)
        rows = await self._database.read(self._who(self._id, sorted(known)))
        self._known, self._seeing = known, frozenset(row[0] for row in rows)


class SubscriberAccess:
    """The access checks of everything that is followed in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._checks: dict[tuple[Who, str], AccessCheck] = {}

    @contextmanager
    def of(self, who: Who, id: str, actor: Actor) -> Iterator[AccessCheck]:
        """Register a follower of one thing, and yield the access check that all its followers share."""
        check = self._checks.get((who, id))
        if check is None:
            check = self._checks[who, id] = AccessCheck(self._database, who, id)
        check.followers[actor.id] += 1
        try:
            yield check
        finally:
            check.followers[actor.id] -= 1
            check.followers += Counter()  # without those who left
            if not check.followers:
                del self._checks[who, id]
