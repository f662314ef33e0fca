"""What can be done to a board and its columns."""

from typing import Any

from sqlalchemy import delete, func, select

from actions import validation
from actions.card import remove
from actions.changes import apply_changes
from actions.events import emit_board_event
from actions.move import emit_moved
from actions.ordering import rank_for
from actions.policy import keep_cap
from actions.ranks import after as ranks_after
from actions.ranks import between
from actions.run.change import reopen
from actions.run.dispatch import cancel_runs_of, on_cards_moved
from actions.stage_facts import facts_of, reader
from auth.locking import lock_board, lock_column, lock_workspace
from auth.permissions import sees_board
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.ids import new_id
from models.actor import Actor
from models.board import MAX_BOARDS, MAX_COLUMNS, TEMPLATES, Board, BoardColumn, Template
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
from models.refusal import Conflict, Invalid, NotFound
from models.stage import ColumnState, Law, Stage, judge


async def create_board(
    tx: Transaction,
    actor: Actor,
    workspace_id: str,
    name: str,
    *,
    key: str | None = None,
    template: Template = Template.PIPELINE,
    law: Law | None = None,
    description: str = "",
    columns: list[tuple[str, Stage, int | None]] | None = None,
    auto_dispatch: bool | None = None,
) -> Board:
    """Make a board with the columns of a template, or with those given.

    Without `law`, the pipeline template obeys the PIPELINE law, the others are FREE. Without `auto_dispatch`,
    agents are given what enters TODO of the pipeline template, and of nothing else.
    """
    workspace = await lock_workspace(tx, actor, workspace_id)
    name = validation.single_line("name", name, 100)
    if auto_dispatch is None:
        auto_dispatch = template is Template.PIPELINE and columns is None
    boards = select(func.count(), func.max(Board.rank)).where(Board.workspace_id == workspace.id)
    count, last = (await tx.execute(boards)).one()
    if count >= MAX_BOARDS:
        raise Conflict(f"A workspace has at most {MAX_BOARDS} boards")
    board = Board(
        workspace_id=workspace.id,
        name=name,
        key=await _free_key(tx, workspace.id, key, name),
        description=validation.multiline("description", description),
        law=law or (Law.PIPELINE if template is Template.PIPELINE else Law.FREE),
        rank=between(last, None),
        last_number=0,
        policy={"auto_dispatch": True} if auto_dispatch else {},
        created_by=actor.id if actor.is_person else None,
    )
    tx.add(board)
    await tx.flush()  # generates board.id
    lanes = columns or [(name, stage, None) for name, stage in TEMPLATES[template]]
    validation.at_most("columns", lanes, MAX_COLUMNS)
    for rank, (title, stage, limit) in zip(ranks_after(None, len(lanes)), lanes, strict=True):
        title, limit = (
            validation.single_line("columns.name", title, 50),
            validation.in_range("columns.wipLimit", limit, 1, 1000),
        )
        tx.add(BoardColumn(board_id=board.id, name=title, stage=stage, rank=rank, wip_limit=limit))
    await keep_cap(tx, board)
    emit_board_event(tx, board, BoardCreated(**board_facts(board), rank=board.rank))
    return board


async def _free_key(tx: Transaction, workspace_id: str, key: str | None, name: str) -> str:
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
    id: str,
    changes: dict[str, Any],
    *,
    if_version: int | None = None,
) -> Board:
    """Change a board's name, description, key or law. The law is an admin's to change."""
    board = await lock_board(tx, actor, id, admin="law" in changes)
    board.expect(if_version)
    clean = dict(changes)
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], 100)
    if "description" in clean:
        clean["description"] = validation.multiline("description", clean["description"])
    if "law" in clean:
        validation.required("law", clean["law"])
    if "key" in clean and clean["key"] != board.key:
        clean["key"] = await _free_key(tx, board.workspace_id, clean["key"] or "", board.name)
    told = apply_changes(board, clean)
    if told:
        emit_board_event(tx, board, BoardUpdated(**board_facts(board), changes=told))
    return board


async def move_board(
    tx: Transaction, actor: Actor, id: str, *, before: str | None = None, after: str | None = None
) -> Board:
    """Move a board among the boards of its workspace: before or after another, or to the end."""
    # The workspace's lock orders its boards. It is taken before a board's, as everywhere.
    workspace = await tx.scalar(select(Board.workspace_id).where(Board.id == id, sees_board(actor, Board.id)))
    if workspace is None:
        raise NotFound(id)
    await lock_workspace(tx, actor, workspace)
    board = await lock_board(tx, actor, id)
    mine = Board.workspace_id == board.workspace_id
    board.rank = await rank_for(tx, Board, mine, board.id, before, after)
    board.version += 1
    emit_board_event(tx, board, BoardMoved(**board_facts(board), rank=board.rank))
    return board


async def archive_board(tx: Transaction, actor: Actor, id: str, *, if_version: int | None = None) -> Board:
    """Archive a board: its cards stay as they are and no longer move. Archiving twice changes nothing."""
    board = await lock_board(tx, actor, id, admin=True)
    board.expect(if_version)
    if board.archived_at is None:
        apply_changes(board, {"archived_at": utcnow()})
        emit_board_event(tx, board, BoardArchived(**board_facts(board)))
    return board


async def unarchive_board(tx: Transaction, actor: Actor, id: str, *, if_version: int | None = None) -> Board:
    board = await lock_board(tx, actor, id, admin=True)
    board.expect(if_version)
    if board.archived_at is not None:
        apply_changes(board, {"archived_at": None})
        emit_board_event(tx, board, BoardUnarchived(**board_facts(board)))
        await reopen(tx, board)
    return board


async def delete_board(
    tx: Transaction, actor: Actor, id: str, confirm_name: str, *, cancel_runs: bool = False
) -> Board:
    """Delete a board with everything on it. `confirm_name` must be its name.

    Raises Conflict while agents are at its cards, unless `cancel_runs` ends their runs.
    """
    board = await lock_board(tx, actor, id, admin=True)
    if confirm_name != board.name:
        raise Invalid(("confirmName", "is not the board's name"))
    cards = list(await tx.scalars(select(Card.id).where(Card.board_id == board.id)))
    await cancel_runs_of(tx, board, cards, cancel_run=cancel_runs, word="cancelRuns")
    await queue.set_cap(tx, queue.scope_cap(board.id), None)
    emit_board_event(tx, board, BoardDeleted(**board_facts(board)))
    await tx.execute(delete(Board).where(Board.id == board.id))
    tx.expunge(board)
    return board


async def create_column(
    tx: Transaction,
    actor: Actor,
    board_id: str,
    name: str,
    stage: Stage,
    *,
    wip_limit: int | None = None,
    before: str | None = None,
    after: str | None = None,
) -> BoardColumn:
    """Add a column: before or after another, or at the right end."""
    board = await lock_board(tx, actor, board_id)
    here = BoardColumn.board_id == board.id
    if (await tx.scalar(select(func.count()).select_from(BoardColumn).where(here)) or 0) >= MAX_COLUMNS:
        raise Conflict(f"A board has at most {MAX_COLUMNS} columns")
    column = BoardColumn(
        board_id=board.id,
        name=validation.single_line("name", name, 50),
        stage=stage,
        wip_limit=validation.in_range("wipLimit", wip_limit, 1, 1000),
        rank=await rank_for(tx, BoardColumn, here, None, before, after),
    )
    tx.add(column)
    await tx.flush()  # generates column.id
    tx.emit(board, ColumnCreated(column_id=column.id, name=column.name, rank=column.rank))
    return column


async def update_column(
    tx: Transaction,
    actor: Actor,
    id: str,
    changes: dict[str, Any],
    *,
    if_version: int | None = None,
) -> BoardColumn:
    """Rename a column, change its WIP limit, or its stage.

    Another stage is a move of every card in it, so the law must allow each of them.
    """
    board, column = await lock_column(tx, actor, id)
    column.expect(if_version)
    clean = dict(changes)
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], 50)
    if "wip_limit" in clean:
        validation.in_range("wipLimit", clean["wip_limit"], 1, 1000)
    if validation.required("stage", clean.get("stage", column.stage)) is not column.stage:
        await _judge_all(tx, board, column, ColumnState("", clean["stage"]))
    left = column.stage
    told = apply_changes(column, clean)
    if told:
        tx.emit(board, ColumnUpdated(column_id=column.id, changes=told))
        await tx.flush()
    if column.stage is not left:
        standing = Card.column_id == column.id, Card.archived_at.is_(None)
        cards = list(await tx.scalars(select(Card).where(*standing).order_by(Card.rank)))
        await on_cards_moved(tx, actor, board, cards, [left] * len(cards), column.stage)
    elif told:
        await reopen(tx, board)
    return column


async def move_column(
    tx: Transaction, actor: Actor, id: str, *, before: str | None = None, after: str | None = None
) -> BoardColumn:
    """Move a column: before or after another of the board, or to the right end."""
    board, column = await lock_column(tx, actor, id)
    column.rank = await rank_for(tx, BoardColumn, BoardColumn.board_id == board.id, column.id, before, after)
    column.version += 1
    tx.emit(board, ColumnMoved(column_id=column.id, rank=column.rank))
    return column


async def delete_column(
    tx: Transaction,
    actor: Actor,
    id: str,
    *,
    move_cards_to: str | None = None,
    delete_cards: bool = False,
    detach_children: bool = False,
    cancel_runs: bool = False,
) -> BoardColumn:
    """Delete a column. With cards in it, say where they go or that they are deleted; both or none is refused.

    Moving them obeys the law of stages; archived cards go along unjudged, they are nowhere. Deleting them is
    refused while cards in other columns stand under them, unless `detach_children` lets those go.
    """
    board, column = await lock_column(tx, actor, id)
    lanes = list(await tx.scalars(select(BoardColumn).where(BoardColumn.board_id == board.id)))
    if len(lanes) == 1:
        raise Conflict("A board keeps at least one column")
    if move_cards_to and delete_cards:
        raise Invalid(("deleteCards", "cannot be said together with moveCardsTo"))
    in_it = Card.column_id == column.id
    cards = list(await tx.scalars(select(Card).where(in_it).order_by(Card.rank)))
    batch = new_id("batch") if cards else None
    if cards and not (move_cards_to or delete_cards):
        some = "1 card stands" if len(cards) == 1 else f"{len(cards)} cards stand"
        raise Conflict(f"{some} in the column; say moveCardsTo or deleteCards")
    if cards and move_cards_to:
        target = next((lane for lane in lanes if lane.id == move_cards_to != column.id), None)
        if target is None:
            raise NotFound(move_cards_to)
        await _judge_all(tx, board, column, await _lane(tx, target), cancel_runs=cancel_runs)
        last = await tx.scalar(select(func.max(Card.rank)).where(Card.column_id == target.id))
        for card, rank in zip(cards, ranks_after(last, len(cards)), strict=True):
            before = image(card) | {"stage": column.stage}
            card.column_id, card.rank, card.version = target.id, rank, card.version + 1
            emit_moved(tx, board, card, column.id, column.stage, target.stage, before=before, batch=batch)
        await tx.flush()
        left = [column.stage] * len(cards)
        await on_cards_moved(tx, actor, board, cards, left, target.stage, cancel_run=cancel_runs)
    elif cards:
        await cancel_runs_of(
            tx, board, [card.id for card in cards], cancel_run=cancel_runs, word="cancelRuns"
        )
        await remove(tx, board, cards, in_it, detach_children=detach_children, batch=batch)
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


async def _lane(tx: Transaction, column: BoardColumn) -> ColumnState:
    standing = Card.column_id == column.id, Card.archived_at.is_(None)
    count = await tx.scalar(select(func.count()).select_from(Card).where(*standing))
    return ColumnState(column.id, column.stage, column.wip_limit, count or 0)


async def _judge_all(
    tx: Transaction, board: Board, column: BoardColumn, to: ColumnState, *, cancel_runs: bool = False
) -> None:
    """Raise StageRefused unless every unarchived card of `column` may go to `to` together."""
    standing = Card.column_id == column.id, Card.archived_at.is_(None)
    cards = list(await tx.scalars(select(Card).where(*standing).order_by(Card.rank)))
    for facts in await facts_of(reader(tx), {board.id: board}, cards) if cards else ():
        judge(facts, to, coming=len(cards), cancel_run=cancel_runs)
