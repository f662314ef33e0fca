"""Documents: the types, queries and mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.document
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.document import MAX_TAGS, DocumentKind, DocumentRole
from resolvers import document as documents
from resolvers.board import BOARD
from resolvers.card import CARD
from resolvers.document import DOCUMENT, LINKS_OF_DOCUMENT
from resolvers.group import GROUP
from resolvers.run import RUN
from schema.actor import Actor, actor_named
from schema.fields import mutation, node_type, query_field, relation_field
from schema.page import Connection
from schema.refusal import Conflict, Stale

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
GroupLater: Any = Annotated["Group", strawberry.lazy("schema.group")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


def _author(root: Any) -> Actor | None:
    return actor_named(root.created_by)


def _changed_by(root: Any) -> Actor | None:
    return actor_named(root.changed_by)


def _tags(root: Any) -> list[str]:
    return list(root.tags)


@object_type
class Integration:
    """A document in another system."""

    system: Annotated[str, "The system."]
    key: Annotated[str, "The key of the document there."]


def _integration(root: Any) -> Integration | None:
    key = root.integration_key
    return Integration(system=root.integration_system, key=key) if key else None


@node_type("document")
class Document(Node):
    """A document for people and agents: text, an address, or a reference into another system."""

    workspace_id: Annotated[ID, "The workspace."]
    board_id: Annotated[ID | None, "The board that it belongs to; null: the workspace."]
    kind: Annotated[DocumentKind, "Its kind."]
    name: Annotated[str, "A short name, at most 100 characters."]
    title: Annotated[str, "1 to 255 characters."]
    content: str | None = query_field(documents.content_of_document)
    uri: Annotated[str | None, "Its address; null if it has none."]
    integration: Integration | None = strawberry.field(
        resolver=_integration, description="A reference into another system; null if there is none."
    )
    locator: Annotated[str | None, "The place in it; null: all of it."]
    repository: Annotated[str | None, "The repository that it is from; null if it is from none."]
    mime: Annotated[str, "Its media type."]
    checksum: Annotated[str | None, "SHA-256 of its content in hex; null if unknown."]
    tags: list[str] = strawberry.field(
        resolver=_tags,
        description="Its tags, at most 20.",
        directives=[list_size(3, maximum=MAX_TAGS, slicing=())],
    )
    revision: Annotated[int, "The number of its present revision, from 1."]
    version: Annotated[int, "Increases by one with every change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of its last change."]
    written_by: Actor | None = strawberry.field(
        resolver=_author, description="The author of its present revision; null if unknown."
    )
    board: BoardLater | None = relation_field(
        BOARD, "board_id", text="The board that it belongs to; null: none."
    )
    links: list["DocumentLink"] = relation_field(
        LINKS_OF_DOCUMENT, text="Its links that you may see.", size=3
    )
    revisions: list["DocumentRevision"] = query_field(
        documents.revisions_of_document, directives=[list_size(20, maximum=50)]
    )
    diff: str = query_field(documents.diff_of_document)


@object_type
class DocumentRevision:
    """A document before a change."""

    document_id: Annotated[ID, "The document."]
    revision: Annotated[int, "Its number, from 1."]
    kind: Annotated[DocumentKind, "Its kind then."]
    name: Annotated[str, "Its name then."]
    title: Annotated[str, "Its title then."]
    content: str | None = query_field(documents.content_of_revision)
    uri: Annotated[str | None, "Its address then; null if it had none."]
    checksum: Annotated[str | None, "SHA-256 of its content in hex; null if unknown."]
    tags: list[str] = strawberry.field(
        resolver=_tags,
        description="Its tags then.",
        directives=[list_size(3, maximum=MAX_TAGS, slicing=())],
    )
    created_at: Annotated[datetime, "Time of the change that replaced it."]
    written_by: Actor | None = strawberry.field(
        resolver=_changed_by, description="The author of the revision; null if unknown."
    )


@node_type("doclink")
class DocumentLink(Node):
    """A link of a document to a board, card, group or run, with the role that it has there."""

    document_id: Annotated[ID, "The document."]
    board_id: Annotated[ID, "The board of the target."]
    target_id: Annotated[ID, "The board, card, group or run."]
    role: Annotated[DocumentRole, "Its role there."]
    usage_hint: Annotated[str, "When and how to use it, for agents; may be empty."]
    created_at: Annotated[datetime, "Time of creation."]
    document: Document | None = relation_field(DOCUMENT, "document_id", text="The document.")
    board: BoardLater | None = relation_field(BOARD, "board_id", text="The board of the target.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card; null for a board or a group.")
    group: GroupLater | None = relation_field(GROUP, "group_id", text="The group; null for another target.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run; null for another target.")


@strawberry.type
class DocumentQuery:
    document: Document | None = query_field(documents.document)
    documents: Connection[Document] = query_field(documents.documents, directives=[list_size(50)])


@strawberry.type
class DocumentMutation:
    create_document = mutation(actions.document.create_document, Document, Conflict, requires=Access.BOARD)
    update_document = mutation(actions.document.update_document, Document, Stale, requires=Access.BOARD)
    restore_document_revision = mutation(
        actions.document.restore_document_revision, Document, Stale, requires=Access.BOARD
    )
    delete_document = mutation(actions.document.delete_document, Document, Stale, requires=Access.BOARD)
    link_document = mutation(actions.document.link_document, DocumentLink, Conflict, requires=Access.BOARD)
    unlink_document = mutation(actions.document.unlink_document, DocumentLink, requires=Access.BOARD)
