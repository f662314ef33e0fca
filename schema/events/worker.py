"""What happens to the workers of a workspace."""

import strawberry
from strawberry import ID

from models.event import EventKind as Kind
from resolvers.worker import WORKER
from schema.events.base import event, found
from schema.events.workspace import AboutWorkspace
from schema.fields import payload_field
from schema.worker import Worker


@strawberry.interface(description="Something that happened to a worker.")
class AboutWorker(AboutWorkspace):
    worker_id: ID = payload_field("worker_id", "Which worker.")
    name: str = payload_field("name", "What it was called then.")
    worker: Worker | None = found(WORKER, "worker_id", "The worker as it is now.")


@event(Kind.WORKER_REGISTERED)
class WorkerRegistered(AboutWorker):
    """A worker came, came back, or is another than before."""


@event(Kind.WORKER_DEREGISTERED)
class WorkerDeregistered(AboutWorker):
    """A worker left. What it held is in the queue again."""
