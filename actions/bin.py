"""The bin: deleted cards are kept for a time and come back as they were.

An entry has the rows of the card and of all that is listed in TABLES, so no list of cards has to leave deleted
cards out. What refers to the card from elsewhere, such as its runs, is deleted with it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Date, delete, func, or_, select
from sqlalchemy import Enum as EnumType

from actions.file import FREE_FILES, MAX_FREE_ATTEMPTS
from actions.job import enqueue_job
from actions.move import DestinationInput, find_column
from actions.ordering import rank_for
from actions.run.change import reopen
from actions.stage_facts import facts_of_new, reader
from auth.locking import lock_board
from auth.permissions import sees_board
from kit.db.database import UtcDateTime
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from models.actor import Actor
from models.bin import BinEntry, BinObject
from models.board import Board
from models.card import MAX_CHILDREN, Card, CardAssignee, CardLabel, CardLink, Subtask
from models.columns import Ordered
from models.document import Document, DocumentLink
from models.events.bin import BinEmptied
from models.events.card import CardCreated
from models.file import File
from models.group import Group
from models.knowledge import KnowledgeItem
from models.message import Message
from models.planned_file import PlannedFile
from models.refusal import NotFound
from models.sprint import Sprint, SprintStatus
from models.stage import Stage, judge
from models.worker import AgentProfile
from models.workspace import Label, Membership

# Kept with a card, in an order in which they can be inserted.
TABLES: tuple[Any, ...] = (
    Subtask,
    CardLabel,
    CardAssignee,
    CardLink,
    Message,
    KnowledgeItem,
    PlannedFile,
    DocumentLink,
    File,
)


async def bin_cards(
    tx: Transaction,
    board: Board,
    cards: Sequence[Card],
    these: ColumnElement[bool],
    stages: dict[str, Stage],
) -> None:
    """Keep cards that are about to be deleted, selected by `these`. Takes a fixed number of statements."""
    ids, gone = {card.id for card in cards}, select(Card.id).where(these).correlate(None)
    kept: dict[str, dict[str, list[dict[str, Any]]]] = {card.id: defaultdict(list) for card in cards}
    for row in await tx.execute(select(Card.__table__).where(these)):
        kept[row.id][Card.__tablename__].append(_as_json(row))
    for table in TABLES:
        where = table.card_id.in_(gone)
        if table is CardLink:
            where = or_(where, CardLink.target_id.in_(gone))
        for row in await tx.execute(select(table.__table__).where(where)):
            for id in {row.card_id, getattr(row, "target_id", None)} & ids:
                kept[id][table.__tablename__].append(_as_json(row))
    by = tx.author.id if tx.author else None
    for card in cards:
        tx.add(
            BinEntry(
                card_id=card.id,
                board_id=board.id,
                number=card.number,
                title=card.title,
                stage=stages[card.column_id],
                deleted_by=by,
                rows=dict(kept[card.id]),
            )
        )
    await tx.flush()  # the objects refer to the entries
    for card in cards:
        keys = {file["object_key"] for file in kept[card.id][File.__tablename__]}
        tx.add_all([BinObject(card_id=card.id, object_key=key) for key in sorted(keys)])


async def restore_card(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The deleted card, in the bin of its board."]
) -> Card:
    """Restore a deleted card with its number, subtasks, comments, labels, assignees, links, knowledge and files.

    It returns to its column and place, or to the first column of its stage. A reference to something that is gone,
    such as a label, is left out. No run starts. Raises StageRefused if the column is full or the board has none.
    """
    board_id = await tx.scalar(
        select(BinEntry.board_id).where(BinEntry.card_id == id, sees_board(actor, BinEntry.board_id))
    )
    if board_id is None:
        raise NotFound(id)
    board = await lock_board(tx, actor, board_id)
    entry = await tx.get(BinEntry, id, with_for_update=True, populate_existing=True)
    if entry is None:
        raise NotFound(id)
    rows = entry.rows
    [values] = [_from_json(Card, row) for row in rows[Card.__tablename__]]
    facts = await facts_of_new(reader(tx), board)
    lane = find_column(
        [facts], _destination(values["column_id"], entry.stage, {one.id for one in facts.lanes})
    )
    if values["archived_at"] is None:
        judge(replace(facts, at=lane.stage, lacks_approval=False, plan_gates=[]), lane)
    place = Card.column_id == lane.id
    taken = await tx.scalar(select(Card.id).where(place, Card.rank == values["rank"]))
    if lane.id != values["column_id"] or taken is not None:
        values["rank"] = await rank_for(tx, Card, place, None)
    values["column_id"] = lane.id
    if await tx.scalar(select(Card.id).where(Card.board_id == board.id, Card.number == values["number"])):
        board.last_number += 1
        values["number"] = board.last_number
    card = Card(**values | await _known_references(tx, board, values))
    card.version += 1
    await tx.delete(entry)
    tx.add(card)
    await tx.flush()  # the rest refers to it
    created = CardCreated(
        card_id=card.id, column_id=lane.id, rank=card.rank, stage=lane.stage, title=card.title
    )
    tx.emit(board, created)
    for table in TABLES:
        given = [_from_json(table, row) for row in rows.get(table.__tablename__, ())]
        tx.add_all([table(**row) for row in await _still_valid(tx, board, table, given)])
        await tx.flush()
    await reopen(tx, board)
    return card


def _destination(column_id: str, stage: Stage, there: set[str]) -> DestinationInput:
    return DestinationInput(column_id=column_id) if column_id in there else DestinationInput(stage=stage)


async def _known_references(tx: Transaction, board: Board, values: dict[str, Any]) -> dict[str, Any]:
    """Return the references of a card, None for those that are gone."""
    open_ones = Sprint.status.in_((SprintStatus.PLANNED, SprintStatus.ACTIVE))
    children = select(func.count()).select_from(Card).where(Card.parent_id == values["parent_id"])
    has_room = (await tx.scalar(children) or 0) < MAX_CHILDREN
    wheres: dict[str, tuple[Any, Any]] = {
        "parent_id": (Card, Card.board_id == board.id),
        "group_id": (Group, Group.board_id == board.id),
        "sprint_id": (Sprint, (Sprint.board_id == board.id) & open_ones),
        "agent_profile_id": (AgentProfile, AgentProfile.workspace_id == board.workspace_id),
    }
    known = {}
    for name, (table, where) in wheres.items():
        known[name] = await tx.scalar(select(table.id).where(table.id == values[name], where))
    return known if has_room else known | {"parent_id": None}


async def _still_valid(
    tx: Transaction, board: Board, table: Any, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the rows whose references are still there."""
    if not rows:
        return rows
    if table is CardLink:
        ends = {row[name] for row in rows for name in ("card_id", "target_id")}
        there = set(await tx.scalars(select(Card.id).where(Card.id.in_(ends), Card.board_id == board.id)))
        return [row for row in rows if {row["card_id"], row["target_id"]} <= there]
    references: dict[Any, tuple[str, Any, Any]] = {
        CardLabel: ("label_id", Label.id, Label.workspace_id == board.workspace_id),
        CardAssignee: ("user_id", Membership.user_id, Membership.workspace_id == board.workspace_id),
        DocumentLink: ("document_id", Document.id, Document.workspace_id == board.workspace_id),
    }
    if table not in references:
        return rows
    name, column, where = references[table]
    known = set(await tx.scalars(select(column).where(column.in_([row[name] for row in rows]), where)))
    return [row for row in rows if row[name] in known and row.get("run_id") is None]


async def empty_bin(tx: Transaction, actor: Actor, *, board_id: Annotated[Id, "The board."]) -> Board:
    """Delete the deleted cards of a board for good, with their files. Repeating it changes nothing."""
    board = await lock_board(tx, actor, board_id, admin=True)
    count = await tx.scalar(select(func.count()).select_from(BinEntry).where(BinEntry.board_id == board.id))
    if count:
        await enqueue_job(tx, FREE_FILES, {}, key=FREE_FILES, max_attempts=MAX_FREE_ATTEMPTS)
        await tx.execute(delete(BinEntry).where(BinEntry.board_id == board.id))
        tx.emit(board, BinEmptied(board_id=board.id, card_count=count))
    return board


def _as_json(row: Any) -> dict[str, Any]:
    return {name: _value_as_json(value) for name, value in row._mapping.items()}


def _value_as_json(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    return value.isoformat() if isinstance(value, date) else value


def _from_json(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a row, without columns that the table has no longer."""
    columns = table.__table__.c
    return {
        name: _value_from_json(columns[name].type, value) for name, value in row.items() if name in columns
    }


def _value_from_json(type: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(type, Ordered):
        return type.kind[value]
    if isinstance(type, EnumType) and type.enum_class is not None:
        return type.enum_class[value]
    if isinstance(type, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(type, Date) else value
