"""The effects that the end of an INTEGRATE run has on its task: it fails or is aborted, and its lock is freed."""

from sqlalchemy import delete, select

from kit.db.transaction import Transaction
from models.board import Board
from models.branch_task import BranchTask, BranchTaskStatus, RepositoryLock
from models.events.branch_task import MergeAborted, MergeFailed, task_facts
from models.run import Run, RunKind, RunStatus


async def task_of_run(tx: Transaction, run: Run) -> BranchTask | None:
    """Return the task that a run works on. None if its agent works instead."""
    if run.kind is not RunKind.INTEGRATE:
        return None
    return await tx.scalar(select(BranchTask).where(BranchTask.run_id == run.id))


async def end_task(tx: Transaction, board: Board, run: Run) -> None:
    """Free the lock of a run that has ended. A task that is still active ends with its run."""
    task = await task_of_run(tx, run)
    if task is None:
        return
    await tx.execute(delete(RepositoryLock).where(RepositoryLock.run_id == run.id))
    if task.status is not BranchTaskStatus.ACTIVE:
        return
    task.version += 1
    if run.status is RunStatus.CANCELLED:
        task.status = BranchTaskStatus.ABORTED
        tx.emit(board, MergeAborted(**task_facts(task)))
    else:
        task.status, task.reason = BranchTaskStatus.FAILED, run.failure_reason
        tx.emit(board, MergeFailed(**task_facts(task), fault=task.fault, reason=task.reason))
