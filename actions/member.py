"""Changes to the members of a workspace.

Each change locks the workspace's row, so concurrent changes are serialized and the last admin stays.
"""

from typing import Annotated

from sqlalchemy import delete, func, select

from actions.validation import folded
from auth.locking import lock_membership, lock_workspace
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id
from models.account import User
from models.actor import Actor
from models.board import Board
from models.card import CardAssignee
from models.events.card import AssigneeRemoved
from models.events.workspace import MemberEvent, MemberJoined, MemberRemoved, MemberRoleChanged, member_facts
from models.refusal import Conflict, NotFound
from models.topic import board_scope, user_topic, workspace_scope
from models.workspace import MAX_MEMBERS, Membership, Role, Workspace


async def add_member(
    tx: Transaction,
    actor: Actor,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    username: Annotated[str, "Username of a registered person, ignoring case."],
    role: Annotated[Role, "The person's role."] = Role.MEMBER,
) -> Membership:
    """Add a registered person to a workspace, without asking the person. A workspace has at most 1,000 members.

    Raises NotFound if nobody has that username, or Conflict if the person is a member already.
    """
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    user = await tx.scalar(select(User).where(User.username_folded == folded(username.strip())))
    if user is None or not user.is_active:
        raise NotFound(username, "Nobody here has that username; inviteMembers invites a person by e-mail")
    return await join_workspace(tx, workspace, user, role)


async def join_workspace(tx: Transaction, workspace: Workspace, user: User, role: Role) -> Membership:
    """Add a person to a workspace whose lock the caller holds. Raises Conflict as `add_member` does."""
    in_workspace = Membership.workspace_id == workspace.id
    existing = await tx.scalar(select(Membership.id).where(in_workspace, Membership.user_id == user.id))
    if existing is not None:
        raise Conflict(f"{user.username} is a member of the workspace already", existing)
    if (
        await tx.scalar(select(func.count()).select_from(Membership).where(in_workspace)) or 0
    ) >= MAX_MEMBERS:
        raise Conflict(f"A workspace has at most {MAX_MEMBERS} members")
    membership = Membership(workspace_id=workspace.id, user_id=user.id, role=role)
    tx.add(membership)
    await tx.flush()  # generates membership.id
    _emit(tx, MemberJoined(**member_facts(membership), called=user.username))
    return membership


async def set_member_role(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The membership."],
    role: Annotated[Role, "The new role."],
) -> Membership:
    """Change a member's role. Raises Conflict for the last admin."""
    membership = await lock_membership(tx, actor, id)
    before = membership.role
    if before is role:
        return membership
    if before is Role.ADMIN:
        await _require_other_admin(tx, membership)
    membership.role = role
    changes = {"role": [before, role]}
    _emit(
        tx, MemberRoleChanged(**member_facts(membership), called=await _name(tx, membership), changes=changes)
    )
    return membership


async def remove_member(tx: Transaction, actor: Actor, *, id: Annotated[Id, "The membership."]) -> Membership:
    """Remove a member from a workspace, or leave it with your own membership. Returns the membership as it was.

    The person is unassigned from all cards, and its feeds of the workspace end. Raises Conflict for the last admin.
    """
    membership = await lock_membership(tx, actor, id, own=True)
    if membership.role is Role.ADMIN:
        await _require_other_admin(tx, membership)
    await _unassign(tx, membership)
    await tx.execute(delete(Membership).where(Membership.id == membership.id))
    tx.expunge(membership)
    _emit(tx, MemberRemoved(**member_facts(membership), called=await _name(tx, membership)))
    return membership


async def _require_other_admin(tx: Transaction, leaving: Membership) -> None:
    """Raise Conflict if no other admin is left. The caller holds the workspace's lock."""
    others = select(Membership.id).where(
        Membership.workspace_id == leaving.workspace_id,
        Membership.role == Role.ADMIN,
        Membership.id != leaving.id,
    )
    if await tx.scalar(others.limit(1)) is None:
        raise Conflict("A workspace keeps at least one admin", leaving.id)


async def _unassign(tx: Transaction, leaving: Membership) -> None:
    boards = select(Board.id).where(Board.workspace_id == leaving.workspace_id)
    deletion = delete(CardAssignee).where(
        CardAssignee.user_id == leaving.user_id, CardAssignee.board_id.in_(boards)
    )
    deleted = await tx.execute(deletion.returning(CardAssignee.board_id, CardAssignee.card_id))
    for board_id, card_id in sorted(deleted.all()):
        removed = AssigneeRemoved(card_id=card_id, user_id=leaving.user_id)
        tx.emit(board_scope(board_id, leaving.workspace_id), removed)


async def _name(tx: Transaction, membership: Membership) -> str | None:
    """Return the member's username, which the audit log keeps."""
    return await tx.scalar(select(User.username).where(User.id == membership.user_id))


def _emit(tx: Transaction, event: MemberEvent) -> None:
    """Emit a change to a membership: on the workspace's feed and on the member's own."""
    tx.emit(workspace_scope(event.workspace_id), event, also=[user_topic(event.user_id)])
