"""What clients may say and hear about cards."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

from actions.revision import kept
from models.card import MOST_AT_ONCE, CardType, Priority, Size
from models.run import AgentState
from models.stage import Stage
from resolvers import agent as agents
from resolvers import card as cards
from resolvers import link as links
from resolvers import mark as marks
from resolvers import message as messages
from resolvers import question as questions
from resolvers import run as runs
from resolvers import timeline as timelines
from resolvers.board import BOARD, COLUMN
from resolvers.card import CARD, CHILDREN_OF_CARD
from resolvers.link import BLOCKED_BY_CARD, BLOCKERS_OF_CARD
from resolvers.mark import ASSIGNEES_OF_CARD, LABELS_OF_CARD
from resolvers.profile import PROFILE
from resolvers.question import OPEN_QUESTIONS_OF_CARD
from resolvers.run import CHOSEN_RUN_OF_CARD
from resolvers.subtask import SUBTASK_COUNT, SUBTASKS_OF_CARD
from runtime.transport.describe import Node, said
from runtime.transport.sizes import list_size
from schema.account import User
from schema.actor import Actor, actor_named, actor_of_event
from schema.board import Board, Column
from schema.error import Conflict, MoveReason, StageRefused, Stale
from schema.link import CardLink
from schema.message import Message
from schema.page import Connection
from schema.profile import AgentProfile
from schema.subtask import Subtask, SubtaskCount
from schema.timeline import TimelineEntry
from schema.view import ask, do, link, view
from schema.workspace import Label

RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]
QuestionLater: Any = Annotated["Question", strawberry.lazy("schema.question")]


@said
class Move:
    """Whether a card may move to a stage now."""

    stage: Annotated[Stage, "To which stage."]
    allowed: Annotated[bool, "Whether you may move it there."]
    reasons: list[MoveReason] = strawberry.field(
        description="What stands against it.", directives=[list_size(1, slicing=())]
    )


def was(key: str, text: str) -> Any:
    """A field of a revision: what the card's image has under `key`."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return kept(root.data["before"], key)

    return strawberry.field(resolver=resolve, description=text)


@said
class CardRevision:
    """What a card said before a change."""

    seq: Annotated[int, "Its number: that of the event that changed the card."]
    at: Annotated[datetime, "When it was changed."]
    actor: Actor = strawberry.field(resolver=actor_of_event, description="Who changed it.")
    title: str = was("title", "Its title before.")
    description: str = was("description", "Its description before.")
    type: CardType = was("type", "What kind of work it was before.")
    priority: Priority = was("priority", "How urgent it was before.")
    size: Size | None = was("size", "How big it was before.")
    story_points: int | None = was("story_points", "Its story points before.")
    due_on: date | None = was("due_on", "The day it was due before.")
    parent_id: ID | None = was("parent_id", "The card it was a part of; it may be gone since.")
    stage: Stage = was("stage", "The stage it stood in.")
    column_id: ID = was("column_id", "The column it stood in; it may be gone since.")


def _maker(root: Any) -> Actor | None:
    return actor_named(root.created_by)


@view("card")
class Card(Node):
    """A piece of work."""

    board_id: Annotated[ID, "On which board."]
    column_id: Annotated[ID, "In which column."]
    rank: Annotated[str, "Its place in the column: the smaller stands first, compared byte by byte."]
    number: Annotated[int, "Its number on the board."]
    name: str = ask(cards.name_of_card)
    title: Annotated[str, "1 to 255 characters."]
    stage: Stage = ask(cards.stage_of_card)
    description: Annotated[str, "Markdown."]
    type: Annotated[CardType, "What kind of work it is."]
    priority: Annotated[Priority, "How urgent it is."]
    size: Annotated[Size | None, "How big it is."]
    story_points: Annotated[int | None, "0 to 99."]
    due_on: Annotated[date | None, "The day it is due."]
    overdue: bool = ask(cards.overdue)
    agent_profile_id: Annotated[ID | None, "The agent profile it is worked with; null: its board's default."]
    agent_profile: AgentProfile | None = link(
        PROFILE, "agent_profile_id", text="How its agents are started, where the card itself says so."
    )
    archived_at: Annotated[datetime | None, "When it was archived."]
    version: Annotated[int, "Grows by one with every change."]
    created_at: Annotated[datetime, "When it was made."]
    created_by: Actor | None = strawberry.field(resolver=_maker, description="Who made it.")
    updated_at: Annotated[datetime, "When it was last changed."]
    board: Board | None = link(BOARD, "board_id", text="The board it stands on.")
    column: Column | None = link(COLUMN, "column_id", text="The column it stands in.")
    parent: Annotated["Card | None", "The card it is a part of."] = link(
        CARD, "parent_id", text="The card it is a part of."
    )
    children: list["Card"] = link(
        CHILDREN_OF_CARD, text="The cards that are parts of it, by number.", size=10
    )
    subtasks: list[Subtask] = link(
        SUBTASKS_OF_CARD, text="Its subtasks: phase by phase, in their order. At most 100.", size=5
    )
    subtask_count: SubtaskCount = link(SUBTASK_COUNT, text="How many subtasks are done, of how many.")
    labels: list[Label] = link(LABELS_OF_CARD, text="Its labels, by name. At most 20.", size=3)
    assignees: list[User] = link(
        ASSIGNEES_OF_CARD, text="Who it is assigned to, by name. At most 20.", size=2
    )
    links: list[CardLink] = ask(links.links_of_card, directives=[list_size(5, slicing=())])
    blocks: list["Card"] = link(BLOCKED_BY_CARD, text="The cards that wait for this one, by number.", size=5)
    blocked_by: list["Card"] = link(
        BLOCKERS_OF_CARD, text="The cards this one waits for, by number, also those that are done.", size=5
    )
    message_count: int = ask(messages.message_count)
    messages: Connection[Message] = ask(messages.messages_of_card, directives=[list_size(50)])
    timeline: Connection[TimelineEntry] = ask(
        timelines.timeline_of_card, directives=[list_size(20, maximum=50)]
    )
    agent_state: AgentState = ask(agents.agent_state)
    agent_activity: str | None = ask(agents.agent_activity)
    active_run: RunLater | None = ask(runs.active_run)
    chosen_run: RunLater | None = link(
        CHOSEN_RUN_OF_CARD, text="The run on it that a person chose before the others."
    )
    runs: Connection[RunLater] = ask(runs.runs_of_card, directives=[list_size(50)])
    questions: Connection[QuestionLater] = ask(questions.questions_of_card, directives=[list_size(50)])
    open_questions: list[QuestionLater] = link(
        OPEN_QUESTIONS_OF_CARD, text="The questions on it that wait for an answer, oldest first.", size=1
    )
    allowed_stages: list[Stage] = ask(cards.allowed_stages)
    moves: list[Move] = ask(cards.moves_of_card, directives=[list_size(6, slicing=())])
    revisions: list[CardRevision] = ask(
        cards.revisions_of_card, directives=[list_size(20, slicing=("first",), maximum=50)]
    )


@said
class Cards:
    """Several cards that were changed together, in the order they were named."""

    cards: list[Card] = strawberry.field(
        description="The cards as they are now.", directives=[list_size(MOST_AT_ONCE, slicing=())]
    )

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, cards.Several)


@strawberry.type
class CardQuery:
    card: Card | None = ask(cards.card)
    cards: Connection[Card] = ask(cards.cards, directives=[list_size(50)])


@strawberry.type
class CardMutation:
    create_card = do(cards.create_card, Card, StageRefused, Conflict)
    create_cards = do(cards.create_cards, Cards, StageRefused, Conflict)
    update_card = do(cards.update_card, Card, StageRefused, Stale, Conflict)
    move_card = do(cards.move_card, Card, StageRefused, Stale)
    move_cards = do(cards.move_cards, Cards, StageRefused)
    archive_card = do(cards.archive_card, Card, Stale, Conflict)
    unarchive_card = do(cards.unarchive_card, Card, StageRefused, Stale)
    delete_card = do(cards.delete_card, Card, Stale, Conflict)
    set_parent_card = do(cards.set_parent_card, Card, Stale, Conflict)
    reject_card = do(cards.reject_card, Card, StageRefused, Conflict)
    restore_card_revision = do(cards.restore_card_revision, Card, StageRefused, Stale, Conflict)
    assign_card = do(marks.assign_card, Card, Conflict)
    unassign_card = do(marks.unassign_card, Card)
    add_label = do(marks.add_label, Card, Conflict)
    remove_label = do(marks.remove_label, Card)
