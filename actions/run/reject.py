"""Work that is not good enough goes back, with the reason."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.card import move_card
from actions.message import post_message
from actions.move import Place
from actions.reach import reach_card
from actions.run.start import Wish, begin
from models.actor import Actor
from models.board import BoardColumn
from models.card import Card
from models.message import MessageKind
from models.refusal import Conflict
from models.run import ACTIVE, Run, RunKind, RunStatus
from models.stage import Stage
from models.worker import AgentProfile


async def reject_card(tx: AsyncSession, actor: Actor, card_id: str, feedback: str) -> Card:
    """Send a card in REVIEW back to TODO: the feedback is a message on it, and what the next run is told.

    The run goes on where the last one that succeeded ended, or the one that was chosen before it: on its branch,
    in its session if that lives. Without such a run the card only goes back. Raises Conflict for a card that is not
    in REVIEW, and StageRefused.
    """
    board, card = await reach_card(tx, actor, card_id)
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    if stage is not Stage.REVIEW:
        raise Conflict(f"The card stands in {stage}; only work in REVIEW is sent back", card.id)
    message = await post_message(tx, actor, card.id, feedback, MessageKind.FEEDBACK)
    await move_card(tx, actor, card.id, Place(stage=Stage.TODO))
    code = Run.card_id == card.id, Run.kind == RunKind.CODE
    worked = select(Run).where(*code, Run.status == RunStatus.SUCCEEDED).order_by(Run.id.desc()).limit(1)
    last = await tx.scalar(worked)
    if last is not None and last.batch_id is not None:
        chosen = Run.card_id == card.id, Run.batch_id == last.batch_id, Run.chosen_at.is_not(None)
        last = await tx.scalar(select(Run).where(*chosen)) or last
    queued = await tx.scalar(select(Run).where(*code, Run.status.in_(ACTIVE)).limit(1))
    if queued is not None:  # the board's rule has asked for one already
        queued.instruction, queued.message_id = message.body, message.id
        if last is not None:
            queued.branch, queued.session_id = last.branch, last.session_id
            queued.retry_of, queued.retries = last.id, last.retries + 1
    elif last is not None:
        profile = await tx.get(AgentProfile, last.profile_id) if last.profile_id else None
        wish = Wish(
            instruction=message.body,
            message_id=message.id,
            base_ref=last.base_ref,
            permission=last.permission,
            profile=profile,
            branch=last.branch,
            session_id=last.session_id,
            retry_of=last.id,
            retries=last.retries + 1,
        )
        await begin(tx, actor, board, [(card, wish)])
    return card
