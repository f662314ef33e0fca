"""Issues of GitHub: the response of GET /repos/{owner}/{repo}/issues?state=all, one page or several joined."""

import re
from typing import Any

from actions import validation
from actions.transfer.board_file import (
    BoardFile,
    FileCard,
    FileLabel,
    FileReader,
    UnreadableFile,
    first_of,
    fit_text,
    priority_of,
    standard_columns,
)
from actions.transfer.trello import GREY
from models.card import MAX_ASSIGNEES, MAX_LABELS, CardType
from models.stage import Stage

# Types of cards by the names of labels.
TYPES = {"bug": CardType.BUG, "documentation": CardType.DOCS, "docs": CardType.DOCS, "chore": CardType.CHORE}


def read_github(value: list[Any], name: str) -> BoardFile:
    """Read a list of issues: closed ones are DONE, others BACKLOG. Raises UnreadableFile."""
    issues = [FileReader(one, f"[{index}]") for index, one in enumerate(value)]
    if not issues:
        raise UnreadableFile("is an empty list: there is nothing in it")
    made = BoardFile(name=name, source="GitHub issues", columns=standard_columns())
    made.name = fit_text(made, _repository(issues[0]) or name, 100, "names") or "Issues"
    stages = [lane.stage for lane in made.columns]
    marks: dict[str, FileLabel] = {}
    cards = []
    for issue in issues:
        if "pull_request" in issue.value:
            made.left["pull requests"] += 1
            continue
        closed = issue.get("state", str) == "closed"
        cards.append(_card(made, issue, stages.index(Stage.DONE if closed else Stage.BACKLOG), marks))
    made.cards = [card for _, card in sorted(cards, key=lambda pair: (pair[1].column, pair[0]))]
    made.labels = list(marks.values())
    return made


def _repository(issue: FileReader) -> str | None:
    """Return the name of the repository from the URL of an issue."""
    found = re.search(r"/repos/([^/]+/[^/]+)", issue.get("repository_url", str, ""))
    return found[1] if found else None


def _card(
    made: BoardFile, issue: FileReader, column: int, marks: dict[str, FileLabel]
) -> tuple[int, FileCard]:
    number, labels = issue.get("number", int), []
    for label in issue.get("labels", list, []):
        mark = _label(made, label, issue)
        labels.append(marks.setdefault(validation.folded(mark.name), mark).name)
    comments = issue.get("comments", int, 0)
    for name, count in (
        ("comments (the list tells only how many)", comments),
        ("milestones", issue.value.get("milestone") is not None),
        ("locked conversations", issue.get("locked", bool, False)),
        (
            "reactions",
            FileReader(issue.value.get("reactions") or {}, issue.path("reactions")).get(
                "total_count", int, 0
            ),
        ),
    ):
        made.left[name] += count
    text = fit_text(made, issue.maybe("body", str), validation.PROSE - 200, "descriptions")
    address = issue.get("html_url", str, "")
    source = (
        f"GitHub issue [#{number}]({address})"
        if address.startswith("https://")
        else f"GitHub issue #{number}"
    )
    names = [validation.folded(name) for name in labels]
    card = FileCard(
        title=fit_text(made, " ".join(issue.get("title", str).split()), 255, "titles") or "(no title)",
        column=column,
        description=f"{text}\n\n{source[:190]}".strip(),
        type=next((TYPES[name] for name in names if name in TYPES), CardType.FEATURE),
        priority=priority_of(labels),
        labels=first_of(made, list(dict.fromkeys(labels)), MAX_LABELS, "labels"),
        assignees=first_of(
            made, [one.get("login", str) for one in issue.objects("assignees")], MAX_ASSIGNEES, "people"
        ),
    )
    return number, card


def _label(made: BoardFile, label: Any, issue: FileReader) -> FileLabel:
    """Read a label; old responses have its name only."""
    if isinstance(label, str):
        label = {"name": label}
    read = FileReader(label, issue.path("labels"))
    colour = f"#{read.get('color', str, '')}".upper()
    name = fit_text(made, read.get("name", str), 50, "names of labels") or "label"
    return FileLabel(name, colour if validation.COLOUR.fullmatch(colour) else GREY)
