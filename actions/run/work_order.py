"""The work order of a run: everything its agent needs, frozen at the first claim.

Later changes by people reach the next run, not this one; only answers to its questions are added.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from sqlalchemy import Row, case, func, or_, select

from actions.run.branch import task_of_run
from actions.run.prompt import ON_WORK, answered_of, prompt_of, slug
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from models.account import User, public
from models.board import Board
from models.branch_task import BranchTask, BranchTaskKind, MergeStrategy
from models.card import Card, CardLink, LinkKind, Subtask
from models.context import BoardContext
from models.document import Document, DocumentLink
from models.file import File
from models.knowledge import KnowledgeItem
from models.memory import Memory
from models.message import Message
from models.planned_file import PlannedFile
from models.policy import BoardPolicy, RequiredCheck, board_policy_of, checks_after
from models.question import Question, QuestionStatus
from models.repository import Repository
from models.review import ReviewState
from models.run import CommandKind, PermissionLevel, Run, RunCommand, RunKind, RunStatus
from models.worker import AgentProfile, AgentSession, Worker, program_of, reusable

MAX_PROMPT_FILES = 50  # files in a prompt
MAX_PROMPT_DOCUMENTS = 50  # linked documents in a prompt
MAX_DOCUMENT_LENGTH = 40_000  # characters of a document in a prompt
MAX_PROMPT_MEMORIES = 20  # newest approved memories in a prompt
MAX_HANDOFFS = 20  # cards whose last summary is in a prompt
MAX_COMMENTS = 5  # newest messages of people in a prompt


@dataclass(frozen=True, kw_only=True)
class AgentToken:
    """Claims of the credential of a run's agent. It is valid while this attempt is open, at most `seconds`."""

    run: str
    attempt: int
    card: str
    board: str
    workspace: str
    seconds: int


@dataclass(frozen=True, kw_only=True)
class BranchWork:
    """A task on a branch, for the worker. `resolutions` are the conflicts that people resolved."""

    id: str
    kind: BranchTaskKind
    strategy: MergeStrategy | None
    branch: str
    base: str
    head_sha: str | None
    message: str
    resolutions: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """The work order of a run. The worker chooses whatever is None or empty."""

    branch_task: BranchWork | None  # what the worker does itself, without an agent
    executor: str | None
    prompt: str
    whole_prompt: str  # for a new conversation, if the one to resume turns out to be lost
    model: str | None
    instructions: str
    session_id: str | None  # the program's own id of the conversation to resume
    session_usage: dict[str, Any] | None  # tokens and cost of that conversation until now
    workspace: str  # the run that began the folder; runs that continue its branch use the same
    branch: str | None
    base_ref: str
    repository: str
    branch_template: str
    card: str
    slug: str
    permission: PermissionLevel
    supervised: bool
    options: dict[str, Any]
    silence_seconds: int
    attempt_seconds: int
    setup_script: str
    cleanup_script: str
    script_seconds: int
    copy_files: list[str]
    subfolder: str
    commit_author: str
    checks: list[RequiredCheck]  # to run after the agent has ended
    first_paths: list[str]  # globs of paths to name first in a long result
    variables: dict[str, Any] = field(repr=False)  # of the board's context, as they are stored
    agent: AgentToken


class Answer(Protocol):
    """A closed question of a run, and its answer."""

    @property
    def text(self) -> str: ...
    @property
    def answer(self) -> list[str] | None: ...
    @property
    def attempt(self) -> int: ...
    @property
    def group_key(self) -> str | None: ...
    @property
    def blocking(self) -> bool: ...


async def freeze_snapshot(tx: Transaction, board: Board, run: Run, card: Card) -> dict[str, Any]:
    """Return the prompt's material as it is now, to be stored on the run."""
    subtasks = (
        select(Subtask.title, Subtask.completed, Subtask.phase)
        .where(Subtask.card_id == card.id)
        .order_by(Subtask.phase_order, Subtask.rank, Subtask.id)
    )
    messages = (
        select(Message.id, Message.body, User.username, User.nickname)
        .outerjoin(User, User.id == Message.author_id)
        .where(Message.card_id == card.id, Message.deleted_at.is_(None))
    )
    trigger_query = messages.where(Message.id == run.message_id)
    trigger = (await tx.execute(trigger_query)).one_or_none() if run.message_id else None
    comments = (
        messages.where(User.id.is_not(None), Message.id != (run.message_id or ""))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(MAX_COMMENTS)
    )
    profile = await tx.get(AgentProfile, run.profile_id) if run.profile_id else None
    policy = await _policy_with_repository(tx, board)
    return {
        "board": {"id": board.id, "name": board.name, "key": board.key},
        "card": {
            "id": card.id,
            "name": f"{board.key}-{card.number}",
            "title": card.title,
            "description": card.description,
            "type": card.type,
            "priority": card.priority.name,
        },
        "subtasks": [row._asdict() for row in (await tx.execute(subtasks)).all()],
        "comments": [
            {"id": row.id, "author": public(row), "body": row.body}
            for row in reversed((await tx.execute(comments)).all())
        ],
        "files": await _files(tx, card),
        "message": _trigger_message(trigger) if trigger else None,
        "policy": asdict(policy),
        "work": await _reviewed_work(tx, run, card, policy),
        "profile": _profile(profile) if profile else None,
        "knowledge": await _knowledge(tx, card),
        "memory": await _memory(tx, board),
        "planned_files": await _planned_files(tx, card),
        "handoffs": await _handoffs(tx, board, card),
        "context": await _context(tx, board),
        "documents": await _documents(tx, board, run, card),
    }


async def _knowledge(tx: Transaction, card: Card) -> list[dict[str, Any]]:
    """Return the knowledge of the card that was not rejected."""
    columns = KnowledgeItem.kind, KnowledgeItem.state, KnowledgeItem.text, KnowledgeItem.evidence
    query = select(*columns).where(
        KnowledgeItem.card_id == card.id, KnowledgeItem.state != ReviewState.REJECTED
    )
    rows = await tx.execute(query.order_by(KnowledgeItem.rank, KnowledgeItem.id))
    return [row._asdict() for row in rows]


async def _memory(tx: Transaction, board: Board) -> list[dict[str, Any]]:
    """Return the newest approved memories of the board."""
    query = select(Memory.id, Memory.text).where(
        Memory.board_id == board.id, Memory.state == ReviewState.APPROVED
    )
    query = query.order_by(Memory.created_at.desc(), Memory.id.desc()).limit(MAX_PROMPT_MEMORIES)
    return [row._asdict() for row in await tx.execute(query)]


async def _planned_files(tx: Transaction, card: Card) -> list[dict[str, Any]]:
    """Return the planned files of the card."""
    columns = PlannedFile.path, PlannedFile.kind, PlannedFile.action, PlannedFile.status
    query = select(*columns, PlannedFile.module, PlannedFile.intent, PlannedFile.contract)
    rows = await tx.execute(query.where(PlannedFile.card_id == card.id).order_by(PlannedFile.rank))
    return [row._asdict() for row in rows]


async def _handoffs(tx: Transaction, board: Board, card: Card) -> list[dict[str, Any]]:
    """Return the summary of the last work on the card's parent and on each card that blocks it."""
    blockers = select(CardLink.card_id).where(CardLink.target_id == card.id, CardLink.kind == LinkKind.BLOCKS)
    newest = func.row_number().over(
        partition_by=Run.card_id, order_by=(func.coalesce(Run.chosen_at, Run.queued_at).desc(), Run.id.desc())
    )
    last = (
        select(Run.card_id, Run.summary, newest.label("place"))
        .where(
            or_(Run.card_id == card.parent_id, Run.card_id.in_(blockers)),
            Run.status == RunStatus.SUCCEEDED,
            Run.summary.is_not(None),
        )
        .subquery()
    )
    query = select(Card.number, Card.title, last.c.summary).join(last, last.c.card_id == Card.id)
    rows = await tx.execute(query.where(last.c.place == 1).order_by(Card.number).limit(MAX_HANDOFFS))
    return [{"name": f"{board.key}-{row.number}", "title": row.title, "summary": row.summary} for row in rows]


async def _files(tx: Transaction, card: Card) -> list[dict[str, Any]]:
    """Return the newest files of the card and of its messages."""
    columns = File.id, File.name, File.media_type, File.size
    query = select(*columns).where(File.card_id == card.id).order_by(File.id.desc()).limit(MAX_PROMPT_FILES)
    return [row._asdict() for row in reversed((await tx.execute(query)).all())]


async def _context(tx: Transaction, board: Board) -> dict[str, Any]:
    """Return the facts of the board's context, without its variables."""
    query = select(BoardContext.fields, BoardContext.personas).where(BoardContext.board_id == board.id)
    row = (await tx.execute(query)).one_or_none()
    return {"fields": row.fields, "personas": row.personas} if row else {"fields": {}, "personas": []}


async def _documents(tx: Transaction, board: Board, run: Run, card: Card) -> list[dict[str, Any]]:
    """Return the documents of the run, the card, its group and the board, the nearest first."""
    targets = [id for id in (run.id, card.id, card.group_id, board.id) if id is not None]
    near = case({id: place for place, id in enumerate(targets)}, value=DocumentLink.target_id)
    columns = Document.id, Document.title, Document.kind, Document.content, Document.uri, Document.locator
    query = select(*columns, DocumentLink.role, DocumentLink.usage_hint).join(
        DocumentLink, DocumentLink.document_id == Document.id
    )
    query = query.where(DocumentLink.target_id.in_(targets)).order_by(near, DocumentLink.id)
    found: dict[str, dict[str, Any]] = {}
    for row in await tx.execute(query.limit(MAX_PROMPT_DOCUMENTS)):
        values = row._asdict()
        content = values["content"]
        if content is not None:
            values["content"] = content[:MAX_DOCUMENT_LENGTH]
            values["is_cut"] = len(content) > MAX_DOCUMENT_LENGTH
        found.setdefault(row.id, values)
    return list(found.values())


async def _policy_with_repository(tx: Transaction, board: Board) -> BoardPolicy:
    """Return the policy of a board, with the address and the branch of its repository if it has one."""
    policy = board_policy_of(board.policy)
    repository = await tx.get(Repository, board.repository_id) if board.repository_id else None
    if repository is None or repository.disconnected_at is not None:
        return policy
    base = policy.base_branch or repository.base_branch or ""
    return replace(policy, repository=repository.url, base_branch=base)


async def _reviewed_work(tx: Transaction, run: Run, card: Card, policy: BoardPolicy) -> dict[str, str] | None:
    """Return the branch that a run about the card's work starts from, and its base.

    None if the run is not about that work, was given a base, or the card has no work.
    """
    if run.kind not in ON_WORK or run.base_ref:
        return None
    last = await find_worked(tx, card)
    if last is None or not last.branch:
        return None
    base = last.base_ref or policy.base_branch
    return {"branch": last.branch, "base": base, "workspace": last.workspace_ref or last.id}


async def find_worked(tx: Transaction, card: Card) -> Run | None:
    """Return the run whose work stands on a card: the newest that succeeded, or one that was chosen since."""
    succeeded = Run.card_id == card.id, Run.kind == RunKind.CODE, Run.status == RunStatus.SUCCEEDED
    newest = func.coalesce(Run.chosen_at, Run.queued_at).desc(), Run.id.desc()
    return await tx.scalar(select(Run).where(*succeeded).order_by(*newest).limit(1))


def _trigger_message(row: Row[str, str, str, str | None]) -> dict[str, Any]:
    return {"id": row.id, "author": public(row) if row.username else None, "body": row.body}


def _profile(profile: AgentProfile) -> dict[str, Any]:
    return {
        "executor": profile.executor,
        "model": profile.model,
        "persona": profile.persona,
        "options": profile.options,
        "name": profile.name,
    }


async def work_order_of(tx: Transaction, board: Board, run: Run, worker: Worker) -> WorkOrder:
    """Return the work order of a claimed run, for the worker that claimed it."""
    assert run.snapshot is not None, "a run is claimed with its snapshot"
    policy, profile, card = run.snapshot["policy"], run.snapshot["profile"] or {}, run.snapshot["card"]
    answers = await answers_of(tx, run)
    session = await _resumable_session(tx, run, worker)
    awaited = await _awaited_answers(tx, run, answers) if session else []
    whole_prompt = prompt_of(run.kind, run.snapshot, run.instruction)
    if answers:
        whole_prompt += "\n\n" + answered_of(answers)
    reviewed = run.snapshot.get("work") or {}
    work = reviewed.get("branch")
    continues_work = run.kind in (RunKind.INTEGRATE, RunKind.DOCUMENT)  # other kinds change nothing
    variables = select(BoardContext.variables).where(BoardContext.board_id == board.id)
    instructions = [profile.get("persona") or "", policy["instructions"]]
    return WorkOrder(
        branch_task=_branch_work(await task_of_run(tx, run), card),
        executor=run.executor,
        prompt=answered_of(awaited) if awaited else whole_prompt,
        whole_prompt=whole_prompt,
        model=profile.get("model"),
        instructions="\n\n".join(part for part in instructions if part),
        session_id=session.external_id if session else None,
        session_usage=session.usage if session else None,
        workspace=(reviewed.get("workspace") if continues_work else None) or run.workspace_ref or run.id,
        branch=run.branch or (work if continues_work else None),
        base_ref=run.base_ref or (None if continues_work else work) or policy["base_branch"] or "HEAD",
        repository=policy["repository"],
        branch_template=policy["branch_template"],
        card=card["name"],
        slug=slug(card["title"]),
        permission=run.permission,
        supervised=run.permission is not PermissionLevel.AUTONOMOUS,
        options=profile.get("options") or {},
        silence_seconds=policy["silence_seconds"],
        attempt_seconds=policy["attempt_seconds"],
        setup_script=policy.get("setup_script", ""),
        cleanup_script=policy.get("cleanup_script", ""),
        script_seconds=policy.get("script_seconds", BoardPolicy.script_seconds),
        copy_files=list(policy.get("copy_files", ())),
        subfolder=policy.get("subfolder", ""),
        commit_author=policy.get("commit_author", ""),
        checks=checks_after(run.kind, board_policy_of(policy)),
        first_paths=[*policy.get("forbidden_paths", ()), *policy.get("protected_paths", ())],
        variables=await tx.scalar(variables) or {},
        agent=AgentToken(
            run=run.id,
            attempt=run.attempt,
            card=run.card_id,
            board=board.id,
            workspace=board.workspace_id,
            seconds=policy["whole_seconds"],
        ),
    )


def _branch_work(task: BranchTask | None, card: dict[str, Any]) -> BranchWork | None:
    if task is None:
        return None
    return BranchWork(
        id=task.id,
        kind=task.kind,
        strategy=task.strategy,
        branch=task.branch,
        base=task.base,
        head_sha=task.head_sha,
        message=f"{card['name']}: {card['title']}",
        resolutions=[conflict for conflict in task.conflicts if conflict.get("resolved")],
    )


async def answers_of(tx: Transaction, run: Run) -> Sequence[Answer]:
    """Return the closed questions of a run with their answers, in the order they were asked."""
    is_closed = Question.status.in_([QuestionStatus.ANSWERED, QuestionStatus.EXPIRED])
    columns = Question.text, Question.answer, Question.attempt, Question.group_key, Question.blocking
    query = select(*columns).where(Question.run_id == run.id, is_closed)
    rows: Sequence[Any] = (
        await tx.execute(query.order_by(Question.created_at, Question.place, Question.id))
    ).all()
    return rows


async def _awaited_answers(tx: Transaction, run: Run, answers: Sequence[Answer]) -> list[Answer]:
    """Return the answers that the previous attempt was still waiting for when it ended.

    A resumed conversation needs only these. Empty if the attempt was not waiting: it has read its answers.
    """
    previous = [answer for answer in answers if answer.attempt == run.attempt - 1]
    if not any(answer.blocking for answer in previous):
        return []
    is_sent = (
        RunCommand.run_id == run.id,
        RunCommand.attempt == run.attempt - 1,
        RunCommand.kind == CommandKind.ANSWER,
    )
    sent = set(await tx.scalars(select(RunCommand.key).where(*is_sent)))
    is_waiting = any(answer.blocking and answer.group_key not in sent for answer in previous)
    return previous if is_waiting else []


async def _resumable_session(tx: Transaction, run: Run, worker: Worker) -> AgentSession | None:
    """Return the conversation to resume, if this machine and program hold it and it lives."""
    if run.session_id is None:
        return None
    session = await tx.get(AgentSession, run.session_id)
    if session is None or not reusable(session, utcnow()):
        return None
    if session.worker_id != worker.id and not await _is_same_machine(tx, session.worker_id, worker):
        return None
    return session if session.executor == program_of(run.executor, worker) else None


async def _is_same_machine(tx: Transaction, other_id: str, worker: Worker) -> bool:
    other = await tx.get(Worker, other_id)
    return other is not None and worker.machine is not None and other.machine == worker.machine
