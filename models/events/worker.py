"""Events of the workers of a workspace."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.workspace import WorkspaceScopedEvent


class WorkerEvent(WorkspaceScopedEvent):
    """A change to a worker."""

    subject_field = "worker_id"

    worker_id: Annotated[Id, "The worker."]
    name: Annotated[str, "Its name at that time."]


class WorkerRegistered(WorkerEvent):
    """A worker registered for the first time, again, or with other capabilities."""


class WorkerDeregistered(WorkerEvent):
    """A worker left. Its runs are in the queue again."""
