"""Permissions: the rows that an actor may see, as the first clause of every read, and the roles that may write."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, literal, or_, select

from kit.db.database import Id
from kit.described_enum import DescribedEnum
from models.actor import Actor, Scope
from models.board import Board
from models.document import Document, DocumentLink
from models.pull_request import CardPullRequest
from models.refusal import Forbidden
from models.worker import Worker
from models.workspace import Membership, Role


def workspaces_of(actor: Actor) -> Select[Any]:
    """Select the ids of the workspaces that the actor may see."""
    if actor.is_person:
        return select(Membership.workspace_id).where(Membership.user_id == actor.id)
    if actor.card_id is not None:
        return select(Membership.workspace_id).where(false())
    return select(Membership.workspace_id).where(Membership.workspace_id == actor.workspace_id)


def sees_workspace(actor: Actor, workspace_id: Any) -> ColumnElement[bool]:
    """The actor may see the workspace of a column. A run's agent sees none."""
    if actor.card_id is not None:
        return false()
    if not actor.is_person:
        return workspace_id == actor.workspace_id  # type: ignore[no-any-return]
    return workspace_id.in_(workspaces_of(actor))  # type: ignore[no-any-return]


def sees_board(actor: Actor, board_id: Any) -> ColumnElement[bool]:
    """The actor may see the board of a column."""
    if actor.board_id is not None:
        return board_id == actor.board_id  # type: ignore[no-any-return]
    return board_id.in_(select(Board.id).where(sees_workspace(actor, Board.workspace_id)))  # type: ignore[no-any-return]


def sees_card(actor: Actor, board_id: Any, card_id: Any) -> ColumnElement[bool]:
    """The actor may see a card and its parts, by the columns for the board and the card."""
    if actor.card_id is not None:
        return and_(board_id == actor.board_id, card_id == actor.card_id)
    return sees_board(actor, board_id)


def sees_batch(actor: Actor, board_id: Any) -> ColumnElement[bool]:
    """The actor may see a batch of runs on the board of a column. A run's agent sees none."""
    return false() if actor.card_id is not None else sees_board(actor, board_id)


def sees_link(actor: Actor, board_id: Any, *ends: Any) -> ColumnElement[bool]:
    """The actor may see a link between the cards of two columns, because it may see one of them."""
    return (
        or_(*(sees_card(actor, board_id, end) for end in ends))
        if actor.card_id is not None
        else sees_board(actor, board_id)
    )


def sees_pull_request(actor: Actor, id: Any, workspace_id: Any) -> ColumnElement[bool]:
    """The actor may see a pull request: of its workspace, or, if it sees less, of a card that it may see."""
    if actor.board_id is None:
        return sees_workspace(actor, workspace_id)
    link = CardPullRequest
    cards = select(link.pull_request_id).where(sees_card(actor, link.board_id, link.card_id))
    return id.in_(cards)  # type: ignore[no-any-return]


def sees_entry(actor: Actor, entry: Any) -> ColumnElement[bool]:
    """The actor may see a row of a workspace that may be on a board and may belong to a card, by its columns."""
    if actor.card_id is not None:
        return and_(entry.board_id == actor.board_id, entry.card_id == actor.card_id)
    if actor.board_id is not None:
        return entry.board_id == actor.board_id  # type: ignore[no-any-return]
    return sees_workspace(actor, entry.workspace_id)


def sees_document(actor: Actor) -> ColumnElement[bool]:
    """The actor may see a document. A key of one board sees those of the board and those that are linked there.

    A run's agent sees those that are linked to its card, or to its board as a whole.
    """
    if actor.board_id is None:
        return sees_workspace(actor, Document.workspace_id)
    linked = select(DocumentLink.document_id).where(DocumentLink.board_id == actor.board_id)
    if actor.card_id is None:
        return or_(Document.board_id == actor.board_id, Document.id.in_(linked))
    of_card = or_(DocumentLink.card_id == actor.card_id, DocumentLink.target_id == actor.board_id)
    return Document.id.in_(linked.where(of_card))


def sees_members(actor: Actor, workspace_id: Any) -> ColumnElement[bool]:
    """The actor may see the members of a workspace. A key of one board may not."""
    return false() if actor.board_id is not None else sees_workspace(actor, workspace_id)


def administrates(actor: Actor, workspace_id: Any) -> ColumnElement[bool]:
    """The actor is an admin of the workspace of a column. Keys never are."""
    is_admin = Membership.user_id == actor.id, Membership.role == Role.ADMIN
    administrated = select(Membership.workspace_id).where(*is_admin)
    return workspace_id.in_(administrated) if actor.is_person else false()


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
    """A statement that depends on the actor, built once for each kind of actor.

    `make` may look at which attributes an actor has, not at their values: they are parameters of the statement.
    """

    def __init__(self, make: Callable[[Actor], Any]) -> None:
        self._make, self._statements = make, dict[Any, Any]()

    def __call__(self, actor: Actor) -> tuple[Any, dict[str, Any]]:
        """Return the statement, and its parameters that identify the actor."""
        own = {name: value for name in ACTOR_ATTRIBUTES if isinstance(value := getattr(actor, name), str)}
        kind = actor.kind, actor.scopes, *own
        if kind not in self._statements:
            parts: Any = {name: bindparam(f"actor_{name}", type_=Id) for name in own}
            self._statements[kind] = self._make(
                Actor(**{"kind": actor.kind, "scopes": actor.scopes, **parts})
            )
        return self._statements[kind], {f"actor_{name}": value for name, value in own.items()}


ACTOR_ATTRIBUTES = [attribute.name for attribute in fields(Actor) if attribute.name != "kind"]


def sees_worker(actor: Actor, worker: Any = Worker) -> ColumnElement[bool]:
    """The actor may see a worker. A key of one board sees the workers that may work on it."""
    if actor.board_id is None:
        return sees_workspace(actor, worker.workspace_id)
    may_work_here = or_(worker.board_id.is_(None), worker.board_id == actor.board_id)
    return sees_workspace(actor, worker.workspace_id) & may_work_here


def role_in(actor: Actor, workspace_id: Any) -> Any:
    """Return a column with the actor's role in a workspace."""
    if not actor.is_person:
        return literal(Role.MEMBER if Scope.WRITE in actor.scopes else Role.VIEWER)
    membership = Membership.workspace_id == workspace_id, Membership.user_id == actor.id
    return select(Membership.role).where(*membership).scalar_subquery()


def require_role(role: str | None, *, admin: bool) -> None:
    """Raise Forbidden unless the role may write, and with `admin` unless it is ADMIN."""
    if admin and role != Role.ADMIN:
        raise Forbidden("Only an admin of the workspace may do this")
    if role not in (Role.ADMIN, Role.MEMBER):
        raise Forbidden("A viewer may look, not change")
