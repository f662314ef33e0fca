"""Permissions: which rows an actor may see, as the first clause of every read, and which role a change requires."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, literal, or_, select

from kit.db.database import Id
from kit.described_enum import DescribedEnum
from models.actor import Actor, Scope
from models.board import Board
from models.refusal import Forbidden
from models.worker import Worker
from models.workspace import Membership, Role


def workspaces_of(actor: Actor) -> Select[Any]:
    """The ids of the workspaces the actor may see."""
    if actor.is_person:
        return select(Membership.workspace_id).where(Membership.user_id == actor.id)
    if actor.card_id is not None:
        return select(Membership.workspace_id).where(false())
    return select(Membership.workspace_id).where(Membership.workspace_id == actor.workspace_id)


def sees_workspace(actor: Actor, workspace_id: Any) -> ColumnElement[bool]:
    """That the workspace named by a column is the actor's to see. A run sees its board, and nothing above it."""
    if actor.card_id is not None:
        return false()
    if not actor.is_person:
        return workspace_id == actor.workspace_id  # type: ignore[no-any-return]
    return workspace_id.in_(workspaces_of(actor))  # type: ignore[no-any-return]


def sees_board(actor: Actor, board_id: Any) -> ColumnElement[bool]:
    """That the board named by a column is the actor's to see."""
    if actor.board_id is not None:
        return board_id == actor.board_id  # type: ignore[no-any-return]
    return board_id.in_(select(Board.id).where(sees_workspace(actor, Board.workspace_id)))  # type: ignore[no-any-return]


def sees_card(actor: Actor, board_id: Any, card_id: Any) -> ColumnElement[bool]:
    """That a card, or what hangs on it, is the actor's to see: by the columns that name its board and it."""
    if actor.card_id is not None:
        return and_(board_id == actor.board_id, card_id == actor.card_id)
    return sees_board(actor, board_id)


def sees_batch(actor: Actor, board_id: Any) -> ColumnElement[bool]:
    """That a batch of runs is the actor's to see. A run sees its own card, not what was started with it."""
    return false() if actor.card_id is not None else sees_board(actor, board_id)


def sees_link(actor: Actor, board_id: Any, *ends: Any) -> ColumnElement[bool]:
    """That a link between the cards named by two columns is the actor's to see: one end of it is."""
    return (
        or_(*(sees_card(actor, board_id, end) for end in ends))
        if actor.card_id is not None
        else sees_board(actor, board_id)
    )


def sees_members(actor: Actor, workspace_id: Any) -> ColumnElement[bool]:
    """That who belongs to a workspace is the actor's to see. A key of one board sees nobody listed."""
    return false() if actor.board_id is not None else sees_workspace(actor, workspace_id)


def administrates(actor: Actor, workspace_id: Any) -> ColumnElement[bool]:
    """That the actor is an admin of the workspace named by a column. Keys never are."""
    mine = Membership.user_id == actor.id, Membership.role == Role.ADMIN
    admin = workspace_id.in_(select(Membership.workspace_id).where(*mine))
    return admin if actor.is_person else false()


class Access(DescribedEnum):
    """The callers that an operation accepts."""

    ANYONE = "ANYONE", "Anyone, without signing in."
    PERSON = "PERSON", "Any signed-in person."
    MEMBER = "MEMBER", "Members of the workspace, and API keys of the workspace that may write."
    BOARD = "BOARD", "Members of the workspace, and API keys of the workspace or the board that may write."
    WORKER = "WORKER", "Members of the workspace, and API keys that may write or work runs."
    ADMIN = "ADMIN", "Admins of the workspace."
    AUTHOR = "AUTHOR", "The author; an admin may delete."
    AGENT = "AGENT", "The agent of a run, with the run's own credential."


WRITERS = (Role.ADMIN, Role.MEMBER)


class ForActor:
    """A statement that begins with what an actor may see, made once for each kind of actor.

    `make` may look at which parts an actor has, not at what they say: its statement is kept, and asked for others.
    """

    def __init__(self, make: Callable[[Actor], Any]) -> None:
        self._make, self._kept = make, dict[Any, Any]()

    def __call__(self, actor: Actor) -> tuple[Any, dict[str, Any]]:
        """The statement, and those of its parameters that say for whom."""
        own = {name: value for name in PARTS if isinstance(value := getattr(actor, name), str)}
        kind = actor.kind, actor.scopes, *own
        if kind not in self._kept:
            parts: Any = {name: bindparam(f"actor_{name}", type_=Id) for name in own}
            self._kept[kind] = self._make(Actor(**{"kind": actor.kind, "scopes": actor.scopes, **parts}))
        return self._kept[kind], {f"actor_{name}": value for name, value in own.items()}


PARTS = [part.name for part in fields(Actor) if part.name != "kind"]


def sees_worker(actor: Actor, worker: Any = Worker) -> ColumnElement[bool]:
    """That a worker is the actor's to see. A key of one board sees those that may work on it."""
    if actor.board_id is None:
        return sees_workspace(actor, worker.workspace_id)
    here = or_(worker.board_id.is_(None), worker.board_id == actor.board_id)
    return sees_workspace(actor, worker.workspace_id) & here


def role_in(actor: Actor, workspace_id: Any) -> Any:
    """The actor's role in a workspace, as a column."""
    if not actor.is_person:
        return literal(Role.MEMBER if Scope.WRITE in actor.scopes else Role.VIEWER)
    mine = Membership.workspace_id == workspace_id, Membership.user_id == actor.id
    return select(Membership.role).where(*mine).scalar_subquery()


def require_role(role: str | None, *, admin: bool) -> None:
    """Raise Forbidden unless the role may write, or administrate."""
    if admin and role != Role.ADMIN:
        raise Forbidden("Only an admin of the workspace may do this")
    if role not in (Role.ADMIN, Role.MEMBER):
        raise Forbidden("A viewer may look, not change")
