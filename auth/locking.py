"""The gates: the only ways to hold a row for writing.

Each checks that the actor may see the row and may change it, and locks it until the transaction ends. What
the actor may not see is NotFound, what it may see but not change is Forbidden. Boards are locked before what
stands on them, so changes of one board follow one another. Role, key, login and attempt are looked at with the
row held, so that who lost one while it waited changes nothing.

An agent under its run's own credential passes only the gates that are opened `for_run`: everything else is
Forbidden to it, whatever is added later.
"""

from typing import Any

from sqlalchemy import Select, bindparam, literal, select

from auth.permissions import (
    ForActor,
    require_role,
    role_in,
    sees_batch,
    sees_board,
    sees_card,
    sees_link,
    sees_members,
    sees_worker,
    sees_workspace,
)
from kit.db.database import Id
from kit.db.transaction import Transaction
from kit.queue import Attempt
from models.account import ApiKey, AuthReason, AuthSession
from models.actor import Actor
from models.batch import RunBatch
from models.board import Board, BoardColumn
from models.card import Card, CardLink, Subtask
from models.message import Message
from models.question import Question
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from models.run import Run
from models.worker import AgentProfile, AgentSession, Worker
from models.workspace import Label, Membership, Role, Workspace


def _good(actor: Actor) -> Any:
    """Whether what the actor signed in with still holds, as a column."""
    if actor.run_id is not None:
        mine = Attempt.job_id == actor.run_id, Attempt.number == actor.attempt, Attempt.ended_at.is_(None)
        return select(Attempt.number).where(*mine).exists()
    if not actor.is_person:
        return select(ApiKey.id).where(ApiKey.id == actor.id, ApiKey.revoked_at.is_(None)).exists()
    if actor.session_id is None:  # nobody signed in: the owner at this machine
        return literal(True)
    query = select(AuthSession.id).where(AuthSession.id == actor.session_id)
    return query.where(AuthSession.revoked_at.is_(None)).exists()


Ways = tuple[Select[Any], Select[Any]]  # to hold a row: if nobody else does, and after whoever does


def _ways(actor: Actor, query: Select[Any], of: Any, *, read: bool = False) -> Ways:
    """`query` ends with the actor's role; what it selects `of` is held."""
    query = query.add_columns(_good(actor))
    return query.with_for_update(of=of, read=read, skip_locked=True), query.with_for_update(of=of, read=read)


async def _hold(tx: Transaction, ways: Ways, id: str, values: dict[str, Any] | None = None) -> Any:
    """The row, as it is and as who asks is once it is held. Raises NotFound.

    PostgreSQL judges by the moment before it waits. So nobody waits unless it must, and who did looks again.
    """
    at_once, waiting = ways
    row = None
    if tx.get_bind().dialect.name == "postgresql":
        row = (await tx.execute(at_once, values)).one_or_none()
        if row is None and (await tx.execute(waiting, values)).one_or_none() is None:
            raise NotFound(id)
    row = row or (await tx.execute(waiting, values)).one_or_none()
    if row is None:
        raise NotFound(id)
    return row


async def _reach(
    tx: Transaction,
    actor: Actor,
    ways: Ways,
    id: str,
    *,
    admin: bool = False,
    for_run: bool = False,
    values: dict[str, Any] | None = None,
) -> Any:
    row = await _hold(tx, ways, id, values)
    _judge(actor, row, admin=admin, for_run=for_run)
    return row


def _judge(actor: Actor, row: Any, *, admin: bool, for_run: bool = False) -> None:
    *_, role, is_good = row
    if actor.run_id is not None and not for_run:
        raise Forbidden(RUN_SCOPED)
    if not is_good:
        raise Unauthenticated(
            AuthReason.REVOKED, ENDED_MESSAGE if actor.run_id is not None else "Token revoked"
        )
    require_role(role, admin=admin)


RUN_SCOPED = (
    "Under its run's credential an agent changes its own card's title and description, its subtasks and messages,"
    " makes cards under it, and asks; nothing else"
)
ENDED_MESSAGE = "That attempt of the run has ended"


async def lock_workspace(tx: Transaction, actor: Actor, id: str, *, admin: bool = False) -> Workspace:
    query = select(Workspace, role_in(actor, Workspace.id))
    query = query.where(Workspace.id == id, sees_workspace(actor, Workspace.id))
    row = await _reach(tx, actor, _ways(actor, query, Workspace), id, admin=admin)
    if actor.board_id is not None:
        raise Forbidden("A key of one board changes nothing else of its workspace")
    return row[0]  # type: ignore[no-any-return]


async def _workspace_of(tx: Transaction, actor: Actor, kind: Any, id: str) -> str:
    sees = sees_members if kind is Membership else sees_workspace
    found = await tx.scalar(select(kind.workspace_id).where(kind.id == id, sees(actor, kind.workspace_id)))
    if found is None:
        raise NotFound(id)
    return str(found)


async def _held(tx: Transaction, kind: Any, id: str) -> Any:
    query = select(kind).where(kind.id == id).with_for_update()
    row = await tx.scalar(query.execution_options(populate_existing=True))
    if row is None:  # it went while its workspace was waited for
        raise NotFound(id)
    return row


async def lock_label(tx: Transaction, actor: Actor, id: str, *, to_change: bool = False) -> Label:
    """A label, to put on a card; or `to_change`, with its workspace held first: names are unique there."""
    if to_change:
        await lock_workspace(tx, actor, await _workspace_of(tx, actor, Label, id))
        return await _held(tx, Label, id)  # type: ignore[no-any-return]
    query = select(Label, role_in(actor, Label.workspace_id))
    query = query.where(Label.id == id, sees_workspace(actor, Label.workspace_id))
    return (await _reach(tx, actor, _ways(actor, query, Label), id))[0]  # type: ignore[no-any-return]


async def lock_profile(tx: Transaction, actor: Actor, id: str) -> AgentProfile:
    """An agent profile, an admin's to change; its workspace held first: names are unique there."""
    await lock_workspace(tx, actor, await _workspace_of(tx, actor, AgentProfile, id), admin=True)
    return await _held(tx, AgentProfile, id)  # type: ignore[no-any-return]


async def lock_profile_for_reference(tx: Transaction, actor: Actor, id: str) -> AgentProfile:
    """An agent profile, to name it on a card or a board, which are held after it. It is not deleted meanwhile."""
    query = select(AgentProfile, role_in(actor, AgentProfile.workspace_id))
    query = query.where(AgentProfile.id == id, sees_workspace(actor, AgentProfile.workspace_id))
    return (await _reach(tx, actor, _ways(actor, query, AgentProfile, read=True), id))[0]  # type: ignore[no-any-return]


async def lock_membership(tx: Transaction, actor: Actor, id: str, *, own: bool = False) -> Membership:
    """A membership, its workspace held first. An admin's to change; with `own`, also the member's."""
    workspace_id = await _workspace_of(tx, actor, Membership, id)
    mine = select(Membership.id).where(Membership.id == id, Membership.user_id == actor.id)
    if own and await tx.scalar(mine) is not None:
        await tx.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update())
    else:
        await lock_workspace(tx, actor, workspace_id, admin=True)
    return await _held(tx, Membership, id)  # type: ignore[no-any-return]


async def lock_board(
    tx: Transaction, actor: Actor, id: str, *, admin: bool = False, for_run: bool = False
) -> Board:
    query = select(Board, role_in(actor, Board.workspace_id))
    query = query.where(Board.id == id, sees_board(actor, Board.id))
    row = await _reach(tx, actor, _ways(actor, query, Board), id, admin=admin, for_run=for_run)
    return row[0]  # type: ignore[no-any-return]


async def _reach_on_board(
    tx: Transaction, actor: Actor, kind: Any, id: str, sees: Any, *, for_run: bool = False
) -> tuple[Board, Any]:
    query = select(Board, kind, role_in(actor, Board.workspace_id)).join(kind, kind.board_id == Board.id)
    ways = _ways(actor, query.where(kind.id == id, sees), (Board, kind))
    board, row, *_ = await _reach(tx, actor, ways, id, for_run=for_run)
    return board, row


async def _reach_of_card(
    tx: Transaction, actor: Actor, kind: Any, id: str, *, for_run: bool = False
) -> tuple[Board, Any]:
    sees = sees_card(actor, Board.id, kind.card_id)
    return await _reach_on_board(tx, actor, kind, id, sees, for_run=for_run)


async def lock_column(tx: Transaction, actor: Actor, id: str) -> tuple[Board, BoardColumn]:
    return await _reach_on_board(tx, actor, BoardColumn, id, sees_board(actor, Board.id))


async def lock_card(tx: Transaction, actor: Actor, id: str, *, for_run: bool = False) -> tuple[Board, Card]:
    return await _reach_on_board(tx, actor, Card, id, sees_card(actor, Board.id, Card.id), for_run=for_run)


async def lock_run(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Run]:
    return await _reach_of_card(tx, actor, Run, id)


async def lock_batch(tx: Transaction, actor: Actor, id: str) -> tuple[Board, RunBatch]:
    return await _reach_on_board(tx, actor, RunBatch, id, sees_batch(actor, Board.id))


async def lock_own_run(tx: Transaction, actor: Actor) -> tuple[Board, Run]:
    """The run whose agent asks, under the run's own credential. Forbidden for everybody else."""
    if actor.run_id is None:
        raise Forbidden("Only an agent, under its run's own credential, asks so; a worker shows its lease")
    return await _reach_of_card(tx, actor, Run, actor.run_id, for_run=True)


async def lock_question(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Question]:
    return await _reach_of_card(tx, actor, Question, id)


async def lock_leased_run(tx: Transaction, actor: Actor, run_id: str) -> tuple[Board, Run]:
    """A run, for whoever works it: also a worker's key may. Whether the lease is its own, the queue says."""
    board = select(Board, working_in(actor, Board.workspace_id)).join(Run, Run.board_id == Board.id)
    board = board.where(Run.id == run_id, sees_card(actor, Board.id, Run.card_id))
    found = (await _reach(tx, actor, _ways(actor, board, Board), run_id))[0]
    return found, await _held(tx, Run, run_id)


async def lock_run_log(tx: Transaction, actor: Actor, run_id: str) -> Any:
    """The little of a run that a report needs, for whoever works it. Its board is not held."""
    ways, mine = log_held(actor)
    return await _reach(tx, actor, ways, run_id, values={"run": run_id, **mine})


@ForActor
def log_held(actor: Actor) -> Ways:
    run, board = Run.__table__.c, Board.__table__.c
    columns = run.id, run.board_id, run.card_id, run.kind, run.status, run.attempt, run.wait_reason
    query = select(*columns, run.progress, run.progress_told_at, board.workspace_id, board.policy)
    query = query.add_columns(working_in(actor, board.workspace_id)).join(
        Board.__table__, board.id == run.board_id
    )
    query = query.where(run.id == bindparam("run", type_=Id), sees_card(actor, run.board_id, run.card_id))
    return _ways(actor, query, Run.__table__)


def working_in(actor: Actor, workspace_id: Any) -> Any:
    """The actor's role in a workspace when it works runs, as a column."""
    return literal(Role.MEMBER) if actor.may_work and not actor.is_person else role_in(actor, workspace_id)


async def lock_worker(tx: Transaction, actor: Actor, id: str, *, to_change: bool = False) -> Worker:
    """A worker, for itself: the one that registered it, as the same key or person.

    Several claims may hold it at once; `to_change` holds it alone.
    """
    query = select(Worker, working_in(actor, Worker.workspace_id))
    ways = _ways(actor, query.where(Worker.id == id, sees_worker(actor)), Worker, read=not to_change)
    worker: Worker = (await _reach(tx, actor, ways, id))[0]
    if worker.owner_id != actor.id:
        raise Forbidden("Only the one who registered a worker speaks for it")
    if worker.deregistered_at is not None:
        raise Conflict("The worker is not registered any more; register it again", worker.id)
    return worker


async def lock_leaving_worker(tx: Transaction, actor: Actor, id: str) -> Worker:
    """A worker, for whoever may let it go: the one that registered it, and admins."""
    query = select(Worker, working_in(actor, Worker.workspace_id)).where(Worker.id == id, sees_worker(actor))
    row = await _hold(tx, _ways(actor, query, Worker), id)
    _judge(actor, row, admin=row[0].owner_id != actor.id)
    return row[0]  # type: ignore[no-any-return]


async def lock_worker_for_claim(tx: Transaction, actor: Actor, id: str | None) -> Workspace:
    """A workspace, to be a worker of; a key's own if none is named."""
    id = id or actor.workspace_id
    if id is None:
        raise Invalid(("workspaceId", "must be said by a person"))
    query = select(Workspace, working_in(actor, Workspace.id))
    query = query.where(Workspace.id == id, sees_workspace(actor, Workspace.id))
    return (await _reach(tx, actor, _ways(actor, query, Workspace), id))[0]  # type: ignore[no-any-return]


async def lock_agent_session(tx: Transaction, actor: Actor, id: str) -> AgentSession:
    return (await _reach_of_card(tx, actor, AgentSession, id))[1]  # type: ignore[no-any-return]


async def lock_subtask(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Subtask]:
    return await _reach_of_card(tx, actor, Subtask, id, for_run=True)


async def lock_message(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Message]:
    return await _reach_of_card(tx, actor, Message, id, for_run=True)


async def lock_link(tx: Transaction, actor: Actor, id: str) -> tuple[Board, CardLink]:
    sees = sees_link(actor, Board.id, CardLink.card_id, CardLink.target_id)
    return await _reach_on_board(tx, actor, CardLink, id, sees)


async def lock_cards(tx: Transaction, actor: Actor, ids: list[str]) -> tuple[Board, list[Card]]:
    """Cards of one board, in the order of `ids`. NotFound names the first that is not to be had there."""
    board, first = await lock_card(tx, actor, ids[0])
    query = select(Card).where(Card.board_id == board.id, Card.id.in_(ids)).with_for_update()
    found = {card.id: card for card in await tx.scalars(query)} | {first.id: first}
    for id in ids:
        if id not in found:
            raise NotFound(id)
    return board, [found[id] for id in ids]
