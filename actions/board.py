"""Changes to boards and their columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Select, delete, func, select

from actions import validation
from actions.card import remove
from actions.changes import apply_changes
from actions.events import emit_board_event
from actions.file import free_files
from actions.move import emit_moved
from actions.ordering import Position, rank_for
from actions.policy import update_queue_cap
from actions.ranks import rank_between, ranks_after
from actions.run.change import reopen
from actions.run.dispatch import cancel_runs_of, on_cards_moved
from actions.stage_facts import facts_of, reader
from auth.locking import lock_board, lock_column, lock_workspace
from auth.permissions import sees_board
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.board import MAX_BOARDS, MAX_COLUMNS, MAX_WIP_LIMIT, TEMPLATES, Board, BoardColumn, Template
from models.card import Card, image
from models.events.board import (
    BoardArchived,
    BoardCreated,
    BoardDeleted,
    BoardMoved,
    BoardUnarchived,
    BoardUpdated,
    ColumnCreated,
    ColumnDeleted,
    ColumnMoved,
    ColumnUpdated,
    board_facts,
)
from models.file import File
from models.refusal import Conflict, Invalid, NotFound
from models.stage import ColumnState, Law, Stage, judge


@dataclass(frozen=True, kw_only=True)
class NewColumn:
    """A column of a new board."""

    name: str
    stage: Stage
    wip_limit: int | None = None


async def create_board(
    tx: Transaction,
    actor: Actor,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    name: Annotated[str, "1 to 100 characters."],
    key: Annotated[
        str | None,
        "Prefix of the names of its cards: WEB in WEB-42. A letter, then up to nine letters or digits, unique in"
        " the workspace; default: derived from the name.",
    ] = None,
    template: Annotated[Template, "The template of its columns."] = Template.PIPELINE,
    law: Annotated[Law | None, "Default: PIPELINE for the pipeline template, FREE for the others."] = None,
    description: Annotated[str, "Markdown."] = "",
    auto_dispatch: Annotated[
        bool | None,
        "Start a run for each card that enters TODO; default: true for the pipeline template, else false.",
    ] = None,
) -> Board:
    """Create a board with the columns of a template. A workspace has at most 500 boards.

    Raises Conflict if another board of the workspace has the key.
    """
    columns = [NewColumn(name=title, stage=stage) for title, stage in TEMPLATES[template]]
    is_pipeline = template is Template.PIPELINE
    return await create_board_of(
        tx,
        actor,
        columns,
        workspace_id=workspace_id,
        name=name,
        key=key,
        law=law or (Law.PIPELINE if is_pipeline else Law.FREE),
        description=description,
        auto_dispatch=is_pipeline if auto_dispatch is None else auto_dispatch,
    )


async def create_board_of(
    tx: Transaction,
    actor: Actor,
    columns: Sequence[NewColumn],
    *,
    workspace_id: str,
    name: str,
    law: Law,
    key: str | None = None,
    description: str = "",
    auto_dispatch: bool = False,
) -> Board:
    """Create a board with these columns, 1 to 20. Raises Invalid, or Conflict as `create_board` does."""
    workspace = await lock_workspace(tx, actor, workspace_id)
    name = validation.single_line("name", name, 100)
    boards = select(func.count(), func.max(Board.rank)).where(Board.workspace_id == workspace.id)
    count, last = (await tx.execute(boards)).one()
    if count >= MAX_BOARDS:
        raise Conflict(f"A workspace has at most {MAX_BOARDS} boards")
    board = Board(
        workspace_id=workspace.id,
        name=name,
        key=await _free_key(tx, workspace.id, key, name),
        description=validation.multiline("description", description),
        law=law,
        rank=rank_between(last, None),
        last_number=0,
        policy={"auto_dispatch": True} if auto_dispatch else {},
        created_by=actor.id if actor.is_person else None,
    )
    tx.add(board)
    await tx.flush()  # generates board.id
    validation.at_most("columns", list(columns), MAX_COLUMNS)
    for rank, column in zip(ranks_after(None, len(columns)), columns, strict=True):
        title = validation.single_line("columns.name", column.name, 50)
        limit = validation.in_range("columns.wipLimit", column.wip_limit, 1, MAX_WIP_LIMIT)
        tx.add(BoardColumn(board_id=board.id, name=title, stage=column.stage, rank=rank, wip_limit=limit))
    await update_queue_cap(tx, board)
    emit_board_event(tx, board, BoardCreated(**board_facts(board), rank=board.rank))
    return board


async def _free_key(tx: Transaction, workspace_id: str, key: str | None, name: str) -> str:
    """Return the key, or derive a free one from the name. Raises Conflict if the key is taken."""
    taken = set(await tx.scalars(select(Board.key).where(Board.workspace_id == workspace_id)))
    if key is not None:
        key = validation.board_key("key", key)
        if key in taken:
            raise Conflict(f"Another board of the workspace has the key {key}")
        return key
    letters = "".join(c for c in name.upper() if c.isascii() and c.isalnum()).lstrip("0123456789")
    stem = letters[:4] or "BOARD"
    return next(k for k in (stem, *(f"{stem}{n}" for n in range(2, MAX_BOARDS + 2))) if k not in taken)


async def update_board(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The board."],
    name: Annotated[Maybe[str], "1 to 100 characters."] = None,
    description: Annotated[Maybe[str], "Markdown."] = None,
    key: Annotated[
        Maybe[str], "A letter, then up to nine letters or digits; unique in the workspace."
    ] = None,
    law: Annotated[Maybe[Law], "The law of its cards. Only admins may change it."] = None,
    if_version: IfVersion = None,
) -> Board:
    """Change a board's name, description, key or law. Omitted fields stay.

    Raises Stale, or Conflict if another board of the workspace has the key.
    """
    changes = provided_fields(name=name, description=description, key=key, law=law)
    board = await lock_board(tx, actor, id, admin="law" in changes)
    board.expect(if_version)
    if "name" in changes:
        changes["name"] = validation.single_line("name", changes["name"], 100)
    if "description" in changes:
        changes["description"] = validation.multiline("description", changes["description"])
    if "law" in changes:
        validation.required("law", changes["law"])
    if "key" in changes and changes["key"] != board.key:
        changes["key"] = await _free_key(tx, board.workspace_id, changes["key"] or "", board.name)
    changed = apply_changes(board, changes)
    if changed:
        emit_board_event(tx, board, BoardUpdated(**board_facts(board), changes=changed))
    return board


async def move_board(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The board."],
    position: Position = None,
) -> Board:
    """Move a board among the boards of its workspace; by default to the end."""
    # The workspace's lock orders its boards. It is taken before a board's, as everywhere.
    query = select(Board.workspace_id).where(Board.id == id, sees_board(actor, Board.id))
    workspace_id = await tx.scalar(query)
    if workspace_id is None:
        raise NotFound(id)
    await lock_workspace(tx, actor, workspace_id)
    board = await lock_board(tx, actor, id)
    siblings = Board.workspace_id == board.workspace_id
    board.rank = await rank_for(tx, Board, siblings, board.id, position)
    board.version += 1
    emit_board_event(tx, board, BoardMoved(**board_facts(board), rank=board.rank))
    return board


async def archive_board(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The board."], if_version: IfVersion = None
) -> Board:
    """Archive a board: lists hide it by default, and its cards cannot be moved. Idempotent. Raises Stale."""
    board = await lock_board(tx, actor, id, admin=True)
    board.expect(if_version)
    if board.archived_at is None:
        apply_changes(board, {"archived_at": utcnow()})
        emit_board_event(tx, board, BoardArchived(**board_facts(board)))
    return board


async def unarchive_board(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The board."], if_version: IfVersion = None
) -> Board:
    """Restore an archived board. Idempotent. Raises Stale."""
    board = await lock_board(tx, actor, id, admin=True)
    board.expect(if_version)
    if board.archived_at is not None:
        apply_changes(board, {"archived_at": None})
        emit_board_event(tx, board, BoardUnarchived(**board_facts(board)))
        await reopen(tx, board)
    return board


async def delete_board(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The board."],
    confirm_name: Annotated[str, "The board's name, as a confirmation."],
    cancel_runs: Annotated[bool, "Cancel the active runs of its cards."] = False,
) -> Board:
    """Delete a board with everything on it. Returns the board as it was.

    Raises Invalid if `confirmName` is not its name, or Conflict if a run is active and `cancelRuns` is false.
    """
    board = await lock_board(tx, actor, id, admin=True)
    if confirm_name != board.name:
        raise Invalid(("confirmName", "is not the board's name"))
    cards = list(await tx.scalars(select(Card.id).where(Card.board_id == board.id)))
    await cancel_runs_of(tx, board, cards, cancel_run=cancel_runs, word="cancelRuns")
    await queue.set_cap(tx, queue.scope_cap(board.id), None)
    emit_board_event(tx, board, BoardDeleted(**board_facts(board)))
    await free_files(tx, File.board_id == board.id)
    await tx.execute(delete(Board).where(Board.id == board.id))
    tx.expunge(board)
    return board


async def create_column(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board."],
    name: Annotated[str, "1 to 50 characters."],
    stage: Annotated[Stage, "The stage of its cards, for the law of stages."],
    wip_limit: Annotated[int | None, "Maximum number of cards, 1 to 1,000; default: no limit."] = None,
    position: Position = None,
) -> BoardColumn:
    """Create a column; by default at the right end. A board has at most 20.

    Raises Conflict if the board has that many.
    """
    board = await lock_board(tx, actor, board_id)
    siblings = BoardColumn.board_id == board.id
    if (await tx.scalar(select(func.count()).select_from(BoardColumn).where(siblings)) or 0) >= MAX_COLUMNS:
        raise Conflict(f"A board has at most {MAX_COLUMNS} columns")
    column = BoardColumn(
        board_id=board.id,
        name=validation.single_line("name", name, 50),
        stage=stage,
        wip_limit=validation.in_range("wipLimit", wip_limit, 1, MAX_WIP_LIMIT),
        rank=await rank_for(tx, BoardColumn, siblings, None, position),
    )
    tx.add(column)
    await tx.flush()  # generates column.id
    tx.emit(board, ColumnCreated(column_id=column.id, name=column.name, rank=column.rank))
    return column


async def update_column(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The column."],
    name: Annotated[Maybe[str], "1 to 50 characters."] = None,
    stage: Annotated[Maybe[Stage], "Changing it moves every card of the column to that stage."] = None,
    wip_limit: Annotated[
        Maybe[int | None], "Maximum number of cards, 1 to 1,000; null removes the limit."
    ] = None,
    if_version: IfVersion = None,
) -> BoardColumn:
    """Change a column's name, WIP limit or stage. Omitted fields stay.

    Raises Stale, or StageRefused unless every card of the column may move to the new stage.
    """
    changes = provided_fields(name=name, stage=stage, wip_limit=wip_limit)
    board, column = await lock_column(tx, actor, id)
    column.expect(if_version)
    if "name" in changes:
        changes["name"] = validation.single_line("name", changes["name"], 50)
    if "wip_limit" in changes:
        validation.in_range("wipLimit", changes["wip_limit"], 1, MAX_WIP_LIMIT)
    if validation.required("stage", changes.get("stage", column.stage)) is not column.stage:
        await _judge_all(tx, board, column, ColumnState("", changes["stage"]))
    old_stage = column.stage
    changed = apply_changes(column, changes)
    if changed:
        tx.emit(board, ColumnUpdated(column_id=column.id, changes=changed))
        await tx.flush()
    if column.stage is not old_stage:
        cards = list(await tx.scalars(_cards_of(column).order_by(Card.rank)))
        await on_cards_moved(tx, actor, board, cards, [old_stage] * len(cards), column.stage)
    elif changed:
        await reopen(tx, board)
    return column


async def move_column(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The column."],
    position: Position = None,
) -> BoardColumn:
    """Move a column on its board; by default to the right end. Raises Invalid for a column of another board."""
    board, column = await lock_column(tx, actor, id)
    siblings = BoardColumn.board_id == board.id
    column.rank = await rank_for(tx, BoardColumn, siblings, column.id, position)
    column.version += 1
    tx.emit(board, ColumnMoved(column_id=column.id, rank=column.rank))
    return column


async def delete_column(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The column."],
    move_cards_to: Annotated[Id | None, "Move its cards to this column of the board."] = None,
    delete_cards: Annotated[bool, "Delete its cards."] = False,
    detach_children: Annotated[
        bool, "With `deleteCards`: detach the children of deleted cards that are in other columns."
    ] = False,
    cancel_runs: Annotated[bool, "Cancel the active runs of its cards."] = False,
) -> BoardColumn:
    """Delete a column. If it has cards, give `moveCardsTo` or `deleteCards`. Returns the column as it was.

    Raises StageRefused if a card may not move; archived cards move without a check. Raises Conflict for the last
    column, for cards without an instruction, for children in other columns, and for active runs.
    """
    board, column = await lock_column(tx, actor, id)
    columns = list(await tx.scalars(select(BoardColumn).where(BoardColumn.board_id == board.id)))
    if len(columns) == 1:
        raise Conflict("A board keeps at least one column")
    if move_cards_to and delete_cards:
        raise Invalid(("deleteCards", "cannot be combined with moveCardsTo"))
    is_in_column = Card.column_id == column.id
    cards = list(await tx.scalars(select(Card).where(is_in_column).order_by(Card.rank)))
    batch = new_id("batch") if cards else None
    if cards and not (move_cards_to or delete_cards):
        count = "1 card" if len(cards) == 1 else f"{len(cards)} cards"
        raise Conflict(f"The column has {count}; give moveCardsTo or deleteCards")
    if cards and move_cards_to:
        target = next((other for other in columns if other.id == move_cards_to != column.id), None)
        if target is None:
            raise NotFound(move_cards_to)
        await _judge_all(tx, board, column, await _column_state(tx, target), cancel_runs=cancel_runs)
        last = await tx.scalar(select(func.max(Card.rank)).where(Card.column_id == target.id))
        for card, rank in zip(cards, ranks_after(last, len(cards)), strict=True):
            before = image(card) | {"stage": column.stage}
            card.column_id, card.rank, card.version = target.id, rank, card.version + 1
            emit_moved(tx, board, card, column.id, column.stage, target.stage, before=before, batch=batch)
        await tx.flush()
        old_stages = [column.stage] * len(cards)
        await on_cards_moved(tx, actor, board, cards, old_stages, target.stage, cancel_run=cancel_runs)
    elif cards:
        ids = [card.id for card in cards]
        await cancel_runs_of(tx, board, ids, cancel_run=cancel_runs, word="cancelRuns")
        await remove(tx, board, cards, is_in_column, detach_children=detach_children, batch=batch)
    await tx.execute(delete(BoardColumn).where(BoardColumn.id == column.id))
    tx.expunge(column)
    deleted = ColumnDeleted(
        column_id=column.id,
        name=column.name,
        moved_to=move_cards_to if cards else None,
        card_ids=[card.id for card in cards],
    )
    tx.emit(board, deleted, correlation_id=batch)
    await reopen(tx, board)
    return column


def _cards_of(column: BoardColumn) -> Select[Card]:
    return select(Card).where(Card.column_id == column.id, Card.archived_at.is_(None))


async def _column_state(tx: Transaction, column: BoardColumn) -> ColumnState:
    count = await tx.scalar(_cards_of(column).with_only_columns(func.count()))
    return ColumnState(column.id, column.stage, column.wip_limit, count or 0)


async def _judge_all(
    tx: Transaction, board: Board, column: BoardColumn, to: ColumnState, *, cancel_runs: bool = False
) -> None:
    """Raise StageRefused unless every unarchived card of `column` may move to `to` together."""
    cards = list(await tx.scalars(_cards_of(column).order_by(Card.rank)))
    for facts in await facts_of(reader(tx), {board.id: board}, cards) if cards else ():
        judge(facts, to, coming=len(cards), cancel_run=cancel_runs)
