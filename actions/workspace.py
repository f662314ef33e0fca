"""What can be done to a workspace."""

from sqlalchemy.ext.asyncio import AsyncSession

from actions.news import tell_workspace
from models import words
from models.actor import Actor
from models.event import EventKind
from models.refusal import Forbidden
from models.workspace import Membership, Role, Workspace


async def create_workspace(tx: AsyncSession, actor: Actor, name: str) -> Workspace:
    """Make a workspace; who makes it is its first admin."""
    if not actor.is_person:
        raise Forbidden("Only a person makes a workspace")
    workspace = Workspace(name=words.line("name", name, 100), created_by=actor.id)
    tx.add(workspace)
    await tx.flush()  # generates workspace.id
    tx.add(Membership(workspace_id=workspace.id, user_id=actor.id, role=Role.ADMIN))
    tell_workspace(tx, workspace.id, EventKind.WORKSPACE_CREATED, workspace.id, name=workspace.name)
    return workspace
