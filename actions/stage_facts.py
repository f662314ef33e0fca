"""Load the facts that the law of stages judges by, in a fixed number of statements for any number of cards."""

from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from typing import Any

from sqlalchemy import func, literal, literal_column, null, select, union_all

from actions.gate import load_gates
from actions.review_limit import load_review_gates
from kit.db.transaction import Transaction
from models.approval import ApprovalKind
from models.board import Board, BoardColumn
from models.card import Card, CardLink, LinkKind
from models.gate import GateReason, gate_reasons
from models.policy import board_policy_of
from models.question import Question
from models.run import ACTIVE, Run
from models.stage import ENTRY, ColumnState, Facts, Reason, Stage

NO_WORK = None, False, None
LIVE: list[Any] = [literal_column(f"'{status}'") for status in ACTIVE]  # literals, as in the partial index
Read = Callable[[Any], Awaitable[Sequence[Any]]]

# Columns with the number of their unarchived cards.
COLUMN_STATES = (
    select(
        BoardColumn.board_id,
        BoardColumn.id,
        BoardColumn.stage,
        BoardColumn.wip_limit,
        func.count(Card.id).label("count"),
    )
    .outerjoin(Card, (Card.column_id == BoardColumn.id) & Card.archived_at.is_(None))
    .group_by(BoardColumn.id)
    .order_by(BoardColumn.rank)
)


def reader(tx: Transaction) -> Read:
    """Return a function that reads within a transaction."""

    async def read(query: Any) -> Sequence[Any]:
        rows: Sequence[Any] = (await tx.execute(query)).all()
        return rows

    return read


async def column_states_of(read: Read, board_ids: Iterable[str]) -> dict[str, list[ColumnState]]:
    """Load the columns of boards, by board, in order."""
    lanes: dict[str, list[ColumnState]] = {id: [] for id in board_ids}
    for row in await read(COLUMN_STATES.where(BoardColumn.board_id.in_(list(lanes)))):
        lanes[row.board_id].append(ColumnState(row.id, row.stage, row.wip_limit, row.count))
    return lanes


async def blockers_of(read: Read, card_ids: list[str]) -> dict[str, list[str]]:
    """Load for each card the cards that block it and are neither done nor archived."""
    query = (
        select(CardLink.target_id, CardLink.card_id)
        .join(Card, Card.id == CardLink.card_id)
        .join(BoardColumn, BoardColumn.id == Card.column_id)
        .where(
            CardLink.target_id.in_(card_ids),
            CardLink.kind == LinkKind.BLOCKS,
            BoardColumn.stage != Stage.DONE,
            Card.archived_at.is_(None),
        )
        .order_by(CardLink.id)
    )
    blockers: dict[str, list[str]] = {id: [] for id in card_ids}
    for target, blocker in await read(query):
        blockers[target].append(blocker)
    return blockers


async def work_on(read: Read, card_ids: list[str]) -> dict[str, tuple[str | None, bool, str | None]]:
    """Load for each card with active runs or questions: a run, whether a worker began one, an open question."""
    run = select(
        Run.card_id,
        func.min(Run.id).label("run"),
        func.max(Run.attempt).label("begun"),
        null().label("question"),
    ).where(Run.card_id.in_(card_ids), Run.status.in_(LIVE))
    open_ones = Question.card_id.in_(card_ids), Question.status == literal_column("'OPEN'"), Question.blocking
    asked = select(Question.card_id, null(), literal(0), func.min(Question.id)).where(*open_ones)
    works: dict[str, tuple[str | None, bool, str | None]] = {}
    for row in await read(union_all(run.group_by(Run.card_id), asked.group_by(Question.card_id))):
        known = works.get(row.card_id, (None, False, None))
        works[row.card_id] = (row.run or known[0], row.begun > 0 or known[1], row.question or known[2])
    return works


async def facts_of(
    read: Read, boards: dict[str, Any], cards: Sequence[Any], *, writable: Container[str] | None = None
) -> list[Facts]:
    """Load the facts of each card, in order: three statements for any number of cards, more for boards with gates.

    `writable` contains the boards that the caller may change; None if the caller may change all of them.
    """
    lanes = await column_states_of(read, {card.board_id for card in cards})
    blockers = await blockers_of(read, [card.id for card in cards])
    work = await work_on(read, [card.id for card in cards])
    stages = {lane.id: lane.stage for board in lanes.values() for lane in board}
    requires = {id: board_policy_of(board.policy).require_approval for id, board in boards.items()}
    gates = await load_gates(read, boards, cards)
    reviews = await load_review_gates(read, boards, lanes, cards)
    return [
        Facts(
            at=stages[card.column_id],
            law=boards[card.board_id].law,
            lanes=lanes[card.board_id],
            column_id=card.column_id,
            card_id=card.id,
            board_archived=boards[card.board_id].archived_at is not None,
            card_archived=card.archived_at is not None,
            blockers=blockers[card.id],
            active_run=work.get(card.id, NO_WORK)[0],
            run_begun=work.get(card.id, NO_WORK)[1],
            open_question=work.get(card.id, NO_WORK)[2],
            lacks_approval=card.approved_at is None and requires[card.board_id],
            may_write=writable is None or card.board_id in writable,
            done_gates=_move_reasons(gates, card.id, ApprovalKind.MERGE),
            plan_gates=_move_reasons(gates, card.id, ApprovalKind.PLAN),
            review_gates=reviews.get(card.id, []),
        )
        for card in cards
    ]


def _move_reasons(
    gates: dict[str, dict[ApprovalKind, list[GateReason]]], card_id: str, kind: ApprovalKind
) -> list[Reason]:
    return [reason.move_reason for reason in gates.get(card_id, {}).get(kind, [])]


async def facts_of_new(read: Read, board: Board) -> Facts:
    """Load the facts of a card that is to be created."""
    lanes = await column_states_of(read, [board.id])
    against_plan = gate_reasons(board_policy_of(board.policy), ApprovalKind.PLAN, "", None, {}, [])
    return Facts(
        ENTRY,
        board.law,
        lanes[board.id],
        board_archived=board.archived_at is not None,
        lacks_approval=board_policy_of(board.policy).require_approval,
        plan_gates=[reason.move_reason for reason in against_plan],
    )
