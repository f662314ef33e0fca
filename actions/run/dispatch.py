"""The effect of moving, deleting and prioritizing cards on the runs on them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from actions.profile_choice import profiles_of
from actions.run.change import BY_HAND, MOVED, TAKEN_AWAY, follow_transition, reopen
from actions.run.start import RunRequest, enqueue_allowed_runs
from actions.stage_facts import facts_of, reader
from kit import queue
from kit.db.transaction import Transaction
from models.actor import Actor
from models.board import Board
from models.card import Card
from models.policy import board_policy_of
from models.refusal import Conflict
from models.run import ACTIVE, Run, RunKind, RunStatus
from models.stage import Stage

BOARD_RULE = RunRequest()  # the request of a board's dispatch rule
MAX_STOP_REASON_LENGTH = 500  # characters


async def on_cards_moved(
    tx: Transaction,
    actor: Actor,
    board: Board,
    cards: Sequence[Card],
    left: Sequence[Stage | None],
    to: Stage,
    *,
    cancel_run: bool = False,
    wish: RunRequest | None = BOARD_RULE,
) -> None:
    """Stop the runs that a move of cards conflicts with, and start runs on cards that enter TODO.

    `wish` is the request of the board's dispatch rule; None starts nothing. The caller holds the board and has
    checked the move. The number of statements is fixed, except for stopped runs.
    """
    moved = [card for card, stage in zip(cards, left, strict=True) if stage is not to]
    if not moved:
        return
    ids = [card.id for card in moved]
    query = select(Run).where(Run.card_id.in_(ids), Run.status.in_(ACTIVE)).order_by(Run.id)
    active = list(await tx.scalars(query.with_for_update()))
    if cancel_run:
        for run in active:
            await stop_run_of_card(tx, board, run, MOVED)
    elif to is Stage.IN_PROGRESS:
        for run in active:
            if run.status is RunStatus.QUEUED and run.attempt == 0:
                await stop_run_of_card(tx, board, run, BY_HAND)
    if wish is not None and to is Stage.TODO and board_policy_of(board.policy).auto_dispatch:
        at_work = {run.card_id for run in active if run.kind is RunKind.CODE and run.status in ACTIVE}
        idle = [card for card in moved if card.id not in at_work and card.archived_at is None]
        profiles = await profiles_of(tx, board, idle)
        idle = [card for card in idle if card.id not in profiles or profiles[card.id].enabled]
        if idle:
            facts = await facts_of(reader(tx), {board.id: board}, idle)
            asked = [
                (card, fact, replace(wish, profile=profiles.get(card.id)))
                for card, fact in zip(idle, facts, strict=True)
            ]
            await enqueue_allowed_runs(tx, None, board, asked)
    await reopen(tx, board)


async def stop_run_of_card(tx: Transaction, board: Board, run: Run, reason: str) -> None:
    """Stop a run: at once if no worker holds it, else once its worker confirms. The caller holds the run."""
    run.stop_reason = reason[:MAX_STOP_REASON_LENGTH]
    transition = await queue.cancel(tx, run.id)
    if transition is not None:
        await follow_transition(tx, board, run, transition)


async def cancel_runs_of(
    tx: Transaction, board: Board, card_ids: Sequence[str], *, cancel_run: bool, word: str = "cancelRun"
) -> None:
    """End the active runs of cards that are removed. Their workers lose their leases at once.

    Raises Conflict if there are any, unless `cancel_run`; its message calls that argument `word`.
    """
    query = select(Run).where(Run.card_id.in_(card_ids), Run.status.in_(ACTIVE)).order_by(Run.id)
    active = list(await tx.scalars(query.with_for_update()))
    await end_active(tx, {board.id: board}, active, cancel_run=cancel_run, word=word)


async def end_active(
    tx: Transaction, boards: Mapping[str, Board], active: Sequence[Run], *, cancel_run: bool, word: str
) -> None:
    """End active runs of cards that are removed. The caller holds both. Raises Conflict unless `cancel_run`."""
    if active and not cancel_run:
        some = "1 run of an agent is" if len(active) == 1 else f"{len(active)} runs of agents are"
        it = "it" if len(active) == 1 else "them"
        raise Conflict(f"{some} active there; pass {word} to end {it}", active[0].id)
    for run in active:
        run.stop_reason = TAKEN_AWAY
        transition = await queue.discard(tx, run.id)
        if transition is not None:
            await follow_transition(tx, boards[run.board_id], run, transition)


async def reprioritise(tx: Transaction, *cards: Card) -> None:
    """Apply the priorities of cards to their queued runs."""
    priorities = {card.id: card.priority for card in cards}
    waiting = Run.card_id.in_(list(priorities)), Run.status == RunStatus.QUEUED
    for run in list(await tx.scalars(select(Run).where(*waiting).order_by(Run.id).with_for_update())):
        run.priority = priorities[run.card_id]
        await queue.prioritise(tx, run.id, int(run.priority))
