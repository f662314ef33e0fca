"""Events that appear on two feeds."""

from kit.db.transaction import Transaction
from models.board import Board
from models.events.board import BoardLifecycleEvent
from models.events.question import QuestionEvent
from models.topic import board_topic, workspace_scope, workspace_topic


def emit_board_event(tx: Transaction, board: Board, event: BoardLifecycleEvent) -> None:
    """Emit a change to a board itself: on its workspace's feed and on its own."""
    tx.emit(workspace_scope(board.workspace_id), event, also=[board_topic(board.id)])


def emit_question_event(tx: Transaction, board: Board, event: QuestionEvent) -> None:
    """Emit a change to a question: on its board's feed and, for the inbox, on its workspace's."""
    tx.emit(board, event, also=[workspace_topic(board.workspace_id)])
