"""Changes to a board's policy. Its limit on runs is stored as a cap of the queue, which enforces it."""

from dataclasses import asdict
from typing import Annotated, TypedDict, Unpack

from actions.events import emit_board_event
from actions.policy_values import RequiredApprovalInput, RequiredCheckInput, changed_policy
from actions.profile_choice import profiles_by_id
from actions.run.change import reopen
from auth.locking import lock_board
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.queue import scope_cap, set_cap
from models.actor import Actor
from models.board import Board
from models.events.board import BoardPolicyUpdated, board_facts
from models.policy import NoChange, OnExpiry, RepeatedQuestions, UnplannedFiles, board_policy_of

REVIEW_LIMITS = {"review_limit", "review_limit_per_person"}


class PolicyChanges(TypedDict, total=False):
    """The fields of a policy that a client may change; null restores the default."""

    auto_dispatch: Annotated[Maybe[bool | None], "Start a run for each card that enters TODO."]
    agent_profile_id: Annotated[
        Maybe[Id | None], "Agent profile of the cards that name none; a profile of the board's workspace."
    ]
    concurrency: Annotated[
        Maybe[int | None], "Maximum number of concurrent runs on the board, 0 to 1,000; 0 means no limit."
    ]
    max_attempts: Annotated[
        Maybe[int | None], "Number of failed attempts after which a run fails for good, 1 to 10."
    ]
    queue_seconds: Annotated[Maybe[int | None], "Maximum time in the queue, 1 second to 30 days."]
    attempt_seconds: Annotated[
        Maybe[int | None], "Maximum duration of an attempt without its waits for people, 1 second to 7 days."
    ]
    whole_seconds: Annotated[
        Maybe[int | None], "Maximum time from a run's first claim to its end, 1 second to 30 days."
    ]
    silence_seconds: Annotated[
        Maybe[int | None], "Maximum time without a report from the agent, 1 second to 1 day."
    ]
    lease_seconds: Annotated[
        Maybe[int | None], "Time without a heartbeat after which a worker loses the run, 2 seconds to 1 hour."
    ]
    stuck_minutes: Annotated[
        Maybe[int | None], "Time without an event after which a run is shown as stuck, 1 minute to 1 day."
    ]
    question_seconds: Annotated[
        Maybe[int | None], "Time after which an unanswered question expires, 1 second to 30 days."
    ]
    question_expiry: Annotated[Maybe[OnExpiry | None], "Effect of an expired question on its run."]
    repeated_questions: Annotated[
        Maybe[RepeatedQuestions | None], "Use of the answer that an equal question of the board got before."
    ]
    no_change: Annotated[Maybe[NoChange | None], "Result of a run that succeeds without a change."]
    required_requirements: Annotated[
        Maybe[int | None], "Number of requirements that a card needs to be approved, 0 to 100."
    ]
    required_planned_files: Annotated[
        Maybe[int | None], "Number of planned files that a card needs to be approved, 0 to 100."
    ]
    require_answers: Annotated[Maybe[bool | None], "Refuse to approve a card with an open question."]
    require_review: Annotated[Maybe[bool | None], "Refuse to approve a card with drafts in its knowledge."]
    require_approval: Annotated[
        Maybe[bool | None], "Refuse to move a card that is not approved out of BACKLOG and PLAN."
    ]
    repository: Annotated[
        Maybe[str | None],
        "Repository that workers clone or find: https, http, ssh, git, `git@host:path` or a folder, without"
        " credentials.",
    ]
    base_branch: Annotated[
        Maybe[str | None], "Branch that work starts from: a valid git name, at most 200 characters."
    ]
    branch_template: Annotated[
        Maybe[str | None],
        "Template of branch names, at most 200 characters. {card}, {slug} and {run} are replaced; nothing else.",
    ]
    prompt_length: Annotated[
        Maybe[int | None],
        "Length of a prompt in characters, 10,000 to 1,000,000, beyond which context and documents are left out.",
    ]
    instructions: Annotated[
        Maybe[str | None], "Instructions for every agent of the board, at most 20,000 characters."
    ]
    setup_script: Annotated[
        Maybe[str | None],
        "Script of the shell that is run in a new folder before the agent, at most 10,000 characters. If it fails,"
        " the run fails with WORKSPACE_ERROR.",
    ]
    cleanup_script: Annotated[
        Maybe[str | None],
        "Script that is run in the folder after the agent, at most 10,000 characters. A failure is a warning.",
    ]
    script_seconds: Annotated[Maybe[int | None], "Maximum duration of each script, 1 second to 1 hour."]
    copy_files: Annotated[
        Maybe[list[str] | None],
        "Globs of files to copy from the worker's checkout into a new folder, such as `.env*`, at most 50. Only"
        " files that git ignores are copied.",
    ]
    subfolder: Annotated[Maybe[str | None], "Folder of the repository in which agents start."]
    commit_author: Annotated[
        Maybe[str | None], "Author of the commits that workers make: `Name <name@example.com>`."
    ]
    checks: Annotated[
        Maybe[list[RequiredCheckInput] | None], "Checks that must pass before a merge, at most 20."
    ]
    protected_paths: Annotated[
        Maybe[list[str] | None],
        "Globs of paths whose change needs a person's approval, at most 50. `**` matches any number of folders; a"
        " glob without a slash matches a name at any depth.",
    ]
    forbidden_paths: Annotated[
        Maybe[list[str] | None], "Globs of paths that agents must not change, at most 50. Such a run fails."
    ]
    unplanned_files: Annotated[
        Maybe[UnplannedFiles | None],
        "Effect of files that a run changed although its card has planned files and these are not among them.",
    ]
    approvals: Annotated[Maybe[list[RequiredApprovalInput] | None], "Steps that must be approved, each once."]
    review_limit: Annotated[
        Maybe[int | None],
        "No work is begun while more than this many cards stand in REVIEW, 0 to 1,000; 0 means no limit.",
    ]
    review_limit_per_person: Annotated[
        Maybe[int | None],
        "No work is begun on a card while more than this many cards in REVIEW are assigned to one of its assignees,"
        " 0 to 1,000; 0 means no limit.",
    ]


async def update_board_policy(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board."],
    if_version: IfVersion = None,
    **fields: Unpack[PolicyChanges],
) -> Board:
    """Change a board's policy for agents. Omitted fields stay; null restores the default.

    A run keeps `maxAttempts`, `queueSeconds`, `attemptSeconds`, `wholeSeconds` and `silenceSeconds` from when it
    was queued. It keeps `repository`, `baseBranch`, `branchTemplate`, `instructions`, the commands of `checks` and
    its worker's copy of `attemptSeconds` and `silenceSeconds` from its first claim. All other changes also apply to
    runs in progress. Raises Stale, or Conflict if the agent profile is disabled.
    """
    changes = provided_fields(**fields)
    profiles = await profiles_by_id(tx, actor, changes.get("agent_profile_id"))
    board = await lock_board(tx, actor, board_id, admin=True)
    board.expect(if_version)
    before = asdict(board_policy_of(board.policy))
    profiles.judge(board, changes.get("agent_profile_id"), before=before["agent_profile_id"])
    stored = changed_policy(board.policy, changes)
    after = asdict(board_policy_of(stored))
    changed = {name: [before[name], after[name]] for name in after if after[name] != before[name]}
    if stored != board.policy:
        board.policy, board.version = stored, board.version + 1
    if changed:
        emit_board_event(tx, board, BoardPolicyUpdated(**board_facts(board), changes=changed))
    if REVIEW_LIMITS & changed.keys():
        await reopen(tx, board)
    if "concurrency" in changed:
        await update_queue_cap(tx, board)
    return board


async def update_queue_cap(tx: Transaction, board: Board) -> None:
    """Set the queue's cap of the board to its policy's `concurrency`; 0 removes the cap."""
    cap = board_policy_of(board.policy).concurrency or None
    await set_cap(tx, scope_cap(board.id), cap, tenant=board.workspace_id)
