"""Reads of answer rules, and trials of them."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import ColumnElement, false, select
from strawberry import ID

from auth.permissions import sees_board, sees_card
from models.actor import Actor
from models.answer_rule import TRIED_QUESTIONS, AnswerRule, AskedFacts, first_answer
from models.board import BoardColumn
from models.card import Card, CardLabel, Priority
from models.question import Question
from models.run import PermissionLevel, Run
from protocol.events import PERMISSION_KEY
from resolvers.context import Info
from resolvers.loaders import Relation


def _sees_rules(actor: Actor) -> ColumnElement[bool]:
    """An agent of a run sees no rules: it could ask for the answer that it wants."""
    return false() if actor.card_id is not None else sees_board(actor, AnswerRule.board_id)


ANSWER_RULE = Relation[Any](
    select(AnswerRule.__table__),
    AnswerRule.id,
    _sees_rules,
)
RULES_OF_BOARD = Relation(
    select(AnswerRule.__table__).order_by(AnswerRule.rank, AnswerRule.id),
    AnswerRule.board_id,
    _sees_rules,
    many=True,
)


@dataclass(frozen=True)
class AnswerTrial:
    """A question that a rule would have answered."""

    question: Any
    answer: list[str]


@dataclass(frozen=True)
class _Enabled:
    """A rule as if it were enabled."""

    rule: Any
    enabled: bool = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rule, name)


async def test_answer_rule(
    info: Info, id: Annotated[ID, "The rule; it may be disabled."]
) -> list[AnswerTrial] | None:
    """The questions of agents that this rule alone would answer, among the board's last 50. Nothing is changed.

    Cards are taken as they are now. Newest first; null if you may not see the rule.
    """
    context = info.context
    rule = await context.load(ANSWER_RULE, id)
    if rule is None:
        return None
    asked = (
        select(
            Question.__table__,
            Run.kind.label("run_kind"),
            Card.type.label("card_type"),
            BoardColumn.stage.label("card_stage"),
        )
        .join(Run, Run.id == Question.run_id)
        .join(Card, Card.id == Question.card_id)
        .join(BoardColumn, BoardColumn.id == Card.column_id)
        .where(
            sees_card(context.actor, Question.board_id, Question.card_id),
            Question.board_id == rule.board_id,
            Question.key != PERMISSION_KEY,
            Run.permission != PermissionLevel.HUMAN_REQUIRED,
            Card.priority != Priority.CRITICAL,
        )
        .order_by(Question.created_at.desc(), Question.id.desc())
        .limit(TRIED_QUESTIONS)
    )
    rows = await context.read(asked)
    labels = select(CardLabel.card_id, CardLabel.label_id)
    labels = labels.where(CardLabel.card_id.in_({row.card_id for row in rows}))
    of_card = defaultdict[str, list[str]](list)
    for label in await context.read(labels) if rule.label_ids else ():
        of_card[label.card_id].append(label.label_id)
    trials = []
    for row in rows:
        facts = AskedFacts(
            question=row,
            run_kind=row.run_kind,
            card_type=row.card_type,
            stage=row.card_stage,
            label_ids=of_card[row.card_id],
        )
        if (found := first_answer([_Enabled(rule)], facts)) is not None:
            trials.append(AnswerTrial(row, found[1]))
    return trials
