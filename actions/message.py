"""Changes to messages on cards. A deleted message keeps its place and loses its text."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from actions import validation
from actions.file import delete_files_of_message
from actions.notice import message_cause, notify_mentioned
from auth.locking import lock_board, lock_card, lock_message
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion
from kit.ids import new_id
from models.actor import Actor, ActorKind
from models.board import Board
from models.card import Card
from models.events.card import MessageDeleted, MessageEdited, MessagePosted
from models.message import MAX_MESSAGE_LENGTH, STRANGER, Message, MessageKind
from models.refusal import Conflict, Forbidden


@dataclass(frozen=True)
class ImportedMessage:
    """A message from elsewhere, written by a person, by a stranger who is named, or else by the system."""

    body: str
    at: datetime | None
    kind: MessageKind = MessageKind.COMMENT
    author_id: str | None = None
    stranger: str | None = None


Body = Annotated[str, "Markdown: 1 to 10,000 characters."]


def validate_body(body: str) -> str:
    """Return the body of a message, normalized. Raises Invalid."""
    return validation.multiline("body", body, MAX_MESSAGE_LENGTH, least=1)


async def post_message(
    tx: Transaction, actor: Actor, *, card_id: Annotated[Id, "The card."], body: Body
) -> Message:
    """Post a message on a card. People whom it mentions are notified."""
    return await post_message_of(tx, actor, card_id, body)


async def post_message_of(
    tx: Transaction, actor: Actor, card_id: str, body: str, kind: MessageKind = MessageKind.COMMENT
) -> Message:
    """Post a message of a kind on a card, and notify the people whom it mentions."""
    board, card = await lock_card(tx, actor, card_id, for_run=True)
    message = Message(
        card_id=card.id,
        board_id=board.id,
        author_kind=actor.kind,
        author_id=actor.id,
        kind=kind,
        body=validate_body(body),
    )
    tx.add(message)
    await tx.flush()  # generates message.id
    tx.emit(board, MessagePosted(card_id=card.id, message_id=message.id))
    cause = message_cause(message.id)
    await notify_mentioned(tx, actor, board, card.id, message.body, cause=cause)
    return message


def import_message(tx: Transaction, board: Board, card: Card, old: ImportedMessage) -> Message:
    """Add a message from elsewhere to a card whose board the caller holds. Raises Invalid.

    Nobody is notified. It takes no statement of its own: the next flush writes it.
    """
    body = validate_body(old.body)
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
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "A message of your own."],
    body: Body,
    if_version: IfVersion = None,
) -> Message:
    """Change the text of your message; `editedAt` shows when. People whom it newly mentions are notified.

    Raises Forbidden for a message of another author, Stale, or Conflict if it is deleted.
    """
    board, message = await lock_message(tx, actor, id)
    if not _is_author(actor, message):
        raise Forbidden("Only the author of a message may edit it")
    message.expect(if_version)
    if message.deleted_at is not None:
        raise Conflict("The message is deleted")
    body = validate_body(body)
    if body != message.body:
        before = message.body
        message.body, message.edited_at, message.version = body, utcnow(), message.version + 1
        tx.emit(board, MessageEdited(card_id=message.card_id, message_id=message.id))
        await notify_mentioned(tx, actor, board, message.card_id, body, before=before)
    return message


async def delete_message(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "A message of your own; as an admin, any message."],
    if_version: IfVersion = None,
) -> Message:
    """Delete the text and the files of a message; its place stays. Returns the message without its text.

    A run that got the text keeps it, and a run of `rejectCard` keeps it as its `instruction`; `run.prompt` no
    longer shows it. Notifications stay. Repeating it changes nothing. Raises Stale.
    """
    board, message = await lock_message(tx, actor, id)
    if not _is_author(actor, message):
        await lock_board(tx, actor, board.id, admin=True)
    message.expect(if_version)
    if message.deleted_at is None:
        message.body, message.deleted_at, message.version = "", utcnow(), message.version + 1
        tx.emit(board, MessageDeleted(card_id=message.card_id, message_id=message.id))
        await delete_files_of_message(tx, board, message)
    return message


def _is_author(actor: Actor, message: Message) -> bool:
    return (message.author_kind, message.author_id) == (actor.kind, actor.id)
