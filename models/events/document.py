"""Events of documents: on the feed of the board that has the document, or of the workspace."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.document import Document, DocumentRole
from models.events.base import BoardEvent, WorkspaceEvent


class DocumentEvent(BoardEvent, WorkspaceEvent):
    """A change to a document."""

    subject_field = "document_id"
    subject_name = (Document, "title")

    document_id: Annotated[Id, "The document."]


class DocumentCreated(DocumentEvent):
    """A document was created."""

    title: Annotated[str, "Its title at that time."]


class DocumentUpdated(DocumentEvent):
    """A document was changed, or an earlier revision of it was restored."""

    fields: Annotated[list[str], "The names of the changed fields."]
    revision: Annotated[int, "Its revision after the change."]


class DocumentDeleted(DocumentEvent):
    """A document was deleted with its revisions and links."""

    title: Annotated[str, "Its title."]


class DocumentLinked(DocumentEvent):
    """A document was linked to a board, card, group or run, or the link was changed."""

    target_id: Annotated[Id, "The board, card, group or run."]
    document_role: Annotated[DocumentRole, "Its role for that."]


class DocumentUnlinked(DocumentEvent):
    """A link of a document was removed."""

    target_id: Annotated[Id, "The board, card, group or run."]
