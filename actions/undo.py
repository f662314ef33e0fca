"""Undoing one change of a board: its events, newest first, are answered by changes that take them back.

A change is the events with one correlation id, or one event without. What is taken back goes through the same
actions and laws as any change. A later change of the same field refuses it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

from sqlalchemy import select

from actions.automation import undo_pull_request_move
from actions.card import archive_card, change_card, delete_card
from actions.changes import apply_changes
from actions.labels_and_assignees import add_label, assign_card, remove_label, unassign_card
from actions.link import link_cards, unlink_cards
from actions.move import DestinationInput, check_move, find_column, move_allowed
from actions.ordering import rank_for
from actions.readiness import withdraw_approval
from actions.run.change import reopen
from actions.run.dispatch import on_cards_moved
from actions.stage_facts import facts_of, reader
from actions.subtask import delete_subtask, return_subtask, update_subtask
from auth.locking import lock_board, lock_card
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.eventlog.tables import Event
from kit.graphql.arguments import Id, Some
from kit.ids import new_id
from models.actor import Actor, ActorKind
from models.board import Board
from models.card import Card, CardSize, CardType, LinkKind, Priority
from models.events import board as of_board
from models.events import card as of_card
from models.events import type_name_of
from models.pull_request import UNDO_SECONDS
from models.refusal import Conflict, Invalid, NotFound
from models.stage import judge

UNDO_MINUTES = 10
MAX_EVENTS = 300  # of a change that can be undone
MAX_LATER_EVENTS = 1_000  # on the cards of a change, since

READERS: dict[str, Callable[[Any], Any]] = {
    "type": CardType,
    "priority": lambda name: Priority[name],
    "size": lambda value: value and CardSize(value),
    "due_on": lambda value: value and date.fromisoformat(value),
}
EVERYTHING = "*"  # of a card
SILENT = {of_board.RanksRewritten.kind, of_card.CardsUpdated.kind}  # nothing to take back


async def undo(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board."],
    correlation_id: Annotated[str | None, "The correlation id of the change. Give this or `seq`."] = None,
    seq: Annotated[int | None, "The number of an event of the change on the board's feed."] = None,
) -> Board:
    """Undo one change of a board within 10 minutes; a move by a pull request within 30 seconds.

    A change is the events with one correlation id, or one event without. They are taken back newest first, all or
    none; the events that do it share a correlation id, and `ChangeUndone` ends them. Raises StageRefused if the law
    of stages refuses a move back, and Conflict if it was undone, is too old, cannot be undone, or was built on.
    """
    if (correlation_id is None) == (seq is None):
        raise Invalid(("seq", "or correlationId must be given, not both"))
    board = await lock_board(tx, actor, board_id)
    events = await _events_of_change(tx, board, correlation_id, seq)
    await _check_undoable(tx, board, events)
    with tx.correlated(new_id("batch")):
        for event in reversed(events):
            if event.kind not in SILENT:
                await UNDO[event.kind](tx, actor, event)
                await tx.flush()  # the next one reads it
        undone = of_board.ChangeUndone(
            board_id=board.id, undone_seq=events[-1].seq, undone_correlation_id=events[-1].correlation_id
        )
        tx.emit(board, undone)
    return board


async def _events_of_change(
    tx: Transaction, board: Board, correlation_id: str | None, seq: int | None
) -> Sequence[Event]:
    """Load the events of a change in their order. Raises NotFound, Conflict."""
    topic = board.scope.topic
    if seq is not None:
        event = await tx.get(Event, (topic, seq)) if 0 < seq < 1 << 53 else None
        if event is None:
            raise NotFound(str(seq))
        if event.correlation_id is None or event.at < utcnow() - timedelta(minutes=UNDO_MINUTES):
            return [event]
        correlation_id = event.correlation_id
    # The audit log's index finds the newest events of a workspace.
    recent = Event.tenant == board.workspace_id, Event.at >= utcnow() - timedelta(minutes=UNDO_MINUTES)
    query = select(Event).where(*recent, Event.topic == topic, Event.correlation_id == correlation_id)
    events = list(await tx.scalars(query.order_by(Event.seq).limit(MAX_EVENTS + 1)))
    if not events:
        raise Conflict(
            f"The board has no change with that id in the last {UNDO_MINUTES} minutes", correlation_id
        )
    if len(events) > MAX_EVENTS:
        raise Conflict(f"A change of more than {MAX_EVENTS} events cannot be undone", correlation_id)
    return events


async def _check_undoable(tx: Transaction, board: Board, events: Sequence[Event]) -> None:
    """Raise Conflict unless the change is new, can be undone, was not yet, and nothing was built on it."""
    last = events[-1]
    for event in events:
        if event.kind not in UNDO and event.kind not in SILENT:
            raise Conflict(f"{type_name_of(event.kind)} cannot be undone", event.subject)
        if event.kind == of_card.CardMoved.kind and event.data["run_id"]:
            raise Conflict("A move by a run cannot be undone", event.subject)
    seconds = UNDO_SECONDS if last.actor_kind == ActorKind.SYSTEM else UNDO_MINUTES * 60
    if last.at < utcnow() - timedelta(seconds=seconds):
        raise Conflict(f"The change is more than {seconds} seconds old", last.correlation_id)
    since = Event.topic == last.topic, Event.seq > events[0].seq
    undone = list(
        await tx.scalars(select(Event.data).where(*since, Event.kind == of_board.ChangeUndone.kind))
    )
    if any(data["undone_seq"] == last.seq for data in undone):
        raise Conflict("The change was undone already", last.correlation_id)
    cards = {event.data["card_id"] for event in events if "card_id" in event.data}
    query = select(Event).where(*since, Event.data["card_id"].as_string().in_(cards)).order_by(Event.seq)
    later = list(await tx.scalars(query.limit(MAX_LATER_EVENTS + 1)))
    if len(later) > MAX_LATER_EVENTS:
        raise Conflict("Too much happened since", last.correlation_id)
    own = {event.seq for event in events}
    for event in events:
        mine = _touched(event)
        for other in later:
            if (
                other.seq <= event.seq
                or other.seq in own
                or other.data["card_id"] != event.data.get("card_id")
            ):
                continue
            if EVERYTHING in mine or EVERYTHING in _touched(other) or mine & _touched(other):
                name = type_name_of(other.kind)
                raise Conflict(f"It was changed since: {name}, event {other.seq}", event.data["card_id"])


def _touched(event: Event) -> set[str]:
    """Name the fields of its card that an event changed."""
    data = event.data
    match event.kind:
        case of_card.CardCreated.kind | of_card.CardDeleted.kind:
            return {EVERYTHING}
        case of_card.CardUpdated.kind:
            return set(data["changes"])
        case of_card.CardMoved.kind:
            return {"place"}
        case of_card.CardArchived.kind | of_card.CardUnarchived.kind:
            return {"place", "archived"}
        case of_card.CardApproved.kind | of_card.CardApprovalWithdrawn.kind:
            return {"approval"}
    for key in ("label_id", "user_id", "link_id"):
        if key in data:
            return {str(data[key])}
    if "subtask_id" in data:
        id = data["subtask_id"]
        if event.kind in (of_card.SubtaskCreated.kind, of_card.SubtaskDeleted.kind):
            return {f"{id} {name}" for name in ("title", "completed", "place")}
        fields = set(data["changes"]) & {"title", "completed"}
        moved = event.kind == of_card.SubtaskMoved.kind or "phase" in data["changes"]
        return {f"{id} {name}" for name in (fields | {"place"} if moved else fields)}
    return set()


async def _delete_created(tx: Transaction, actor: Actor, event: Event) -> None:
    await delete_card(tx, actor, id=event.data["card_id"])


async def _restore_fields(tx: Transaction, actor: Actor, event: Event) -> None:
    changes = {
        name: READERS.get(name, lambda value: value)(old) for name, (old, _) in event.data["changes"].items()
    }
    await change_card(tx, actor, event.data["card_id"], changes)


async def _move_back(tx: Transaction, actor: Actor, event: Event) -> None:
    id, column_id = event.data["card_id"], event.data["from_column_id"]
    if event.actor_kind == ActorKind.SYSTEM:
        await undo_pull_request_move(tx, actor, card_id=id)
        return
    board, card = await lock_card(tx, actor, id)
    try:
        to = await check_move(tx, board, [card], DestinationInput(column_id=column_id))
    except NotFound:
        raise Conflict("The column that the card left is gone", column_id) from None
    ranks = await _rank_if_free(tx, card, column_id, event.data["before"].get("rank"))
    await move_allowed(tx, board, [card], to, ranks=ranks)
    await on_cards_moved(tx, actor, board, [card], to.left, to.lane.stage, wish=None)


async def _rank_if_free(tx: Transaction, card: Card, column_id: str, rank: str | None) -> list[str] | None:
    taken = select(Card.id).where(Card.column_id == column_id, Card.rank == rank, Card.id != card.id)
    return None if rank is None or await tx.scalar(taken) is not None else [rank]


async def _unarchive(tx: Transaction, actor: Actor, event: Event) -> None:
    """Unarchive a card in the column that it was archived in."""
    board, card = await lock_card(tx, actor, event.data["card_id"])
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    lane = find_column([facts], DestinationInput(column_id=card.column_id))
    # For the column's limit it comes from elsewhere.
    judge(replace(facts, card_archived=False, column_id=None), lane)
    apply_changes(card, {"archived_at": None})
    tx.emit(board, of_card.unarchived(card, card.column_id, card.rank))
    await reopen(tx, board)


async def _archive(tx: Transaction, actor: Actor, event: Event) -> None:
    """Archive a card in the column that it was unarchived from, if that is still there."""
    card = await archive_card(tx, actor, id=event.data["card_id"])
    board, _ = await lock_card(tx, actor, card.id)
    [facts] = await facts_of(reader(tx), {board.id: board}, [card])
    source = event.data.get("from_column_id")
    if source != card.column_id and source in {lane.id for lane in facts.lanes}:
        ranks = await _rank_if_free(tx, card, source, event.data["from_rank"])
        card.rank = ranks[0] if ranks else await rank_for(tx, Card, Card.column_id == source, card.id)
        card.column_id = source


async def _withdraw_approval(tx: Transaction, actor: Actor, event: Event) -> None:
    await withdraw_approval(tx, actor, id=event.data["card_id"])


async def _remove_label(tx: Transaction, actor: Actor, event: Event) -> None:
    await remove_label(tx, actor, card_id=event.data["card_id"], label_id=event.data["label_id"])


async def _add_label(tx: Transaction, actor: Actor, event: Event) -> None:
    await add_label(tx, actor, card_id=event.data["card_id"], label_id=event.data["label_id"])


async def _unassign(tx: Transaction, actor: Actor, event: Event) -> None:
    await unassign_card(tx, actor, card_id=event.data["card_id"], user_id=event.data["user_id"])


async def _assign(tx: Transaction, actor: Actor, event: Event) -> None:
    await assign_card(tx, actor, card_id=event.data["card_id"], user_id=event.data["user_id"])


async def _unlink(tx: Transaction, actor: Actor, event: Event) -> None:
    await unlink_cards(tx, actor, id=event.data["link_id"])


async def _link(tx: Transaction, actor: Actor, event: Event) -> None:
    data = event.data
    kind = LinkKind(data["link_kind"])
    await link_cards(tx, actor, card_id=data["card_id"], target_id=data["target_id"], kind=kind)


async def _delete_subtask(tx: Transaction, actor: Actor, event: Event) -> None:
    await delete_subtask(tx, actor, id=event.data["subtask_id"])


async def _restore_subtask(tx: Transaction, actor: Actor, event: Event) -> None:
    changes, id = event.data["changes"], event.data["subtask_id"]
    fields: dict[str, Any] = {
        name: Some(changes[name][0]) for name in ("title", "completed") if name in changes
    }
    if fields:
        await update_subtask(tx, actor, id=id, **fields)
    if event.kind == of_card.SubtaskMoved.kind or "phase" in changes:
        await _return_subtask(tx, actor, event)


async def _return_subtask(tx: Transaction, actor: Actor, event: Event) -> None:
    data, phase, order = event.data, None, None
    if "phase" in data["changes"]:
        phase = data["changes"]["phase"][0]
        order = data["changes"].get("phase_order", [None])[0]
        order = order if order is not None else data["phase_order"]
    await return_subtask(tx, actor, data["subtask_id"], phase, order, data.get("from_rank"))


UNDO: dict[str, Callable[[Transaction, Actor, Event], Awaitable[None]]] = {
    of_card.CardCreated.kind: _delete_created,
    of_card.CardUpdated.kind: _restore_fields,
    of_card.CardMoved.kind: _move_back,
    of_card.CardArchived.kind: _unarchive,
    of_card.CardUnarchived.kind: _archive,
    of_card.CardApproved.kind: _withdraw_approval,
    of_card.LabelAdded.kind: _remove_label,
    of_card.LabelRemoved.kind: _add_label,
    of_card.AssigneeAdded.kind: _unassign,
    of_card.AssigneeRemoved.kind: _assign,
    of_card.CardLinked.kind: _unlink,
    of_card.CardUnlinked.kind: _link,
    of_card.SubtaskCreated.kind: _delete_subtask,
    of_card.SubtaskUpdated.kind: _restore_subtask,
    of_card.SubtaskMoved.kind: _restore_subtask,
}
