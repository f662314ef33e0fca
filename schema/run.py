"""Runs: their types, queries and mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

import actions.branch_task
import actions.run.prompt
import models.planned_file
from actions.run import control, finish, start
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from kit.queue import AttemptOutcome
from models.card import Priority
from models.check import MAX_CHECKS
from models.context import MAX_VARIABLES
from models.policy import MAX_REQUIRED_CHECKS
from models.run import (
    MAX_COMMITS,
    MAX_FILES,
    MAX_PROFILES,
    MAX_WARNINGS,
    FailureCode,
    PermissionLevel,
    RunKind,
    RunOutcome,
    RunStatus,
    WaitReason,
    WhyNotRunningCode,
)
from models.worker import MAX_AT_ONCE, AgentProgram
from protocol.events import AgentStatus
from resolvers import run as runs
from resolvers import why_not_running as holds
from resolvers.agent_session import SESSION
from resolvers.batch import BATCH
from resolvers.board import BOARD
from resolvers.card import CARD
from resolvers.check import checks_of_run
from resolvers.diff import DIFFS_OF_RUN, diff_of_run
from resolvers.message import MESSAGE
from resolvers.profile import PROFILE
from resolvers.question import QUESTIONS_OF_RUN
from resolvers.review import FINDINGS_ABOUT_RUN, FINDINGS_OF_RUN
from resolvers.run import ATTEMPTS_OF_RUN, RUN
from resolvers.worker import WORKER
from resolvers.workspace import USER
from schema.account import User
from schema.agent_session import AgentSession
from schema.board import Board
from schema.branch_task import BranchWork
from schema.check import Check
from schema.diff import DiffSnapshot
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.message import Message
from schema.page import Connection
from schema.policy import RequiredCheck
from schema.profile import AgentProfile
from schema.question import Question
from schema.refusal import Conflict, LeaseLost, StageRefused
from schema.review import ReviewFinding
from schema.run_log import RunLog
from schema.worker import Worker

BatchLater: Any = Annotated["RunBatch", strawberry.lazy("schema.batch")]
CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


def progress_field(name: str, text: str) -> Any:
    """Make a field of RunProgress that reads `name`."""

    def resolve(root: dict[str, Any]) -> Any:
        return root.get(name)

    return strawberry.field(resolver=resolve, description=text)


@strawberry.type(description="Progress of a run, as its agent last reported.")
class RunProgress:
    state: AgentStatus | None = strawberry.field(
        resolver=lambda root: AgentStatus(root["state"]) if root.get("state") else None,
        description="State of the agent; null if unknown.",
    )
    todos_done: int | None = progress_field("todos_done", "Completed items of its to-do list; null: no list.")
    todos_total: int | None = progress_field("todos_total", "Items of its to-do list; null: no list.")
    task: str | None = progress_field("task", "The current step.")
    agent: str | None = progress_field("agent", "The sub-agent at work; null: the main agent.")
    tool: str | None = progress_field("tool", "The running tool; null if there is none.")
    tool_text: str | None = progress_field("tool_text", "The action of the tool, in one line.")
    tool_since: datetime | None = strawberry.field(
        resolver=lambda root: datetime.fromisoformat(root["tool_since"]) if root.get("tool_since") else None,
        description="Time when the tool was started; null if no tool is running.",
    )
    activity: str | None = progress_field("activity", "The current activity, in one line.")
    percent: float | None = progress_field("percent", "0 to 100; null if unknown.")
    step: int | None = progress_field("step", "Number of the current step of its plan.")
    steps: int | None = progress_field("steps", "Number of steps of its plan.")
    finish_reason: str | None = progress_field(
        "finish_reason", "The end reason of its last turn; null if unknown."
    )
    input_tokens: int | None = progress_field("input_tokens", "Tokens read by the current agent process.")
    output_tokens: int | None = progress_field(
        "output_tokens", "Tokens written by the current agent process."
    )
    cost_usd: float | None = progress_field("cost_usd", "Cost in US dollars; null if unknown.")
    context_window: int | None = progress_field("context_window", "Size of the model's context, in tokens.")
    context_used: int | None = progress_field("context_used", "Tokens in the model's context.")


@object_type
class ResultFile:
    """A changed file."""

    path: Annotated[str, "Path from the root of the repository."]
    change: Annotated[str, "ADD, EDIT, MOVE or DELETE."]
    additions: Annotated[int | None, "Number of lines added."]
    deletions: Annotated[int | None, "Number of lines removed."]
    moved_from: Annotated[str | None, "For MOVE: the old path; else null."]


@object_type
class ResultCommit:
    """A commit made by the run."""

    sha: Annotated[str, "Id of the commit."]
    title: Annotated[str, "First line of its message."]


def _length_of_part(root: Any) -> int:
    return len(root.text)


@object_type
class RunHold:
    """A reason why a run is not running."""

    code: Annotated[WhyNotRunningCode, "The reason."]
    message: Annotated[str, "The reason for people."]
    card_ids: list[ID] = strawberry.field(
        description="For BLOCKED: the blocking cards; else empty.", directives=[list_size(2, slicing=())]
    )
    run_ids: list[ID] = strawberry.field(
        description="For LIMIT_REACHED: the runs that count and that you may see; else empty.",
        directives=[list_size(2, slicing=())],
    )
    question_ids: list[ID] = strawberry.field(
        description="For WAITS: the open questions; else empty.", directives=[list_size(2, slicing=())]
    )
    until: Annotated[
        datetime | None,
        "For DUE_LATER and LEASE_HELD: the end; for WAITS: the first expiry of its questions; else null.",
    ]
    limit: Annotated[int | None, "For LIMIT_REACHED and WIP_LIMIT: the limit; else null."]
    position: Annotated[int | None, "For IN_QUEUE: the position, from 1; else null."]


@object_type
class Attempt:
    """One attempt at a run: by one worker, from its claim to its end."""

    number: Annotated[int, "The number of the attempt: the fencing token, which only increases."]
    worker_id: Annotated[ID, "The worker."]
    worker: Worker | None = relation_field(WORKER, "worker_id", text="The worker.")
    started_at: Annotated[datetime, "Time of the claim."]
    ended_at: Annotated[datetime | None, "Time of its end; null while it is open."]
    lease_until: Annotated[datetime, "End of its lease."]
    heartbeat_at: Annotated[datetime, "Time of its last heartbeat."]
    outcome: Annotated[AttemptOutcome | None, "The outcome; null while it is open."]
    exit_code: Annotated[int | None, "Exit code of the agent program; null if unknown."]
    code: Annotated[str | None, "The cause of its failure; null if it did not fail."]
    reason: Annotated[str | None, "The cause for people; null if there is none."]
    metrics: Annotated[
        JSON | None, "Tokens, cost and other metrics, in the worker's own terms; null if unknown."
    ]


def _files(root: Any) -> list[ResultFile]:
    """The files that it changed, at most 500."""
    names = ResultFile.__dataclass_fields__
    files = (root.result or {}).get("files") or []
    return [ResultFile(**{name: file.get(name) for name in names}) for file in files]


def _commits(root: Any) -> list[ResultCommit]:
    """The commits that it made, at most 100."""
    commits = (root.result or {}).get("commits") or []
    return [ResultCommit(sha=commit["sha"], title=commit["title"]) for commit in commits]


@result_type(actions.run.prompt.PromptPart)
class PromptPart:
    """A part of a run's prompt."""

    name: Annotated[
        str,
        "TASK, WORK, INSTRUCTION, MESSAGE, CARD, STEPS, FILES, KNOWLEDGE, PLANNED_FILES, HANDOFFS, MEMORY, CONTEXT,"
        " DOCUMENTS or COMMENTS.",
    ]
    characters: int = strawberry.field(resolver=_length_of_part, description="Its length in characters.")
    left_out: list[str] = strawberry.field(
        description="Titles of what did not fit into the board's `promptLength`.",
        directives=[list_size(2, maximum=100, slicing=())],
    )


@result_type(models.planned_file.PlannedChanges)
class PlannedChanges:
    """Planned files compared with changed ones. A file that was moved counts with both of its paths."""

    changed: list[str] = strawberry.field(
        description="Paths that were planned and changed.", directives=[list_size(20, slicing=())]
    )
    unchanged: list[str] = strawberry.field(
        description="Planned paths that were not changed.", directives=[list_size(20, slicing=())]
    )
    unplanned: list[str] = strawberry.field(
        description="Paths that were changed and not planned.", directives=[list_size(20, slicing=())]
    )
    is_complete: Annotated[bool, "False if the diff has more files than it lists."]


@result_type(runs.WorkVariable)
class WorkVariable:
    """A variable of the environment of an agent."""

    name: Annotated[str, "The name."]
    value: Annotated[str, "The value."]


@node_type("run")
class Run(RunLog, Node):
    """Work of an agent on a card: requested, claimed by a worker, and attempted once or several times."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card."]
    kind: Annotated[RunKind, "The kind of work."]
    status: Annotated[RunStatus, "The status."]
    wait_reason: Annotated[WaitReason | None, "For WAITING: the reason; else null."]
    priority: Annotated[Priority, "Priority of the card, which orders the queue."]
    permission: Annotated[PermissionLevel, "Freedom of its agent."]
    executor: Annotated[AgentProgram | None, "The required agent program; null: any."]
    instruction: Annotated[str | None, "Instruction for the agent besides the card; null if there is none."]
    base_ref: Annotated[str | None, "Branch or commit that the work starts from; null: the board's."]
    branch: Annotated[str | None, "Branch of the work; null until known."]
    head_sha: Annotated[str | None, "Newest commit of the branch; null until known."]
    attempt: Annotated[int, "Number of its newest attempt; 0 before the first."]
    retries: Annotated[int, "Number of runs before it in its chain of `retryOf`."]
    queued_at: Annotated[datetime, "Time of the request."]
    claimed_at: Annotated[datetime | None, "Time of its first claim; null until then."]
    started_at: Annotated[datetime | None, "Time of the first report of its agent; null until then."]
    finished_at: Annotated[datetime | None, "Time of its end; null until then."]
    stop_requested_at: Annotated[datetime | None, "Time when its stop was requested; null if it was not."]
    stop_reason: Annotated[str | None, "The reason of the stop; null if there is none."]
    chosen_at: Annotated[datetime | None, "Time of its choice over others on its card; null if not chosen."]
    reported_at: Annotated[
        datetime | None,
        "Time of its agent's last report or its last wait's end; null before.",
    ]
    outcome: Annotated[RunOutcome | None, "Whether it changed anything; null until known."]
    summary: Annotated[str | None, "Summary of the work, by the agent; null until then."]
    prompt: str | None = query_field(runs.prompt_of_run)
    prompt_parts: list[PromptPart] = query_field(
        runs.prompt_parts_of_run, directives=[list_size(13, slicing=())]
    )
    planned_changes: PlannedChanges | None = query_field(runs.planned_changes_of_run)
    patch: str | None = query_field(runs.patch_of_run)
    exit_code: Annotated[int | None, "Exit code of the agent program; null if unknown."]
    failure_code: Annotated[FailureCode | None, "For FAILED: the cause; else null."]
    failure_reason: Annotated[str | None, "For FAILED: the cause for people; else null."]
    version: Annotated[int, "Increases by one with every change of its state."]
    created_at: Annotated[datetime, "Time of creation."]
    progress: RunProgress | None = query_field(runs.progress_of)
    stuck: bool = query_field(runs.is_stuck)
    files: list[ResultFile] = query_field(_files, directives=[list_size(20, maximum=MAX_FILES, slicing=())])
    commits: list[ResultCommit] = query_field(
        _commits, directives=[list_size(5, maximum=MAX_COMMITS, slicing=())]
    )
    warnings: list[str] = query_field(
        runs.warnings_of_run, directives=[list_size(2, maximum=MAX_WARNINGS, slicing=())]
    )
    metrics: JSON | None = query_field(runs.metrics_of_run)
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    trigger_message: Message | None = relation_field(
        MESSAGE, "message_id", text="The message that requested it; null if none did or it was deleted."
    )
    profile: AgentProfile | None = relation_field(
        PROFILE, "profile_id", text="The profile of its agent; null: none."
    )
    worker: Worker | None = relation_field(
        WORKER, "worker_id", text="The worker that holds it, or held it last; null before the first claim."
    )
    session: AgentSession | None = relation_field(
        SESSION, "session_id", text="The conversation of its agent; null until it is reported."
    )
    created_by: User | None = relation_field(
        USER, "created_by", text="The person who requested it; null for the board's rule and for API keys."
    )
    retry_of: Annotated["Run | None", "The run that it continues or repeats; null: none."] = relation_field(
        RUN, "retry_of", text="The run that it continues or repeats; null: none."
    )
    siblings: list["Run"] = query_field(
        runs.siblings_of_run, directives=[list_size(MAX_PROFILES, slicing=())]
    )
    batch: BatchLater | None = relation_field(
        BATCH, "batch_id", text="The batch that it was started in; null if it was started alone."
    )
    attempts: list[Attempt] = relation_field(ATTEMPTS_OF_RUN, text="Its attempts, in order.", size=2)
    questions: list[Question] = relation_field(QUESTIONS_OF_RUN, text="Its questions, in order.", size=2)
    checks: list[Check] = query_field(
        checks_of_run, directives=[list_size(3, maximum=MAX_CHECKS, slicing=())]
    )
    score: Annotated[float | None, "For REVIEW: score of the reviewed work, 0 to 1; else null."]
    findings: list[ReviewFinding] = relation_field(
        FINDINGS_OF_RUN, text="For REVIEW: its findings, at most 200.", size=5
    )
    findings_about: list[ReviewFinding] = relation_field(
        FINDINGS_ABOUT_RUN, text="The findings of reviews about its work.", size=5
    )
    diff: DiffSnapshot | None = query_field(diff_of_run)
    diffs: list[DiffSnapshot] = relation_field(
        DIFFS_OF_RUN, text="The changes of each attempt, in order.", size=2
    )
    queue_position: int | None = query_field(runs.queue_position)
    why_not_running: list[RunHold] = query_field(holds.why_not_running, directives=[list_size(2, slicing=())])


@object_type
class Work:
    """The work order of a run, frozen at its first claim. The worker chooses the values that are null or empty."""

    branch_task: BranchWork | None = strawberry.field(
        description="The task that the worker does itself, without an agent; null: start the agent."
    )
    executor: Annotated[AgentProgram | None, "The agent program; null: the worker's first."]
    prompt: Annotated[
        str, "Prompt for the agent; only the answers if it waited for answers in the conversation to resume."
    ]
    whole_prompt: Annotated[
        str, "Prompt for a new conversation, used if the conversation to resume no longer exists."
    ]
    model: Annotated[str | None, "The model; null: the program's default."]
    instructions: Annotated[str, "System instructions of the agent."]
    session_id: Annotated[str | None, "Conversation to resume; null: a new one."]
    session_usage: Annotated[JSON | None, "Tokens and cost of that conversation until now; null if unknown."]
    workspace: Annotated[ID, "Names the folder: the same for all runs that continue one branch."]
    branch: Annotated[str | None, "Branch to continue; null: a new one, named by the template."]
    base_ref: Annotated[str, "Branch or commit that a new branch starts from."]
    repository: Annotated[str, "The repository; empty: the worker's own."]
    branch_template: Annotated[str, "Name of a new branch, with the placeholders {card}, {slug} and {run}."]
    card: Annotated[str, "Name of the card: WEB-42."]
    slug: Annotated[str, "Title of the card as a part of a branch name."]
    permission: Annotated[PermissionLevel, "Freedom of the agent."]
    supervised: Annotated[bool, "Whether a person approves the agent's actions: it is not AUTONOMOUS."]
    options: Annotated[JSON, "Options of the agent program, texts by name."]
    silence_seconds: Annotated[int, "Maximum time without a report from the agent, in seconds."]
    attempt_seconds: Annotated[int, "Maximum duration of the attempt, in seconds."]
    setup_script: Annotated[str, "Script to run in a new folder before the agent; may be empty."]
    cleanup_script: Annotated[str, "Script to run in the folder after the agent; may be empty."]
    script_seconds: Annotated[int, "Maximum duration of each script, in seconds."]
    copy_files: Annotated[list[str], "Globs of ignored files to copy from the worker's checkout."]
    subfolder: Annotated[str, "Folder of the repository in which the agent starts; empty: its root."]
    commit_author: Annotated[str, "Author of the worker's own commits; empty: the worker's choice."]
    checks: list[RequiredCheck] = strawberry.field(
        description="Checks to run in the worktree after the agent has ended; report them with `reportChecks`.",
        directives=[list_size(2, maximum=MAX_REQUIRED_CHECKS, slicing=())],
    )
    first_paths: Annotated[
        list[str],
        "Globs of paths to name first in a result whose list of files is cut: the board's path rules.",
    ]
    variables: list[WorkVariable] = query_field(
        runs.variables_of_work, directives=[list_size(5, maximum=MAX_VARIABLES, slicing=())]
    )
    agent_token: str = query_field(runs.agent_token)


@object_type
class Claim:
    """A claimed run with its lease. The token is returned here only."""

    run: Run = strawberry.field(description="The run.")
    attempt: Annotated[int, "The number of the attempt: the fencing token."]
    token: Annotated[str, "The secret of the lease, required in every request about the run."]
    lease_until: Annotated[datetime, "End of the lease; a heartbeat extends it."]
    lease_seconds: Annotated[int, "Length of the lease in seconds: send three heartbeats in that time."]
    work: Work = strawberry.field(description="The work order.")


@result_type(runs.Claims)
class Claims:
    """The runs that a worker claimed."""

    claims: list[Claim] = strawberry.field(
        description="The claims, in order; empty if there is no work for the worker.",
        directives=[list_size(1, maximum=MAX_AT_ONCE, slicing=())],
    )


@result_type(start.StartedRuns)
class Runs:
    """Runs that were started together."""

    runs: list[Run] = strawberry.field(
        description="The runs, one for each profile.", directives=[list_size(MAX_PROFILES, slicing=())]
    )


@strawberry.type
class RunQuery:
    run: Run | None = query_field(runs.run)
    dead_runs: Connection[Run] = query_field(runs.dead_runs, directives=[list_size(50)])
    runs: Connection[Run] = query_field(runs.runs, directives=[list_size(50)])


@strawberry.type
class RunMutation:
    start_run = mutation(start.start_run, Runs, StageRefused, Conflict, requires=Access.BOARD)
    stop_run = mutation(control.stop_run, Run, Conflict, requires=Access.BOARD)
    conclude_run = mutation(control.conclude_run, Run, Conflict, requires=Access.BOARD)
    resume_run = mutation(control.resume_run, Run, StageRefused, Conflict, requires=Access.BOARD)
    retry_run = mutation(start.retry_run, Run, StageRefused, Conflict, requires=Access.BOARD)
    send_message = mutation(control.send_message, Run, Conflict, requires=Access.BOARD)
    choose_run = mutation(control.choose_run, Run, Conflict, requires=Access.BOARD)
    claim_runs = mutation(runs.claim_runs, Claims, Conflict, requires=Access.AUTHOR)
    complete_run = mutation(finish.complete_run, Run, LeaseLost, requires=Access.WORKER)
    fail_run = mutation(finish.fail_run, Run, LeaseLost, requires=Access.WORKER)
    release_run = mutation(finish.release_run, Run, LeaseLost, requires=Access.WORKER)
    lock_repository = mutation(
        actions.branch_task.lock_repository, Run, LeaseLost, Conflict, requires=Access.WORKER
    )
    finish_branch_task = mutation(
        actions.branch_task.finish_branch_task, Run, LeaseLost, Conflict, requires=Access.WORKER
    )
    confirm_stop = mutation(finish.confirm_stop, Run, LeaseLost, Conflict, requires=Access.WORKER)
