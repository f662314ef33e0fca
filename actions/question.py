"""Changes to questions. An agent asks, its run waits, a person answers, and the run resumes.

The run resumes with the worker that holds it, or with any other: answers do not depend on the asking process.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from sqlalchemy import func, select

from actions import validation
from actions.answering import load_equal_questions, set_automatic_answers, set_earlier
from actions.events import emit_question_event
from actions.notice import NoticeText
from actions.run.change import card_of, follow_transition, log_events, send_command, suspend_run
from actions.run.finish import keep_session, leased
from actions.run.notice import notify_run_people, notify_stuck
from auth.locking import lock_card, lock_own_run, lock_question
from kit import queue
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.graphql.types import input_type
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
    acceptable_answer,
    checked_answer,
    fold_of,
    log_event_of,
)
from models.refusal import Conflict, Forbidden, Invalid, LeaseLost
from models.run import TERMINAL, CommandKind, FailureCode, PermissionLevel, Run, RunStatus, WaitReason
from models.topic import run_topic

MAX_EXPIRY_SECONDS = 2_592_000  # 30 days


Text = Annotated[str, "The question: 1 to 10,000 characters."]
Header = Annotated[str, "A word or two to tell it apart, at most 40 characters."]
Type = Annotated[QuestionType, "The kind of answer."]
AllowOther = Annotated[bool, "True if an answer in other words is accepted too."]
ExpiresInSeconds = Annotated[
    int | None, "Seconds until it expires, 1 to 2,592,000; default: of the board's policy."
]


@input_type
class OptionInput:
    """An answer that is offered."""

    label: Annotated[str, "1 to 200 characters; an answer names it."]
    description: Annotated[str, "The meaning of the option, at most 1,000 characters."] = ""
    recommended: Annotated[bool, "True if the asker recommends it."] = False


Options = Annotated[list[OptionInput] | None, "The answers that are offered, at most 12."]


@input_type
class QuestionInput:
    """One of the questions that are asked together."""

    key: Annotated[str, "The asker's name for it, 1 to 100 characters; the answers repeat it."]
    text: Text
    header: Header = ""
    type: Type = QuestionType.TEXT
    options: Options = None
    allow_other: AllowOther = True
    blocking: Annotated[bool, "True if the run waits for the answer."] = True
    default: Annotated[list[str] | None, "The answer if nobody answers in time: labels or other words."] = (
        None
    )


@dataclass(frozen=True)
class Questions:
    """Questions that were asked together."""

    questions: list[Question]


async def ask_questions(
    tx: Transaction,
    actor: Actor,
    lease: Ticket,
    key: str,
    asked: Sequence[QuestionInput],
    *,
    session_id: str | None = None,
    seconds: int | None = None,
) -> Questions:
    """Ask one to four questions together. While a blocking one is open, the run waits.

    Repeating it with the same key changes nothing and returns what was asked. Raises LeaseLost.
    """
    async with leased(tx, actor, lease) as (board, run):
        if existing := await _load_group(tx, run, key):
            return Questions(existing)
        await queue.lock_leased_job(tx, lease)
        await keep_session(tx, run, session_id)
        questions = await _ask(tx, board, run, lease.attempt, key, asked, seconds)
        if any(_holds_up(question) for question in questions):
            await queue.suspend(tx, lease, waits_for=WaitReason.QUESTION)
            await suspend_run(tx, board, run, WaitReason.QUESTION, question_ids=[q.id for q in questions])
        return Questions(questions)


async def ask_as_agent(
    tx: Transaction,
    actor: Actor,
    *,
    key: Annotated[
        str, "The name of this group of questions, 1 to 100 characters. Reusing it asks nothing twice."
    ],
    questions: Annotated[list[QuestionInput], "1 to 4 questions."],
    expires_in_seconds: ExpiresInSeconds = None,
) -> Questions:
    """Ask people as the agent of a run, with the run's own credential. `awaitAnswers` waits for the answers.

    The run is WAITING until every blocking question is closed. An agent that starts again and asks the same again
    gets the same questions with their answers. Raises LeaseLost, or Conflict if the key names other questions, the
    run is being stopped, or it has 20 open questions.
    """
    board, run = await lock_own_run(tx, actor)
    attempt = actor.attempt or 0
    if existing := await _load_group(tx, run, key):
        pairs = [(one.key.strip(), one.text.strip()) for one in questions]
        if [(one.key, one.text) for one in existing] != pairs:
            raise Conflict("That key names other questions; use a new one", existing[0].id)
        return Questions(existing)
    if run.status in TERMINAL or run.attempt != attempt:
        raise LeaseLost(run.id, attempt)
    made = await _ask(tx, board, run, attempt, key, questions, expires_in_seconds)
    if any(_holds_up(question) for question in made):
        if await queue.suspend_with_worker(tx, run.id, attempt, waits_for=WaitReason.QUESTION) is None:
            raise LeaseLost(run.id, attempt)
        await suspend_run(tx, board, run, WaitReason.QUESTION, question_ids=[q.id for q in made])
    return Questions(made)


def _holds_up(question: Question) -> bool:
    return question.blocking and question.status is QuestionStatus.OPEN


async def _load_group(tx: Transaction, run: Run, key: str) -> list[Question]:
    """Load the questions of a run that were asked together under a key."""
    of_group = Question.run_id == run.id, Question.group_key == key
    return list(await tx.scalars(select(Question).where(*of_group).order_by(Question.place)))


async def ask_question(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card that it is about."],
    text: Text,
    header: Header = "",
    type: Type = QuestionType.TEXT,
    options: Options = None,
    allow_other: AllowOther = True,
    expires_in_seconds: Annotated[
        int | None, "Seconds until it expires, 1 to 2,592,000; default: never."
    ] = None,
) -> Question:
    """Ask about a card while it is planned. No run waits for the answer, and the card may move.

    Raises Conflict if 20 such questions about the card are open.
    """
    asked = QuestionInput(
        key="0", text=text, header=header, type=type, options=options, allow_other=allow_other, blocking=False
    )
    board, card = await lock_card(tx, actor, card_id)
    seconds = validation.in_range("expiresInSeconds", expires_in_seconds, 1, MAX_EXPIRY_SECONDS)
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
        **_validate_question(asked, ""),
    )
    await set_earlier(tx, [question])
    tx.add(question)
    await tx.flush()
    _emit(tx, board, question, QuestionAsked)
    notice = NoticeText(NotificationType.QUESTION_ASKED, "A question about {}", question.text)
    await notify_run_people(tx, board, card, None, [notice], question_id=id, but=actor.id)
    return question


async def _ask(
    tx: Transaction,
    board: Board,
    run: Run,
    attempt: int,
    key: str,
    asked: Sequence[QuestionInput],
    seconds: int | None,
) -> list[Question]:
    if run.stop_requested_at is not None:
        raise Conflict("The run is being stopped; its questions would not be answered", run.id)
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
            **_validate_question(one, f"questions.{place}."),
        )
        if one.default is not None and run.permission is not PermissionLevel.HUMAN_REQUIRED:
            question.default_answer = _validate_default(question, one.default, place)
        questions.append(question)
    card = await card_of(tx, run)
    await set_automatic_answers(tx, board, run, card, questions)
    tx.add_all(questions)
    await tx.flush()
    await log_events(tx, run, log_event_of(*questions))
    for question in questions:
        _emit(tx, board, question, QuestionAsked)
    for question in questions:
        if question.answered_how is not None:
            await _close(tx, board, question, QuestionStatus.ANSWERED, QuestionAnswered)
    still_open = [question for question in questions if question.status is QuestionStatus.OPEN]
    if not still_open:
        await resume_if_answered(tx, board, questions[0])
        return questions
    notice = NoticeText(NotificationType.QUESTION_ASKED, "An agent asks about {}", still_open[0].text)
    await notify_run_people(tx, board, card, run, [notice], question_id=still_open[0].id)
    return questions


def _validate_question(one: QuestionInput, at: str) -> dict[str, Any]:
    """Return the columns of a question, normalized. `at` prefixes the paths of issues. Raises Invalid."""
    options = validation.at_most(f"{at}options", one.options or [], MAX_OPTIONS, least=0)
    clean = [
        {
            "label": validation.single_line(f"{at}options.{index}.label", option.label, 200),
            "description": validation.multiline(
                f"{at}options.{index}.description", option.description, 1_000
            ),
            "recommended": option.recommended,
        }
        for index, option in enumerate(options)
    ]
    validation.distinct(f"{at}options", [option["label"] for option in clean])
    if one.type is not QuestionType.TEXT and not clean and not one.allow_other:
        raise Invalid((f"{at}options", "must offer something, or other answers must be accepted"))
    return {
        "key": validation.single_line(f"{at}key", one.key, 100),
        "header": validation.single_line(f"{at}header", one.header, 40, least=0),
        "text": validation.multiline(f"{at}text", one.text, MAX_ANSWER_LENGTH, least=1),
        "type": one.type,
        "options": clean,
        "fold": fold_of(one.text, [option["label"] for option in clean]),
        "allow_other": one.allow_other,
        "blocking": one.blocking,
    }


def _validate_default(question: Question, default: list[str], place: int) -> list[str]:
    labels = {option["label"] for option in question.options}
    chosen = [text for text in default if text in labels]
    rest = [text for text in default if text not in labels]
    try:
        return checked_answer(question, chosen, "\n".join(rest) or None)
    except Invalid as error:
        raise Invalid((f"questions.{place}.default", error.issues[0].message)) from None


async def answer_question(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The question."],
    options: Annotated[list[str] | None, "The labels of the chosen options: one, for MULTI several."] = None,
    text: Annotated[str | None, "An answer in other words, if the question accepts one."] = None,
) -> Question:
    """Answer a question. When the last blocking question of its run is closed, the run resumes.

    The first answer holds. It also answers the equal open questions of the board's other runs, at most 100, except
    requests for permission and those of runs that need a person and of CRITICAL cards. Raises Conflict if the
    question is not open.
    """
    board, question = await lock_question(tx, actor, id)
    await _require_decider(tx, actor, question)
    if question.status is not QuestionStatus.OPEN:
        raise Conflict(f"The question is not open: {question.status}", question.id)
    question.answer = checked_answer(question, options or [], text)
    how = AnsweredBy.HUMAN if actor.is_person else AnsweredBy.AUTOMATED
    question.answered_by, question.answered_how = actor.id, how
    await _close(tx, board, question, QuestionStatus.ANSWERED, QuestionAnswered)
    await resume_if_answered(tx, board, question)
    for equal in await load_equal_questions(tx, question):
        if (answer := acceptable_answer(equal, question.answer)) is not None:
            equal.answer, equal.answered_by, equal.answered_how = answer, actor.id, how
            equal.earlier_id = question.id
            await _close(tx, board, equal, QuestionStatus.ANSWERED, QuestionAnswered)
            await resume_if_answered(tx, board, equal)
    return question


async def cancel_question(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The question. It is open."]
) -> Question:
    """Cancel a question. Its run resumes without an answer unless other questions block it.

    Raises Conflict if the question is not open.
    """
    board, question = await lock_question(tx, actor, id)
    await _require_decider(tx, actor, question)
    if question.status is not QuestionStatus.OPEN:
        raise Conflict(f"The question is not open: {question.status}", question.id)
    await _close(tx, board, question, QuestionStatus.CANCELLED, QuestionCancelled)
    await resume_if_answered(tx, board, question)
    return question


async def _require_decider(tx: Transaction, actor: Actor, question: Question) -> None:
    """Raise Forbidden unless the actor may answer or cancel a question."""
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
    """Load and lock the run that asked."""
    query = select(Run).where(Run.id == question.run_id).with_for_update()
    return (await tx.scalars(query.execution_options(populate_existing=True))).one_or_none()


def _emit(tx: Transaction, board: Board, question: Question, event: type[QuestionEvent]) -> None:
    emit_question_event(tx, board, event(**question_facts(question)))
    if question.run_id is not None:
        tx.notify(run_topic(question.run_id))  # wakes an agent that waits for the answer


async def resume_if_answered(tx: Transaction, board: Board, question: Question) -> None:
    """After a question was closed: send a complete group to the worker, resume the run if nothing blocks it."""
    run = await _run_of(tx, question)
    if run is None or run.status in TERMINAL:
        return
    group = await _load_group(tx, run, question.group_key)
    held = await tx.scalar(select(queue.Job.held).where(queue.Job.id == run.id))
    if held and all(one.status is not QuestionStatus.OPEN for one in group):  # else the next claim has it
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
    """Close the overdue questions of a board as its policy says. Returns their number."""
    due = (
        Question.board_id == board.id,
        Question.status == QuestionStatus.OPEN,
        Question.expires_at <= utcnow(),
    )
    query = select(Question, Run.permission).outerjoin(Run, Run.id == Question.run_id)
    query = query.where(*due).order_by(Question.id).with_for_update(of=Question)
    questions = (await tx.execute(query.execution_options(populate_existing=True))).all()
    on_expiry = board_policy_of(board.policy).question_expiry
    first: dict[str, Question] = {}  # of each run: it gets one warning
    for question, permission in questions:
        if question.status is not QuestionStatus.OPEN:
            continue  # an earlier question ended its run
        first.setdefault(question.run_id or question.id, question)
        continues = question.default_answer is not None or not question.blocking
        for_people = permission is PermissionLevel.HUMAN_REQUIRED and on_expiry is OnExpiry.CONTINUE
        policy = OnExpiry.HOLD if for_people else on_expiry
        if policy is OnExpiry.HOLD and not continues:
            await _hold_open(tx, board, question)
            continue
        if question.default_answer is not None:
            question.answer, question.answered_how = question.default_answer, AnsweredBy.AUTOMATED
        await _close(tx, board, question, QuestionStatus.EXPIRED, QuestionExpired)
        if policy is OnExpiry.FAIL and not continues and question.run_id is not None:
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


async def _hold_open(tx: Transaction, board: Board, question: Question) -> None:
    """Keep a question open without an end; its run waits without a worker and gives up its place."""
    question.expires_at = None
    question.version += 1
    run = await _run_of(tx, question)
    if run is not None and run.status is RunStatus.WAITING:
        transition = await queue.suspend_without_worker(tx, run.id, waits_for=WaitReason.QUESTION)
        if transition is not None:
            await follow_transition(tx, board, run, transition)
