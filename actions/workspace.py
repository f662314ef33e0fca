"""What can be done to a workspace."""

from typing import Any

from sqlalchemy import delete, select

from actions import validation
from actions.changes import apply_changes
from actions.run.dispatch import end_active
from auth.locking import lock_workspace
from kit.db.transaction import Transaction
from models.actor import Actor
from models.board import Board
from models.events.board import BoardDeleted, board_facts
from models.events.workspace import WorkspaceCreated, WorkspaceDeleted, WorkspaceUpdated
from models.refusal import Forbidden, Invalid
from models.run import ACTIVE, Run
from models.topic import user_topic
from models.workspace import Membership, Role, Workspace


async def create_workspace(tx: Transaction, actor: Actor, name: str) -> Workspace:
    """Make a workspace; who makes it is its first admin."""
    if not actor.is_person:
        raise Forbidden("Only a person makes a workspace")
    workspace = Workspace(name=validation.single_line("name", name, 100), created_by=actor.id)
    tx.add(workspace)
    await tx.flush()  # generates workspace.id
    tx.add(Membership(workspace_id=workspace.id, user_id=actor.id, role=Role.ADMIN))
    created = WorkspaceCreated(workspace_id=workspace.id, name=workspace.name)
    tx.emit(workspace, created, also=[user_topic(actor.id)])
    return workspace


async def update_workspace(
    tx: Transaction, actor: Actor, id: str, changes: dict[str, Any], *, if_version: int | None = None
) -> Workspace:
    """Rename a workspace."""
    workspace = await lock_workspace(tx, actor, id, admin=True)
    workspace.expect(if_version)
    clean = dict(changes)
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], 100)
    told = apply_changes(workspace, clean)
    if told:
        updated = WorkspaceUpdated(workspace_id=workspace.id, called=workspace.name, changes=told)
        tx.emit(workspace, updated)
    return workspace


async def delete_workspace(
    tx: Transaction, actor: Actor, id: str, confirm_name: str, *, cancel_runs: bool = False
) -> Workspace:
    """Delete a workspace with everything in it. `confirm_name` must be its name.

    Raises Conflict while agents are at cards of its boards, unless `cancel_runs` ends their runs.

    Every feed that ends with it hears so: the workspace's own, those of its boards, and its people's.
    """
    workspace = await lock_workspace(tx, actor, id, admin=True)
    if confirm_name != workspace.name:
        raise Invalid(("confirmName", "is not the workspace's name"))
    held = select(Board).where(Board.workspace_id == workspace.id).order_by(Board.id).with_for_update()
    boards = {board.id: board for board in await tx.scalars(held)}
    mine = Run.board_id.in_(boards), Run.status.in_(ACTIVE)
    active = list(await tx.scalars(select(Run).where(*mine).order_by(Run.id).with_for_update()))
    await end_active(tx, boards, active, cancel_run=cancel_runs, word="cancelRuns")
    for board in boards.values():
        tx.emit(board, BoardDeleted(**board_facts(board)))
    people = await tx.scalars(select(Membership.user_id).where(Membership.workspace_id == workspace.id))
    deleted = WorkspaceDeleted(workspace_id=workspace.id, name=workspace.name)
    tx.emit(workspace, deleted, also=map(user_topic, people))
    await tx.execute(delete(Workspace).where(Workspace.id == workspace.id))
    tx.expunge(workspace)
    return workspace
