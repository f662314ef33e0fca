"""How cards move: which column a place means, whether the law has the move, and doing it.

Everything that moves a card comes through `move`, after `judged`, or by `carry`, which is the system's way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actions.ordering import ranks_for
from actions.stage_facts import facts_of, reader
from kit.db.transaction import Transaction
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


@dataclass(frozen=True)
class Placement:
    """Where a card is to stand: in a column or the first of a stage, by its neighbours, at the top or the end."""

    column_id: str | None = None
    stage: Stage | None = None
    before: str | None = None
    after: str | None = None
    top: bool = False


def target(every: Sequence[Facts], place: Placement) -> ColumnState:
    """The one column a place means for these cards. Raises NotFound for a column of another board."""
    facts, stage = every[0], place.stage
    if place.column_id is not None:
        for lane in facts.lanes:
            if lane.id == place.column_id:
                if stage not in (None, lane.stage):
                    raise Invalid(("stage", f"is not the stage of that column, {lane.stage}"))
                return lane
        raise NotFound(place.column_id)
    if stage is None:
        return _own([one.column_id for one in every], facts)
    found = column_for(every, stage)
    if found is None:
        reasons = reasons_against(facts, stage)
        allowed = [stage for stage in Stage if not reasons_against(facts, stage)]
        raise StageRefused(facts.at, stage, allowed, reasons, facts.card_id)
    return found


def _own(columns: list[str | None], facts: Facts) -> ColumnState:
    """The column that cards stand in already; for a new one the first of the backlog, or the first."""
    if len(set(columns)) > 1:
        raise Invalid(("columnId", "or a stage must be said: the cards stand in several columns"))
    for lane in facts.lanes:
        if lane.id == columns[0]:
            return lane
    return column_for([facts], Stage.BACKLOG) or facts.lanes[0]


@dataclass(frozen=True)
class AllowedMove:
    """A move that the law allows: to which column, and the stage each card leaves."""

    lane: ColumnState
    left: list[Stage]


async def check_move(
    tx: Transaction, board: Board, cards: Sequence[Card], place: Placement, *, cancel_run: bool = False
) -> AllowedMove:
    """Judge the move of all these cards to one place. The caller holds the board."""
    every = await facts_of(reader(tx), {board.id: board}, cards)
    lane = target(every, place)
    coming = sum(card.column_id != lane.id for card in cards)
    for facts in every:
        judge(facts, lane, coming=coming, cancel_run=cancel_run)
    return AllowedMove(lane, [facts.at for facts in every])


async def move_allowed(
    tx: Transaction,
    board: Board,
    cards: Sequence[Card],
    place: Placement,
    to: AllowedMove,
    *,
    batch: str | None = None,
    run_id: str | None = None,
) -> None:
    """Move what was judged, one card behind the other."""
    ids, lane = [card.id for card in cards], to.lane
    here = Card.column_id == lane.id
    ranks = await ranks_for(tx, Card, here, ids, place.before, place.after, top=place.top, count=len(cards))
    for card, rank, left in zip(cards, ranks, to.left, strict=True):
        image_before = image(card) | {"stage": left}
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
    tx: Transaction, board: Board, card: Card, to: Stage, *, run_id: str
) -> list[Reason]:
    """Move a card for a run, to the end of a stage. Where the law says no it stays, and why is returned."""
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    reasons = reasons_against(facts, to, by=Mover.SYSTEM)
    lane = column_for([facts], to, by=Mover.SYSTEM)
    if reasons or lane is None:
        return reasons
    if lane.id != card.column_id:
        await move_allowed(tx, board, [card], Placement(), AllowedMove(lane, [facts.at]), run_id=run_id)
    return []
