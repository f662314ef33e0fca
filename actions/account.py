"""People and machines that sign in."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.workspace import create_workspace
from models.account import User
from models.actor import Actor, ActorKind
from models.words import folded

OWNER = "owner"


async def local_owner(tx: AsyncSession) -> Actor | None:
    """The person at this machine, made on the first start with a default workspace.

    None once anybody has a password: then the local user signs in like everybody else.
    """
    user = await tx.scalar(select(User).where(User.username_folded == OWNER, User.password_hash.is_(None)))
    if user is None:
        if await tx.scalar(select(User.id).limit(1)) is not None:
            return None
        user = User(username=OWNER, username_folded=folded(OWNER))
        tx.add(user)
        await tx.flush()  # generates user.id
        tx.info["by"] = tx.info["by"].__class__(ActorKind.USER, user.id)
        await create_workspace(tx, Actor(ActorKind.USER, user.id), "Home")
    return Actor(ActorKind.USER, user.id)
