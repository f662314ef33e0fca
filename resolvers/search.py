"""Search over everything in a workspace that the actor may see.

The newest matches are ranked: a card that is named, then matches in a title, then the newest. The rank depends on
the entry alone, so a cursor stays valid while other entries change.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any

from sqlalchemy import ColumnElement, case, func, literal, select
from strawberry import ID, Parent

from actions import validation
from auth.permissions import sees_card, sees_entry
from kit.search import (
    MAX_QUERY_LENGTH,
    TextPart,
    TextQuery,
    highlight,
    is_match,
    phrases_of,
)
from models.actor import Actor
from models.board import Board
from models.card import Card
from models.search import MAX_RANKED, SEARCHED, SearchEntry, SearchType, scopes_of
from resolvers.card import CARD
from resolvers.context import Info
from resolvers.document import CONTENT_OF_DOCUMENT, DOCUMENT
from resolvers.loaders import Query, Relation
from resolvers.message import MESSAGE
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page
from resolvers.run import RUN

FOUND: dict[SearchType, Relation] = {
    SearchType.CARD: CARD,
    SearchType.COMMENT: MESSAGE,
    SearchType.RUN: RUN,
    SearchType.DOCUMENT: DOCUMENT,
}
MAX_BOARDS = 100  # of one search
EXCERPT_LENGTH = 240  # characters
CARD_NAME = re.compile(r"(?:([A-Za-z][A-Za-z0-9]{0,9})-|#)?(\d{1,9})")
NAMED, WHOLE, PHRASE, WORD, BEGINNING = 1_000_000, 1_000, 100, 10, 4  # points of a match

# An entry is read by its number. Columns with an index are hidden in an expression: a database would rather look
# through all entries of a workspace.
_HIDDEN = SimpleNamespace(
    **{
        name: func.coalesce(getattr(SearchEntry, name), "")
        for name in ("workspace_id", "board_id", "card_id")
    }
)
_ENTRY: list[Any] = [SearchEntry.id, SearchEntry.type, SearchEntry.board_id, SearchEntry.card_id]


@dataclass(frozen=True)
class Hit:
    """A row that was found, with the words that were searched for."""

    row: Any
    phrases: Sequence[Sequence[str]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


async def search(
    info: Info,
    workspace_id: Annotated[ID, "The workspace."],
    text: Annotated[
        str,
        "The words, 1 to 500 characters: all must be there. Case and accents do not matter, and a word of three"
        " letters or more also finds longer words. `WEB-42`, `#42` and `42` also find the card.",
    ],
    types: Annotated[list[SearchType] | None, "Only these kinds of things; default: all."] = None,
    board_ids: Annotated[list[ID] | None, "Only on these boards, 1 to 100; default: everywhere."] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """Search a workspace. The 1,000 newest matches are ranked: named cards, matches in titles, then the newest.

    A text without a letter or a digit finds nothing.
    """
    context, actor = info.context, info.context.actor
    text = validation.single_line("text", text, MAX_QUERY_LENGTH)
    if types is not None:
        validation.at_most("types", types, len(SearchType))
    if board_ids is not None:
        validation.at_most("boardIds", board_ids, MAX_BOARDS)
    phrases = phrases_of(text)
    query = TextQuery(phrases, scopes_of(actor, workspace_id, types, board_ids)) if phrases else None
    find = _named_card(actor, workspace_id, text) if types is None or SearchType.CARD in types else None
    named = [row.id for row in await context.read(find)] if find is not None else []
    score = score_of(phrases, named).label("score")
    found = is_match(query, MAX_RANKED, named)
    paginated = PaginatedQuery("search", select(*_ENTRY), None, lambda actor: sees_entry(actor, _HIDDEN))
    where: list[ColumnElement[bool]] = [_HIDDEN.workspace_id == workspace_id, found]
    if types is not None:
        where.append(SearchEntry.type.in_(types))
    if board_ids is not None:
        where.append(_HIDDEN.board_id.in_(board_ids))
    order = Order("RANK", ((score.element, True), (SearchEntry.number, True)))
    key = repr((workspace_id, text, types, board_ids))
    page = await load_page(context, paginated, order, PageArgs(first, after, last, before), None, where, key)
    page.rows = [Hit(row, phrases) for row in page.rows]
    return page


def _named_card(actor: Actor, workspace_id: str, text: str) -> Query | None:
    """Select the cards that a text names by key and number; None if it names none."""
    name = CARD_NAME.fullmatch(text)
    if name is None:
        return None
    query = select(Card.id).join(Board, Board.id == Card.board_id)
    query = query.where(sees_card(actor, Card.board_id, Card.id), Board.workspace_id == workspace_id)
    query = query.where(Card.number == int(name[2])).limit(MAX_BOARDS)
    return query.where(Board.key == name[1].upper()) if name[1] else query


def score_of(phrases: Sequence[Sequence[str]], named: Sequence[str]) -> ColumnElement[Any]:
    """Return the points of an entry: for its name, its whole title, and each word in its title."""
    title = SearchEntry.title
    words = " ".join(word for phrase in phrases for word in phrase)
    points: ColumnElement[Any] = case(
        (title == f" {words} ", WHOLE), (title.contains(f" {words}"), PHRASE), else_=0
    )
    for phrase in phrases:
        text = " ".join(phrase)
        points += case((title.contains(f" {text} "), WORD), (title.contains(f" {text}"), BEGINNING), else_=0)
    return points + case((SearchEntry.id.in_(named), NAMED), else_=0) if named else points + literal(0)


async def node_of_hit(root: Parent[Hit], info: Info) -> object:
    """The card, message or run that was found; null if it was deleted meanwhile."""
    return await _load(root, info)


async def _load(root: Hit, info: Info) -> Any:
    return await info.context.load(FOUND[SearchType(root.type)], root.id)


async def title_of_hit(root: Parent[Hit], info: Info) -> list[TextPart]:
    """Its title in parts, with the matches marked; empty if it has none."""
    row = await _load(root, info)
    title = _BY_TYPE[SearchType(root.type)].title(row) if row is not None else ""
    return highlight(title, root.phrases, len(title)) if title else []


async def excerpt_of_hit(root: Parent[Hit], info: Info) -> list[TextPart]:
    """About 240 characters of its text in parts, around the first match; empty if it has no text."""
    row = await _load(root, info)
    if row is None:
        return []
    searched = _BY_TYPE[SearchType(root.type)]
    text = "" if root.type == SearchType.DOCUMENT else searched.text(row)
    if root.type == SearchType.DOCUMENT:  # whose content is read apart
        text = (await info.context.load(CONTENT_OF_DOCUMENT, root.id)).content or ""
    return highlight(text, root.phrases, EXCERPT_LENGTH) if text else []


_BY_TYPE = {searched.type: searched for searched in SEARCHED.values()}
