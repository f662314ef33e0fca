"""Export of a board: a fixed number of reads, limited to what the actor may see."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from actions.transfer.board_file import (
    DOCUMENT_FIELDS,
    BoardFile,
    FileAnswerRule,
    FileAttachment,
    FileCard,
    FileColumn,
    FileContext,
    FileDocument,
    FileDocumentLink,
    FileGroup,
    FileKnowledge,
    FileLabel,
    FileLink,
    FileMessage,
    FilePlannedFile,
    FileSubtask,
)
from auth.permissions import sees_board
from models.account import User
from models.actor import Actor, ActorKind
from models.answer_rule import AnswerRule
from models.board import Board, BoardColumn
from models.card import Card, CardAssignee, CardLabel, CardLink, CardType, Subtask
from models.context import BoardContext
from models.document import Document, DocumentLink
from models.file import File
from models.group import Group
from models.knowledge import KnowledgeItem
from models.message import Message, said_by
from models.planned_file import PlannedFile
from models.question import Question, QuestionType
from models.refusal import NotFound
from models.run import Run, RunKind
from models.stage import Stage
from models.workspace import Label

Read = Callable[[Select[*tuple[Any, ...]]], Awaitable[Sequence[Any]]]


async def export_board(read: Read, actor: Actor, board_id: str) -> BoardFile:
    """Read a whole board with its archived cards; `left` counts what a file cannot hold. Raises NotFound."""
    boards = await read(select(Board.__table__).where(Board.id == board_id, sees_board(actor, Board.id)))
    if not boards:
        raise NotFound(board_id)
    [board] = boards
    file = BoardFile(board.name, "", key=board.key, description=board.description, law=board.law)
    columns = await read(_of(BoardColumn, board_id).order_by(BoardColumn.rank))
    places = {column.id: place for place, column in enumerate(columns)}
    file.columns = [FileColumn(column.name, column.stage, column.wip_limit) for column in columns]
    children = await _load_children(read, board_id)
    rows = await read(_of(Card, board_id))
    rows = sorted(rows, key=lambda row: (places[row.column_id], row.rank.encode()))
    numbers = {row.id: row.number for row in rows}
    groups = _in_order(await read(_of(Group, board_id)))
    place_of_group = {group.id: place for place, group in enumerate(groups)}
    file.groups = [
        FileGroup(g.title, g.colour, g.description, place_of_group.get(g.parent_id)) for g in groups
    ]
    for row in rows:
        file.cards.append(
            FileCard(
                title=row.title,
                column=places[row.column_id],
                number=row.number,
                description=row.description,
                type=row.type,
                priority=row.priority,
                size=row.size,
                story_points=row.story_points,
                due_on=row.due_on,
                parent=numbers.get(row.parent_id),
                group=place_of_group.get(row.group_id),
                archived=row.archived_at is not None,
                labels=[label.name for label in children["labels"][row.id]],
                assignees=[one.username for one in children["assignees"][row.id]],
                subtasks=[
                    FileSubtask(s.title, s.completed, s.phase, s.phase_order)
                    for s in children["subtasks"][row.id]
                ],
                knowledge=[
                    FileKnowledge(k.kind, k.text, k.state, k.origin, k.evidence, k.confidence)
                    for k in children["knowledge"][row.id]
                ],
                planned_files=[
                    FilePlannedFile(f.path, f.kind, f.action, f.module, f.intent, f.contract, f.status)
                    for f in children["planned_files"][row.id]
                ],
                approved_at=row.approved_at,
                approved_by=next((one.username for one in children["approvers"][row.id]), None),
                files=[
                    FileAttachment(f.name, f.media_type, f.size, f.sha256) for f in children["files"][row.id]
                ],
                comments=[_comment(message) for message in children["comments"][row.id]],
            )
        )
    marks = {label.name: label.colour for labels in children["labels"].values() for label in labels}
    file.labels = [FileLabel(name, marks[name]) for name in sorted(marks)]
    links = [
        FileLink(numbers[row.card_id], numbers[row.target_id], row.kind)
        for row in await read(_of(CardLink, board_id))
    ]
    file.links = sorted(links, key=lambda link: (link.card, link.target))
    await _load_parts(read, file, board, numbers, place_of_group)
    await _count_left(read, file, board, rows)
    programs = (ActorKind.AGENT, ActorKind.WORKER)
    by_programs = sum(
        m.author_kind in programs for comments in children["comments"].values() for m in comments
    )
    file.left["authors of comments that are agents or keys"] += by_programs
    return file


def _in_order(groups: Sequence[Any]) -> list[Any]:
    """Return groups workflow by workflow, each followed by its activities."""
    ranks = {group.id: group.rank.encode() for group in groups}

    def place(group: Any) -> tuple[bytes, bool, bytes]:
        is_activity = group.parent_id is not None
        return ranks[group.parent_id or group.id], is_activity, ranks[group.id]

    return sorted(groups, key=place)


def _comment(message: Any) -> FileMessage:
    """Return a comment with the name of its author, also of a stranger as an import stored it."""
    author, body = message.username, message.body
    if message.author_id is None and message.author_kind == ActorKind.SYSTEM:
        author, body = said_by(body)
    return FileMessage(body, author, message.created_at, message.kind)


async def _load_parts(
    read: Read, file: BoardFile, board: Any, numbers: dict[str, int], groups: dict[str, int]
) -> None:
    """Load the context, the answer rules and the documents, in a fixed number of reads."""
    for context in await read(_of(BoardContext, board.id)):
        open_ones = {name: one["value"] for name, one in context.variables.items() if "value" in one}
        personas = [(one["name"], one["text"]) for one in context.personas]
        file.context = FileContext(context.fields, personas, open_ones)
        file.left["secret variables"] += len(context.variables) - len(open_ones)
    rules = await read(_of(AnswerRule, board.id).order_by(AnswerRule.rank))
    ids = {id for rule in rules for id in rule.label_ids}
    labels = {label.id: label for label in await read(select(Label.__table__).where(Label.id.in_(ids)))}
    known = {label.name for label in file.labels}
    file.labels += [FileLabel(one.name, one.colour) for one in labels.values() if one.name not in known]
    file.labels.sort(key=lambda label: label.name)
    for rule in rules:
        kept = sorted(labels[id].name for id in rule.label_ids if id in labels)
        if rule.label_ids and not kept:
            file.left["answer rules for labels that were deleted"] += 1
            continue
        file.answer_rules.append(
            FileAnswerRule(
                name=rule.name,
                pattern=rule.pattern,
                question_types=[QuestionType(one) for one in rule.question_types],
                run_kinds=[RunKind(one) for one in rule.run_kinds],
                card_types=[CardType(one) for one in rule.card_types],
                stages=[Stage(one) for one in rule.stages],
                labels=kept,
                answer=rule.answer,
                enabled=rule.enabled,
            )
        )
    documents = {}
    for row in await read(_of(Document, board.id)):
        values = {column: getattr(row, column) for column in DOCUMENT_FIELDS.values()}
        if row.content is not None:
            values["checksum"] = None  # the server computes it
        documents[row.id] = FileDocument(row.title, row.kind, values, list(row.tags))
        file.left["earlier revisions of documents"] += row.revision - 1
    file.documents = list(documents.values())
    for link in await read(_of(DocumentLink, board.id)):
        document = documents.get(link.document_id)
        if document is None:
            file.left["links to documents of the workspace"] += 1
        elif link.run_id is not None:
            file.left["links of documents to runs"] += 1
        else:
            card, group = numbers.get(link.card_id), groups.get(link.group_id)
            document.links.append(FileDocumentLink(card, group, link.role, link.usage_hint))


async def _count_left(read: Read, file: BoardFile, board: Any, cards: Sequence[Any]) -> None:
    """Count what a file cannot hold."""
    file.left["settings of how agents work (the board's policy)"] += len(board.policy)
    file.left["agent profiles of cards"] += sum(card.agent_profile_id is not None for card in cards)
    file.left["that the board is archived"] += board.archived_at is not None
    counts: list[tuple[str, Any]] = [
        ("runs of agents, with their logs", Run.board_id == board.id),
        ("questions and their answers", Question.board_id == board.id),
        ("contents of files (copy the store of files)", File.board_id == board.id),
        ("deleted comments", (Message.board_id == board.id) & Message.deleted_at.is_not(None)),
    ]
    counted = [select(func.count()).where(these).scalar_subquery() for _, these in counts]
    [row] = await read(select(*counted))
    for (what, _), count in zip(counts, row, strict=True):
        file.left[what] += count


def _of(kind: Any, board_id: str) -> Select[*tuple[Any, ...]]:
    return select(kind.__table__).where(kind.board_id == board_id)


async def _load_children(read: Read, board_id: str) -> dict[str, dict[str, list[Any]]]:
    """Load labels, assignees, subtasks and comments: by kind, by card, in order."""
    labels: Select[*tuple[Any, ...]] = select(CardLabel.card_id, Label.name, Label.colour).join(
        Label, Label.id == CardLabel.label_id
    )
    people: Select[*tuple[Any, ...]] = select(CardAssignee.card_id, User.username).join(
        User, User.id == CardAssignee.user_id
    )
    approvers: Select[*tuple[Any, ...]] = select(Card.id.label("card_id"), User.username).join(
        User, User.id == Card.approved_by
    )
    authored = (Message.author_id == User.id) & (Message.author_kind == ActorKind.USER)
    comments: Select[*tuple[Any, ...]] = select(
        Message.card_id,
        Message.body,
        Message.kind,
        Message.author_kind,
        Message.author_id,
        Message.created_at,
        User.username,
    ).outerjoin(User, authored)
    comments = comments.where(Message.deleted_at.is_(None)).order_by(Message.created_at, Message.id)
    found = {
        "labels": await read(labels.where(CardLabel.board_id == board_id).order_by(Label.name_folded)),
        "assignees": await read(
            people.where(CardAssignee.board_id == board_id).order_by(User.username_folded)
        ),
        "subtasks": await read(_of(Subtask, board_id).order_by(Subtask.phase_order, Subtask.rank)),
        "knowledge": await read(_of(KnowledgeItem, board_id).order_by(KnowledgeItem.rank)),
        "planned_files": await read(_of(PlannedFile, board_id).order_by(PlannedFile.rank)),
        "files": await read(_of(File, board_id).order_by(File.id)),
        "approvers": await read(approvers.where(Card.board_id == board_id)),
        "comments": await read(comments.where(Message.board_id == board_id)),
    }
    children: dict[str, dict[str, list[Any]]] = {}
    for what, rows in found.items():
        children[what] = defaultdict(list)
        for row in rows:
            children[what][row.card_id].append(row)
    return children
