"""The ready gate: the needs that a card must meet before it is approved. The board's policy says which apply.

The module reads no database: callers pass the counts. The law of stages refuses a card that is not approved where
the policy requires approval (models/stage.py).
"""

from dataclasses import dataclass

from kit.described_enum import DescribedEnum
from models.policy import BoardPolicy
from models.refusal import Refusal


class Need(DescribedEnum):
    """A need of a card that is to be approved."""

    REQUIREMENTS = "REQUIREMENTS", "It has enough requirements that are not rejected."
    PLANNED_FILES = "PLANNED_FILES", "It has enough planned files."
    ANSWERS = "ANSWERS", "No question about it is open."
    REVIEW = "REVIEW", "None of its knowledge is a draft."


@dataclass(frozen=True)
class Check:
    """A need, and whether a card meets it. `required` and `count` are numbers of things."""

    need: Need
    met: bool
    message: str
    required: int
    count: int


@dataclass(frozen=True)
class Preparation:
    """The preparation of a card in numbers."""

    requirements: int
    planned_files: int
    open_questions: int
    drafts: int


class NotReady(Refusal):
    """The card does not meet what its board needs."""

    code = "NOT_READY"

    def __init__(self, card_id: str, checks: list[Check]) -> None:
        super().__init__("; ".join(check.message for check in checks if not check.met))
        self.card_id, self.needs = card_id, checks


def check_readiness(policy: BoardPolicy, has: Preparation) -> list[Check]:
    """Judge a card by what its board's policy needs, one check for each need that applies."""
    checks = []
    for need, required, count, what in (
        (Need.REQUIREMENTS, policy.required_requirements, has.requirements, "requirements"),
        (Need.PLANNED_FILES, policy.required_planned_files, has.planned_files, "planned files"),
    ):
        if required:
            message = f"It has {count} {what}, and needs {required}"
            checks.append(Check(need, count >= required, message, required, count))
    for need, applies, count, what in (
        (Need.ANSWERS, policy.require_answers, has.open_questions, "open questions"),
        (Need.REVIEW, policy.require_review, has.drafts, "drafts in its knowledge"),
    ):
        if applies:
            checks.append(Check(need, not count, f"It has {count} {what}, and may have none", 0, count))
    return checks
