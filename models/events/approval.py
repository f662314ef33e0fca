"""Events of approvals. They appear on the board's feed and on that of its workspace."""

from typing import Annotated, TypedDict

from kit.graphql.arguments import Id
from models.approval import Approval, ApprovalKind, ApprovalStatus
from models.events.base import WorkspaceEvent
from models.events.card import CardEvent


class ApprovalEvent(CardEvent, WorkspaceEvent):
    """A change to an approval."""

    board_id: Annotated[Id, "The board."]
    approval_id: Annotated[Id, "The approval."]
    approval_kind: Annotated[ApprovalKind, "The step that it allows."]
    approval_status: Annotated[ApprovalStatus, "Its status at that time."]
    head: Annotated[str, "The commit that it is asked for; for PLAN the run that planned; may be empty."]


class ApprovalFacts(TypedDict):
    board_id: str
    card_id: str
    approval_id: str
    approval_kind: ApprovalKind
    approval_status: ApprovalStatus
    head: str


def approval_facts(approval: Approval) -> ApprovalFacts:
    """Return the fields that all events of an approval share."""
    return {
        "board_id": approval.board_id,
        "card_id": approval.card_id,
        "approval_id": approval.id,
        "approval_kind": approval.kind,
        "approval_status": approval.status,
        "head": approval.head,
    }


class ApprovalRequested(ApprovalEvent):
    """An approval was requested."""


class ApprovalDecided(ApprovalEvent):
    """An approval was given or refused."""

    note: Annotated[str | None, "The beginning of the decider's note; null if there is none."]


class ApprovalCancelled(ApprovalEvent):
    """An approval was withdrawn, or new commits replaced its commit."""
