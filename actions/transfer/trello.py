"""A board as Trello exports it (Menu, Print, export and share, Export as JSON)."""

from typing import Any

from actions import validation
from actions.transfer.board_file import (
    BoardFile,
    FileCard,
    FileColumn,
    FileLabel,
    FileMessage,
    FileReader,
    FileSubtask,
    first_of,
    fit_text,
    priority_of,
    stage_named,
    standard_columns,
)
from models.card import MAX_LABELS, MAX_SUBTASKS
from models.message import MAX_MESSAGE_LENGTH
from models.stage import Stage

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
GREY = "#B3BAC5"  # of a label without a colour


def read_trello(value: Any) -> BoardFile:
    board = FileReader(value, "")
    made = BoardFile(name="", source="a Trello board")
    made.name = fit_text(made, board.get("name", str), 100, "names") or "Trello"
    made.description = fit_text(made, board.get("desc", str, ""), validation.PROSE, "descriptions")
    lanes, closed = _columns(made, board)
    labels = _labels(made, board)
    people = {one.get("id", str): one.get("username", str, "") for one in board.objects("members")}
    steps, said = _checklists(made, board), _comments(made, board)
    cards = sorted(board.objects("cards"), key=lambda card: card.number("pos"))
    for card in sorted(cards, key=lambda card: lanes.get(card.get("idList", str), 0)):
        lane = lanes.get(card.get("idList", str))
        if lane is None:
            made.left["cards of lists that are not in the file"] += 1
            continue
        file_card = _card(made, card, lane)
        file_card.archived = card.get("closed", bool, False) or card.get("idList", str) in closed
        marks = [labels[one] for one in card.strings("idLabels") if one in labels]
        file_card.priority = priority_of(marks)
        file_card.labels = first_of(made, list(dict.fromkeys(marks)), MAX_LABELS, "labels")
        file_card.assignees = [people.get(one) or one for one in card.strings("idMembers")]
        file_card.subtasks = first_of(
            made, steps.get(card.get("id", str), []), MAX_SUBTASKS, "checklist items"
        )
        file_card.comments = said.get(card.get("id", str), [])
        made.cards.append(file_card)
    for name, what in (("customFields", "custom fields"), ("pluginData", "plug-in data")):
        made.left[what] += len(board.get(name, list, []))
    return made


def _columns(made: BoardFile, board: FileReader) -> tuple[dict[str, int], set[str]]:
    """Return the index of each list's column, and the ids of closed lists.

    A closed list becomes no column: its cards are archived in a column of the stage that its name means.
    """
    lists = sorted(board.objects("lists"), key=lambda one: one.number("pos"))
    lanes: dict[str, int] = {}
    for one in (one for one in lists if not one.get("closed", bool, False)):
        name = fit_text(made, one.get("name", str), 50, "names of lists") or "List"
        stage = stage_named(name)
        if stage is None:
            made.notes.append(f"the list “{name}” is read as stage BACKLOG")
        lanes[one.get("id", str)] = len(made.columns)
        made.columns.append(FileColumn(name, stage or Stage.BACKLOG))
    made.columns = made.columns or standard_columns()
    stages = [lane.stage for lane in made.columns]
    closed = {
        one.get("id", str): stage_named(one.get("name", str))
        for one in lists
        if one.get("closed", bool, False)
    }
    for id, stage in closed.items():
        lanes[id] = stages.index(stage) if stage in stages else 0
    made.left["closed lists (their cards are archived)"] += len(closed)
    return lanes, set(closed)


def _labels(made: BoardFile, board: FileReader) -> dict[str, str]:
    names = {}
    for label in board.objects("labels"):
        colour = label.get("color", str, "")
        name = fit_text(made, label.get("name", str, ""), 50, "names of labels") or colour or "label"
        names[label.get("id", str)] = name
        made.labels.append(FileLabel(name, COLOURS.get(colour.split("_")[0], GREY)))
    return names


def _card(made: BoardFile, card: FileReader, lane: int) -> FileCard:
    due, title = card.moment("due"), card.get("name", str)
    text = fit_text(made, card.get("desc", str, ""), validation.PROSE, "descriptions")
    made.left["attachments"] += len(card.get("attachments", list, []))
    made.left["votes"] += len(card.get("idMembersVoted", list, []))
    made.left["values of custom fields"] += len(card.get("customFieldItems", list, []))
    made.left["stickers"] += len(card.get("stickers", list, []))
    made.left["start dates"] += card.value.get("start") is not None
    made.left["hours of due dates"] += due is not None
    made.left["due dates ticked as complete"] += card.get("dueComplete", bool, False)
    made.left["covers"] += card.value.get("idAttachmentCover") is not None
    title = fit_text(made, " ".join(title.split()), 255, "titles") or "(no title)"
    return FileCard(title=title, column=lane, description=text, due_on=due.date() if due else None)


def _checklists(made: BoardFile, board: FileReader) -> dict[str, list[FileSubtask]]:
    """Return the items of all checklists of each card; a checklist is a phase."""
    steps: dict[str, list[FileSubtask]] = {}
    for checklist in sorted(board.objects("checklists"), key=lambda one: one.number("pos")):
        card = steps.setdefault(checklist.get("idCard", str), [])
        phase = (
            fit_text(made, " ".join(checklist.get("name", str, "").split()), 80, "names of checklists")
            or None
        )
        for item in sorted(checklist.objects("checkItems"), key=lambda one: one.number("pos")):
            title = (
                fit_text(made, " ".join(item.get("name", str).split()), 255, "checklist items")
                or "(no title)"
            )
            made.left["due dates of checklist items"] += item.value.get("due") is not None
            made.left["people of checklist items"] += item.value.get("idMember") is not None
            card.append(FileSubtask(title, item.get("state", str, "") == "complete", phase))
    return steps


def _comments(made: BoardFile, board: FileReader) -> dict[str, list[FileMessage]]:
    """Return the comments of each card, oldest first. Other actions are history and are not carried over."""
    said: dict[str, list[FileMessage]] = {}
    for action in board.objects("actions"):
        if action.get("type", str, "") != "commentCard":
            made.left["entries of Trello's own history"] += 1
            continue
        data = FileReader(action.value.get("data"), action.path("data"))
        card = FileReader(data.value.get("card"), data.path("card")).get("id", str)
        by = action.value.get("memberCreator")
        author = FileReader(by, action.path("memberCreator")).maybe("username", str) if by else None
        body = fit_text(made, data.get("text", str, ""), MAX_MESSAGE_LENGTH, "comments")
        if body:
            said.setdefault(card, []).append(FileMessage(body, author, action.moment("date")))
    for comments in said.values():
        comments.sort(key=lambda one: one.at.timestamp() if one.at else 0)
    return said
