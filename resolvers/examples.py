"""Ids for GraphiQL's example operations: of the first board that whoever opens the page may see."""

from typing import Any

from sqlalchemy import select

from auth.permissions import sees_board
from kit.db.database import Database
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card
from models.stage import Stage


async def example_ids(database: Database, actor: Actor | None) -> dict[str, Any]:
    """Values for variables of these names; empty for whoever has not signed in."""
    if actor is None:
        return {}
    ready = (
        select(Board.workspace_id, Board.id, Card.id.label("card_id"))
        .outerjoin(BoardColumn, (BoardColumn.board_id == Board.id) & (BoardColumn.stage == Stage.TODO))
        .outerjoin(Card, (Card.column_id == BoardColumn.id) & Card.archived_at.is_(None))
        .where(sees_board(actor, Board.id), Board.archived_at.is_(None))
        .order_by(Board.rank, Card.rank)
        .limit(1)
    )
    for row in await database.read(ready):
        found = {"workspaceId": row.workspace_id, "boardId": row.id, "cardId": row.card_id}
        return {name: id for name, id in found.items() if id}
    return {}
