"""What can be done about who belongs to a workspace.

Each change holds the workspace's row, so that two at once follow one another and the last admin stays.
"""

from typing import Any

from sqlalchemy import delete, func, select

from actions.events import emit_in_workspace
from actions.validation import folded
from auth.locking import lock_membership, lock_workspace
from kit.db.transaction import Transaction
from kit.eventlog.event_log import emit
from models.account import User
from models.actor import Actor
from models.board import Board
from models.card import CardAssignee
from models.event import EventKind, board_topic
from models.refusal import Conflict, NotFound
from models.workspace import MAX_MEMBERS, Membership, Role


async def add_member(
    tx: Transaction, actor: Actor, workspace_id: str, username: str, role: Role = Role.MEMBER
) -> Membership:
    """Let a registered person into a workspace. Raises NotFound for a name that nobody has."""
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    user = await tx.scalar(select(User).where(User.username_folded == folded(username.strip())))
    if user is None or not user.is_active:
        raise NotFound(username)
    here = Membership.workspace_id == workspace.id
    member = await tx.scalar(select(Membership.id).where(here, Membership.user_id == user.id))
    if member is not None:
        raise Conflict(f"{user.username} belongs to the workspace already", member)
    if (await tx.scalar(select(func.count()).select_from(Membership).where(here)) or 0) >= MAX_MEMBERS:
        raise Conflict(f"A workspace has at most {MAX_MEMBERS} members")
    membership = Membership(workspace_id=workspace.id, user_id=user.id, role=role)
    tx.add(membership)
    await tx.flush()  # generates membership.id
    await _tell(tx, membership, EventKind.MEMBER_JOINED, role=role)
    return membership


async def set_member_role(tx: Transaction, actor: Actor, id: str, role: Role) -> Membership:
    """Change what a member may do. The last admin stays one."""
    membership = await lock_membership(tx, actor, id)
    before = membership.role
    if before is role:
        return membership
    if before is Role.ADMIN:
        await _keep_an_admin(tx, membership)
    membership.role = role
    await _tell(tx, membership, EventKind.MEMBER_ROLE_CHANGED, role=role, changes={"role": [before, role]})
    return membership


async def remove_member(tx: Transaction, actor: Actor, id: str) -> Membership:
    """Let a member go, or leave: whoever it is may go by themselves. The last admin stays.

    Cards they were assigned to are let go with them.
    """
    membership = await lock_membership(tx, actor, id, own=True)
    if membership.role is Role.ADMIN:
        await _keep_an_admin(tx, membership)
    await _unassign(tx, membership)
    await tx.execute(delete(Membership).where(Membership.id == membership.id))
    tx.expunge(membership)
    await _tell(tx, membership, EventKind.MEMBER_REMOVED, role=membership.role)
    return membership


async def _keep_an_admin(tx: Transaction, leaving: Membership) -> None:
    """Raise Conflict when no other admin is left. The caller holds the workspace."""
    others = select(Membership.id).where(
        Membership.workspace_id == leaving.workspace_id,
        Membership.role == Role.ADMIN,
        Membership.id != leaving.id,
    )
    if await tx.scalar(others.limit(1)) is None:
        raise Conflict("A workspace keeps at least one admin", leaving.id)


async def _unassign(tx: Transaction, leaving: Membership) -> None:
    boards = select(Board.id).where(Board.workspace_id == leaving.workspace_id)
    theirs = CardAssignee.user_id == leaving.user_id, CardAssignee.board_id.in_(boards)
    gone = delete(CardAssignee).where(*theirs).returning(CardAssignee.board_id, CardAssignee.card_id)
    for board_id, card_id in sorted((await tx.execute(gone)).all()):
        data = {"card_id": card_id, "user_id": leaving.user_id}
        topics, kind = [board_topic(board_id)], EventKind.ASSIGNEE_REMOVED
        emit(tx, topics, kind, tenant=leaving.workspace_id, subject=card_id, data=data)


async def _tell(tx: Transaction, membership: Membership, kind: EventKind, **data: Any) -> None:
    """The workspace hears of it, and the person it is about, whose name the audit log keeps."""
    name = await tx.scalar(select(User.username).where(User.id == membership.user_id))
    about = {"membership_id": membership.id, "user_id": membership.user_id, "called": name, **data}
    emit_in_workspace(tx, membership.workspace_id, kind, membership.id, membership.user_id, **about)
