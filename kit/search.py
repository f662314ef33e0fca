"""Full-text search, with the same words and the same answers on SQLite and PostgreSQL.

Text is cut into folded words here, not by the database: without case, accents and width, and one character at a
time in scripts that put no spaces between words. SQLite keeps the words as text, which an FTS5 table indexes, and
PostgreSQL as a `tsvector`. So neither a locale nor a tokenizer of a database decides what is found.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import Boolean

MAX_INDEXED_LENGTH = 100_000  # characters of a text that are searched; the rest is not
MAX_WORD_LENGTH = 60  # characters of a word; longer ones are cut, in texts and in queries
MAX_QUERY_WORDS = 16
MAX_QUERY_LENGTH = 500  # characters
MIN_PREFIX_LENGTH = 3  # characters of a word that also finds words which begin with it
MAX_POSITION = 16_383  # of a word in a tsvector
MAX_POSITIONS = 255  # of one word

# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana and Han.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
CHUNK = re.compile(r"\S+")
RAW_WORD = re.compile(rf"[{UNSPACED}]|[^\s_{UNSPACED}]+")
MAX_HIGHLIGHTED_LENGTH = 10_000  # characters of a text in which matches are marked


def fold(text: str) -> str:
    """Return a text without case, accents and width."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(char for char in plain if unicodedata.category(char) != "Mn")


def words_of(text: str) -> list[str]:
    """Return the folded words of a text, in order."""
    return [word[:MAX_WORD_LENGTH] for word in WORD.findall(fold(text[:MAX_INDEXED_LENGTH]))]


class Words(TypeDecorator[Any]):
    """A column of words. A value is a list of them, in order."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or isinstance(value, str):
            return value
        return _vector_of(value) if dialect.name == "postgresql" else " ".join(value)


def _vector_of(words: Sequence[str]) -> str:
    """Return words as the text of a tsvector. They have letters and digits only, so nothing is escaped."""
    places: dict[str, list[str]] = {}
    for place, word in enumerate(words, 1):
        at = places.setdefault(word, [])
        if len(at) < MAX_POSITIONS:
            at.append(str(min(place, MAX_POSITION)))
    return " ".join(f"'{word}':{','.join(dict.fromkeys(at))}" for word, at in places.items())


class TextQuery:
    """The words that a text must have: all of them, or with `is_any` one of them.

    phrases: each a list of words that stand together. The last word of a phrase also finds longer words.
    scopes:  lists of words; of each list the text must have one.
    """

    def __init__(
        self, phrases: Sequence[Sequence[str]], scopes: Sequence[Sequence[str]], *, is_any: bool = False
    ) -> None:
        self.phrases, self.scopes, self.is_any = phrases, scopes, is_any

    def sqlite(self) -> str:
        """Return the query in the syntax of FTS5."""
        parts = []
        for phrase in self.phrases:
            star = "*" if len(phrase[-1]) >= MIN_PREFIX_LENGTH else ""
            parts.append(f'"{" ".join(phrase)}"{star}')
        text = (" OR " if self.is_any else " AND ").join(parts)
        scopes = [" OR ".join(f'"{word}"' for word in scope) for scope in self.scopes]
        return " AND ".join(f"({part})" for part in (text, *scopes))

    def postgresql(self) -> str:
        """Return the query in the syntax of tsquery."""
        parts = []
        for phrase in self.phrases:
            star = ":*" if len(phrase[-1]) >= MIN_PREFIX_LENGTH else ""
            parts.append("(" + " <-> ".join(f"'{word}'" for word in phrase) + star + ")")
        text = (" | " if self.is_any else " & ").join(parts)
        scopes = [" | ".join(f"'{word}'" for word in scope) for scope in self.scopes]
        return " & ".join(f"({part})" for part in (text, *scopes))


def phrases_of(text: str) -> list[list[str]]:
    """Return the phrases of what a person searches for: one for each word, several words where it is cut."""
    chunks = (words_of(chunk) for chunk in CHUNK.findall(text))
    return [chunk[:MAX_QUERY_WORDS] for chunk in chunks if chunk][:MAX_QUERY_WORDS]


class is_match(ColumnElement[bool]):
    """A row of `search_entry` is among the newest `most` that match a query, or one of `ids`.

    The query is written into the statement, so that PostgreSQL plans for these words and not for any.
    """

    type = Boolean()
    inherit_cache = False

    def __init__(self, query: TextQuery | None, most: int, ids: Sequence[str] = ()) -> None:
        assert all(ID.fullmatch(id) for id in ids), "ids are written into the statement"
        self.query, self.most, self.ids = query, most, ids

    def self_group(self, against: Any = None) -> Any:
        return self  # else SQLite would compare it with 1, and read every entry

    def _sql(self, match: str, number: str, table: str) -> str:
        found = f"SELECT {number} FROM {table} WHERE {match} ORDER BY {number} DESC LIMIT {self.most}"  # noqa: S608
        parts = [f"SELECT * FROM ({found}) AS newest"] if self.query else []  # noqa: S608
        if self.ids:
            ids = ", ".join(f"'{id}'" for id in self.ids)
            parts.append(f"SELECT number FROM search_entry WHERE id IN ({ids})")  # noqa: S608
        return f"search_entry.number IN ({' UNION ALL '.join(parts) or 'NULL'})"


ID = re.compile(r"\w+")


@compiles(is_match, "postgresql")
def _match_tsvector(element: is_match, compiler: Any, **options: Any) -> str:
    query = element.query.postgresql() if element.query else ""
    return element._sql(f"words @@ {_quoted(query)}::tsquery", "number", "search_entry")


@compiles(is_match, "sqlite")
def _match_fts5(element: is_match, compiler: Any, **options: Any) -> str:
    query = element.query.sqlite() if element.query else ""
    return element._sql(f"search_index MATCH {_quoted(query)}", "rowid", "search_index")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# SQLite keeps the FTS5 table by these triggers, whatever changes `search_entry`, also by a cascade.
FTS5 = (
    """CREATE VIRTUAL TABLE search_index USING fts5(
  words, content='search_entry', content_rowid='number', tokenize='ascii', prefix='3 4 5 6 7 8', columnsize=0)""",
    """CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN
  INSERT INTO search_index(rowid, words) VALUES (new.number, new.words); END""",
    """CREATE TRIGGER search_entry_deleted AFTER DELETE ON search_entry BEGIN
  INSERT INTO search_index(search_index, rowid, words) VALUES ('delete', old.number, old.words); END""",
    """CREATE TRIGGER search_entry_changed AFTER UPDATE OF words ON search_entry BEGIN
  INSERT INTO search_index(search_index, rowid, words) VALUES ('delete', old.number, old.words);
  INSERT INTO search_index(rowid, words) VALUES (new.number, new.words); END""",
)


def is_index_table(name: str | None) -> bool:
    """Return whether a table of SQLite is the FTS5 table, or one of those that it consists of."""
    return name is not None and name.startswith("search_index")


@dataclass(frozen=True)
class TextPart:
    """A part of a text, and whether it is a word that was searched for."""

    text: str
    is_match: bool


def highlight(text: str, phrases: Sequence[Sequence[str]], length: int) -> list[TextPart]:
    """Cut about `length` characters around the first match out of a text, and mark the matches in them."""
    exact = {word for phrase in phrases for word in phrase}
    prefixes = tuple({phrase[-1] for phrase in phrases if len(phrase[-1]) >= MIN_PREFIX_LENGTH})
    spans = []
    for found in RAW_WORD.finditer(text[:MAX_HIGHLIGHTED_LENGTH]):
        if any(word in exact or word.startswith(prefixes) for word in words_of(found[0])):
            spans.append(found.span())
    begin = max(0, spans[0][0] - length // 4) if spans and spans[0][1] > length else 0
    end = min(len(text), begin + length)
    parts, at = [TextPart("…", False)] if begin else [], begin
    for start, stop in spans:
        if stop > end:
            break
        parts += [TextPart(text[at:start], False)] * (start > at) + [TextPart(text[start:stop], True)]
        at = stop
    parts += [TextPart(text[at:end], False)] * (end > at) + [TextPart("…", False)] * (end < len(text))
    return parts
