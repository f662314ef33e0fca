"""A board as files hold it: names instead of ids, people by username, cards by number.

A file is untrusted. `FileReader` checks the shapes and reports the place of an error; the actions that build the
board check lengths and bounds.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from actions import validation
from models.board import TEMPLATES, Template
from models.card import CardSize, CardType, LinkKind, Priority
from models.document import DocumentKind, DocumentRole
from models.knowledge import KnowledgeKind
from models.message import MessageKind
from models.planned_file import ArtifactKind, FileAction, PlannedFileStatus
from models.question import QuestionType
from models.review import Origin, ReviewState
from models.run import RunKind
from models.stage import Law, Stage

T = TypeVar("T")
GREY = "#B3BAC5"  # of a label without a color
PRIORITIES = {
    **{validation.folded(one.name): one for one in Priority},
    "urgent": Priority.CRITICAL,
    "normal": Priority.MEDIUM,
}  # by name, ignoring case
MAX_CARDS = 2_000  # of one file: they are created in one transaction


class UnreadableFile(Exception):
    """A file that cannot be read. The message is one line that names the place and the error."""


@dataclass
class FileColumn:
    """A column, or a closed list, which becomes none: its cards are archived in another column."""

    name: str
    stage: Stage = Stage.BACKLOG
    wip_limit: int | None = None
    is_closed: bool = False
    is_stage_given: bool = True  # otherwise the name decides


@dataclass
class FileLabel:
    """A label."""

    name: str
    colour: str


@dataclass
class FileGroup:
    """A group of the story map."""

    title: str
    colour: str
    description: str = ""
    parent: int | None = None  # index in BoardFile.groups, of an earlier group


@dataclass
class FileSubtask:
    """A subtask."""

    title: str
    completed: bool = False
    phase: str | None = None
    phase_order: int | None = None


@dataclass
class FileKnowledge:
    """A knowledge item."""

    kind: KnowledgeKind
    text: str
    state: ReviewState = ReviewState.DRAFT
    origin: Origin = Origin.IMPORT
    evidence: str | None = None
    confidence: float | None = None


@dataclass
class FilePlannedFile:
    """A planned file."""

    path: str
    kind: ArtifactKind = ArtifactKind.CODE
    action: FileAction = FileAction.EDIT
    module: str | None = None
    intent: str = ""
    contract: str | None = None
    status: PlannedFileStatus = PlannedFileStatus.PROPOSED


@dataclass
class FileMessage:
    """A comment."""

    body: str
    author: str | None = None
    at: datetime | None = None
    kind: MessageKind = MessageKind.COMMENT


@dataclass
class FileAttachment:
    """A file that a card, or a message on it, has. Its bytes are not in the file of the board."""

    name: str
    media_type: str
    size: int
    sha256: str


@dataclass
class FileCard:
    """A card."""

    title: str
    column: int  # index in BoardFile.columns
    number: int | None = None
    description: str = ""
    type: CardType = CardType.FEATURE
    priority: Priority = Priority.MEDIUM
    size: CardSize | None = None
    story_points: int | None = None
    due_on: date | None = None
    parent: int | None = None  # the number of a card
    group: int | None = None  # index in BoardFile.groups
    archived: bool = False
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    subtasks: list[FileSubtask] = field(default_factory=list)
    knowledge: list[FileKnowledge] = field(default_factory=list)
    planned_files: list[FilePlannedFile] = field(default_factory=list)
    approved_at: datetime | None = None
    approved_by: str | None = None  # a username
    comments: list[FileMessage] = field(default_factory=list)
    files: list[FileAttachment] = field(default_factory=list)
    key: str | None = None  # its name in another system
    parent_key: str | None = None
    due_at: datetime | None = None  # a day only in some time zone
    footer: list[str] = field(default_factory=list)  # lines under the description


@dataclass
class FileLink:
    """A link between two cards, by their numbers."""

    card: int
    target: int
    kind: LinkKind


@dataclass
class FileContext:
    """The context of a board. Secret variables are never in a file."""

    fields: dict[str, str] = field(default_factory=dict)
    personas: list[tuple[str, str]] = field(default_factory=list)  # name, text
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class FileAnswerRule:
    """An answer rule."""

    name: str
    pattern: str = ""
    question_types: list[QuestionType] = field(default_factory=list)
    run_kinds: list[RunKind] = field(default_factory=list)
    card_types: list[CardType] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    answer: list[str] | None = None
    enabled: bool = True


@dataclass
class FileDocumentLink:
    """A link of a document to a card, a group, or, with neither, the board."""

    card: int | None = None  # the number of a card
    group: int | None = None  # index in BoardFile.groups
    role: DocumentRole = DocumentRole.REFERENCE
    usage_hint: str = ""


@dataclass
class FileDocument:
    """A document of a board, without its earlier revisions."""

    title: str
    kind: DocumentKind = DocumentKind.DOC
    values: dict[str, str | None] = field(default_factory=dict)  # its other fields, by name
    tags: list[str] = field(default_factory=list)
    links: list[FileDocumentLink] = field(default_factory=list)


# The other fields of a document in a file, by their names there.
DOCUMENT_FIELDS = {
    "name": "name",
    "content": "content",
    "uri": "uri",
    "integrationSystem": "integration_system",
    "integrationKey": "integration_key",
    "locator": "locator",
    "repository": "repository",
    "mime": "mime",
    "checksum": "checksum",
}


@dataclass
class BoardFile:
    """A board. Its cards are in order: column by column, from the top."""

    name: str
    source: str  # the format it was read from
    key: str | None = None
    description: str = ""
    law: Law = Law.FREE
    columns: list[FileColumn] = field(default_factory=list)
    labels: list[FileLabel] = field(default_factory=list)
    groups: list[FileGroup] = field(default_factory=list)  # a parent comes before its children
    cards: list[FileCard] = field(default_factory=list)
    links: list[FileLink] = field(default_factory=list)
    context: FileContext = field(default_factory=FileContext)
    answer_rules: list[FileAnswerRule] = field(default_factory=list)
    documents: list[FileDocument] = field(default_factory=list)
    relations: list[tuple[str, str, LinkKind]] = field(default_factory=list)  # links by FileCard.key
    is_foreign: bool = False  # written by another system: odd entries are mended, not refused
    sorts_columns: bool = False  # by stage
    read: Counter[str] = field(default_factory=Counter)  # numbers of things in the file
    mended: Counter[str] = field(default_factory=Counter)  # numbers of things that were changed
    left: Counter[str] = field(default_factory=Counter)  # numbers of things that are not carried over
    notes: list[str] = field(default_factory=list)  # interpretations that a person should know


def standard_columns() -> list[FileColumn]:
    """Return the columns of the pipeline template."""
    return [FileColumn(name, stage) for name, stage in TEMPLATES[Template.PIPELINE]]


def priority_of(labels: list[str]) -> Priority:
    """Return the priority that a label names, such as `high` or `priority: high`; default MEDIUM."""
    for label in labels:
        name = re.sub(r"^priority[\s:/=_-]+", "", validation.folded(label.strip()))
        if name in PRIORITIES:
            return PRIORITIES[name]
    return Priority.MEDIUM


class FileReader:
    """A JSON object of a file and its path in the file. Every method raises UnreadableFile with that path."""

    def __init__(self, value: Any, at: str) -> None:
        if not isinstance(value, dict):
            raise UnreadableFile(f"{at or 'the file'} must be an object, not {quoted(value)}")
        self.value, self.at = value, at

    def get(self, name: str, kind: type[T], default: T | None = None) -> T:
        """Return a member of that type; without a default it is required."""
        value = self.value.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(name, f"must be {NAMES[kind]}, not {quoted(value)}")
        return value

    def maybe(self, name: str, kind: type[T]) -> T | None:
        return None if self.value.get(name) is None else self.get(name, kind)

    def fraction(self, name: str) -> float | None:
        """Return a number of any kind, or None."""
        return None if self.value.get(name) is None else self.number(name)

    def number(self, name: str) -> float:
        """Return a number of any kind; default 0."""
        value = self.value.get(name)
        if value is None:
            return 0
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(name, f"must be a number, not {quoted(value)}")
        return value

    def objects(self, name: str) -> list["FileReader"]:
        """Return a list of objects; default empty."""
        rows = self.get(name, list, [])
        return [FileReader(row, f"{self.path(name)}[{index}]") for index, row in enumerate(rows)]

    def strings(self, name: str) -> list[str]:
        rows = self.get(name, list, [])
        for index, row in enumerate(rows):
            if not isinstance(row, str):
                raise self.wrong(f"{name}[{index}]", f"must be text, not {quoted(row)}")
        return rows

    def some_of(self, name: str, kind: Any) -> list[Any]:
        """Return members of an enum by their names; default none."""
        names = self.strings(name)
        for index, value in enumerate(names):
            if value not in kind.__members__:
                raise self.wrong(f"{name}[{index}]", f"must be one of {', '.join(kind.__members__)}")
        return [kind[value] for value in names]

    def one_of(self, name: str, kind: Any, default: Any = None) -> Any:
        """Return a member of an enum by its name."""
        value = self.maybe(name, str)
        if value is None and default is not None:
            return default
        if value not in kind.__members__:
            raise self.wrong(name, f"must be one of {', '.join(kind.__members__)}")
        return kind[value]

    def priority(self, name: str) -> Priority:
        """Return a priority by any of its names; default MEDIUM."""
        value = self.maybe(name, str)
        found = Priority.MEDIUM if value is None else PRIORITIES.get(validation.folded(value.strip()))
        if found is None:
            raise self.wrong(name, f"must be one of {', '.join(Priority.__members__)}, or urgent or normal")
        return found

    def moment(self, name: str) -> datetime | None:
        text = self.maybe(name, str)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):  # the first and the last day may overflow in UTC
            raise self.wrong(name, "must be a moment like 2026-01-31T12:00:00Z") from None

    def day(self, name: str) -> date | None:
        text = self.maybe(name, str)
        try:
            return date.fromisoformat(text) if text is not None else None
        except ValueError:
            raise self.wrong(name, "must be a day like 2026-01-31") from None

    def path(self, name: str) -> str:
        return f"{self.at}.{name}" if self.at else name

    def wrong(self, name: str, what: str) -> UnreadableFile:
        return UnreadableFile(f"{self.path(name)} {what}")


NAMES: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def quoted(value: Any) -> str:
    """Return the type of a wrong value in words."""
    if value is None:
        return "missing"
    return NAMES.get(type(value), type(value).__name__)
