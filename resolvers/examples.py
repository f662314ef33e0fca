"""Values for GraphiQL's example operations: of the caller's first board and first open question."""

from typing import Any

from sqlalchemy import select

from auth.permissions import sees_board
from kit.db.database import Database
from models.actor import Actor
from models.board import Board, BoardColumn
from models.card import Card
from models.question import Question, QuestionStatus


async def example_values(database: Database, actor: Actor | None) -> dict[str, Any]:
    """Return values of variables by name; empty without an actor.

    The card is one of the earliest stage, so a move to DONE is refused.
    """
    if actor is None:
        return {}
    query = (
        select(Board.workspace_id, Board.id, Card.id.label("card_id"))
        .outerjoin(Card, (Card.board_id == Board.id) & Card.archived_at.is_(None))
        .outerjoin(BoardColumn, BoardColumn.id == Card.column_id)
        .where(sees_board(actor, Board.id), Board.archived_at.is_(None))
        .order_by(Board.rank, BoardColumn.rank, Card.rank)
        .limit(1)
    )
    for row in await database.read(query):
        ids = {"workspaceId": row.workspace_id, "boardId": row.id, "cardId": row.card_id}
        values = {name: id for name, id in ids.items() if id}
        return values | await _answer(database, actor)
    return {}


async def _answer(database: Database, actor: Actor) -> dict[str, Any]:
    """Return the variables that answer the first open question; empty if none is open."""
    query = (
        select(Question.id, Question.options)
        .where(sees_board(actor, Question.board_id), Question.status == QuestionStatus.OPEN)
        .order_by(Question.id)
        .limit(1)
    )
    for row in await database.read(query):
        labels = [option["label"] for option in row.options][:1]
        return {
            "questionId": row.id,
            "options": labels or None,
            "text": None if labels else "As you think best",
        }
    return {}
