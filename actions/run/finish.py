"""The end of an attempt, as its worker reports it. Accepted only while the lease is held; else LeaseLost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import actions.agent_session
from actions import validation
from actions.approval import cancel_replaced_approvals
from actions.lease import Lease
from actions.liveness import note_worker
from actions.run.change import add_warning, cancel_questions, follow_transition, suspend_run
from actions.run.fixed import resolve_fixed_findings
from actions.run.result import (
    RunResultInput,
    brief_list,
    judge_paths,
    store_result,
    unplanned_paths,
    validate_metrics,
)
from auth.locking import lock_leased_run
from kit import queue
from kit.db.transaction import Transaction
from kit.queue import Ticket
from models.actor import Actor
from models.board import Board
from models.policy import NoChange, UnplannedFiles, board_policy_of
from models.refusal import Conflict, Invalid, LeaseLost
from models.run import FailureCode, Run, RunOutcome, WaitReason
from models.worker import Worker, program_of
from protocol.text import plain

MAX_REASON_LENGTH = 10_000  # characters


@asynccontextmanager
async def leased(tx: Transaction, actor: Actor, lease: Ticket) -> AsyncIterator[tuple[Board, Run]]:
    """Lock the run of a lease, and its board. The queue's JobLeaseLost becomes LeaseLost."""
    board, run = await lock_leased_run(tx, actor, lease.id)
    try:
        yield board, run
        await note_worker(tx, run.worker_id)
    except queue.JobLeaseLost as error:
        raise LeaseLost(lease.id, lease.attempt) from error


async def complete_run(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the run."],
    result: Annotated[RunResultInput, "The result of the attempt; its summary is required."],
) -> Run:
    """Complete a run. A CODE run moves its card to REVIEW once none of its siblings is at work.

    A run that changed a forbidden path of the board's policy is FAILED with POLICY_VIOLATION instead. Raises
    LeaseLost if the lease is not held.
    """
    if not plain(result.summary):
        raise Invalid(("result.summary", "must say what was done"))
    async with leased(tx, actor, lease) as (board, run):
        job, _, _ = await queue.lock_leased_job(tx, lease)
        await _store(tx, run, result)
        if violation := judge_paths(run, board_policy_of(board.policy)):
            code = FailureCode.POLICY_VIOLATION
            transition = await queue.fail(
                *(tx, lease),
                code=code,
                reason=violation,
                retryable=False,
                exit_code=result.exit_code,
                metrics=_metrics_of(run),
            )
            await follow_transition(tx, board, run, transition)
            return run
        is_warned = board_policy_of(board.policy).unplanned_files is UnplannedFiles.WARN
        if is_warned and (unplanned := unplanned_paths(run)):
            add_warning(run, f"It changed what was not planned: {brief_list(unplanned)}")
        waits_for_decision = (
            result.outcome is RunOutcome.NO_CHANGES
            and board_policy_of(board.policy).no_change is NoChange.DECIDE
            and not job.cancel_requested_at
        )
        if waits_for_decision:
            await queue.suspend(tx, lease, waits_for=WaitReason.DECISION, keep=False)
            await cancel_questions(tx, board, run)
            await suspend_run(tx, board, run, WaitReason.DECISION)
            return run
        transition = await queue.complete(tx, lease, exit_code=result.exit_code, metrics=_metrics_of(run))
        await follow_transition(tx, board, run, transition)
        await cancel_replaced_approvals(tx, board, run)
        await resolve_fixed_findings(tx, board, run)
        return run


async def fail_run(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the run."],
    code: Annotated[FailureCode, "The cause of the failure."],
    reason: Annotated[str, "The cause for people, 1 to 10,000 characters."],
    retryable: Annotated[bool, "Whether another attempt may succeed."] = False,
    result: Annotated[RunResultInput | None, "The result so far; it is kept."] = None,
) -> Run:
    """Report that an attempt failed. A retryable failure is tried again after 60, 180 and 600 seconds.

    The run is FAILED once no attempt is left, or at once if the failure is not retryable. Raises LeaseLost if the
    lease is not held.
    """
    reason = validation.multiline("reason", validation.sanitize(plain(reason)), MAX_REASON_LENGTH, least=1)
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        if result is not None:
            await _store(tx, run, result)
        transition = await queue.fail(
            tx,
            lease,
            code=code,
            reason=reason,
            retryable=retryable,
            exit_code=result.exit_code if result else None,
            metrics=_metrics_of(run) if result else None,
        )
        await follow_transition(tx, board, run, transition)
        return run


async def release_run(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the run."],
    session_id: Annotated[str | None, "Conversation that the next attempt may resume."] = None,
) -> Run:
    """Give a run back. This counts as no failure, and the run keeps its place in the queue.

    Raises LeaseLost if the lease is not held.
    """
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        await keep_session(tx, run, session_id)
        await follow_transition(tx, board, run, await queue.release(tx, lease))
        return run


async def confirm_stop(
    tx: Transaction,
    actor: Actor,
    *,
    lease: Annotated[Lease, "The lease of the run."],
    result: Annotated[RunResultInput | None, "The result so far; it is kept."] = None,
) -> Run:
    """Confirm that a run was stopped after a STOP command: it is CANCELLED.

    Raises LeaseLost if the lease is not held, or Conflict if nobody asked to stop the run.
    """
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        if result is not None:
            await _store(tx, run, result)
        try:
            transition = await queue.confirm_cancelled(tx, lease)
        except queue.NotAsked:
            raise Conflict("Nobody asked to stop this run", run.id) from None
        await follow_transition(tx, board, run, transition)
        return run


async def _store(tx: Transaction, run: Run, result: RunResultInput) -> None:
    store_result(run, result)
    usage = validate_metrics("result.sessionUsage", result.session_usage)
    await keep_session(tx, run, result.session_id, usage)


def _metrics_of(run: Run) -> dict[str, Any] | None:
    metrics: dict[str, Any] | None = (run.result or {}).get("metrics")
    return metrics


async def keep_session(
    tx: Transaction, run: Run, external_id: str | None, usage: dict[str, Any] | None = None
) -> None:
    """Store the conversation of an attempt, so that this run, or one after it, may resume it."""
    if not external_id or run.worker_id is None:
        return
    executor = program_of(run.executor, await tx.get_one(Worker, run.worker_id))
    session = await actions.agent_session.keep_session(
        tx, run.board_id, run.card_id, run.worker_id, external_id, executor, parent_id=run.session_id
    )
    session.usage = usage or session.usage
    run.session_id = session.id
