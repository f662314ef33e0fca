"""The actor of the command line. Its user has the database, so it may act for any person."""

from sqlalchemy import select

from actions.account import ensure_owner
from actions.validation import folded
from kit.db.transaction import Transaction
from models.account import User
from models.actor import Actor, ActorKind
from models.refusal import Conflict, NotFound
from models.workspace import Membership, Role, Workspace


async def cli_actor_of(tx: Transaction, username: str | None) -> Actor:
    """Find the person of that name; without a name, the owner without a password or the only admin.

    Raises NotFound, or Conflict if there are several admins.
    """
    if username is not None:
        named = User.username_folded == folded(username), User.is_active
        id = await tx.scalar(select(User.id).where(*named))
        if id is None:
            raise NotFound(username)
        return Actor(ActorKind.USER, id)
    owner = await ensure_owner(tx)
    if owner is not None:
        return owner
    admins = select(Membership.user_id).where(Membership.role == Role.ADMIN).distinct().limit(2)
    ids = list(await tx.scalars(admins))
    if len(ids) != 1:
        raise Conflict("There are several admins; choose one with --user")
    return Actor(ActorKind.USER, ids[0])


async def first_workspace(tx: Transaction, actor: Actor) -> str | None:
    """Return the id of the oldest workspace that the person is an admin of."""
    is_admin = Membership.user_id == actor.id, Membership.role == Role.ADMIN
    query = select(Workspace.id).join(Membership, Membership.workspace_id == Workspace.id)
    return await tx.scalar(query.where(*is_admin).order_by(Workspace.id).limit(1))
