"""Work that is not good enough goes back, with the reason."""

from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.message import post_message
from actions.move import Place, judged, move
from actions.reach import reach_card
from actions.run.dispatch import arrived
from actions.run.start import Wish, again_of, begin
from models.actor import Actor
from models.board import BoardColumn
from models.card import Card
from models.message import MessageKind
from models.refusal import Conflict
from models.run import Run, RunKind, RunStatus
from models.stage import Stage
from models.worker import AgentProfile


async def reject_card(tx: AsyncSession, actor: Actor, card_id: str, feedback: str) -> Card:
    """Send a card in REVIEW back to TODO: the feedback is a message on it, and what the next run is told.

    The run goes on where the last one that succeeded ended, or the one that was chosen since: on its branch, in its
    session if that lives, with its profile and permission. Without such a run the card goes back as any card that
    enters TODO. Raises Conflict for a card that is not in REVIEW, or a profile that is switched off; StageRefused.
    """
    board, card = await reach_card(tx, actor, card_id)
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    if stage is not Stage.REVIEW:
        raise Conflict(f"The card stands in {stage}; only work in REVIEW is sent back", card.id)
    message = await post_message(tx, actor, card.id, feedback, MessageKind.FEEDBACK)
    wish = Wish(instruction=message.body, message_id=message.id)
    last, place = await _worked(tx, card), Place(stage=Stage.TODO)
    to = await judged(tx, board, [card], place)
    await move(tx, board, [card], place, to)
    await arrived(tx, actor, board, [card], to.left, to.lane.stage, wish=wish if last is None else None)
    if last is not None:
        profile = await tx.get(AgentProfile, last.profile_id) if last.profile_id else None
        again = again_of(last, profile, instruction=message.body, resume=True)
        again = replace(again, message_id=message.id, batch_id=None, place=None)
        await begin(tx, actor, board, [(card, again)])
    return card


async def _worked(tx: AsyncSession, card: Card) -> Run | None:
    """The run whose work stands on a card: the newest that succeeded, unless another was chosen since it began."""
    code = Run.card_id == card.id, Run.kind == RunKind.CODE, Run.status == RunStatus.SUCCEEDED
    newest = func.coalesce(Run.chosen_at, Run.queued_at).desc(), Run.id.desc()
    return await tx.scalar(select(Run).where(*code).order_by(*newest).limit(1))
