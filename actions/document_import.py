"""Documents that come with the file of a board: all of them in a fixed number of statements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from actions import validation
from actions.document import IntegrationInput, add_document, validate_document
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.actor import Actor
from models.board import Board
from models.document import (
    MAX_DOCUMENTS,
    MAX_HINT_LENGTH,
    MAX_LINKS,
    Document,
    DocumentKind,
    DocumentLink,
    DocumentRole,
)
from models.events.document import DocumentLinked
from models.refusal import Conflict


@dataclass(frozen=True)
class NewDocumentLink:
    """A link to a new card or a new group, or, with neither, to the board."""

    card_id: str | None
    group_id: str | None
    role: DocumentRole
    usage_hint: str


@dataclass(frozen=True)
class NewDocument:
    """The fields of a new document of a board, and its links."""

    title: str
    kind: DocumentKind
    values: dict[str, Any]
    tags: list[str]
    links: list[NewDocumentLink] = field(default_factory=list)


async def add_board_documents(
    tx: Transaction, actor: Actor, board: Board, news: Sequence[NewDocument]
) -> None:
    """Add documents to a board that the caller holds. Raises Conflict if there are too many, or too many links."""
    if not news:
        return
    of_workspace = select(func.count()).select_from(Document)
    count = await tx.scalar(of_workspace.where(Document.workspace_id == board.workspace_id)) or 0
    if count + len(news) > MAX_DOCUMENTS:
        raise Conflict(f"A workspace has at most {MAX_DOCUMENTS} documents", board.workspace_id)
    on_board = select(func.count()).select_from(DocumentLink).where(DocumentLink.target_id == board.id)
    links_of = Counter({board.id: await tx.scalar(on_board) or 0})
    for new in news:
        values = dict(new.values)
        system, key = values.pop("integration_system", None), values.pop("integration_key", None)
        if system is not None or key is not None:
            values["integration"] = IntegrationInput(system=system or "", key=key or "")
        values = {name: value for name, value in values.items() if value is not None}
        given = {"kind": new.kind, "name": None, "mime": None} | values
        clean = validate_document(given | {"tags": new.tags, "title": new.title})
        document = add_document(tx, board.workspace_id, board.id, actor.id, clean)
        for link in new.links:
            _link(tx, actor, board, document, link, links_of)


def _link(
    tx: Transaction,
    actor: Actor,
    board: Board,
    document: Document,
    new: NewDocumentLink,
    links_of: Counter[str],
) -> None:
    target_id = new.card_id or new.group_id or board.id
    for id in (target_id, document.id):
        links_of[id] += 1
        if links_of[id] > MAX_LINKS:
            raise Conflict(f"A document, and what it is linked to, have at most {MAX_LINKS} links", id)
    link = DocumentLink(
        id=new_id("doclink"),
        document_id=document.id,
        board_id=board.id,
        card_id=new.card_id,
        group_id=new.group_id,
        target_id=target_id,
        role=new.role,
        usage_hint=validation.multiline("usageHint", new.usage_hint, MAX_HINT_LENGTH),
        created_by=actor.id,
    )
    tx.add(link)
    title = document.title
    tx.emit(
        board,
        DocumentLinked(document_id=document.id, target_id=target_id, document_role=new.role, called=title),
    )
