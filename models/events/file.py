"""Events of files."""

from typing import Annotated, Any

from kit.graphql.arguments import Id
from models.events.card import CardEvent
from models.file import File


class FileEvent(CardEvent):
    """A change to the files of a card or of a message on it."""

    subject_field = "file_id"

    file_id: Annotated[Id, "The file."]
    on_message_id: Annotated[Id | None, "The message that it is on; null: it is on the card."]
    name: Annotated[str, "Its name."]
    media_type: Annotated[str, "Its media type, judged by its content."]
    size: Annotated[float, "Its size in bytes."]


def file_facts(file: File) -> Any:
    """Return the fields that all events of a file share."""
    return {
        "card_id": file.card_id,
        "file_id": file.id,
        "on_message_id": file.message_id,
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size,
    }


class FileAttached(FileEvent):
    """A file was attached to a card or to a message."""


class FileDeleted(FileEvent):
    """A file was deleted."""
