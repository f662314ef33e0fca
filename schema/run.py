"""What clients may say and hear about runs."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from kit.queue import AttemptOutcome
from models.card import Priority
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
from resolvers.message import MESSAGE
from resolvers.profile import PROFILE
from resolvers.question import QUESTIONS_OF_RUN
from resolvers.run import ATTEMPTS_OF_RUN, RUN
from resolvers.worker import WORKER
from resolvers.workspace import USER
from schema.account import User
from schema.agent_session import AgentSession
from schema.board import Board
from schema.fields import mutation, node_type, query_field, relation_field
from schema.message import Message
from schema.page import Connection
from schema.profile import AgentProfile
from schema.question import Question
from schema.refusal import Conflict, LeaseLost, StageRefused
from schema.run_log import RunLog
from schema.worker import Worker

BatchLater: Any = Annotated["RunBatch", strawberry.lazy("schema.batch")]
AgentSessionLater: Any = Annotated["AgentSession", strawberry.lazy("schema.agent_session")]
CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]


def result_field(name: str, text: str) -> Any:
    """A field of what is shown of a run: what it has under that name."""

    def resolve(root: Any) -> Any:
        return root.get(name)

    return strawberry.field(resolver=resolve, description=text)


@strawberry.type(description="How far a run is, as its agent last told.")
class RunProgress:
    state: AgentStatus | None = strawberry.field(
        resolver=lambda root: AgentStatus(root["state"]) if root.get("state") else None,
        description="What its agent does, or has become.",
    )
    todos_done: int | None = result_field("todos_done", "Steps of its list that are done.")
    todos_total: int | None = result_field("todos_total", "Steps of its list.")
    task: str | None = result_field("task", "The step it is at.")
    agent: str | None = result_field("agent", "The sub-agent that is at work; null: its own agent.")
    tool: str | None = result_field("tool", "The tool it is waiting for.")
    tool_text: str | None = result_field("tool_text", "What the tool does, in one line.")
    tool_since: datetime | None = strawberry.field(
        resolver=lambda root: datetime.fromisoformat(root["tool_since"]) if root.get("tool_since") else None,
        description="Since when.",
    )
    activity: str | None = result_field("activity", "What it does, in one line.")
    percent: float | None = result_field("percent", "0 to 100, where it is known.")
    step: int | None = result_field("step", "The step of its plan.")
    steps: int | None = result_field("steps", "Steps of its plan.")
    finish_reason: str | None = result_field("finish_reason", "Why its agent's last turn ended.")
    input_tokens: int | None = result_field(
        "input_tokens", "Tokens read so far, in this process of its agent."
    )
    output_tokens: int | None = result_field("output_tokens", "Tokens written so far.")
    cost_usd: float | None = result_field(
        "cost_usd", "What it cost so far, in US dollars, where it is known."
    )
    context_window: int | None = result_field("context_window", "Tokens that the model's context holds.")
    context_used: int | None = result_field("context_used", "Tokens that it holds now.")


@object_type
class ResultFile:
    """A file that was changed."""

    path: Annotated[str, "From the root of the repository."]
    change: Annotated[str, "ADD, EDIT, MOVE or DELETE."]
    additions: Annotated[int | None, "Lines that came."]
    deletions: Annotated[int | None, "Lines that went."]
    moved_from: Annotated[str | None, "What it was called before."]


@object_type
class ResultCommit:
    """A commit that was made."""

    sha: Annotated[str, "Its id."]
    title: Annotated[str, "The first line of its message."]


@object_type
class RunHold:
    """One reason why a run is not running."""

    code: Annotated[WhyNotRunningCode, "Which reason."]
    message: Annotated[str, "For people."]
    card_ids: list[ID] = strawberry.field(
        description="For BLOCKED: by which cards.", directives=[list_size(2, slicing=())]
    )
    run_ids: list[ID] = strawberry.field(
        description="For LIMIT_REACHED: the runs that have the places, those you may see.",
        directives=[list_size(2, slicing=())],
    )
    question_ids: list[ID] = strawberry.field(
        description="For WAITS: the open questions.", directives=[list_size(2, slicing=())]
    )
    until: Annotated[
        datetime | None,
        "For DUE_LATER and LEASE_HELD: until when; for WAITS: when the first question expires.",
    ]
    limit: Annotated[int | None, "For LIMIT_REACHED and WIP_LIMIT: how many are allowed."]
    position: Annotated[int | None, "For IN_QUEUE: its place, from 1."]


@object_type
class Attempt:
    """One try at a run: a worker's, from its claim to its end."""

    number: Annotated[int, "Its number: the fencing token, which only rises."]
    worker_id: Annotated[ID, "Whose."]
    worker: Worker | None = relation_field(WORKER, "worker_id", text="The worker.")
    started_at: Annotated[datetime, "When it was claimed."]
    ended_at: Annotated[datetime | None, "When it ended; null while it is going on."]
    lease_until: Annotated[datetime, "Until when it was held, or is."]
    heartbeat_at: Annotated[datetime, "When its worker was last heard."]
    outcome: Annotated[AttemptOutcome | None, "How it ended."]
    exit_code: Annotated[int | None, "Of the agent program."]
    code: Annotated[str | None, "What went wrong."]
    reason: Annotated[str | None, "The same, for people."]
    metrics: Annotated[
        JSON | None, "Tokens, cost and what else its worker measured, in the worker's own words."
    ]


def _files(root: Any) -> Any:
    names = ResultFile.__dataclass_fields__
    return [ResultFile(**{name: file.get(name) for name in names}) for file in runs.in_result("files")(root)]


def _commits(root: Any) -> Any:
    return [ResultCommit(sha=one["sha"], title=one["title"]) for one in runs.in_result("commits")(root)]


@node_type("run")
class Run(RunLog, Node):
    """Work that an agent does on a card: asked for, claimed by a worker, tried once or several times."""

    board_id: Annotated[ID, "On which board."]
    card_id: Annotated[ID, "On which card."]
    kind: Annotated[RunKind, "What is to be done."]
    status: Annotated[RunStatus, "Where it stands."]
    wait_reason: Annotated[WaitReason | None, "What it waits for, when it WAITS."]
    priority: Annotated[Priority, "The card's, by which it is queued."]
    permission: Annotated[PermissionLevel, "How freely its agent may act."]
    executor: Annotated[AgentProgram | None, "Which agent program; null: whichever its worker has."]
    instruction: Annotated[str | None, "What the agent is told besides the card."]
    base_ref: Annotated[str | None, "The branch or commit it begins from."]
    branch: Annotated[str | None, "The branch its work is on."]
    head_sha: Annotated[str | None, "Its newest commit."]
    attempt: Annotated[int, "Number of its newest attempt; 0 before the first."]
    retries: Annotated[int, "How many runs stand before it in its chain of `retryOf`."]
    queued_at: Annotated[datetime, "When it was asked for."]
    claimed_at: Annotated[datetime | None, "When a worker first had it."]
    started_at: Annotated[datetime | None, "When its agent first said something."]
    finished_at: Annotated[datetime | None, "When it ended."]
    stop_requested_at: Annotated[datetime | None, "When it was asked to stop."]
    stop_reason: Annotated[str | None, "Why."]
    chosen_at: Annotated[datetime | None, "When it was chosen before the others on its card."]
    reported_at: Annotated[datetime | None, "When its agent last said anything, or its last wait ended."]
    outcome: Annotated[RunOutcome | None, "Whether it changed anything."]
    summary: Annotated[str | None, "What was done, in the agent's words."]
    prompt: str | None = query_field(runs.prompt_of_run)
    patch: str | None = query_field(runs.patch_of_run)
    exit_code: Annotated[int | None, "Of the agent program."]
    failure_code: Annotated[FailureCode | None, "Why it FAILED."]
    failure_reason: Annotated[str | None, "The same, for people."]
    version: Annotated[int, "Grows by one with every change of its state."]
    created_at: Annotated[datetime, "When it was made."]
    progress: RunProgress | None = query_field(runs.progress_of)
    stuck: bool = query_field(runs.is_stuck)
    files: list[ResultFile] = strawberry.field(
        resolver=_files,
        description="The files it changed. At most 500.",
        directives=[list_size(20, maximum=MAX_FILES, slicing=())],
    )
    commits: list[ResultCommit] = strawberry.field(
        resolver=_commits,
        description="The commits it made. At most 100.",
        directives=[list_size(5, maximum=MAX_COMMITS, slicing=())],
    )
    warnings: list[str] = strawberry.field(
        resolver=runs.in_result("warnings"),
        description="What people should know. At most 50.",
        directives=[list_size(2, maximum=MAX_WARNINGS, slicing=())],
    )
    metrics: JSON | None = query_field(runs.metrics_of_run)
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    message: Message | None = relation_field(
        MESSAGE, "message_id", text="The message of the card that asked for it."
    )
    profile: AgentProfile | None = relation_field(PROFILE, "profile_id", text="How its agent is started.")
    worker: Worker | None = relation_field(WORKER, "worker_id", text="Who has it, or had it last.")
    session: AgentSession | None = relation_field(
        SESSION, "session_id", text="The conversation its agent keeps."
    )
    created_by: User | None = relation_field(
        USER, "created_by", text="Who asked for it; null for the board's rule and keys."
    )
    retry_of: Annotated["Run | None", "The run it takes up."] = relation_field(
        RUN, "retry_of", text="The run it takes up."
    )
    siblings: list["Run"] = query_field(
        runs.siblings_of_run, directives=[list_size(MAX_PROFILES, slicing=())]
    )
    batch: BatchLater | None = relation_field(
        BATCH, "batch_id", text="The runs it was started together with; null for one that was started alone."
    )
    attempts: list[Attempt] = relation_field(
        ATTEMPTS_OF_RUN, text="How often it was tried, in order.", size=2
    )
    questions: list[Question] = relation_field(QUESTIONS_OF_RUN, text="What it asked, in order.", size=2)
    queue_position: int | None = query_field(runs.queue_position)
    why_not_running: list[RunHold] = query_field(holds.why_not_running, directives=[list_size(2, slicing=())])


@object_type
class Work:
    """What a worker is given with a run, frozen at its first claim. What is empty is the worker's to choose."""

    executor: Annotated[AgentProgram | None, "Which agent program; null: the worker's first."]
    prompt: Annotated[
        str, "What the agent is told to do; when it waited for answers in that conversation, only those."
    ]
    whole_prompt: Annotated[
        str, "What a new conversation is told, where the one to go on with turns out to be lost."
    ]
    model: Annotated[str | None, "Which model."]
    instructions: Annotated[str, "What it is told before everything else."]
    session_id: Annotated[str | None, "The conversation to go on with; null: a new one."]
    branch: Annotated[str | None, "The branch to go on with; null: a new one, named by the template."]
    base_ref: Annotated[str, "What a new branch begins from."]
    repository: Annotated[str, "Which repository; empty: the worker's own."]
    branch_template: Annotated[
        str, "How a new branch is named: {card}, {slug} and {run} stand for what follows."
    ]
    card: Annotated[str, "The card's name: WEB-42."]
    slug: Annotated[str, "The card's title as a part of a branch's name."]
    permission: Annotated[PermissionLevel, "How freely the agent may act."]
    supervised: Annotated[bool, "Whether a person decides what the agent may do: it is not AUTONOMOUS."]
    options: Annotated[JSON, "Options of the agent program, text to text."]
    silence_seconds: Annotated[int, "Longest silence of the agent."]
    attempt_seconds: Annotated[int, "Longest attempt."]
    agent_token: str = query_field(runs.agent_token)


@object_type
class Claim:
    """A run with its lease. Its token is told here only."""

    run: Run = strawberry.field(description="The run.")
    attempt: Annotated[int, "The attempt's number: the fencing token."]
    token: Annotated[str, "The lease's secret: show it with everything you say about the run."]
    lease_until: Annotated[datetime, "Yours until then; a heartbeat extends it."]
    lease_seconds: Annotated[int, "By how much a heartbeat extends it: beat three times as often."]
    work: Work = strawberry.field(description="What is to be done.")


@object_type
class Claims:
    """What a worker was given."""

    claims: list[Claim] = strawberry.field(
        description="In the order they were claimed; empty when there is nothing for the worker.",
        directives=[list_size(1, maximum=MAX_AT_ONCE, slicing=())],
    )

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, runs.Claims)


@object_type
class Runs:
    """Runs that were started together."""

    runs: list[Run] = strawberry.field(
        description="One for each profile.", directives=[list_size(MAX_PROFILES, slicing=())]
    )

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, runs.Runs)


@strawberry.type
class RunQuery:
    run: Run | None = query_field(runs.run)
    dead_runs: Connection[Run] = query_field(runs.dead_runs, directives=[list_size(50)])
    runs: Connection[Run] = query_field(runs.runs, directives=[list_size(50)])


@strawberry.type
class RunMutation:
    start_run = mutation(runs.start_run, Runs, StageRefused, Conflict, requires=Access.BOARD)
    stop_run = mutation(runs.stop_run, Run, Conflict, requires=Access.BOARD)
    conclude_run = mutation(runs.conclude_run, Run, Conflict, requires=Access.BOARD)
    resume_run = mutation(runs.resume_run, Run, StageRefused, Conflict, requires=Access.BOARD)
    retry_run = mutation(runs.retry_run, Run, StageRefused, Conflict, requires=Access.BOARD)
    choose_run = mutation(runs.choose_run, Run, Conflict, requires=Access.BOARD)
    claim_runs = mutation(runs.claim_runs, Claims, Conflict, requires=Access.AUTHOR)
    complete_run = mutation(runs.complete_run, Run, LeaseLost, requires=Access.WORKER)
    fail_run = mutation(runs.fail_run, Run, LeaseLost, requires=Access.WORKER)
    release_run = mutation(runs.release_run, Run, LeaseLost, requires=Access.WORKER)
    confirm_stop = mutation(runs.confirm_stop, Run, LeaseLost, Conflict, requires=Access.WORKER)
