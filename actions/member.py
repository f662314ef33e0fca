"""Changes to the members of a workspace.

Each change locks the workspace's row, so concurrent changes are serialized and the last admin stays.
"""

from typing import Annotated, Any

from sqlalchemy import delete, func, select

from actions.events import emit_in_workspace
from actions.validation import folded
from auth.locking import lock_membership, lock_workspace
from kit.db.transaction import Transaction
from kit.eventlog.event_log import emit
from kit.graphql.arguments import Id
from models.account import User
from models.actor import Actor
from models.board import Board
from models.card import CardAssignee
from models.event import EventKind, board_topic
from models.refusal import Conflict, NotFound
from models.workspace import MAX_MEMBERS, Membership, Role


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
        raise NotFound(username)
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
    await _emit(tx, membership, EventKind.MEMBER_JOINED, role=role)
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
    await _emit(tx, membership, EventKind.MEMBER_ROLE_CHANGED, role=role, changes={"role": [before, role]})
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
    await _emit(tx, membership, EventKind.MEMBER_REMOVED, role=membership.role)
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
        data = {"card_id": card_id, "user_id": leaving.user_id}
        topics, kind = [board_topic(board_id)], EventKind.ASSIGNEE_REMOVED
        emit(tx, topics, kind, tenant=leaving.workspace_id, subject=card_id, data=data)


async def _emit(tx: Transaction, membership: Membership, kind: EventKind, **data: Any) -> None:
    """Emit to the workspace and to the person; the audit log keeps the person's name."""
    name = await tx.scalar(select(User.username).where(User.id == membership.user_id))
    about = {"membership_id": membership.id, "user_id": membership.user_id, "called": name, **data}
    emit_in_workspace(tx, membership.workspace_id, kind, membership.id, membership.user_id, **about)
