"""How far a board is, for whoever sees all of it: asked in the statement that asks who wants to know.

Two of these that are equal prove that nothing of the board's data was changed between them. The number of its topic
moves with every change of it. Names of people do not move it; the versions of those on its cards say whether one of
them changed: while the number stands they are the same people, and a version only grows.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, bindparam, cast, func, or_, select
from sqlalchemy.orm import aliased

from auth.permissions import sees_board
from kit.db.database import Id
from kit.eventlog.tables import Topic
from models.account import ApiKey, User
from models.actor import Actor, ActorKind
from models.board import Board
from models.card import CardAssignee
from models.topic import board_topic

THEIR = bindparam("actor_id", type_=Id)
HASH = bindparam("key_hash", type_=String(64))
PERSON = Actor(ActorKind.USER, THEIR)  # type: ignore[arg-type]


@dataclass
class BoardVersion:
    """How far one board is; with `people`, also those on its cards. No `proof` for who does not see all of it."""

    board_id: str
    people: bool
    proof: str | None = None

    def beside(self, who: Any, sees: ColumnElement[bool]) -> tuple[Select[Any], dict[str, str]]:
        """The statement `who` with how far the board is, for who `sees` it."""
        values = {"board_id": self.board_id, "topic": board_topic(self.board_id)}
        return _beside(who, sees, self.people), values

    def told(self, row: Any) -> None:
        self.proof = row.standing


@cache
def _beside(who: Any, sees: ColumnElement[bool], people: bool) -> Select[Any]:
    parts: list[Any] = [Topic.epoch, cast(Topic.last, String)]
    if people:
        parts.append(cast(_people(), String))
    said = parts[0]
    for part in parts[1:]:
        said = said + "." + part
    seen = select(Board.id).where(Board.id == bindparam("board_id", type_=Id), sees)
    standing = select(said).where(Topic.name == bindparam("topic"), seen.correlate(None).exists())
    column = standing.correlate(None).scalar_subquery().label("standing")
    return who.add_columns(column)  # type: ignore[no-any-return]


def _people() -> Any:
    """What the versions of the people on the board's cards come to."""
    user = aliased(User)
    theirs = select(CardAssignee.user_id).where(CardAssignee.board_id == bindparam("board_id", type_=Id))
    total = func.coalesce(func.sum(user.version), 0)
    return select(total).where(user.id.in_(theirs)).correlate(None).scalar_subquery()


def _by_key() -> ColumnElement[bool]:
    """That the key with this hash sees the board: all of its workspace's, or its only one."""

    def of(column: Any) -> Any:
        return select(column).where(key.key_hash == HASH).correlate(None).scalar_subquery()

    key = aliased(ApiKey)
    every = Actor(ActorKind.AGENT, "", of(key.workspace_id))
    one = Actor(ActorKind.AGENT, "", of(key.workspace_id), of(key.board_id))
    return or_(of(key.board_id).is_(None) & sees_board(every, Board.id), sees_board(one, Board.id))


SEEN_BY_PERSON = sees_board(PERSON, Board.id)
SEEN_BY_KEY = _by_key()
