"""Questions of agents and people to people. A run waits while a blocking question of it is open."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Json
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, enum_column
from models.refusal import Invalid
from models.run import MAX_DATA
from protocol.events import DecisionState, QuestionItem, QuestionOption, QuestionRaised

MAX_ASKED = 4  # questions asked together
MAX_OPEN = 20  # open questions of one run
MAX_OPTIONS = 12
MAX_ANSWER_LENGTH = 10_000  # characters


class QuestionType(DescribedEnum):
    """The form of an answer."""

    TEXT = "TEXT", "Free text; the options are suggestions."
    SINGLE = "SINGLE", "One of the options, or other text if accepted."
    MULTI = "MULTI", "One or more of the options, and other text if accepted."


class QuestionStatus(DescribedEnum):
    """The status of a question."""

    OPEN = "OPEN", "It waits for an answer."
    ANSWERED = "ANSWERED", "It was answered."
    EXPIRED = "EXPIRED", "Nobody answered it in time."
    CANCELLED = "CANCELLED", "It was withdrawn."


class AnsweredBy(DescribedEnum):
    """The source of an answer."""

    HUMAN = "HUMAN", "A person."
    AUTOMATED = "AUTOMATED", "A rule, a default, or a program with a key."


_OPEN: dict[str, Any] = {"sqlite_where": text("status = 'OPEN'"), "postgresql_where": text("status = 'OPEN'")}


class Question(Editable, Base):
    __tablename__ = "question"
    __table_args__ = (
        Index("ix_question_card_id", "card_id"),
        Index("ix_question_run_id", "run_id"),
        Index("ix_question_board_id_fold", "board_id", "fold", "status"),
        Index("ix_question_open", "board_id", "id", **_OPEN),
        Index("ix_question_expires", "expires_at", **_OPEN),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("question"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    asked_by: Mapped[str | None] = mapped_column(Id)  # a user, a key or a run
    attempt: Mapped[int | None]
    group_key: Mapped[str] = mapped_column(String(100))  # the author's key of the group
    key: Mapped[str] = mapped_column(String(100))  # the author's key of the question
    place: Mapped[int]  # among those asked together
    header: Mapped[str] = mapped_column(String(40), default="")
    text: Mapped[str] = mapped_column(Text)
    type: Mapped[QuestionType] = mapped_column(enum_column(QuestionType))
    options: Mapped[list[Any]] = mapped_column(Json, default=list)  # label, description, recommended
    allow_other: Mapped[bool] = mapped_column(default=True)
    blocking: Mapped[bool] = mapped_column(default=True)
    default_answer: Mapped[list[str] | None]  # the answer if nobody answers in time
    status: Mapped[QuestionStatus] = mapped_column(enum_column(QuestionStatus), default=QuestionStatus.OPEN)
    answer: Mapped[list[str] | None]
    answered_by: Mapped[str | None] = mapped_column(Id)
    answered_how: Mapped[AnsweredBy | None] = mapped_column(enum_column(AnsweredBy))
    answered_at: Mapped[datetime | None]
    fold: Mapped[str | None] = mapped_column(
        String(64)
    )  # equal for equal questions; None: from before it existed
    rule_id: Mapped[str | None] = mapped_column(Id)  # the answer rule that answered; it may be deleted
    earlier_id: Mapped[str | None] = mapped_column(
        Id
    )  # an equal question that was answered; it may be deleted
    expires_at: Mapped[datetime | None]


def fold(text: str) -> str:
    """Return a text as it is compared: without case, and with one space for any white space."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(plain.split())


def fold_of(text: str, labels: Iterable[str]) -> str:
    """Return the hash that questions with the same text and options share, in any order of the options."""
    parts = [fold(text), *sorted(map(fold, labels))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


MAX_HEADER_LENGTH = 500  # characters of a question in a line of a log that would exceed MAX_DATA


def log_event_of(*questions: Any) -> QuestionRaised:
    """Return the log event of questions that were asked together, or of a question that was closed."""
    first = questions[0]
    is_open = first.status is QuestionStatus.OPEN
    asks = tuple(_ask_of(one) for one in questions)
    if sum(len(ask.model_dump_json().encode()) for ask in asks) > MAX_DATA // 2:
        asks = tuple(_ask_of(one, brief=True) for one in questions)
    return QuestionRaised(
        key=first.group_key,
        asks=asks,
        decision=DecisionState.ASKED if is_open else DecisionState(first.status),
        blocking=any(one.blocking for one in questions),
        text="" if is_open else "; ".join(first.answer or ()),
    )


def _ask_of(question: Any, *, brief: bool = False) -> QuestionItem:
    options = [
        QuestionOption(
            label=one["label"],
            description="" if brief else one["description"],
            recommended=one["recommended"],
        )
        for one in question.options
    ]
    return QuestionItem(
        key=question.key,
        text=question.text[:MAX_HEADER_LENGTH] if brief else question.text,
        header=question.header,
        options=tuple(options),
        multiple=question.type is QuestionType.MULTI,
        other=question.allow_other,
        default="\n".join(question.default_answer or ())[: MAX_HEADER_LENGTH if brief else None],
    )


def checked_answer(question: Any, options: list[str], other: str | None) -> list[str]:
    """Return the texts of an answer. Raises Invalid if the question does not accept it."""
    labels = [option["label"] for option in question.options]
    for index, label in enumerate(options):
        if label not in labels:
            raise Invalid((f"options.{index}", f"is not one of: {', '.join(labels) or 'none are offered'}"))
    if len(set(options)) != len(options):
        raise Invalid(("options", "names one twice"))
    other = (other or "").strip() or None
    if other is not None:
        if question.type is not QuestionType.TEXT and not question.allow_other:
            raise Invalid(("text", "is not taken here: choose among the options"))
        if len(other) > MAX_ANSWER_LENGTH or "\0" in other:
            raise Invalid(("text", f"must have 1 to {MAX_ANSWER_LENGTH} characters, none of them NUL"))
    found = [*options, *([other] if other is not None else [])]
    if not found:
        raise Invalid(("options", "an answer chooses an option or says something in its own words"))
    if question.type is QuestionType.SINGLE and len(found) > 1:
        raise Invalid(("options", "takes one answer"))
    return found


def acceptable_answer(question: Any, answer: Sequence[str]) -> list[str] | None:
    """Return an answer to an equal question in the words of this one; None if this one does not accept it."""
    labels = {fold(option["label"]): option["label"] for option in question.options}
    chosen = [labels[fold(text)] for text in answer if fold(text) in labels]
    other = [text for text in answer if fold(text) not in labels]
    try:
        return checked_answer(question, chosen, "\n".join(other) or None)
    except Invalid:
        return None
