"""How a board's policy is answered, and the adapter of its change."""

from typing import Annotated, Any

from strawberry import ID, Maybe, Parent

import actions.policy
from kit.graphql.arguments import IfVersion, provided_fields
from models.policy import NoChange, OnExpiry, board_policy_of
from resolvers.context import Info


async def policy_of_board(root: Parent[Any]) -> Any:
    """How it lets agents work: what was set, and the defaults."""
    return board_policy_of(root.policy)


async def update_board_policy(
    info: Info,
    board_id: Annotated[ID, "Which board."],
    auto_dispatch: Annotated[Maybe[bool | None], "Give a card that enters TODO to an agent."],
    agent_profile_id: Annotated[
        Maybe[ID | None], "The agent profile of cards that name none, of the board's workspace."
    ],
    concurrency: Annotated[
        Maybe[int | None], "Runs worked at once on the board: 0 to 1,000, where 0 is no limit."
    ],
    max_attempts: Annotated[Maybe[int | None], "Failures after which a run is given up: 1 to 10."],
    queue_seconds: Annotated[Maybe[int | None], "Longest wait in the queue: 1 second to 30 days."],
    attempt_seconds: Annotated[
        Maybe[int | None], "Longest attempt, without its waits for people: 1 second to 7 days."
    ],
    whole_seconds: Annotated[
        Maybe[int | None], "Longest time from a run's first claim to its end: 1 second to 30 days."
    ],
    silence_seconds: Annotated[Maybe[int | None], "Longest silence of an agent: 1 second to 1 day."],
    lease_seconds: Annotated[
        Maybe[int | None], "How long a worker keeps a run without being heard: 2 seconds to 1 hour."
    ],
    stuck_minutes: Annotated[
        Maybe[int | None], "Without news for so long a run is shown as stuck: 1 minute to 1 day."
    ],
    question_seconds: Annotated[
        Maybe[int | None], "How long a question waits for its answer: 1 second to 30 days."
    ],
    question_expiry: Annotated[
        Maybe[OnExpiry | None], "What becomes of a run whose question nobody answered in time."
    ],
    no_change: Annotated[Maybe[NoChange | None], "What becomes of a run that ends well and changed nothing."],
    repository: Annotated[
        Maybe[str | None],
        "What workers clone or find: https, http, ssh, git, `git@host:path` or a folder; no credentials in it.",
    ],
    base_branch: Annotated[
        Maybe[str | None], "The branch that work starts from: a name that git takes, at most 200 characters."
    ],
    branch_template: Annotated[
        Maybe[str | None],
        "How branches are called, in at most 200 characters: {card}, {slug} and {run} are filled in, nothing else.",
    ],
    instructions: Annotated[
        Maybe[str | None], "Told to every agent of the board: at most 20,000 characters."
    ],
    if_version: IfVersion = None,
) -> Any:
    """Change how a board lets agents work. What is left out stays, null puts the default back. Admins only.

    A run keeps `maxAttempts`, `queueSeconds`, `attemptSeconds`, `wholeSeconds` and `silenceSeconds` from when it
    was queued, and from its first claim `repository`, `baseBranch`, `branchTemplate`, `instructions` and what its
    worker is told of `attemptSeconds` and `silenceSeconds`. Everything else is the board's of each moment, also
    for runs under way.
    """
    changes = provided_fields(
        auto_dispatch=auto_dispatch,
        agent_profile_id=agent_profile_id,
        concurrency=concurrency,
        max_attempts=max_attempts,
        queue_seconds=queue_seconds,
        attempt_seconds=attempt_seconds,
        whole_seconds=whole_seconds,
        silence_seconds=silence_seconds,
        lease_seconds=lease_seconds,
        stuck_minutes=stuck_minutes,
        question_seconds=question_seconds,
        question_expiry=question_expiry,
        no_change=no_change,
        repository=repository,
        base_branch=base_branch,
        branch_template=branch_template,
        instructions=instructions,
    )
    async with info.context.transaction() as tx:
        return await actions.policy.update_board_policy(
            tx, info.context.actor, board_id, changes, if_version=if_version
        )
