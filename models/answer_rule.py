"""Rules of a board that answer questions of agents, and the law by which they match."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Json, Rank
from kit.ids import maker
from models.card import CardType
from models.columns import Editable
from models.question import QuestionType, acceptable_answer, fold
from models.run import RunKind
from models.stage import Stage

MAX_ANSWER_RULES = 100  # on a board
MAX_PATTERN_LENGTH = 500  # characters
MAX_RULE_LABELS = 20
TRIED_QUESTIONS = 50  # newest questions that a trial of a rule looks at


class AnswerRule(Editable, Base):
    __tablename__ = "answer_rule"
    __table_args__ = (UniqueConstraint("board_id", "rank"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("rule"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    pattern: Mapped[str] = mapped_column(String(MAX_PATTERN_LENGTH), default="")  # empty: any text
    question_types: Mapped[list[Any]] = mapped_column(Json, default=list)  # empty, also below: any
    run_kinds: Mapped[list[Any]] = mapped_column(Json, default=list)
    card_types: Mapped[list[Any]] = mapped_column(Json, default=list)
    stages: Mapped[list[Any]] = mapped_column(Json, default=list)
    label_ids: Mapped[list[Any]] = mapped_column(Json, default=list)  # a deleted label matches no card
    answer: Mapped[list[str] | None]  # None: the options that the asker recommends
    enabled: Mapped[bool] = mapped_column(default=True)
    rank: Mapped[str] = mapped_column(Rank)


CONDITIONS = ("pattern", "question_types", "run_kinds", "card_types", "stages", "label_ids")


@dataclass(frozen=True, kw_only=True)
class AskedFacts:
    """The facts of a question that rules look at. `question` has a text, a type and options."""

    question: Any
    run_kind: RunKind
    card_type: CardType
    stage: Stage
    label_ids: Collection[str]


def first_answer(rules: Iterable[Any], facts: AskedFacts) -> tuple[str, list[str]] | None:
    """Return the id and the answer of the first rule that matches; None if none does.

    A rule matches if all its conditions hold and the question accepts its answer.
    """
    text, question = fold(facts.question.text), facts.question
    for rule in rules:
        if _matches(rule, text, question.type, facts):
            answer = acceptable_answer(question, _answer_of(rule, question))
            if answer is not None:
                return rule.id, answer
    return None


def _matches(rule: Any, text: str, type: QuestionType, facts: AskedFacts) -> bool:
    chosen = (
        (rule.question_types, type),
        (rule.run_kinds, facts.run_kind),
        (rule.card_types, facts.card_type),
        (rule.stages, facts.stage),
    )
    return (
        rule.enabled
        and all(not allowed or value in allowed for allowed, value in chosen)
        and (not rule.label_ids or not set(rule.label_ids).isdisjoint(facts.label_ids))
        and is_text_match(text, rule.pattern)
    )


def _answer_of(rule: Any, question: Any) -> list[str]:
    if rule.answer is not None:
        return list(rule.answer)
    return [option["label"] for option in question.options if option["recommended"]]


def is_text_match(text: str, pattern: str) -> bool:
    """Return whether a folded text contains a pattern, or, if it has a `*`, is like it as a whole.

    `*` stands for any text. There is no backtracking: each part is found once, from left to right.
    """
    pattern = fold(pattern)
    if "*" not in pattern:
        return pattern in text
    first, *middle, last = pattern.split("*")
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
