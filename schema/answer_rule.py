"""Answer rules of boards: the types, the trial and the mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.answer_rule
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.answer_rule import TRIED_QUESTIONS
from models.card import CardType
from models.question import MAX_OPTIONS, QuestionType
from models.run import RunKind
from models.stage import Stage
from resolvers import answer_rule as rules
from resolvers.board import BOARD
from schema.fields import mutation, node_type, query_field, relation_field, result_type
from schema.refusal import Conflict, Stale

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]
QuestionLater: Any = Annotated["Question", strawberry.lazy("schema.question")]


@node_type("rule")
class AnswerRule(Node):
    """A rule of a board that answers questions of agents. The first rule that matches wins."""

    board_id: Annotated[ID, "The board."]
    name: Annotated[str, "1 to 100 characters."]
    pattern: Annotated[
        str, "Text that the question contains, or, with a `*`, that it is like as a whole; empty: any text."
    ]
    question_types: Annotated[list[QuestionType], "The forms of answers; empty: all."]
    run_kinds: Annotated[list[RunKind], "The kinds of runs; empty: all."]
    card_types: Annotated[list[CardType], "The types of cards; empty: all."]
    stages: Annotated[list[Stage], "The stages of cards; empty: all."]
    label_ids: Annotated[list[ID], "Labels of which the card has one; empty: any card."]
    answer: list[str] | None = strawberry.field(
        description="The answer: labels, other text last; null: the options that the agent recommends.",
        directives=[list_size(MAX_OPTIONS, slicing=())],
    )
    enabled: Annotated[bool, "Whether it answers."]
    rank: Annotated[
        str, "A fractional index: orders its board's rules, compared byte by byte, smallest first."
    ]
    version: Annotated[int, "Increases by one with each change."]
    created_at: Annotated[datetime, "Time of creation."]
    updated_at: Annotated[datetime, "Time of the last change."]
    board: BoardLater | None = relation_field(BOARD, "board_id", text="The board.")


@result_type(rules.AnswerTrial)
class AnswerTrial:
    """A question that an answer rule would have answered."""

    question: Annotated[QuestionLater, "The question."]
    answer: list[str] = strawberry.field(
        description="The answer that it would have got.", directives=[list_size(MAX_OPTIONS, slicing=())]
    )


@strawberry.type
class AnswerRuleQuery:
    test_answer_rule: list[AnswerTrial] | None = query_field(
        rules.test_answer_rule, directives=[list_size(TRIED_QUESTIONS, slicing=())]
    )


@strawberry.type
class AnswerRuleMutation:
    create_answer_rule = mutation(
        actions.answer_rule.create_answer_rule, AnswerRule, Conflict, requires=Access.ADMIN
    )
    update_answer_rule = mutation(
        actions.answer_rule.update_answer_rule, AnswerRule, Stale, requires=Access.ADMIN
    )
    move_answer_rule = mutation(actions.answer_rule.move_answer_rule, AnswerRule, requires=Access.ADMIN)
    delete_answer_rule = mutation(
        actions.answer_rule.delete_answer_rule, AnswerRule, Stale, requires=Access.ADMIN
    )
