"""Who acts, and what it may see: the first clause of every read and the gate of every write.

A person sees the workspaces it is a member of; a key sees its workspace or one board of it; an agent, under
its run's own credential, one card. Nothing here awaits: visibility is SQL that others put first in their WHERE.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, or_, select

from models.board import Board
from models.workspace import Membership, Role
from runtime.database import Id


class ActorKind(enum.StrEnum):
    USER = "USER"
    AGENT = "AGENT"
    WORKER = "WORKER"
    SYSTEM = "SYSTEM"


class Scope(enum.StrEnum):
    """What a key may do: everything a member may, only look, or work runs."""

    WRITE = "WRITE"
    READ = "READ"
    WORKER = "WORKER"


@dataclass(frozen=True)
class Actor:
    kind: ActorKind
    id: str  # of the user, the key or the run
    workspace_id: str | None = None  # where a key belongs; None for people, who may have several
    board_id: str | None = None  # the only board a key sees
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    session_id: str | None = None  # family of the login this access token came from
    expires_at: datetime | None = None
    card_id: str | None = None  # the only card a run sees
    attempt: int | None = None  # of the run: its credential is good while this one is open

    @property
    def is_person(self) -> bool:
        return self.kind is ActorKind.USER

    @property
    def run_id(self) -> str | None:
        """The run whose agent this is."""
        return self.id if self.card_id is not None else None

    @property
    def may_write(self) -> bool:
        """Whether this kind of credential may write at all; the role decides the rest."""
        return self.is_person or Scope.WRITE in self.scopes

    @property
    def may_work(self) -> bool:
        """Whether this kind of credential may claim runs and report on them. A run's own may not."""
        return self.card_id is None and (self.may_write or Scope.WORKER in self.scopes)


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
