"""Events of answer rules."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.answer_rule import AnswerRule
from models.events.base import BoardEvent, Changes


class AnswerRuleEvent(BoardEvent):
    """A change to an answer rule of a board."""

    subject_field = "rule_id"
    subject_name = (AnswerRule, "name")

    rule_id: Annotated[Id, "The rule."]
    name: Annotated[str, "Its name at that time."]
    rank: Annotated[str | None, "Its rank on the board."]


class AnswerRuleCreated(AnswerRuleEvent):
    """An answer rule was created."""


class AnswerRuleUpdated(AnswerRuleEvent):
    """An answer rule was changed."""

    changes: Changes


class AnswerRuleMoved(AnswerRuleEvent):
    """An answer rule was reordered."""


class AnswerRuleDeleted(AnswerRuleEvent):
    """An answer rule was deleted."""
