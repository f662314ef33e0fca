"""The access of subscribers, rechecked while they follow: one statement for all followers of an object.

A follower rechecks before each page, and when it was notified or polls. A notification causes a new check; a poll
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

# Selects the given people who may see the object with this id; no row if it does not exist.
SelectViewers = Callable[[str, Collection[str]], Select[Any]]


def _is_among(people: Collection[str]) -> Any:
    return among(Membership.user_id, literal(list(people), Keys()))


def select_viewers_of_board(id: str, people: Collection[str]) -> Select[Any]:
    """Select the given people who may see a board."""
    is_member = and_(Membership.workspace_id == Board.workspace_id, _is_among(people))
    return (
        select(Membership.user_id).select_from(Board).outerjoin(Membership, is_member).where(Board.id == id)
    )


def select_viewers_of_run(id: str, people: Collection[str]) -> Select[Any]:
    """Select the given people who may see a run."""
    is_member = and_(Membership.workspace_id == Board.workspace_id, _is_among(people))
    query = select(Membership.user_id).select_from(Run).join(Board, Board.id == Run.board_id)
    return query.outerjoin(Membership, is_member).where(Run.id == id)


def select_viewers_of_workspace(id: str, people: Collection[str]) -> Select[Any]:
    """Select the given people who may see a workspace."""
    is_member = and_(Membership.workspace_id == Workspace.id, _is_among(people))
    query = select(Membership.user_id).select_from(Workspace).outerjoin(Membership, is_member)
    return query.where(Workspace.id == id)


def can_see(actor: Actor, viewers: Collection[str | None]) -> bool:
    """Return whether an actor still has access, by the rows of `SelectViewers`.

    A key has access as long as the object exists, because it is deleted with its board or workspace.
    """
    return actor.id in viewers if actor.is_person else bool(viewers)


class AccessCheck:
    """The access of the followers of one object."""

    def __init__(self, database: Database, select_viewers: SelectViewers, id: str) -> None:
        self._database, self._select_viewers, self._id = database, select_viewers, id
        self.followers: Counter[str] = Counter()  # by the id of the actor
        self._known: frozenset[str] = frozenset()  # the followers at the last check
        self._viewers: frozenset[str | None] = frozenset()
        self._check = SingleFlight(self._read)

    async def has(self, actor: Actor, *, age: float = 0) -> bool:
        """Return whether an actor that had access still has it, checked at most `age` seconds ago."""
        await self._check(age=age if actor.id in self._known else 0)
        return can_see(actor, self._viewers)

    async def _read(self) -> None:
        known = frozenset(self.followers)
        rows = await self._database.read(self._select_viewers(self._id, sorted(known)))
        self._known, self._viewers = known, frozenset(row[0] for row in rows)


class SubscriberAccess:
    """The access checks of all objects that are followed in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._checks: dict[tuple[SelectViewers, str], AccessCheck] = {}

    @contextmanager
    def check_for(self, select_viewers: SelectViewers, id: str, actor: Actor) -> Iterator[AccessCheck]:
        """Register a follower of one object, and yield the access check that its followers share."""
        check = self._checks.get((select_viewers, id))
        if check is None:
            check = self._checks[select_viewers, id] = AccessCheck(self._database, select_viewers, id)
        check.followers[actor.id] += 1
        try:
            yield check
        finally:
            check.followers[actor.id] -= 1
            check.followers += Counter()  # without those who left
            if not check.followers:
                del self._checks[select_viewers, id]
