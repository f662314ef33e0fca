"""What is said on a card. Whoever said it may change it; a deleted message keeps its place, not its text."""

from dataclasses import dataclass
from datetime import datetime

from actions import validation
from actions.notice import notify_mentioned
from auth.locking import lock_board, lock_card, lock_message
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.actor import Actor, ActorKind
from models.board import Board
from models.card import Card
from models.events.card import MessageDeleted, MessageEdited, MessagePosted
from models.message import MAX_MESSAGE_LENGTH, STRANGER, Message, MessageKind
from models.refusal import Conflict, Forbidden


@dataclass(frozen=True)
class OldMessage:
    """What was said elsewhere: by a person, by a stranger, who is named, or by neither, which is the system."""

    body: str
    at: datetime | None
    kind: MessageKind = MessageKind.COMMENT
    author_id: str | None = None
    stranger: str | None = None


def validate_text(body: str) -> str:
    """What is said, as it is kept. Raises Invalid."""
    return validation.multiline("body", body, MAX_MESSAGE_LENGTH, least=1)


async def post_message(
    tx: Transaction, actor: Actor, card_id: str, body: str, kind: MessageKind = MessageKind.COMMENT
) -> Message:
    """Say something on a card."""
    board, card = await lock_card(tx, actor, card_id, for_run=True)
    message = Message(
        card_id=card.id,
        board_id=board.id,
        author_kind=actor.kind,
        author_id=actor.id,
        kind=kind,
        body=validate_text(body),
    )
    tx.add(message)
    await tx.flush()  # generates message.id
    tx.emit(board, MessagePosted(card_id=card.id, message_id=message.id))
    await notify_mentioned(tx, actor, board, card.id, message.body)
    return message


def keep_message(tx: Transaction, board: Board, card: Card, old: OldMessage) -> Message:
    """Keep what was said elsewhere, on a card whose board the caller holds. Raises Invalid.

    Nobody is notified, and there is no statement: it is written with what else is new.
    """
    body = validate_text(old.body)
    if old.stranger is not None:
        body = f"**{validation.single_line('author', old.stranger, STRANGER)}**:\n\n{body}"
    message = Message(
        id=new_id("message"),
        card_id=card.id,
        board_id=board.id,
        author_kind=ActorKind.SYSTEM if old.author_id is None else ActorKind.USER,
        author_id=old.author_id,
        kind=old.kind,
        body=body,
        created_at=old.at or utcnow(),
    )
    tx.add(message)
    tx.emit(board, MessagePosted(card_id=card.id, message_id=message.id))
    return message


async def edit_message(
    tx: Transaction, actor: Actor, id: str, body: str, *, if_version: int | None = None
) -> Message:
    """Say it differently. Only who said it may, and only while it is not deleted."""
    board, message = await lock_message(tx, actor, id)
    if not _own(actor, message):
        raise Forbidden("Only who wrote a message may edit it")
    message.expect(if_version)
    if message.deleted_at is not None:
        raise Conflict("The message was deleted")
    body = validate_text(body)
    if body != message.body:
        before = message.body
        message.body, message.edited_at, message.version = body, utcnow(), message.version + 1
        tx.emit(board, MessageEdited(card_id=message.card_id, message_id=message.id))
        await notify_mentioned(tx, actor, board, message.card_id, body, before=before)
    return message


async def delete_message(tx: Transaction, actor: Actor, id: str, *, if_version: int | None = None) -> Message:
    """Take back what was said: the author or an admin may. Doing it twice changes nothing."""
    board, message = await lock_message(tx, actor, id)
    if not _own(actor, message):
        await lock_board(tx, actor, board.id, admin=True)
    message.expect(if_version)
    if message.deleted_at is None:
        message.body, message.deleted_at, message.version = "", utcnow(), message.version + 1
        tx.emit(board, MessageDeleted(card_id=message.card_id, message_id=message.id))
    return message


def _own(actor: Actor, message: Message) -> bool:
    return (message.author_kind, message.author_id) == (actor.kind, actor.id)
