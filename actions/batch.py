"""Batches of runs: start one on several cards, stop it, retry the runs of it that brought nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from sqlalchemy import select

from actions import validation
from actions.profile_choice import profiles_of, require_enabled
from actions.run.dispatch import MAX_STOP_REASON_LENGTH, stop_run_of_card
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
from kit.graphql.arguments import Id
from models.actor import Actor
from models.batch import COUNTING, MAX_CARDS, RunBatch
from models.board import Board
from models.card import Card
from models.refusal import Conflict
from models.run import ACTIVE, PermissionLevel, Run, RunKind, RunStatus
from models.worker import AgentProfile


async def start_batch(
    tx: Transaction,
    actor: Actor,
    *,
    card_ids: Annotated[list[Id], "1 to 50 cards of one board."],
    kind: Annotated[RunKind, "The kind of work."] = RunKind.CODE,
    instruction: Annotated[str | None, "Instruction for each agent besides its card; Markdown."] = None,
    profile_id: Annotated[
        Id | None, "Agent profile of every run. Default: that of the card or board."
    ] = None,
    base_ref: Annotated[str | None, "Branch or commit to start from. Default: the board's."] = None,
    permission: Annotated[
        PermissionLevel | None,
        "Freedom of the agents. Default: the profile's. A stricter profile prevails unless you are an admin.",
    ] = None,
    start_at: Annotated[datetime | None, "Earliest start. Default: now."] = None,
) -> RunBatch:
    """Start a run on each of several cards: all, or none. Each has a branch and a workspace of its own.

    A run that fails leaves the others alone; `status` of the batch covers all of them. Raises StageRefused and
    Conflict, which name the first card that cannot be started.
    """
    validation.distinct("cardIds", validation.at_most("cardIds", card_ids, MAX_CARDS))
    board, cards = await lock_cards(tx, actor, card_ids)
    request = validate_request(
        RunRequest(
            kind=kind, instruction=instruction, base_ref=base_ref, permission=permission, start_at=start_at
        )
    )
    profiles = await _profiles_by_card(tx, board, cards, profile_id)
    requests = [(card, replace(request, profile=profiles.get(card.id))) for card in cards]
    batch, _ = await start_together(tx, actor, board, requests)
    return batch


async def _profiles_by_card(
    tx: Transaction, board: Board, cards: Sequence[Card], profile_id: str | None
) -> dict[str, AgentProfile]:
    if profile_id is not None:
        [profile] = await named_profiles(tx, board, [profile_id])
        return {card.id: profile for card in cards}
    profiles = await profiles_of(tx, board, cards)
    return {id: require_enabled(profile) for id, profile in profiles.items()}


async def stop_batch(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The batch."],
    reason: Annotated[str | None, "The reason, 1 to 500 characters, for people."] = None,
) -> RunBatch:
    """Stop every run of a batch that has not ended, as `stopRun` does. Raises Conflict if all have ended."""
    board, batch = await lock_batch(tx, actor, id)
    text = "A person stopped its batch"
    if reason is not None:
        text = validation.single_line("reason", reason, MAX_STOP_REASON_LENGTH)
    active = select(Run).where(Run.batch_id == id, Run.status.in_(ACTIVE)).order_by(Run.id)
    runs = list(await tx.scalars(active.with_for_update()))
    if not runs:
        raise Conflict("All runs of the batch have ended", id)
    for run in runs:
        if run.stop_requested_at is None:
            await stop_run_of_card(tx, board, run, text)
    return batch


async def retry_batch(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The batch."]) -> RunBatch:
    """Start each run of a batch that failed or was stopped again, from the beginning: all, or none.

    The new runs take the places of the old ones, which their `retryOf` names, and the batch is ACTIVE again. Raises
    StageRefused, and Conflict if there is no such run or a profile is switched off.
    """
    board, batch = await lock_batch(tx, actor, id)
    to_retry = Run.batch_id == id, Run.status.in_([RunStatus.FAILED, RunStatus.CANCELLED]), COUNTING
    runs = list(await tx.scalars(select(Run).where(*to_retry).order_by(Run.place).with_for_update()))
    if not runs:
        raise Conflict("No run of the batch failed or was stopped", id)
    cards = await tx.scalars(select(Card).where(Card.id.in_([run.card_id for run in runs])))
    profiles = await tx.scalars(
        select(AgentProfile).where(AgentProfile.id.in_({run.profile_id for run in runs} - {None}))
    )
    card_by_id, profile_by_id = {card.id: card for card in cards}, {one.id: one for one in profiles}
    requests = [
        (card_by_id[run.card_id], retry_request(run, profile_by_id.get(run.profile_id or ""))) for run in runs
    ]
    await enqueue_runs(tx, actor, board, requests)
    batch.ended_at = None
    return batch
