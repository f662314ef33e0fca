"""Questions to people: the type, its queries and its mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.question
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.question import MAX_ASKED, MAX_OPTIONS, AnsweredBy, QuestionStatus, QuestionType
from models.question import Question as QuestionRow
from resolvers import question as questions
from resolvers.answer_rule import ANSWER_RULE
from resolvers.board import BOARD
from resolvers.card import CARD
from resolvers.question import QUESTION
from resolvers.run import RUN
from resolvers.workspace import USER
from schema.account import User
from schema.actor import Actor, actor_named
from schema.answer_rule import AnswerRule
from schema.board import Board
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.page import Connection
from schema.refusal import Conflict, LeaseLost

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@object_type
class Option:
    """An option of a question."""

    label: Annotated[str, "The text of the option; an answer names it."]
    description: Annotated[str, "The meaning of the option."]
    recommended: Annotated[bool, "True if the author recommends it."]


def _options(root: QuestionRow) -> list[Option]:
    return [Option(**option) for option in root.options]


def _asker(root: QuestionRow) -> Actor | None:
    return actor_named(root.asked_by)


@node_type("question")
class Question(Node):
    """A question to people, from an agent or a person. While a blocking one is open, its run waits."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card that it is about."]
    run_id: Annotated[ID | None, "The run that asked; null: a person asked about the card."]
    asked_by: Actor | None = strawberry.field(
        resolver=_asker,
        description="The author: a person, a key, or the agent of the run; null if unknown.",
    )
    group_key: Annotated[str, "The key of its group: the questions that were asked together."]
    key: Annotated[str, "The author's key of the question."]
    header: Annotated[str, "A title of a word or two; may be empty."]
    text: Annotated[str, "The question."]
    type: Annotated[QuestionType, "The kind of answer."]
    options: list[Option] = strawberry.field(
        resolver=_options,
        description="The options, at most 12.",
        directives=[list_size(MAX_OPTIONS, slicing=())],
    )
    allow_other: Annotated[bool, "True if other text is accepted too."]
    blocking: Annotated[bool, "True if its run waits for the answer."]
    default_answer: list[str] | None = strawberry.field(
        description="The default if nobody answers in time: labels, other text last; null if there is none.",
        directives=[list_size(MAX_OPTIONS, slicing=())],
    )
    status: Annotated[QuestionStatus, "Its status."]
    answer: list[str] | None = strawberry.field(
        description="The answer: labels, other text last; null if there is none.",
        directives=[list_size(MAX_OPTIONS, slicing=())],
    )
    answered_how: Annotated[
        AnsweredBy | None, "The source of the answer: a person or a rule; null if it has none."
    ]
    answered_at: Annotated[datetime | None, "Time of closing; null while it is open."]
    expires_at: Annotated[datetime | None, "Time of expiry; null: never."]
    created_at: Annotated[datetime, "Time of creation."]
    version: Annotated[int, "Increases by one with each change."]
    answered_by: User | None = relation_field(
        USER, "answered_by", text="The person who answered it; null if nobody did."
    )
    earlier_answer: Annotated["Question | None", "The equal question."] = relation_field(
        QUESTION,
        "earlier_id",
        text="The equal question of the board that was answered before: its `answer` and `answeredBy`. Null if"
        " there is none or you may not see it.",
    )
    answer_rule: AnswerRule | None = relation_field(
        ANSWER_RULE, "rule_id", text="The rule that answered it; null if none did or it was deleted."
    )
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run that asked; null if a person asked.")


@result_type(actions.question.Questions)
class Questions:
    """Questions that were asked together."""

    questions: list[Question] = strawberry.field(
        description="The questions in the order of the input.", directives=[list_size(MAX_ASKED, slicing=())]
    )


@strawberry.type
class QuestionQuery:
    await_answers: list[Question] = query_field(
        questions.await_answers, directives=[list_size(1, maximum=MAX_ASKED, slicing=())]
    )
    questions: Connection[Question] = query_field(questions.questions, directives=[list_size(50)])


@strawberry.type
class QuestionMutation:
    ask_as_agent = mutation(
        actions.question.ask_as_agent, Questions, LeaseLost, Conflict, requires=Access.AGENT
    )
    ask_question = mutation(actions.question.ask_question, Question, Conflict, requires=Access.BOARD)
    ask_questions = mutation(questions.ask_questions, Questions, LeaseLost, Conflict, requires=Access.WORKER)
    answer_question = mutation(actions.question.answer_question, Question, Conflict, requires=Access.BOARD)
    cancel_question = mutation(actions.question.cancel_question, Question, Conflict, requires=Access.BOARD)
