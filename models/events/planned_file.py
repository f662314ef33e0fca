"""Events of planned files."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import Changes
from models.events.card import CardEvent


class PlannedFileEvent(CardEvent):
    """A change to a planned file of a card."""

    planned_file_id: Annotated[Id, "The planned file."]
    title: Annotated[str, "Its path at that time."]
    rank: Annotated[str | None, "Its rank on the card."]


class PlannedFileAdded(PlannedFileEvent):
    """A planned file was added to a card."""


class PlannedFileUpdated(PlannedFileEvent):
    """A planned file was changed or approved."""

    changes: Changes


class PlannedFileMoved(PlannedFileEvent):
    """A planned file was reordered."""


class PlannedFileDeleted(PlannedFileEvent):
    """A planned file was deleted."""
