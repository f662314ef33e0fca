"""Cards: the type, its queries and its mutations."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.bin
import actions.card
import actions.card_bulk
import actions.group
import actions.labels_and_assignees
import actions.readiness
import actions.revision
import actions.run.reject
import actions.subtask
import resolvers.readiness
from auth.permissions import Access
from kit.graphql.limits.list_size import cost, list_size
from kit.graphql.types import Node, object_type
from models.branch_task import MAX_CONFLICTS
from models.card import MAX_AT_ONCE, CardSize, CardType, Priority
from models.card import Card as CardRow
from models.run import AgentState
from models.stage import Stage
from resolvers import agent_state as agents
from resolvers import approval as consents
from resolvers import card as cards
from resolvers import check as results
from resolvers import csv_export
from resolvers import diff as differences
from resolvers import file as attached
from resolvers import link as links
from resolvers import message as messages
from resolvers import question as questions
from resolvers import review as remarks
from resolvers import run as runs
from resolvers import timeline as timelines
from resolvers.board import BOARD, COLUMN
from resolvers.branch_task import LAST_BRANCH_TASK_OF_CARD
from resolvers.card import CARD, CHILDREN_OF_CARD
from resolvers.document import LINKS_OF_TARGET
from resolvers.file import FILES_OF_CARD
from resolvers.group import GROUP
from resolvers.knowledge import KNOWLEDGE_OF_CARD
from resolvers.labels_and_assignees import ASSIGNEES_OF_CARD, LABELS_OF_CARD
from resolvers.link import BLOCKED_BY_CARD, BLOCKERS_OF_CARD
from resolvers.planned_file import PLANNED_FILES_OF_CARD
from resolvers.profile import PROFILE
from resolvers.pull_request import PULL_REQUESTS_OF_CARD
from resolvers.question import OPEN_QUESTIONS_OF_CARD
from resolvers.run import CHOSEN_RUN_OF_CARD
from resolvers.sprint import SPRINT
from resolvers.subtask import SUBTASK_COUNT, SUBTASKS_OF_CARD
from schema.account import User
from schema.actor import Actor, actor_named, actor_of_event
from schema.approval import GATE, Approval
from schema.board import Board, Column
from schema.branch_task import BranchTask, MergeConflict, merge_conflicts_of_card
from schema.check import Check
from schema.diff import DiffSnapshot
from schema.document import DocumentLink
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.file import File
from schema.group import Group
from schema.knowledge import KnowledgeItem
from schema.link import CardLink
from schema.message import Message
from schema.page import Connection
from schema.planned_file import PlannedFile
from schema.profile import AgentProfile
from schema.readiness import Readiness
from schema.refusal import Conflict, GateReason, MoveReason, NotReady, StageRefused, Stale
from schema.review import ReviewThread
from schema.sprint import Sprint
from schema.subtask import Subtask, SubtaskCount
from schema.timeline import TimelineEntry
from schema.workspace import Label

PullRequestLater: Any = Annotated["PullRequest", strawberry.lazy("schema.pull_request")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]
QuestionLater: Any = Annotated["Question", strawberry.lazy("schema.question")]


@object_type
class Move:
    """The verdict of the law of stages on a move of a card."""

    stage: Annotated[Stage, "The stage."]
    allowed: Annotated[bool, "True if you may move it there now."]
    reasons: list[MoveReason] = strawberry.field(
        description="The reasons against it; empty if it is allowed.", directives=[list_size(1, slicing=())]
    )


def revision_field(key: str, text: str) -> Any:
    """Make a field of a revision: the card's image under `key`."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return actions.revision.field_of_image(root.data["before"], key)

    return strawberry.field(resolver=resolve, description=text)


@object_type
class CardRevision:
    """The fields of a card before a change."""

    seq: Annotated[int, "The number of the event that changed the card; `restoreCardRevision` takes it."]
    at: Annotated[datetime, "Time of the change."]
    actor: Actor = strawberry.field(resolver=actor_of_event, description="The author of the change.")
    title: str = revision_field("title", "The title.")
    description: str = revision_field("description", "The description, Markdown.")
    type: CardType = revision_field("type", "The kind of work.")
    priority: Priority = revision_field("priority", "The urgency.")
    size: CardSize | None = revision_field("size", "The size; null if unset.")
    story_points: int | None = revision_field("story_points", "The story points; null if unset.")
    due_on: date | None = revision_field("due_on", "The day it was due; null if unset.")
    parent_id: ID | None = revision_field(
        "parent_id", "The card it was a part of, or null; it may be deleted since."
    )
    group_id: ID | None = revision_field("group_id", "The group it was in, or null; it may be deleted since.")
    stage: Stage = revision_field("stage", "The stage it was in.")
    column_id: ID = revision_field("column_id", "The column it was in; it may be deleted since.")


def _creator(root: CardRow) -> Actor | None:
    return actor_named(root.created_by)


@node_type("card")
class Card(Node):
    """A card: a unit of work on a board."""

    board_id: Annotated[ID, "The board."]
    column_id: Annotated[ID, "The column."]
    rank: Annotated[str, "A fractional index: orders its column, compared byte by byte, smallest first."]
    number: Annotated[int, "The number on its board, from 1."]
    name: str = query_field(cards.name_of_card)
    title: Annotated[str, "1 to 255 characters."]
    stage: Stage = query_field(cards.stage_of_card)
    description: Annotated[str, "Markdown; may be empty."]
    type: Annotated[CardType, "The kind of work."]
    priority: Annotated[Priority, "The urgency."]
    size: Annotated[CardSize | None, "The size of the work; null if unset."]
    story_points: Annotated[int | None, "0 to 99; null if unset."]
    due_on: Annotated[date | None, "The day it is due; null if unset."]
    overdue: bool = query_field(cards.overdue)
    group_id: Annotated[ID | None, "The group of the story map that it is in; null: none."]
    document_links: list[DocumentLink] = relation_field(
        LINKS_OF_TARGET, text="Its links to documents that you may see.", size=5
    )
    group: Group | None = relation_field(GROUP, "group_id", text="The group that it is in.")
    sprint_id: Annotated[ID | None, "The sprint that it is in; null: none."]
    sprint: Sprint | None = relation_field(SPRINT, "sprint_id", text="The sprint that it is in.")
    agent_profile_id: Annotated[ID | None, "The agent profile of the card; null: that of its board."]
    agent_profile: AgentProfile | None = relation_field(
        PROFILE, "agent_profile_id", text="The agent profile of the card; null: that of its board."
    )
    approved_at: Annotated[datetime | None, "Time of its approval; null if it is not approved."]
    archived_at: Annotated[datetime | None, "Time of archiving; null if it is not archived."]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    created_by: Actor | None = strawberry.field(
        resolver=_creator, description="The creator; null if unknown."
    )
    updated_at: Annotated[datetime, "Time of the last change."]
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    column: Column | None = relation_field(COLUMN, "column_id", text="The column.")
    parent: Annotated["Card | None", "The card it is a part of."] = relation_field(
        CARD, "parent_id", text="The card it is a part of."
    )
    children: list["Card"] = relation_field(
        CHILDREN_OF_CARD, text="The cards that are parts of it, by number. At most 100.", size=10
    )
    subtasks: list[Subtask] = relation_field(
        SUBTASKS_OF_CARD, text="Its subtasks, phase by phase in their order. At most 100.", size=5
    )
    subtask_count: SubtaskCount = relation_field(
        SUBTASK_COUNT, text="The number of its subtasks, done and in all."
    )
    pull_requests: list[PullRequestLater] = relation_field(
        PULL_REQUESTS_OF_CARD, text="Its pull requests, in the order they became known. At most 20.", size=2
    )
    knowledge: list[KnowledgeItem] = relation_field(
        KNOWLEDGE_OF_CARD, text="Its requirements, facts and assumptions, in order. At most 100.", size=5
    )
    planned_files: list[PlannedFile] = relation_field(
        PLANNED_FILES_OF_CARD, text="The files that it will create or edit, in order. At most 100.", size=5
    )
    readiness: Readiness = query_field(resolvers.readiness.readiness_of_card)
    labels: list[Label] = relation_field(LABELS_OF_CARD, text="Its labels, by name. At most 20.", size=3)
    assignees: list[User] = relation_field(
        ASSIGNEES_OF_CARD, text="The people it is assigned to, by name. At most 20.", size=2
    )
    links: list[CardLink] = query_field(links.links_of_card, directives=[list_size(5, slicing=())])
    blocks: list["Card"] = relation_field(
        BLOCKED_BY_CARD, text="The cards that it blocks, by number.", size=5
    )
    blocked_by: list["Card"] = relation_field(
        BLOCKERS_OF_CARD, text="The cards that block it, by number, also those that are done.", size=5
    )
    file_count: int = query_field(attached.file_count)
    files: list[File] = relation_field(
        FILES_OF_CARD, text="Its files and those of its messages, oldest first. At most 1,000.", size=5
    )
    message_count: int = query_field(messages.message_count)
    messages: Connection[Message] = query_field(messages.messages_of_card, directives=[list_size(50)])
    timeline: Connection[TimelineEntry] = query_field(
        timelines.timeline_of_card, directives=[list_size(20, maximum=50)]
    )
    agent_state: AgentState = query_field(agents.agent_state)
    agent_activity: str | None = query_field(agents.agent_activity)
    active_run: RunLater | None = query_field(runs.active_run)
    chosen_run: RunLater | None = relation_field(
        CHOSEN_RUN_OF_CARD, text="The run on it that a person chose."
    )
    branch_task: BranchTask | None = relation_field(
        LAST_BRANCH_TASK_OF_CARD, text="The newest task on its branch."
    )
    merge_conflicts: list[MergeConflict] = query_field(
        merge_conflicts_of_card, directives=[list_size(5, maximum=MAX_CONFLICTS, slicing=())]
    )
    runs: Connection[RunLater] = query_field(runs.runs_of_card, directives=[list_size(50)])
    questions: Connection[QuestionLater] = query_field(
        questions.questions_of_card, directives=[list_size(50)]
    )
    open_questions: list[QuestionLater] = relation_field(
        OPEN_QUESTIONS_OF_CARD, text="The open questions about it, oldest first.", size=1
    )
    checks: Connection[Check] = query_field(results.checks_of_card, directives=[list_size(50)])
    approvals: Connection[Approval] = query_field(consents.approvals_of_card, directives=[list_size(50)])
    diff: DiffSnapshot | None = query_field(differences.diff_of_card)
    review_threads: Connection[ReviewThread] = query_field(
        remarks.threads_of_card, directives=[list_size(50)]
    )
    gate: list[GateReason] = query_field(consents.gate_of_card, directives=[GATE])
    allowed_stages: list[Stage] = query_field(cards.allowed_stages)
    moves: list[Move] = query_field(cards.moves_of_card, directives=[list_size(6, slicing=())])
    revisions: list[CardRevision] = query_field(
        cards.revisions_of_card, directives=[list_size(20, slicing=("first",), maximum=50)]
    )


@result_type(actions.card.ManyCards)
class Cards:
    """Cards that were changed together, in the order of the input."""

    cards: list[Card] = strawberry.field(
        description="The cards after the change.", directives=[list_size(MAX_AT_ONCE, slicing=())]
    )


@strawberry.type
class CardQuery:
    card: Card | None = query_field(cards.card)
    cards: Connection[Card] = query_field(cards.cards, directives=[list_size(50)])
    cards_csv: str | None = query_field(csv_export.cards_csv, directives=[cost(500)])
    velocity_csv: str | None = query_field(csv_export.velocity_csv, directives=[cost(20)])


@strawberry.type
class CardMutation:
    create_card = mutation(actions.card.create_card, Card, StageRefused, Conflict, requires=Access.BOARD)
    create_cards = mutation(actions.card.create_cards, Cards, StageRefused, Conflict, requires=Access.BOARD)
    update_card = mutation(
        actions.card.update_card, Card, StageRefused, Stale, Conflict, requires=Access.BOARD
    )
    move_card = mutation(actions.card.move_card, Card, StageRefused, Stale, requires=Access.BOARD)
    set_phases = mutation(actions.subtask.set_phases, Card, requires=Access.BOARD)
    bulk_update_cards = mutation(actions.card_bulk.bulk_update_cards, Cards, Conflict, requires=Access.BOARD)
    move_cards = mutation(actions.card.move_cards, Cards, StageRefused, requires=Access.BOARD)
    archive_card = mutation(actions.card.archive_card, Card, Stale, Conflict, requires=Access.BOARD)
    unarchive_card = mutation(actions.card.unarchive_card, Card, StageRefused, Stale, requires=Access.BOARD)
    delete_card = mutation(actions.card.delete_card, Card, Stale, Conflict, requires=Access.BOARD)
    restore_card = mutation(actions.bin.restore_card, Card, StageRefused, requires=Access.BOARD)
    set_parent_card = mutation(actions.card.set_parent_card, Card, Stale, Conflict, requires=Access.BOARD)
    set_card_group = mutation(actions.group.set_card_group, Card, Stale, requires=Access.BOARD)
    approve_card = mutation(actions.readiness.approve_card, Card, NotReady, Stale, requires=Access.BOARD)
    withdraw_approval = mutation(actions.readiness.withdraw_approval, Card, Stale, requires=Access.BOARD)
    reject_card = mutation(
        actions.run.reject.reject_card, Card, StageRefused, Conflict, requires=Access.BOARD
    )
    restore_card_revision = mutation(
        actions.revision.restore_card_revision, Card, StageRefused, Stale, Conflict, requires=Access.BOARD
    )
    assign_card = mutation(actions.labels_and_assignees.assign_card, Card, Conflict, requires=Access.BOARD)
    unassign_card = mutation(actions.labels_and_assignees.unassign_card, Card, requires=Access.BOARD)
    add_label = mutation(actions.labels_and_assignees.add_label, Card, Conflict, requires=Access.BOARD)
    remove_label = mutation(actions.labels_and_assignees.remove_label, Card, requires=Access.BOARD)
