"""Changes of a run's status. A run follows the transitions of its job in the queue, here and nowhere else.

The caller locks the board, then the run, then (by the queue) the job. All effects of a change happen here, in its
transaction: times, the move of the card, questions, commands, events and notifications.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from actions.events import emit_question_event
from actions.move import move_as_system
from actions.report_statements import STORE
from actions.run.branch import end_task
from actions.run.notice import notify_ended, notify_review, notify_run_people, notify_sent_back
from actions.run_log import Line, line_of, lines_as_json
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.eventlog.event_log import append_rows
from kit.queue import Cause, JobState, Transition, worker_topic
from models.account import access_of
from models.batch import COUNTING, COUNTS, RunBatch, counts_of
from models.board import Board, BoardColumn
from models.card import Card
from models.events.question import QuestionCancelled, question_facts
from models.events.run import (
    BatchEnded,
    RunCancelled,
    RunEvent,
    RunFailed,
    RunRequeued,
    RunResumed,
    RunStarted,
    RunStopping,
    RunSucceeded,
    RunWaiting,
    run_facts,
)
from models.question import Question, QuestionStatus, log_event_of
from models.refusal import NotFound
from models.run import (
    ACTIVE,
    MAX_WARNINGS,
    CommandKind,
    FailureCode,
    Run,
    RunCommand,
    RunKind,
    RunLive,
    RunStatus,
    WaitReason,
    may_become,
)
from models.stage import Stage
from models.topic import run_topic
from protocol.events import AgentEvent, AttemptChanged, LifecyclePhase, StatusChanged
from protocol.events import AgentStatus as Doing

MAX_EVENT_SUMMARY_LENGTH = 500  # characters of a summary that an event repeats

# Reasons for stopping a run whose card was taken from it: the card stays where the person put it.
BY_HAND = "A person took the card from the queue"
MOVED = "The card was moved by a person"
TAKEN_AWAY = "Its card was taken away"
WITH_ITS_CARD = (BY_HAND, MOVED, TAKEN_AWAY)


def emit_run_event(
    tx: Transaction, board: Board, event: RunEvent, *, correlation_id: str | None = None
) -> None:
    """Emit an event of a run on its board, and notify the followers of its log."""
    tx.emit(board, event, correlation_id=correlation_id)
    tx.notify(run_topic(event.run_id))


async def log_events(tx: Transaction, run: Run, *events: AgentEvent) -> None:
    """Append the server's own lines to the log of a run. The caller holds the run, and no topics but runs'."""
    await store_lines(tx, run.id, run.attempt, [line_of(event) for event in events], utcnow())


async def store_lines(tx: Transaction, run_id: str, attempt: int, lines: Sequence[Line], at: datetime) -> int:
    """Append lines to the log of a run. Returns the number of its last line."""
    values = {"attempt": attempt, "lines": lines_as_json(lines), "at": at}
    return await append_rows(tx, run_topic(run_id), len(lines), STORE[queue.is_postgres(tx)], values)


def set_status(run: Run, status: RunStatus, wait: WaitReason | None = None) -> None:
    """Set the status of a run, which must allow the change, and increase its version."""
    assert run.status is status or may_become(run.status, status), f"{run.status} never becomes {status}"
    run.status, run.wait_reason = status, wait
    run.version += 1


async def lock_runs(tx: Transaction, ids: Iterable[str]) -> list[Run]:
    """Lock runs in the order of their ids. The caller holds their boards."""
    query = select(Run).where(Run.id.in_(list(ids))).order_by(Run.id).with_for_update()
    return list(await tx.scalars(query, execution_options={"populate_existing": True}))


async def card_of(tx: Transaction, run: Run) -> Card:
    """Load the card of a run. The caller holds the board. Raises NotFound."""
    card = await tx.get(Card, run.card_id, populate_existing=True)
    if card is None:
        raise NotFound(run.card_id)
    return card


async def apply_transitions(tx: Transaction, board: Board, transitions: Iterable[Transition]) -> None:
    """Apply the transitions of jobs to their runs. The caller holds the board and these runs."""
    by_run = {transition.id: transition for transition in transitions}
    for run in await lock_runs(tx, by_run):
        await follow_transition(tx, board, run, by_run[run.id])


async def follow_transition(tx: Transaction, board: Board, run: Run, transition: Transition) -> None:
    """Apply one transition of its job to a run."""
    if transition.cause is Cause.CANCEL_REQUESTED:
        await _request_stop(tx, board, run)
        return
    match transition.now:
        case JobState.READY:
            await _requeue(tx, board, run, transition)
        case JobState.LEASED:
            _resume(tx, board, run)
        case JobState.PARKED:
            await _detach(tx, board, run, transition)
        case JobState.DONE:
            await _end(tx, board, run, RunStatus.SUCCEEDED)
            await _review_card(tx, board, run)
        case JobState.CANCELLED:
            await _end(tx, board, run, RunStatus.CANCELLED)
            if run.stop_reason not in WITH_ITS_CARD:
                await _review_sibling(tx, board, run)
        case JobState.DEAD:
            await _fail(tx, board, run, transition)
            await _review_sibling(tx, board, run)


async def suspend_run(
    tx: Transaction, board: Board, run: Run, why: WaitReason, *, question_ids: list[str] | None = None
) -> None:
    """Mark a run as WAITING, with its worker or without. The caller has suspended its job."""
    set_status(run, RunStatus.WAITING, why)
    emit_run_event(tx, board, RunWaiting(**run_facts(run), question_ids=question_ids))


def _resume(tx: Transaction, board: Board, run: Run) -> None:
    set_status(run, RunStatus.RUNNING)
    run.reported_at = utcnow()  # its silence starts now, not when it began to wait
    emit_run_event(tx, board, RunResumed(**run_facts(run)))


async def mark_started(tx: Transaction, board: Board, run: Run) -> None:
    """Mark a run as RUNNING with the first report of its agent."""
    if run.status is RunStatus.CLAIMED:
        set_status(run, RunStatus.RUNNING)
        run.started_at = run.started_at or utcnow()
        emit_run_event(tx, board, RunStarted(**run_facts(run)))


async def _requeue(tx: Transaction, board: Board, run: Run, transition: Transition) -> None:
    """Queue a run again: it failed and is retried, its worker was lost or left, or its wait is over."""
    if run.status is RunStatus.QUEUED:
        run.held_by = None  # the gate that held it back has opened
        return
    was_attempted = transition.cause is not Cause.UNPARKED
    set_status(run, RunStatus.QUEUED)
    await _close_attempt(tx, run)
    if transition.cause is Cause.FAILED:  # the failed attempt waits no more; the next one asks again
        await cancel_questions(tx, board, run, Question.blocking)
    if was_attempted:
        why = transition.reason or transition.code or transition.cause
        await log_events(
            tx, run, AttemptChanged(number=run.attempt, phase=LifecyclePhase.ENDED, reason=str(why))
        )
    requeued = RunRequeued(
        **run_facts(run),
        failure_code=transition.code if transition.cause in (Cause.FAILED, Cause.LOST) else None,
        reason=transition.reason if transition.cause is Cause.FAILED else None,
        cause=transition.cause,
        available_at=transition.available_at,
    )
    emit_run_event(tx, board, requeued)
    if was_attempted and run.kind is RunKind.CODE and not await has_active_sibling(tx, run):
        card = await card_of(tx, run)
        column = card.column_id
        await move_as_system(tx, board, card, Stage.TODO, run_id=run.id)
        if card.column_id != column:
            await notify_run_people(
                tx,
                board,
                card,
                run,
                [notify_sent_back(BACK_REASONS.get(transition.cause) or transition.reason or "")],
            )
        await reopen(tx, board)


BACK_REASONS = {Cause.LOST: "Its worker was lost", Cause.RELEASED: "Its worker gave it back"}


async def _detach(tx: Transaction, board: Board, run: Run, transition: Transition) -> None:
    """Detach a waiting run from its worker, which was lost or left: it waits for any worker."""
    if run.status is RunStatus.WAITING and not transition.held:
        await _close_attempt(tx, run)
        emit_run_event(tx, board, RunWaiting(**run_facts(run), detached=True, cause=transition.cause))


async def _request_stop(tx: Transaction, board: Board, run: Run) -> None:
    run.stop_requested_at = utcnow()
    run.version += 1
    await cancel_questions(tx, board, run)
    await send_command(tx, run, CommandKind.STOP, CommandKind.STOP, {"reason": run.stop_reason})
    emit_run_event(tx, board, RunStopping(**run_facts(run), reason=run.stop_reason))


async def _fail(tx: Transaction, board: Board, run: Run, transition: Transition) -> None:
    code = FailureCode(transition.code or FailureCode.AGENT_ERROR)
    reason = transition.reason or REASONS.get(code) or "It failed"
    if transition.cause is Cause.FAILED and (failures := await _count_failures(tx, run)):
        reason = f"{failures} attempts failed; the last: {code}: {reason}"
        code = FailureCode.ATTEMPTS_EXHAUSTED
    run.failure_code, run.failure_reason = code, reason
    await _end(tx, board, run, RunStatus.FAILED)
    await notify_run_people(tx, board, await card_of(tx, run), run, notify_ended(run))


async def _count_failures(tx: Transaction, run: Run) -> int:
    """Return the number of failed attempts once none is left; 0 if only one was allowed."""
    query = select(queue.Job.failures, queue.Job.max_attempts).where(queue.Job.id == run.id)
    row = (await tx.execute(query)).one()
    return int(row.failures) if row.failures >= row.max_attempts > 1 else 0


REASONS = {
    FailureCode.LEASE_EXPIRED: "Its workers were lost again and again",
    FailureCode.EXPIRED: "No worker took it in the time it may wait",
    FailureCode.TIMEOUT: "It took longer than it may",
    FailureCode.SILENT: "Its agent said nothing for longer than it may",
}


def _end_event(run: Run) -> RunSucceeded | RunFailed | RunCancelled:
    if run.status is RunStatus.SUCCEEDED:
        summary = (run.summary or "")[:MAX_EVENT_SUMMARY_LENGTH]
        return RunSucceeded(**run_facts(run), summary=summary, outcome=run.outcome)
    if run.status is RunStatus.FAILED:
        code = run.failure_code or FailureCode.AGENT_ERROR
        return RunFailed(**run_facts(run), code=code, reason=run.failure_reason)
    return RunCancelled(**run_facts(run), reason=run.stop_reason)


async def _end(tx: Transaction, board: Board, run: Run, status: RunStatus) -> None:
    set_status(run, status)
    run.finished_at = utcnow()
    run.held_by = None
    await cancel_questions(tx, board, run)
    await _close_attempt(tx, run)
    await end_task(tx, board, run)
    event = _end_event(run)
    text = "" if isinstance(event, RunSucceeded) else event.reason or ""
    await log_events(tx, run, StatusChanged(state=Doing.ENDED, reason=status, text=text))
    emit_run_event(tx, board, event)
    if run.batch_id is not None:
        await _end_batch(tx, board, run, run.batch_id)


async def _end_batch(tx: Transaction, board: Board, run: Run, batch_id: str) -> None:
    """End a batch with the last of its runs. The board is held, so exactly one run is the last."""
    in_batch = Run.batch_id == batch_id
    others = select(Run.id).where(in_batch, Run.status.in_(ACTIVE), Run.id != run.id).limit(1)
    batch = await tx.get(RunBatch, batch_id)
    if batch is None or await tx.scalar(others) is not None:
        return
    batch.ended_at = run.finished_at
    await tx.flush()  # so that this run counts too
    counts = counts_of((await tx.execute(select(*COUNTS).where(in_batch, COUNTING))).one())
    ended = BatchEnded(
        batch_id=batch.id,
        batch_status=counts.status,
        succeeded=counts.succeeded,
        failed=counts.failed,
        cancelled=counts.cancelled,
    )
    tx.emit(board, ended)


async def _close_attempt(tx: Transaction, run: Run) -> None:
    """Delete the open text of an attempt, and revoke the credential of its agent."""
    tx.notify(access_of(run.id))
    await tx.execute(delete(RunLive).where(RunLive.run_id == run.id))


async def _review_card(tx: Transaction, board: Board, run: Run) -> None:
    """Move a card to REVIEW once the last of its agents has succeeded, and notify the people it concerns."""
    card, kept = await card_of(tx, run), None
    is_last = run.kind is RunKind.CODE and not await has_active_sibling(tx, run)
    if is_last:
        kept = await _move_to_review(tx, board, card, run)
    await notify_run_people(tx, board, card, run, notify_ended(run, kept, is_reviewed=is_last))


async def _review_sibling(tx: Transaction, board: Board, run: Run) -> None:
    """Move a card to REVIEW with the result of a sibling, if the last run at work failed or was stopped."""
    if run.kind is not RunKind.CODE or run.batch_id is None or await has_active_sibling(tx, run):
        return
    siblings = Run.batch_id == run.batch_id, Run.card_id == run.card_id, Run.status == RunStatus.SUCCEEDED
    query = select(Run).where(*siblings).order_by(Run.finished_at.desc()).limit(1).with_for_update()
    if (sibling := await tx.scalar(query)) is not None:
        card = await card_of(tx, sibling)
        stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
        if run.status is RunStatus.CANCELLED and stage is not Stage.IN_PROGRESS:
            return  # it was stopped before it moved the card
        kept = await _move_to_review(tx, board, card, sibling)
        await notify_run_people(tx, board, card, sibling, notify_review(sibling, kept))


async def _move_to_review(tx: Transaction, board: Board, card: Card, run: Run) -> str | None:
    """Move a card to REVIEW with the result of a run. Returns the reason if it may not go there."""
    kept = None
    for reason in await move_as_system(tx, board, card, Stage.REVIEW, run_id=run.id):
        kept = reason.message
        add_warning(run, f"The card stays where it is: {kept}")
    await reopen(tx, board)
    return kept


async def reopen(tx: Transaction, board: Board) -> None:
    """Requeue the runs that a gate holds back, after a change of the board. The next claim checks their gates."""
    is_gated = Run.board_id == board.id, Run.status == RunStatus.QUEUED, Run.held_by.is_not(None)
    for run in list(await tx.scalars(select(Run).where(*is_gated).order_by(Run.id).with_for_update())):
        transition = await queue.resume(tx, run.id)
        if transition is not None:
            await follow_transition(tx, board, run, transition)


def add_warning(run: Run, text: str) -> None:
    """Add a warning to the result of a run, without an event."""
    result = dict(run.result or {})
    result["warnings"] = [*result.get("warnings", []), text][:MAX_WARNINGS]
    run.result = result


async def has_active_sibling(tx: Transaction, run: Run) -> bool:
    """Whether another run of its kind is active on the card."""
    same = Run.card_id == run.card_id, Run.kind == run.kind, Run.status.in_(ACTIVE), Run.id != run.id
    return await tx.scalar(select(Run.id).where(*same).limit(1)) is not None


async def cancel_questions(
    tx: Transaction, board: Board, run: Run, *which: ColumnElement[bool] | InstrumentedAttribute[bool]
) -> None:
    """Cancel the open questions of a run."""
    is_open = Question.run_id == run.id, Question.status == QuestionStatus.OPEN, *which
    query = select(Question).where(*is_open).order_by(Question.id).execution_options(populate_existing=True)
    for question in list(await tx.scalars(query)):
        question.status, question.answered_at = QuestionStatus.CANCELLED, utcnow()
        question.version += 1
        await log_events(tx, run, log_event_of(question))
        emit_question_event(tx, board, QuestionCancelled(**question_facts(question)))


async def send_command(tx: Transaction, run: Run, kind: CommandKind, key: str, data: dict[str, Any]) -> None:
    """Send a command to the worker of the run's attempt, once for each key."""
    is_same = RunCommand.run_id == run.id, RunCommand.attempt == run.attempt, RunCommand.key == key
    if await tx.scalar(select(RunCommand.id).where(*is_same)) is None:
        tx.add(RunCommand(run_id=run.id, attempt=run.attempt, kind=kind, key=key, data=data))
        if run.worker_id is not None:
            tx.notify(worker_topic(run.worker_id))
