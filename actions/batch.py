"""What people do to a batch of runs: start it on several cards, stop it, try again what it did not bring."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from actions import validation
from actions.profile_choice import profiles_of, require_enabled
from actions.run.dispatch import stop_run_of_card
from actions.run.start import (
    RunRequest,
    enqueue_runs,
    named_profiles,
    retry_request,
    start_together,
    validate_request,
)
from auth.locking import lock_batch, lock_cards
from kit.db.transaction import Transaction
from models.actor import Actor
from models.batch import COUNTING, MAX_CARDS, RunBatch
from models.card import Card
from models.refusal import Conflict
from models.run import ACTIVE, Run, RunStatus
from models.worker import AgentProfile


async def start_batch(
    tx: Transaction, actor: Actor, card_ids: Sequence[str], wish: RunRequest, *, profile_id: str | None = None
) -> RunBatch:
    """Ask for a run on each of several cards of one board. All of them are queued, or none is.

    Without a profile each has its card's, or its board's. Raises Conflict and StageRefused as for one run; they
    name the card. A fixed number of statements.
    """
    validation.distinct("cardIds", validation.at_most("cardIds", list(card_ids), MAX_CARDS))
    board, cards = await lock_cards(tx, actor, list(card_ids))
    wish = validate_request(wish)
    if profile_id is not None:
        [profile] = await named_profiles(tx, board, [profile_id])
        chosen = {card.id: profile for card in cards}
    else:
        chosen = {
            id: require_enabled(profile) for id, profile in (await profiles_of(tx, board, cards)).items()
        }
    asked = [(card, replace(wish, profile=chosen.get(card.id))) for card in cards]
    batch, _ = await start_together(tx, actor, board, asked)
    return batch


async def stop_batch(tx: Transaction, actor: Actor, id: str, reason: str | None = None) -> RunBatch:
    """Stop every run of a batch that has not ended. Raises Conflict where all have."""
    board, batch = await lock_batch(tx, actor, id)
    text = (
        validation.single_line("reason", reason, 500) if reason is not None else "A person stopped its batch"
    )
    active = select(Run).where(Run.batch_id == id, Run.status.in_(ACTIVE)).order_by(Run.id)
    runs = list(await tx.scalars(active.with_for_update()))
    if not runs:
        raise Conflict("All runs of the batch have ended", id)
    for run in runs:
        if run.stop_requested_at is None:
            await stop_run_of_card(tx, board, run, text)
    return batch


async def retry_batch(tx: Transaction, actor: Actor, id: str) -> RunBatch:
    """Ask again for every run of a batch that failed or was stopped, in its place: all of them, or none.

    Raises Conflict where there is none, and as for one run; a fixed number of statements.
    """
    board, batch = await lock_batch(tx, actor, id)
    lost = Run.batch_id == id, Run.status.in_([RunStatus.FAILED, RunStatus.CANCELLED]), COUNTING
    runs = list(await tx.scalars(select(Run).where(*lost).order_by(Run.place).with_for_update()))
    if not runs:
        raise Conflict("No run of the batch failed or was stopped", id)
    cards = await tx.scalars(select(Card).where(Card.id.in_([run.card_id for run in runs])))
    profiles = await tx.scalars(
        select(AgentProfile).where(AgentProfile.id.in_({run.profile_id for run in runs} - {None}))
    )
    card, profile = {one.id: one for one in cards}, {one.id: one for one in profiles}
    asked = [(card[run.card_id], retry_request(run, profile.get(run.profile_id or ""))) for run in runs]
    await enqueue_runs(tx, actor, board, asked)
    batch.ended_at = None
    return batch
