"""Changes to workspaces."""

from typing import Annotated

from sqlalchemy import delete, select

from actions import validation
from actions.changes import apply_changes
from actions.file import free_files
from actions.run.dispatch import end_active
from auth.locking import lock_workspace
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from models.actor import Actor
from models.board import Board
from models.events.board import BoardDeleted, board_facts
from models.events.workspace import WorkspaceCreated, WorkspaceDeleted, WorkspaceUpdated
from models.file import File
from models.refusal import Forbidden, Invalid
from models.run import ACTIVE, Run
from models.topic import user_topic
from models.workspace import Membership, Role, Workspace


async def create_workspace(
    tx: Transaction, actor: Actor, *, name: Annotated[str, "1 to 100 characters."]
) -> Workspace:
    """Create a workspace. You become its first admin."""
    if not actor.is_person:
        raise Forbidden("Only a person may create a workspace")
    workspace = Workspace(name=validation.single_line("name", name, 100), created_by=actor.id)
    tx.add(workspace)
    await tx.flush()  # generates workspace.id
    tx.add(Membership(workspace_id=workspace.id, user_id=actor.id, role=Role.ADMIN))
    created = WorkspaceCreated(workspace_id=workspace.id, name=workspace.name)
    tx.emit(workspace, created, also=[user_topic(actor.id)])
    return workspace


async def update_workspace(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The workspace."],
    name: Annotated[Maybe[str], "1 to 100 characters."] = None,
    if_version: IfVersion = None,
) -> Workspace:
    """Rename a workspace. Raises Stale."""
    workspace = await lock_workspace(tx, actor, id, admin=True)
    workspace.expect(if_version)
    changes = provided_fields(name=name)
    if "name" in changes:
        changes["name"] = validation.single_line("name", changes["name"], 100)
    changed = apply_changes(workspace, changes)
    if changed:
        updated = WorkspaceUpdated(workspace_id=workspace.id, called=workspace.name, changes=changed)
        tx.emit(workspace, updated)
    return workspace


async def delete_workspace(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The workspace."],
    confirm_name: Annotated[str, "The workspace's name, as a confirmation."],
    cancel_runs: Annotated[bool, "Cancel the active runs on its boards."] = False,
) -> Workspace:
    """Delete a workspace with everything in it. Returns the workspace as it was.

    Its feed, those of its boards and those of its members end with an event. Raises Invalid if `confirmName` is not
    its name, or Conflict if a run is active and `cancelRuns` is false.
    """
    workspace = await lock_workspace(tx, actor, id, admin=True)
    if confirm_name != workspace.name:
        raise Invalid(("confirmName", "is not the workspace's name"))
    in_workspace = select(Board).where(Board.workspace_id == workspace.id)
    locked = await tx.scalars(in_workspace.order_by(Board.id).with_for_update())
    boards = {board.id: board for board in locked}
    active_runs = select(Run).where(Run.board_id.in_(boards), Run.status.in_(ACTIVE)).order_by(Run.id)
    active = list(await tx.scalars(active_runs.with_for_update()))
    await end_active(tx, boards, active, cancel_run=cancel_runs, word="cancelRuns")
    for board in boards.values():
        tx.emit(board, BoardDeleted(**board_facts(board)))
    people = await tx.scalars(select(Membership.user_id).where(Membership.workspace_id == workspace.id))
    deleted = WorkspaceDeleted(workspace_id=workspace.id, name=workspace.name)
    tx.emit(workspace, deleted, also=map(user_topic, people))
    await free_files(tx, File.workspace_id == workspace.id)
    await tx.execute(delete(Workspace).where(Workspace.id == workspace.id))
    tx.expunge(workspace)
    return workspace
