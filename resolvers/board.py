"""Reads of boards and columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import case, func, select
from strawberry import ID, Parent

from auth.permissions import sees_board, sees_card
from kit.eventlog.event_log import Cursor
from kit.eventlog.tables import Topic
from models.board import Board, BoardColumn
from models.card import Card
from models.stage import Stage
from models.topic import board_topic
from models.workspace import Workspace
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page
from resolvers.workspace import CountRow

BOARD = Relation[Board | None](
    select(Board.__table__), Board.id, lambda actor: sees_board(actor, Board.id), viewer_independent=True
)
COLUMN = Relation[BoardColumn | None](
    select(BoardColumn.__table__),
    BoardColumn.id,
    lambda actor: sees_board(actor, BoardColumn.board_id),
    viewer_independent=True,
)
COLUMNS_OF_BOARD = Relation[Sequence[BoardColumn]](
    select(BoardColumn.__table__).order_by(BoardColumn.rank),
    BoardColumn.board_id,
    lambda actor: sees_board(actor, BoardColumn.board_id),
    many=True,
    viewer_independent=True,
)
CARD_COUNT = Relation[CountRow | None](
    select(func.count().label("count")).where(Card.archived_at.is_(None)),
    Card.column_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    group=True,
    viewer_independent=True,
)
COUNTS_OF_BOARD = Relation[object](
    select(*(func.sum(case((BoardColumn.stage == stage, 1), else_=0)).label(stage) for stage in Stage))
    .join(BoardColumn, BoardColumn.id == Card.column_id)
    .where(Card.archived_at.is_(None)),
    Card.board_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    group=True,
    viewer_independent=True,
)
TOPIC = Relation[Topic | None](
    select(Topic.__table__),
    Topic.name,
    # A topic is read by the name of a row that the actor has read.
    lambda actor: Topic.name.is_not(None),
    viewer_independent=True,
)

BOARDS = PaginatedQuery("boards", select(Board.__table__), None, lambda actor: sees_board(actor, Board.id))
BOARDS_OF_WORKSPACE = PaginatedQuery(
    "workspace.boards", select(Board.__table__), Board.workspace_id, lambda actor: sees_board(actor, Board.id)
)
# Ranks compare within a workspace only, so the workspace comes first.
BY_RANK = Order("RANK", ((Board.workspace_id, False), (Board.rank, False)))


async def board(info: Info, id: Annotated[ID, "The board."]) -> Board | None:
    """A board, or null if it does not exist or you may not see it."""
    return await info.context.load(BOARD, id)


async def boards(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    archived: Annotated[bool, "Only archived boards, instead of only others."] = False,
) -> Page:
    """Your boards, by workspace and rank."""
    return await _boards(info, BOARDS, None, PageArgs(first, after, last, before), archived)


async def boards_of_workspace(
    root: Parent[Workspace],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    archived: Annotated[bool, "Only archived boards, instead of only others."] = False,
) -> Page:
    """Its boards, by rank."""
    return await _boards(info, BOARDS_OF_WORKSPACE, root.id, PageArgs(first, after, last, before), archived)


async def _boards(
    info: Info, query: PaginatedQuery, parent: str | None, page: PageArgs, archived: bool
) -> Page:
    where = Board.archived_at.is_not(None) if archived else Board.archived_at.is_(None)
    return await load_page(info.context, query, BY_RANK, page, parent, [where], str(archived))


def _topic(board: Board) -> str:
    return board_topic(board.id)


@batched(TOPIC, _topic, "id")
def seq_of_board(root: Board, topic: Topic | None) -> int:
    """Sequence number of its last event. After a mutation, your feed has caught up when it reaches this number."""
    return topic.last if topic else 0


@batched(TOPIC, _topic, "id")
def cursor_of_board(root: Board, topic: Topic | None) -> str:
    """Cursor of its last event at the moment of this answer. Follow `boardFeed` after it to miss no event."""
    return str(Cursor(topic.epoch, topic.last)) if topic else "0"


@dataclass(frozen=True)
class StageCount:
    """The number of cards in a stage."""

    stage: Stage
    count: int


@batched(COUNTS_OF_BOARD, "id")
def card_counts(root: Board, counts: object) -> list[StageCount]:
    """Number of unarchived cards in each stage."""
    return [StageCount(stage, getattr(counts, stage) if counts else 0) for stage in Stage]


@batched(COUNTS_OF_BOARD, "id")
def open_card_count(root: Board, counts: object) -> int:
    """Number of cards that are neither done nor archived."""
    return sum(getattr(counts, stage) for stage in Stage if stage is not Stage.DONE) if counts else 0


@batched(CARD_COUNT, "id")
def card_count(root: BoardColumn, row: CountRow | None) -> int:
    """Number of its unarchived cards."""
    return row.count if row else 0
