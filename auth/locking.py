"""Row locks: the only way to hold a row for a change.

Each function checks that the actor may see and change the row, and locks it until the transaction ends. It raises
NotFound for a row that the actor may not see, Forbidden for one that it may not change. Boards are locked before
the rows on them, so changes of one board are serialized. Role, key, login and attempt are read with the row locked:
an actor that loses one while it waits changes nothing, and gets Unauthenticated or Forbidden.

An agent with its run's own credential passes only locks that are taken with `for_run`; others are Forbidden to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select, bindparam, literal, select

from auth.permissions import (
    ForActor,
    require_role,
    role_in,
    sees_batch,
    sees_board,
    sees_card,
    sees_document,
    sees_link,
    sees_members,
    sees_pull_request,
    sees_worker,
    sees_workspace,
)
from kit.db.database import Id
from kit.db.transaction import Transaction
from kit.queue import Attempt
from models.account import ApiKey, AuthReason, AuthSession
from models.actor import Actor
from models.answer_rule import AnswerRule
from models.approval import Approval
from models.batch import RunBatch
from models.board import Board, BoardColumn
from models.card import Card, CardLink, Subtask
from models.card_schedule import CardSchedule
from models.connection import Connection
from models.document import Document, DocumentLink
from models.file import File
from models.group import Group
from models.job import ServerJob
from models.knowledge import KnowledgeItem
from models.memory import Memory
from models.message import Message
from models.plan import PlanBatch
from models.planned_file import PlannedFile
from models.pull_request import PullRequest
from models.question import Question
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from models.repository import Repository
from models.review_thread import ReviewThread
from models.run import Run
from models.sprint import Sprint
from models.webhook_endpoint import EndpointDelivery, WebhookEndpoint
from models.worker import AgentProfile, AgentSession, Worker
from models.workspace import Label, Membership, Role, Workspace


def _select_validity(actor: Actor) -> Any:
    """Return a column that is true while the actor's credential is valid."""
    if actor.run_id is not None:
        open_attempt = (
            Attempt.job_id == actor.run_id,
            Attempt.number == actor.attempt,
            Attempt.ended_at.is_(None),
        )
        return select(Attempt.number).where(*open_attempt).exists()
    if not actor.is_person:
        return select(ApiKey.id).where(ApiKey.id == actor.id, ApiKey.revoked_at.is_(None)).exists()
    if actor.session_id is None:  # no login: the owner of this machine, on the command line
        return literal(True)
    query = select(AuthSession.id).where(AuthSession.id == actor.session_id)
    return query.where(AuthSession.revoked_at.is_(None)).exists()


# Lock a row: at once, skipping it if another transaction holds it, and after waiting for that transaction.
LockStatements = tuple[Select[Any], Select[Any]]


def _add_locks(actor: Actor, query: Select[Any], of: Any, *, read: bool = False) -> LockStatements:
    """Make the statements that lock rows of the tables `of`. The last column of `query` is the actor's role."""
    query = query.add_columns(_select_validity(actor))
    return query.with_for_update(of=of, read=read, skip_locked=True), query.with_for_update(of=of, read=read)


async def _lock_row(
    tx: Transaction, statements: LockStatements, id: str, values: dict[str, Any] | None = None
) -> Any:
    """Lock a row, and read it and the actor's rights as they are once it is locked. Raises NotFound.

    PostgreSQL evaluates the other clauses on the snapshot from before the wait. So the first statement skips a
    locked row, and after a wait the row is read again.
    """
    at_once, waiting = statements
    row = None
    if tx.get_bind().dialect.name == "postgresql":
        row = (await tx.execute(at_once, values)).one_or_none()
        if row is None and (await tx.execute(waiting, values)).one_or_none() is None:
            raise NotFound(id)
    row = row or (await tx.execute(waiting, values)).one_or_none()
    if row is None:
        raise NotFound(id)
    return row


async def _lock_and_check(
    tx: Transaction,
    actor: Actor,
    statements: LockStatements,
    id: str,
    *,
    admin: bool = False,
    for_run: bool = False,
    values: dict[str, Any] | None = None,
) -> Any:
    """Lock a row that the actor may change. Raises NotFound, Forbidden or Unauthenticated."""
    row = await _lock_row(tx, statements, id, values)
    _check_rights(actor, row, admin=admin, for_run=for_run)
    return row


def _check_rights(actor: Actor, row: Any, *, admin: bool, for_run: bool = False) -> None:
    """Raise Forbidden or Unauthenticated unless the last two columns of a locked row let the actor change it."""
    *_, role, is_valid = row
    if actor.run_id is not None and not for_run:
        raise Forbidden(RUN_SCOPED)
    if not is_valid:
        raise Unauthenticated(
            AuthReason.REVOKED, ENDED_MESSAGE if actor.run_id is not None else "Token revoked"
        )
    require_role(role, admin=admin)


RUN_SCOPED = (
    "With its run's credential an agent can only update the title, description, subtasks, knowledge, planned files"
    " and messages of its card, create cards under it, and ask questions"
)
ENDED_MESSAGE = "The attempt of the run has ended"


async def lock_workspace(tx: Transaction, actor: Actor, id: str, *, admin: bool = False) -> Workspace:
    """Lock a workspace. Forbidden to API keys of one board."""
    query = select(Workspace, role_in(actor, Workspace.id))
    query = query.where(Workspace.id == id, sees_workspace(actor, Workspace.id))
    row = await _lock_and_check(tx, actor, _add_locks(actor, query, Workspace), id, admin=admin)
    if actor.board_id is not None:
        raise Forbidden("An API key of one board cannot change its workspace")
    return row[0]  # type: ignore[no-any-return]


async def _find_workspace_id(tx: Transaction, actor: Actor, kind: Any, id: str) -> str:
    """Return the workspace that a row of the table `kind` belongs to. Raises NotFound."""
    sees = sees_members if kind is Membership else sees_workspace
    workspace_id = await tx.scalar(
        select(kind.workspace_id).where(kind.id == id, sees(actor, kind.workspace_id))
    )
    if workspace_id is None:
        raise NotFound(id)
    return str(workspace_id)


async def _lock_by_id(tx: Transaction, kind: Any, id: str) -> Any:
    """Lock a row after its workspace or board, without another check of rights. Raises NotFound."""
    query = select(kind).where(kind.id == id).with_for_update()
    row = await tx.scalar(query.execution_options(populate_existing=True))
    if row is None:  # deleted while its workspace was waited for
        raise NotFound(id)
    return row


async def lock_label(tx: Transaction, actor: Actor, id: str, *, to_change: bool = False) -> Label:
    """Lock a label to put it on a card, or, with `to_change`, to change it.

    A change locks its workspace first, because names are unique there.
    """
    if to_change:
        await lock_workspace(tx, actor, await _find_workspace_id(tx, actor, Label, id))
        return await _lock_by_id(tx, Label, id)  # type: ignore[no-any-return]
    query = select(Label, role_in(actor, Label.workspace_id))
    query = query.where(Label.id == id, sees_workspace(actor, Label.workspace_id))
    return (await _lock_and_check(tx, actor, _add_locks(actor, query, Label), id))[0]  # type: ignore[no-any-return]


async def lock_profile(tx: Transaction, actor: Actor, id: str) -> AgentProfile:
    """Lock an agent profile for an admin; its workspace first, because names are unique there."""
    await lock_workspace(tx, actor, await _find_workspace_id(tx, actor, AgentProfile, id), admin=True)
    return await _lock_by_id(tx, AgentProfile, id)  # type: ignore[no-any-return]


async def lock_connection(tx: Transaction, actor: Actor, id: str) -> Connection:
    """Lock a connection for an admin; its workspace first, because names are unique there."""
    await lock_workspace(tx, actor, await _find_workspace_id(tx, actor, Connection, id), admin=True)
    return await _lock_by_id(tx, Connection, id)  # type: ignore[no-any-return]


async def lock_webhook_endpoint(tx: Transaction, actor: Actor, id: str) -> WebhookEndpoint:
    """Lock a webhook endpoint for an admin, after its workspace."""
    await lock_workspace(tx, actor, await _find_workspace_id(tx, actor, WebhookEndpoint, id), admin=True)
    return await _lock_by_id(tx, WebhookEndpoint, id)  # type: ignore[no-any-return]


async def lock_endpoint_delivery(tx: Transaction, actor: Actor, id: str) -> EndpointDelivery:
    """Lock a delivery of a webhook endpoint for an admin, after its workspace and its endpoint."""
    await lock_workspace(tx, actor, await _find_workspace_id(tx, actor, EndpointDelivery, id), admin=True)
    endpoint_id = await tx.scalar(select(EndpointDelivery.endpoint_id).where(EndpointDelivery.id == id))
    await _lock_by_id(tx, WebhookEndpoint, endpoint_id or id)
    return await _lock_by_id(tx, EndpointDelivery, id)  # type: ignore[no-any-return]


async def lock_repository(tx: Transaction, actor: Actor, id: str, *, admin: bool = False) -> Repository:
    """Lock a repository after its workspace."""
    await lock_workspace(tx, actor, await _find_workspace_id(tx, actor, Repository, id), admin=admin)
    return await _lock_by_id(tx, Repository, id)  # type: ignore[no-any-return]


async def lock_pull_request(tx: Transaction, actor: Actor, id: str) -> tuple[PullRequest, Repository]:
    """Lock a pull request after its repository, which a host's words are applied under."""
    query = select(Repository, role_in(actor, Repository.workspace_id))
    query = query.join(PullRequest, PullRequest.repository_id == Repository.id)
    query = query.where(
        PullRequest.id == id, sees_pull_request(actor, PullRequest.id, PullRequest.workspace_id)
    )
    row = await _lock_and_check(tx, actor, _add_locks(actor, query, Repository), id)
    return await _lock_by_id(tx, PullRequest, id), row[0]


async def lock_repository_of_card(tx: Transaction, actor: Actor, card_id: str) -> Repository | None:
    """Lock the repository of a card's board, before the board. The caller then locks the card."""
    query = select(Repository).join(Board, Board.repository_id == Repository.id)
    query = query.join(Card, Card.board_id == Board.id)
    query = query.where(Card.id == card_id, sees_card(actor, Board.id, Card.id))
    return await tx.scalar(query.with_for_update(of=Repository))


async def lock_profile_for_reference(tx: Transaction, actor: Actor, id: str) -> AgentProfile:
    """Lock an agent profile against deletion, before the card or board that will refer to it."""
    query = select(AgentProfile, role_in(actor, AgentProfile.workspace_id))
    query = query.where(AgentProfile.id == id, sees_workspace(actor, AgentProfile.workspace_id))
    row = await _lock_and_check(tx, actor, _add_locks(actor, query, AgentProfile, read=True), id)
    return row[0]  # type: ignore[no-any-return]


async def lock_server_job(tx: Transaction, actor: Actor, id: str) -> ServerJob:
    """Lock a job of a workspace after the workspace, for an admin."""
    await lock_workspace(tx, actor, await _find_workspace_id(tx, actor, ServerJob, id), admin=True)
    return await _lock_by_id(tx, ServerJob, id)  # type: ignore[no-any-return]


async def lock_membership(tx: Transaction, actor: Actor, id: str, *, own: bool = False) -> Membership:
    """Lock a membership after its workspace, for an admin; with `own`, also for the member."""
    workspace_id = await _find_workspace_id(tx, actor, Membership, id)
    own_membership = select(Membership.id).where(Membership.id == id, Membership.user_id == actor.id)
    if own and await tx.scalar(own_membership) is not None:
        await tx.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update())
    else:
        await lock_workspace(tx, actor, workspace_id, admin=True)
    return await _lock_by_id(tx, Membership, id)  # type: ignore[no-any-return]


HELD_BOARD = "held_board"
# Rows that change only under the lock of their board: who holds it need not lock them.
CHANGED_WITH_BOARD = (Card, CardLink, Group, KnowledgeItem, PlannedFile, Subtask)


@contextmanager
def hold_board(tx: Transaction, actor: Actor, board: Board) -> Iterator[None]:
    """Let the actions of an actor that has locked a board in this transaction use it and its rows as they are."""
    assert actor.run_id is None, "an agent of a run sees a card, not a board"
    tx.info[HELD_BOARD] = board, actor
    try:
        yield
    finally:
        del tx.info[HELD_BOARD]


async def lock_board(
    tx: Transaction, actor: Actor, id: str, *, admin: bool = False, for_run: bool = False
) -> Board:
    """Lock a board."""
    if (held := tx.info.get(HELD_BOARD)) and held[0].id == id and held[1] == actor and not admin:
        return held[0]  # type: ignore[no-any-return]
    query = select(Board, role_in(actor, Board.workspace_id))
    query = query.where(Board.id == id, sees_board(actor, Board.id))
    row = await _lock_and_check(tx, actor, _add_locks(actor, query, Board), id, admin=admin, for_run=for_run)
    return row[0]  # type: ignore[no-any-return]


async def _lock_on_board(
    tx: Transaction, actor: Actor, kind: Any, id: str, sees: Any, *, for_run: bool = False
) -> tuple[Board, Any]:
    """Lock a row of the table `kind` and its board, if `sees` holds."""
    if (held := tx.info.get(HELD_BOARD)) and held[1] == actor and kind in CHANGED_WITH_BOARD:
        known = await tx.get(kind, id)
        if known is not None and known.board_id == held[0].id:
            return held[0], known
    query = select(Board, kind, role_in(actor, Board.workspace_id)).join(kind, kind.board_id == Board.id)
    statements = _add_locks(actor, query.where(kind.id == id, sees), (Board, kind))
    board, row, *_ = await _lock_and_check(tx, actor, statements, id, for_run=for_run)
    return board, row


async def _lock_on_card(
    tx: Transaction, actor: Actor, kind: Any, id: str, *, for_run: bool = False
) -> tuple[Board, Any]:
    """Lock a row that belongs to a card, and its board."""
    sees = sees_card(actor, Board.id, kind.card_id)
    return await _lock_on_board(tx, actor, kind, id, sees, for_run=for_run)


async def lock_document(tx: Transaction, actor: Actor, id: str) -> Document:
    """Lock a document after the board or the workspace that has it."""
    query = select(Document.workspace_id, Document.board_id).where(Document.id == id, sees_document(actor))
    home = (await tx.execute(query)).one_or_none()
    if home is None:
        raise NotFound(id)
    if home.board_id is not None:
        await lock_board(tx, actor, home.board_id)
    else:
        await lock_workspace(tx, actor, home.workspace_id)
    return await _lock_by_id(tx, Document, id)  # type: ignore[no-any-return]


async def lock_document_for_reference(tx: Transaction, actor: Actor, id: str) -> Document:
    """Lock a document against deletion, after the board of the link that will refer to it."""
    query = select(Document).where(Document.id == id, sees_document(actor)).with_for_update(read=True)
    document = await tx.scalar(query)
    if document is None:
        raise NotFound(id)
    return document


async def lock_document_link(tx: Transaction, actor: Actor, id: str) -> tuple[Board, DocumentLink]:
    """Lock a link of a document and the board that it is on."""
    return await _lock_on_board(tx, actor, DocumentLink, id, sees_board(actor, Board.id))


async def lock_column(tx: Transaction, actor: Actor, id: str) -> tuple[Board, BoardColumn]:
    """Lock a column and its board."""
    return await _lock_on_board(tx, actor, BoardColumn, id, sees_board(actor, Board.id))


async def lock_answer_rule(tx: Transaction, actor: Actor, id: str) -> tuple[Board, AnswerRule]:
    """Lock an answer rule after its board, for an admin."""
    seen = select(AnswerRule.board_id).where(AnswerRule.id == id, sees_board(actor, AnswerRule.board_id))
    board_id = await tx.scalar(seen)
    if board_id is None:
        raise NotFound(id)
    board = await lock_board(tx, actor, board_id, admin=True)
    return board, await _lock_by_id(tx, AnswerRule, id)


async def lock_card_schedule(tx: Transaction, actor: Actor, id: str) -> tuple[Board, CardSchedule]:
    """Lock a schedule of cards and its board."""
    return await _lock_on_board(tx, actor, CardSchedule, id, sees_board(actor, Board.id))


async def lock_group(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Group]:
    """Lock a group of cards and its board."""
    return await _lock_on_board(tx, actor, Group, id, sees_board(actor, Board.id))


async def lock_sprint(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Sprint]:
    """Lock a sprint and its board."""
    return await _lock_on_board(tx, actor, Sprint, id, sees_board(actor, Board.id))


async def lock_card(tx: Transaction, actor: Actor, id: str, *, for_run: bool = False) -> tuple[Board, Card]:
    """Lock a card and its board."""
    return await _lock_on_board(tx, actor, Card, id, sees_card(actor, Board.id, Card.id), for_run=for_run)


async def lock_run(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Run]:
    """Lock a run and its board."""
    return await _lock_on_card(tx, actor, Run, id)


async def lock_batch(tx: Transaction, actor: Actor, id: str) -> tuple[Board, RunBatch]:
    """Lock a batch of runs and its board."""
    return await _lock_on_board(tx, actor, RunBatch, id, sees_batch(actor, Board.id))


async def lock_own_run(tx: Transaction, actor: Actor) -> tuple[Board, Run]:
    """Lock the run whose credential the caller has. Forbidden to all other callers."""
    if actor.run_id is None:
        raise Forbidden("Only an agent with its run's credential can do this; a worker shows its lease")
    return await _lock_on_card(tx, actor, Run, actor.run_id, for_run=True)


async def lock_approval(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Approval]:
    """Lock an approval and its board."""
    return await _lock_on_card(tx, actor, Approval, id)


async def lock_review_thread(tx: Transaction, actor: Actor, id: str) -> tuple[Board, ReviewThread]:
    """Lock a thread of a review and its board."""
    return await _lock_on_card(tx, actor, ReviewThread, id)


async def lock_question(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Question]:
    """Lock a question and its board."""
    return await _lock_on_card(tx, actor, Question, id)


async def lock_leased_run(tx: Transaction, actor: Actor, run_id: str) -> tuple[Board, Run]:
    """Lock a run for its worker, whose key may be a worker's. The queue checks the lease."""
    board = select(Board, worker_role_in(actor, Board.workspace_id)).join(Run, Run.board_id == Board.id)
    board = board.where(Run.id == run_id, sees_card(actor, Board.id, Run.card_id))
    held_board = (await _lock_and_check(tx, actor, _add_locks(actor, board, Board), run_id))[0]
    return held_board, await _lock_by_id(tx, Run, run_id)


async def lock_run_log(tx: Transaction, actor: Actor, run_id: str) -> Any:
    """Lock a run for a worker's report, and return the columns that a report needs. Its board is not locked."""
    statements, parameters = run_log_statements(actor)
    return await _lock_and_check(tx, actor, statements, run_id, values={"run": run_id, **parameters})


@ForActor
def run_log_statements(actor: Actor) -> LockStatements:
    """Build the statements of `lock_run_log`."""
    run, board = Run.__table__.c, Board.__table__.c
    columns = run.id, run.board_id, run.card_id, run.kind, run.status, run.attempt, run.wait_reason
    query = select(*columns, run.progress, run.progress_told_at, board.workspace_id, board.policy)
    query = query.add_columns(worker_role_in(actor, board.workspace_id)).join(
        Board.__table__, board.id == run.board_id
    )
    query = query.where(run.id == bindparam("run", type_=Id), sees_card(actor, run.board_id, run.card_id))
    return _add_locks(actor, query, Run.__table__)


def worker_role_in(actor: Actor, workspace_id: Any) -> Any:
    """Return a column with the actor's role in a workspace; a worker's key counts as a member."""
    return literal(Role.MEMBER) if actor.may_work and not actor.is_person else role_in(actor, workspace_id)


async def lock_worker(tx: Transaction, actor: Actor, id: str, *, to_change: bool = False) -> Worker:
    """Lock a worker for the key or person that registered it.

    Several claims may hold the lock at once; with `to_change` it is exclusive. Raises Conflict once deregistered.
    """
    query = select(Worker, worker_role_in(actor, Worker.workspace_id))
    statements = _add_locks(
        actor, query.where(Worker.id == id, sees_worker(actor)), Worker, read=not to_change
    )
    worker: Worker = (await _lock_and_check(tx, actor, statements, id))[0]
    if worker.owner_id != actor.id:
        raise Forbidden("Only the key or person that registered a worker can act as it")
    if worker.deregistered_at is not None:
        raise Conflict("The worker is no longer registered; register it again", worker.id)
    return worker


async def lock_leaving_worker(tx: Transaction, actor: Actor, id: str) -> Worker:
    """Lock a worker to deregister it, for the key or person that registered it and for admins."""
    query = select(Worker, worker_role_in(actor, Worker.workspace_id)).where(
        Worker.id == id, sees_worker(actor)
    )
    row = await _lock_row(tx, _add_locks(actor, query, Worker), id)
    _check_rights(actor, row, admin=row[0].owner_id != actor.id)
    return row[0]  # type: ignore[no-any-return]


async def lock_worker_for_claim(tx: Transaction, actor: Actor, id: str | None) -> Workspace:
    """Lock a workspace to register a worker in it. Default: the workspace of the key."""
    id = id or actor.workspace_id
    if id is None:
        raise Invalid(("workspaceId", "is required from a person"))
    query = select(Workspace, worker_role_in(actor, Workspace.id))
    query = query.where(Workspace.id == id, sees_workspace(actor, Workspace.id))
    return (await _lock_and_check(tx, actor, _add_locks(actor, query, Workspace), id))[0]  # type: ignore[no-any-return]


async def lock_agent_session(tx: Transaction, actor: Actor, id: str) -> AgentSession:
    """Lock an agent session and its board."""
    return (await _lock_on_card(tx, actor, AgentSession, id))[1]  # type: ignore[no-any-return]


async def lock_subtask(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Subtask]:
    """Lock a subtask and its board."""
    return await _lock_on_card(tx, actor, Subtask, id, for_run=True)


async def lock_plan(tx: Transaction, actor: Actor, id: str) -> tuple[Board, PlanBatch]:
    """Lock a plan and its board."""
    return await _lock_on_board(tx, actor, PlanBatch, id, sees_batch(actor, Board.id))


async def lock_knowledge(tx: Transaction, actor: Actor, id: str) -> tuple[Board, KnowledgeItem]:
    """Lock a knowledge item and its board."""
    return await _lock_on_card(tx, actor, KnowledgeItem, id, for_run=True)


async def lock_memory(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Memory]:
    """Lock a memory and its board."""
    return await _lock_on_board(tx, actor, Memory, id, sees_board(actor, Board.id))


async def lock_planned_file(tx: Transaction, actor: Actor, id: str) -> tuple[Board, PlannedFile]:
    """Lock a planned file and its board."""
    return await _lock_on_card(tx, actor, PlannedFile, id, for_run=True)


async def lock_file(tx: Transaction, actor: Actor, id: str) -> tuple[Board | None, File]:
    """Lock a file and its board; an uploader's file that is on nothing yet has none."""
    own = File.id == id, File.card_id.is_(None), File.author_id == actor.id
    file = await tx.scalar(
        select(File).where(*own, sees_workspace(actor, File.workspace_id)).with_for_update()
    )
    if file is not None:
        return None, file
    return await _lock_on_card(tx, actor, File, id, for_run=True)


async def lock_message(tx: Transaction, actor: Actor, id: str) -> tuple[Board, Message]:
    """Lock a message and its board."""
    return await _lock_on_card(tx, actor, Message, id, for_run=True)


async def lock_link(tx: Transaction, actor: Actor, id: str) -> tuple[Board, CardLink]:
    """Lock a link between cards and its board."""
    sees = sees_link(actor, Board.id, CardLink.card_id, CardLink.target_id)
    return await _lock_on_board(tx, actor, CardLink, id, sees)


async def lock_cards(tx: Transaction, actor: Actor, ids: list[str]) -> tuple[Board, list[Card]]:
    """Lock cards of one board, in the order of `ids`. NotFound names the first that is not on that board."""
    board, first = await lock_card(tx, actor, ids[0])
    query = select(Card).where(Card.board_id == board.id, Card.id.in_(ids)).with_for_update()
    cards = {card.id: card for card in await tx.scalars(query)} | {first.id: first}
    for id in ids:
        if id not in cards:
            raise NotFound(id)
    return board, [cards[id] for id in ids]
