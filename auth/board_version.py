"""Board versions: validators for cached answers about a board, read in the statement that authenticates the caller.

Two equal versions prove that no data of the board changed between them. Every change of a board advances the
sequence number of its topic. A changed name of a person does not, so a version may include the sum of the row
versions of the board's assignees: they are the same people while the number stands, and a row version only grows.
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

ACTOR_ID = bindparam("actor_id", type_=Id)
KEY_HASH = bindparam("key_hash", type_=String(64))
PERSON = Actor(ActorKind.USER, ACTOR_ID)  # type: ignore[arg-type]


@dataclass
class BoardVersion:
    """The version of one board; with `people`, also of its assignees.

    validator: is None for a caller that does not see the whole board.
    """

    board_id: str
    people: bool
    validator: str | None = None

    def add_to(self, identity: Any, sees: ColumnElement[bool]) -> tuple[Select[Any], dict[str, str]]:
        """Return the statement `identity` with a column for the version if `sees` holds, and its parameters."""
        values = {"board_id": self.board_id, "topic": board_topic(self.board_id)}
        return _add_validator(identity, sees, self.people), values

    def read_from(self, row: Any) -> None:
        """Take the validator from a row of that statement."""
        self.validator = row.validator


@cache
def _add_validator(identity: Any, sees: ColumnElement[bool], people: bool) -> Select[Any]:
    parts: list[Any] = [Topic.epoch, cast(Topic.last, String)]
    if people:
        parts.append(cast(_sum_assignee_versions(), String))
    text = parts[0]
    for part in parts[1:]:
        text = text + "." + part
    visible = select(Board.id).where(Board.id == bindparam("board_id", type_=Id), sees)
    validator = select(text).where(Topic.name == bindparam("topic"), visible.correlate(None).exists())
    column = validator.correlate(None).scalar_subquery().label("validator")
    return identity.add_columns(column)  # type: ignore[no-any-return]


def _sum_assignee_versions() -> Any:
    """Return the sum of the row versions of the board's assignees, as a scalar subquery."""
    user = aliased(User)
    assignees = select(CardAssignee.user_id).where(CardAssignee.board_id == bindparam("board_id", type_=Id))
    total = func.coalesce(func.sum(user.version), 0)
    return select(total).where(user.id.in_(assignees)).correlate(None).scalar_subquery()


def _sees_board_by_key() -> ColumnElement[bool]:
    """Return the clause that the key with this hash may see the board: any of its workspace, or its only one."""

    def select_of_key(column: Any) -> Any:
        return select(column).where(key.key_hash == KEY_HASH).correlate(None).scalar_subquery()

    key = aliased(ApiKey)
    workspace_key = Actor(ActorKind.AGENT, "", select_of_key(key.workspace_id))
    board_key = Actor(ActorKind.AGENT, "", select_of_key(key.workspace_id), select_of_key(key.board_id))
    return or_(
        select_of_key(key.board_id).is_(None) & sees_board(workspace_key, Board.id),
        sees_board(board_key, Board.id),
    )


SEEN_BY_PERSON = sees_board(PERSON, Board.id)
SEEN_BY_KEY = _sees_board_by_key()
