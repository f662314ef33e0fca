"""Beads: the JSON lines of `.beads/issues.jsonl`, or what `bd list --json` prints."""

from typing import Any

from actions import validation
from actions.transfer.board_file import GREY, BoardFile, FileCard, FileLabel, FileMessage, FileReader
from actions.transfer.github import TYPES
from actions.transfer.status_columns import StatusColumns
from models.card import CardType, LinkKind, Priority

PRIORITIES = [Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW, Priority.NONE]
SECTIONS = {"design": "Design", "acceptance_criteria": "Acceptance criteria", "notes": "Notes"}
RELATED = {"related", "relates-to", "relates_to", "discovered-from"}
DUPLICATES = {"duplicates", "duplicate-of", "duplicate"}


def is_bead(value: Any) -> bool:
    """Return whether an object is an issue of Beads."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str) or "title" not in value:
        return False
    return "issue_type" in value or "dependencies" in value or {"status", "priority"} <= value.keys()


def read_beads(value: list[Any], name: str) -> BoardFile:
    """Read issues. Raises UnreadableFile."""
    file = BoardFile("Beads" if name == "issues" else name, "Beads issues", is_foreign=True)
    columns = StatusColumns(file)
    file.read["issues"] = len(value)
    seen: set[str] = set()
    for index, row in enumerate(value):
        issue = FileReader(row, f"[{index}]")
        if issue.get("_type", str, "issue") != "issue":
            file.left["entries that are no issues"] += 1
        elif issue.get("status", str, "") == "tombstone" or issue.value.get("deleted_at") is not None:
            file.left["deleted issues"] += 1
        elif issue.get("id", str) in seen:
            file.mended["issues that the file has more than once (the first is kept)"] += 1
        else:
            seen.add(issue.get("id", str))
            file.cards.append(_read_card(file, issue, columns))
    labels = dict.fromkeys(label for card in file.cards for label in card.labels)
    file.labels = [FileLabel(label, GREY) for label in labels]
    return file


def _read_card(file: BoardFile, issue: FileReader, columns: StatusColumns) -> FileCard:
    kind = validation.folded(issue.get("issue_type", str, "") or issue.get("type", str, ""))
    assignee = issue.get("assignee", str, "").strip()
    card = FileCard(
        title=issue.get("title", str),
        column=columns.place(issue.get("status", str, "") or "open"),
        description=_description_of(issue),
        type=TYPES.get(kind, CardType.FEATURE),
        priority=_priority_of(file, issue),
        labels=issue.strings("labels"),
        assignees=[assignee] if assignee else [],
        comments=[_read_comment(comment) for comment in issue.objects("comments")],
        key=issue.get("id", str),
        parent_key=issue.maybe("parent", str),
        due_at=issue.moment("due_at"),
        footer=_footer_of(issue),
    )
    file.read["comments"] += len(card.comments)
    _read_dependencies(file, issue, card)
    for what, is_there in (
        ("types of issues", bool(kind) and kind not in TYPES),
        ("estimates in minutes", issue.value.get("estimated_minutes") is not None),
        ("authors of issues", bool(issue.value.get("created_by") or issue.value.get("owner"))),
        ("times until which issues are deferred", issue.value.get("defer_until") is not None),
        ("comments that the file lacks", not card.comments and issue.number("comment_count") > 0),
    ):
        file.left[what] += is_there
    return card


def _description_of(issue: FileReader) -> str:
    parts = [issue.get("description", str, "").strip()]
    for name, title in SECTIONS.items():
        text = issue.get(name, str, "").strip()
        parts += [f"## {title}\n\n{text}"] if text else []
    return "\n\n".join(part for part in parts if part)


def _footer_of(issue: FileReader) -> list[str]:
    lines = [f"Beads issue {issue.get('id', str)}"]
    reference, reason = issue.get("external_ref", str, ""), issue.get("close_reason", str, "")
    lines += [f"External reference: {' '.join(reference.split())}"] if reference else []
    lines += [f"Closed: {' '.join(reason.split())}"] if reason and reason.strip().lower() != "closed" else []
    return lines


def _priority_of(file: BoardFile, issue: FileReader) -> Priority:
    """Return the priority: 0 is the highest, 4 the lowest."""
    number = issue.number("priority") if issue.value.get("priority") is not None else 2
    if number in range(len(PRIORITIES)):
        return PRIORITIES[int(number)]
    file.left["priorities that are not 0 to 4 (now MEDIUM)"] += 1
    return Priority.MEDIUM


def _read_comment(comment: FileReader) -> FileMessage:
    text = comment.maybe("text", str) or comment.get("body", str, "")
    return FileMessage(text, comment.maybe("author", str), comment.moment("created_at"))


def _read_dependencies(file: BoardFile, issue: FileReader, card: FileCard) -> None:
    """Read what the issue depends on: issues that block it, its parent, and related ones."""
    key = issue.get("id", str)
    for dependency in issue.objects("dependencies"):
        target = dependency.maybe("depends_on_id", str) or dependency.get("id", str, "")
        kind = dependency.maybe("type", str) or dependency.get("dependency_type", str, "blocks")
        file.read["dependencies"] += 1
        if kind == "blocks":
            file.relations.append((target, key, LinkKind.BLOCKS))
        elif kind == "parent-child":
            file.left["parents of an issue that has another"] += card.parent_key not in (None, target)
            card.parent_key = card.parent_key or target
        elif kind in RELATED:
            file.relations.append((key, target, LinkKind.RELATED))
            file.mended["dependencies “discovered-from” (they are RELATED)"] += kind == "discovered-from"
        elif kind in DUPLICATES:
            file.relations.append((key, target, LinkKind.DUPLICATE))
        else:
            file.left[f"dependencies “{' '.join(kind.split())[:40]}”"] += 1
