"""Watching boards and cards, and the notifications of their watchers.

Watchers are notified from the log of events, after the change: a move or a message costs no statement more. The
cursor of a watched board moves on in the transaction of the notifications, so each is made once.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Annotated, Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from actions.account import lock_own_user
from actions.notice import NoticeText, message_cause, notify_of
from auth.permissions import sees_board, sees_card
from kit import queue
from kit.completion import complete
from kit.db.database import Unavailable
from kit.db.transaction import Author, Transaction
from kit.eventlog.event_log import EventLog
from kit.eventlog.tables import Topic
from kit.eventlog.topic_cache import page_of
from kit.graphql.arguments import Id
from kit.ids import new_id
from models.actor import Actor, ActorKind
from models.board import Board
from models.card import Card
from models.events.card import CardArchived, CardMoved, CardUnarchived, MessagePosted
from models.notice import NotificationType
from models.refusal import Conflict, NotFound
from models.topic import board_topic
from models.watch import MAX_WATCHES, Watch, WatchCursor, WatchLevel
from models.workspace import Membership

log = logging.getLogger("signalbox.watch")

POLL_SECONDS = 1.0
IDLE_POLL_SECONDS = 3.0  # while there was nothing to tell
MAX_BOARDS_PER_ROUND = 50
MAX_EVENTS_PER_PAGE = 100
MAX_NOTICES_PER_PAGE = 1_000
TITLES = {
    CardMoved.kind: "{} was moved to {}",
    CardArchived.kind: "{} was archived",
    CardUnarchived.kind: "{} was unarchived",
    MessagePosted.kind: "There is a new message on {}",
}


async def watch(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The board or the card."],
    level: Annotated[WatchLevel, "WATCHING or MUTED."] = WatchLevel.WATCHING,
) -> Watch:
    """Watch a board or a card, or mute it. A card's own level counts before its board's. Idempotent.

    Raises Conflict if you watch or mute 500 already.
    """
    await lock_own_user(tx, actor)
    board_id, card_id = await _find_subject(tx, actor, id)
    row = await tx.scalar(select(Watch).where(Watch.user_id == actor.id, Watch.subject_id == id))
    if row is None:
        count = select(func.count()).select_from(Watch).where(Watch.user_id == actor.id)
        if (await tx.scalar(count) or 0) >= MAX_WATCHES:
            raise Conflict(f"You watch or mute at most {MAX_WATCHES} boards and cards")
        row = Watch(
            id=new_id("watch"),
            user_id=actor.id,
            subject_id=id,
            board_id=board_id,
            card_id=card_id,
            level=level,
        )
        tx.add(row)
    row.level = level
    await tx.flush()  # the caller reads it
    if level is WatchLevel.WATCHING:
        await _add_cursor(tx, board_id)
    return row


async def unwatch(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The board or the card."]) -> Watch:
    """Neither watch nor mute a board or a card any more. Returns the watch as it was; NotFound if there is none."""
    await lock_own_user(tx, actor)
    row: Watch | None = await tx.scalar(
        select(Watch).where(Watch.user_id == actor.id, Watch.subject_id == id)
    )
    if row is None:
        raise NotFound(id)
    await tx.execute(delete(Watch).where(Watch.id == row.id))
    tx.expunge(row)
    return row


async def _find_subject(tx: Transaction, actor: Actor, id: str) -> tuple[str, str | None]:
    """Return the board, and the card if it is one, with an id that the actor may see. Raises NotFound."""
    card = select(Card.board_id).where(Card.id == id, sees_card(actor, Card.board_id, Card.id))
    if (board_id := await tx.scalar(card)) is not None:
        return str(board_id), id
    board = select(Board.id).where(Board.id == id, sees_board(actor, Board.id))
    if await tx.scalar(board) is None:
        raise NotFound(id)
    return id, None


async def _add_cursor(tx: Transaction, board_id: str) -> None:
    """Let the watchers of a board be notified from now on."""
    upsert = insert_on_postgresql if queue.is_postgres(tx) else insert_on_sqlite
    topic = board_topic(board_id)
    last = await tx.scalar(select(Topic.last).where(Topic.name == topic)) or 0
    row = {"board_id": board_id, "topic": topic, "seq": last}
    await tx.execute(upsert(WatchCursor).values(row).on_conflict_do_nothing())


async def notify_periodically(event_log: EventLog) -> None:
    """Notify watchers for ever. Any number of processes may do so at once."""
    pause = POLL_SECONDS
    while True:
        await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - so that processes alternate
        pause = IDLE_POLL_SECONDS
        try:
            while await complete(notify_watchers(event_log)):
                pause = POLL_SECONDS
        except Unavailable:
            log.warning("no watcher notified: the database does not answer")
        except Exception:
            log.exception("no watcher notified")


async def notify_watchers(event_log: EventLog) -> bool:
    """Notify the watchers of the boards that have new events. Returns whether more may wait."""
    waits = select(WatchCursor.board_id).join(Topic, Topic.name == WatchCursor.topic)
    waits = waits.where(Topic.last > WatchCursor.seq).limit(MAX_BOARDS_PER_ROUND)
    boards = [row.board_id for row in await event_log.database.read(waits)]
    is_behind = len(boards) == MAX_BOARDS_PER_ROUND
    for board_id in boards:
        async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
            is_behind |= await _notify_board(tx, board_id)
    return is_behind


async def _notify_board(tx: Transaction, board_id: str) -> bool:
    """Notify the watchers of a board of one page of its events. Returns whether more may wait."""
    own = WatchCursor.board_id == board_id
    cursor = await tx.scalar(select(WatchCursor).where(own).with_for_update(skip_locked=True))
    board = await tx.get(Board, board_id)
    if cursor is None or board is None:
        return False
    page = (await tx.execute(page_of(cursor.topic, cursor.seq, MAX_EVENTS_PER_PAGE))).all()
    events = [row for row in page if row.seq is not None]
    last = events[-1].seq if events else page[0].last if page else cursor.seq
    is_told = [event for event in events if _is_told(event)]
    watchers = await _load_watchers(tx, board) if is_told else []
    if is_told and watchers:
        ids = {event.data["card_id"] for event in is_told}
        cards = {card.id: card for card in await tx.scalars(select(Card).where(Card.id.in_(ids)))}
        count = 0
        for event in is_told:
            card = cards.get(event.data["card_id"])
            if card is None or count > MAX_NOTICES_PER_PAGE:
                continue
            people = {one.user_id for one in watchers if one.subject_id in (board.id, card.id)}
            people -= {event.actor_id}
            count += len(people)
            await _notify(tx, board, card, event, sorted(people))
    has_watchers = watchers or not is_told or await _load_watchers(tx, board)
    if has_watchers:
        await tx.execute(update(WatchCursor).where(own).values(seq=last))
    else:
        await tx.execute(delete(WatchCursor).where(own))
    return len(events) == MAX_EVENTS_PER_PAGE


def _is_told(event: Any) -> bool:
    if event.kind == CardMoved.kind:
        # A move of a run is told with what the run did.
        is_of_run = event.data.get("run_id") is not None
        return not is_of_run and event.data.get("from_stage") != event.data.get("to_stage")
    return event.kind in TITLES


async def _load_watchers(tx: Transaction, board: Board) -> Sequence[Any]:
    """Load the watches of a board and its cards, of current members."""
    query = select(Watch.user_id, Watch.subject_id).join(Membership, Membership.user_id == Watch.user_id)
    query = query.where(
        Watch.board_id == board.id,
        Watch.level == WatchLevel.WATCHING,
        Membership.workspace_id == board.workspace_id,
    )
    return (await tx.execute(query)).all()


async def _notify(tx: Transaction, board: Board, card: Card, event: Any, people: Sequence[str]) -> None:
    name = f"{board.key}-{card.number}"
    title = TITLES[event.kind].format(name, event.data.get("to_stage"))
    is_message = event.kind == MessagePosted.kind
    cause = f"{event.topic} {event.epoch} {event.seq}"
    if is_message:
        cause = message_cause(event.data["message_id"])  # those it mentions were told of it
    type = NotificationType.MENTIONED if is_message else NotificationType.CARD_MOVED
    await notify_of(
        tx,
        people,
        [NoticeText(type, f"{title}: {card.title}")],
        workspace_id=board.workspace_id,
        board_id=board.id,
        card_id=card.id,
        cause=cause,
    )
