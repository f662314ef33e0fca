"""Events of questions. They appear on the board's feed and on that of its workspace."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.events.base import WorkspaceEvent
from models.events.card import CardEvent
from models.question import Question


class QuestionEvent(CardEvent, WorkspaceEvent):
    """A change to a question."""

    board_id: Annotated[Id, "The board."]
    question_id: Annotated[Id, "The question."]
    asking_run_id: Annotated[Id | None, "The run that asks; null if a person asks."]


class QuestionFacts(TypedDict):
    board_id: str
    card_id: str
    question_id: str
    asking_run_id: str | None


def question_facts(question: Question) -> QuestionFacts:
    """Return the fields that all events of a question share."""
    return {
        "board_id": question.board_id,
        "card_id": question.card_id,
        "question_id": question.id,
        "asking_run_id": question.run_id,
    }


class QuestionAsked(QuestionEvent):
    """An agent or a person asked a question."""


class QuestionAnswered(QuestionEvent):
    """A question was answered."""


class QuestionExpired(QuestionEvent):
    """A question expired without an answer."""


class QuestionCancelled(QuestionEvent):
    """A question was withdrawn."""
