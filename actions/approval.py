"""Changes to approvals: requested for the commit that stands on a card, decided once.

New commits cancel the pending approvals of an older commit. An approval that was given stays, and counts for its
commit only.
"""

from typing import Annotated

from sqlalchemy import func, select

from actions import validation
from actions.gate import WORK_KINDS, load_head
from actions.notice import NoticeText
from actions.run.notice import notify_run_people
from actions.run.reject import send_back
from actions.stage_facts import reader
from auth.locking import lock_approval, lock_card
from auth.permissions import role_in
from kit.db.database import utcnow
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from kit.ids import new_id
from models.actor import Actor
from models.approval import (
    MAX_NOTE_LENGTH,
    MAX_PENDING_APPROVALS,
    MAX_SUBJECT_LENGTH,
    Approval,
    ApprovalKind,
    ApprovalStatus,
    Approver,
    is_enough,
)
from models.board import Board
from models.card import Card
from models.events.approval import (
    ApprovalCancelled,
    ApprovalDecided,
    ApprovalEvent,
    ApprovalRequested,
    approval_facts,
)
from models.gate import required_approver
from models.notice import NotificationType
from models.policy import board_policy_of
from models.refusal import Conflict, Forbidden, Invalid
from models.run import PermissionLevel, Run, RunKind
from models.topic import workspace_topic
from models.workspace import Role

MAX_EVENT_NOTE_LENGTH = 500  # characters of a note that an event repeats
PENDING = Approval.status == ApprovalStatus.PENDING


async def request_approval(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card."],
    kind: Annotated[ApprovalKind, "The step that it is to allow."],
    subject: Annotated[str, "For TOOL: the tool or the step, 1 to 200 characters. Else empty."] = "",
    note: Annotated[str, "A note for the people who decide, at most 10,000 characters."] = "",
) -> Approval:
    """Request an approval of a step for the commit that stands on a card now. Requesting it again returns the same.

    A pending request for an older commit is cancelled. Raises Conflict if 20 approvals of the card are pending.
    """
    board, card = await lock_card(tx, actor, card_id)
    least = 1 if kind is ApprovalKind.TOOL else 0
    most = MAX_SUBJECT_LENGTH if kind is ApprovalKind.TOOL else 0
    subject = validation.single_line("subject", subject, most, least=least)
    note = validation.multiline("note", note, MAX_NOTE_LENGTH)
    head, run_id = await load_head(reader(tx), card.id, kind)
    await cancel_stale_approvals(tx, board, card.id, kind, head)
    of_card = Approval.card_id == card.id, PENDING
    same = select(Approval).where(*of_card, Approval.kind == kind, Approval.subject == subject)
    if (pending := await tx.scalar(same)) is not None:
        return pending
    if (
        await tx.scalar(select(func.count()).select_from(Approval).where(*of_card)) or 0
    ) >= MAX_PENDING_APPROVALS:
        raise Conflict(f"A card has at most {MAX_PENDING_APPROVALS} pending approvals", card.id)
    return await _request(tx, board, card, kind, head, run_id, actor.id, subject, note)


async def _request(
    tx: Transaction,
    board: Board,
    card: Card,
    kind: ApprovalKind,
    head: str,
    run_id: str | None,
    requested_by: str | None,
    subject: str,
    note: str,
) -> Approval:
    approval = Approval(
        id=new_id("approval"),
        board_id=board.id,
        card_id=card.id,
        run_id=run_id,
        kind=kind,
        status=ApprovalStatus.PENDING,
        head=head,
        subject=subject,
        request_note=note,
        requested_by=requested_by,
    )
    tx.add(approval)
    await tx.flush()
    _emit(tx, board, ApprovalRequested(**approval_facts(approval)))
    run = await tx.get(Run, run_id) if run_id is not None else None
    notice = NoticeText(NotificationType.APPROVAL_REQUESTED, "{} needs an approval", subject or note)
    await notify_run_people(tx, board, card, run, [notice], but=requested_by)
    return approval


async def decide_approval(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The approval. It is PENDING."],
    approve: Annotated[bool, "True: approve; false: reject."],
    note: Annotated[str, "The reason for people, at most 10,000 characters."] = "",
    send_card_back: Annotated[
        bool,
        "For a rejection: also send the card back to TODO, with the note as feedback, as `rejectCard` does.",
    ] = False,
    if_head: Annotated[
        str | None, "Refuse with Conflict unless the approval is for this commit: the one that you looked at."
    ] = None,
) -> Approval:
    """Decide about an approval, once. It counts for the commit that it was requested for, and for no other.

    Raises Forbidden if the board's policy, or the permission of the run, asks for another approver; Conflict if it
    was decided, or its commit was replaced; StageRefused if the card may not go back.
    """
    board, approval = await lock_approval(tx, actor, id)
    if approval.status is not ApprovalStatus.PENDING:
        raise Conflict(f"The approval is not pending: {approval.status}", approval.id)
    decided_as = await _require_approver(tx, actor, board, approval)
    head, _ = await load_head(reader(tx), approval.card_id, approval.kind)
    if if_head is not None and if_head.lower() != approval.head.lower():
        raise Conflict(f"The approval is for {approval.head or 'no commit'}", approval.id)
    if head != approval.head:
        raise Conflict(
            "New commits replaced the commit that it was requested for; request it again", approval.id
        )
    note = validation.multiline("note", note, MAX_NOTE_LENGTH)
    if send_card_back and (approve or not note):
        raise Invalid(("sendCardBack", "needs a rejection with a note, which becomes the feedback"))
    approval.status = ApprovalStatus.APPROVED if approve else ApprovalStatus.REJECTED
    approval.decided_by, approval.decided_as, approval.decided_at = actor.id, decided_as, utcnow()
    approval.note = note or None
    approval.version += 1
    await tx.flush()
    _emit(tx, board, ApprovalDecided(**approval_facts(approval), note=note[:MAX_EVENT_NOTE_LENGTH] or None))
    if approve and approval.kind is ApprovalKind.MERGE:
        card = await tx.get_one(Card, approval.card_id)
        run = await tx.get(Run, approval.run_id) if approval.run_id is not None else None
        ready = [NoticeText(NotificationType.READY_TO_MERGE, "{} may be merged", note)]
        await notify_run_people(tx, board, card, run, ready, but=actor.id, cause=f"approved {approval.id}")
    if send_card_back:
        card = await tx.get_one(Card, approval.card_id, populate_existing=True)
        await send_back(tx, actor, board, card, note)
    return approval


async def approve_head(
    tx: Transaction, actor: Actor, board: Board, card: Card, run: Run, note: str
) -> Approval:
    """Approve the step MERGE for the commit of a run, which stands on the card. The caller holds the card's board.

    Raises Conflict if another commit stands on the card, and as `decideApproval`.
    """
    kind = ApprovalKind.MERGE
    head, _ = await load_head(reader(tx), card.id, kind)
    if head != (run.head_sha or ""):
        raise Conflict("The commit of that run no longer stands on the card", run.id)
    await cancel_stale_approvals(tx, board, card.id, kind, head)
    pending = Approval.card_id == card.id, PENDING, Approval.kind == kind
    approval = await tx.scalar(select(Approval).where(*pending))
    if approval is None:
        approval = await _request(tx, board, card, kind, head, run.id, actor.id, "", "")
    return await decide_approval(tx, actor, id=approval.id, approve=True, note=note)


async def _require_approver(tx: Transaction, actor: Actor, board: Board, approval: Approval) -> Approver:
    """Return the rank of an actor as an approver. Raises Forbidden if it is not enough."""
    role = await tx.scalar(select(role_in(actor, board.workspace_id)))
    given = Approver.MEMBER
    if actor.is_person:
        given = Approver.ADMIN if role == Role.ADMIN else Approver.PERSON
    run = await tx.get(Run, approval.run_id) if approval.run_id is not None else None
    required = required_approver(board_policy_of(board.policy), approval.kind, None) or Approver.MEMBER
    is_human = run is not None and run.permission is PermissionLevel.HUMAN_REQUIRED
    touches = run is not None and bool((run.result or {}).get("protected_paths"))
    if (is_human or touches) and required is Approver.MEMBER:
        required = Approver.PERSON
    if not is_enough(given, required):
        raise Forbidden(f"The step {approval.kind} needs the approval of: {required}")
    return given


async def cancel_approval(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The approval. It is PENDING."]
) -> Approval:
    """Withdraw the request for an approval. Raises Conflict if it is not pending."""
    board, approval = await lock_approval(tx, actor, id)
    if approval.status is not ApprovalStatus.PENDING:
        raise Conflict(f"The approval is not pending: {approval.status}", approval.id)
    await _cancel(tx, board, approval)
    return approval


async def _cancel(tx: Transaction, board: Board, approval: Approval) -> None:
    approval.status, approval.decided_at = ApprovalStatus.CANCELLED, utcnow()
    approval.version += 1
    await tx.flush()
    _emit(tx, board, ApprovalCancelled(**approval_facts(approval)))


async def cancel_stale_approvals(
    tx: Transaction, board: Board, card_id: str, kind: ApprovalKind, head: str
) -> None:
    """Cancel the pending approvals of a step that are for another commit than `head`."""
    stale = Approval.card_id == card_id, PENDING, Approval.kind == kind, Approval.head != head
    for approval in list(await tx.scalars(select(Approval).where(*stale).order_by(Approval.id))):
        await _cancel(tx, board, approval)


async def cancel_replaced_approvals(tx: Transaction, board: Board, run: Run) -> None:
    """Cancel the pending approvals of a card whose commit or plan was replaced by a run that succeeded."""
    if run.kind is RunKind.PLAN:
        await cancel_stale_approvals(tx, board, run.card_id, ApprovalKind.PLAN, run.id)
    elif run.kind in WORK_KINDS:
        of_card = Approval.card_id == run.card_id, PENDING, Approval.kind != ApprovalKind.PLAN
        if await tx.scalar(select(Approval.id).where(*of_card).limit(1)) is not None:
            head, _ = await load_head(reader(tx), run.card_id, ApprovalKind.MERGE)
            for kind in ApprovalKind:
                if kind is not ApprovalKind.PLAN:
                    await cancel_stale_approvals(tx, board, run.card_id, kind, head)


def _emit(tx: Transaction, board: Board, event: ApprovalEvent) -> None:
    tx.emit(board, event, also=[workspace_topic(board.workspace_id)])
