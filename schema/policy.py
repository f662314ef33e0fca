"""What clients may say about how a board lets agents work."""

from typing import Annotated

from strawberry import ID

import models.policy
from models.policy import NoChange, OnExpiry
from resolvers.profile import PROFILE
from schema.fields import relation_field, result_type
from schema.profile import AgentProfile


@result_type(models.policy.BoardPolicy)
class BoardPolicy:
    """How a board lets agents work. What was never set has its default."""

    auto_dispatch: Annotated[bool, "Whether a card that enters TODO is given to an agent."]
    agent_profile_id: Annotated[
        ID | None, "The profile of cards that name none; null: any worker works them."
    ]
    agent_profile: AgentProfile | None = relation_field(
        PROFILE, "agent_profile_id", text="How the agents of cards that name no profile are started."
    )
    concurrency: Annotated[int, "How many runs are worked at once on the board; 0 is no limit."]
    max_attempts: Annotated[int, "After how many failures a run is given up."]
    queue_seconds: Annotated[int, "How long a run may wait in the queue, in seconds."]
    attempt_seconds: Annotated[
        int, "How long one attempt may take, in seconds. Waiting for people does not count."
    ]
    whole_seconds: Annotated[int, "How long a run may take from its first claim to its end, in seconds."]
    silence_seconds: Annotated[int, "How long an agent may be silent, in seconds."]
    lease_seconds: Annotated[int, "How long a worker keeps a run without being heard, in seconds."]
    stuck_minutes: Annotated[int, "After how long without news a run is shown as stuck, in minutes."]
    question_seconds: Annotated[int, "How long a question waits for its answer, in seconds."]
    question_expiry: Annotated[OnExpiry, "What becomes of a run whose question nobody answered in time."]
    no_change: Annotated[NoChange, "What becomes of a run that ends well and changed nothing."]
    repository: Annotated[str, "What workers clone or find; empty: the worker's own."]
    base_branch: Annotated[str, "The branch that work starts from; empty: the repository's own."]
    branch_template: Annotated[str, "How branches are called; {card}, {slug} and {run} are filled in."]
    instructions: Annotated[str, "Markdown, told to every agent of the board."]
