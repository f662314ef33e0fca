"""Events of sprints."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.base import BoardEvent, Changes
from models.sprint import Sprint


class SprintEvent(BoardEvent):
    """A change to a sprint."""

    subject_field = "sprint_id"
    subject_name = (Sprint, "name")

    sprint_id: Annotated[Id, "The sprint."]


class SprintCreated(SprintEvent):
    """A sprint was created."""

    name: Annotated[str, "Its name at that time."]


class SprintUpdated(SprintEvent):
    """A sprint's fields were changed."""

    changes: Changes


class SprintStarted(SprintEvent):
    """A sprint was started."""


class SprintCompleted(SprintEvent):
    """A sprint was completed."""

    committed_points: Annotated[int, "Story points in it at the end of its first day."]
    completed_points: Annotated[int, "Story points of its cards that are done."]
    moved_to: Annotated[Id | None, "The sprint that its other cards were moved to; null: they are in none."]


class SprintCancelled(SprintEvent):
    """A sprint was cancelled. Its cards have left it."""


class SprintDeleted(SprintEvent):
    """A sprint was deleted. Its cards have left it."""

    name: Annotated[str, "Its name."]
