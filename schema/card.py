"""What clients may say and hear about cards."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

from actions.revision import kept
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.card import MAX_AT_ONCE, CardSize, CardType, Priority
from models.run import AgentState
from models.stage import Stage
from resolvers import agent_state as agents
from resolvers import card as cards
from resolvers import labels_and_assignees as marks
from resolvers import link as links
from resolvers import message as messages
from resolvers import question as questions
from resolvers import run as runs
from resolvers import timeline as timelines
from resolvers.board import BOARD, COLUMN
from resolvers.card import CARD, CHILDREN_OF_CARD
from resolvers.labels_and_assignees import ASSIGNEES_OF_CARD, LABELS_OF_CARD
from resolvers.link import BLOCKED_BY_CARD, BLOCKERS_OF_CARD
from resolvers.profile import PROFILE
from resolvers.question import OPEN_QUESTIONS_OF_CARD
from resolvers.run import CHOSEN_RUN_OF_CARD
from resolvers.subtask import SUBTASK_COUNT, SUBTASKS_OF_CARD
from schema.account import User
from schema.actor import Actor, actor_named, actor_of_event
from schema.board import Board, Column
from schema.fields import mutation, node_type, query_field, relation_field
from schema.link import CardLink
from schema.message import Message
from schema.page import Connection
from schema.profile import AgentProfile
from schema.refusal import Conflict, MoveReason, StageRefused, Stale
from schema.subtask import Subtask, SubtaskCount
from schema.timeline import TimelineEntry
from schema.workspace import Label

RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]
QuestionLater: Any = Annotated["Question", strawberry.lazy("schema.question")]


@object_type
class Move:
    """Whether a card may move to a stage now."""

    stage: Annotated[Stage, "To which stage."]
    allowed: Annotated[bool, "Whether you may move it there."]
    reasons: list[MoveReason] = strawberry.field(
        description="What stands against it.", directives=[list_size(1, slicing=())]
    )


def revision_field(key: str, text: str) -> Any:
    """A field of a revision: what the card's image has under `key`."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return kept(root.data["before"], key)

    return strawberry.field(resolver=resolve, description=text)


@object_type
class CardRevision:
    """What a card said before a change."""

    seq: Annotated[int, "Its number: that of the event that changed the card."]
    at: Annotated[datetime, "When it was changed."]
    actor: Actor = strawberry.field(resolver=actor_of_event, description="Who changed it.")
    title: str = revision_field("title", "Its title before.")
    description: str = revision_field("description", "Its description before.")
    type: CardType = revision_field("type", "What kind of work it was before.")
    priority: Priority = revision_field("priority", "How urgent it was before.")
    size: CardSize | None = revision_field("size", "How big it was before.")
    story_points: int | None = revision_field("story_points", "Its story points before.")
    due_on: date | None = revision_field("due_on", "The day it was due before.")
    parent_id: ID | None = revision_field("parent_id", "The card it was a part of; it may be gone since.")
    stage: Stage = revision_field("stage", "The stage it stood in.")
    column_id: ID = revision_field("column_id", "The column it stood in; it may be gone since.")


def _maker(root: Any) -> Actor | None:
    return actor_named(root.created_by)


@node_type("card")
class Card(Node):
    """A piece of work."""

    board_id: Annotated[ID, "On which board."]
    column_id: Annotated[ID, "In which column."]
    rank: Annotated[str, "Its place in the column: the smaller stands first, compared byte by byte."]
    number: Annotated[int, "Its number on the board."]
    name: str = query_field(cards.name_of_card)
    title: Annotated[str, "1 to 255 characters."]
    stage: Stage = query_field(cards.stage_of_card)
    description: Annotated[str, "Markdown."]
    type: Annotated[CardType, "What kind of work it is."]
    priority: Annotated[Priority, "How urgent it is."]
    size: Annotated[CardSize | None, "How big it is."]
    story_points: Annotated[int | None, "0 to 99."]
    due_on: Annotated[date | None, "The day it is due."]
    overdue: bool = query_field(cards.overdue)
    agent_profile_id: Annotated[ID | None, "The agent profile it is worked with; null: its board's default."]
    agent_profile: AgentProfile | None = relation_field(
        PROFILE, "agent_profile_id", text="How its agents are started, where the card itself says so."
    )
    archived_at: Annotated[datetime | None, "When it was archived."]
    version: Annotated[int, "Grows by one with every change."]
    created_at: Annotated[datetime, "When it was made."]
    created_by: Actor | None = strawberry.field(resolver=_maker, description="Who made it.")
    updated_at: Annotated[datetime, "When it was last changed."]
    board: Board | None = relation_field(BOARD, "board_id", text="The board it stands on.")
    column: Column | None = relation_field(COLUMN, "column_id", text="The column it stands in.")
    parent: Annotated["Card | None", "The card it is a part of."] = relation_field(
        CARD, "parent_id", text="The card it is a part of."
    )
    children: list["Card"] = relation_field(
        CHILDREN_OF_CARD, text="The cards that are parts of it, by number.", size=10
    )
    subtasks: list[Subtask] = relation_field(
        SUBTASKS_OF_CARD, text="Its subtasks: phase by phase, in their order. At most 100.", size=5
    )
    subtask_count: SubtaskCount = relation_field(
        SUBTASK_COUNT, text="How many subtasks are done, of how many."
    )
    labels: list[Label] = relation_field(LABELS_OF_CARD, text="Its labels, by name. At most 20.", size=3)
    assignees: list[User] = relation_field(
        ASSIGNEES_OF_CARD, text="Who it is assigned to, by name. At most 20.", size=2
    )
    links: list[CardLink] = query_field(links.links_of_card, directives=[list_size(5, slicing=())])
    blocks: list["Card"] = relation_field(
        BLOCKED_BY_CARD, text="The cards that wait for this one, by number.", size=5
    )
    blocked_by: list["Card"] = relation_field(
        BLOCKERS_OF_CARD, text="The cards this one waits for, by number, also those that are done.", size=5
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
        CHOSEN_RUN_OF_CARD, text="The run on it that a person chose before the others."
    )
    runs: Connection[RunLater] = query_field(runs.runs_of_card, directives=[list_size(50)])
    questions: Connection[QuestionLater] = query_field(
        questions.questions_of_card, directives=[list_size(50)]
    )
    open_questions: list[QuestionLater] = relation_field(
        OPEN_QUESTIONS_OF_CARD, text="The questions on it that wait for an answer, oldest first.", size=1
    )
    allowed_stages: list[Stage] = query_field(cards.allowed_stages)
    moves: list[Move] = query_field(cards.moves_of_card, directives=[list_size(6, slicing=())])
    revisions: list[CardRevision] = query_field(
        cards.revisions_of_card, directives=[list_size(20, slicing=("first",), maximum=50)]
    )


@object_type
class Cards:
    """Several cards that were changed together, in the order they were named."""

    cards: list[Card] = strawberry.field(
        description="The cards as they are now.", directives=[list_size(MAX_AT_ONCE, slicing=())]
    )

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, cards.ManyCards)


@strawberry.type
class CardQuery:
    card: Card | None = query_field(cards.card)
    cards: Connection[Card] = query_field(cards.cards, directives=[list_size(50)])


@strawberry.type
class CardMutation:
    create_card = mutation(cards.create_card, Card, StageRefused, Conflict, requires=Access.BOARD)
    create_cards = mutation(cards.create_cards, Cards, StageRefused, Conflict, requires=Access.BOARD)
    update_card = mutation(cards.update_card, Card, StageRefused, Stale, Conflict, requires=Access.BOARD)
    move_card = mutation(cards.move_card, Card, StageRefused, Stale, requires=Access.BOARD)
    move_cards = mutation(cards.move_cards, Cards, StageRefused, requires=Access.BOARD)
    archive_card = mutation(cards.archive_card, Card, Stale, Conflict, requires=Access.BOARD)
    unarchive_card = mutation(cards.unarchive_card, Card, StageRefused, Stale, requires=Access.BOARD)
    delete_card = mutation(cards.delete_card, Card, Stale, Conflict, requires=Access.BOARD)
    set_parent_card = mutation(cards.set_parent_card, Card, Stale, Conflict, requires=Access.BOARD)
    reject_card = mutation(cards.reject_card, Card, StageRefused, Conflict, requires=Access.BOARD)
    restore_card_revision = mutation(
        cards.restore_card_revision, Card, StageRefused, Stale, Conflict, requires=Access.BOARD
    )
    assign_card = mutation(marks.assign_card, Card, Conflict, requires=Access.BOARD)
    unassign_card = mutation(marks.unassign_card, Card, requires=Access.BOARD)
    add_label = mutation(marks.add_label, Card, Conflict, requires=Access.BOARD)
    remove_label = mutation(marks.remove_label, Card, requires=Access.BOARD)
