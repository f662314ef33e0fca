"""Make a board of another system acceptable to the actions: an odd entry is mended or left out, and counted.

The actions refuse what a client sends wrong. Nobody can correct an export, so one odd entry must not
refuse a board.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime, tzinfo

from actions import validation
from actions.label import MAX_FOLDED_LENGTH
from actions.transfer.board_file import (
    GREY,
    BoardFile,
    FileCard,
    FileColumn,
    FileLabel,
    FileLink,
    FileMessage,
    FileSubtask,
    UnreadableFile,
    standard_columns,
)
from actions.transfer.stage_names import STAGE_OF_NAME, squeezed, stage_named
from models.board import MAX_COLUMNS, MAX_WIP_LIMIT
from models.card import MAX_ASSIGNEES, MAX_CHILDREN, MAX_LABELS, MAX_LINKS, MAX_SUBTASKS, LinkKind
from models.message import MAX_MESSAGE_LENGTH, STRANGER
from models.refusal import Invalid
from models.stage import Stage

DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # characters that turn the direction of writing
MAX_FOOTER_LENGTH = 10_000  # characters under a description
MAX_STORY_POINTS = 99


def mend_board(file: BoardFile, zone: tzinfo | None, zone_name: str) -> None:
    """Change a board of another system so that no action refuses it; `None` is the machine's time zone."""
    file.name = line_of(file, file.name, 100, "names") or "Imported"
    file.description = text_of(file, file.description, validation.PROSE, "descriptions")
    _mend_columns(file)
    labels = _mend_labels(file)
    for card in file.cards:
        _mend_card(file, card, labels)
        if card.due_at is not None:
            card.due_on = _day_of(file, card.due_at, zone)
        if card.due_on is not None and card.due_on.year < 1970:
            card.due_on = None
            file.left["due dates before 1970"] += 1
    if any(card.due_at is not None for card in file.cards):
        file.notes.append(f"due times are read as days in the time zone {zone_name} (--zone changes it)")
    _tie_cards(file)


def set_stages(file: BoardFile, stages: Mapping[str, Stage]) -> None:
    """Set the stage of each column: as `stages` says by name, as the file says, or as the name means.

    Raises UnreadableFile if no column has a name of `stages`.
    """
    wanted = {squeezed(name) or name.strip(): (name, stage) for name, stage in stages.items()}
    for column in file.columns:
        override = wanted.get(squeezed(column.name) or column.name.strip())
        if override is not None:
            column.stage = override[1]
        elif not column.is_stage_given:
            stage = stage_named(column.name)
            column.stage = stage or Stage.BACKLOG
            if stage is None or squeezed(column.name) not in STAGE_OF_NAME:
                name = " ".join(column.name.split())[:50]
                file.notes.append(
                    f"the list “{name}” is read as stage {column.stage.name} (--stage changes it)"
                )
    names = {squeezed(column.name) or column.name.strip() for column in file.columns}
    for key, (name, _) in wanted.items():
        if key not in names:
            known = ", ".join(f"“{' '.join(column.name.split())[:50]}”" for column in file.columns)
            raise UnreadableFile(f"has no list “{name[:50]}” for --stage; its lists are {known[:500]}")


def line_of(file: BoardFile, text: str | None, most: int, what: str) -> str:
    """Return one line of at most `most` characters, or an empty text if nothing in it is visible."""
    line = " ".join(validation.UNMEANT.sub("", text or "").split())
    if len(line) > most:
        file.mended[f"{what} cut at {most} characters"] += 1
        line = line[: most - 1].rstrip() + "…"
    for mended in (line, " ".join(DIRECTIONS.sub("", line).split())):
        try:
            checked = validation.single_line(what, mended, most)
        except Invalid:
            continue
        if mended != line:
            file.mended[f"{what} that turned the direction of writing"] += 1
        return checked
    return ""


def text_of(file: BoardFile, text: str | None, most: int, what: str) -> str:
    """Return a text without control characters, of at most `most` characters."""
    text = validation.UNMEANT.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(text) <= most:
        return text
    file.mended[f"{what} cut at {most} characters"] += 1
    return text[: most - 1].rstrip() + "…"


def _mend_columns(file: BoardFile) -> None:
    """Keep the first columns; the cards of closed and of further lists go to a kept one of the same stage."""
    order = list(range(len(file.columns)))
    if file.sorts_columns:
        order.sort(key=lambda at: list(Stage).index(file.columns[at].stage))
    opened = [at for at in order if not file.columns[at].is_closed]
    kept = [file.columns[at] for at in opened[:MAX_COLUMNS]] or standard_columns()
    places = {at: place for place, at in enumerate(opened[:MAX_COLUMNS])}
    for at in order:
        if at not in places:
            column = file.columns[at]
            same = [place for place, one in enumerate(kept) if one.stage is column.stage]
            places[at] = same[0 if column.is_closed else -1] if same else 0
            if not column.is_closed:
                file.mended[f"lists beyond {MAX_COLUMNS} columns (their cards are in another)"] += 1
                name = " ".join(column.name.split())[:50]
                file.notes.append(f"the cards of the list “{name}” are in “{kept[places[at]].name[:50]}”")
    for card in file.cards:
        card.archived = card.archived or file.columns[card.column].is_closed
        card.column = places[card.column]
    file.mended["closed lists (their cards are archived)"] += sum(c.is_closed for c in file.columns)
    file.cards.sort(key=lambda card: card.column)
    file.columns = [_mend_column(file, column) for column in kept]


def _mend_column(file: BoardFile, column: FileColumn) -> FileColumn:
    name = line_of(file, column.name, 50, "names of lists")
    if not name:
        file.mended["lists without a visible name (now “List”)"] += 1
    limit = column.wip_limit
    if limit is not None and not 1 <= limit <= MAX_WIP_LIMIT:
        file.left[f"WIP limits that are not 1 to {MAX_WIP_LIMIT}"] += 1
        limit = None
    return FileColumn(name or "List", column.stage, limit)


def _mend_labels(file: BoardFile) -> dict[str, FileLabel]:
    """Return the labels by their folded names; labels of one name become one."""
    labels: dict[str, FileLabel] = {}
    for label in file.labels:
        name = _name_of_label(file, label.name)
        if validation.folded(name) in labels:
            file.mended["labels whose name another has (they became one)"] += 1
            continue
        colour = label.colour if validation.COLOUR.fullmatch(label.colour) else GREY
        labels[validation.folded(name)] = FileLabel(name, colour)
    for card in file.cards:
        quiet = BoardFile("", "")  # a label is counted once, not on each card
        for name in (_name_of_label(quiet, name) for name in card.labels):
            labels.setdefault(validation.folded(name), FileLabel(name, GREY))
    file.labels = list(labels.values())
    return labels


def _name_of_label(file: BoardFile, name: str) -> str:
    name = line_of(file, name, 50, "names of labels") or "label"
    while len(validation.folded(name)) > MAX_FOLDED_LENGTH:
        name = name[:-1].rstrip()
    return name


def _mend_card(file: BoardFile, card: FileCard, labels: dict[str, FileLabel]) -> None:
    card.title = line_of(file, card.title, 255, "titles")
    if not card.title:
        card.title = "(no title)"
        file.mended["titles without a visible character (now “(no title)”)"] += 1
    footer = _footer_of(file, card)
    most = validation.PROSE - len(footer) - 2
    card.description = f"{text_of(file, card.description, most, 'descriptions')}\n\n{footer}".strip()
    quiet = BoardFile("", "")
    names = dict.fromkeys(validation.folded(_name_of_label(quiet, name)) for name in card.labels)
    card.labels = _first(file, [labels[name].name for name in names], MAX_LABELS, "labels")
    people = {validation.folded(name): name for name in reversed(card.assignees) if name.strip()}
    card.assignees = _first(file, list(reversed(people.values())), MAX_ASSIGNEES, "people")
    card.subtasks = [
        _mend_subtask(file, subtask)
        for subtask in _first(file, card.subtasks, MAX_SUBTASKS, "checklist items")
    ]
    if card.story_points is not None and not 0 <= card.story_points <= MAX_STORY_POINTS:
        card.story_points = None
        file.left[f"estimates that are not 0 to {MAX_STORY_POINTS}"] += 1
    comments = [_mend_comment(file, comment) for comment in card.comments]
    card.comments = [comment for comment in comments if comment.body]
    file.left["comments without text"] += len(comments) - len(card.comments)


def _footer_of(file: BoardFile, card: FileCard) -> str:
    lines, length = [], 0
    for line in (text_of(file, line, 2_000, "links under descriptions") for line in card.footer):
        length += len(line) + 1
        if length > MAX_FOOTER_LENGTH:
            file.left[f"links beyond {MAX_FOOTER_LENGTH} characters under a description"] += 1
        else:
            lines.append(line)
    return "\n".join(lines)


def _mend_subtask(file: BoardFile, subtask: FileSubtask) -> FileSubtask:
    title = line_of(file, subtask.title, 255, "checklist items")
    if not title:
        file.mended["checklist items without a visible character (now “(no title)”)"] += 1
    phase = line_of(file, subtask.phase, 80, "names of checklists") or None
    return FileSubtask(title or "(no title)", subtask.completed, phase)


def _mend_comment(file: BoardFile, comment: FileMessage) -> FileMessage:
    author = " ".join((comment.author or "").split())
    if author:
        author = line_of(file, author, STRANGER, "names of authors")
        file.left["authors without a visible name"] += not author
    body = text_of(file, comment.body, MAX_MESSAGE_LENGTH, "comments")
    return FileMessage(body, author or None, comment.at, comment.kind)


def _first(file: BoardFile, values: list, most: int, what: str) -> list:  # type: ignore[type-arg]
    """Return the first `most` values; the rest is counted."""
    file.left[f"{what} beyond the first {most} of a card"] += len(values[most:])
    return values[:most]


def _day_of(file: BoardFile, moment: datetime, zone: tzinfo | None) -> date | None:
    """Return the day of a moment in a time zone."""
    try:
        local = moment.astimezone(zone)
    except (OverflowError, ValueError, OSError):  # the first and the last day of the calendar
        file.left["due dates outside the calendar"] += 1
        return None
    file.left["hours of due dates"] += (local.hour, local.minute) != (0, 0)
    return local.date()


def _tie_cards(file: BoardFile) -> None:
    """Number the cards, and set parents and links by the numbers."""
    numbers: dict[str, int] = {}
    for number, card in enumerate(file.cards, 1):
        card.number = number
        if card.key is not None:
            numbers.setdefault(card.key, number)
    parents: dict[int, int] = {}
    children = Counter[int]()
    for number, card in enumerate(file.cards, 1):
        if card.parent_key is None:
            continue
        parent = numbers.get(card.parent_key)
        if parent is None:
            file.left["parents that are not in the file"] += 1
        elif _leads_to(parents, parent, number):
            file.left["parents in a circle"] += 1
        elif children[parent] >= MAX_CHILDREN:
            file.left[f"parents of more than {MAX_CHILDREN} cards"] += 1
        else:
            card.parent = parents[number] = parent
            children[parent] += 1
    _link_cards(file, numbers)


def _leads_to(parents: dict[int, int], start: int, goal: int) -> bool:
    """Return whether the goal is the start or above it."""
    at: int | None = start
    while at is not None and at != goal:
        at = parents.get(at)
    return at == goal


def _link_cards(file: BoardFile, numbers: dict[str, int]) -> None:
    blocks: dict[int, set[int]] = defaultdict(set)
    links: dict[frozenset[int], FileLink] = {}
    counts = Counter[int]()
    for key, target_key, kind in sorted(
        file.relations, key=lambda relation: list(LinkKind).index(relation[2])
    ):
        if key not in numbers or target_key not in numbers:
            file.left["links to issues that are not in the file"] += 1
            continue
        link = FileLink(numbers[key], numbers[target_key], kind)
        pair = frozenset((link.card, link.target))
        same = links.get(pair)
        if same == link or (same and kind is same.kind is LinkKind.RELATED):
            continue  # each side of a link names it
        if link.card == link.target:
            file.left["links of an issue to itself"] += 1
        elif kind is LinkKind.BLOCKS and _is_reachable(blocks, link.target, link.card):
            file.left["links that block in a circle"] += 1
        elif same:
            file.left["links between issues that another links (one is kept)"] += 1
        elif max(counts[link.card], counts[link.target]) >= MAX_LINKS:
            file.left[f"links beyond {MAX_LINKS} of a card"] += 1
        else:
            if kind is LinkKind.BLOCKS:
                blocks[link.card].add(link.target)
            links[pair] = link
            counts.update(pair)
    file.links = list(links.values())


def _is_reachable(edges: dict[int, set[int]], start: int, goal: int) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        following = edges[waiting.pop()] - seen
        if goal in following:
            return True
        seen |= following
        waiting += following
    return False
