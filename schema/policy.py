"""The policy of a board for agents."""

from typing import Annotated

from strawberry import ID

import models.policy
from models.policy import NoChange, OnExpiry
from resolvers.profile import PROFILE
from schema.fields import relation_field, result_type
from schema.profile import AgentProfile


@result_type(models.policy.BoardPolicy)
class BoardPolicy:
    """The policy of a board for agents. An unset value has its default."""

    auto_dispatch: Annotated[bool, "Whether a run is started for each card that enters TODO."]
    agent_profile_id: Annotated[
        ID | None, "Agent profile of cards that name none; null: any worker executes their runs."
    ]
    agent_profile: AgentProfile | None = relation_field(
        PROFILE, "agent_profile_id", text="Agent profile of cards that name none; null if there is none."
    )
    concurrency: Annotated[int, "Maximum number of concurrent runs on the board; 0: no limit."]
    max_attempts: Annotated[int, "Number of failed attempts after which a run fails for good."]
    queue_seconds: Annotated[int, "Maximum time in the queue, in seconds."]
    attempt_seconds: Annotated[
        int, "Maximum duration of an attempt without its waits for people, in seconds."
    ]
    whole_seconds: Annotated[int, "Maximum time from a run's first claim to its end, in seconds."]
    silence_seconds: Annotated[int, "Maximum time without a report from the agent, in seconds."]
    lease_seconds: Annotated[int, "Time without a heartbeat after which a worker loses the run, in seconds."]
    stuck_minutes: Annotated[int, "Time without an event after which a run is shown as stuck, in minutes."]
    question_seconds: Annotated[int, "Time after which an unanswered question expires, in seconds."]
    question_expiry: Annotated[OnExpiry, "Effect of an expired question on its run."]
    no_change: Annotated[NoChange, "Result of a run that succeeds without a change."]
    required_requirements: Annotated[int, "Number of requirements that a card needs to be approved."]
    required_planned_files: Annotated[int, "Number of planned files that a card needs to be approved."]
    require_answers: Annotated[bool, "Whether a card with an open question cannot be approved."]
    require_review: Annotated[bool, "Whether a card with drafts in its knowledge cannot be approved."]
    require_approval: Annotated[bool, "Whether a card leaves BACKLOG and PLAN only once it is approved."]
    repository: Annotated[str, "Repository that workers clone or find; empty: the worker's own."]
    base_branch: Annotated[str, "Branch that work starts from; empty: the repository's default branch."]
    branch_template: Annotated[str, "Template of branch names; {card}, {slug} and {run} are replaced."]
    instructions: Annotated[str, "Instructions for every agent of the board, Markdown; may be empty."]
