"""What clients may say and hear about boards and columns."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import models.board
from models.stage import Law, Stage
from resolvers import batch as batches
from resolvers import board as boards
from resolvers import card as cards
from resolvers import policy as policies
from resolvers import run as runs
from resolvers.board import BOARD, COLUMNS_OF_BOARD
from resolvers.workspace import WORKSPACE
from runtime.transport.describe import Node, said
from runtime.transport.sizes import list_size
from schema.error import Conflict, StageRefused, Stale
from schema.page import Connection
from schema.policy import BoardPolicy
from schema.view import ask, do, link, view
from schema.workspace import Workspace

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
BatchLater: Any = Annotated["RunBatch", strawberry.lazy("schema.batch")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@said
class StageCount:
    """How many cards stand in a stage."""

    stage: Annotated[Stage, "Which stage."]
    count: Annotated[int, "How many."]


@view("column")
class Column(Node):
    """A column of a board."""

    board_id: Annotated[ID, "On which board."]
    name: Annotated[str, "What it is called."]
    stage: Annotated[Stage, "What it means to the law."]
    wip_limit: Annotated[int | None, "How many cards it takes at most."]
    rank: Annotated[str, "Its place on the board: the smaller stands first, compared byte by byte."]
    version: Annotated[int, "Grows by one with every change."]
    board: Annotated["Board | None", "The board."] = link(
        BOARD, "board_id", text="The board it is a part of."
    )
    card_count: int = ask(boards.card_count)
    cards: Connection[CardLater] = ask(
        cards.cards_of_column, directives=[list_size(50, maximum=500, within="Board")]
    )


@view("board")
class Board(Node):
    """A board: columns, and the cards that stand in them."""

    workspace_id: Annotated[ID, "Whose it is."]
    name: Annotated[str, "1 to 100 characters."]
    key: Annotated[str, "Stands in the names of its cards: WEB in WEB-42."]
    description: Annotated[str, "Markdown."]
    law: Annotated[Law, "Which moves it allows."]
    rank: Annotated[str, "Its place in the workspace: the smaller stands first, compared byte by byte."]
    archived_at: Annotated[datetime | None, "When it was archived."]
    version: Annotated[int, "Grows by one with every change of the board itself."]
    created_at: Annotated[datetime, "When it was made."]
    workspace: Workspace | None = link(WORKSPACE, "workspace_id", text="The workspace it is a part of.")
    columns: list[Column] = link(
        COLUMNS_OF_BOARD, text="Its columns, from left to right.", size=models.board.MOST_COLUMNS
    )
    cards: Connection[CardLater] = ask(cards.cards_of_board, directives=[list_size(50, maximum=500)])
    card_counts: list[StageCount] = ask(boards.card_counts, directives=[list_size(6, slicing=())])
    policy: BoardPolicy = ask(policies.policy_of_board)
    open_card_count: int = ask(boards.open_card_count)
    runs: Connection[RunLater] = ask(runs.runs_of_board, directives=[list_size(50)])
    batches: Connection[BatchLater] = ask(batches.batches_of_board, directives=[list_size(50)])
    seq: int = ask(boards.seq_of_board)
    cursor: str = ask(boards.cursor_of_board)


@strawberry.type
class BoardQuery:
    board: Board | None = ask(boards.board)
    boards: Connection[Board] = ask(boards.boards, directives=[list_size(50)])


@strawberry.type
class BoardMutation:
    create_board = do(boards.create_board, Board, Conflict)
    update_board = do(boards.update_board, Board, Stale, Conflict)
    update_board_policy = do(policies.update_board_policy, Board, Stale, Conflict)
    move_board = do(boards.move_board, Board)
    archive_board = do(boards.archive_board, Board, Stale)
    unarchive_board = do(boards.unarchive_board, Board, Stale)
    delete_board = do(boards.delete_board, Board, Conflict)
    create_column = do(boards.create_column, Column, Conflict)
    update_column = do(boards.update_column, Column, Stale, StageRefused)
    move_column = do(boards.move_column, Column)
    delete_column = do(boards.delete_column, Column, Conflict, StageRefused)
