"""Events of boards and their columns."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.board import Board, BoardColumn
from models.events.base import BoardEvent, Changes, WorkspaceEvent


class BoardLifecycleEvent(BoardEvent, WorkspaceEvent):
    """A change to a board itself."""

    subject_field = "board_id"

    board_id: Annotated[Id, "The board."]
    workspace_id: Id


class BoardFacts(TypedDict):
    board_id: str
    workspace_id: str
    called: str


def board_facts(board: Board) -> BoardFacts:
    """Return the fields that all events of a board share."""
    return {"board_id": board.id, "workspace_id": board.workspace_id, "called": board.name}


class BoardCreated(BoardLifecycleEvent):
    """A board was created."""

    rank: Annotated[str | None, "Its rank in the workspace; null in events older than ranks."]


class BoardUpdated(BoardLifecycleEvent):
    """A board's own fields were changed."""

    changes: Changes


class BoardPolicyUpdated(BoardLifecycleEvent):
    """A board's policy for agents was changed."""

    changes: Changes


class BoardContextUpdated(BoardLifecycleEvent):
    """A board's context for agents was changed. The values are read where they are now."""

    fields: Annotated[list[str], "The names of the changed fields."]
    variables: Annotated[list[str], "The names of the variables that were added, changed or removed."]


class BoardMoved(BoardLifecycleEvent):
    """A board was reordered among the boards of its workspace."""

    rank: Annotated[str | None, "Its rank in the workspace; null in events older than ranks."]


class BoardArchived(BoardLifecycleEvent):
    """A board was archived."""


class BoardUnarchived(BoardLifecycleEvent):
    """A board was unarchived."""


class BoardDeleted(BoardLifecycleEvent):
    """A board was deleted with everything on it. The last event of its feed."""


class ColumnEvent(BoardEvent):
    """A change to a column."""

    subject_field = "column_id"
    subject_name = (BoardColumn, "name")

    column_id: Annotated[Id, "The column."]


class ColumnCreated(ColumnEvent):
    """A column was created."""

    name: str
    rank: Annotated[str | None, "Its rank on the board; null in events older than ranks."]


class ColumnUpdated(ColumnEvent):
    """A column's fields were changed."""

    changes: Changes


class ColumnMoved(ColumnEvent):
    """A column was reordered on its board."""

    rank: Annotated[str | None, "Its rank on the board; null in events older than ranks."]


class ColumnDeleted(ColumnEvent):
    """A column was deleted, and its cards were moved or deleted with it."""

    name: str
    moved_to: Annotated[Id | None, "The column that its cards were moved to; null if they were deleted."]
    card_ids: Annotated[list[Id], "The cards that were in it."]


class ChangeUndone(BoardEvent):
    """A change was undone. It follows the events that undo it, whose correlation id it has."""

    board_id: Annotated[Id, "The board."]
    undone_seq: Annotated[int, "The number of the last event of the undone change."]
    undone_correlation_id: Annotated[
        str | None, "The correlation id of the undone change; null: it had none."
    ]


class RanksRewritten(BoardEvent, WorkspaceEvent):
    """Cards, subtasks, columns or boards got shorter ranks. Their order is unchanged."""

    ranks: dict[str, str]  # by the id of what has the rank
