"""Rejection of reviewed work: the card returns to TODO with feedback for the next run."""

from dataclasses import replace

from sqlalchemy import select

from actions.message import post_message
from actions.move import Placement, check_move, move_allowed
from actions.run.dispatch import on_cards_moved
from actions.run.start import RunRequest, enqueue_runs, retry_request
from actions.run.work_order import find_worked
from auth.locking import lock_card
from kit.db.transaction import Transaction
from models.actor import Actor
from models.board import BoardColumn
from models.card import Card
from models.message import MessageKind
from models.refusal import Conflict
from models.stage import Stage
from models.worker import AgentProfile


async def reject_card(tx: Transaction, actor: Actor, card_id: str, feedback: str) -> Card:
    """Send a card in REVIEW back to TODO: the feedback is a message on it, and what the next run is told.

    The run goes on where the last one that succeeded ended, or the one that was chosen since: on its branch, in its
    session if that lives, with its profile and permission. Without such a run the card goes back as any card that
    enters TODO. Raises Conflict for a card that is not in REVIEW, or a profile that is switched off; StageRefused.
    """
    board, card = await lock_card(tx, actor, card_id)
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    if stage is not Stage.REVIEW:
        raise Conflict(f"The card stands in {stage}; only work in REVIEW is sent back", card.id)
    message = await post_message(tx, actor, card.id, feedback, MessageKind.FEEDBACK)
    wish = RunRequest(instruction=message.body, message_id=message.id)
    last, place = await find_worked(tx, card), Placement(stage=Stage.TODO)
    to = await check_move(tx, board, [card], place)
    await move_allowed(tx, board, [card], place, to)
    await on_cards_moved(
        tx, actor, board, [card], to.left, to.lane.stage, wish=wish if last is None else None
    )
    if last is not None:
        profile = await tx.get(AgentProfile, last.profile_id) if last.profile_id else None
        again = retry_request(last, profile, instruction=message.body, resume=True)
        again = replace(again, message_id=message.id, batch_id=None, place=None)
        await enqueue_runs(tx, actor, board, [(card, again)])
    return card
