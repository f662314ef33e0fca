"""Changes to files: uploading, attaching, deleting, and freeing the bytes that no file refers to.

A StoredObject is committed before the first byte is stored, and a File refers to it only once all bytes are. So a
crash loses no file that was answered for, and what it leaves behind is found: an object without a file.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from actions.file_content import Content
from actions.job import HANDLERS, JobFailed, enqueue_job
from auth.locking import lock_board, lock_card, lock_file, lock_message, lock_workspace
from auth.permissions import sees_card
from auth.services import Services
from kit.db.database import Unavailable, utcnow
from kit.db.transaction import Author, Transaction
from kit.eventlog.event_log import EventLog
from kit.file_store import StoreUnavailable
from kit.graphql.arguments import Id, IfVersion
from kit.graphql.types import one_of_input
from kit.ids import new_id
from kit.settings import Settings
from models.actor import Actor, ActorKind
from models.bin import BinObject
from models.board import Board
from models.card import Card
from models.events.file import FileAttached, FileDeleted, file_facts
from models.file import UNATTACHED_SECONDS, File, StoredObject
from models.message import Message
from models.refusal import Conflict, Forbidden, Invalid, NotFound
from models.workspace import Workspace

log = logging.getLogger("signalbox.file")

FREE_FILES = "FREE_FILES"
MAX_FREE_ATTEMPTS = 10
FREE_BATCH_SIZE = 500
FREE_INTERVAL_SECONDS = 3_600.0
FIRST_FREE_SECONDS = 3.0
STORE_RETRY_SECONDS = 60.0


@dataclass(frozen=True)
class Place:
    """The place of a new file: a card, a message, or only a workspace until it is attached."""

    card_id: str | None = None
    message_id: str | None = None
    workspace_id: str | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.card_id, self.message_id, self.workspace_id)) != 1:
            raise Invalid(("cardId", "name one of cardId, messageId and workspaceId"))


@one_of_input
class FileTargetInput:
    """A thing that a file is attached to."""

    card_id: Annotated[Id | None, "A card."] = None
    message_id: Annotated[Id | None, "A message of your own."] = None


@one_of_input
class FilePlaceInput:
    """The place of a new file."""

    card_id: Annotated[Id | None, "A card."] = None
    message_id: Annotated[Id | None, "A message of your own."] = None
    workspace_id: Annotated[Id | None, "A workspace, for a file that `attachFile` attaches within a day."] = (
        None
    )


async def reserve_object(
    tx: Transaction, actor: Actor, settings: Settings, place: Place, size: int | None
) -> str:
    """Return the key of a new object, for at most `size` bytes. Nothing has been read of it yet.

    Raises NotFound, Forbidden, Invalid, or Conflict if a limit would be exceeded.
    """
    if size is not None and size > settings.file_bytes:
        raise Invalid(("file", f"must have at most {settings.file_bytes:,} bytes"))
    workspace_id = await _lock_quota(tx, actor, place)
    _, card_id = await _lock_place(tx, actor, place)
    if card_id is not None:
        await _check_card(tx, settings, card_id)
    await _check_workspace(tx, settings, workspace_id, settings.file_bytes if size is None else size)
    name = new_id("object")
    key = f"{workspace_id}/{name[-2:]}/{name}"
    tx.add(
        StoredObject(key=key, workspace_id=workspace_id, size=settings.file_bytes if size is None else size)
    )
    return key


async def add_file(
    tx: Transaction, actor: Actor, settings: Settings, place: Place, key: str, content: Content
) -> File:
    """Add the file of a stored object, and attach it to its place. Raises as `reserve_object` does."""
    board, card_id = await _lock_place(tx, actor, place)
    if card_id is not None:
        await _check_card(tx, settings, card_id)
    held = update(StoredObject).where(StoredObject.key == key, StoredObject.stored_at.is_(None))
    held = held.values(size=content.size, stored_at=utcnow()).returning(StoredObject.workspace_id)
    workspace_id = await tx.scalar(held)
    if workspace_id is None:
        raise Conflict("The upload took too long")
    file = File(
        id=new_id("file"),
        workspace_id=workspace_id,
        object_key=key,
        name=content.name,
        media_type=content.media_type,
        size=content.size,
        sha256=content.sha256,
        width=content.width,
        height=content.height,
        author_kind=actor.kind,
        author_id=actor.id,
    )
    tx.add(file)
    if board is not None:
        _attach(tx, board, file, card_id, place.message_id)
    await tx.flush()  # the response reads the row
    return file


async def attach_file(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    id: Annotated[Id, "A file that you uploaded to a workspace."],
    target: Annotated[FileTargetInput, "The thing that it is attached to."],
) -> File:
    """Attach a file to a card or to a message of your own. Repeating it changes nothing.

    Raises Conflict if it is on something else, is of another workspace, or the card has too many files.
    """
    place, message_id = Place(target.card_id, target.message_id), target.message_id
    board, on = await _lock_place(tx, actor, place)
    assert board is not None, "a card is on a board"
    mine = File.card_id.is_(None) & (File.author_id == actor.id)
    seen = or_(sees_card(actor, File.board_id, File.card_id), mine)
    file = await tx.scalar(select(File).where(File.id == id, seen).with_for_update())
    if file is None:
        raise NotFound(id)
    if file.card_id is not None:
        if (file.card_id, file.message_id) == (on, message_id):
            return file
        raise Conflict("The file is attached to something else", file.message_id or file.card_id)
    if file.workspace_id != board.workspace_id:
        raise Conflict("The file was uploaded to another workspace", file.workspace_id)
    await _check_card(tx, services.settings, str(on))
    file.version += 1
    _attach(tx, board, file, on, message_id)
    await tx.flush()
    return file


async def delete_file(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The file."], if_version: IfVersion = None
) -> File:
    """Delete a file. Returns it as it was; its bytes are removed soon after.

    A file of a message is deleted by its uploader, by the message's author, or by an admin. Raises Stale.
    """
    board, file = await lock_file(tx, actor, id)
    is_uploader = (file.author_kind, file.author_id) == (actor.kind, actor.id)
    if actor.run_id is not None and not is_uploader:
        raise Forbidden("With its run's credential an agent deletes only files that it uploaded")
    file.expect(if_version)
    if board is not None:
        if file.message_id is not None and not is_uploader:
            message = await tx.get_one(Message, file.message_id)
            if (message.author_kind, message.author_id) != (actor.kind, actor.id):
                await lock_board(tx, actor, board.id, admin=True)
        tx.emit(board, FileDeleted(**file_facts(file)))
    await tx.delete(file)
    await enqueue_job(tx, FREE_FILES, {}, key=FREE_FILES, max_attempts=MAX_FREE_ATTEMPTS)
    await tx.flush()
    return file


async def delete_files_of_message(tx: Transaction, board: Board, message: Message) -> None:
    """Delete the files of a message that is deleted."""
    await free_files(tx, File.message_id == message.id)
    for file in list(await tx.scalars(select(File).where(File.message_id == message.id).order_by(File.id))):
        tx.emit(board, FileDeleted(**file_facts(file)))
        await tx.delete(file)


async def free_files(tx: Transaction, *where: ColumnElement[bool]) -> None:
    """Have the bytes of these files freed once this transaction, which deletes their rows, has committed."""
    if await tx.scalar(select(File.id).where(*where).limit(1)) is not None:
        await enqueue_job(tx, FREE_FILES, {}, key=FREE_FILES, max_attempts=MAX_FREE_ATTEMPTS)


def _attach(tx: Transaction, board: Board, file: File, card_id: str | None, message_id: str | None) -> None:
    file.board_id, file.card_id, file.message_id = board.id, card_id, message_id
    tx.emit(board, FileAttached(**file_facts(file)))


async def _lock_place(tx: Transaction, actor: Actor, place: Place) -> tuple[Board | None, str | None]:
    """Lock where a file goes, for a change. Returns the board and the card; neither for a workspace."""
    if place.workspace_id is not None:
        await lock_workspace(tx, actor, place.workspace_id)
        return None, None
    if place.card_id is not None:
        board, card = await lock_card(tx, actor, place.card_id, for_run=True)
        return board, card.id
    board, message = await lock_message(tx, actor, str(place.message_id))
    if (message.author_kind, message.author_id) != (actor.kind, actor.id):
        raise Forbidden("Only the author of a message may attach files to it")
    if message.deleted_at is not None:
        raise Conflict("The message is deleted", message.id)
    return board, message.card_id


async def _lock_quota(tx: Transaction, actor: Actor, place: Place) -> str:
    """Lock the workspace of a place against other uploads, before its boards. Raises NotFound."""
    if place.workspace_id is not None:
        return (await lock_workspace(tx, actor, place.workspace_id)).id
    query = select(Board.workspace_id).join(Card, Card.board_id == Board.id)
    if place.message_id is not None:
        query = query.join(Message, Message.card_id == Card.id).where(Message.id == place.message_id)
    else:
        query = query.where(Card.id == place.card_id)
    workspace_id = await tx.scalar(query.where(sees_card(actor, Board.id, Card.id)))
    if workspace_id is None:
        raise NotFound(str(place.card_id or place.message_id))
    await tx.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))
    return str(workspace_id)


async def _check_card(tx: Transaction, settings: Settings, card_id: str) -> None:
    count = select(func.count()).select_from(File).where(File.card_id == card_id)
    if (await tx.scalar(count) or 0) >= settings.card_files:
        raise Conflict(f"A card has at most {settings.card_files} files", card_id)


async def _check_workspace(tx: Transaction, settings: Settings, workspace_id: str, size: int) -> None:
    """Raise Conflict if the workspace has no room for `size` bytes, those of other uploads included."""
    sums = select(func.count(), func.coalesce(func.sum(StoredObject.size), 0))
    count, total = (await tx.execute(sums.where(StoredObject.workspace_id == workspace_id))).one()
    if count >= settings.workspace_files:
        raise Conflict(f"A workspace has at most {settings.workspace_files:,} files", workspace_id)
    if total + size > settings.workspace_file_bytes:
        text = f"The files of a workspace have at most {settings.workspace_file_bytes:,} bytes"
        raise Conflict(text, workspace_id)


# Freeing


def _is_unattached(now: Any) -> ColumnElement[bool]:
    return and_(File.card_id.is_(None), File.created_at < now - timedelta(seconds=UNATTACHED_SECONDS))


def _is_unreferenced(now: Any) -> ColumnElement[bool]:
    """No file refers to the object, and no upload is about to: it is stored, or began more than a day ago."""
    is_left = StoredObject.created_at < now - timedelta(seconds=UNATTACHED_SECONDS)
    has_file = select(File.id).where(File.object_key == StoredObject.key).exists()
    is_binned = select(BinObject.object_key).where(BinObject.object_key == StoredObject.key).exists()
    return and_(~has_file, ~is_binned, or_(StoredObject.stored_at.is_not(None), is_left))


async def free_unreferenced(services: Services, payload: dict[str, Any]) -> None:
    """Delete uploads that were never attached, and the bytes of objects that no file refers to."""
    log_of, by = services.event_log, Author(ActorKind.SYSTEM)
    while True:
        async with log_of.transaction(by) as tx:
            now = utcnow()
            some = select(File.id).where(_is_unattached(now)).limit(FREE_BATCH_SIZE)
            await tx.execute(delete(File).where(File.id.in_(some), File.card_id.is_(None)))
        query = select(StoredObject.key).where(_is_unreferenced(now)).limit(FREE_BATCH_SIZE)
        keys = [row.key for row in await services.database.read(query)]
        try:
            for key in keys:
                await services.files.delete(key)
        except StoreUnavailable as error:
            raise JobFailed(str(error), retry_in=STORE_RETRY_SECONDS) from error
        async with log_of.transaction(by) as tx:
            await tx.execute(delete(StoredObject).where(StoredObject.key.in_(keys)))
        if len(keys) < FREE_BATCH_SIZE:
            return


HANDLERS[FREE_FILES] = free_unreferenced


async def abandon_object(
    services: Services, begin: Callable[[], AbstractAsyncContextManager[Transaction]], key: str
) -> None:
    """Give up an upload: forget its object and delete what was stored of it. The hourly job finds what is left."""
    try:
        await services.files.delete(key)
        async with begin() as tx:
            unused = StoredObject.key == key, StoredObject.stored_at.is_(None)
            await tx.execute(delete(StoredObject).where(*unused))
    except (StoreUnavailable, Unavailable) as error:
        log.warning("an upload was not cleaned up yet: %s", error)


async def free_periodically(event_log: EventLog) -> None:
    """Enqueue the job when there is something to free, hourly, for ever."""
    wait = FIRST_FREE_SECONDS
    while True:
        await asyncio.sleep(wait * random.uniform(0.7, 1.3))  # noqa: S311 - so that processes alternate
        wait = FREE_INTERVAL_SECONDS
        try:
            async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
                now = utcnow()
                old = await tx.scalar(select(File.id).where(_is_unattached(now)).limit(1))
                left = await tx.scalar(select(StoredObject.key).where(_is_unreferenced(now)).limit(1))
                if old is not None or left is not None:
                    await enqueue_job(tx, FREE_FILES, {}, key=FREE_FILES, max_attempts=MAX_FREE_ATTEMPTS)
        except Unavailable as error:
            log.warning("files are not freed: %s", error)
        except Exception:
            log.exception("files are not freed")
