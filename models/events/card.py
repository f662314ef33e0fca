"""Events of cards, and of what belongs to a card: links, subtasks, labels, assignees and messages."""

from typing import Annotated, Any, TypedDict

from kit.graphql.arguments import Id
from models.card import Card, LinkKind, Subtask
from models.events.base import BoardEvent, Changes, UserEvent
from models.stage import Stage

RANK_IN_COLUMN = "Its rank in the column; null in events older than ranks."


class CardEvent(BoardEvent):
    """A change to a card, or to what belongs to it."""

    subject_field = "card_id"
    subject_name = (Card, "title")

    card_id: Annotated[Id, "The card."]


class CardCreated(CardEvent):
    """A card was created."""

    column_id: Annotated[Id, "The column that it is in."]
    rank: Annotated[str | None, RANK_IN_COLUMN]
    stage: Stage
    title: str


class CardUpdated(CardEvent):
    """A card's fields were changed."""

    changes: Changes
    before: dict[str, Any]  # the whole card, for restoring it


class CardsUpdated(BoardEvent):
    """Cards were changed together. It follows the events of the cards, whose correlation id it has."""

    board_id: Annotated[Id, "The board."]
    card_ids: Annotated[list[Id], "The cards, at most 100."]


class CardMoved(CardEvent):
    """A card was moved to another column or to another position."""

    from_column_id: Annotated[Id, "The column that it left."]
    from_stage: Annotated[Stage, "The stage that it left."]
    to_column_id: Annotated[Id, "The column that it is in."]
    to_stage: Annotated[Stage, "The stage that it is in."]
    rank: Annotated[str | None, RANK_IN_COLUMN]
    before: dict[str, Any]
    run_id: str | None


class CardArchived(CardEvent):
    """A card was archived."""


class CardUnarchived(CardEvent):
    """A card was unarchived."""

    column_id: Annotated[Id, "The column that it is in."]
    rank: Annotated[str | None, RANK_IN_COLUMN]
    from_column_id: str | None = None
    from_rank: str | None = None


def unarchived(card: Card, from_column_id: str, from_rank: str) -> CardUnarchived:
    """Make the event of a card that was unarchived, and came from this column and rank."""
    return CardUnarchived(
        card_id=card.id,
        column_id=card.column_id,
        rank=card.rank,
        from_column_id=from_column_id,
        from_rank=from_rank,
    )


class CardApproved(CardEvent):
    """A card was approved: it is ready to be worked on."""


class CardApprovalWithdrawn(CardEvent):
    """The approval of a card was taken back."""


class CardDeleted(CardEvent):
    """A card was deleted."""

    title: Annotated[str, "Its title."]
    number: int
    column_id: str
    detached: list[str]  # the cards that were under it
    before: dict[str, Any]


class CardLinkEvent(CardEvent):
    """A change to a link between two cards."""

    link_id: Annotated[Id, "The link."]
    link_kind: Annotated[LinkKind, "The card's relation to the target."]
    target_id: Annotated[Id, "The other card."]


class CardLinked(CardLinkEvent):
    """A card was linked to another."""


class CardUnlinked(CardLinkEvent):
    """A link between two cards was removed."""


class SubtaskEvent(CardEvent):
    """A change to a subtask."""

    subtask_id: Annotated[Id, "The subtask."]
    title: Annotated[str, "Its title at that time."]
    phase: Annotated[str | None, "Its phase at that time."]
    phase_order: Annotated[int | None, "The number of that phase; null in older events."]
    rank: Annotated[str | None, "Its rank in the phase; null in events older than ranks."]
    done: Annotated[int, "Number of the card's completed subtasks at that time."]
    total: Annotated[int, "Number of the card's subtasks at that time."]


class SubtaskFacts(TypedDict):
    card_id: str
    subtask_id: str
    title: str
    phase: str | None
    phase_order: int | None
    rank: str | None
    done: int
    total: int


def subtask_facts(subtask: Subtask, done: int, total: int) -> SubtaskFacts:
    """Return the fields that all events of a subtask share."""
    return {
        "card_id": subtask.card_id,
        "subtask_id": subtask.id,
        "title": subtask.title,
        "phase": subtask.phase,
        "phase_order": subtask.phase_order,
        "rank": subtask.rank,
        "done": done,
        "total": total,
    }


class SubtaskCreated(SubtaskEvent):
    """A subtask was created."""


class SubtaskUpdated(SubtaskEvent):
    """A subtask was changed, completed or reopened."""

    changes: Changes
    from_rank: str | None = None


class SubtaskMoved(SubtaskEvent):
    """A subtask was reordered or moved to another phase."""

    changes: Changes
    from_rank: str | None = None


class SubtaskDeleted(SubtaskEvent):
    """A subtask was deleted."""


class CardLabelEvent(CardEvent):
    """A change to the labels of a card."""

    label_id: Annotated[Id, "The label."]
    name: str


class LabelAdded(CardLabelEvent):
    """A label was added to a card."""


class LabelRemoved(CardLabelEvent):
    """A label was removed from a card."""


class CardAssigneeEvent(CardEvent):
    """A change to the assignees of a card."""

    user_id: Annotated[Id, "The assignee."]


class AssigneeAdded(CardAssigneeEvent):
    """A person was assigned to a card."""


class AssigneeRemoved(CardAssigneeEvent):
    """A person was unassigned from a card."""


class MessageEvent(CardEvent):
    """A change to a message."""

    subject_field = "message_id"

    message_id: Annotated[Id, "The message."]


class MessagePosted(MessageEvent):
    """A message was posted on a card."""


class MessageEdited(MessageEvent):
    """A message was edited."""


class MessageDeleted(MessageEvent):
    """A message was deleted."""


class AssignmentEvent(UserEvent):
    """A change to the cards that you are assigned to."""

    board_id: Annotated[Id, "The board of the card."]
    card_id: Annotated[Id, "The card."]
    title: Annotated[str, "The card's title at that time."]


class Assigned(AssignmentEvent):
    """A card was assigned to you."""


class Unassigned(AssignmentEvent):
    """You were unassigned from a card."""
