"""Server jobs: work that the server does outside of a request, such as mail and calls of other servers.

The queue holds their state, under the same id and the tenant SERVER.
"""

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Json
from kit.described_enum import DescribedEnum
from kit.ids import maker
from kit.queue.tables import JobState
from models.columns import Stamped

SERVER = "server"  # the tenant of all server jobs
MAX_JOB_KEY_LENGTH = 200


class JobStatus(DescribedEnum):
    """The status of a server job."""

    QUEUED = "QUEUED", "It waits for its turn, or for its next attempt."
    RUNNING = "RUNNING", "A server works on it."
    DONE = "DONE", "It succeeded."
    FAILED = "FAILED", "It failed for good. It can be queued again."


STATUS_OF_STATE = {
    JobState.READY: JobStatus.QUEUED,
    JobState.PARKED: JobStatus.QUEUED,
    JobState.LEASED: JobStatus.RUNNING,
    JobState.DONE: JobStatus.DONE,
    JobState.DEAD: JobStatus.FAILED,
    JobState.CANCELLED: JobStatus.FAILED,
}


class ServerJob(Stamped, Base):
    __tablename__ = "server_job"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("job"))
    workspace_id: Mapped[str | None] = mapped_column(
        ForeignKey("workspace.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(40))
    # Unique among jobs that have not started: a second one would do the same.
    key: Mapped[str | None] = mapped_column(String(MAX_JOB_KEY_LENGTH), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(Json)  # ids, never secrets
