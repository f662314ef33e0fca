"""The one place where a run changes its status: it follows what the queue did to its job.

The caller holds the board, then the run, then (through the queue) the job. Everything that belongs to a change
happens here, in its transaction: the times, the card's own move, its questions, its commands, what is told.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from actions.events import emit_question_event
from actions.move import move_as_system
from actions.report_statements import STORE
from actions.run.notice import notify_ended, notify_review, notify_run_people, notify_sent_back
from actions.run_log import Line, kept, line_of
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

# Why a run is stopped that loses its card: a person has the card, and it stays where they put it.
BY_HAND = "A person took the card from the queue"
MOVED = "The card was moved by a person"
TAKEN_AWAY = "Its card was taken away"
WITH_ITS_CARD = (BY_HAND, MOVED, TAKEN_AWAY)


def emit_run_event(
    tx: Transaction, board: Board, event: RunEvent, *, correlation_id: str | None = None
) -> None:
    """Emit a change to a run on its board's feed, and wake the followers of the run's log."""
    tx.emit(board, event, correlation_id=correlation_id)
    tx.notify(run_topic(event.run_id))


async def log_events(tx: Transaction, run: Run, *events: AgentEvent) -> None:
    """Add lines of the server's own to a run's log. The caller holds the run, and no topic but those of runs."""
    await store_lines(tx, run.id, run.attempt, [line_of(event) for event in events], utcnow())


async def store_lines(tx: Transaction, run_id: str, attempt: int, lines: Sequence[Line], at: datetime) -> int:
    """Add what is kept of these lines to a run's log. Returns the number of its last line."""
    count = sum(line.is_kept for line in lines)
    values = {"attempt": attempt, "lines": kept(lines), "at": at}
    return await append_rows(tx, run_topic(run_id), count, STORE[queue.is_postgres(tx)], values)


def set_status(run: Run, status: RunStatus, wait: WaitReason | None = None) -> None:
    assert run.status is status or may_become(run.status, status), f"{run.status} never becomes {status}"
    run.status, run.wait_reason = status, wait
    run.version += 1


async def runs_of(tx: Transaction, ids: Iterable[str]) -> list[Run]:
    """Lock runs, in the order of their ids. The caller holds their boards."""
    query = select(Run).where(Run.id.in_(list(ids))).order_by(Run.id).with_for_update()
    return list(await tx.scalars(query, execution_options={"populate_existing": True}))


async def card_of(tx: Transaction, run: Run) -> Card:
    """The card of a run. The board is held, so it stays."""
    card = await tx.get(Card, run.card_id, populate_existing=True)
    if card is None:
        raise NotFound(run.card_id)
    return card


async def apply(tx: Transaction, board: Board, transitions: Iterable[Transition]) -> None:
    """Let runs follow their jobs. The caller holds the board and these runs."""
    mine = {transition.id: transition for transition in transitions}
    for run in await runs_of(tx, mine):
        await follow_transition(tx, board, run, mine[run.id])


async def follow_transition(tx: Transaction, board: Board, run: Run, transition: Transition) -> None:
    """Let a run follow its job through one transition."""
    if transition.cause is Cause.CANCEL_REQUESTED:
        await _stopping(tx, board, run)
        return
    match transition.now:
        case JobState.READY:
            await _requeued(tx, board, run, transition)
        case JobState.LEASED:
            _resumed(tx, board, run)
        case JobState.PARKED:
            await _detached(tx, board, run, transition)
        case JobState.DONE:
            await _ended(tx, board, run, RunStatus.SUCCEEDED)
            await _to_review(tx, board, run)
        case JobState.CANCELLED:
            await _ended(tx, board, run, RunStatus.CANCELLED)
            if run.stop_reason not in WITH_ITS_CARD:
                await _leave_to_siblings(tx, board, run)
        case JobState.DEAD:
            await _failed(tx, board, run, transition)
            await _leave_to_siblings(tx, board, run)


async def waits(
    tx: Transaction, board: Board, run: Run, why: WaitReason, *, question_ids: list[str] | None = None
) -> None:
    """A run waits, with its worker or without: its job was parked."""
    set_status(run, RunStatus.WAITING, why)
    emit_run_event(tx, board, RunWaiting(**run_facts(run), question_ids=question_ids))


def _resumed(tx: Transaction, board: Board, run: Run) -> None:
    set_status(run, RunStatus.RUNNING)
    run.reported_at = utcnow()  # its silence begins now: while it waited there was nothing to say
    emit_run_event(tx, board, RunResumed(**run_facts(run)))


async def started(tx: Transaction, board: Board, run: Run) -> None:
    """Its agent said its first word."""
    if run.status is RunStatus.CLAIMED:
        set_status(run, RunStatus.RUNNING)
        run.started_at = run.started_at or utcnow()
        emit_run_event(tx, board, RunStarted(**run_facts(run)))


async def _requeued(tx: Transaction, board: Board, run: Run, transition: Transition) -> None:
    """Back in the queue: it failed and is tried again, its worker was lost or left, or its wait is over."""
    if run.status is RunStatus.QUEUED:
        run.held_by = None  # a gate that kept it was opened
        return
    worked = transition.cause is not Cause.UNPARKED
    set_status(run, RunStatus.QUEUED)
    await _forget(tx, run)
    if transition.cause is Cause.FAILED:  # who waited for an answer gave up; the next attempt asks anew
        await cancel_questions(tx, board, run, Question.blocking)
    if worked:
        why = transition.reason or transition.code or transition.cause
        await log_events(
            tx, run, AttemptChanged(number=run.attempt, phase=LifecyclePhase.ENDED, reason=str(why))
        )
    requeued = RunRequeued(
        **run_facts(run),
        code=transition.code if transition.cause in (Cause.FAILED, Cause.LOST) else None,
        reason=transition.reason if transition.cause is Cause.FAILED else None,
        cause=transition.cause,
        available_at=transition.available_at,
    )
    emit_run_event(tx, board, requeued)
    if worked and run.kind is RunKind.CODE and not await others_active(tx, run):
        card = await card_of(tx, run)
        column = card.column_id
        await move_as_system(tx, board, card, Stage.TODO, run_id=run.id)
        if card.column_id != column:
            await notify_run_people(
                tx,
                board,
                card,
                run,
                [notify_sent_back(BACK.get(transition.cause) or transition.reason or "")],
            )
        await reopen(tx, board)


BACK = {Cause.LOST: "Its worker was lost", Cause.RELEASED: "Its worker gave it back"}


async def _detached(tx: Transaction, board: Board, run: Run, transition: Transition) -> None:
    """Its worker was lost or left while it waited: it goes on waiting, for any worker."""
    if run.status is RunStatus.WAITING and not transition.held:
        await _forget(tx, run)
        emit_run_event(tx, board, RunWaiting(**run_facts(run), detached=True, cause=transition.cause))


async def _stopping(tx: Transaction, board: Board, run: Run) -> None:
    run.stop_requested_at = utcnow()
    run.version += 1
    await cancel_questions(tx, board, run)
    await send_command(tx, run, CommandKind.STOP, CommandKind.STOP, {"reason": run.stop_reason})
    emit_run_event(tx, board, RunStopping(**run_facts(run), reason=run.stop_reason))


async def _failed(tx: Transaction, board: Board, run: Run, transition: Transition) -> None:
    code = FailureCode(transition.code or FailureCode.AGENT_ERROR)
    reason = transition.reason or REASONS.get(code) or "It failed"
    if transition.cause is Cause.FAILED and (failures := await _exhausted(tx, run)):
        reason = f"{failures} attempts failed; the last: {code}: {reason}"
        code = FailureCode.ATTEMPTS_EXHAUSTED
    run.failure_code, run.failure_reason = code, reason
    await _ended(tx, board, run, RunStatus.FAILED)
    await notify_run_people(tx, board, await card_of(tx, run), run, notify_ended(run))


async def _exhausted(tx: Transaction, run: Run) -> int:
    """How many of its attempts failed, where no more may; a single one speaks for itself, that is 0."""
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
        return RunSucceeded(**run_facts(run), summary=(run.summary or "")[:500], outcome=run.outcome)
    if run.status is RunStatus.FAILED:
        code = run.failure_code or FailureCode.AGENT_ERROR
        return RunFailed(**run_facts(run), code=code, reason=run.failure_reason)
    return RunCancelled(**run_facts(run), reason=run.stop_reason)


async def _ended(tx: Transaction, board: Board, run: Run, status: RunStatus) -> None:
    set_status(run, status)
    run.finished_at = utcnow()
    run.held_by = None
    await cancel_questions(tx, board, run)
    await _forget(tx, run)
    event = _end_event(run)
    text = "" if isinstance(event, RunSucceeded) else event.reason or ""
    await log_events(tx, run, StatusChanged(state=Doing.ENDED, reason=status, text=text))
    emit_run_event(tx, board, event)
    if run.batch_id is not None:
        await _close(tx, board, run, run.batch_id)


async def _close(tx: Transaction, board: Board, run: Run, batch_id: str) -> None:
    """With the last of its runs a batch has ended. The board is held, so exactly one of them is the last."""
    mine = Run.batch_id == batch_id
    others = select(Run.id).where(mine, Run.status.in_(ACTIVE), Run.id != run.id).limit(1)
    batch = await tx.get(RunBatch, batch_id)
    if batch is None or await tx.scalar(others) is not None:
        return
    batch.ended_at = run.finished_at
    await tx.flush()  # this run is counted too
    counts = counts_of((await tx.execute(select(*COUNTS).where(mine, COUNTING))).one())
    ended = BatchEnded(
        batch_id=batch.id,
        batch_status=counts.status,
        succeeded=counts.succeeded,
        failed=counts.failed,
        cancelled=counts.cancelled,
    )
    tx.emit(board, ended)


async def _forget(tx: Transaction, run: Run) -> None:
    """What an attempt was saying when it ended is said no more, and its agent's credential is not good any more."""
    tx.notify(access_of(run.id))
    await tx.execute(delete(RunLive).where(RunLive.run_id == run.id))


async def _to_review(tx: Transaction, board: Board, run: Run) -> None:
    """A card goes to REVIEW when the last of its agents has succeeded; whom it concerns hears how that went."""
    card, kept = await card_of(tx, run), None
    is_last = run.kind is RunKind.CODE and not await others_active(tx, run)
    if is_last:
        kept = await _carried(tx, board, card, run)
    await notify_run_people(tx, board, card, run, notify_ended(run, kept, is_reviewed=is_last))


async def _leave_to_siblings(tx: Transaction, board: Board, run: Run) -> None:
    """The last at work on a card failed or was stopped: what a sibling brought goes to REVIEW all the same."""
    if run.kind is not RunKind.CODE or run.batch_id is None or await others_active(tx, run):
        return
    siblings = Run.batch_id == run.batch_id, Run.card_id == run.card_id, Run.status == RunStatus.SUCCEEDED
    query = select(Run).where(*siblings).order_by(Run.finished_at.desc()).limit(1).with_for_update()
    if (sibling := await tx.scalar(query)) is not None:
        card = await card_of(tx, sibling)
        stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
        if run.status is RunStatus.CANCELLED and stage is not Stage.IN_PROGRESS:
            return  # it was stopped before it took the card from there
        kept = await _carried(tx, board, card, sibling)
        await notify_run_people(tx, board, card, sibling, notify_review(sibling, kept))


async def _carried(tx: Transaction, board: Board, card: Card, run: Run) -> str | None:
    """Take a card to REVIEW with what a run brought. Answers why it stays where it is, if it does."""
    kept = None
    for reason in await move_as_system(tx, board, card, Stage.REVIEW, run_id=run.id):
        kept = reason.message
        warn_silent(run, f"The card stays where it is: {kept}")
    await reopen(tx, board)
    return kept


async def reopen(tx: Transaction, board: Board) -> None:
    """Something of the board changed: what a gate kept may be looked at again. The next claim judges it."""
    kept = Run.board_id == board.id, Run.status == RunStatus.QUEUED, Run.held_by.is_not(None)
    for run in list(await tx.scalars(select(Run).where(*kept).order_by(Run.id).with_for_update())):
        transition = await queue.resume(tx, run.id)
        if transition is not None:
            await follow_transition(tx, board, run, transition)


def warn_silent(run: Run, text: str) -> None:
    result = dict(run.result or {})
    result["warnings"] = [*result.get("warnings", []), text][:MAX_WARNINGS]
    run.result = result


async def others_active(tx: Transaction, run: Run) -> bool:
    """Whether a sibling of its kind is still active on the card."""
    same = Run.card_id == run.card_id, Run.kind == run.kind, Run.status.in_(ACTIVE), Run.id != run.id
    return await tx.scalar(select(Run.id).where(*same).limit(1)) is not None


async def cancel_questions(
    tx: Transaction, board: Board, run: Run, *which: ColumnElement[bool] | InstrumentedAttribute[bool]
) -> None:
    mine = Question.run_id == run.id, Question.status == QuestionStatus.OPEN, *which
    query = select(Question).where(*mine).order_by(Question.id).execution_options(populate_existing=True)
    for question in list(await tx.scalars(query)):
        question.status, question.answered_at = QuestionStatus.CANCELLED, utcnow()
        question.version += 1
        await log_events(tx, run, log_event_of(question))
        emit_question_event(tx, board, QuestionCancelled(**question_facts(question)))


async def send_command(tx: Transaction, run: Run, kind: CommandKind, key: str, data: dict[str, Any]) -> None:
    """Tell whoever holds the run's attempt what to do: with its next heartbeat, or at once if it listens."""
    there = RunCommand.run_id == run.id, RunCommand.attempt == run.attempt, RunCommand.key == key
    if await tx.scalar(select(RunCommand.id).where(*there)) is None:
        tx.add(RunCommand(run_id=run.id, attempt=run.attempt, kind=kind, key=key, data=data))
        if run.worker_id is not None:
            tx.notify(worker_topic(run.worker_id))
