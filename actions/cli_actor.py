"""Who the command line acts for: whoever runs it holds the database, so it may act for anybody."""

from sqlalchemy import select

from actions.account import ensure_owner
from actions.validation import folded
from kit.db.transaction import Transaction
from models.account import User
from models.actor import Actor, ActorKind
from models.refusal import Conflict, NotFound
from models.workspace import Membership, Role, Workspace


async def cli_actor_of(tx: Transaction, username: str | None) -> Actor:
    """The person of that name; without one, the owner who has no password yet, or the only admin there is.

    Raises NotFound, or Conflict when it cannot be told who is meant.
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
        raise Conflict("There are several admins; say in whose name with --user")
    return Actor(ActorKind.USER, ids[0])


async def first_workspace(tx: Transaction, actor: Actor) -> str | None:
    """The oldest workspace the person is an admin of."""
    mine = Membership.user_id == actor.id, Membership.role == Role.ADMIN
    query = select(Workspace.id).join(Membership, Membership.workspace_id == Workspace.id)
    return await tx.scalar(query.where(*mine).order_by(Workspace.id).limit(1))
