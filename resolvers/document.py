"""Reads of documents. Their contents are read only where they are asked for."""

import asyncio
import difflib
from collections.abc import Sequence
from typing import Annotated, Any

from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

from actions import validation
from auth.permissions import sees_board, sees_card, sees_document
from kit.graphql.types import input_type
from kit.search import MAX_QUERY_LENGTH, TextQuery, is_match, phrases_of
from models.actor import Actor
from models.document import (
    MAX_COMPARED_LINES,
    MAX_TAGS,
    Document,
    DocumentKind,
    DocumentLink,
    DocumentRevision,
    DocumentRole,
)
from models.refusal import Invalid
from models.search import MAX_RANKED, SearchEntry, SearchType, scopes_of
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

_DOCUMENT = select(*(column for column in Document.__table__.c if column.name != "content"))
_REVISION = select(*(column for column in DocumentRevision.__table__.c if column.name != "content"))


def _sees_revision(actor: Actor) -> ColumnElement[bool]:
    return DocumentRevision.document_id.in_(select(Document.id).where(sees_document(actor)))


def _sees_link(actor: Actor) -> ColumnElement[bool]:
    if actor.card_id is not None:
        return (DocumentLink.target_id == actor.board_id) | sees_card(
            actor, DocumentLink.board_id, DocumentLink.card_id
        )
    return sees_board(actor, DocumentLink.board_id)


DOCUMENT = Relation(_DOCUMENT, Document.id, sees_document)
CONTENT_OF_DOCUMENT = Relation(select(Document.content), Document.id, sees_document)
DOCUMENT_LINK = Relation(select(DocumentLink.__table__), DocumentLink.id, _sees_link)
LINKS_OF_DOCUMENT = Relation(
    select(DocumentLink.__table__).order_by(DocumentLink.id), DocumentLink.document_id, _sees_link, many=True
)
LINKS_OF_TARGET = Relation(
    select(DocumentLink.__table__).order_by(DocumentLink.id), DocumentLink.target_id, _sees_link, many=True
)
REVISIONS_OF_DOCUMENT = Relation(
    _REVISION.order_by(DocumentRevision.revision.desc()),
    DocumentRevision.document_id,
    _sees_revision,
    many=True,
)
DOCUMENTS = PaginatedQuery("documents", _DOCUMENT, None, sees_document)
NEWEST = Order("NEWEST", ((Document.id, True),))


@input_type
class DocumentFilter:
    """Conditions on documents, all of which must hold."""

    board_id: Annotated[ID | None, "Of this board, or linked to something on it."] = None
    card_id: Annotated[ID | None, "Linked to this card."] = None
    kinds: Annotated[list[DocumentKind] | None, "Of one of these kinds."] = None
    roles: Annotated[list[DocumentRole] | None, "Linked in one of these roles."] = None
    tags: Annotated[list[str] | None, "With all of these tags, ignoring case; at most 20."] = None
    repository: Annotated[str | None, "From this repository."] = None
    text: Annotated[str | None, "With these words; see `search`."] = None


async def document(info: Info, id: Annotated[ID, "The document."]) -> Document | None:
    """A document, or null if there is none that you may see."""
    row: Document | None = await info.context.load(DOCUMENT, id)
    return row


async def documents(
    info: Info,
    workspace_id: Annotated[ID, "The workspace."],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[DocumentFilter | None, "Only documents that match; default: all."] = None,
) -> Page:
    """Documents of a workspace and its boards, newest first."""
    actor = info.context.actor
    where = [
        Document.workspace_id == workspace_id,
        *_clauses(actor, workspace_id, filter or DocumentFilter()),
    ]
    page = PageArgs(first, after, last, before)
    key = repr((workspace_id, filter))
    return await load_page(info.context, DOCUMENTS, NEWEST, page, None, where, key)


def _clauses(actor: Actor, workspace_id: str, filter: DocumentFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    links = select(DocumentLink.document_id)
    if filter.board_id is not None:
        on_board = links.where(DocumentLink.board_id == filter.board_id)
        where.append((Document.board_id == filter.board_id) | Document.id.in_(on_board))
    if filter.card_id is not None:
        where.append(Document.id.in_(links.where(DocumentLink.target_id == filter.card_id)))
    if filter.roles is not None:
        where.append(Document.id.in_(links.where(DocumentLink.role.in_(filter.roles), _sees_link(actor))))
    if filter.kinds is not None:
        where.append(Document.kind.in_(filter.kinds))
    if filter.repository is not None:
        where.append(Document.repository == filter.repository)
    for tag in validation.at_most("filter.tags", filter.tags or [], MAX_TAGS, least=0):
        where.append(Document.folded_tags.contains(f"\n{validation.folded(tag)}\n", autoescape=True))
    if filter.text is not None:
        text = validation.single_line("filter.text", filter.text, MAX_QUERY_LENGTH)
        if actor.card_id is not None:
            raise Invalid(("filter.text", "is not searched for an agent; use `search`"))
        phrases = phrases_of(text)
        scopes = scopes_of(actor, workspace_id, [SearchType.DOCUMENT], None)
        query = TextQuery(phrases, scopes) if phrases else None
        where.append(Document.id.in_(select(SearchEntry.id).where(is_match(query, MAX_RANKED))))
    return where


async def content_of_document(root: Parent[Document], info: Info) -> str | None:
    """Its text; null if it has none."""
    row = await info.context.load(CONTENT_OF_DOCUMENT, root.id)
    return row.content if row is not None else None


async def revisions_of_document(
    root: Parent[Document],
    info: Info,
    first: Annotated[int, "Number of the newest revisions, 1 to 50."] = 20,
) -> Sequence[object]:
    """Its earlier revisions, newest first."""
    if not 1 <= first <= 50:
        raise Invalid(("first", "must be 1 to 50"))
    rows: Sequence[object] = await info.context.load(REVISIONS_OF_DOCUMENT, root.id)
    return rows[:first]


async def content_of_revision(root: Parent[DocumentRevision], info: Info) -> str | None:
    """Its text; null if it had none."""
    return (await _contents(info, root.document_id)).get(root.revision)


async def _contents(info: Info, document_id: str) -> dict[int, Any]:
    """Load the contents of all revisions of a document."""

    async def load(ids: list[str]) -> list[dict[int, Any]]:
        found: dict[str, dict[int, Any]] = {id: {} for id in ids}
        kept = DocumentRevision.document_id, DocumentRevision.revision, DocumentRevision.content
        seen = _sees_revision(info.context.actor)
        for row in await info.context.read(select(*kept).where(kept[0].in_(ids), seen)):
            found[row.document_id][row.revision] = row.content
        return [found[id] for id in ids]

    contents: dict[int, Any] = await info.context.loaders.through("contents", load).load(document_id)
    return contents


async def diff_of_document(
    root: Parent[Document],
    info: Info,
    since: Annotated[int | None, "The number of an earlier revision; default: the one before `to`."] = None,
    to: Annotated[int | None, "The number of a revision; default: the present one."] = None,
) -> str:
    """The change of its content between two revisions, as a unified diff; empty if it is the same.

    Each has at most 5,000 lines. The first revision has none before it, and is compared with nothing.
    """
    texts = {0: None, **await _contents(info, root.id)}
    texts[root.revision] = await content_of_document(root, info)
    to = root.revision if to is None else to
    since = to - 1 if since is None else since
    for name, number in (("since", since), ("to", to)):
        if number not in texts:
            raise Invalid((name, "is not a revision that is kept"))
    before, after = ((texts[number] or "").splitlines() for number in (since, to))
    if max(len(before), len(after)) > MAX_COMPARED_LINES:
        raise Invalid(("since", f"has content of more than {MAX_COMPARED_LINES:,} lines"))
    names = f"revision {since}", f"revision {to}"
    diff = await asyncio.to_thread(lambda: list(difflib.unified_diff(before, after, *names, lineterm="")))
    return "\n".join(diff)
