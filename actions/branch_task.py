"""Tasks on the branches of cards: people request them, a worker does them with git, and people resolve conflicts.

The base branch moves by compare-and-set on the worker's machine. Until it moved, nothing is changed, so a task can
be aborted or repeated at any time.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from actions import git, validation
from actions.gate import is_work, require_open_gate
from actions.lease import Lease
from actions.move import move_as_system
from actions.run.branch import task_of_run
from actions.run.change import add_warning, card_of, follow_transition, reopen
from actions.run.dispatch import stop_run_of_card
from actions.run.finish import leased
from actions.run.start import RunRequest, enqueue_runs
from auth.locking import lock_card
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.graphql.types import input_type
from kit.ids import new_id
from models.actor import Actor
from models.approval import ApprovalKind
from models.board import Board, BoardColumn
from models.branch_task import (
    LOCK_SECONDS,
    MAX_CONFLICT_CHARACTERS,
    MAX_CONFLICTS,
    MAX_RESOLUTION_CHARACTERS,
    OPEN,
    BranchTask,
    BranchTaskFault,
    BranchTaskKind,
    BranchTaskStatus,
    MergeSide,
    MergeStrategy,
    RepositoryLock,
)
from models.card import Card
from models.events.branch_task import (
    MergeAborted,
    MergeCompleted,
    MergeConflicts,
    MergeResolved,
    MergeStarted,
    task_facts,
)
from models.policy import board_policy_of
from models.refusal import Conflict, Invalid
from models.run import FailureCode, Run, RunKind, RunStatus
from models.stage import Stage

MAX_REASON_LENGTH = 2_000


async def merge_card(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card. It is in REVIEW."],
    strategy: Annotated[
        MergeStrategy, "The way in which its commits come to the base branch."
    ] = MergeStrategy.MERGE,
    if_head: Annotated[
        str | None, "Expected newest commit of its branch, as seen when it was reviewed."
    ] = None,
) -> BranchTask:
    """Merge the branch of a card into the base branch. A worker does it; the card is DONE once it succeeded.

    Conflicts are reported on the task and change nothing. Raises GateClosed, and Conflict if the card is not in
    REVIEW, has no branch, has another head than `ifHead`, or has an open task.
    """
    board, card = await lock_card(tx, actor, card_id)
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    if stage is not Stage.REVIEW:
        raise Conflict(f"The card is in {stage}; only a card in REVIEW is merged", card.id)
    worked = await _require_work(tx, card)
    if if_head is not None and git.validate_sha("ifHead", if_head) != worked.head_sha:
        raise Conflict(f"The branch is at {worked.head_sha}, not at the commit that you name", card.id)
    await require_open_gate(
        tx, board_policy_of(board.policy), card, ApprovalKind.MERGE, worked.head_sha or ""
    )
    task = _task_on(card, worked, BranchTaskKind.MERGE, strategy)
    return await _start(tx, actor, board, card, task)


async def sync_branch(tx: Transaction, actor: Actor, *, card_id: Annotated[Id, "The card."]) -> BranchTask:
    """Rebase the branch of a card on the base branch. Conflicts are reported on the task and change nothing.

    Raises Conflict if the card has no branch or an open task.
    """
    board, card = await lock_card(tx, actor, card_id)
    task = _task_on(card, await _require_work(tx, card), BranchTaskKind.SYNC, MergeStrategy.REBASE)
    return await _start(tx, actor, board, card, task)


async def push_branch(tx: Transaction, actor: Actor, *, card_id: Annotated[Id, "The card."]) -> BranchTask:
    """Push the branch of a card to the remote `origin`. Pushing it again changes nothing.

    Raises Conflict if the card has no branch or an open task.
    """
    board, card = await lock_card(tx, actor, card_id)
    return await _start(
        tx, actor, board, card, _task_on(card, await _require_work(tx, card), BranchTaskKind.PUSH)
    )


async def create_branch(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card."],
    name: Annotated[str, "Name of the branch, at most 300 characters."],
    base: Annotated[
        str | None, "Branch or commit that it starts from. Default: the board's base branch."
    ] = None,
) -> BranchTask:
    """Create a branch for a card. The task FAILED with BRANCH_EXISTS if the repository has one of that name.

    Raises Conflict if the card has an open task.
    """
    board, card = await lock_card(tx, actor, card_id)
    branch = git.validate_branch("name", name)
    start = git.validate_ref("base", base) if base is not None else ""
    task = BranchTask(card_id=card.id, kind=BranchTaskKind.CREATE, branch=branch, base=start)
    return await _start(tx, actor, board, card, task)


async def _require_work(tx: Transaction, card: Card) -> Run:
    succeeded = Run.card_id == card.id, is_work(), Run.status == RunStatus.SUCCEEDED
    newest = func.coalesce(Run.chosen_at, Run.queued_at).desc(), Run.id.desc()
    worked = await tx.scalar(select(Run).where(*succeeded).order_by(*newest).limit(1))
    if worked is None or not worked.branch:
        raise Conflict("The card has no branch with work", card.id)
    return worked


def _task_on(
    card: Card, worked: Run, kind: BranchTaskKind, strategy: MergeStrategy | None = None
) -> BranchTask:
    return BranchTask(
        card_id=card.id,
        kind=kind,
        strategy=strategy,
        branch=worked.branch,
        base="",
        head_sha=worked.head_sha,
        worked_id=worked.id,
    )


async def _start(tx: Transaction, actor: Actor, board: Board, card: Card, task: BranchTask) -> BranchTask:
    """Store a new task and queue its run. Raises Conflict if the card has an open task."""
    if (other := await _open_task(tx, card)) is not None:
        raise Conflict(
            f"A {other.kind} of the branch is {other.status} already; complete or abort it", other.id
        )
    task.id, task.board_id, task.created_by = new_id("task"), board.id, actor.id
    task.base = task.base or board_policy_of(board.policy).base_branch
    task.conflicts, task.version = [], 1
    await _queue(tx, actor, board, card, task)
    tx.add(task)
    await tx.flush()
    started = MergeStarted(**task_facts(task), strategy=task.strategy, run_id=task.run_id)
    tx.emit(board, started)
    return task


async def _open_task(tx: Transaction, card: Card) -> BranchTask | None:
    return await tx.scalar(
        select(BranchTask).where(BranchTask.card_id == card.id, BranchTask.status.in_(OPEN))
    )


async def _queue(tx: Transaction, actor: Actor, board: Board, card: Card, task: BranchTask) -> None:
    [run] = await enqueue_runs(tx, actor, board, [(card, RunRequest(kind=RunKind.INTEGRATE))])
    task.run_id, task.status = run.id, BranchTaskStatus.ACTIVE


@input_type
class ResolutionInput:
    """The resolution of one file in conflict: a side, or new content."""

    path: Annotated[str, "The file, as `conflicts` names it."]
    side: Annotated[MergeSide | None, "The version to take."] = None
    content: Annotated[str | None, "The whole content of the file, at most 262,144 characters."] = None


async def resolve_conflicts(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card."],
    resolutions: Annotated[
        list[ResolutionInput], "1 to 100 files; a later resolution of a file replaces it."
    ],
) -> BranchTask:
    """Resolve files in conflict. Call `completeMerge` once none is left.

    Raises Conflict if the card has no task with conflicts, Invalid for a path that is not in conflict.
    """
    board, card = await lock_card(tx, actor, card_id)
    task = await _require_conflicted(tx, card)
    validation.at_most("resolutions", resolutions, MAX_CONFLICTS)
    conflicts = [dict(conflict) for conflict in task.conflicts]
    newest = {conflict["path"]: conflict for conflict in conflicts}  # a rebase may meet a file again
    for place, given in enumerate(resolutions):
        path = f"resolutions.{place}"
        if given.path not in newest:
            raise Invalid((f"{path}.path", "is not in conflict"))
        if (given.side is None) == (given.content is None):
            raise Invalid((path, "needs `side` or `content`, and not both"))
        if given.content is not None and len(given.content) > MAX_RESOLUTION_CHARACTERS:
            raise Invalid((f"{path}.content", f"must have at most {MAX_RESOLUTION_CHARACTERS} characters"))
        if given.content is not None and "\0" in given.content:
            raise Invalid((f"{path}.content", "must have no NUL"))
        side = str(given.side) if given.side is not None else None
        newest[given.path] |= {"resolved": True, "side": side, "content": given.content}
    task.conflicts = conflicts
    task.version += 1
    paths = list(dict.fromkeys(given.path for given in resolutions))
    tx.emit(board, MergeResolved(**task_facts(task), paths=paths, open_count=len(_unresolved(task))))
    await tx.flush()
    return task


def _unresolved(task: BranchTask) -> list[str]:
    return [conflict["path"] for conflict in task.conflicts if not conflict.get("resolved")]


async def _require_conflicted(tx: Transaction, card: Card) -> BranchTask:
    task = await _open_task(tx, card)
    if task is None or task.status is not BranchTaskStatus.CONFLICTED:
        raise Conflict("The card has no task with conflicts", task.id if task else card.id)
    return task


async def complete_merge(tx: Transaction, actor: Actor, *, card_id: Annotated[Id, "The card."]) -> BranchTask:
    """Go on with a task whose conflicts are all resolved.

    If a branch moved meanwhile, its new conflicts are reported; resolutions stay for files that are in the same
    conflict. Raises GateClosed, and Conflict if a file is not resolved, or the card has no task with conflicts.
    """
    board, card = await lock_card(tx, actor, card_id)
    task = await _require_conflicted(tx, card)
    if missing := _unresolved(task):
        named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise Conflict(f"Not resolved yet: {named}", task.id)
    if task.kind is BranchTaskKind.MERGE:
        await require_open_gate(
            tx, board_policy_of(board.policy), card, ApprovalKind.MERGE, task.head_sha or ""
        )
    await _queue(tx, actor, board, card, task)
    task.version += 1
    await tx.flush()
    return task


async def abort_merge(tx: Transaction, actor: Actor, *, card_id: Annotated[Id, "The card."]) -> BranchTask:
    """Abort the open task of a card. Everything stays as it was before the task.

    A task that a worker is at ends ABORTED once the worker confirms, or SUCCEEDED if it had moved the branch.
    Raises Conflict if the card has no open task.
    """
    board, card = await lock_card(tx, actor, card_id)
    task = await _open_task(tx, card)
    if task is None:
        raise Conflict("The card has no open task", card.id)
    if task.status is BranchTaskStatus.CONFLICTED:
        task.status, task.version = BranchTaskStatus.ABORTED, task.version + 1
        tx.emit(board, MergeAborted(**task_facts(task)))
    else:
        run = await tx.get_one(Run, task.run_id, with_for_update=True)
        if run.stop_requested_at is None:
            await stop_run_of_card(tx, board, run, "The task was aborted")
    await tx.flush()
    return task


async def lock_repository(
    tx: Transaction, actor: Actor, *, lease: Annotated[Lease, "The lease of the run of a task."]
) -> Run:
    """Take or renew the lock of the run's repository. Only its holder may move a branch there.

    It ends with the run, and expires 120 seconds after the last call. Raises LeaseLost, and Conflict while another
    run holds it or for a run that works on no task.
    """
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        if await task_of_run(tx, run) is None:
            raise Conflict("The run works on no task of a branch", run.id)
        policy = (run.snapshot or {}).get("policy") or {}
        key = {"workspace_id": board.workspace_id, "repository": policy.get("repository") or ""}
        until = utcnow() + timedelta(seconds=LOCK_SECONDS)
        held = await _lock_row(tx, key, run, until)
        if held.run_id != run.id and held.until > utcnow():
            raise Conflict(f"Another merge holds the repository until {held.until:%H:%M:%S} UTC", held.run_id)
        held.run_id, held.attempt, held.until = run.id, run.attempt, until
        return run


async def _lock_row(tx: Transaction, key: dict[str, Any], run: Run, until: datetime) -> RepositoryLock:
    """Lock the row of a repository, creating it. Two runs that create it at once get the same row."""
    query = select(RepositoryLock).filter_by(**key).with_for_update()
    held = await tx.scalar(query)
    if held is None:
        dialect = postgresql if tx.get_bind().dialect.name == "postgresql" else sqlite
        row = {**key, "run_id": run.id, "attempt": run.attempt, "until": until}
        await tx.execute(dialect.insert(RepositoryLock).values(row).on_conflict_do_nothing())
        held = (await tx.scalars(query.execution_options(populate_existing=True))).one()
    return held


@input_type
class ConflictInput:
    """A file in conflict. A version that does not exist, is not text or is too long is null."""

    path: Annotated[str, "Path from the root of the repository."]
    key: Annotated[str, "Identifies the three versions, at most 200 characters."]
    base: Annotated[str | None, "The common version, at most 65,536 characters."] = None
    ours: Annotated[str | None, "The version of the base branch."] = None
    theirs: Annotated[str | None, "The version of the card's branch."] = None


@input_type
class BranchTaskResultInput:
    """The result of a task, of which exactly one field is set."""

    sha: Annotated[str | None, "It succeeded: the tip of the branch that was moved, created or pushed."] = (
        None
    )
    conflicts: Annotated[list[ConflictInput] | None, "It has conflicts, and changed nothing."] = None
    fault: Annotated[BranchTaskFault | None, "It was refused, and changed nothing."] = None


async def finish_branch_task(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the run of the task."],
    result: Annotated[BranchTaskResultInput, "The result."],
    summary: Annotated[str, "The result for people, 1 to 2,000 characters."],
) -> Run:
    """Report the result of a task on a branch, and end its run. A merge that succeeded moves its card to DONE.

    Raises LeaseLost if the lease is not held, Conflict for a run that works on no task.
    """
    summary = validation.sanitize(validation.multiline("summary", summary, MAX_REASON_LENGTH, least=1))
    if sum(field is not None for field in (result.sha, result.conflicts, result.fault)) != 1:
        raise Invalid(("result", "must have exactly one of `sha`, `conflicts` and `fault`"))
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        task = await task_of_run(tx, run)
        if task is None:
            raise Conflict("The run works on no task of a branch", run.id)
        task.version, task.reason, run.summary = task.version + 1, summary, summary
        if result.fault is not None:
            task.fault = result.fault
            code = FailureCode.WORKSPACE_ERROR
            transition = await queue.fail(tx, lease, code=code, reason=summary, retryable=False)
            await follow_transition(tx, board, run, transition)
            return run
        if result.conflicts is not None:
            task.conflicts = _merged(task, result.conflicts)
            task.status = BranchTaskStatus.CONFLICTED
            paths = [conflict["path"] for conflict in task.conflicts]
            tx.emit(board, MergeConflicts(**task_facts(task), paths=paths))
        else:
            task.status = BranchTaskStatus.SUCCEEDED
            task.result_sha = git.validate_sha("result.sha", result.sha or "")
            tx.emit(board, MergeCompleted(**task_facts(task), result_sha=task.result_sha))
            await _note_head(tx, task)
        await follow_transition(tx, board, run, await queue.complete(tx, lease))
        if task.kind is BranchTaskKind.MERGE and task.status is BranchTaskStatus.SUCCEEDED:
            card = await card_of(tx, run)
            for reason in await move_as_system(tx, board, card, Stage.DONE, run_id=run.id):
                add_warning(run, f"The work is merged, but the card stays where it is: {reason.message}")
            await reopen(tx, board)
        return run


def _merged(task: BranchTask, conflicts: list[ConflictInput]) -> list[dict[str, Any]]:
    """Return the reported conflicts, with the resolutions of those that were resolved before."""
    validation.at_most("result.conflicts", conflicts, MAX_CONFLICTS)
    resolved = [conflict for conflict in task.conflicts if conflict.get("resolved")]
    before = {(conflict["path"], conflict["key"]): conflict for conflict in resolved}
    rows = dict(before)
    for place, given in enumerate(conflicts):
        path = f"result.conflicts.{place}"
        key = validation.single_line(f"{path}.key", given.key, 200)
        texts = {"base": given.base, "ours": given.ours, "theirs": given.theirs}
        for name, text in texts.items():
            if text is not None and len(text) > MAX_CONFLICT_CHARACTERS:
                raise Invalid((f"{path}.{name}", f"must have at most {MAX_CONFLICT_CHARACTERS} characters"))
        clean = {name: None if text is None else validation.sanitize(text) for name, text in texts.items()}
        name = git.validate_path(f"{path}.path", given.path)
        rows[name, key] = {"path": name, "key": key, **clean}
    return list(rows.values())


async def _note_head(tx: Transaction, task: BranchTask) -> None:
    """Note the new head of a branch that was rebased on the run whose work it is."""
    if task.kind is BranchTaskKind.SYNC and task.worked_id is not None:
        worked = await tx.get(Run, task.worked_id, with_for_update=True)
        if worked is not None:
            worked.head_sha, worked.version = task.result_sha, worked.version + 1
