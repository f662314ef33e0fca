"""Reads of server jobs, for admins."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, case, select
from strawberry import Parent

from auth.permissions import administrates
from kit.queue import Job, JobState
from models.actor import Actor
from models.job import STATUS_OF_STATE, JobStatus, ServerJob
from models.workspace import Workspace
from resolvers.context import Info
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page


def _sees(actor: Actor) -> ColumnElement[bool]:
    return administrates(actor, ServerJob.workspace_id)


JOB = Relation[ServerJob | None](select(ServerJob.__table__), ServerJob.id, _sees)
JOBS = PaginatedQuery(
    "jobs",
    select(ServerJob.__table__).join(Job, Job.id == ServerJob.id),
    ServerJob.workspace_id,
    _sees,
)
NEWEST = Order("NEWEST", ((ServerJob.id, True),))
# The queue's row of a job that the actor may see.
QUEUED_AS = Relation[Any](
    select(
        Job.id,
        Job.state,
        Job.failures,
        Job.reason,
        Job.ended_at,
        case((Job.state == JobState.READY, Job.available_at)).label("next_attempt_at"),
    ).join(ServerJob, ServerJob.id == Job.id),
    Job.id,
    _sees,
)


async def status_of_job(root: Parent[ServerJob], info: Info) -> JobStatus:
    """Its status."""
    return STATUS_OF_STATE[(await info.context.load(QUEUED_AS, root.id)).state]


async def failures_of_job(root: Parent[ServerJob], info: Info) -> int:
    """Number of attempts that failed."""
    failures: int = (await info.context.load(QUEUED_AS, root.id)).failures
    return failures


async def reason_of_job(root: Parent[ServerJob], info: Info) -> str | None:
    """Reason of the last failure; null if none failed."""
    reason: str | None = (await info.context.load(QUEUED_AS, root.id)).reason
    return reason


async def next_attempt_of_job(root: Parent[ServerJob], info: Info) -> datetime | None:
    """Earliest time of its next attempt; null unless it is queued."""
    at: datetime | None = (await info.context.load(QUEUED_AS, root.id)).next_attempt_at
    return at


async def end_of_job(root: Parent[ServerJob], info: Info) -> datetime | None:
    """Time when it succeeded or failed for good; null while it is open."""
    at: datetime | None = (await info.context.load(QUEUED_AS, root.id)).ended_at
    return at


async def jobs_of_workspace(
    root: Parent[Workspace],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    status: Annotated[JobStatus | None, "Only jobs with this status."] = None,
) -> Page:
    """Its server jobs, newest first. Succeeded ones are kept for a week. Empty unless you are an admin."""
    states = [state for state, each in STATUS_OF_STATE.items() if status in (None, each)]
    where = [Job.state.in_(states)] if status else []
    return await load_page(
        info.context, JOBS, NEWEST, PageArgs(first, after, last, before), root.id, where, str(status)
    )
