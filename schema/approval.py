"""Approvals and gates: the types, the inbox and the mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.approval
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.approval import Approval as ApprovalRow
from models.approval import ApprovalKind, ApprovalStatus, Approver
from resolvers import approval as approvals
from resolvers.board import BOARD
from resolvers.card import CARD
from resolvers.run import RUN
from resolvers.workspace import USER
from schema.account import User
from schema.actor import Actor, actor_named
from schema.board import Board
from schema.fields import mutation, node_type, query_field, relation_field
from schema.page import Connection
from schema.refusal import Conflict, StageRefused

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


def _requester(root: ApprovalRow) -> Actor | None:
    return actor_named(root.requested_by)


@node_type("approval")
class Approval(Node):
    """A consent to a step, given for one commit of a card."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card."]
    run_id: Annotated[ID | None, "The run that made the commit; null if there is none."]
    kind: Annotated[ApprovalKind, "The step."]
    status: Annotated[ApprovalStatus, "The status."]
    head: Annotated[str, "The commit that it is for; for PLAN the run that planned; empty if there is none."]
    subject: Annotated[str, "For TOOL: the tool or the step; else empty."]
    request_note: Annotated[str, "The requester's note; may be empty."]
    requested_by: Actor | None = strawberry.field(
        resolver=_requester, description="The requester; null for the system."
    )
    decided_by: User | None = relation_field(
        USER, "decided_by", text="The person who decided; null if nobody did, or a key."
    )
    decided_as: Annotated[Approver | None, "The rank of the decider; null until it is decided."]
    decided_at: Annotated[datetime | None, "Time of the decision or the cancellation; null before."]
    note: Annotated[str | None, "The decider's note; null if there is none."]
    stale: bool = query_field(approvals.is_stale)
    created_at: Annotated[datetime, "Time of the request."]
    version: Annotated[int, "Increases by one with each change."]
    board: Board | None = relation_field(BOARD, "board_id", text="The board.")
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run that made the commit; null: none.")


@strawberry.type
class ApprovalQuery:
    approvals: Connection[Approval] = query_field(approvals.approvals, directives=[list_size(50)])


@strawberry.type
class ApprovalMutation:
    request_approval = mutation(actions.approval.request_approval, Approval, Conflict, requires=Access.BOARD)
    decide_approval = mutation(
        actions.approval.decide_approval, Approval, Conflict, StageRefused, requires=Access.BOARD
    )
    cancel_approval = mutation(actions.approval.cancel_approval, Approval, Conflict, requires=Access.BOARD)


GATE = list_size(2, slicing=())
