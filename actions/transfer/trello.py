"""A board as Trello exports it (Menu, Print, export and share, Export as JSON), also of older years."""

from collections import defaultdict
from typing import Any

from actions.transfer.board_file import (
    GREY,
    BoardFile,
    FileCard,
    FileColumn,
    FileLabel,
    FileMessage,
    FileReader,
    FileSubtask,
    priority_of,
)

COLOURS = {
    "green": "#61BD4F",
    "yellow": "#F2D600",
    "orange": "#FF9F1A",
    "red": "#EB5A46",
    "purple": "#C377E0",
    "blue": "#0079BF",
    "sky": "#00C2E0",
    "lime": "#51E898",
    "pink": "#FF78CB",
    "black": "#344563",
}
COMMENTS = {"commentCard", "copyCommentCard"}


def read_trello(value: dict[str, Any]) -> BoardFile:
    """Read a board. Raises UnreadableFile."""
    board = FileReader(value, "")
    file = BoardFile(name=board.get("name", str), source="a Trello board", is_foreign=True)
    file.description = board.get("desc", str, "")
    columns = _read_columns(file, board)
    labels = _read_labels(file, board)
    people = {
        one.get("id", str): one.maybe("username", str) or one.get("fullName", str, "")
        for one in board.objects("members")
    }
    cards = sorted(board.objects("cards"), key=lambda card: card.number("pos"))
    ids = {card.get("id", str) for card in cards}
    subtasks, comments = _read_checklists(file, board, ids), _read_comments(file, board, ids, people)
    file.read["cards"] = len(cards)
    for card in cards:
        column = columns.get(card.get("idList", str))
        if column is None:
            file.left["cards of lists that are not in the file"] += 1
            continue
        file_card = _read_card(file, card, column)
        file_card.labels = _labels_of(file, card, labels, board)
        file_card.priority = priority_of(file_card.labels)
        file_card.assignees = [people.get(one) or one for one in card.strings("idMembers")]
        file_card.subtasks = subtasks[card.get("id", str)]
        file_card.comments = comments[card.get("id", str)]
        _count_missing(file, card, file_card)
        file.cards.append(file_card)
    for name, what in (("customFields", "custom fields"), ("pluginData", "plug-in data")):
        file.left[what] += len(board.get(name, list, []))
    file.left["that the board is closed"] += board.get("closed", bool, False)
    return file


def _read_columns(file: BoardFile, board: FileReader) -> dict[str, int]:
    """Return the index of each list's column by the list's id."""
    columns = {}
    for one in sorted(board.objects("lists"), key=lambda one: one.number("pos")):
        columns[one.get("id", str)] = len(file.columns)
        limit = one.number("softLimit")
        file.columns.append(
            FileColumn(
                one.get("name", str),
                wip_limit=int(limit) if limit else None,
                is_closed=one.get("closed", bool, False),
                is_stage_given=False,
            )
        )
    file.read["lists"] = len(columns)
    return columns


def _read_labels(file: BoardFile, board: FileReader) -> dict[str, str]:
    """Return the names of the board's labels by their ids."""
    names = {}
    for label in board.objects("labels"):
        names[label.get("id", str)] = _add_label(file, label, board)
    file.read["labels"] = len(names)
    return names


def _add_label(file: BoardFile, label: FileReader, board: FileReader) -> str:
    """Add a label to the file. One without a name has the name of its color."""
    colour = label.get("color", str, "")
    by_colour = FileReader(board.value.get("labelNames") or {}, "labelNames")
    name = label.get("name", str, "").strip() or by_colour.get(colour, str, "").strip()
    name = name or colour.replace("_", " ") or "label"
    file.labels.append(FileLabel(name, COLOURS.get(colour.split("_")[0], GREY)))
    return name


def _labels_of(file: BoardFile, card: FileReader, labels: dict[str, str], board: FileReader) -> list[str]:
    """Return the names of a card's labels: by id, or as older exports have them, in the card itself."""
    names, own = [], {}
    for label in card.objects("labels"):
        id = label.get("id", str, "") or f"{label.get('color', str, '')} {label.get('name', str, '')}"
        if id not in labels:
            labels[id] = _add_label(file, label, board)
        own[id] = labels[id]
    for id in card.strings("idLabels"):
        if id in labels:
            names.append(labels[id])
        else:
            file.left["labels of cards that are not in the file"] += 1
    return list(dict.fromkeys([*names, *own.values()]))


def _read_card(file: BoardFile, card: FileReader, column: int) -> FileCard:
    attachments = card.objects("attachments")
    cover = FileReader(card.value.get("cover") or {}, card.path("cover"))
    has_cover = any(cover.value.get(name) for name in ("color", "idAttachment", "idUploadedBackground"))
    file.left["votes"] += len(card.get("idMembersVoted", list, []))
    file.left["values of custom fields"] += len(card.get("customFieldItems", list, []))
    file.left["stickers"] += len(card.get("stickers", list, []))
    file.left["start dates"] += card.value.get("start") is not None
    file.left["due dates ticked as complete"] += card.get("dueComplete", bool, False)
    file.left["covers"] += has_cover or card.value.get("idAttachmentCover") is not None
    file.left["locations"] += bool(card.value.get("coordinates") or card.value.get("address"))
    file.left["marks of templates"] += card.get("isTemplate", bool, False)
    return FileCard(
        title=card.get("name", str),
        column=column,
        description=card.get("desc", str, ""),
        due_at=card.moment("due"),
        archived=card.get("closed", bool, False),
        footer=_attachments_of(file, attachments),
    )


def _attachments_of(file: BoardFile, attachments: list[FileReader]) -> list[str]:
    lines = []
    for attachment in attachments:
        address = attachment.get("url", str, "").strip()
        name = attachment.get("name", str, "").strip() or address
        if address:
            lines.append(link_line(name, address))
        else:
            file.left["attachments without an address"] += 1
    file.mended["attachments (they are links under the description, not copies)"] += len(lines)
    return ["Attachments:", *lines] if lines else []


def link_line(name: str, address: str) -> str:
    """Return an item of a Markdown list that is a link; a name of its own letters cannot end the link."""
    name = " ".join(name.split())[:255].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    is_plain = address.startswith(("https://", "http://")) and not set(address) & set(" ()<>\n\t")
    return f"- [{name}]({address})" if is_plain else f"- {name}: {' '.join(address.split())}"


def _count_missing(file: BoardFile, card: FileReader, read: FileCard) -> None:
    """Count what the card's badges promise and the file does not have."""
    badges = FileReader(card.value.get("badges") or {}, card.path("badges"))
    for name, there, what in (
        (
            "comments",
            len(read.comments),
            "comments that the file lacks (Trello exports the last 1,000 actions)",
        ),
        ("attachments", len(card.get("attachments", list, [])), "attachments that the file lacks"),
        ("checkItems", len(read.subtasks), "checklist items that the file lacks"),
    ):
        file.left[what] += max(0, int(badges.number(name)) - there)


def _read_checklists(file: BoardFile, board: FileReader, ids: set[str]) -> dict[str, list[FileSubtask]]:
    """Return the items of all checklists of each card; a checklist is a phase."""
    subtasks: dict[str, list[FileSubtask]] = defaultdict(list)
    for checklist in sorted(board.objects("checklists"), key=lambda one: one.number("pos")):
        items = sorted(checklist.objects("checkItems"), key=lambda one: one.number("pos"))
        card, phase = checklist.get("idCard", str), checklist.get("name", str, "")
        file.read["checklist items"] += len(items)
        if card not in ids:
            file.left["checklists of cards that are not in the file"] += 1
            continue
        file.left["checklists without items"] += not items
        for item in items:
            file.left["due dates of checklist items"] += item.value.get("due") is not None
            file.left["people of checklist items"] += item.value.get("idMember") is not None
            subtasks[card].append(
                FileSubtask(item.get("name", str), item.get("state", str, "") == "complete", phase)
            )
    return subtasks


def _read_comments(
    file: BoardFile, board: FileReader, ids: set[str], people: dict[str, str]
) -> dict[str, list[FileMessage]]:
    """Return the comments of each card, oldest first. Other actions are history and are not carried over."""
    comments: dict[str, list[FileMessage]] = defaultdict(list)
    for action in board.objects("actions"):
        if action.get("type", str, "") not in COMMENTS:
            file.left["entries of Trello's own history"] += 1
            continue
        file.read["comments"] += 1
        data = FileReader(action.value.get("data"), action.path("data"))
        card = FileReader(data.value.get("card") or {}, data.path("card")).get("id", str, "")
        if card not in ids:
            file.left["comments of cards that are not in the file"] += 1
            continue
        author = _author_of(action, people)
        file.left["authors of comments that are not in the file"] += author is None
        comments[card].append(FileMessage(data.get("text", str, ""), author, action.moment("date")))
    for messages in comments.values():
        messages.sort(key=lambda one: one.at.timestamp() if one.at else 0)
    return comments


def _author_of(action: FileReader, people: dict[str, str]) -> str | None:
    """Return the name of a comment's author; older actions have the id of a member only."""
    member = FileReader(action.value.get("memberCreator") or {}, action.path("memberCreator"))
    name = member.maybe("username", str) or member.maybe("fullName", str)
    return name or people.get(action.get("idMemberCreator", str, "")) or None
