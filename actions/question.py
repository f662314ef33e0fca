"""Questions: an agent asks, its run waits, anybody who may answers, and the run goes on, whoever died meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from actions import validation
from actions.events import emit_question_event
from actions.notice import NoticeText
from actions.run.change import card_of, follow_transition, log_events, send_command, waits
from actions.run.finish import keep_session, leased
from actions.run.notice import notify_run_people, notify_stuck
from auth.locking import lock_card, lock_question
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.ids import new_id
from kit.queue import Ticket
from models.actor import Actor
from models.board import Board
from models.card import Card
from models.events.question import (
    QuestionAnswered,
    QuestionAsked,
    QuestionCancelled,
    QuestionEvent,
    QuestionExpired,
    question_facts,
)
from models.notice import NotificationType
from models.policy import OnExpiry, board_policy_of
from models.question import (
    MAX_ANSWER_LENGTH,
    MAX_ASKED,
    MAX_OPEN,
    MAX_OPTIONS,
    AnsweredBy,
    Question,
    QuestionStatus,
    QuestionType,
    checked_answer,
    log_event_of,
)
from models.refusal import Conflict, Forbidden, Invalid, LeaseLost
from models.run import TERMINAL, CommandKind, FailureCode, PermissionLevel, Run, RunStatus, WaitReason
from models.topic import run_topic

MAX_EXPIRY_SECONDS = 2_592_000  # seconds until a question expires, at most


@dataclass(frozen=True, kw_only=True)
class NewQuestion:
    """One of the questions asked together; `key` names it in the answer."""

    key: str
    text: str
    header: str = ""
    type: QuestionType = QuestionType.TEXT
    options: list[dict[str, Any]] = field(default_factory=list)
    allow_other: bool = True
    blocking: bool = True
    default: list[str] | None = None


async def ask_questions(
    tx: Transaction,
    actor: Actor,
    lease: Ticket,
    key: str,
    asked: Sequence[NewQuestion],
    *,
    session_id: str | None = None,
    seconds: int | None = None,
) -> list[Question]:
    """Ask one to four questions together. While one of them that blocks is open, the run waits.

    Asking again with the same key changes nothing: what was asked is answered. Raises LeaseLost.
    """
    async with leased(tx, actor, lease) as (board, run):
        if there := await _asked(tx, run, key):
            return there
        await queue.lock_leased_job(tx, lease)
        await keep_session(tx, run, session_id)
        questions = await _ask(tx, board, run, lease.attempt, key, asked, seconds)
        if any(question.blocking for question in questions):
            await queue.suspend(tx, lease, waits_for=WaitReason.QUESTION)
            await waits(tx, board, run, WaitReason.QUESTION, question_ids=[q.id for q in questions])
        return questions


async def ask_as_agent(
    tx: Transaction,
    actor: Actor,
    board: Board,
    run: Run,
    attempt: int,
    key: str,
    asked: Sequence[NewQuestion],
    *,
    seconds: int | None = None,
) -> list[Question]:
    """The same for an agent that asks by itself, under its run's own credential. The caller holds the run.

    Raises Conflict for a key that something else was asked under.
    """
    if there := await _asked(tx, run, key):
        if [(one.key, one.text) for one in there] != [(one.key.strip(), one.text.strip()) for one in asked]:
            raise Conflict("Something else was asked with that key; take another one", there[0].id)
        return there
    if run.status in TERMINAL or run.attempt != attempt:
        raise LeaseLost(run.id, attempt)
    questions = await _ask(tx, board, run, attempt, key, asked, seconds)
    if any(question.blocking for question in questions):
        if await queue.suspend_with_worker(tx, run.id, attempt, waits_for=WaitReason.QUESTION) is None:
            raise LeaseLost(run.id, attempt)
        await waits(tx, board, run, WaitReason.QUESTION, question_ids=[q.id for q in questions])
    return questions


async def _asked(tx: Transaction, run: Run, key: str) -> list[Question]:
    mine = Question.run_id == run.id, Question.group_key == key
    return list(await tx.scalars(select(Question).where(*mine).order_by(Question.place)))


async def ask_about_card(
    tx: Transaction, actor: Actor, card_id: str, asked: NewQuestion, *, seconds: int | None = None
) -> Question:
    """Ask something about a card, as people do while they plan: nothing waits for the answer.

    It is open until it is answered, taken back, or `seconds` have passed. Raises Conflict where too many are open.
    """
    board, card = await lock_card(tx, actor, card_id)
    validation.in_range("expiresInSeconds", seconds, 1, MAX_EXPIRY_SECONDS)
    open_ones = Question.card_id == card.id, Question.run_id.is_(None), Question.status == QuestionStatus.OPEN
    count = await tx.scalar(select(func.count()).select_from(Question).where(*open_ones)) or 0
    if count >= MAX_OPEN:
        raise Conflict(f"A card has at most {MAX_OPEN} open questions that no run asked", card.id)
    id = new_id("question")
    question = Question(
        id=id,
        board_id=board.id,
        card_id=card.id,
        asked_by=actor.id,
        group_key=id,
        place=0,
        status=QuestionStatus.OPEN,
        expires_at=utcnow() + timedelta(seconds=seconds) if seconds is not None else None,
        **_checked(asked, ""),
    )
    tx.add(question)
    await tx.flush()
    _emit(tx, board, question, QuestionAsked)
    said = NoticeText(NotificationType.QUESTION_ASKED, "A question about {}", question.text)
    await notify_run_people(tx, board, card, None, [said], question_id=id, but=actor.id)
    return question


async def _ask(
    tx: Transaction,
    board: Board,
    run: Run,
    attempt: int,
    key: str,
    asked: Sequence[NewQuestion],
    seconds: int | None,
) -> list[Question]:
    if run.stop_requested_at is not None:
        raise Conflict("The run is being stopped; nobody will answer", run.id)
    validation.at_most("questions", list(asked), MAX_ASKED)
    validation.distinct("questions", [one.key for one in asked])
    validation.in_range("expiresInSeconds", seconds, 1, MAX_EXPIRY_SECONDS)
    open_ones = Question.run_id == run.id, Question.status == QuestionStatus.OPEN
    count = await tx.scalar(select(func.count()).select_from(Question).where(*open_ones)) or 0
    if count + len(asked) > MAX_OPEN:
        raise Conflict(f"A run has at most {MAX_OPEN} open questions", run.id)
    expires_at = utcnow() + timedelta(seconds=seconds or board_policy_of(board.policy).question_seconds)
    group = validation.single_line("key", key, 100)
    questions = []
    for place, one in enumerate(asked):
        question = Question(
            board_id=board.id,
            card_id=run.card_id,
            run_id=run.id,
            asked_by=run.id,
            attempt=attempt,
            group_key=group,
            place=place,
            status=QuestionStatus.OPEN,
            expires_at=expires_at,
            **_checked(one, f"questions.{place}."),
        )
        if one.default is not None and run.permission is not PermissionLevel.HUMAN_REQUIRED:
            question.default_answer = _default(question, one.default, place)
        questions.append(question)
    tx.add_all(questions)
    await tx.flush()
    await log_events(tx, run, log_event_of(*questions))
    for question in questions:
        _emit(tx, board, question, QuestionAsked)
    said = NoticeText(NotificationType.QUESTION_ASKED, "An agent asks about {}", questions[0].text)
    await notify_run_people(tx, board, await card_of(tx, run), run, [said], question_id=questions[0].id)
    return questions


def _checked(one: NewQuestion, at: str) -> dict[str, Any]:
    options = validation.at_most(f"{at}options", list(one.options), MAX_OPTIONS, least=0)
    clean = [
        {
            "label": validation.single_line(f"{at}options.{index}.label", option.get("label"), 200),
            "description": validation.multiline(
                f"{at}options.{index}.description", option.get("description"), 1_000
            ),
            "recommended": bool(option.get("recommended")),
        }
        for index, option in enumerate(options)
    ]
    validation.distinct(f"{at}options", [option["label"] for option in clean])
    if one.type is not QuestionType.TEXT and not clean and not one.allow_other:
        raise Invalid((f"{at}options", "must offer something, or take other answers"))
    return {
        "key": validation.single_line(f"{at}key", one.key, 100),
        "header": validation.single_line(f"{at}header", one.header, 40, least=0),
        "text": validation.multiline(f"{at}text", one.text, MAX_ANSWER_LENGTH, least=1),
        "type": one.type,
        "options": clean,
        "allow_other": one.allow_other,
        "blocking": one.blocking,
    }


def _default(question: Question, default: list[str], place: int) -> list[str]:
    labels = {option["label"] for option in question.options}
    chosen = [text for text in default if text in labels]
    rest = [text for text in default if text not in labels]
    try:
        return checked_answer(question, chosen, "\n".join(rest) or None)
    except Invalid as error:
        raise Invalid((f"questions.{place}.default", error.issues[0].message)) from None


async def answer_question(
    tx: Transaction, actor: Actor, id: str, *, options: Sequence[str] = (), text: str | None = None
) -> Question:
    """Answer a question. The first answer holds: Conflict after it, or when it is no longer open.

    When the last question that blocks its run is closed, the run goes on: its worker is told, or any other
    gets it with the answers.
    """
    board, question = await lock_question(tx, actor, id)
    await _let_decide(tx, actor, question)
    if question.status is not QuestionStatus.OPEN:
        raise Conflict(f"The question is no longer open: {question.status}", question.id)
    question.answer = checked_answer(question, list(options), text)
    how = AnsweredBy.HUMAN if actor.is_person else AnsweredBy.AUTOMATED
    question.answered_by, question.answered_how = actor.id, how
    await _close(tx, board, question, QuestionStatus.ANSWERED, QuestionAnswered)
    await resume_if_answered(tx, board, question)
    return question


async def cancel_question(tx: Transaction, actor: Actor, id: str) -> Question:
    """Take a question back. Its run goes on without an answer, when nothing else keeps it."""
    board, question = await lock_question(tx, actor, id)
    await _let_decide(tx, actor, question)
    if question.status is not QuestionStatus.OPEN:
        raise Conflict(f"The question is no longer open: {question.status}", question.id)
    await _close(tx, board, question, QuestionStatus.CANCELLED, QuestionCancelled)
    await resume_if_answered(tx, board, question)
    return question


async def _let_decide(tx: Transaction, actor: Actor, question: Question) -> None:
    """Raise Forbidden unless the actor may end a question."""
    if actor.is_person:
        return
    if actor.id == question.run_id:
        raise Forbidden("An agent does not answer its own questions")
    run = await _run_of(tx, question)
    if run is not None and run.permission is PermissionLevel.HUMAN_REQUIRED:
        raise Forbidden("The run's permission is HUMAN_REQUIRED: only a person ends its questions")


async def _close(
    tx: Transaction, board: Board, question: Question, status: QuestionStatus, event: type[QuestionEvent]
) -> None:
    question.status, question.answered_at = status, utcnow()
    question.version += 1
    await tx.flush()
    if (run := await _run_of(tx, question)) is not None:
        await log_events(tx, run, log_event_of(question))
    _emit(tx, board, question, event)


async def _run_of(tx: Transaction, question: Question) -> Run | None:
    """The run that asked, held."""
    query = select(Run).where(Run.id == question.run_id).with_for_update()
    return (await tx.scalars(query.execution_options(populate_existing=True))).one_or_none()


def _emit(tx: Transaction, board: Board, question: Question, event: type[QuestionEvent]) -> None:
    emit_question_event(tx, board, event(**question_facts(question)))
    if question.run_id is not None:
        tx.notify(run_topic(question.run_id))  # an agent may be waiting for the answer


async def resume_if_answered(tx: Transaction, board: Board, question: Question) -> None:
    """A question was closed: tell the worker of a complete group, let the run go on if nothing blocks it."""
    run = await _run_of(tx, question)
    if run is None or run.status in TERMINAL:
        return
    group = await _asked(tx, run, question.group_key)
    held = await tx.scalar(select(queue.Job.held).where(queue.Job.id == run.id))
    if held and all(one.status is not QuestionStatus.OPEN for one in group):  # else the next claim tells it
        answers = [{"key": one.key, "answer": one.answer or []} for one in group]
        await send_command(tx, run, CommandKind.ANSWER, question.group_key, {"answers": answers})
    blocking = Question.run_id == run.id, Question.status == QuestionStatus.OPEN, Question.blocking
    if run.wait_reason is not WaitReason.QUESTION:
        return
    if await tx.scalar(select(Question.id).where(*blocking).limit(1)) is None:
        transition = await queue.resume(tx, run.id)
        if transition is not None:
            await follow_transition(tx, board, run, transition)


async def expire_questions(tx: Transaction, board: Board) -> int:
    """Close the questions of a board nobody answered in time, as the board's policy says. Returns how many."""
    due = (
        Question.board_id == board.id,
        Question.status == QuestionStatus.OPEN,
        Question.expires_at <= utcnow(),
    )
    query = select(Question, Run.permission).outerjoin(Run, Run.id == Question.run_id)
    query = query.where(*due).order_by(Question.id).with_for_update(of=Question)
    questions = (await tx.execute(query.execution_options(populate_existing=True))).all()
    says = board_policy_of(board.policy).question_expiry
    first: dict[str, Question] = {}  # of each run: what expires together is one warning
    for question, permission in questions:
        if question.status is not QuestionStatus.OPEN:
            continue  # one before it ended its run
        first.setdefault(question.run_id or question.id, question)
        goes_on = question.default_answer is not None or not question.blocking
        for_people = permission is PermissionLevel.HUMAN_REQUIRED and says is OnExpiry.CONTINUE
        policy = OnExpiry.HOLD if for_people else says
        if policy is OnExpiry.HOLD and not goes_on:
            await _let_go(tx, board, question)
            continue
        question.answer, question.answered_how = question.default_answer, AnsweredBy.AUTOMATED
        await _close(tx, board, question, QuestionStatus.EXPIRED, QuestionExpired)
        if policy is OnExpiry.FAIL and not goes_on and question.run_id is not None:
            await _fail(tx, board, question)
        else:
            await resume_if_answered(tx, board, question)
    for question in first.values():
        run = await tx.get_one(Run, question.run_id) if question.run_id else None
        card = await tx.get_one(Card, question.card_id)
        late = notify_stuck("Nobody answered in time about {}", question.text)
        await notify_run_people(tx, board, card, run, [late], question_id=question.id)
    return len(questions)


async def _fail(tx: Transaction, board: Board, question: Question) -> None:
    run = await _run_of(tx, question)
    if run is not None and run.status is RunStatus.WAITING:
        reason = f"Nobody answered in time: {question.text[:200]}"
        transition = await queue.fail_job(tx, run.id, code=FailureCode.QUESTION_EXPIRED, reason=reason)
        if transition is not None:
            await follow_transition(tx, board, run, transition)


async def _let_go(tx: Transaction, board: Board, question: Question) -> None:
    """The question stays open as long as it takes; its run waits on without a worker and its place."""
    question.expires_at = None
    question.version += 1
    run = await _run_of(tx, question)
    if run is not None and run.status is RunStatus.WAITING:
        transition = await queue.suspend_without_worker(tx, run.id, waits_for=WaitReason.QUESTION)
        if transition is not None:
            await follow_transition(tx, board, run, transition)
