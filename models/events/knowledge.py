"""Events of knowledge items."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import Changes
from models.events.card import CardEvent
from models.knowledge import KnowledgeKind


class KnowledgeEvent(CardEvent):
    """A change to a knowledge item of a card."""

    knowledge_id: Annotated[Id, "The knowledge item."]
    knowledge_kind: Annotated[KnowledgeKind, "Its kind at that time."]
    title: Annotated[str, "The first line of its text at that time, at most 200 characters."]
    rank: Annotated[str | None, "Its rank on the card."]


class KnowledgeAdded(KnowledgeEvent):
    """A knowledge item was added to a card."""


class KnowledgeUpdated(KnowledgeEvent):
    """A knowledge item was changed, approved or rejected."""

    changes: Changes


class KnowledgeMoved(KnowledgeEvent):
    """A knowledge item was reordered."""


class KnowledgeDeleted(KnowledgeEvent):
    """A knowledge item was deleted."""
