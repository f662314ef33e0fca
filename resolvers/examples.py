"""Ids for GraphiQL's example operations: those of the first board that the caller may see."""

from sqlalchemy import select

from auth.permissions import sees_board
from kit.db.database import Database
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card
from models.stage import Stage


async def example_ids(database: Database, actor: Actor | None) -> dict[str, str]:
    """Return values of variables by name; empty without an actor."""
    if actor is None:
        return {}
    query = (
        select(Board.workspace_id, Board.id, Card.id.label("card_id"))
        .outerjoin(BoardColumn, (BoardColumn.board_id == Board.id) & (BoardColumn.stage == Stage.TODO))
        .outerjoin(Card, (Card.column_id == BoardColumn.id) & Card.archived_at.is_(None))
        .where(sees_board(actor, Board.id), Board.archived_at.is_(None))
        .order_by(Board.rank, Card.rank)
        .limit(1)
    )
    for row in await database.read(query):
        ids = {"workspaceId": row.workspace_id, "boardId": row.id, "cardId": row.card_id}
        return {name: id for name, id in ids.items() if id}
    return {}
