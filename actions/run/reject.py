"""Rejection of reviewed work: the card returns to TODO with feedback for the next run."""

from dataclasses import replace
from typing import Annotated

from sqlalchemy import select

from actions.message import post_message_of
from actions.move import DestinationInput, check_move, move_allowed
from actions.run.dispatch import on_cards_moved
from actions.run.open_threads import open_threads_text
from actions.run.start import RunRequest, enqueue_runs, retry_request
from actions.run.work_order import find_worked
from auth.locking import lock_card
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card
from models.message import MessageKind
from models.refusal import Conflict
from models.stage import Stage
from models.worker import AgentProfile


async def reject_card(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The card. It is in REVIEW."],
    feedback: Annotated[str, "What is wrong: 1 to 10,000 characters, Markdown. The next run gets it."],
) -> Card:
    """Send a card in REVIEW back to TODO: the feedback becomes a message on it, and a run continues with it.

    The run is also threads the open threads of the reviews.
    The run continues the last run that succeeded, or the one that was chosen since that began: its branch, its
    session if that is alive, its profile, permission and base. If no run succeeded the card only moves, and the
    board's dispatch rule may start one. Raises StageRefused, or Conflict for a card that is not in REVIEW or a
    profile that is switched off.
    """
    board, card = await lock_card(tx, actor, id)
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    if stage is not Stage.REVIEW:
        raise Conflict(f"The card is in {stage}; only a card in REVIEW can be rejected", card.id)
    await send_back(tx, actor, board, card, feedback)
    return card


async def send_back(tx: Transaction, actor: Actor, board: Board, card: Card, feedback: str) -> None:
    """Send a card back to TODO with feedback, and continue its work. The caller holds the card and its board."""
    message = await post_message_of(tx, actor, card.id, feedback, MessageKind.FEEDBACK)
    threads = await open_threads_text(tx, card.id)
    instruction = f"{message.body}\n\n{threads}" if threads else message.body
    wish = RunRequest(instruction=instruction, message_id=message.id)
    last = await find_worked(tx, card)
    to = await check_move(tx, board, [card], DestinationInput(stage=Stage.TODO))
    await move_allowed(tx, board, [card], to)
    await on_cards_moved(
        tx, actor, board, [card], to.left, to.lane.stage, wish=wish if last is None else None
    )
    if last is not None:
        profile = await tx.get(AgentProfile, last.profile_id) if last.profile_id else None
        again = retry_request(last, profile, instruction=instruction, resume=True)
        again = replace(again, message_id=message.id, batch_id=None, place=None)
        await enqueue_runs(tx, actor, board, [(card, again)])
