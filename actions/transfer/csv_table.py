"""A CSV table whose first line names the columns, as Jira, Linear, GitLab and spreadsheets export issues."""

import csv
import io
import re
from datetime import UTC, datetime, time

from actions import validation
from actions.transfer.board_file import (
    GREY,
    PRIORITIES,
    BoardFile,
    FileCard,
    FileLabel,
    FileMessage,
    UnreadableFile,
)
from actions.transfer.github import TYPES
from actions.transfer.stage_names import squeezed
from actions.transfer.status_columns import StatusColumns
from actions.transfer.trello import link_line
from models.card import CardType, LinkKind, Priority

# Fields of a card by the names of columns, ignoring case, punctuation and spaces. The first column of a row that is
# not empty is taken, except for fields of several values.
FIELDS = {
    "title": "title summary name task tasks subject issue",
    "key": "issuekey key id issueid identifier taskid",
    "description": "description body details notes desc",
    "status": "status state column list stage section",
    "type": "issuetype type kind tracker",
    "priority": "priority",
    "points": "storypoints customfieldstorypoints customfieldstorypointestimate estimate weight points",
    "due": "duedate due dueon deadline",
    "assignee": "assignee assigneeusername assignees owner assignedto",
    "labels": "labels label tags tag",
    "comment": "comment comments",
    "project": "project projectname",
    "parent": "parentkey parent parentissue parentid parenttask customfieldepiclink epiclink",
    "attachment": "attachment attachments",
    "url": "url link issueurl weburl",
    "blocks": "outwardissuelinkblocks blocks blocking",
    "blocked_by": "inwardissuelinkblocks blockedby",
    "related": "outwardissuelinkrelates inwardissuelinkrelates relatedto",
    "duplicate": "outwardissuelinkduplicate duplicateof outwardissuelinkduplicates",
}
FIELD_OF_NAME = {name: field for field, names in FIELDS.items() for name in names.split()}
SEVERAL = {
    "labels",
    "comment",
    "attachment",
    "assignee",
    "blocks",
    "blocked_by",
    "related",
    "duplicate",
    "key",
    "parent",
}
LINKS = {"blocks": LinkKind.BLOCKS, "related": LinkKind.RELATED, "duplicate": LinkKind.DUPLICATE}
PRIORITY_NAMES = {
    "highest": Priority.CRITICAL,
    "blocker": Priority.CRITICAL,
    "major": Priority.HIGH,
    "minor": Priority.LOW,
    "lowest": Priority.LOW,
    "trivial": Priority.LOW,
    "nopriority": Priority.NONE,
}
SOURCES = {
    "Jira issues": {"issuekey", "issuetype"},
    "Linear issues": {"id", "team", "status", "title"},
    "GitLab issues": {"issueid", "title", "state", "url"},
    "Vibe Kanban issues": {"issueid", "title", "status", "project", "assignees"},
}
MAX_FIELD_CHARACTERS = 64 * 1024 * 1024
DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%b/%y", "%d/%b/%Y", "%d %b %Y", "%b %d, %Y"),
    *(
        "%d/%b/%y %I:%M %p",
        "%d/%b/%Y %I:%M %p",
        "%d/%b/%y %H:%M",
        "%Y-%m-%d %H:%M",
        "%a %b %d %Y %H:%M:%S GMT%z",
    ),
)


def is_csv(text: str) -> bool:
    """Return whether the first line names columns: the title, and alone or with another that is known."""
    try:
        header = _rows(text[:20_000])[:1]
    except UnreadableFile:
        return False
    names = [FIELD_OF_NAME.get(squeezed(name)) for row in header for name in row]
    known = {name for name in names if name}
    return "title" in known and (len(known) > 1 or len(names) == 1)


def read_csv(text: str, name: str) -> BoardFile:
    """Read a table. Raises UnreadableFile."""
    header, *rows = _rows(text)
    names = [squeezed(column) for column in header]
    source = next((source for source, needed in SOURCES.items() if needed <= set(names)), "a CSV table")
    file = BoardFile(name, source, is_foreign=True)
    file.read["rows"] = len(rows)
    columns, table = StatusColumns(file), _Table(header)
    seen: set[str] = set()
    projects: list[str] = []
    for row in rows:
        if not any(cell.strip() for cell in row):
            file.left["empty rows"] += 1
            continue
        file.left["values beyond the named columns"] += sum(bool(c.strip()) for c in row[len(header) :])
        fields = table.fields_of(file, row)
        identity = _first(fields, "url") or _first(fields, "key")
        if identity and identity in seen:
            file.mended["issues that the file has more than once (the first is kept)"] += 1
            continue
        seen.add(identity)
        projects.append(_first(fields, "project"))
        file.cards.append(_read_card(file, fields, columns))
        _add_links(file, fields)
    _name_projects(file, projects)
    _resolve_keys(file, table.aliases)
    labels = {label for card in file.cards for label in card.labels}
    file.labels = [FileLabel(label, GREY) for label in sorted(labels)]
    if not file.cards:
        raise UnreadableFile("is a table without rows: there is nothing in it")
    return file


def _rows(text: str) -> list[list[str]]:
    """Parse a table whose delimiter is the most frequent one of its first line."""
    first = text.lstrip("\r\n").partition("\n")[0]
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        text = text.lstrip("\r\n").partition("\n")[2]
        first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    try:
        return list(csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFile(f"is not CSV: {error}") from None


class _Table:
    """The meaning of the named columns."""

    def __init__(self, header: list[str]) -> None:
        self.header = header
        names = {squeezed(name) for name in header}
        # GitLab has the full names of people beside their usernames.
        hidden = {"assignee"} if "assigneeusername" in names else set()
        self.fields = [
            "hidden" if squeezed(name) in hidden else FIELD_OF_NAME.get(squeezed(name)) for name in header
        ]
        self.aliases: dict[str, str] = {}  # every key of an issue, and the one that its card has

    def fields_of(self, file: BoardFile, row: list[str]) -> dict[str, list[str]]:
        """Return the values of a row by field, and count values of columns that mean nothing here."""
        fields: dict[str, list[str]] = {}
        lost = set()
        for name, field, cell in zip(self.header, self.fields, row, strict=False):
            value = cell.strip()
            if not value or field == "hidden" or (field is None and value.lower() in ("no", "false", "0")):
                continue
            if field is None:
                lost.add(" ".join(name.split())[:60] or "(no name)")
            elif field in SEVERAL or field not in fields:
                fields.setdefault(field, []).append(value)
            elif value != fields[field][0]:
                lost.add(" ".join(name.split())[:60])
        file.left.update(f"values of the column “{name}”" for name in lost)
        for key in fields.get("key", []):
            self.aliases.setdefault(key, fields["key"][0])
        return fields


def _first(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def _read_card(file: BoardFile, fields: dict[str, list[str]], columns: StatusColumns) -> FileCard:
    kind = validation.folded(_first(fields, "type"))
    card = FileCard(
        title=_first(fields, "title"),
        column=columns.place(_first(fields, "status")),
        description=_first(fields, "description"),
        type=TYPES.get(kind, CardType.FEATURE),
        priority=_priority_of(file, _first(fields, "priority")),
        labels=[label for value in fields.get("labels", []) for label in _split(value)],
        assignees=[person for value in fields.get("assignee", []) for person in _split(value)],
        key=_first(fields, "key") or None,
        parent_key="\n".join(fields.get("parent", [])) or None,  # one name of several, see _resolve_keys
        comments=[_read_comment(value) for value in fields.get("comment", [])],
    )
    if kind and kind not in TYPES and kind not in ("story", "user story", "issue"):
        file.left["types of issues"] += 1
    file.read["comments"] += len(card.comments)
    file.left["authors of comments that are not in the file"] += sum(not c.author for c in card.comments)
    _set_due(file, card, _first(fields, "due"))
    _set_points(file, card, _first(fields, "points"))
    card.footer = _footer_of(file, card.key, fields)
    return card


def _split(value: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,;]", value) if part.strip()]


def _priority_of(file: BoardFile, value: str) -> Priority:
    name = validation.folded(value)
    priority = PRIORITIES.get(name, PRIORITY_NAMES.get(squeezed(value)))
    if priority is not None:
        return priority
    file.left["priorities with other names (now MEDIUM)"] += bool(value)
    return Priority.MEDIUM


def _set_due(file: BoardFile, card: FileCard, value: str) -> None:
    if not value:
        return
    moment = moment_of(value)
    if moment is None:
        file.left["due dates in an unknown form"] += 1
    elif moment.tzinfo is None or moment.time() == time():  # midnight stands for the day
        card.due_on = moment.date()
        file.left["hours of due dates"] += moment.time() != time()
    else:
        card.due_at = moment


def moment_of(value: str) -> datetime | None:
    """Return a day or a moment in one of the usual forms; a moment without a zone is naive."""
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        pass
    for form in DAYS:
        try:
            return datetime.strptime(value.partition(" (")[0], form)
        except ValueError:
            continue
    return None


def _set_points(file: BoardFile, card: FileCard, value: str) -> None:
    if not value:
        return
    if re.fullmatch(r"\d{1,4}(\.0+)?", value):
        card.story_points = int(value.partition(".")[0])
    else:
        file.left["estimates that are no whole number"] += 1


def _read_comment(value: str) -> FileMessage:
    """Read a comment; Jira writes “date;author;text”."""
    parts = value.split(";", 2)
    moment = utc_moment_of(parts[0].strip()) if len(parts) == 3 else None
    return FileMessage(value) if moment is None else FileMessage(parts[2], parts[1], moment)


def utc_moment_of(value: str) -> datetime | None:
    """Return a moment in UTC; one without a zone is in UTC already."""
    moment = moment_of(value)
    try:
        return moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError:  # the first and the last day of the calendar
        return None


def _footer_of(file: BoardFile, key: str | None, fields: dict[str, list[str]]) -> list[str]:
    """Return the address of the issue and the links of its attachments; Jira writes “date;author;name;address”."""
    address = _first(fields, "url") or (key or "")
    lines = []
    for value in fields.get("attachment", []):
        parts = [part.strip() for part in value.split(";")]
        name = parts[-2] if len(parts) > 1 else parts[-1].rpartition("/")[2]
        lines.append(link_line(name or parts[-1], parts[-1]))
    file.mended["attachments (they are links under the description, not copies)"] += len(lines)
    source = (
        [link_line(key or address, address)[2:] if _first(fields, "url") else f"{key}"] if address else []
    )
    attached = ["Attachments:", *lines] if lines else []
    return [*source, *([""] if source and attached else []), *attached]


def _add_links(file: BoardFile, fields: dict[str, list[str]]) -> None:
    key = _first(fields, "key")
    for name, kind in LINKS.items():
        file.relations += [(key, target, kind) for value in fields.get(name, []) for target in _split(value)]
    for value in fields.get("blocked_by", []):
        file.relations += [(source, key, LinkKind.BLOCKS) for source in _split(value)]


def _resolve_keys(file: BoardFile, aliases: dict[str, str]) -> None:
    """Let parents and links name an issue by any of its keys, as Jira's parents by number do."""
    for card in file.cards:
        if card.parent_key is not None:
            names = card.parent_key.split("\n")
            card.parent_key = next((aliases[name] for name in names if name in aliases), names[0])
    file.read["links"] = len(file.relations)
    file.relations = [
        (aliases.get(key, key), aliases.get(target, target), kind) for key, target, kind in file.relations
    ]


def _name_projects(file: BoardFile, projects: list[str]) -> None:
    """Name the board after the only project, or label each card with its project."""
    names = set(projects)
    if names <= {""}:
        return
    if len(names) == 1:
        file.name = projects[0]
        return
    file.notes.append("the file has several projects: each card has a label of its project's name")
    for card, project in zip(file.cards, projects, strict=True):
        card.labels = [*card.labels, project] if project else card.labels
