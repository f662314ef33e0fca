"""Reads of files, and uploads by GraphQL."""

import base64
import binascii
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import ColumnElement, and_, func, or_, select
from strawberry import ID
from strawberry.file_uploads import Upload

from actions.file import FilePlaceInput, Place
from actions.file_upload import Incomplete, TooLarge, store_file
from auth.permissions import sees_card, sees_workspace
from kit.file_store import StoreUnavailable
from kit.graphql.errors import PublicError
from models.actor import Actor
from models.card import Card
from models.file import File, FileEncoding
from models.refusal import Invalid
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.workspace import CountRow


def sees_file(actor: Actor) -> ColumnElement[bool]:
    """The actor may see a file: of a card that it may see, or one that it uploaded and attached to nothing yet."""
    own = and_(File.card_id.is_(None), File.author_id == actor.id, sees_workspace(actor, File.workspace_id))
    return or_(sees_card(actor, File.board_id, File.card_id), own)


FILE = Relation[File | None](select(File.__table__), File.id, sees_file)
FILES_OF_CARD = Relation(
    select(File.__table__).order_by(File.id),
    File.card_id,
    lambda actor: sees_card(actor, File.board_id, File.card_id),
    many=True,
    viewer_independent=True,
)
FILES_OF_MESSAGE = Relation(
    select(File.__table__).order_by(File.id),
    File.message_id,
    lambda actor: sees_card(actor, File.board_id, File.card_id),
    many=True,
    viewer_independent=True,
)
FILE_COUNT = Relation(
    select(func.count().label("count")),
    File.card_id,
    lambda actor: sees_card(actor, File.board_id, File.card_id),
    group=True,
    viewer_independent=True,
)


@batched(FILE_COUNT, "id")
def file_count(root: Card, row: CountRow | None) -> int:
    """The number of files on it and on its messages."""
    return row.count if row else 0


MAX_INLINE_BYTES = 512 * 1024  # of a file that is written or read as text of an operation
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class FileContent:
    """A part of a file's bytes."""

    offset: int
    size: int
    encoding: FileEncoding
    content: str
    next_offset: int | None


async def file_content(
    info: Info,
    id: Annotated[ID, "The file."],
    offset: Annotated[int, "The first byte, from 0."] = 0,
    length: Annotated[int, "Bytes, 1 to 524,288."] = 65_536,
) -> FileContent | None:
    """A part of a file, for programs that speak GraphQL only; `url` has all of it. Null if you may not see it."""
    if not 1 <= length <= MAX_INLINE_BYTES:
        raise Invalid(("length", f"must be 1 to {MAX_INLINE_BYTES}"))
    if offset < 0:
        raise Invalid(("offset", "must be 0 or more"))
    file = await info.context.load(FILE, id)
    if file is None:
        return None
    start = min(offset, file.size)
    end = min(start + length, file.size)
    try:
        body = await info.context.services.files.read(file.object_key, start, end)
        data = b"".join([chunk async for chunk in body])
    except (StoreUnavailable, FileNotFoundError) as error:
        raise _unavailable(error) from error
    try:
        encoding, content = FileEncoding.TEXT, data.decode()
        if "\0" in content:
            raise ValueError
    except ValueError:
        encoding, content = FileEncoding.BASE64, base64.b64encode(data).decode()
    return FileContent(start, file.size, encoding, content, end if end < file.size else None)


async def upload_file(
    info: Info,
    place: Annotated[FilePlaceInput, "The place of the file."],
    file: Annotated[Upload, "The file, as a part of a multipart request."],
    name: Annotated[str | None, "Its name; default: that of the part."] = None,
) -> File:
    """Upload a file by a multipart request (graphql-multipart-request-spec), which needs a preflight header.

    Raises Conflict if the card or the workspace has too many files or bytes, Invalid for a file that is too large.
    """
    given = getattr(file, "filename", None)
    return await _store(info, place, name or given or "file", _parts(file), getattr(file, "size", None))


async def create_file(
    info: Info,
    place: Annotated[FilePlaceInput, "The place of the file."],
    name: Annotated[str, "Its name."],
    content: Annotated[str, "Its content, at most 524,288 bytes."],
    encoding: Annotated[FileEncoding, "The form of the content."] = FileEncoding.TEXT,
) -> File:
    """Write a small file. Larger ones are uploaded: `POST /files`, or `uploadFile`.

    Raises Conflict if the card or the workspace has too many files or bytes.
    """
    try:
        data = (
            base64.b64decode(content, validate=True) if encoding is FileEncoding.BASE64 else content.encode()
        )
    except (binascii.Error, ValueError):
        raise Invalid(("content", f"is no {encoding}")) from None
    if len(data) > MAX_INLINE_BYTES:
        raise Invalid(("content", f"must have at most {MAX_INLINE_BYTES} bytes; upload it"))
    return await _store(info, place, name, _whole(data), len(data))


async def _store(
    info: Info, place: FilePlaceInput, name: str, body: AsyncIterator[bytes], size: int | None
) -> File:
    context = info.context
    at = Place(place.card_id, place.message_id, place.workspace_id)
    try:
        return await store_file(context.services, context.transaction, context.actor, at, name, body, size)
    except (TooLarge, Incomplete) as error:
        text = f"must have at most {context.services.settings.file_bytes} bytes"
        raise Invalid(("file", str(error) or text)) from error
    except StoreUnavailable as error:
        raise _unavailable(error) from error


async def _parts(file: object) -> AsyncIterator[bytes]:
    if not hasattr(file, "read"):
        raise Invalid(("file", "must be a part of a multipart request"))
    while chunk := await file.read(CHUNK_BYTES):
        yield chunk


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _unavailable(error: Exception) -> PublicError:
    text = str(error) if isinstance(error, StoreUnavailable) else "The store has lost the bytes of this file"
    return PublicError(text, code="UNAVAILABLE")
