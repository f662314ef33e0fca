"""The format of Signalbox: readable JSON with a version, identical for an identical board."""

import json
from typing import Any

from actions.transfer.board_file import (
    BoardFile,
    FileAttachment,
    FileCard,
    FileColumn,
    FileGroup,
    FileKnowledge,
    FileLabel,
    FileLink,
    FileMessage,
    FilePlannedFile,
    FileReader,
    FileSubtask,
    UnreadableFile,
)
from actions.transfer.board_parts import parts_as_json, read_parts
from models.card import CardSize, CardType, LinkKind
from models.knowledge import KnowledgeKind
from models.message import MessageKind
from models.planned_file import ArtifactKind, FileAction, PlannedFileStatus
from models.review import Origin, ReviewState
from models.stage import Law, Stage

FORMAT = "signalbox/1"


def read_native(value: dict[str, Any]) -> BoardFile:
    """Read a board. Raises UnreadableFile."""
    file = FileReader(value, "")
    if value["format"] != FORMAT:
        raise UnreadableFile(f"has format {str(value['format'])[:40]!r}; this program reads {FORMAT}")
    board = FileReader(value.get("board"), "board")
    made = BoardFile(
        name=board.get("name", str),
        source="a Signalbox board",
        key=board.maybe("key", str),
        description=board.get("description", str, ""),
        law=board.one_of("law", Law, Law.PIPELINE),
        columns=[_read_column(one) for one in board.objects("columns")],
        labels=[FileLabel(one.get("name", str), one.get("colour", str)) for one in file.objects("labels")],
        groups=[_read_group(one, index) for index, one in enumerate(file.objects("groups"))],
    )
    if not made.columns:
        raise board.wrong("columns", "must name one column or more")
    made.cards = [_read_card(one, len(made.columns), len(made.groups)) for one in file.objects("cards")]
    numbers = [card.number for card in made.cards]
    if len(set(numbers)) != len(numbers):
        raise UnreadableFile("cards must have different numbers")
    made.links = [_read_link(one) for one in file.objects("links")]
    for number in (*(link.card for link in made.links), *(link.target for link in made.links)):
        if number not in numbers:
            raise UnreadableFile(f"links name card {number}, which is not in the file")
    for card in made.cards:
        if card.parent is not None and card.parent not in numbers:
            raise UnreadableFile(f"card {card.number} has the parent {card.parent}, which is not in the file")
    read_parts(made, file)
    return made


def _read_column(one: FileReader) -> FileColumn:
    return FileColumn(one.get("name", str), one.one_of("stage", Stage), one.maybe("wipLimit", int))


def _read_group(one: FileReader, before: int) -> FileGroup:
    parent = _place(one, "parent", before)
    return FileGroup(one.get("title", str), one.get("colour", str), one.get("description", str, ""), parent)


def _place(one: FileReader, name: str, count: int) -> int | None:
    """Return the index of one of `count` things that a file numbers from 1, or None."""
    place = one.maybe(name, int)
    if place is not None and not 1 <= place <= count:
        raise one.wrong(name, f"must be 1 to {count}" if count else "names a group that is not before it")
    return None if place is None else place - 1


def _read_card(one: FileReader, columns: int, groups: int) -> FileCard:
    column, number = one.get("column", int), one.get("number", int)
    if not 1 <= column <= columns:
        raise one.wrong("column", f"must be 1 to {columns}")
    if not 1 <= number <= 10**9:
        raise one.wrong("number", "must be 1 or more")
    size = one.one_of("size", CardSize) if one.value.get("size") is not None else None
    return FileCard(
        title=one.get("title", str),
        column=column - 1,
        number=number,
        description=one.get("description", str, ""),
        type=one.one_of("type", CardType, CardType.FEATURE),
        priority=one.priority("priority"),
        size=size,
        story_points=one.maybe("storyPoints", int),
        due_on=one.day("dueOn"),
        parent=one.maybe("parent", int),
        group=_place(one, "group", groups),
        archived=one.get("archived", bool, False),
        labels=one.strings("labels"),
        assignees=one.strings("assignees"),
        subtasks=[_read_subtask(step) for step in one.objects("subtasks")],
        knowledge=[_read_knowledge(item) for item in one.objects("knowledge")],
        planned_files=[_read_planned_file(file) for file in one.objects("plannedFiles")],
        approved_at=one.moment("approvedAt"),
        approved_by=one.maybe("approvedBy", str),
        files=[_read_file(file) for file in one.objects("files")],
        comments=[_read_comment(comment) for comment in one.objects("comments")],
    )


def _read_subtask(one: FileReader) -> FileSubtask:
    phase, order = one.maybe("phase", str), one.maybe("phaseOrder", int)
    return FileSubtask(one.get("title", str), one.get("completed", bool, False), phase, order)


def _read_knowledge(one: FileReader) -> FileKnowledge:
    return FileKnowledge(
        kind=one.one_of("kind", KnowledgeKind),
        text=one.get("text", str),
        state=one.one_of("state", ReviewState, ReviewState.DRAFT),
        origin=one.one_of("origin", Origin, Origin.IMPORT),
        evidence=one.maybe("evidence", str),
        confidence=one.fraction("confidence"),
    )


def _read_planned_file(one: FileReader) -> FilePlannedFile:
    return FilePlannedFile(
        path=one.get("path", str),
        kind=one.one_of("kind", ArtifactKind, ArtifactKind.CODE),
        action=one.one_of("action", FileAction, FileAction.EDIT),
        module=one.maybe("module", str),
        intent=one.get("intent", str, ""),
        contract=one.maybe("contract", str),
        status=one.one_of("status", PlannedFileStatus, PlannedFileStatus.PROPOSED),
    )


def _read_file(one: FileReader) -> FileAttachment:
    return FileAttachment(
        one.get("name", str), one.get("mediaType", str), one.get("size", int), one.get("sha256", str)
    )


def _read_comment(one: FileReader) -> FileMessage:
    kind = one.one_of("kind", MessageKind, MessageKind.COMMENT)
    return FileMessage(one.get("body", str), one.maybe("author", str), one.moment("at"), kind)


def _read_link(one: FileReader) -> FileLink:
    return FileLink(one.get("card", int), one.get("target", int), one.one_of("kind", LinkKind))


def write_native(exported: BoardFile) -> str:
    """Serialize a board: keys in this order, one line for each field, a final line break."""
    board = {
        "name": exported.name,
        "key": exported.key,
        "description": exported.description,
        "law": exported.law.name,
        "columns": [
            {"name": c.name, "stage": c.stage.name, "wipLimit": c.wip_limit} for c in exported.columns
        ],
    }
    whole = {
        "format": FORMAT,
        "board": board,
        "labels": [{"name": label.name, "colour": label.colour} for label in exported.labels],
        "groups": [
            {
                "title": group.title,
                "description": group.description,
                "colour": group.colour,
                "parent": None if group.parent is None else group.parent + 1,
            }
            for group in exported.groups
        ],
        "cards": [_card_as_json(card) for card in exported.cards],
        "links": [
            {"card": link.card, "target": link.target, "kind": link.kind.name} for link in exported.links
        ],
        **parts_as_json(exported),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _card_as_json(card: FileCard) -> dict[str, Any]:
    return {
        "number": card.number,
        "column": card.column + 1,
        "title": card.title,
        "description": card.description,
        "type": card.type.name,
        "priority": card.priority.name,
        "size": card.size.name if card.size else None,
        "storyPoints": card.story_points,
        "dueOn": card.due_on.isoformat() if card.due_on else None,
        "parent": card.parent,
        "group": None if card.group is None else card.group + 1,
        "archived": card.archived,
        "labels": card.labels,
        "assignees": card.assignees,
        "subtasks": [
            {"title": s.title, "completed": s.completed, "phase": s.phase, "phaseOrder": s.phase_order}
            for s in card.subtasks
        ],
        "knowledge": [
            {
                "kind": item.kind.name,
                "text": item.text,
                "state": item.state.name,
                "origin": item.origin.name,
                "evidence": item.evidence,
                "confidence": item.confidence,
            }
            for item in card.knowledge
        ],
        "plannedFiles": [
            {
                "path": file.path,
                "kind": file.kind.name,
                "action": file.action.name,
                "module": file.module,
                "intent": file.intent,
                "contract": file.contract,
                "status": file.status.name,
            }
            for file in card.planned_files
        ],
        "approvedAt": card.approved_at.isoformat() if card.approved_at else None,
        "approvedBy": card.approved_by,
        "files": [
            {"name": f.name, "mediaType": f.media_type, "size": f.size, "sha256": f.sha256}
            for f in card.files
        ],
        "comments": [
            {
                "author": c.author,
                "at": c.at.isoformat() if c.at else None,
                "kind": c.kind.name,
                "body": c.body,
            }
            for c in card.comments
        ],
    }
