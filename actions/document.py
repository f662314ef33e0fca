"""Changes to documents, their revisions and their links."""

import hashlib
import re
from typing import Annotated, Any, TypedDict, Unpack

from sqlalchemy import delete, func, select

from actions import validation
from actions.changes import apply_changes
from auth.locking import (
    lock_board,
    lock_card,
    lock_document,
    lock_document_for_reference,
    lock_document_link,
    lock_group,
    lock_run,
    lock_workspace,
)
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.graphql.types import input_type, one_of_input
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.document import (
    MAX_CONTENT_BYTES,
    MAX_DOCUMENTS,
    MAX_HINT_LENGTH,
    MAX_LINKS,
    MAX_REVISIONS,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    MAX_URI_LENGTH,
    WRITTEN,
    Document,
    DocumentKind,
    DocumentLink,
    DocumentRevision,
    DocumentRole,
)
from models.events.document import (
    DocumentCreated,
    DocumentDeleted,
    DocumentLinked,
    DocumentUnlinked,
    DocumentUpdated,
)
from models.refusal import Conflict, Invalid, NotFound

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
MIME = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;\s*[\w-]+=[\w.+-]+)*")
SHA256 = re.compile(r"[0-9a-f]{64}")
SOMETHING = "content", "must be given, or a uri, or an integration"


@one_of_input
class DocumentHomeInput:
    """The owner of a document."""

    workspace_id: Annotated[Id | None, "A workspace: every board may use the document."] = None
    board_id: Annotated[Id | None, "A board: the document is deleted and exported with it."] = None


@one_of_input
class DocumentTargetInput:
    """A thing that a document is linked to."""

    board_id: Annotated[Id | None, "A board: every agent that works on it is told of the document."] = None
    card_id: Annotated[Id | None, "A card: every agent that works on it is told of the document."] = None
    group_id: Annotated[Id | None, "A group: agents that work on its cards are told of the document."] = None
    run_id: Annotated[Id | None, "A run."] = None


@input_type
class IntegrationInput:
    """A document in another system."""

    system: Annotated[str, "The system, 1 to 100 characters."]
    key: Annotated[str, "The key of the document there, 1 to 500 characters."]


class DocumentFields(TypedDict, total=False):
    """The fields of a document that a client may change."""

    kind: Annotated[Maybe[DocumentKind], "The kind; default: DOC."]
    name: Annotated[
        Maybe[str | None], "A short name, at most 100 characters; default: the title's beginning."
    ]
    content: Annotated[Maybe[str | None], "The text, at most 900,000 bytes in UTF-8."]
    uri: Annotated[Maybe[str | None], "The address of the document, at most 2,000 characters."]
    integration: Annotated[Maybe[IntegrationInput | None], "A reference into another system."]
    locator: Annotated[
        Maybe[str | None], "The place in it: a path, a section, a page; at most 500 characters."
    ]
    repository: Annotated[Maybe[str | None], "The repository that it is from, at most 500 characters."]
    mime: Annotated[Maybe[str | None], "The media type; default: text/markdown."]
    checksum: Annotated[
        Maybe[str | None], "SHA-256 in hex of what `uri` refers to. With content, the server computes it."
    ]
    tags: Annotated[Maybe[list[str] | None], "At most 20 tags of 1 to 50 characters."]


async def create_document(
    tx: Transaction,
    actor: Actor,
    *,
    home: Annotated[DocumentHomeInput, "The owner."],
    title: Annotated[str, "1 to 255 characters."],
    **fields: Unpack[DocumentFields],
) -> Document:
    """Create a document. It has content, a URI or an integration reference, or several of them.

    Raises Conflict if the workspace has 5,000 documents.
    """
    given = provided_fields(**fields)
    workspace_id, board_id = await lock_home(tx, actor, home)
    of_workspace = select(func.count()).select_from(Document).where(Document.workspace_id == workspace_id)
    if (await tx.scalar(of_workspace) or 0) >= MAX_DOCUMENTS:
        raise Conflict(f"A workspace has at most {MAX_DOCUMENTS} documents", workspace_id)
    defaults = {"kind": DocumentKind.DOC, "name": None, "mime": None, "tags": None}
    clean = validate_document(defaults | given | {"title": title})
    document = add_document(tx, workspace_id, board_id, actor.run_id or actor.id, clean)
    await tx.flush()  # the caller reads it
    return document


def add_document(
    tx: Transaction, workspace_id: str, board_id: str | None, author_id: str | None, values: dict[str, Any]
) -> Document:
    """Add a document of validated values, all of them. Takes no statement: the next flush writes it."""
    _require_something(values)
    document = Document(
        id=new_id("document"),
        workspace_id=workspace_id,
        board_id=board_id,
        revision=1,
        version=1,
        created_by=author_id,
        **dict.fromkeys(WRITTEN) | values,
    )
    tx.add(document)
    tx.emit(document, DocumentCreated(document_id=document.id, title=document.title))
    return document


async def lock_home(tx: Transaction, actor: Actor, home: DocumentHomeInput) -> tuple[str, str | None]:
    """Lock the owner of a document. Returns the ids of its workspace and, if it is one, of its board."""
    if home.board_id is not None:
        board = await lock_board(tx, actor, home.board_id)
        return board.workspace_id, board.id
    return (await lock_workspace(tx, actor, home.workspace_id or "")).id, None


async def update_document(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The document."],
    title: Annotated[Maybe[str], "1 to 255 characters."] = None,
    if_version: IfVersion = None,
    **fields: Unpack[DocumentFields],
) -> Document:
    """Change a document. Omitted fields stay; null clears a field or restores its default.

    The document before the change becomes a revision, of which the newest 50 are kept. Raises Stale.
    """
    document = await lock_document(tx, actor, id)
    document.expect(if_version)
    await revise(tx, actor, document, validate_document(provided_fields(title=title, **fields)))
    return document


async def restore_document_revision(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The document."],
    revision: Annotated[int, "The number of the revision."],
    if_version: IfVersion = None,
) -> Document:
    """Give a document the fields of an earlier revision. The present ones become a revision too.

    Raises NotFound if the revision is not kept, or Stale.
    """
    document = await lock_document(tx, actor, id)
    document.expect(if_version)
    if revision == document.revision:
        return document
    earlier = await tx.get(DocumentRevision, (document.id, revision)) if 0 < revision < 2**31 else None
    if earlier is None:
        raise NotFound(id)
    values = {name: getattr(earlier, name) for name in WRITTEN}
    await revise(tx, actor, document, values | {"folded_tags": _folded_tags(values["tags"])})
    return document


async def revise(tx: Transaction, actor: Actor, document: Document, values: dict[str, Any]) -> None:
    """Change a document that the caller holds to validated values, and keep what it was."""
    before = {name: getattr(document, name) for name in WRITTEN}
    _require_something(before | values)
    changed = {name for name, value in values.items() if getattr(document, name) != value} & set(WRITTEN)
    if not changed:
        return
    tx.add(
        DocumentRevision(
            document_id=document.id, revision=document.revision, changed_by=document.created_by, **before
        )
    )
    apply_changes(document, values)
    document.revision, document.created_by = document.revision + 1, actor.run_id or actor.id
    too_old = DocumentRevision.revision < document.revision - MAX_REVISIONS
    await tx.execute(delete(DocumentRevision).where(DocumentRevision.document_id == document.id, too_old))
    updated = DocumentUpdated(
        document_id=document.id, fields=sorted(changed), revision=document.revision, called=document.title
    )
    tx.emit(document, updated)


async def delete_document(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The document."], if_version: IfVersion = None
) -> Document:
    """Delete a document with its revisions and links. Returns it as it was. Raises Stale."""
    document = await lock_document(tx, actor, id)
    document.expect(if_version)
    tx.emit(document, DocumentDeleted(document_id=document.id, title=document.title))
    await tx.delete(document)
    await tx.flush()
    return document


async def link_document(
    tx: Transaction,
    actor: Actor,
    *,
    document_id: Annotated[Id, "The document. It belongs to the target's board or to its workspace."],
    target: Annotated[DocumentTargetInput, "The board, card, group or run."],
    role: Annotated[DocumentRole, "Its role for that."] = DocumentRole.REFERENCE,
    usage_hint: Annotated[str, "When and how to use it, for agents; at most 1,000 characters."] = "",
) -> DocumentLink:
    """Link a document to a board, card, group or run. Linking it again changes the role and the hint.

    Raises NotFound for a document of another board, or Conflict if the target or the document has 100 links.
    """
    board, card_id, group_id, run_id = await _lock_target(tx, actor, target)
    document = await lock_document_for_reference(tx, actor, document_id)
    if document.workspace_id != board.workspace_id or document.board_id not in (None, board.id):
        raise NotFound(document_id)
    hint = validation.multiline("usageHint", usage_hint, MAX_HINT_LENGTH)
    target_id = run_id or card_id or group_id or board.id
    same = DocumentLink.document_id == document.id, DocumentLink.target_id == target_id
    link = await tx.scalar(select(DocumentLink).where(*same))
    if link is not None and (link.role, link.usage_hint) == (role, hint):
        return link
    if link is None:
        for column, id in ((DocumentLink.target_id, target_id), (DocumentLink.document_id, document.id)):
            if (await tx.scalar(select(func.count()).where(column == id)) or 0) >= MAX_LINKS:
                raise Conflict(f"A document, and what it is linked to, have at most {MAX_LINKS} links", id)
        link = DocumentLink(
            id=new_id("doclink"),
            document_id=document.id,
            board_id=board.id,
            card_id=card_id,
            group_id=group_id,
            run_id=run_id,
            target_id=target_id,
            created_by=actor.run_id or actor.id,
        )
        tx.add(link)
    link.role, link.usage_hint = role, hint
    await tx.flush()
    tx.emit(
        board,
        DocumentLinked(
            document_id=document.id, target_id=target_id, document_role=role, called=document.title
        ),
    )
    return link


async def _lock_target(
    tx: Transaction, actor: Actor, target: DocumentTargetInput
) -> tuple[Board, str | None, str | None, str | None]:
    """Lock a target. Returns its board and the ids of its card, group and run."""
    if target.card_id is not None:
        board, card = await lock_card(tx, actor, target.card_id)
        return board, card.id, None, None
    if target.group_id is not None:
        board, group = await lock_group(tx, actor, target.group_id)
        return board, None, group.id, None
    if target.run_id is not None:
        board, run = await lock_run(tx, actor, target.run_id)
        return board, run.card_id, None, run.id
    return await lock_board(tx, actor, target.board_id or ""), None, None, None


async def unlink_document(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The link."]) -> DocumentLink:
    """Remove a link of a document. Returns it as it was."""
    board, link = await lock_document_link(tx, actor, id)
    tx.emit(board, DocumentUnlinked(document_id=link.document_id, target_id=link.target_id))
    await tx.delete(link)
    await tx.flush()
    return link


def validate_document(values: dict[str, Any]) -> dict[str, Any]:
    """Return fields of a document as they are stored, with those that follow from them. Raises Invalid."""
    clean = dict(values)
    if "title" in values:
        clean["title"] = validation.single_line("title", values["title"], 255)
    if "kind" in values:
        clean["kind"] = validation.required("kind", values["kind"])
    if "name" in values:
        clean["name"] = _optional_line("name", values["name"], 100) or clean.get("title", "")[:100].strip()
        if not clean["name"]:
            raise Invalid(("name", "cannot be cleared without a new title"))
    if "content" in values:
        clean["content"] = _content(values["content"])
        digest = (
            hashlib.sha256(clean["content"].encode()).hexdigest() if clean["content"] is not None else None
        )
        clean["checksum"] = digest or values.get("checksum")
    if clean.get("checksum") is not None and not SHA256.fullmatch(clean["checksum"]):
        raise Invalid(("checksum", "must be 64 hexadecimal digits"))
    if "uri" in values:
        clean["uri"] = _uri(values["uri"])
    if "integration" in values:
        given = clean.pop("integration")
        clean["integration_system"] = given and validation.single_line(
            "integration.system", given.system, 100
        )
        clean["integration_key"] = given and validation.single_line("integration.key", given.key, 500)
    for name in ("locator", "repository"):
        if name in values:
            clean[name] = _optional_line(name, values[name], 500)
    if "mime" in values:
        clean["mime"] = values["mime"] or "text/markdown"
        if len(clean["mime"]) > 100 or not MIME.fullmatch(clean["mime"]):
            raise Invalid(("mime", "must be a media type, such as text/markdown"))
    if "tags" in values:
        tags = validation.at_most("tags", values["tags"] or [], MAX_TAGS, least=0)
        tags = [validation.single_line(f"tags.{n}", tag, MAX_TAG_LENGTH) for n, tag in enumerate(tags)]
        validation.distinct("tags", [validation.folded(tag) for tag in tags])
        clean["tags"], clean["folded_tags"] = tags, _folded_tags(tags)
    return clean


def _require_something(values: dict[str, Any]) -> None:
    if all(values.get(name) is None for name in ("content", "uri", "integration_key")):
        raise Invalid(SOMETHING)


def _folded_tags(tags: list[str]) -> str:
    return "".join(f"\n{validation.folded(tag)}\n" for tag in tags)


def _optional_line(path: str, text: str | None, most: int) -> str | None:
    return validation.single_line(path, text, most) if text and text.strip() else None


def _content(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    if len(text) > MAX_CONTENT_BYTES or len(text.encode(errors="replace")) > MAX_CONTENT_BYTES:
        raise Invalid(("content", f"must have at most {MAX_CONTENT_BYTES:,} bytes in UTF-8"))
    return validation.multiline("content", text, MAX_CONTENT_BYTES)


def _uri(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    uri = validation.single_line("uri", text, MAX_URI_LENGTH)
    if not URI.fullmatch(uri) or uri.lower().startswith(("javascript:", "data:", "vbscript:")):
        raise Invalid(("uri", "must be an address with a scheme, such as https://example.org/page"))
    if re.match(r"[^/]+://[^/@]*:[^/@]*@", uri):
        raise Invalid(("uri", "must not contain a password"))
    return uri
