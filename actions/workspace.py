"""What can be done to a workspace."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.news import changed, tell_workspace
from actions.reach import reach_workspace
from models import words
from models.actor import Actor
from models.board import Board
from models.event import EventKind, board_topic
from models.refusal import Forbidden, Invalid
from models.run import ACTIVE, Run
from models.workspace import Membership, Role, Workspace
from runtime import queue
from runtime.feed import record


async def create_workspace(tx: AsyncSession, actor: Actor, name: str) -> Workspace:
    """Make a workspace; who makes it is its first admin."""
    if not actor.is_person:
        raise Forbidden("Only a person makes a workspace")
    workspace = Workspace(name=words.line("name", name, 100), created_by=actor.id)
    tx.add(workspace)
    await tx.flush()  # generates workspace.id
    tx.add(Membership(workspace_id=workspace.id, user_id=actor.id, role=Role.ADMIN))
    tell_workspace(tx, workspace.id, EventKind.WORKSPACE_CREATED, workspace.id, actor.id, name=workspace.name)
    return workspace


async def update_workspace(
    tx: AsyncSession, actor: Actor, id: str, changes: dict[str, Any], *, if_version: int | None = None
) -> Workspace:
    """Rename a workspace."""
    workspace = await reach_workspace(tx, actor, id, admin=True)
    workspace.expect(if_version)
    clean = dict(changes)
    if "name" in clean:
        clean["name"] = words.line("name", clean["name"], 100)
    told = changed(workspace, clean)
    if told:
        tell_workspace(tx, workspace.id, EventKind.WORKSPACE_UPDATED, workspace.id, changes=told)
    return workspace


async def delete_workspace(tx: AsyncSession, actor: Actor, id: str, confirm_name: str) -> Workspace:
    """Delete a workspace with everything in it. `confirm_name` must be its name.

    Every feed that ends with it hears so: the workspace's own, those of its boards, and its people's.
    """
    workspace = await reach_workspace(tx, actor, id, admin=True)
    if confirm_name != workspace.name:
        raise Invalid(("confirmName", "is not the workspace's name"))
    boards = await tx.execute(select(Board.id, Board.name).where(Board.workspace_id == workspace.id))
    for board in boards:
        data = {"board_id": board.id, "workspace_id": workspace.id, "name": board.name}
        topics, kind = [board_topic(board.id)], EventKind.BOARD_DELETED
        record(tx, topics, kind, tenant=workspace.id, subject=board.id, data=data)
    mine = select(Run.id).join(Board, Board.id == Run.board_id).where(Board.workspace_id == workspace.id)
    for run_id in list(await tx.scalars(mine.where(Run.status.in_(ACTIVE)).order_by(Run.id))):
        await queue.drop(tx, run_id)
    people = await tx.scalars(select(Membership.user_id).where(Membership.workspace_id == workspace.id))
    tell_workspace(tx, workspace.id, EventKind.WORKSPACE_DELETED, workspace.id, *people, name=workspace.name)
    await tx.execute(delete(Workspace).where(Workspace.id == workspace.id))
    tx.expunge(workspace)
    return workspace
