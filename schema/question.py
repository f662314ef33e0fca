"""What clients may say and hear about questions."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.question import MAX_ASKED, MAX_OPTIONS, AnsweredBy, QuestionStatus, QuestionType
from resolvers import question as questions
from resolvers.board import BOARD
from resolvers.card import CARD
from resolvers.run import RUN
from resolvers.workspace import USER
from schema.account import User
from schema.actor import Actor, actor_named
from schema.board import Board
from schema.fields import mutation, node_type, query_field, relation_field
from schema.page import Connection
from schema.refusal import Conflict, LeaseLost

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@object_type
class Option:
    """An answer that is offered."""

    label: Annotated[str, "What it says, and what an answer names."]
    description: Annotated[str, "What choosing it means."]
    recommended: Annotated[bool, "Whether the asker would choose it."]


def _options(root: Any) -> Any:
    return [Option(**option) for option in root.options]


def _asker(root: Any) -> Actor | None:
    return actor_named(root.asked_by)


@node_type("question")
class Question(Node):
    """Something an agent asks people, or people one another. While one that blocks is open, its run waits."""

    board_id: Annotated[ID, "On which board."]
    card_id: Annotated[ID, "About which card."]
    run_id: Annotated[ID | None, "Of which run; null: a person asks about the card."]
    asked_by: Actor | None = strawberry.field(
        resolver=_asker,
        description="Who asked: a person, a key, or the agent of the run; null where it was not kept.",
    )
    group_key: Annotated[str, "Shared by what was asked together."]
    key: Annotated[str, "The asker's name for it."]
    header: Annotated[str, "A word or two to tell it apart."]
    text: Annotated[str, "The question."]
    type: Annotated[QuestionType, "What an answer consists of."]
    options: list[Option] = strawberry.field(
        resolver=_options,
        description="What is offered. At most 12.",
        directives=[list_size(MAX_OPTIONS, slicing=())],
    )
    allow_other: Annotated[bool, "Whether an answer in other words is taken too."]
    blocking: Annotated[bool, "Whether its run waits for the answer."]
    default_answer: list[str] | None = strawberry.field(
        description="What holds when nobody answers in time.",
        directives=[list_size(MAX_OPTIONS, slicing=())],
    )
    status: Annotated[QuestionStatus, "Whether it waits for an answer."]
    answer: list[str] | None = strawberry.field(
        description="The answer: labels, and other words last.",
        directives=[list_size(MAX_OPTIONS, slicing=())],
    )
    answered_how: Annotated[AnsweredBy | None, "Whether a person answered it or a rule."]
    answered_at: Annotated[datetime | None, "When it was closed."]
    expires_at: Annotated[datetime | None, "When it closes by itself; null: never."]
    created_at: Annotated[datetime, "When it was asked."]
    version: Annotated[int, "Grows by one with every change."]
    answered_by: User | None = relation_field(
        USER, "answered_by", text="Who answered it, when it was a person."
    )
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run that asked.")


@object_type
class Questions:
    """Questions that were asked together."""

    questions: list[Question] = strawberry.field(
        description="In the order they were asked.", directives=[list_size(MAX_ASKED, slicing=())]
    )

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, questions.Questions)


@strawberry.type
class QuestionQuery:
    await_answers: list[Question] = query_field(
        questions.await_answers, directives=[list_size(1, maximum=MAX_ASKED, slicing=())]
    )
    questions: Connection[Question] = query_field(questions.questions, directives=[list_size(50)])


@strawberry.type
class QuestionMutation:
    ask_as_agent = mutation(questions.ask_as_agent, Questions, LeaseLost, Conflict, requires=Access.AGENT)
    ask_question = mutation(questions.ask_question, Question, Conflict, requires=Access.BOARD)
    ask_questions = mutation(questions.ask_questions, Questions, LeaseLost, Conflict, requires=Access.WORKER)
    answer_question = mutation(questions.answer_question, Question, Conflict, requires=Access.BOARD)
    cancel_question = mutation(questions.cancel_question, Question, Conflict, requires=Access.BOARD)
