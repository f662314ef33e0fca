"""The gates: the only ways to hold a row for writing.

Each checks that the actor may see the row and may change it, and locks it until the transaction ends. What
the actor may not see is NotFound, what it may see but not change is Forbidden. Boards are locked before what
stands on them, so changes of one board follow one another.
"""

from typing import Any

from sqlalchemy import Select, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor, Scope, sees_board, sees_members, sees_workspace
from models.board import Board, BoardColumn
from models.card import Card, CardLink, Subtask
from models.message import Message
from models.question import Question
from models.refusal import Conflict, Forbidden, NotFound
from models.run import Run
from models.worker import AgentProfile, Worker
from models.workspace import Label, Membership, Role, Workspace


def role_in(actor: Actor, workspace_id: Any) -> Any:
    """The actor's role in a workspace, as a column."""
    if not actor.is_person:
        return literal(Role.MEMBER if Scope.WRITE in actor.scopes else Role.VIEWER)
    mine = Membership.workspace_id == workspace_id, Membership.user_id == actor.id
    return select(Membership.role).where(*mine).scalar_subquery()


def allow(role: str | None, *, admin: bool) -> None:
    """Raise Forbidden unless the role may write, or administrate."""
    if admin and role != Role.ADMIN:
        raise Forbidden("Only an admin of the workspace may do this")
    if role not in (Role.ADMIN, Role.MEMBER):
        raise Forbidden("A viewer may look, not change")


async def _reach(tx: AsyncSession, query: Select[Any], id: str, *, admin: bool = False) -> Any:
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        raise NotFound(id)
    allow(row[-1], admin=admin)
    return row


async def reach_workspace(tx: AsyncSession, actor: Actor, id: str, *, admin: bool = False) -> Workspace:
    query = select(Workspace, role_in(actor, Workspace.id))
    query = query.where(Workspace.id == id, sees_workspace(actor, Workspace.id))
    row = await _reach(tx, query.with_for_update(of=Workspace), id, admin=admin)
    if actor.board_id is not None:
        raise Forbidden("A key of one board changes nothing else of its workspace")
    # Whoever waited for the lock may have lost the role meanwhile: on PostgreSQL the first look was before.
    role = await tx.scalar(select(role_in(actor, id)))
    if role is None:
        raise NotFound(id)
    allow(role, admin=admin)
    return row[0]  # type: ignore[no-any-return]


async def _workspace_of(tx: AsyncSession, actor: Actor, kind: Any, id: str) -> str:
    sees = sees_members if kind is Membership else sees_workspace
    found = await tx.scalar(select(kind.workspace_id).where(kind.id == id, sees(actor, kind.workspace_id)))
    if found is None:
        raise NotFound(id)
    return str(found)


async def _held(tx: AsyncSession, kind: Any, id: str) -> Any:
    query = select(kind).where(kind.id == id).with_for_update()
    row = await tx.scalar(query.execution_options(populate_existing=True))
    if row is None:  # it went while its workspace was waited for
        raise NotFound(id)
    return row


async def reach_label(tx: AsyncSession, actor: Actor, id: str, *, to_change: bool = False) -> Label:
    """A label, to put on a card; or `to_change`, with its workspace held first: names are unique there."""
    if to_change:
        await reach_workspace(tx, actor, await _workspace_of(tx, actor, Label, id))
        return await _held(tx, Label, id)  # type: ignore[no-any-return]
    query = select(Label, role_in(actor, Label.workspace_id))
    query = query.where(Label.id == id, sees_workspace(actor, Label.workspace_id))
    return (await _reach(tx, query.with_for_update(of=Label), id))[0]  # type: ignore[no-any-return]


async def reach_profile(tx: AsyncSession, actor: Actor, id: str) -> AgentProfile:
    """An agent profile, an admin's to change; its workspace held first: names are unique there."""
    await reach_workspace(tx, actor, await _workspace_of(tx, actor, AgentProfile, id), admin=True)
    return await _held(tx, AgentProfile, id)  # type: ignore[no-any-return]


async def reach_membership(tx: AsyncSession, actor: Actor, id: str, *, own: bool = False) -> Membership:
    """A membership, its workspace held first. An admin's to change; with `own`, also the member's."""
    workspace_id = await _workspace_of(tx, actor, Membership, id)
    mine = select(Membership.id).where(Membership.id == id, Membership.user_id == actor.id)
    if own and await tx.scalar(mine) is not None:
        await tx.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update())
    else:
        await reach_workspace(tx, actor, workspace_id, admin=True)
    return await _held(tx, Membership, id)  # type: ignore[no-any-return]


async def reach_board(tx: AsyncSession, actor: Actor, id: str, *, admin: bool = False) -> Board:
    query = select(Board, role_in(actor, Board.workspace_id))
    query = query.where(Board.id == id, sees_board(actor, Board.id))
    return (await _reach(tx, query.with_for_update(of=Board), id, admin=admin))[0]  # type: ignore[no-any-return]


async def _reach_on_board(tx: AsyncSession, actor: Actor, kind: Any, id: str) -> tuple[Board, Any]:
    query = select(Board, kind, role_in(actor, Board.workspace_id)).join(kind, kind.board_id == Board.id)
    query = query.where(kind.id == id, sees_board(actor, Board.id))
    board, row, _ = await _reach(tx, query.with_for_update(of=(Board, kind)), id)
    return board, row


async def reach_column(tx: AsyncSession, actor: Actor, id: str) -> tuple[Board, BoardColumn]:
    return await _reach_on_board(tx, actor, BoardColumn, id)


async def reach_card(tx: AsyncSession, actor: Actor, id: str) -> tuple[Board, Card]:
    return await _reach_on_board(tx, actor, Card, id)


async def reach_run(tx: AsyncSession, actor: Actor, id: str) -> tuple[Board, Run]:
    return await _reach_on_board(tx, actor, Run, id)


async def reach_question(tx: AsyncSession, actor: Actor, id: str) -> tuple[Board, Question]:
    return await _reach_on_board(tx, actor, Question, id)


async def reach_work(tx: AsyncSession, actor: Actor, run_id: str) -> tuple[Board, Run]:
    """A run, for whoever works it: also a worker's key may. Whether the lease is its own, the queue says."""
    board = select(Board, working_in(actor, Board.workspace_id)).join(Run, Run.board_id == Board.id)
    board = board.where(Run.id == run_id, sees_board(actor, Board.id)).with_for_update(of=Board)
    found = (await _reach(tx, board, run_id))[0]
    return found, await _held(tx, Run, run_id)


async def reach_log(tx: AsyncSession, actor: Actor, run_id: str) -> Any:
    """The little of a run that a report needs, for whoever works it. Its board is not held."""
    columns = Run.id, Run.board_id, Run.card_id, Run.kind, Run.status, Run.attempt, Run.wait_reason
    query = select(*columns, Run.progress, Run.progress_told_at, Board.workspace_id)
    query = query.add_columns(working_in(actor, Board.workspace_id)).join(Board, Board.id == Run.board_id)
    query = query.where(Run.id == run_id, sees_board(actor, Board.id))
    return await _reach(tx, query.with_for_update(of=Run), run_id)


def working_in(actor: Actor, workspace_id: Any) -> Any:
    """The actor's role in a workspace when it works runs, as a column."""
    return literal(Role.MEMBER) if actor.may_work and not actor.is_person else role_in(actor, workspace_id)


async def reach_worker(tx: AsyncSession, actor: Actor, id: str) -> Worker:
    """A worker, for itself: the one that registered it, as the same key or person."""
    query = select(Worker, working_in(actor, Worker.workspace_id))
    query = query.where(Worker.id == id, sees_workspace(actor, Worker.workspace_id))
    worker: Worker = (await _reach(tx, query.with_for_update(of=Worker, read=True), id))[0]
    if worker.owner_id != actor.id:
        raise Forbidden("Only the one who registered a worker speaks for it")
    if worker.deregistered_at is not None:
        raise Conflict("The worker is not registered any more; register it again", worker.id)
    return worker


async def reach_subtask(tx: AsyncSession, actor: Actor, id: str) -> tuple[Board, Subtask]:
    return await _reach_on_board(tx, actor, Subtask, id)


async def reach_message(tx: AsyncSession, actor: Actor, id: str) -> tuple[Board, Message]:
    return await _reach_on_board(tx, actor, Message, id)


async def reach_link(tx: AsyncSession, actor: Actor, id: str) -> tuple[Board, CardLink]:
    return await _reach_on_board(tx, actor, CardLink, id)


async def reach_cards(tx: AsyncSession, actor: Actor, ids: list[str]) -> tuple[Board, list[Card]]:
    """Cards of one board, in the order of `ids`. NotFound names the first that is not to be had there."""
    board, first = await reach_card(tx, actor, ids[0])
    query = select(Card).where(Card.board_id == board.id, Card.id.in_(ids)).with_for_update()
    found = {card.id: card for card in await tx.scalars(query)} | {first.id: first}
    for id in ids:
        if id not in found:
            raise NotFound(id)
    return board, [found[id] for id in ids]
