"""How whoever did something is named: also those who have left since."""

from typing import Any

from sqlalchemy import select, true
from strawberry import Parent

from models.account import ApiKey, User, public
from models.actor import ActorKind
from resolvers.context import Info
from resolvers.loaders import Link
from resolvers.workspace import USER

SYSTEM = "Signalbox"
GONE = "Somebody who left"

# Who acted is named by a row that was seen; nothing but the name is read of them.
USER_NAME = Link(select(User.id, User.username, User.nickname), User.id, lambda actor: true())
KEY_NAME = Link(select(ApiKey.id, ApiKey.name), ApiKey.id, lambda actor: true())


async def name_of_actor(root: Parent[Any], info: Info) -> str:
    """The name to show: a person's, a key's, or Signalbox for the system."""
    if root.id is None:
        return SYSTEM
    if root.kind is ActorKind.USER:
        user = await info.context.load(USER_NAME, root.id)
        return public(user) if user else GONE
    key = await info.context.load(KEY_NAME, root.id)
    return str(key.name) if key else GONE


async def user_of_actor(root: Parent[Any], info: Info) -> Any:
    """The person, if it is one that you may still see."""
    if root.id is None or root.kind is not ActorKind.USER:
        return None
    return await info.context.load(USER, root.id)
