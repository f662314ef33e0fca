"""Issues of GitHub: as the REST API lists them, its search finds them, or `gh issue list --json` prints them."""

import re
from collections import Counter
from typing import Any

from actions import validation
from actions.transfer.board_file import (
    GREY,
    BoardFile,
    FileCard,
    FileLabel,
    FileMessage,
    FileReader,
    UnreadableFile,
    priority_of,
    standard_columns,
)
from models.card import CardType
from models.stage import Stage

# Types of cards by the names of labels and of types of issues.
TYPES = {
    "bug": CardType.BUG,
    "documentation": CardType.DOCS,
    "docs": CardType.DOCS,
    "chore": CardType.CHORE,
    "task": CardType.CHORE,
    "feature": CardType.FEATURE,
    "enhancement": CardType.FEATURE,
    "refactor": CardType.REFACTOR,
    "refactoring": CardType.REFACTOR,
    "test": CardType.TEST,
}
ADDRESS = re.compile(r"https://[^/\s()<>]+/(?:repos/)?([^/\s()<>]+/[^/\s()<>]+)/(issues|pull)/(\d+)")


def read_github(value: list[Any], name: str) -> BoardFile:
    """Read a list of issues: closed ones are DONE, others BACKLOG. Raises UnreadableFile."""
    issues = [FileReader(one, f"[{index}]") for index, one in enumerate(value)]
    if not issues:
        raise UnreadableFile("is an empty list: there is nothing in it")
    file = BoardFile(
        _repository(issues[0]) or name, "GitHub issues", columns=standard_columns(), is_foreign=True
    )
    stages = [column.stage for column in file.columns]
    file.read["issues"] = len(issues)
    labels: dict[str, FileLabel] = {}
    cards: dict[str, tuple[int, FileCard]] = {}
    for issue in issues:
        if issue.value.get("pull_request") is not None or "/pull/" in _address(issue):
            file.left["pull requests"] += 1
            continue
        is_closed = issue.get("state", str).strip().casefold() == "closed"
        number, key = issue.get("number", int), _key_of(issue)
        if key in cards:
            file.mended["issues that the file has more than once (the first is kept)"] += 1
            continue
        column = stages.index(Stage.DONE if is_closed else Stage.BACKLOG)
        cards[key] = number, _read_card(file, issue, column, labels)
    file.cards = [card for _, card in sorted(cards.values(), key=lambda pair: (pair[1].column, pair[0]))]
    file.labels = list(labels.values())
    _count_missing_children(file, issues)
    return file


def _address(issue: FileReader) -> str:
    """Return the page of an issue: REST says `html_url`, the command line `url`."""
    return issue.maybe("html_url", str) or issue.get("url", str, "")


def _repository(issue: FileReader) -> str | None:
    """Return the name of the repository from the addresses of an issue."""
    named = re.search(r"/repos/([^/]+/[^/]+)", issue.get("repository_url", str, ""))
    named = named or ADDRESS.match(_address(issue))
    return named[1] if named else None


def _key_of(issue: FileReader) -> str:
    return f"{_repository(issue) or ''}#{issue.get('number', int)}".casefold()


def _parent_of(issue: FileReader) -> str | None:
    parent = issue.value.get("parent")
    address = parent.get("url") if isinstance(parent, dict) else issue.value.get("parent_issue_url")
    named = ADDRESS.match(address) if isinstance(address, str) else None
    return f"{named[1]}#{named[3]}".casefold() if named else None


def _read_card(file: BoardFile, issue: FileReader, column: int, labels: dict[str, FileLabel]) -> FileCard:
    names = []
    for one in issue.get("labels", list, []):
        label = _read_label(one, issue)
        names.append(labels.setdefault(validation.folded(label.name), label).name)
    type_name = _name_in(issue, "type") or _name_in(issue, "issueType")
    kinds = [validation.folded(name) for name in ([type_name] if type_name else []) + names]
    comments = _read_comments(file, issue)
    _count_left(file, issue, type_name)
    number, address = issue.get("number", int), _address(issue)
    is_link = address.startswith("https://") and not set(address) & set(" ()<>\n")
    source = f"GitHub issue [#{number}]({address})" if is_link else f"GitHub issue #{number}"
    people = issue.objects("assignees")
    if not people and isinstance(issue.value.get("assignee"), dict):
        people = [FileReader(issue.value["assignee"], issue.path("assignee"))]
    return FileCard(
        title=issue.get("title", str),
        column=column,
        description=issue.maybe("body", str) or "",
        type=next((TYPES[kind] for kind in kinds if kind in TYPES), CardType.FEATURE),
        priority=priority_of(names),
        labels=names,
        assignees=[one.get("login", str) for one in people],
        comments=comments,
        key=_key_of(issue),
        parent_key=_parent_of(issue),
        footer=[source[:400]],
    )


def _name_in(issue: FileReader, name: str) -> str | None:
    value = issue.value.get(name)
    return FileReader(value, issue.path(name)).maybe("name", str) if isinstance(value, dict) else None


def _read_label(label: Any, issue: FileReader) -> FileLabel:
    """Read a label; old responses have its name only."""
    if isinstance(label, str):
        label = {"name": label}
    read = FileReader(label, issue.path("labels"))
    colour = f"#{read.get('color', str, '')}".upper()
    return FileLabel(
        read.get("name", str).strip() or "label", colour if validation.COLOUR.fullmatch(colour) else GREY
    )


def _read_comments(file: BoardFile, issue: FileReader) -> list[FileMessage]:
    """Read the comments, which only the command line prints; REST tells how many."""
    value = issue.value.get("comments")
    if not isinstance(value, list):
        file.left["comments (the list tells only how many)"] += issue.get("comments", int, 0)
        return []
    comments = []
    for comment in issue.objects("comments"):
        author = comment.value.get("author") or comment.value.get("user") or {}
        name = FileReader(author, comment.path("author")).maybe("login", str)
        at = comment.moment("createdAt") or comment.moment("created_at")
        comments.append(FileMessage(comment.get("body", str, ""), name, at))
        file.left["authors of comments that are not in the file"] += not name
    file.read["comments"] += len(comments)
    return comments


def _count_left(file: BoardFile, issue: FileReader, type_name: str | None) -> None:
    reason = (issue.maybe("state_reason", str) or issue.get("stateReason", str, "")).casefold()
    reactions = FileReader(issue.value.get("reactions") or {}, issue.path("reactions"))
    groups = [FileReader(one.value.get("users") or {}, "users") for one in issue.objects("reactionGroups")]
    waits = FileReader(issue.value.get("issue_dependencies_summary") or {}, "issue_dependencies_summary")
    for name, count in (
        ("milestones", issue.value.get("milestone") is not None),
        ("locked conversations", issue.get("locked", bool, False)),
        ("pins", issue.get("isPinned", bool, False)),
        (
            "reactions",
            reactions.get("total_count", int, 0) + sum(int(one.number("totalCount")) for one in groups),
        ),
        ("places in projects", len(issue.objects("projectItems")) + len(issue.objects("projectCards"))),
        ("authors of issues", bool(issue.value.get("user") or issue.value.get("author"))),
        ("dependencies between issues (the list tells only how many)", int(waits.number("total_blocked_by"))),
        ("types of issues", bool(type_name) and validation.folded(type_name or "") not in TYPES),
    ):
        file.left[name] += count
    if reason in ("not_planned", "duplicate"):
        words = reason.replace("_", " ")
        file.left[f"reasons why issues are closed: {words} (they are in Done)"] += 1


def _count_missing_children(file: BoardFile, issues: list[FileReader]) -> None:
    """Count the sub-issues that the list promises and does not have."""
    children = Counter(card.parent_key for card in file.cards)
    for issue in {_key_of(issue): issue for issue in issues}.values():
        summary = FileReader(issue.value.get("sub_issues_summary") or {}, issue.path("sub_issues_summary"))
        missing = int(summary.number("total")) - children[_key_of(issue)]
        file.left["sub-issues that the file does not name"] += max(0, missing)
