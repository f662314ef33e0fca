"""Automation: pull requests move the cards they are about, once for each occasion, and for 30 seconds undoably."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, TypedDict, Unpack

from sqlalchemy import select

from actions import validation
from actions.events import emit_board_event
from actions.job import HANDLERS
from actions.move import AllowedMove, move_allowed, move_as_system
from actions.pull_request_sync import MOVE_JOB
from actions.stage_facts import facts_of, reader
from auth.locking import lock_board, lock_card
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Author, Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from models.actor import Actor, ActorKind
from models.automation import STALE_DAYS, TARGETS, BoardAutomation, automation_of
from models.board import Board
from models.card import Card
from models.events.board import BoardUpdated, board_facts
from models.pull_request import PATH, UNDO_SECONDS, CardPullRequest, PullRequest, PullRequestState
from models.refusal import Conflict, Invalid
from models.stage import Stage


class AutomationChanges(TypedDict, total=False):
    """The fields of a board's automation that a client may change."""

    opened: Annotated[
        Maybe[Stage | None],
        "Where an opened pull request moves its card: IN_PROGRESS or REVIEW; null: nowhere.",
    ]
    merged: Annotated[
        Maybe[Stage | None], "Where a merged pull request moves its card: REVIEW or DONE; null: nowhere."
    ]
    any_merged: Annotated[Maybe[bool], "Whether one merged pull request is enough; else all of the card's."]
    stale_days: Annotated[
        Maybe[int], "Days without a change after which a pull request is stale, 1 to 3,650."
    ]


async def update_board_automation(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board."],
    if_version: IfVersion = None,
    **fields: Unpack[AutomationChanges],
) -> Board:
    """Change where pull requests move the cards of a board. Omitted fields stay. Raises Stale."""
    board = await lock_board(tx, actor, board_id, admin=True)
    board.expect(if_version)
    changes = provided_fields(**fields)
    for name in ("opened", "merged"):
        if changes.get(name) is not None and changes[name] not in TARGETS:
            raise Invalid((name, "must be IN_PROGRESS, REVIEW or DONE"))
    for name, path in (("any_merged", "anyMerged"), ("stale_days", "staleDays")):
        if name in changes:
            validation.required(path, changes[name])
    if "stale_days" in changes:
        validation.in_range("staleDays", changes["stale_days"], *STALE_DAYS)
    before, default = asdict(automation_of(board.automation)), asdict(BoardAutomation())
    after = before | changes
    changed = {name: [before[name], after[name]] for name in after if after[name] != before[name]}
    if changed:
        board.automation = {name: value for name, value in after.items() if value != default[name]}
        board.version += 1
        changes = {f"automation.{name}": values for name, values in changed.items()}
        emit_board_event(tx, board, BoardUpdated(**board_facts(board), changes=changes))
    return board


async def run_move(services: Services, payload: dict[str, Any]) -> None:
    """Move a card as the automation of its board says, once for an occasion."""
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        found = await tx.execute(
            select(Board, Card)
            .join(Card, Card.board_id == Board.id)
            .where(Card.id == payload["card_id"])
            .with_for_update(of=(Board, Card))
        )
        row = found.one_or_none()
        if row is None:
            return
        board, card = row
        link = await tx.get(CardPullRequest, (card.id, payload["pull_request_id"]), with_for_update=True)
        if link is None or payload["occasion"] in link.done:
            return
        automation = automation_of(board.automation)
        if payload["occasion"] == "merged":
            if not automation.any_merged and await _has_unmerged(tx, card):
                return  # the last of them moves it
            target = automation.merged
        else:
            target = automation.opened
        link.done = [*link.done, payload["occasion"]]
        if target is None or board.archived_at is not None or card.archived_at is not None:
            return
        before = card.column_id
        await _move_along(tx, board, card, target)
        if card.column_id != before:
            link.moved_at, link.moved_from, link.moved_to = utcnow(), before, card.column_id


async def _has_unmerged(tx: Transaction, card: Card) -> bool:
    """Whether a pull request of a card is not merged, and was not closed either."""
    states = select(PullRequest.id).join(CardPullRequest, CardPullRequest.pull_request_id == PullRequest.id)
    over = PullRequest.state.in_((PullRequestState.MERGED, PullRequestState.CLOSED))
    return await tx.scalar(states.where(CardPullRequest.card_id == card.id, ~over).limit(1)) is not None


async def _move_along(tx: Transaction, board: Board, card: Card, target: Stage) -> None:
    """Move a card towards a stage, stage by stage, as far as the law and its gates let it. Never back."""
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    if facts.at not in PATH:
        return
    for stage in PATH[PATH.index(facts.at) + 1 : PATH.index(target) + 1]:
        if await move_as_system(tx, board, card, stage):
            if stage is target:
                return
            continue  # a board may lack a column of a stage on the way


async def undo_pull_request_move(
    tx: Transaction, actor: Actor, *, card_id: Annotated[Id, "The card."]
) -> Card:
    """Move a card back to where it was before a pull request moved it, within 30 seconds.

    Raises Conflict if nothing moved it so lately, or if it was moved again since.
    """
    board, card = await lock_card(tx, actor, card_id)
    since = utcnow() - timedelta(seconds=UNDO_SECONDS)
    moved = CardPullRequest.card_id == card.id, CardPullRequest.moved_at >= since
    link = await tx.scalar(
        select(CardPullRequest).where(*moved).order_by(CardPullRequest.moved_at.desc()).limit(1)
    )
    if link is None or link.moved_to != card.column_id:
        raise Conflict("No pull request moved the card in the last 30 seconds", card.id)
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    lanes = [lane for lane in facts.lanes if lane.id == link.moved_from]
    if not lanes or board.archived_at is not None or card.archived_at is not None:
        raise Conflict("The column that the card left is gone, or it was archived", card.id)
    await move_allowed(tx, board, [card], AllowedMove(lanes[0], [facts.at]))
    link.moved_at = link.moved_from = link.moved_to = None
    return card


HANDLERS[MOVE_JOB] = run_move
