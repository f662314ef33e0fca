"""Moves of cards: find the column, let the law of stages judge, write.

Every move is judged by `check_move` and written by `move_allowed`. `move_as_system` is the move of a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from actions.ordering import PositionInput, ranks_for
from actions.stage_facts import facts_of, reader
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.graphql.types import one_of_input
from models.board import Board
from models.card import Card, image
from models.events.card import CardMoved
from models.refusal import Invalid, NotFound
from models.stage import (
    ColumnState,
    Facts,
    Mover,
    Reason,
    Stage,
    StageRefused,
    column_for,
    judge,
    reasons_against,
)


@one_of_input
class DestinationInput:
    """The column of a card, named by its id or by its stage."""

    column_id: Annotated[Id | None, "This column of the card's board."] = None
    stage: Annotated[Stage | None, "The first column of this stage that takes the card."] = None


def find_column(every: Sequence[Facts], destination: DestinationInput | None) -> ColumnState:
    """Find the one column that a destination means for these cards; without one, their own.

    Raises NotFound for a column of another board, StageRefused if no column of the stage takes them, Invalid if
    there is no destination and the cards are in several columns.
    """
    facts = every[0]
    if destination is None:
        return _own_column([one.column_id for one in every], facts)
    if destination.column_id is not None:
        for lane in facts.lanes:
            if lane.id == destination.column_id:
                return lane
        raise NotFound(destination.column_id)
    stage = destination.stage
    assert stage is not None, "a destination has exactly one field"
    column = column_for(every, stage)
    if column is None:
        reasons = reasons_against(facts, stage)
        allowed = [stage for stage in Stage if not reasons_against(facts, stage)]
        raise StageRefused(facts.at, stage, allowed, reasons, facts.card_id)
    return column


def _own_column(columns: list[str | None], facts: Facts) -> ColumnState:
    """Return the column that the cards are in; for a new card the first of the backlog, or else the first."""
    if len(set(columns)) > 1:
        raise Invalid(("destination", "is required: the cards are in several columns"))
    for lane in facts.lanes:
        if lane.id == columns[0]:
            return lane
    return column_for([facts], Stage.BACKLOG) or facts.lanes[0]


@dataclass(frozen=True)
class AllowedMove:
    """A move that the law allows: the column, and the stage that each card leaves."""

    lane: ColumnState
    left: list[Stage]


async def check_move(
    tx: Transaction,
    board: Board,
    cards: Sequence[Card],
    destination: DestinationInput | None,
    *,
    cancel_run: bool = False,
) -> AllowedMove:
    """Judge the move of all these cards to one column. The caller holds the board. Raises StageRefused."""
    every = await facts_of(reader(tx), {board.id: board}, cards)
    lane = find_column(every, destination)
    coming = sum(card.column_id != lane.id for card in cards)
    for facts in every:
        judge(facts, lane, coming=coming, cancel_run=cancel_run)
    return AllowedMove(lane, [facts.at for facts in every])


async def move_allowed(
    tx: Transaction,
    board: Board,
    cards: Sequence[Card],
    to: AllowedMove,
    position: PositionInput | None = None,
    *,
    batch: str | None = None,
    run_id: str | None = None,
    ranks: Sequence[str] | None = None,
) -> None:
    """Write a move that was judged: the cards follow one another at the position, or get these free ranks."""
    ids, lane = [card.id for card in cards], to.lane
    ranks = ranks or await ranks_for(tx, Card, Card.column_id == lane.id, ids, position, count=len(cards))
    for card, rank, left in zip(cards, ranks, to.left, strict=True):
        image_before = image(card) | {"stage": left, "rank": card.rank}
        source = card.column_id
        card.column_id, card.rank, card.version = lane.id, rank, card.version + 1
        emit_moved(tx, board, card, source, left, lane.stage, before=image_before, batch=batch, run_id=run_id)
    await tx.flush()


def emit_moved(
    tx: Transaction,
    board: Board,
    card: Card,
    source: str,
    left: Stage,
    to: Stage,
    *,
    before: dict[str, Any],
    batch: str | None,
    run_id: str | None = None,
) -> None:
    """Emit the move of one card from the column `source`."""
    moved = CardMoved(
        card_id=card.id,
        from_column_id=source,
        from_stage=left,
        to_column_id=card.column_id,
        to_stage=to,
        rank=card.rank,
        before=before,
        run_id=run_id,
    )
    tx.emit(board, moved, correlation_id=batch)


async def move_as_system(
    tx: Transaction, board: Board, card: Card, to: Stage, *, run_id: str | None = None
) -> list[Reason]:
    """Move a card for a run, or for automation, to the end of a stage.

    Returns the reasons of the law against it; then the card stays.
    """
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    reasons = reasons_against(facts, to, by=Mover.SYSTEM)
    lane = column_for([facts], to, by=Mover.SYSTEM)
    if reasons or lane is None:
        return reasons
    if lane.id != card.column_id:
        await move_allowed(tx, board, [card], AllowedMove(lane, [facts.at]), run_id=run_id)
    return []
