"""Boards and their columns: the types, queries and mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.bin
import actions.board
import actions.context
import actions.policy
import actions.undo
import models.board
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.stage import Law, Stage
from resolvers import batch as batches
from resolvers import bin as bins
from resolvers import board as boards
from resolvers import board_context as contexts
from resolvers import card as cards
from resolvers import group as groups
from resolvers import plan as plans
from resolvers import policy as policies
from resolvers import pull_request as pull_requests
from resolvers import run as runs
from resolvers.answer_rule import RULES_OF_BOARD
from resolvers.board import BOARD, COLUMNS_OF_BOARD
from resolvers.card_schedule import SCHEDULES_OF_BOARD
from resolvers.document import LINKS_OF_TARGET
from resolvers.memory import MEMORIES_OF_BOARD
from resolvers.repository import REPOSITORY
from resolvers.sprint import sprints_of_board, velocity_of_board
from resolvers.workspace import WORKSPACE
from schema.bin import BinEntry
from schema.board_context import BoardContext
from schema.fields import mutation, node_type, query_field, relation_field
from schema.group import StoryMap
from schema.page import Connection
from schema.plan import PlanBatch
from schema.policy import BoardPolicy
from schema.refusal import Conflict, StageRefused, Stale
from schema.sprint import Sprint, Velocity
from schema.workspace import Workspace

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
DocumentLinkLater: Any = Annotated["DocumentLink", strawberry.lazy("schema.document")]
BatchLater: Any = Annotated["RunBatch", strawberry.lazy("schema.batch")]
RepositoryLater: Any = Annotated["Repository", strawberry.lazy("schema.repository")]
AutomationLater: Any = Annotated["BoardAutomation", strawberry.lazy("schema.pull_request")]
MemoryLater: Any = Annotated["Memory", strawberry.lazy("schema.memory")]
AnswerRuleLater: Any = Annotated["AnswerRule", strawberry.lazy("schema.answer_rule")]
CardScheduleLater: Any = Annotated["CardSchedule", strawberry.lazy("schema.card_schedule")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@object_type
class StageCount:
    """Number of cards in a stage."""

    stage: Annotated[Stage, "The stage."]
    count: Annotated[int, "Number of unarchived cards."]


@node_type("column")
class Column(Node):
    """A column of a board."""

    board_id: Annotated[ID, "The board."]
    name: Annotated[str, "1 to 50 characters."]
    stage: Annotated[Stage, "The stage of its cards."]
    wip_limit: Annotated[int | None, "Maximum number of cards; null: no limit."]
    rank: Annotated[
        str, "A fractional index: orders the columns of its board, compared byte by byte, smallest first."
    ]
    version: Annotated[int, "Increases by one with every change."]
    board: Annotated["Board | None", "The board."] = relation_field(BOARD, "board_id", text="The board.")
    card_count: int = query_field(boards.card_count)
    cards: Connection[CardLater] = query_field(
        cards.cards_of_column, directives=[list_size(50, maximum=500, within="Board")]
    )


@node_type("board")
class Board(Node):
    """A board: its columns with their cards."""

    workspace_id: Annotated[ID, "The workspace."]
    name: Annotated[str, "1 to 100 characters."]
    key: Annotated[str, "Prefix of the names of its cards: WEB in WEB-42."]
    description: Annotated[str, "Markdown; may be empty."]
    law: Annotated[Law, "The law of its cards: the moves it allows."]
    rank: Annotated[
        str, "A fractional index: orders the boards of its workspace, compared byte by byte, smallest first."
    ]
    archived_at: Annotated[datetime | None, "Time of archiving; null if it is not archived."]
    version: Annotated[int, "Increases by one with every change of the board itself."]
    created_at: Annotated[datetime, "Time of creation."]
    workspace: Workspace | None = relation_field(WORKSPACE, "workspace_id", text="The workspace.")
    columns: list[Column] = relation_field(
        COLUMNS_OF_BOARD, text="Its columns, from left to right.", size=models.board.MAX_COLUMNS
    )
    cards: Connection[CardLater] = query_field(cards.cards_of_board, directives=[list_size(50, maximum=500)])
    plans: Connection[PlanBatch] = query_field(plans.plans_of_board, directives=[list_size(50)])
    schedules: list[CardScheduleLater] = relation_field(
        SCHEDULES_OF_BOARD, text="Its schedules of cards, oldest first. A board has at most 50.", size=5
    )
    map: StoryMap = query_field(groups.map_of_board)
    sprints: Connection[Sprint] = query_field(sprints_of_board, directives=[list_size(50)])
    velocity: Velocity = query_field(velocity_of_board)
    card_counts: list[StageCount] = query_field(boards.card_counts, directives=[list_size(6, slicing=())])
    policy: BoardPolicy = query_field(policies.policy_of_board)
    automation: AutomationLater = query_field(pull_requests.automation_of_board)
    context: BoardContext = query_field(contexts.context_of_board)
    answer_rules: list[AnswerRuleLater] = relation_field(
        RULES_OF_BOARD, text="Its rules that answer questions of agents, in their order.", size=10
    )
    memory: list[MemoryLater] = relation_field(
        MEMORIES_OF_BOARD, text="Its memory, oldest first. At most 200.", size=20
    )
    open_card_count: int = query_field(boards.open_card_count)
    repository: RepositoryLater | None = relation_field(
        REPOSITORY, "repository_id", text="The repository that its cards are worked in; null if it has none."
    )
    runs: Connection[RunLater] = query_field(runs.runs_of_board, directives=[list_size(50)])
    batches: Connection[BatchLater] = query_field(batches.batches_of_board, directives=[list_size(50)])
    document_links: list[DocumentLinkLater] = relation_field(
        LINKS_OF_TARGET, text="Its links to documents that you may see.", size=5
    )
    bin: Connection[BinEntry] = query_field(bins.bin_of_board, directives=[list_size(50)])
    seq: int = query_field(boards.seq_of_board)
    cursor: str = query_field(boards.cursor_of_board)


@strawberry.type
class BoardQuery:
    board: Board | None = query_field(boards.board)
    boards: Connection[Board] = query_field(boards.boards, directives=[list_size(50)])


@strawberry.type
class BoardMutation:
    create_board = mutation(actions.board.create_board, Board, Conflict, requires=Access.MEMBER)
    update_board = mutation(actions.board.update_board, Board, Stale, Conflict, requires=Access.BOARD)
    update_board_policy = mutation(
        actions.policy.update_board_policy, Board, Stale, Conflict, requires=Access.ADMIN
    )
    update_board_context = mutation(
        actions.context.update_board_context, Board, Stale, Conflict, requires=Access.BOARD
    )
    move_board = mutation(actions.board.move_board, Board, requires=Access.MEMBER)
    archive_board = mutation(actions.board.archive_board, Board, Stale, requires=Access.ADMIN)
    unarchive_board = mutation(actions.board.unarchive_board, Board, Stale, requires=Access.ADMIN)
    delete_board = mutation(actions.board.delete_board, Board, Conflict, requires=Access.ADMIN)
    empty_bin = mutation(actions.bin.empty_bin, Board, requires=Access.ADMIN)
    undo = mutation(actions.undo.undo, Board, Conflict, StageRefused, requires=Access.BOARD)
    create_column = mutation(actions.board.create_column, Column, Conflict, requires=Access.BOARD)
    update_column = mutation(actions.board.update_column, Column, Stale, StageRefused, requires=Access.BOARD)
    move_column = mutation(actions.board.move_column, Column, requires=Access.BOARD)
    delete_column = mutation(
        actions.board.delete_column, Column, Conflict, StageRefused, requires=Access.BOARD
    )
