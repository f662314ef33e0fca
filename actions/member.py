"""What can be done about who belongs to a workspace.

Each change holds the workspace's row, so that two at once follow one another and the last admin stays.
"""

from sqlalchemy import delete, func, select

from actions.validation import folded
from auth.locking import lock_membership, lock_workspace
from kit.db.transaction import Transaction
from models.account import User
from models.actor import Actor
from models.board import Board
from models.card import CardAssignee
from models.events.card import AssigneeRemoved
from models.events.workspace import MemberEvent, MemberJoined, MemberRemoved, MemberRoleChanged, member_facts
from models.refusal import Conflict, NotFound
from models.topic import board_scope, user_topic, workspace_scope
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
    _emit(tx, MemberJoined(**member_facts(membership), called=await _name(tx, membership)))
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
    changes = {"role": [before, role]}
    _emit(
        tx, MemberRoleChanged(**member_facts(membership), called=await _name(tx, membership), changes=changes)
    )
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
    _emit(tx, MemberRemoved(**member_facts(membership), called=await _name(tx, membership)))
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
        removed = AssigneeRemoved(card_id=card_id, user_id=leaving.user_id)
        tx.emit(board_scope(board_id, leaving.workspace_id), removed)


async def _name(tx: Transaction, membership: Membership) -> str | None:
    """Return the member's username, which the audit log keeps."""
    return await tx.scalar(select(User.username).where(User.id == membership.user_id))


def _emit(tx: Transaction, event: MemberEvent) -> None:
    """Emit a change to a membership: on the workspace's feed and on the member's own."""
    tx.emit(workspace_scope(event.workspace_id), event, also=[user_topic(event.user_id)])
