"""A worker says how a run ended, or gives it back: accepted exactly while its lease is, LeaseLost otherwise."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import actions.agent_session
from actions import git, validation
from actions.liveness import note_worker
from actions.run.change import cancel_questions, follow_transition, waits
from actions.run.result import clean_commits, clean_files, clean_metrics
from auth.locking import lock_leased_run
from kit import queue
from kit.db.transaction import Transaction
from kit.queue import Ticket
from models.actor import Actor
from models.board import Board
from models.policy import NoChange, board_policy_of
from models.refusal import Conflict, Invalid, LeaseLost
from models.run import (
    MAX_COMMITS,
    MAX_FILES,
    MAX_PATCH,
    MAX_SUMMARY_LENGTH,
    MAX_WARNINGS,
    FailureCode,
    Run,
    RunOutcome,
    WaitReason,
)
from models.worker import Worker, program_of
from protocol.events import plain


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What an attempt brought, as its worker tells it."""

    summary: str = ""
    outcome: RunOutcome | None = None
    branch: str | None = None
    head_sha: str | None = None
    session_id: str | None = None
    exit_code: int | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    commits: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    patch: str | None = None
    metrics: dict[str, Any] | None = None


@asynccontextmanager
async def leased(tx: Transaction, actor: Actor, lease: Ticket) -> AsyncIterator[tuple[Board, Run]]:
    """The run of a lease, held. What the queue says of a lost one is told as LeaseLost."""
    board, run = await lock_leased_run(tx, actor, lease.id)
    try:
        yield board, run
        await note_worker(tx, run.worker_id)
    except queue.JobLeaseLost as error:
        raise LeaseLost(lease.id, lease.attempt) from error


async def complete_run(tx: Transaction, actor: Actor, lease: Ticket, result: RunResult) -> Run:
    """The work is done. The card goes to REVIEW with it, when no sibling is still at work."""
    if not plain(result.summary):
        raise Invalid(("result.summary", "must say what was done"))
    async with leased(tx, actor, lease) as (board, run):
        held, _, _ = await queue.lock_leased_job(tx, lease)
        _keep(run, result)
        await keep_session(tx, run, result.session_id)
        nothing = result.outcome is RunOutcome.NO_CHANGES
        if (
            nothing
            and board_policy_of(board.policy).no_change is NoChange.DECIDE
            and not held.cancel_requested_at
        ):
            await queue.suspend(tx, lease, waits_for=WaitReason.DECISION, keep=False)
            await cancel_questions(tx, board, run)
            await waits(tx, board, run, WaitReason.DECISION)
            return run
        transition = await queue.complete(tx, lease, exit_code=result.exit_code, metrics=result.metrics)
        await follow_transition(tx, board, run, transition)
        return run


async def fail_run(
    tx: Transaction,
    actor: Actor,
    lease: Ticket,
    code: FailureCode,
    reason: str,
    *,
    retryable: bool = False,
    result: RunResult | None = None,
) -> Run:
    """The attempt failed. If a retry may help and attempts are left it comes back; else the run has FAILED."""
    reason = validation.multiline("reason", validation.sanitize(plain(reason)), 10_000, least=1)
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        if result is not None:
            _keep(run, result)
            await keep_session(tx, run, result.session_id)
        transition = await queue.fail(
            tx,
            lease,
            code=code,
            reason=reason,
            retryable=retryable,
            exit_code=result.exit_code if result else None,
            metrics=result.metrics if result else None,
        )
        await follow_transition(tx, board, run, transition)
        return run


async def release_run(tx: Transaction, actor: Actor, lease: Ticket, *, session_id: str | None = None) -> Run:
    """Give an attempt back, as a worker does that is told to leave. It counts as no failure."""
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        await keep_session(tx, run, session_id)
        await follow_transition(tx, board, run, await queue.release(tx, lease))
        return run


async def confirm_stop(
    tx: Transaction, actor: Actor, lease: Ticket, *, result: RunResult | None = None
) -> Run:
    """The worker has stopped, as it was asked to. What was done until then is kept."""
    async with leased(tx, actor, lease) as (board, run):
        await queue.lock_leased_job(tx, lease)
        if result is not None:
            _keep(run, result)
            await keep_session(tx, run, result.session_id)
        try:
            transition = await queue.confirm_cancelled(tx, lease)
        except queue.NotAsked:
            raise Conflict("Nobody asked to stop this run", run.id) from None
        await follow_transition(tx, board, run, transition)
        return run


def _keep(run: Run, result: RunResult) -> None:
    """What an attempt brought, bounded: a worker may say anything."""
    summary = validation.multiline(
        "result.summary", validation.sanitize(plain(result.summary)), MAX_SUMMARY_LENGTH
    )
    run.summary = summary or run.summary
    run.outcome = result.outcome or run.outcome
    run.branch = git.validate_branch("result.branch", result.branch) if result.branch else run.branch
    run.head_sha = git.validate_sha("result.headSha", result.head_sha) if result.head_sha else run.head_sha
    files = clean_files("result.files", result.files)
    titled = [{**commit, "title": plain(str(commit.get("title") or ""))} for commit in result.commits]
    commits = clean_commits("result.commits", titled)
    run.exit_code = result.exit_code
    warnings = [validation.sanitize(text[:2_000]) for text in result.warnings]
    if len(result.files) > MAX_FILES:
        warnings.append(f"{len(result.files)} files were changed; the first {MAX_FILES} are listed")
    if result.patch is not None and len(result.patch) > MAX_PATCH:
        raise Invalid(("result.patch", f"must have at most {MAX_PATCH} characters, not {len(result.patch)}"))
    run.patch = validation.sanitize(result.patch) if result.patch is not None else run.patch
    run.result = {
        "files": files[:MAX_FILES],
        "commits": commits[:MAX_COMMITS],
        "warnings": warnings[:MAX_WARNINGS],
        "metrics": clean_metrics("result.metrics", result.metrics),
        "file_count": len(result.files),
    }


async def keep_session(tx: Transaction, run: Run, external_id: str | None) -> None:
    """Remember the conversation an agent program keeps, so that the run, or one after it, goes on there."""
    if not external_id or run.worker_id is None:
        return
    executor = program_of(run.executor, await tx.get_one(Worker, run.worker_id))
    session = await actions.agent_session.keep_session(
        tx, run.board_id, run.card_id, run.worker_id, external_id, executor, parent_id=run.session_id
    )
    run.session_id = session.id
