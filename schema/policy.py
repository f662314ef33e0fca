"""The policy of a board for agents."""

from typing import Annotated

import strawberry
from strawberry import ID

import models.policy
from kit.graphql.limits.list_size import list_size
from models.approval import ApprovalKind, Approver
from models.check import CheckKind
from models.policy import MAX_REQUIRED_CHECKS, NoChange, OnExpiry, RepeatedQuestions, UnplannedFiles
from resolvers.profile import PROFILE
from schema.fields import relation_field, result_type
from schema.profile import AgentProfile


@result_type(models.policy.RequiredCheck)
class RequiredCheck:
    """A check that must pass before a merge."""

    kind: Annotated[CheckKind, "The kind."]
    name: Annotated[str, "The name, unique for a kind."]
    command: Annotated[
        str, "Command that workers run with `sh -c`; empty: the result comes from the code host."
    ]
    seconds: Annotated[int, "Time limit of the command, in seconds."]


@result_type(models.policy.RequiredApproval)
class RequiredApproval:
    """A step that must be approved."""

    kind: Annotated[ApprovalKind, "The step."]
    by: Annotated[Approver, "The callers whose approval counts."]


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
    repeated_questions: Annotated[
        RepeatedQuestions, "Use of the answer that an equal question of the board got before."
    ]
    no_change: Annotated[NoChange, "Result of a run that succeeds without a change."]
    required_requirements: Annotated[int, "Number of requirements that a card needs to be approved."]
    required_planned_files: Annotated[int, "Number of planned files that a card needs to be approved."]
    require_answers: Annotated[bool, "Whether a card with an open question cannot be approved."]
    require_review: Annotated[bool, "Whether a card with drafts in its knowledge cannot be approved."]
    require_approval: Annotated[bool, "Whether a card leaves BACKLOG and PLAN only once it is approved."]
    repository: Annotated[str, "Repository that workers clone or find; empty: the worker's own."]
    base_branch: Annotated[str, "Branch that work starts from; empty: the repository's default branch."]
    branch_template: Annotated[str, "Template of branch names; {card}, {slug} and {run} are replaced."]
    prompt_length: Annotated[
        int, "Length of a prompt in characters beyond which context and documents are left out."
    ]
    instructions: Annotated[str, "Instructions for every agent of the board, Markdown; may be empty."]
    setup_script: Annotated[str, "Script that is run in a new folder before the agent; may be empty."]
    cleanup_script: Annotated[str, "Script that is run in the folder after the agent; may be empty."]
    script_seconds: Annotated[int, "Maximum duration of each script, in seconds."]
    copy_files: Annotated[list[str], "Globs of files to copy from the worker's checkout into a new folder."]
    subfolder: Annotated[str, "Folder of the repository in which agents start; empty: its root."]
    commit_author: Annotated[str, "Author of the commits that workers make; empty: Signalbox."]
    checks: list[RequiredCheck] = strawberry.field(
        description="Checks that must pass before a merge.",
        directives=[list_size(2, maximum=MAX_REQUIRED_CHECKS, slicing=())],
    )
    protected_paths: Annotated[list[str], "Globs of paths whose change needs a person's approval."]
    forbidden_paths: Annotated[list[str], "Globs of paths that agents must not change."]
    unplanned_files: Annotated[
        UnplannedFiles, "Effect of files that a run changed and that are not among its card's planned files."
    ]
    approvals: list[RequiredApproval] = strawberry.field(
        description="Steps that must be approved.", directives=[list_size(1, maximum=4, slicing=())]
    )
    review_limit: Annotated[
        int, "No work is begun while more than this many cards stand in REVIEW; 0: no limit."
    ]
    review_limit_per_person: Annotated[
        int,
        "No work is begun while more than this many cards in REVIEW are assigned to an assignee; 0: no limit.",
    ]
