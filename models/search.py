"""The index of full-text search: one entry for each card, comment and other searched row.

An entry is written by the flush that writes its row, so it is part of the same transaction, whatever action makes
the change. Statements that would change a searched column without a flush are refused. An entry disappears with its
row by a foreign key.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import DDL, ForeignKey, Index, String, Text, UniqueConstraint, delete, event, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, ORMExecuteState, mapped_column
from sqlalchemy.orm.util import identity_key

from kit.db.database import Base, Id
from kit.db.transaction import FlushingSession
from kit.described_enum import DescribedEnum
from kit.eventlog.tables import Number
from kit.search import FTS5, Words, words_of
from models.actor import Actor
from models.board import Board
from models.card import Card
from models.document import Document
from models.message import Message
from models.run import Run

MAX_RANKED = 1_000  # newest matches that are ranked
MAX_TITLE_WORDS_LENGTH = 1_000  # characters of the folded title that ranks an entry


class SearchType(DescribedEnum):
    """The kind of thing that search finds."""

    CARD = "CARD", "A card, by its title, description, number or name."
    COMMENT = "COMMENT", "A message on a card."
    RUN = "RUN", "A run, by the summary of its work."
    DOCUMENT = "DOCUMENT", "A document, by its name, title and content."


class SearchEntry(Base):
    __tablename__ = "search_entry"
    __table_args__ = (
        Index("ix_search_entry_words", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
        UniqueConstraint("id", "type"),
        Index("ix_search_entry_workspace_id", "workspace_id"),
        Index("ix_search_entry_board_id", "board_id"),
        Index("ix_search_entry_card_id", "card_id"),
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(Id)  # of the row
    type: Mapped[str] = mapped_column(String(20))  # a SearchType
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    board_id: Mapped[str | None] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str | None] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)  # its folded words, with a space around each
    words: Mapped[Any] = mapped_column(Words)  # of the title, the text, and the scopes


for statement in FTS5:
    create_index = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(SearchEntry.__table__, "after_create", create_index.execute_if(dialect="sqlite"))


@dataclass(frozen=True)
class Searched:
    """How a table is searched. `columns` are those that `title` and `text` read."""

    type: SearchType
    columns: frozenset[str]
    title: Callable[[Any], str]
    text: Callable[[Any], str]
    card_id: Callable[[Any], str | None]
    board_id: Callable[[Any], str | None] = lambda row: row.board_id
    workspace_id: Callable[[Any], str | None] = lambda row: None  # None: that of the board


SEARCHED: dict[type, Searched] = {
    Card: Searched(
        SearchType.CARD,
        frozenset(("title", "description")),
        title=lambda card: card.title,
        text=lambda card: card.description or "",
        card_id=lambda card: card.id,
    ),
    Message: Searched(
        SearchType.COMMENT,
        frozenset(("body",)),
        title=lambda message: "",
        text=lambda message: message.body,
        card_id=lambda message: message.card_id,
    ),
    Run: Searched(
        SearchType.RUN,
        frozenset(("summary",)),
        title=lambda run: "",
        text=lambda run: run.summary or "",
        card_id=lambda run: run.card_id,
    ),
    Document: Searched(
        SearchType.DOCUMENT,
        frozenset(("name", "title", "content", "tags")),
        title=lambda document: document.title,
        text=lambda document: f"{document.name} {' '.join(document.tags)} {document.content or ''}",
        card_id=lambda document: None,
        workspace_id=lambda document: document.workspace_id,
    ),
}


def scope_word(kind: str, id: str) -> str:
    """Return the word of all entries of a type in a workspace, or on a board. An id that is none has no entries."""
    rest = id.rpartition("_")[2]
    return f"x{kind.lower()}x{rest if rest.isascii() and rest.isalnum() else 'none'}"


def scopes_of(
    actor: Actor, workspace_id: str, types: Sequence[str] | None, board_ids: Sequence[str] | None
) -> list[list[str]]:
    """Return the words of the entries that a search is about and that the actor may see."""
    scopes = [
        [scope_word(type, workspace_id) for type in types]
        if types is not None
        else [scope_word("in", workspace_id)]
    ]
    if board_ids is not None:
        scopes.append([scope_word("board", id) for id in board_ids])
    if actor.board_id is not None:
        scopes.append([scope_word("board", actor.board_id)])
    if actor.card_id is not None:
        scopes.append([scope_word("card", actor.card_id)])
    return scopes


def entry_values(
    type: SearchType,
    id: str,
    title: str,
    text: str,
    *,
    workspace_id: str,
    board_id: str | None,
    card_id: str | None,
    **more: Any,
) -> dict[str, Any] | None:
    """Return the columns of an entry; None if there is nothing to find."""
    of_title = words_of(title)
    words = of_title + words_of(text)
    if not words:
        return None
    scopes = [scope_word("in", workspace_id), scope_word(type, workspace_id)]
    if board_id is not None:
        scopes.append(scope_word("board", board_id))
    if card_id is not None:
        scopes.append(scope_word("card", card_id))
    return {
        "id": id,
        "type": type,
        "workspace_id": workspace_id,
        "board_id": board_id,
        "card_id": card_id,
        "title": f" {' '.join(of_title)} "[:MAX_TITLE_WORDS_LENGTH],
        "words": scopes + words,
        **more,
    }


@event.listens_for(FlushingSession, "after_flush")
def index_flushed_rows(session: FlushingSession, context: Any) -> None:
    """Write the entries of the searched rows that a flush writes, in two statements at most."""
    changed: list[dict[str, Any]] = []
    without = [row.id for row in session.deleted if type(row) in SEARCHED]
    for row in [*session.new, *session.dirty]:
        searched = SEARCHED.get(type(row))
        if searched is None or not _has_changed(row, searched.columns):
            continue
        board_id = searched.board_id(row)
        values = entry_values(
            searched.type,
            row.id,
            searched.title(row),
            searched.text(row),
            workspace_id=searched.workspace_id(row) or _workspace_of(session, board_id),
            board_id=board_id,
            card_id=searched.card_id(row),
        )
        if values is not None:
            changed.append(values)
        elif row not in session.new:
            without.append(row.id)
    if changed:
        write_entries(session, changed)
    if without:
        session.connection().execute(delete(SearchEntry).where(SearchEntry.id.in_(without)))


def _has_changed(row: Any, columns: frozenset[str]) -> bool:
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in columns)


def _workspace_of(session: FlushingSession, board_id: str | None) -> str:
    board = session.identity_map.get(identity_key(Board, board_id))
    if board is not None and "workspace_id" in board.__dict__:
        return str(board.workspace_id)
    query = select(Board.workspace_id).where(Board.id == board_id)
    return str(session.connection().scalar(query))


def write_entries(session: FlushingSession, entries: Sequence[dict[str, Any]]) -> None:
    """Insert or replace entries in one statement."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(SearchEntry.__table__)
    replaced = {name: insert.excluded[name] for name in ("title", "words")}
    session.connection().execute(
        insert.on_conflict_do_update(index_elements=["id", "type"], set_=replaced), entries
    )


@event.listens_for(FlushingSession, "do_orm_execute")
def refuse_unindexed_change(state: ORMExecuteState) -> None:
    """Refuse a statement that changes a searched column without a flush: its entry would be wrong."""
    if not (state.is_update or state.is_insert) or state.bind_mapper is None:
        return
    searched = SEARCHED.get(state.bind_mapper.class_)
    if searched is not None:
        values = getattr(state.statement, "_values", None) or {}
        names = {getattr(column, "key", column) for column in values}
        assert not names & searched.columns, "set searched columns on rows, so that a flush indexes them"
