"""How boards and columns are answered, and the adapters of their changes."""

from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import case, func, select
from strawberry import ID, Maybe, Parent

import actions.board
from auth.permissions import sees_board, sees_card
from kit.eventlog.event_log import Cursor
from kit.eventlog.tables import Topic
from kit.graphql.arguments import IfVersion, provided_fields
from models.board import Board, BoardColumn, Template
from models.card import Card
from models.stage import Law, Stage
from models.topic import board_topic
from resolvers.context import Info
from resolvers.loaders import Relation, batched
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

BOARD = Relation(select(Board.__table__), Board.id, lambda actor: sees_board(actor, Board.id), alike=True)
COLUMN = Relation(
    select(BoardColumn.__table__),
    BoardColumn.id,
    lambda actor: sees_board(actor, BoardColumn.board_id),
    alike=True,
)
COLUMNS_OF_BOARD = Relation(
    select(BoardColumn.__table__).order_by(BoardColumn.rank),
    BoardColumn.board_id,
    lambda actor: sees_board(actor, BoardColumn.board_id),
    many=True,
    alike=True,
)
CARD_COUNT = Relation(
    select(func.count().label("count")).where(Card.archived_at.is_(None)),
    Card.column_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    group=True,
    alike=True,
)
COUNTS_OF_BOARD = Relation(
    select(*(func.sum(case((BoardColumn.stage == stage, 1), else_=0)).label(stage) for stage in Stage))
    .join(BoardColumn, BoardColumn.id == Card.column_id)
    .where(Card.archived_at.is_(None)),
    Card.board_id,
    lambda actor: sees_card(actor, Card.board_id, Card.id),
    group=True,
    alike=True,
)
TOPIC = Relation(
    select(Topic.__table__),
    Topic.name,
    # A topic is read by the name of a row that was seen.
    lambda actor: Topic.name.is_not(None),
    alike=True,
)

BOARDS = PaginatedQuery("boards", select(Board.__table__), None, lambda actor: sees_board(actor, Board.id))
BOARDS_OF_WORKSPACE = PaginatedQuery(
    "workspace.boards", select(Board.__table__), Board.workspace_id, lambda actor: sees_board(actor, Board.id)
)
# Across workspaces the rank says nothing between two of them, so the workspace comes first.
BY_RANK = Order("RANK", ((Board.workspace_id, False), (Board.rank, False)))


async def board(info: Info, id: Annotated[ID, "Which board."]) -> Any:
    """One board, or null where there is none that you may see."""
    return await info.context.load(BOARD, id)


async def boards(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    archived: Annotated[bool, "Show the archived ones, instead of the others."] = False,
) -> Page:
    """Your boards, in their order, workspace by workspace."""
    return await _boards(info, BOARDS, None, PageArgs(first, after, last, before), archived)


async def boards_of_workspace(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    archived: Annotated[bool, "Show the archived ones, instead of the others."] = False,
) -> Page:
    """Its boards, in their order."""
    return await _boards(info, BOARDS_OF_WORKSPACE, root.id, PageArgs(first, after, last, before), archived)


async def _boards(
    info: Info, listing: PaginatedQuery, parent: str | None, ask: PageArgs, archived: bool
) -> Page:
    shown = Board.archived_at.is_not(None) if archived else Board.archived_at.is_(None)
    return await load_page(info.context, listing, BY_RANK, ask, parent, [shown], str(archived))


def _topic(board: Any) -> str:
    return board_topic(board.id)


@batched(TOPIC, _topic, "id")
def seq_of_board(root: Any, topic: Any) -> int:
    """Number of its last event. After a mutation: your feed has caught up when it has shown this number."""
    return topic.last if topic else 0


@batched(TOPIC, _topic, "id")
def cursor_of_board(root: Any, topic: Any) -> str:
    """Where its feed stood at the moment of this answer. Follow `boardFeed` after it and nothing is missed."""
    return str(Cursor(topic.epoch, topic.last)) if topic else "0"


@dataclass(frozen=True)
class StageCount:
    stage: Stage
    count: int


@batched(COUNTS_OF_BOARD, "id")
def card_counts(root: Any, counts: Any) -> Any:
    """How many cards stand in each stage, archived ones not counted."""
    return [StageCount(stage, getattr(counts, stage) if counts else 0) for stage in Stage]


@batched(COUNTS_OF_BOARD, "id")
def open_card_count(root: Any, counts: Any) -> int:
    """How many cards are neither done nor archived."""
    return sum(getattr(counts, stage) for stage in Stage if stage is not Stage.DONE) if counts else 0


@batched(CARD_COUNT, "id")
def card_count(root: Any, row: Any) -> int:
    """How many cards stand in it, archived ones not counted."""
    return row.count if row else 0


async def create_board(
    info: Info,
    workspace_id: Annotated[ID, "In which workspace."],
    name: Annotated[str, "1 to 100 characters."],
    key: Annotated[
        str | None,
        "Stands in the names of its cards: WEB in WEB-42. Made from the name if left out.",
    ] = None,
    template: Annotated[Template, "Which columns it starts with."] = Template.PIPELINE,
    law: Annotated[Law | None, "PIPELINE for the pipeline template, FREE for others, if left out."] = None,
    description: Annotated[str, "Markdown."] = "",
    auto_dispatch: Annotated[
        bool | None,
        "Give a card that enters TODO to an agent: true for the pipeline template, if left out.",
    ] = None,
) -> Any:
    """Make a board in a workspace, with fresh columns from a template."""
    async with info.context.transaction() as tx:
        return await actions.board.create_board(
            tx,
            info.context.actor,
            workspace_id,
            name,
            key=key,
            template=template,
            law=law,
            description=description,
            auto_dispatch=auto_dispatch,
        )


async def update_board(
    info: Info,
    id: Annotated[ID, "Which board."],
    name: Annotated[Maybe[str], "1 to 100 characters."],
    description: Annotated[Maybe[str], "Markdown."],
    key: Annotated[Maybe[str], "A letter, then up to nine letters or digits; unique in the workspace."],
    law: Annotated[Maybe[Law], "Which law its cards obey. An admin's to change."],
    if_version: IfVersion = None,
) -> Any:
    """Change a board. What is left out stays."""
    changes = provided_fields(name=name, description=description, key=key, law=law)
    async with info.context.transaction() as tx:
        return await actions.board.update_board(tx, info.context.actor, id, changes, if_version=if_version)


async def move_board(
    info: Info,
    id: Annotated[ID, "Which board."],
    before: Annotated[ID | None, "The board it shall stand in front of."] = None,
    after: Annotated[ID | None, "The board it shall stand behind."] = None,
) -> Any:
    """Move a board among those of its workspace; to the end without a neighbour."""
    async with info.context.transaction() as tx:
        return await actions.board.move_board(tx, info.context.actor, id, before=before, after=after)


async def archive_board(
    info: Info,
    id: Annotated[ID, "Which board."],
    if_version: IfVersion = None,
) -> Any:
    """Archive a board: hidden by default, and its cards do not move. Admins only."""
    async with info.context.transaction() as tx:
        return await actions.board.archive_board(tx, info.context.actor, id, if_version=if_version)


async def unarchive_board(
    info: Info,
    id: Annotated[ID, "Which board."],
    if_version: IfVersion = None,
) -> Any:
    """Bring an archived board back. Admins only."""
    async with info.context.transaction() as tx:
        return await actions.board.unarchive_board(tx, info.context.actor, id, if_version=if_version)


async def delete_board(
    info: Info,
    id: Annotated[ID, "Which board."],
    confirm_name: Annotated[str, "Its name, to show that you mean it."],
    cancel_runs: Annotated[bool, "End the runs of agents on it; without it they are a Conflict."] = False,
) -> Any:
    """Delete a board with everything on it. Admins only. Answers the board as it was."""
    async with info.context.transaction() as tx:
        return await actions.board.delete_board(
            tx, info.context.actor, id, confirm_name, cancel_runs=cancel_runs
        )


async def create_column(
    info: Info,
    board_id: Annotated[ID, "On which board."],
    name: Annotated[str, "1 to 50 characters."],
    stage: Annotated[Stage, "What the column means to the law."],
    wip_limit: Annotated[int | None, "How many cards it takes at most: 1 to 1000; none if left out."] = None,
    before: Annotated[ID | None, "The column it shall stand in front of."] = None,
    after: Annotated[ID | None, "The column it shall stand behind."] = None,
) -> Any:
    """Add a column to a board; at the right end without a neighbour. A board has at most 20."""
    async with info.context.transaction() as tx:
        return await actions.board.create_column(
            tx,
            info.context.actor,
            board_id,
            name,
            stage,
            wip_limit=wip_limit,
            before=before,
            after=after,
        )


async def update_column(
    info: Info,
    id: Annotated[ID, "Which column."],
    name: Annotated[Maybe[str], "1 to 50 characters."],
    stage: Annotated[Maybe[Stage], "Its meaning. The law must allow every card in it to go there."],
    wip_limit: Annotated[Maybe[int | None], "How many cards it takes at most; null lifts the limit."],
    if_version: IfVersion = None,
) -> Any:
    """Change a column. What is left out stays."""
    changes = provided_fields(name=name, stage=stage, wip_limit=wip_limit)
    async with info.context.transaction() as tx:
        return await actions.board.update_column(tx, info.context.actor, id, changes, if_version=if_version)


async def move_column(
    info: Info,
    id: Annotated[ID, "Which column."],
    before: Annotated[ID | None, "The column it shall stand in front of."] = None,
    after: Annotated[ID | None, "The column it shall stand behind."] = None,
) -> Any:
    """Move a column on its board; to the right end without a neighbour."""
    async with info.context.transaction() as tx:
        return await actions.board.move_column(tx, info.context.actor, id, before=before, after=after)


async def delete_column(
    info: Info,
    id: Annotated[ID, "Which column."],
    move_cards_to: Annotated[ID | None, "The column its cards go to, if the law allows each of them."] = None,
    delete_cards: Annotated[bool, "Delete its cards with it."] = False,
    detach_children: Annotated[
        bool, "Let the children of deleted cards go that stand in other columns; without it they refuse it."
    ] = False,
    cancel_runs: Annotated[bool, "Stop the agents that are at its cards; without it they refuse it."] = False,
) -> Any:
    """Delete a column. With cards in it you must say what becomes of them. Answers the column as it was."""
    async with info.context.transaction() as tx:
        return await actions.board.delete_column(
            tx,
            info.context.actor,
            id,
            move_cards_to=move_cards_to,
            delete_cards=delete_cards,
            detach_children=detach_children,
            cancel_runs=cancel_runs,
        )
