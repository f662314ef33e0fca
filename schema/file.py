"""Files of cards and messages: the type, its query and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.file
from auth.permissions import Access
from kit.graphql.types import Node
from models.file import File as FileRow
from models.file import FileEncoding
from resolvers import file as files
from resolvers.card import CARD
from schema.actor import Actor, actor_of
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import Conflict, Stale

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


def _author(root: FileRow) -> Actor:
    return actor_of(root.author_kind, root.author_id)


def _url(root: FileRow) -> str:
    return f"/files/{root.id}"


def _size(root: Any) -> float:
    return float(root.size)


@node_type("file")
class File(Node):
    """A file that was uploaded: on a card, on a message, or, for a day, on nothing yet."""

    workspace_id: Annotated[ID, "The workspace."]
    card_id: Annotated[ID | None, "The card that it is on, also by a message; null: it is not attached yet."]
    message_id: Annotated[ID | None, "The message that it is on; null: none."]
    name: Annotated[str, "1 to 200 characters, without folders. Several files may have one name."]
    media_type: Annotated[str, "Its media type, judged by its content."]
    size: float = strawberry.field(resolver=_size, description="Bytes.")
    sha256: Annotated[str, "SHA-256 of its content, in hexadecimal digits."]
    width: Annotated[int | None, "Pixels of an image; null for other files."]
    height: Annotated[int | None, "Pixels of an image; null for other files."]
    url: str = strawberry.field(
        resolver=_url,
        description="Where its content is, on this server. A request there is authorized as here.",
    )
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of the upload."]
    author: Actor = strawberry.field(resolver=_author, description="The uploader.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")


@result_type(files.FileContent)
class FileContent:
    """A part of a file's bytes."""

    offset: Annotated[int, "The first byte."]
    size: float = strawberry.field(resolver=_size, description="Bytes of the whole file.")
    encoding: Annotated[FileEncoding, "TEXT if the part is text in UTF-8."]
    content: Annotated[str, "The part."]
    next_offset: Annotated[int | None, "The offset of the next part; null after the last."]


@strawberry.type
class FileQuery:
    file_content: FileContent | None = query_field(files.file_content)


@strawberry.type
class FileMutation:
    upload_file = mutation(files.upload_file, File, Conflict, requires=Access.BOARD)
    create_file = mutation(files.create_file, File, Conflict, requires=Access.BOARD)
    attach_file = mutation(actions.file.attach_file, File, Conflict, requires=Access.BOARD)
    delete_file = mutation(actions.file.delete_file, File, Stale, requires=Access.BOARD)
