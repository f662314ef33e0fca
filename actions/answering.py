"""Answers without a person: a rule of the board gives them, or the answer to an equal question holds.

Nothing here answers a run whose permission is HUMAN_REQUIRED, a question about a CRITICAL card, or a request for
permission. Approvals are no questions.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from kit.db.transaction import Transaction
from models.answer_rule import AnswerRule, AskedFacts, first_answer
from models.board import Board, BoardColumn
from models.card import Card, CardLabel, Priority
from models.policy import RepeatedQuestions, board_policy_of
from models.question import AnsweredBy, Question, QuestionStatus, acceptable_answer
from models.run import PermissionLevel, Run
from protocol.events import PERMISSION_KEY

MAX_TOGETHER = 100  # equal questions that one answer closes


def may_be_automatic(question: Question, run: Run, card: Card) -> bool:
    """Return whether a question may be answered without a person who reads it."""
    return (
        run.permission is not PermissionLevel.HUMAN_REQUIRED
        and card.priority is not Priority.CRITICAL
        and question.key != PERMISSION_KEY
    )


async def set_automatic_answers(
    tx: Transaction, board: Board, run: Run, card: Card, questions: Sequence[Question]
) -> None:
    """Set the answers of new questions that need no person; those questions stay OPEN for the caller to close."""
    await set_earlier(tx, questions)
    automatic = [question for question in questions if may_be_automatic(question, run, card)]
    await _apply_rules(tx, board, run, card, automatic)
    if board_policy_of(board.policy).repeated_questions is not RepeatedQuestions.ANSWER:
        return
    earlier = await tx.scalars(select(Question).where(Question.id.in_([one.earlier_id for one in questions])))
    answers = {one.id: one.answer or [] for one in earlier}
    for question in automatic:
        answer = acceptable_answer(question, answers.get(question.earlier_id or "", ()))
        if answer is not None and question.answered_how is None:
            question.answer, question.answered_how = answer, AnsweredBy.AUTOMATED


async def _apply_rules(
    tx: Transaction, board: Board, run: Run, card: Card, questions: Sequence[Question]
) -> None:
    """Set the answers that the board's rules give, in three statements at most."""
    enabled = AnswerRule.board_id == board.id, AnswerRule.enabled
    query = select(AnswerRule).where(*enabled).order_by(AnswerRule.rank, AnswerRule.id)
    rules = list(await tx.scalars(query)) if questions else []
    if not rules:
        return
    stage = await tx.scalar(select(BoardColumn.stage).where(BoardColumn.id == card.column_id))
    assert stage is not None, "a card has a column"
    labels = select(CardLabel.label_id).where(CardLabel.card_id == card.id)
    label_ids = set(await tx.scalars(labels)) if any(rule.label_ids for rule in rules) else set()
    for question in questions:
        facts = AskedFacts(
            question=question, run_kind=run.kind, card_type=card.type, stage=stage, label_ids=label_ids
        )
        if (found := first_answer(rules, facts)) is not None:
            question.rule_id, question.answer = found
            question.answered_how = AnsweredBy.AUTOMATED


async def set_earlier(tx: Transaction, questions: Sequence[Question]) -> None:
    """Set `earlier_id`: the equal question of the board that somebody answered last. One statement."""
    if not questions:
        return
    newest = func.row_number().over(
        partition_by=Question.fold, order_by=(Question.answered_at.desc(), Question.id.desc())
    )
    answered = (
        select(Question.id, Question.fold, newest.label("place"))
        .where(
            Question.board_id == questions[0].board_id,
            Question.fold.in_([one.fold for one in questions]),
            Question.status == QuestionStatus.ANSWERED,
            Question.answered_by.is_not(None),  # not by an answer that was only repeated
            Question.key != PERMISSION_KEY,
        )
        .subquery()
    )
    rows = await tx.execute(select(answered.c.fold, answered.c.id).where(answered.c.place == 1))
    by_fold: dict[str, str] = {row.fold: row.id for row in rows}
    for question in questions:
        if question.key != PERMISSION_KEY:
            question.earlier_id = by_fold.get(question.fold or "")


async def load_equal_questions(tx: Transaction, answered: Question) -> list[Question]:
    """Load and lock the open questions of other agents that the answer to this one closes too, oldest first."""
    if answered.run_id is None or answered.fold is None or answered.key == PERMISSION_KEY:
        return []
    query = (
        select(Question)
        .join(Run, Run.id == Question.run_id)
        .join(Card, Card.id == Question.card_id)
        .where(
            *_is_equal(answered),
            Run.permission != PermissionLevel.HUMAN_REQUIRED,
            Card.priority != Priority.CRITICAL,
        )
        .order_by(Question.id)
        .limit(MAX_TOGETHER)
        .with_for_update(of=Question)
    )
    rows: Any = await tx.scalars(query.execution_options(populate_existing=True))
    return list(rows)


def _is_equal(answered: Question) -> list[ColumnElement[bool]]:
    return [
        Question.board_id == answered.board_id,
        Question.fold == answered.fold,
        Question.status == QuestionStatus.OPEN,
        Question.run_id != answered.run_id,
        Question.run_id != answered.answered_by,
        Question.key != PERMISSION_KEY,
    ]
