"""The gates of merges, pull requests, plans and tools: what must be true of a commit before a step is taken.

The functions read no database. actions/gate.py loads what they judge by.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kit.described_enum import DescribedEnum
from models.approval import ApprovalKind, ApprovalStatus, Approver, is_enough
from models.check import CheckKind, CheckStatus
from models.policy import BoardPolicy, RequiredCheck
from models.refusal import Refusal
from models.run import PermissionLevel
from models.stage import MoveGate, Reason

CHECKED = (ApprovalKind.CREATE_PR, ApprovalKind.MERGE)  # steps that need the required checks
MAX_SHA_SHOWN = 10  # characters of a commit in a message


class GateCode(DescribedEnum):
    """The reason why a gate is closed."""

    CHECK_MISSING = "CHECK_MISSING", "A required check has no result for the commit."
    CHECK_PENDING = "CHECK_PENDING", "A required check has not ended."
    CHECK_FAILED = "CHECK_FAILED", "A required check did not pass."
    APPROVAL_MISSING = "APPROVAL_MISSING", "Nobody has approved the step for the commit."
    APPROVAL_STALE = "APPROVAL_STALE", "The step was approved for another commit."
    APPROVAL_REJECTED = "APPROVAL_REJECTED", "The step was rejected for the commit."


@dataclass(frozen=True)
class GateReason:
    """One reason why a gate is closed."""

    code: GateCode
    message: str
    name: str | None = None  # of the check

    @property
    def move_reason(self) -> Reason:
        is_check = self.code.name.startswith("CHECK")
        return Reason(MoveGate.CHECKS if is_check else MoveGate.APPROVAL, self.message)


class GateClosed(Refusal):
    """A required check has not passed, or an approval is missing, for the commit that the step is about."""

    code = "GATE_CLOSED"

    def __init__(self, kind: ApprovalKind, head: str, reasons: list[GateReason]) -> None:
        super().__init__("; ".join(reason.message for reason in reasons))
        self.step, self.head, self.gate_reasons = kind, head, reasons


@dataclass(frozen=True)
class CardWork:
    """The work that stands on a card."""

    run_id: str
    head: str
    permission: PermissionLevel
    touches_protected: bool  # whether it changes a protected path


class Decision(Protocol):
    """The columns of an approval that a gate judges by."""

    @property
    def kind(self) -> ApprovalKind: ...
    @property
    def status(self) -> ApprovalStatus: ...
    @property
    def head(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def decided_as(self) -> Approver | None: ...


def gate_reasons(
    policy: BoardPolicy,
    kind: ApprovalKind,
    head: str,
    work: CardWork | None,
    statuses: Mapping[tuple[CheckKind, str], CheckStatus],
    decisions: Sequence[Decision],
    *,
    subject: str = "",
    is_strict: bool = True,
) -> list[GateReason]:
    """Return the reasons why a step may not be taken for the commit `head`.

    `statuses` are the checks of that commit, `decisions` the approvals of the card, oldest first. With `is_strict`
    the work of a run whose permission is HUMAN_REQUIRED needs a person's approval also if the policy asks for none.
    """
    reasons = []
    if kind in CHECKED:
        reasons = [reason for check in policy.checks if (reason := _against_check(check, statuses))]
    required = required_approver(policy, kind, work, is_strict=is_strict)
    if required is not None and (reason := _against_approval(kind, head, subject, required, decisions)):
        reasons.append(reason)
    return reasons


def _against_check(
    check: RequiredCheck, statuses: Mapping[tuple[CheckKind, str], CheckStatus]
) -> GateReason | None:
    status = statuses.get((check.kind, check.name))
    match status:
        case CheckStatus.PASSED:
            return None
        case None:
            return GateReason(GateCode.CHECK_MISSING, f"The check {check.name} was not run", check.name)
        case CheckStatus.PENDING:
            return GateReason(GateCode.CHECK_PENDING, f"The check {check.name} has not ended", check.name)
    return GateReason(GateCode.CHECK_FAILED, f"The check {check.name} is {status}", check.name)


def required_approver(
    policy: BoardPolicy, kind: ApprovalKind, work: CardWork | None, *, is_strict: bool = True
) -> Approver | None:
    """Return who must approve a step; None: nobody."""
    required = next((one.by for one in policy.approvals if one.kind is kind), None)
    is_human = work is not None and work.permission is PermissionLevel.HUMAN_REQUIRED
    touches = work is not None and work.touches_protected and kind in CHECKED
    if (touches or (is_human and (is_strict or required is not None))) and required is not Approver.ADMIN:
        return Approver.PERSON
    return required


def _against_approval(
    kind: ApprovalKind, head: str, subject: str, required: Approver, decisions: Iterable[Decision]
) -> GateReason | None:
    step, has_other = kind.name.replace("_", " ").lower(), False
    status: ApprovalStatus | None = None
    for decision in decisions:
        if decision.kind is not kind or decision.subject != subject:
            continue
        if decision.status is ApprovalStatus.APPROVED and decision.head != head:
            has_other = True
        elif decision.head == head and decision.status is ApprovalStatus.REJECTED:
            status = ApprovalStatus.REJECTED
        elif (
            decision.head == head
            and decision.status is ApprovalStatus.APPROVED
            and is_enough(decision.decided_as, required)
        ):
            status = ApprovalStatus.APPROVED
    if status is ApprovalStatus.APPROVED:
        return None
    if status is ApprovalStatus.REJECTED:
        return GateReason(GateCode.APPROVAL_REJECTED, f"The step {step} was rejected")
    if has_other:
        text = f"The approval of the step {step} is for another commit than {head[:MAX_SHA_SHOWN] or 'this'}"
        return GateReason(GateCode.APPROVAL_STALE, text)
    return GateReason(GateCode.APPROVAL_MISSING, f"The step {step} needs the approval of: {required}")
