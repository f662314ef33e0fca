"""What happens on a card besides its moves: subtasks, messages, labels, people, links."""

import strawberry
from strawberry import ID

from models.card import LinkKind
from models.event import EventKind as Kind
from resolvers.board import BOARD
from resolvers.card import CARD
from resolvers.link import LINK
from resolvers.message import MESSAGE
from resolvers.subtask import SUBTASK
from resolvers.workspace import LABEL, USER
from schema.account import User
from schema.actor import Change, changes
from schema.board import Board
from schema.card import Card
from schema.events.base import UserEvent, event, found
from schema.events.board import AboutCard, placed
from schema.fields import payload_field
from schema.link import CardLink
from schema.message import Message
from schema.subtask import Subtask
from schema.workspace import Label


@strawberry.interface(description="Something that happened to a subtask.")
class AboutSubtask(AboutCard):
    subtask_id: ID = payload_field("subtask_id", "Which subtask.")
    subtask: Subtask | None = found(SUBTASK, "subtask_id", "The subtask as it is now.")
    title: str = payload_field("title", "What it was called then.")
    phase: str | None = payload_field("phase", "The phase it belonged to then.")
    phase_order: int | None = payload_field(
        "phase_order", "That phase's number; null in what was told before it was."
    )
    rank: str | None = placed("phase")
    done: int = payload_field("done", "How many of the card's subtasks were done then.")
    total: int = payload_field("total", "How many subtasks the card had then.")


@strawberry.interface(description="Something that happened to a message.")
class AboutMessage(AboutCard):
    message_id: ID = payload_field("message_id", "Which message.")
    message: Message | None = found(MESSAGE, "message_id", "The message as it is now.")


@strawberry.interface(description="Something that happened to the labels of a card.")
class AboutCardLabel(AboutCard):
    label_id: ID = payload_field("label_id", "Which label.")
    label: Label | None = found(LABEL, "label_id", "The label as it is now.")


@strawberry.interface(description="Something that happened to the people a card is assigned to.")
class AboutCardAssignee(AboutCard):
    user_id: ID = payload_field("user_id", "Which person.")
    user: User | None = found(USER, "user_id", "The person.")


@strawberry.interface(description="Something that happened between two cards.")
class AboutLink(AboutCard):
    link_id: ID = payload_field("link_id", "Which link.")
    link: CardLink | None = found(LINK, "link_id", "The link; null once it is gone.")
    link_kind: LinkKind = payload_field("link_kind", "What the card is to the target.")
    target_id: ID = payload_field("target_id", "The other card.")
    target: Card | None = found(CARD, "target_id", "The other card as it is now.")


@strawberry.interface(description="Something that happened to what is assigned to a person.")
class AboutAssignment(UserEvent):
    board_id: ID = payload_field("board_id", "On which board.")
    card_id: ID = payload_field("card_id", "Which card.")
    title: str = payload_field("title", "What the card was called then.")
    board: Board | None = found(BOARD, "board_id", "The board as it is now.")
    card: Card | None = found(CARD, "card_id", "The card as it is now.")


@event(Kind.CARD_LINKED)
class CardLinked(AboutLink):
    """A card was linked to another."""


@event(Kind.CARD_UNLINKED)
class CardUnlinked(AboutLink):
    """The link between two cards was taken away."""


@event(Kind.SUBTASK_CREATED)
class SubtaskCreated(AboutSubtask):
    """A subtask was added."""


@event(Kind.SUBTASK_UPDATED)
class SubtaskUpdated(AboutSubtask):
    """A subtask was changed, ticked, or unticked."""

    changes: list[Change] = changes()


@event(Kind.SUBTASK_MOVED)
class SubtaskMoved(AboutSubtask):
    """A subtask stands elsewhere."""

    changes: list[Change] = changes()


@event(Kind.SUBTASK_DELETED)
class SubtaskDeleted(AboutSubtask):
    """A subtask was deleted."""


@event(Kind.LABEL_ADDED)
class LabelAdded(AboutCardLabel):
    """A label was put on a card."""


@event(Kind.LABEL_REMOVED)
class LabelRemoved(AboutCardLabel):
    """A label was taken off a card."""


@event(Kind.ASSIGNEE_ADDED)
class AssigneeAdded(AboutCardAssignee):
    """A card was assigned to somebody."""


@event(Kind.ASSIGNEE_REMOVED)
class AssigneeRemoved(AboutCardAssignee):
    """A card was taken from somebody."""


@event(Kind.MESSAGE_POSTED)
class MessagePosted(AboutMessage):
    """Something was said on a card."""


@event(Kind.MESSAGE_EDITED)
class MessageEdited(AboutMessage):
    """A message was edited."""


@event(Kind.MESSAGE_DELETED)
class MessageDeleted(AboutMessage):
    """A message was deleted."""


@event(Kind.ASSIGNED)
class Assigned(AboutAssignment):
    """A card was assigned to you."""


@event(Kind.UNASSIGNED)
class Unassigned(AboutAssignment):
    """A card is no longer assigned to you."""
