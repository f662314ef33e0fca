"""Telling what happened: which topics hear of it and what its data must name."""

from collections.abc import Iterable
from dataclasses import replace
from enum import IntEnum
from typing import Any

from sqlalchemy.orm.util import identity_key

from kit.db.transaction import Author, Transaction
from kit.eventlog.event_log import emit
from models.actor import ActorKind
from models.board import Board, BoardColumn
from models.card import Card
from models.event import EventKind, board_topic, user_topic, workspace_topic


def author_of(tx: Transaction, kind: ActorKind, id: str) -> None:
    """Say who this transaction turned out to act for: signing in starts as nobody."""
    tx.author = replace(tx.author or Author(kind), kind=kind, id=id)


def emit_on_board(
    tx: Transaction,
    board: Board,
    kind: EventKind,
    subject: str,
    *,
    batch: str | None = None,
    **data: Any,
) -> None:
    """Something happened on a board."""
    topics = [board_topic(board.id)]
    if not data.keys() & {"name", "title"}:
        data = _called(tx, subject) | data
    emit(tx, topics, kind, tenant=board.workspace_id, subject=subject, batch=batch, data=data)


def emit_question_event(
    tx: Transaction, board: Board, kind: EventKind, id: str, card_id: str, run_id: str | None
) -> None:
    """Something happened to a question: its board hears of it, and its workspace, whose inbox it is in."""
    topics = [board_topic(board.id), workspace_topic(board.workspace_id)]
    data = {"question_id": id, "board_id": board.id, "card_id": card_id, "run_id": run_id}
    data |= _called(tx, card_id)
    emit(tx, topics, kind, tenant=board.workspace_id, subject=card_id, data=data)


def emit_about_board(tx: Transaction, board: Board, kind: EventKind, **data: Any) -> None:
    """Something happened to a board: its workspace hears of it, and whoever watches the board."""
    topics = [workspace_topic(board.workspace_id), board_topic(board.id)]
    data = {"board_id": board.id, "workspace_id": board.workspace_id, "called": board.name, **data}
    emit(tx, topics, kind, tenant=board.workspace_id, subject=board.id, data=data)


def emit_in_workspace(
    tx: Transaction,
    workspace_id: str,
    kind: EventKind,
    subject: str,
    *users: str,
    boards: Iterable[str] = (),
    batch: str | None = None,
    **data: Any,
) -> None:
    """Something happened in a workspace; `users` and `boards` are those it is about, who hear of it too."""
    topics = [workspace_topic(workspace_id), *map(user_topic, users), *map(board_topic, boards)]
    data = {"workspace_id": workspace_id, **data}
    emit(tx, topics, kind, tenant=workspace_id, subject=subject, batch=batch, data=data)


def _called(tx: Transaction, subject: str) -> dict[str, str]:
    """What a card or a column is called now, for the audit log, where this transaction has read it."""
    for kind, name in ((Card, "title"), (BoardColumn, "name")):
        row = tx.identity_map.get(identity_key(kind, subject))
        if row is not None and name in row.__dict__:  # not what was expired, which would be read now
            return {"called": row.__dict__[name]}
    return {}


def emit_to_user(tx: Transaction, user_id: str, kind: EventKind, **data: Any) -> None:
    """Something that only this person hears of."""
    emit(tx, [user_topic(user_id)], kind, tenant=None, subject=user_id, data=data)


def apply_changes(row: Any, changes: dict[str, Any]) -> dict[str, list[Any]]:
    """Apply `changes` to a row. Returns what really changed, as JSON: {field: [before, after]}."""
    told: dict[str, list[Any]] = {}
    for name, value in changes.items():
        before = getattr(row, name)
        if before != value:
            setattr(row, name, value)
            told[name] = [_json(before), _json(value)]
    if told:
        row.version += 1
    return told


def _json(value: Any) -> Any:
    if isinstance(value, IntEnum):
        return value.name  # a number is how it is kept, not what it is called
    return value.isoformat() if hasattr(value, "isoformat") else value
