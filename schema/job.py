"""Server jobs: their type and mutation."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

import actions.job
from auth.permissions import Access
from kit.graphql.types import Node
from models.job import JobStatus
from resolvers import job as jobs
from schema.fields import mutation, node_type, query_field
from schema.refusal import Conflict


@node_type("job")
class ServerJob(Node):
    """Work that the server does outside of a request: mail, calls of other servers, clean-up."""

    workspace_id: Annotated[ID, "The workspace."]
    kind: Annotated[str, "Its kind, such as `mail.send`."]
    status: JobStatus = query_field(jobs.status_of_job)
    failures: int = query_field(jobs.failures_of_job)
    reason: str | None = query_field(jobs.reason_of_job)
    next_attempt_at: datetime | None = query_field(jobs.next_attempt_of_job)
    created_at: Annotated[datetime, "Time of its creation."]
    ended_at: datetime | None = query_field(jobs.end_of_job)


@strawberry.type
class JobMutation:
    redrive_job = mutation(actions.job.redrive_job, ServerJob, Conflict, requires=Access.ADMIN)
