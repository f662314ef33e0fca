"""Plans of a board: their actions are applied in order in one transaction, by the functions of their mutations."""

from collections.abc import Sequence
from typing import Annotated, Any

from sqlalchemy import select

from actions import validation
from actions.plan_actions import KINDS, Convert, PlanAction, arguments_of, ids_in, temporary_id
from auth.locking import hold_board, lock_board, lock_own_run, lock_plan
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.eventlog.tables import Topic
from kit.graphql.arguments import Id
from kit.ids import new_id, prefix_of
from models.actor import Actor
from models.board import Board
from models.card import Card, CardLink, Subtask
from models.events.plan import PlanApplied, PlanProposed, PlanRefused
from models.group import Group
from models.knowledge import KnowledgeItem
from models.plan import (
    MAX_ACTIONS,
    MAX_PLAN_MESSAGE_LENGTH,
    ChangeKind,
    PlanBatch,
    PlanRejected,
    PlanStatus,
)
from models.planned_file import PlannedFile
from models.question import Question
from models.refusal import Conflict, Refusal, Stale

TABLES: dict[str, Any] = {
    "card": Card,
    "group": Group,
    "subtask": Subtask,
    "knowledge": KnowledgeItem,
    "plannedfile": PlannedFile,
    "link": CardLink,
    "question": Question,
}


def check_actions(actions: Sequence[PlanAction]) -> None:
    """Raise Invalid unless a plan has 1 to 100 actions."""
    validation.at_most("actions", list(actions), MAX_ACTIONS)


async def apply_plan(
    tx: Transaction,
    actor: Actor,
    board_id: str,
    actions: Sequence[PlanAction],
    convert: Convert,
    *,
    message: str | None = None,
    expected_sequence: int | None = None,
) -> PlanBatch:
    """Apply the actions of a plan, and store it.

    Raises Stale if the board's feed is not at `expected_sequence`, and PlanRejected with the first refused action.
    """
    text = validation.multiline("message", message, MAX_PLAN_MESSAGE_LENGTH)
    board = await lock_board(tx, actor, board_id)
    if expected_sequence is not None:
        await _check_sequence(tx, board, expected_sequence)
    plan = _plan(board, actor, actions, text)
    await _apply(tx, actor, board, plan, actions, convert)
    tx.add(plan)
    await tx.flush()
    return plan


async def store_rejected(
    tx: Transaction,
    actor: Actor,
    board_id: str,
    actions: Sequence[PlanAction],
    message: str | None,
    why: PlanRejected,
) -> PlanBatch:
    """Store a plan whose application was refused and rolled back."""
    board = await lock_board(tx, actor, board_id)
    plan = _plan(board, actor, actions, validation.multiline("message", message, MAX_PLAN_MESSAGE_LENGTH))
    tx.add(plan)
    _reject(tx, actor, board, plan, why)
    await tx.flush()
    return plan


async def propose_plan(
    tx: Transaction, actor: Actor, actions: Sequence[PlanAction], message: str | None
) -> PlanBatch:
    """Store a plan that the agent of a run proposes."""
    board, run = await lock_own_run(tx, actor)
    text = validation.multiline("message", message, MAX_PLAN_MESSAGE_LENGTH)
    plan = _plan(board, actor, actions, text)
    plan.card_id, plan.run_id = run.card_id, run.id
    plan.status, plan.decided_by, plan.decided_at = PlanStatus.PROPOSED, None, None
    tx.add(plan)
    tx.emit(board, PlanProposed(plan_id=plan.id, action_count=len(actions)))
    await tx.flush()
    return plan


async def accept_plan(
    tx: Transaction, actor: Actor, id: str, actions: Sequence[PlanAction], convert: Convert
) -> PlanBatch:
    """Apply a proposed plan with the rights of the actor. Raises Conflict if it was decided, PlanRejected."""
    board, plan = await lock_plan(tx, actor, id)
    _check_open(plan)
    await _apply(tx, actor, board, plan, actions, convert)
    plan.status, plan.decided_by, plan.decided_at = PlanStatus.ACCEPTED, actor.id, utcnow()
    plan.version += 1
    await tx.flush()
    return plan


async def reject_plan(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The plan. It is PROPOSED."],
    reason: Annotated[
        str | None, "The reason, for the agent and for people; at most 5,000 characters."
    ] = None,
) -> PlanBatch:
    """Reject a proposed plan. Raises Conflict if it was decided already."""
    board, plan = await lock_plan(tx, actor, id)
    _check_open(plan)
    plan.version += 1
    _reject(tx, actor, board, plan, None, validation.multiline("reason", reason, MAX_PLAN_MESSAGE_LENGTH))
    await tx.flush()
    return plan


async def store_refused(tx: Transaction, actor: Actor, id: str, why: PlanRejected) -> PlanBatch:
    """Reject a proposed plan whose application was refused and rolled back."""
    board, plan = await lock_plan(tx, actor, id)
    _check_open(plan)
    plan.version += 1
    _reject(tx, actor, board, plan, why)
    await tx.flush()
    return plan


def _check_open(plan: PlanBatch) -> None:
    if plan.status is not PlanStatus.PROPOSED:
        raise Conflict(f"The plan is {plan.status} already", plan.id)


def _plan(board: Board, actor: Actor, actions: Sequence[PlanAction], message: str) -> PlanBatch:
    return PlanBatch(
        id=new_id("plan"),
        board_id=board.id,
        author_id=actor.id,
        message=message,
        status=PlanStatus.ACCEPTED,
        actions=[action.as_json() for action in actions],
        changes=[],
        decided_by=actor.id,
        decided_at=utcnow(),
        version=1,
    )


def _reject(
    tx: Transaction, actor: Actor, board: Board, plan: PlanBatch, why: PlanRejected | None, reason: str = ""
) -> None:
    plan.status, plan.decided_by, plan.decided_at = PlanStatus.REJECTED, actor.id, utcnow()
    plan.reason = why.reason_message if why else reason or "A person rejected it"
    plan.refused_index, plan.reason_code = (why.index, why.reason_code) if why else (None, None)
    refused = PlanRefused(
        plan_id=plan.id,
        action_count=len(plan.actions),
        refused_index=plan.refused_index,
        reason=plan.reason,
    )
    tx.emit(board, refused)


async def _check_sequence(tx: Transaction, board: Board, expected: int) -> None:
    last = await tx.scalar(select(Topic.last).where(Topic.name == board.scope.topic)) or 0
    if last != expected:
        raise Stale(last)


async def _apply(
    tx: Transaction,
    actor: Actor,
    board: Board,
    plan: PlanBatch,
    actions: Sequence[PlanAction],
    convert: Convert,
) -> None:
    """Apply actions to a board that the caller holds. Raises PlanRejected."""
    kept = await _load(tx, board, actions)
    names: dict[str, str] = {}
    with hold_board(tx, actor, board), tx.correlated(plan.id):
        for index, action in enumerate(actions):
            try:
                plan.changes.append(await _change(tx, actor, board, index, action, names, convert))
            except Refusal as refusal:
                raise PlanRejected(index, action.name, refusal) from refusal
        tx.emit(board, PlanApplied(plan_id=plan.id, action_count=len(actions)))
    del kept


async def _load(tx: Transaction, board: Board, actions: Sequence[PlanAction]) -> list[Any]:
    """Load the rows that the actions name, a statement for each table: locking them again takes no other one."""
    ids: dict[str, set[str]] = {}
    for id in ids_in(actions):
        ids.setdefault(prefix_of(id) or "", set()).add(id)
    rows: list[Any] = []
    for prefix, table in TABLES.items():
        if prefix in ids:
            rows += await tx.scalars(
                select(table).where(table.id.in_(ids[prefix]), table.board_id == board.id)
            )
    return rows


async def _change(
    tx: Transaction,
    actor: Actor,
    board: Board,
    index: int,
    action: PlanAction,
    names: dict[str, str],
    convert: Convert,
) -> dict[str, Any]:
    """Apply one action. Returns its change as JSON."""
    kind = KINDS[action.name]
    name = temporary_id(action, names)
    arguments = arguments_of(action, names, convert)
    of_board = {"board_id": board.id} if kind.takes_board else {}
    result = await kind.do(tx, actor, **of_board, **arguments)
    row = getattr(result, "group", None) if hasattr(result, "card_count") else result
    assert row is not None, "an action returns what it changed"
    if name is not None:
        names[name] = row.id
    title = next((getattr(row, of) for of in ("title", "path", "text") if hasattr(row, of)), "")
    return {
        "index": index,
        "action": action.name,
        "change": kind.change.value,
        "id": row.id,
        "temp_id": name,
        "title": title[:200],
    }


def created_ids_hidden(changes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return changes without the ids of what they would create: a preview creates nothing."""
    return [
        change | {"id": None} if change["change"] == ChangeKind.CREATED.value else change
        for change in changes
    ]
